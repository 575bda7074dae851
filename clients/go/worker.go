package slotd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	slotdv1 "github.com/slotd/slotd/clients/go/slotd/v1"
)

const (
	// How long one who leaves waits for the server to keep what it was told, and then for the end of the call.
	settleTime = 5 * time.Second
	mostSlots  = 10_000
)

var workerBackoff = Backoff{Initial: 100 * time.Millisecond, Max: 2 * time.Second, Multiplier: 2, Jitter: 0.5}

// errLeft ends the call of a worker that has nothing more to say, and of one that nobody drives any more.
var errLeft = errors.New("slotd: the worker has left")

// WorkerConfig says how a [Worker] works; all of it may be left out.
type WorkerConfig struct {
	// Addresses are of services on the same store, which are tried in turn; without any, SLOTD_ADDRESS or DefaultAddress.
	Addresses []string
	// Slots is how many jobs may run at once; 0 means four for each CPU.
	Slots int
	// Name is for people to read; the machine's name where it is empty.
	Name string
	// DrainTimeout is how long jobs may run on when the worker is to stop; 0 means 30 s, less than 0 not at all.
	DrainTimeout time.Duration
	// Logger is told of connections and of handlers that panic; slog.Default() where it is nil.
	Logger *slog.Logger
	// Options are those of the client that connects.
	Options []Option
}

// HandlerOptions are what jobs of a kind get where they don't say; what is zero is left to the queue, then to the service.
type HandlerOptions struct {
	Queue        string
	Priority     *int32
	Timeout      time.Duration
	QueueTimeout time.Duration
	Retention    time.Duration
	Retry        *slotdv1.RetryPolicy
}

// Worker runs handlers for slotd services, in this process: it takes jobs of their kinds while it has slots free.
//
// It keeps its jobs over a cut of the connection, a restart of the service, and a failover to another one on the same
// store; it connects again for ever. The functions of jobs that it has lost meanwhile are told to stop.
type Worker struct {
	config   WorkerConfig
	id       string
	handlers map[string]Handler
	kinds    []*slotdv1.WorkerKind

	ready chan struct{}
	// Told when there may be something to send, and when a step towards the end may be done.
	wake, moved chan struct{}
	// Closed by Shutdown, whose context says how long handlers may run on; when a server has asked the worker to leave;
	// when it has nothing more to say; and when Run is over.
	stop, asked, quiet, left chan struct{}
	stopOnce, askOnce        sync.Once
	drained                  context.Context

	// One goroutine at a time is in the session.
	mu        sync.Mutex
	started   bool
	session   *session
	functions context.Context
	client    *Client
}

// NewWorker makes a worker. Give it handlers, then Run it, once.
func NewWorker(config WorkerConfig) *Worker {
	if len(config.Addresses) == 0 {
		config.Addresses = []string{""}
	}
	config.Slots = min(max(1, cmp.Or(config.Slots, 4*runtime.GOMAXPROCS(0))), mostSlots)
	config.DrainTimeout = cmp.Or(config.DrainTimeout, 30*time.Second)
	if config.Name == "" {
		config.Name, _ = os.Hostname()
	}
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	return &Worker{
		config:   config,
		id:       uuid.NewString(),
		handlers: map[string]Handler{},
		ready:    make(chan struct{}),
		wake:     make(chan struct{}, 1),
		moved:    make(chan struct{}, 1),
		stop:     make(chan struct{}),
		asked:    make(chan struct{}),
		quiet:    make(chan struct{}),
		left:     make(chan struct{}),
	}
}

// ID is who the worker is, in WorkerService.ListWorkers and in Attempt.worker; new for each Worker.
func (w *Worker) ID() string { return w.id }

// Ready is closed once a service has welcomed the worker for the first time.
func (w *Worker) Ready() <-chan struct{} { return w.ready }

