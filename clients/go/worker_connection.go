package slotd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	slotdv1 "github.com/slotd/slotd/clients/go/slotd/v1"
)

// A heartbeat is sent at least so often.
const longestSilence = 4 * time.Second

var (
	errSilent = errors.New("nothing was heard for a whole lease")
	errEnded  = errors.New("the service has ended the call")
)

// connect keeps the worker connected, to each address in turn. It returns nil once the worker has left, and an error that
// trying again won't cure.
func (w *Worker) connect(ctx context.Context) error {
	failures := 0
	for turn := 0; ; turn++ {
		address := w.config.Addresses[turn%len(w.config.Addresses)]
		welcomed, err := w.connection(ctx, address)
		if err == nil || context.Cause(ctx) == errLeft {
			return nil
		}
		if w.fatal(err) {
			return err
		}
		if welcomed {
			failures = 0
		}
		failures++
		level := slog.LevelDebug
		if failures == 1 {
			level = slog.LevelWarn
		}
		w.config.Logger.Log(ctx, level, "slotd: no connection, trying again", "address", address, "error", err)
		if !w.pause(ctx, workerBackoff.delay(failures, rand.Float64())) {
			return nil
		}
	}
}

// pause waits before the next try; false where there shall be none.
func (w *Worker) pause(ctx context.Context, delay time.Duration) bool {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-w.quiet:
		return false
	case <-ctx.Done():
		return false
	}
}

func (w *Worker) fatal(err error) bool {
	var refused *Error
	if !errors.As(err, &refused) {
		return false
	}
	switch refused.Code {
	case codes.Aborted:
		return refused.Reason == ReasonWorkerReplaced
	case codes.InvalidArgument:
		return true
	case codes.Unimplemented, codes.Unauthenticated, codes.PermissionDenied:
		// Somebody has to put something right; later it may be one server of many.
		select {
		case <-w.ready:
			return false
		default:
			return true
		}
	default:
		return false
	}
}

// connection is one call of Work, from its begin to its end, on a connection of its own: a new one does not begin in the
// backoff of the last. It returns nil where the worker has left.
func (w *Worker) connection(ctx context.Context, address string) (welcomed bool, err error) {
	client, err := NewClient(address, w.config.Options...)
	if err != nil {
		return false, err
	}
	defer client.Close()
	ctx, breakOff := context.WithCancelCause(ctx)
	defer breakOff(nil)
	watchdog := time.AfterFunc(firstLease, func() { breakOff(errSilent) })
	defer watchdog.Stop()
	call, err := client.Workers().Work(ctx)
	if err != nil {
		return false, err
	}
	var hello *slotdv1.WorkRequest
	w.enter(func(s *session) { hello = s.hello() })
	if err := call.Send(hello); err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	first, err := call.Recv()
	if err != nil {
		return false, ended(ctx, err)
	}
	lease := first.GetWelcome().GetLease().AsDuration()
	if lease <= 0 {
		return false, fmt.Errorf("slotd: %s has sent no welcome", address)
	}
	w.config.Logger.Info("slotd: connected", "address", address, "worker", w.id)
	w.setClient(client)
	defer w.setClient(nil)
	w.enter(func(s *session) { s.receive(first) })
	w.markReady()

	over := make(chan error, 1)
	listening := make(chan struct{})
	go func() {
		defer close(listening)
		over <- w.listen(call, watchdog, lease)
	}()
	err = ended(ctx, w.talk(call, min(lease/4, longestSilence), over))
	breakOff(nil)
	// What this call still brings must not reach the session after the next hello.
	<-listening
	return true, err
}

// ended is why a call is over.
func ended(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

func (w *Worker) setClient(client *Client) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.client = client
}

func (w *Worker) markReady() {
	select {
	case <-w.ready:
	default:
		close(w.ready)
	}
}

// listen takes in what the server says, until the end of the call.
func (w *Worker) listen(call workCall, watchdog *time.Timer, lease time.Duration) error {
	for {
		watchdog.Reset(lease)
		message, err := call.Recv()
		if err != nil {
			return err
		}
		w.enter(func(s *session) {
			s.receive(message)
			if s.askedToLeave {
				w.askOnce.Do(func() { close(w.asked) })
			}
		})
	}
}

// workCall is one call of WorkerService.Work.
type workCall = grpc.BidiStreamingClient[slotdv1.WorkRequest, slotdv1.WorkResponse]

// talk says what there is to say, and something at least each `silence`, until the call is over. It returns nil where that
// is because the worker has said that it leaves.
func (w *Worker) talk(call workCall, silence time.Duration, over <-chan error) error {
	heartbeat := time.NewTicker(silence)
	defer heartbeat.Stop()
	for {
		request := w.next()
		if request == nil {
			select {
			case <-w.wake:
				// A message costs the server as much as all that is in it: let functions that are about to return, too,
				// come along.
				runtime.Gosched()
				continue
			case <-heartbeat.C:
				request = &slotdv1.WorkRequest{}
			case err := <-over:
				return cmp.Or(ignoreEOF(err), errEnded)
			case <-w.quiet:
				request = &slotdv1.WorkRequest{Leave: true}
			}
		}
		heartbeat.Reset(silence)
		if err := call.Send(request); err != nil {
			// What it was, Recv tells.
			return cmp.Or(ignoreEOF(<-over), errEnded)
		}
		if request.GetLeave() {
			// The server ends the call.
			_ = call.CloseSend()
			return ignoreEOF(<-over)
		}
	}
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func (w *Worker) next() (request *slotdv1.WorkRequest) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.session.next()
}
