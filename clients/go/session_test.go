package slotd

import (
	"bytes"
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	slotdv1 "github.com/slotd/slotd/clients/go/slotd/v1"
)

// rig is a session whose handlers end when the test says so.
type rig struct {
	*session
	started map[string]*attempt
}

func newRig(slots int) *rig {
	r := &rig{started: map[string]*attempt{}}
	r.session = newSession(&slotdv1.Hello{WorkerId: "w"}, slots, r.run)
	return r
}

func (r *rig) run(a *attempt, assignment *slotdv1.Assignment, limits *slotdv1.Welcome) {
	ctx, cancel := context.WithCancelCause(context.Background())
	a.cancel = cancel
	a.task = &Task{
		Job:        assignment.GetJob(),
		ctx:        ctx,
		announce:   func() { r.told(a) },
		room:       make(chan struct{}),
		outputLeft: limits.GetMaxOutputBytes() + 1,
	}
	r.started[assignment.GetJob().GetId()] = a
}

// connect says hello and is welcomed, with what it still holds.
func (r *rig) connect(held ...*slotdv1.Lease) *slotdv1.WorkRequest {
	hello := r.hello()
	r.receive(&slotdv1.WorkResponse{Welcome: &slotdv1.Welcome{Held: held, MaxOutputBytes: 16 << 20}})
	return hello
}

// assign gives the worker jobs, and returns their leases.
func (r *rig) assign(jobs ...string) (leases []*slotdv1.Lease) {
	message := &slotdv1.WorkResponse{}
	for _, job := range jobs {
		lease := &slotdv1.Lease{JobId: job, Fence: 1}
		leases = append(leases, lease)
		message.Assignments = append(message.Assignments,
			&slotdv1.Assignment{Lease: lease, Job: &slotdv1.Job{Id: job, OutputSize: 100}})
	}
	r.receive(message)
	return leases
}

func (r *rig) returned(job string) { r.finished(r.started[job], &slotdv1.Finish{}) }

func (r *rig) cause(job string) error { return context.Cause(r.started[job].task.ctx) }

func (r *rig) write(job, output string) { _, _ = r.started[job].task.Write([]byte(output)) }

// slotsOf is what a request says of slots; -1 for nothing.
func slotsOf(request *slotdv1.WorkRequest) int {
	if request == nil || request.Slots == nil {
		return -1
	}
	return int(request.GetSlots())
}

func TestAWorkerThatHoldsNothingOffersItsSlotsWithTheHello(t *testing.T) {
	r := newRig(3)
	if hello := r.connect(); slotsOf(hello) != 3 || hello.GetHello().GetHeld() != nil {
		t.Errorf("%v", hello)
	}
	if more := r.next(); more != nil {
		t.Errorf("and then %v", more)
	}
}

func TestNothingIsSaidBeforeTheWelcome(t *testing.T) {
	r := newRig(1)
	r.connect()
	r.assign("a")
	r.write("a", "x")
	r.hello()
	if request := r.next(); request != nil {
		t.Errorf("%v", request)
	}
}

func TestAnAttemptHasOneReportOnItsWayAtATime(t *testing.T) {
	r := newRig(1)
	r.connect()
	lease := r.assign("a")[0]
	r.write("a", "one")
	r.started["a"].task.Progress(1, 3, "")
	first := r.next().GetReports()
	if len(first) != 1 || string(first[0].GetOutput()) != "one" || first[0].GetOutputOffset() != 100 ||
		first[0].GetProgress().GetDone() != 1 {
		t.Fatalf("%v", first)
	}
	r.write("a", "two")
	r.started["a"].task.Progress(2, 3, "")
	r.started["a"].task.Progress(3, 3, "")
	if early := r.next(); early != nil {
		t.Fatalf("before the first is taken: %v", early)
	}
	r.receive(&slotdv1.WorkResponse{Taken: []*slotdv1.Lease{lease}})
	second := r.next().GetReports()
	if len(second) != 1 || string(second[0].GetOutput()) != "two" || second[0].GetOutputOffset() != 103 ||
		second[0].GetProgress().GetDone() != 3 {
		t.Errorf("%v", second)
	}
}