// Handle registers the handler of a kind, before Run; options may be nil. It panics where the kind has one.
func (w *Worker) Handle(kind string, handler Handler, options *HandlerOptions) {
	if handler == nil {
		panic("slotd: the handler of " + kind + " is nil")
	}
	if _, is := w.handlers[kind]; is {
		panic("slotd: " + kind + " has a handler already")
	}
	if options == nil {
		options = &HandlerOptions{}
	}
	w.handlers[kind] = handler
	w.kinds = append(w.kinds, &slotdv1.WorkerKind{
		Kind:  kind,
		Queue: options.Queue,
		Defaults: &slotdv1.QueueDefaults{
			Priority:     options.Priority,
			Timeout:      given(options.Timeout),
			Retry:        options.Retry,
			QueueTimeout: given(options.QueueTimeout),
			Retention:    given(options.Retention),
		},
	})
}

// given is a duration for the wire; none where it is zero.
func given(duration time.Duration) *durationpb.Duration {
	if duration == 0 {
		return nil
	}
	return durationpb.New(duration)
}

// Run works until ctx is done, Shutdown is called, or the service has asked the worker to leave. Then it takes nothing
// more, lets what runs end within DrainTimeout, gives the rest back, and returns nil, or an error where the service has
// not confirmed all that: it gives back what is missing once the lease is over. Handlers are not told when ctx is done,
// but when their time is over; those that do not return then run on.
//
// It fails with an [*Error] where another process has taken the worker's identity (code Aborted) and where the service
// refuses what the worker says of itself (InvalidArgument or, before the first welcome, Unimplemented, Unauthenticated
// or PermissionDenied). Its handlers are then told to stop.
func (w *Worker) Run(ctx context.Context) error {
	connections, hangUp := context.WithCancelCause(context.WithoutCancel(ctx))
	if err := w.begin(connections); err != nil {
		hangUp(nil)
		return err
	}
	defer close(w.left)
	gone := make(chan error, 1)
	go func() { gone <- w.connect(connections) }()

	select {
	case err := <-gone:
		hangUp(nil)
		w.abandon(ErrLost)
		return err
	case <-w.stop:
		return w.leave(w.drained, gone, hangUp)
	case <-w.asked:
	case <-ctx.Done():
	}
	drained, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.config.DrainTimeout)
	defer cancel()
	return w.leave(drained, gone, hangUp)
}

// Shutdown makes Run take nothing more, let what runs end until ctx is done, give the rest back, and return. It returns
// when Run does, or has been called before.
func (w *Worker) Shutdown(ctx context.Context) {
	w.stopOnce.Do(func() {
		w.drained = ctx
		close(w.stop)
	})
	w.mu.Lock()
	started := w.started
	w.mu.Unlock()
	if started {
		<-w.left
	}
}

// begin makes the session.
func (w *Worker) begin(functions context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.started:
		return errors.New("slotd: a worker runs once: make a new one")
	case len(w.handlers) == 0:
		return errors.New("slotd: the worker has no handlers")
	}
	w.started = true
	w.functions = context.WithoutCancel(functions)
	w.session = newSession(&slotdv1.Hello{
		WorkerId: w.id,
		Name:     w.config.Name,
		Kinds:    w.kinds,
		Client:   "slotd-go/" + Version,
	}, w.config.Slots, w.start)
	return nil
}

// leave winds up, step by step; gone is told when the last connection is over.
func (w *Worker) leave(drained context.Context, gone <-chan error, hangUp context.CancelCauseFunc) error {
	w.enter(func(s *session) { s.drain() })
	failed := w.await(drained, gone)
	w.enter(func(s *session) { s.release() })
	limit, cancel := context.WithTimeout(context.Background(), settleTime)
	defer cancel()
	if failed == nil {
		failed = w.await(limit, gone)
	}
	close(w.quiet)
	end := time.AfterFunc(settleTime, func() { hangUp(errLeft) })
	defer end.Stop()
	if !w.connected() {
		hangUp(errLeft)
	}
	if failed == nil {
		failed = <-gone
	}
	hangUp(errLeft)
	w.abandon(ErrReleased)
	if held := w.held(); failed == nil && held > 0 {
		return fmt.Errorf("slotd: the worker has left, but the service has not confirmed %d of its jobs", held)
	}
	return failed
}

