package slotd_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/slotd/slotd/clients/go"
	slotdv1 "github.com/slotd/slotd/clients/go/slotd/v1"
)

// workerService hands its calls to the test.
type workerService struct {
	slotdv1.UnimplementedWorkerServiceServer
	calls   chan *workCall
	results []*slotdv1.ReadResultsResponse
}

// workCall is the server's side of one call of Work.
type workCall struct {
	t      *testing.T
	stream grpc.BidiStreamingServer[slotdv1.WorkRequest, slotdv1.WorkResponse]
	hello  *slotdv1.WorkRequest
	end    chan error
}

func (s *workerService) Work(stream grpc.BidiStreamingServer[slotdv1.WorkRequest, slotdv1.WorkResponse]) error {
	hello, err := stream.Recv()
	if err != nil {
		return err
	}
	call := &workCall{stream: stream, hello: hello, end: make(chan error, 1)}
	s.calls <- call
	select {
	case err := <-call.end:
		return err
	case <-stream.Context().Done():
		return stream.Context().Err()
	}
}

func (s *workerService) ReadResults(
	_ *slotdv1.ReadResultsRequest, out grpc.ServerStreamingServer[slotdv1.ReadResultsResponse],
) error {
	for _, one := range s.results {
		if err := out.Send(one); err != nil {
			return err
		}
	}
	return nil
}

// workshop is a worker that runs, and the service that it works for.
type workshop struct {
	t       *testing.T
	service *workerService
	worker  *slotd.Worker
	// What Run has returned.
	left chan error
	stop context.CancelFunc
}

// open starts a worker with a handler of the kind "k".
func open(t *testing.T, handler slotd.Handler) *workshop {
	t.Helper()
	service := &workerService{calls: make(chan *workCall, 10)}
	w := &workshop{t: t, service: service, left: make(chan error, 1)}
	w.worker = slotd.NewWorker(slotd.WorkerConfig{
		Addresses:    []string{inMemoryAddress},
		Slots:        2,
		DrainTimeout: -1,
		Logger:       slog.New(slog.NewTextHandler(io.Discard, nil)),
		Options:      inMemory(t, func(s *grpc.Server) { slotdv1.RegisterWorkerServiceServer(s, service) }),
	})
	w.worker.Handle("k", handler, &slotd.HandlerOptions{Timeout: time.Minute})
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	t.Cleanup(stop)
	go func() { w.left <- w.worker.Run(ctx) }()
	return w
}

// accept awaits a call of the worker, and welcomes it.
func (w *workshop) accept(lease time.Duration, held ...*slotdv1.Lease) *workCall {
	w.t.Helper()
	call := w.next()
	call.say(&slotdv1.WorkResponse{Welcome: &slotdv1.Welcome{
		Lease: durationpb.New(lease), Held: held, MaxResultBytes: 100, MaxOutputBytes: 1000,
	}})
	return call
}

func (w *workshop) next() *workCall {
	w.t.Helper()
	select {
	case call := <-w.service.calls:
		call.t = w.t
		return call
	case <-soon(w.t).Done():
		w.t.Fatal("the worker does not call")
		return nil
	}
}

// returned is what Run returned.
func (w *workshop) returned() error {
	w.t.Helper()
	select {
	case err := <-w.left:
		return err
	case <-soon(w.t).Done():
		w.t.Fatal("the worker does not leave")
		return nil
	}
}

func (c *workCall) say(message *slotdv1.WorkResponse) {
	c.t.Helper()
	if err := c.stream.Send(message); err != nil {
		c.t.Fatal(err)
	}
}

// assign gives the worker a job of the kind "k" with this payload.
func (c *workCall) assign(job string, payload *slotdv1.Payload) *slotdv1.Lease {
	c.t.Helper()
	lease := &slotdv1.Lease{JobId: job, Fence: 7}
	c.say(&slotdv1.WorkResponse{Assignments: []*slotdv1.Assignment{{
		Lease: lease,
		Job:   &slotdv1.Job{Id: job, Spec: &slotdv1.JobSpec{Kind: "k", Payload: payload}},
	}}})
	return lease
}

// hear returns the first request for which wanted says yes.
func (c *workCall) hear(wanted func(*slotdv1.WorkRequest) bool) *slotdv1.WorkRequest {
	c.t.Helper()
	for {
		request, err := c.stream.Recv()
		if err != nil {
			c.t.Fatal(err)
		}
		if wanted(request) {
			return request
		}
	}
}

// finish returns the next Finish, and settles it.
func (c *workCall) finish() *slotdv1.Finish {
	c.t.Helper()
	request := c.hear(func(r *slotdv1.WorkRequest) bool { return len(r.GetFinishes()) > 0 })
	finish := request.GetFinishes()[0]
	c.say(&slotdv1.WorkResponse{Settled: []*slotdv1.Lease{finish.GetLease()}})
	return finish
}

// leaves awaits that the worker says that it leaves.
func (c *workCall) leaves() {
	c.t.Helper()
	c.hear((*slotdv1.WorkRequest).GetLeave)
	c.end <- nil
}