func TestAFinishTakesAlongWhatWasNotReported(t *testing.T) {
	r := newRig(1)
	r.connect()
	r.assign("a")
	r.write("a", "one")
	r.next()
	r.write("a", "two")
	r.started["a"].task.Progress(1, 1, "done")
	r.returned("a")
	finishes := r.next().GetFinishes()
	if len(finishes) != 1 || string(finishes[0].GetOutput()) != "two" || finishes[0].GetOutputOffset() != 103 ||
		finishes[0].GetProgress().GetMessage() != "done" || finishes[0].GetLease().GetJobId() != "a" {
		t.Errorf("%v", finishes)
	}
}

func TestOutputThatAFinishCanNotCarryGoesBeforeIt(t *testing.T) {
	r := newRig(1)
	r.connect()
	lease := r.assign("a")[0]
	wanted := bytes.Repeat([]byte("0123456789"), 250_000)
	r.write("a", string(wanted))
	r.returned("a")
	var got []byte
	for range 2 {
		request := r.next()
		if len(request.GetReports()) != 1 || request.GetFinishes() != nil {
			t.Fatalf("%d reports, %d finishes", len(request.GetReports()), len(request.GetFinishes()))
		}
		got = append(got, request.GetReports()[0].GetOutput()...)
		r.receive(&slotdv1.WorkResponse{Taken: []*slotdv1.Lease{lease}})
	}
	finish := r.next().GetFinishes()[0]
	if got = append(got, finish.GetOutput()...); !bytes.Equal(got, wanted) {
		t.Errorf("%d bytes instead of %d", len(got), len(wanted))
	}
}

func TestNoRequestHasMoreThanServersTakeWhateverItIsMadeOf(t *testing.T) {
	r := newRig(6000)
	r.connect()
	var jobs []string
	for i := range 6000 {
		jobs = append(jobs, strconv.Itoa(i))
	}
	r.assign(jobs...)
	for i, job := range jobs {
		if i%2 == 0 {
			r.finished(r.started[job], failed("HANDLER_ERROR", strings.Repeat("x", failureLength), false))
		} else {
			r.started[job].task.Progress(1, 2, strings.Repeat("😀", progressLength))
		}
	}
	total, largest := 0, 0
	for request := r.next(); request != nil; request = r.next() {
		total += proto.Size(request)
		largest = max(largest, proto.Size(request))
	}
	if total < 20<<20 || largest > 5<<20 {
		t.Errorf("%d bytes in all, %d in one request", total, largest)
	}
}

func TestAfterACutReportsAndFinishesAreSaidAgainUntilTheyAreConfirmed(t *testing.T) {
	r := newRig(2)
	r.connect()
	leases := r.assign("runs", "done")
	r.write("runs", "x")
	r.next()
	r.returned("done")
	r.next()
	for range 2 {
		if hello := r.connect(leases...); len(hello.GetHello().GetHeld()) != 2 || slotsOf(hello) != -1 {
			t.Fatalf("%v", hello)
		}
		again := r.next()
		if slotsOf(again) != 2 || len(again.GetReports()) != 1 || len(again.GetFinishes()) != 1 {
			t.Fatalf("%v", again)
		}
		if report := again.GetReports()[0]; string(report.GetOutput()) != "x" || report.GetOutputOffset() != 100 {
			t.Errorf("%v", report)
		}
	}
	r.receive(&slotdv1.WorkResponse{Taken: leases[:1], Settled: leases[1:]})
	hello := r.connect(leases[0])
	if held := hello.GetHello().GetHeld(); len(held) != 1 || held[0].GetJobId() != "runs" {
		t.Errorf("holds %v", held)
	}
	if more := r.next(); more.GetReports() != nil || more.GetFinishes() != nil {
		t.Errorf("and says %v", more)
	}
}

func TestWhatTheWelcomeDoesNotNameIsLostAndKeepsItsSlotUntilItReturns(t *testing.T) {
	r := newRig(3)
	r.connect()
	leases := r.assign("kept", "lost", "done")
	r.returned("done")
	r.connect(leases[0])
	if r.cause("lost") != ErrLost || r.cause("kept") != nil {
		t.Errorf("causes: %v, %v", r.cause("lost"), r.cause("kept"))
	}
	if request := r.next(); slotsOf(request) != 2 || request.GetFinishes() != nil {
		t.Errorf("%v", request)
	}
	r.write("lost", "unheard")
	if kept := r.started["lost"].task.output; kept != nil {
		t.Errorf("%q is kept for nobody", kept)
	}
	r.returned("lost")
	if request := r.next(); slotsOf(request) != 3 || request.GetReports() != nil || request.GetFinishes() != nil {
		t.Errorf("%v", request)
	}
}