// await returns when the session holds nothing any more or the context is done; or, with the error, when the worker can't
// connect any more.
func (w *Worker) await(ctx context.Context, gone <-chan error) error {
	for w.held() > 0 {
		select {
		case <-w.moved:
		case <-ctx.Done():
			return nil
		case err := <-gone:
			return err
		}
	}
	return nil
}

// held is how many attempts the worker answers for.
func (w *Worker) held() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.session.attempts)
}

func (w *Worker) connected() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.client != nil
}

func (w *Worker) abandon(cause error) {
	w.enter(func(s *session) { s.abandon(cause) })
}

// enter does something in the session, and wakes who may have to act upon it.
func (w *Worker) enter(do func(*session)) {
	w.mu.Lock()
	do(w.session)
	w.mu.Unlock()
	for _, signal := range []chan struct{}{w.wake, w.moved} {
		select {
		case signal <- struct{}{}:
		default:
		}
	}
}

// start calls the handler of an assignment. It is called in the session.
func (w *Worker) start(a *attempt, assignment *slotdv1.Assignment, limits *slotdv1.Welcome) {
	ctx, cancel := context.WithCancelCause(w.functions)
	release := func() {}
	if left := assignment.GetTimeLeft(); left != nil {
		ctx, release = context.WithTimeout(ctx, left.AsDuration())
	}
	task := &Task{
		Job:        assignment.GetJob(),
		ctx:        ctx,
		log:        w.config.Logger,
		results:    w.results,
		announce:   func() { w.enter(func(s *session) { s.told(a) }) },
		room:       make(chan struct{}),
		outputLeft: limits.GetMaxOutputBytes() + 1,
	}
	a.task, a.cancel = task, cancel
	go func() {
		finish := failed("HANDLER_ERROR", "the handler has ended its goroutine", false)
		defer func() {
			w.enter(func(s *session) { s.finished(a, finish) })
			release()
			cancel(nil)
		}()
		finish = task.call(w.handlers[task.Job.GetSpec().GetKind()], limits.GetMaxResultBytes())
	}()
}

// results reads what the jobs returned that a job depends on, over whatever connection there is.
func (w *Worker) results(ctx context.Context, jobID string) (map[string]*slotdv1.Payload, error) {
	for failures := 1; ; failures++ {
		found, err := w.readResults(ctx, jobID)
		if err == nil || !passing(ctx, err) {
			return found, err
		}
		timer := time.NewTimer(workerBackoff.delay(failures, rand.Float64()))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, contextError(ctx, err)
		}
	}
}

var errNotConnected = errors.New("slotd: the worker is not connected")

func (w *Worker) readResults(ctx context.Context, jobID string) (map[string]*slotdv1.Payload, error) {
	w.mu.Lock()
	client := w.client
	w.mu.Unlock()
	if client == nil {
		return nil, errNotConnected
	}
	ctx, cancel := context.WithTimeout(ctx, DefaultTimeout)
	defer cancel()
	call, err := client.Workers().ReadResults(ctx, &slotdv1.ReadResultsRequest{JobId: jobID})
	if err != nil {
		return nil, err
	}
	found := map[string]*slotdv1.Payload{}
	for {
		one, err := call.Recv()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		found[one.GetName()] = one.GetResult()
	}
}

// passing says whether an error is one that the next connection may not meet; Canceled is what calls get whose connection
// is closed.
func passing(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	var refused *Error
	if !errors.As(err, &refused) {
		return errors.Is(err, errNotConnected)
	}
	return slices.Contains([]codes.Code{codes.Unavailable, codes.DeadlineExceeded, codes.Canceled}, refused.Code)
}