func TestAWorkerSaysWhoItIsAndRunsWhatItIsGiven(t *testing.T) {
	w := open(t, slotd.Typed(func(_ context.Context, task *slotd.Task, name string) (any, error) {
		task.Progress(1, 2, "half")
		fmt.Fprintf(task, "job %s\n", task.Job.GetId())
		return "hello " + name, nil
	}))
	call := w.accept(time.Minute)
	hello := call.hello.GetHello()
	if hello.GetWorkerId() != w.worker.ID() || hello.GetClient() != "slotd-go/"+slotd.Version ||
		hello.GetKinds()[0].GetKind() != "k" || hello.GetKinds()[0].GetDefaults().GetTimeout().GetSeconds() != 60 ||
		call.hello.GetSlots() != 2 {
		t.Errorf("%v", call.hello)
	}
	<-w.worker.Ready()
	payload, _ := slotd.Encode("Ada")
	call.assign("j", payload)
	output := ""
	finish := call.hear(func(r *slotdv1.WorkRequest) bool {
		for _, report := range r.GetReports() {
			output += string(report.GetOutput())
		}
		return len(r.GetFinishes()) > 0
	}).GetFinishes()[0]
	if output += string(finish.GetOutput()); output != "job j\n" {
		t.Errorf("output %q", output)
	}
	if result := finish.GetSucceeded().GetResult(); string(result.GetData()) != `"hello Ada"` {
		t.Errorf("%v", finish)
	}
}

func TestHowAHandlerEndsIsHowItsAttemptEnds(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		handler   slotd.Handler
		reason    string
		message   string
		permanent bool
	}{
		"error":     {returning(nil, broken), "HANDLER_ERROR", "broken", false},
		"permanent": {returning(nil, fmt.Errorf("very %w", slotd.Permanent(broken))), "PERMANENT_ERROR", "very broken", true},
		"panic":     {func(context.Context, *slotd.Task) (any, error) { panic("oh") }, "HANDLER_ERROR", "panic: oh", false},
		"goexit": {func(context.Context, *slotd.Task) (any, error) {
			runtime.Goexit()
			return nil, nil
		}, "HANDLER_ERROR", "goroutine", false},
		"too large": {returning(strings.Repeat("x", 99), nil), "RESULT_TOO_LARGE", "101", true},
		"no result": {returning(func() {}, nil), "RESULT_INVALID", "json", true},
		"payload": {slotd.Typed(func(context.Context, *slotd.Task, int) (any, error) {
			return nil, nil
		}), "PAYLOAD_INVALID", "decode", true},
		"not UTF-8": {returning(nil, errors.New("a\xffb")), "HANDLER_ERROR", "a?b", false},
		"long":      {returning(nil, errors.New("x"+strings.Repeat("ü", 3000))), "HANDLER_ERROR", "ü", false},
	} {
		t.Run(name, func(t *testing.T) {
			call := open(t, c.handler).accept(time.Minute)
			call.assign("j", slotd.Text("no number"))
			failed := call.finish().GetFailed()
			if failed.GetReason() != c.reason || failed.GetPermanent() != c.permanent ||
				!strings.Contains(failed.GetMessage(), c.message) || len(failed.GetMessage()) > 4096 {
				t.Errorf("%v", failed)
			}
		})
	}
}

func TestASnoozeIsNoFailure(t *testing.T) {
	call := open(t, returning(nil, slotd.Snooze(3*time.Second))).accept(time.Minute)
	call.assign("j", nil)
	if finish := call.finish(); finish.GetSnoozed().GetDelay().GetSeconds() != 3 {
		t.Errorf("%v", finish)
	}
}

func TestACancelReachesTheHandler(t *testing.T) {
	call := open(t, untilDone).accept(time.Minute)
	lease := call.assign("j", nil)
	call.say(&slotdv1.WorkResponse{Stops: []*slotdv1.Stop{
		{Lease: lease, Reason: slotdv1.StopReason_STOP_REASON_CANCELLED},
	}})
	if failed := call.finish().GetFailed(); failed.GetReason() != "CANCELLED" {
		t.Errorf("%v", failed)
	}
}

func TestAnAttemptThatTakesTooLongEndsByItself(t *testing.T) {
	call := open(t, func(ctx context.Context, _ *slotd.Task) (any, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}).accept(time.Minute)
	call.say(&slotdv1.WorkResponse{Assignments: []*slotdv1.Assignment{{
		Lease:    &slotdv1.Lease{JobId: "j", Fence: 1},
		Job:      &slotdv1.Job{Id: "j", Spec: &slotdv1.JobSpec{Kind: "k"}},
		TimeLeft: durationpb.New(time.Millisecond),
	}}})
	if failed := call.finish().GetFailed(); failed.GetReason() != "TIMEOUT" {
		t.Errorf("%v", failed)
	}
}