func TestAStopTellsTheHandlerWhy(t *testing.T) {
	r := newRig(3)
	r.connect()
	leases := r.assign("a", "b", "c")
	reasons := []slotdv1.StopReason{
		slotdv1.StopReason_STOP_REASON_CANCELLED, slotdv1.StopReason_STOP_REASON_ENDED, slotdv1.StopReason_STOP_REASON_LOST,
	}
	for i, lease := range leases {
		r.receive(&slotdv1.WorkResponse{Stops: []*slotdv1.Stop{{Lease: lease, Reason: reasons[i]}}})
	}
	if got := []error{r.cause("a"), r.cause("b"), r.cause("c")}; !slices.Equal(got, []error{ErrCancelled, ErrAttemptOver, ErrLost}) {
		t.Errorf("%v", got)
	}
	for _, job := range []string{"a", "b", "c"} {
		r.returned(job)
	}
	if finishes := r.next().GetFinishes(); len(finishes) != 2 {
		t.Errorf("%v", finishes)
	}
}

func TestAJobForWhichThereIsNoSlotIsGivenBack(t *testing.T) {
	r := newRig(1)
	r.connect()
	r.assign("a", "b")
	if finishes := r.next().GetFinishes(); len(finishes) != 1 || finishes[0].GetReleased() == nil || r.started["b"] != nil {
		t.Errorf("%v", finishes)
	}
}

func TestADrainOffersNoSlotsAndReleaseGivesBackWhatRuns(t *testing.T) {
	r := newRig(2)
	r.connect()
	leases := r.assign("a")
	r.drain()
	if request := r.next(); slotsOf(request) != 0 {
		t.Errorf("%v", request)
	}
	r.write("a", "last")
	r.release()
	finishes := r.next().GetFinishes()
	if len(finishes) != 1 || finishes[0].GetReleased() == nil || string(finishes[0].GetOutput()) != "last" {
		t.Errorf("%v", finishes)
	}
	if r.cause("a") != ErrReleased {
		t.Errorf("cause: %v", r.cause("a"))
	}
	r.receive(&slotdv1.WorkResponse{Settled: leases})
	r.returned("a")
	if request := r.next(); request != nil || len(r.attempts) != 0 {
		t.Errorf("%v, holds %d", request, len(r.attempts))
	}
}

func TestOutputIsCutOneByteBeyondWhatIsKept(t *testing.T) {
	r := newRig(1)
	r.hello()
	r.receive(&slotdv1.WorkResponse{Welcome: &slotdv1.Welcome{MaxOutputBytes: 5}})
	r.assign("a")
	for range 3 {
		r.write("a", "abcd")
	}
	if report := r.next().GetReports()[0]; string(report.GetOutput()) != "abcdab" {
		t.Errorf("%q", report.GetOutput())
	}
}

// noticed is a context that tells who waits for its end.
type noticed struct {
	context.Context
	waits chan struct{}
}

func (c noticed) Done() <-chan struct{} {
	select {
	case c.waits <- struct{}{}:
	default:
	}
	return c.Context.Done()
}

func TestWriteWaitsWhileMuchHasNotBeenTaken(t *testing.T) {
	r := newRig(1)
	r.connect()
	lease := r.assign("a")[0]
	big := string(make([]byte, outputWaiting))
	r.write("a", big)
	r.next()
	r.write("a", big)
	if early := r.next(); early != nil || len(r.started["a"].task.output) != outputWaiting {
		t.Fatal("it was taken before the last report was")
	}
	written := make(chan struct{})
	task := r.started["a"].task
	task.announce = func() {}
	waits := make(chan struct{}, 1)
	task.ctx = noticed{task.ctx, waits}
	go func() {
		_, _ = task.Write([]byte("more"))
		close(written)
	}()
	select {
	case <-written:
		t.Fatal("it did not wait")
	case <-waits:
	}
	r.receive(&slotdv1.WorkResponse{Taken: []*slotdv1.Lease{lease}})
	r.next()
	<-written
	_, _ = task.Write([]byte(big))
	r.started["a"].cancel(ErrCancelled)
	// It would wait for ever.
	_, _ = task.Write([]byte("more"))
}