func TestAHandlerReadsTheResultsOfWhatItsJobDependedOn(t *testing.T) {
	w := open(t, func(ctx context.Context, task *slotd.Task) (any, error) {
		results, err := task.Results(ctx)
		return fmt.Sprintf("%d %s %t", len(results), results["a"].GetData(), results["b"] == nil), err
	})
	w.service.results = []*slotdv1.ReadResultsResponse{{Name: "a", Result: slotd.Text("A")}, {Name: "b"}}
	call := w.accept(time.Minute)
	call.assign("j", nil)
	if result := call.finish().GetSucceeded().GetResult(); string(result.GetData()) != `"2 A true"` {
		t.Errorf("%v", result)
	}
}

func TestAWorkerComesAgainWithWhatItHolds(t *testing.T) {
	goOn := make(chan struct{})
	w := open(t, func(context.Context, *slotd.Task) (any, error) {
		<-goOn
		return "late", nil
	})
	call := w.accept(time.Minute)
	lease := call.assign("j", nil)
	call.end <- status.Error(codes.Unavailable, "restarting")
	call = w.accept(time.Minute, lease)
	held := call.hello.GetHello().GetHeld()
	if len(held) != 1 || held[0].GetJobId() != "j" || held[0].GetFence() != 7 || call.hello.Slots != nil ||
		call.hello.GetHello().GetWorkerId() != w.worker.ID() {
		t.Errorf("%v", call.hello)
	}
	close(goOn)
	if finish := call.finish(); finish.GetSucceeded() == nil {
		t.Errorf("%v", finish)
	}
}

func TestAWorkerThatHearsNothingForALeaseComesAgain(t *testing.T) {
	w := open(t, untilDone)
	first := w.accept(80 * time.Millisecond)
	// It speaks in the meantime.
	first.hear(func(r *slotdv1.WorkRequest) bool { return r.GetHello() == nil && r.Slots == nil })
	w.next()
}

func TestAWorkerThatWasReplacedStops(t *testing.T) {
	stopped := make(chan error, 1)
	w := open(t, func(ctx context.Context, _ *slotd.Task) (any, error) {
		<-ctx.Done()
		stopped <- context.Cause(ctx)
		return nil, nil
	})
	call := w.accept(time.Minute)
	call.assign("j", nil)
	call.end <- refusal(codes.Aborted, slotd.ReasonWorkerReplaced)
	var refused *slotd.Error
	if err := w.returned(); !errors.As(err, &refused) || refused.Reason != slotd.ReasonWorkerReplaced {
		t.Errorf("%v", err)
	}
	if cause := <-stopped; !errors.Is(cause, slotd.ErrLost) {
		t.Errorf("cause: %v", cause)
	}
}

func TestAWorkerThatIsRefusedStops(t *testing.T) {
	for _, code := range []codes.Code{codes.InvalidArgument, codes.Unimplemented, codes.PermissionDenied} {
		w := open(t, untilDone)
		w.next().end <- status.Error(code, "no")
		if err := w.returned(); status.Code(err) != code {
			t.Errorf("%v", err)
		}
	}
}

func TestAWorkerThatIsToStopGivesBackWhatRuns(t *testing.T) {
	started := make(chan struct{})
	w := open(t, func(ctx context.Context, task *slotd.Task) (any, error) {
		close(started)
		return untilDone(ctx, task)
	})
	call := w.accept(time.Minute)
	call.assign("j", nil)
	<-started
	w.stop()
	if finish := call.finish(); finish.GetReleased() == nil {
		t.Errorf("%v", finish)
	}
	call.leaves()
	if err := w.returned(); err != nil {
		t.Error(err)
	}
}

func TestShutdownLetsWhatRunsEnd(t *testing.T) {
	started, goOn := make(chan struct{}), make(chan struct{})
	w := open(t, func(context.Context, *slotd.Task) (any, error) {
		close(started)
		<-goOn
		return "done", nil
	})
	call := w.accept(time.Minute)
	call.assign("j", nil)
	<-started
	shut := make(chan struct{})
	go func() {
		w.worker.Shutdown(soon(t))
		close(shut)
	}()
	call.hear(func(r *slotdv1.WorkRequest) bool { return r.Slots != nil && r.GetSlots() == 0 })
	close(goOn)
	if finish := call.finish(); finish.GetSucceeded() == nil {
		t.Errorf("%v", finish)
	}
	call.leaves()
	<-shut
	if err := w.returned(); err != nil {
		t.Error(err)
	}
}

func TestAServersDrainMakesTheWorkerLeave(t *testing.T) {
	w := open(t, untilDone)
	call := w.accept(time.Minute)
	call.say(&slotdv1.WorkResponse{Drain: true})
	call.leaves()
	if err := w.returned(); err != nil {
		t.Error(err)
	}
}

func TestAWorkerRunsOnce(t *testing.T) {
	w := open(t, untilDone)
	w.accept(time.Minute)
	if err := w.worker.Run(soon(t)); err == nil {
		t.Error("it runs again")
	}
}

// returning is a handler that returns these.
func returning(result any, err error) slotd.Handler {
	return func(context.Context, *slotd.Task) (any, error) { return result, err }
}

// untilDone is a handler that returns when it should stop.
func untilDone(ctx context.Context, _ *slotd.Task) (any, error) {
	<-ctx.Done()
	return nil, context.Cause(ctx)
}
