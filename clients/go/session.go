package slotd

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	slotdv1 "github.com/slotd/slotd/clients/go/slotd/v1"
)

const (
	// What a server has for its welcome, which says how long the lease really is.
	firstLease = 15 * time.Second
	// The most output in one Report or Finish.
	pieceBytes = 1 << 20
	// No attempt adds to a request that has as much. What one adds is a piece of output and a result at most, so that all
	// stay within the 20 MiB that servers take: their results have 12 MiB at most.
	requestBytes = 4 << 20
)

// leaseKey is a slotdv1.Lease to look up by.
type leaseKey struct {
	job   string
	fence int64
}

func keyOf(lease *slotdv1.Lease) leaseKey {
	return leaseKey{lease.GetJobId(), lease.GetFence()}
}

// session is the protocol of WorkerService.Work as a worker speaks it: a state machine without goroutines, clock, input
// or output. Whoever drives it says what has happened, asks what there is to send, and lets one goroutine in at a time.
type session struct {
	identity *slotdv1.Hello
	slots    int
	// Calls the handler of an assignment, and gives the attempt its task and its cancel. Later, when the handler has
	// returned, finished is called, once.
	start func(a *attempt, assignment *slotdv1.Assignment, limits *slotdv1.Welcome)

	// What the worker answers for: their handler runs, or the server does not know how they ended.
	attempts map[leaseKey]*attempt
	// Those that may have something to say, in the order in which they began to.
	speakers []*attempt
	// Handlers that have not returned, and those of them whose attempt is not the worker's any more.
	running, lost int

	welcomed bool
	limits   *slotdv1.Welcome
	// How many slots the server knows of on this connection; -1 for none said.
	offered  int
	draining bool
	// A server has asked the worker to leave.
	askedToLeave bool
}

// attempt is one that the worker holds, or one that it has lost and whose handler still runs.
type attempt struct {
	lease  *slotdv1.Lease
	task   *Task
	cancel context.CancelCauseFunc

	running, lost, speaking bool
	// What was taken of the task and is in no message yet, and where in the job's output that begins, so that what is
	// said twice is kept once.
	progress *slotdv1.Progress
	output   []byte
	offset   int64
	// The Report that has not come back as taken. It is due until it is sent, and again after a cut.
	report    *slotdv1.Report
	reportDue bool
	// Likewise, until it comes back as settled.
	finish    *slotdv1.Finish
	finishDue bool
}

func newSession(
	identity *slotdv1.Hello, slots int,
	start func(*attempt, *slotdv1.Assignment, *slotdv1.Welcome),
) *session {
	return &session{identity: identity, slots: slots, start: start, attempts: map[leaseKey]*attempt{}}
}

// hello begins a connection: who the worker is, and what it runs.
func (s *session) hello() *slotdv1.WorkRequest {
	s.welcomed, s.offered = false, -1
	hello := clone(s.identity)
	for _, a := range s.attempts {
		hello.Held = append(hello.Held, a.lease)
	}
	request := &slotdv1.WorkRequest{Hello: hello}
	if len(s.attempts) == 0 {
		// Else the server would give new jobs the slots of those that it does not know as ours any more.
		s.offer(request)
	}
	return request
}

// receive takes in what the server has said.
func (s *session) receive(message *slotdv1.WorkResponse) {
	if welcome := message.GetWelcome(); welcome != nil {
		s.welcome(welcome)
	}
	// A stop may come along with the assignment that it is for.
	for _, assignment := range message.GetAssignments() {
		s.assigned(assignment)
	}
	for _, stop := range message.GetStops() {
		s.stopped(stop)
	}
	for _, lease := range message.GetTaken() {
		if a := s.attempts[keyOf(lease)]; a != nil && !a.reportDue {
			a.report = nil
			s.speaks(a)
		}
	}
	for _, lease := range message.GetSettled() {
		if a := s.attempts[keyOf(lease)]; a != nil && a.finish != nil {
			delete(s.attempts, keyOf(lease))
		}
	}
	s.askedToLeave = s.askedToLeave || message.GetDrain()
}

// told says that a task has something to take.
func (s *session) told(a *attempt) {
	if !a.lost && a.finish == nil {
		s.speaks(a)
	}
}

// finished says that a handler has returned, and how that ended the attempt.
func (s *session) finished(a *attempt, finish *slotdv1.Finish) {
	s.running--
	a.running = false
	switch {
	case a.lost:
		s.lost--
	case a.finish == nil:
		s.finish(a, finish)
	}
}

// drain takes nothing more.
func (s *session) drain() { s.draining = true }

// release gives back what has not ended by now.
func (s *session) release() {
	for _, a := range s.attempts {
		if a.finish == nil {
			s.finish(a, released())
			a.cancel(ErrReleased)
		}
	}
}

// abandon tells all handlers to stop: nobody drives the session any more.
func (s *session) abandon(cause error) {
	for _, a := range s.attempts {
		if a.running {
			a.cancel(cause)
		}
	}
}

// next is what there is to send, all in one; nil for nothing.
func (s *session) next() *slotdv1.WorkRequest {
	if !s.welcomed {
		return nil
	}
	request := &slotdv1.WorkRequest{}
	s.offer(request)
	s.speak(request)
	if request.Slots == nil && request.Reports == nil && request.Finishes == nil {
		return nil
	}
	return request
}

// offer says how many jobs the worker may hold, unless the server knows.
func (s *session) offer(request *slotdv1.WorkRequest) {
	slots := 0
	if !s.draining {
		slots = max(0, s.slots-s.lost)
	}
	if slots != s.offered {
		s.offered = slots
		request.Slots = proto.Int32(int32(slots))
	}
}

// speak adds what attempts have to say.
func (s *session) speak(request *slotdv1.WorkRequest) {
	speakers := s.speakers
	s.speakers = nil
	size := 0
	for i, a := range speakers {
		if size >= requestBytes {
			s.speakers = append(s.speakers, speakers[i:]...)
			return
		}
		a.speaking = false
		if s.attempts[keyOf(a.lease)] != a {
			continue
		}
		size += a.speak(request)
		if a.canFinish() {
			// In the next request, so that nobody reads it before the report.
			s.speaks(a)
		}
	}
}

// speaks lines an attempt up to say something.
func (s *session) speaks(a *attempt) {
	if !a.speaking {
		a.speaking = true
		s.speakers = append(s.speakers, a)
	}
}

func (s *session) welcome(welcome *slotdv1.Welcome) {
	s.welcomed, s.limits = true, welcome
	kept := map[leaseKey]bool{}
	for _, lease := range welcome.GetHeld() {
		kept[keyOf(lease)] = true
	}
	for key, a := range s.attempts {
		if !kept[key] {
			s.lose(a)
			continue
		}
		// After a cut nobody knows what has arrived.
		a.reportDue, a.finishDue = a.report != nil, a.finish != nil
		s.speaks(a)
	}
}

func (s *session) assigned(assignment *slotdv1.Assignment) {
	a := &attempt{lease: assignment.GetLease(), offset: assignment.GetJob().GetOutputSize()}
	s.attempts[keyOf(a.lease)] = a
	if s.draining || s.running >= s.slots {
		// It was sent before the server knew better: there is no slot for it any more.
		s.finish(a, released())
		return
	}
	s.running++
	a.running = true
	s.start(a, assignment, s.limits)
}

func (s *session) stopped(stop *slotdv1.Stop) {
	a := s.attempts[keyOf(stop.GetLease())]
	switch {
	case a == nil:
	case stop.GetReason() == slotdv1.StopReason_STOP_REASON_LOST:
		s.lose(a)
	case !a.running:
	case stop.GetReason() == slotdv1.StopReason_STOP_REASON_ENDED:
		a.cancel(ErrAttemptOver)
	default:
		a.cancel(ErrCancelled)
	}
}

// lose forgets an attempt: nothing that is said of it counts any more. While its handler runs it takes up a slot.
func (s *session) lose(a *attempt) {
	delete(s.attempts, keyOf(a.lease))
	if a.running {
		a.lost = true
		s.lost++
		a.task.end()
		a.cancel(ErrLost)
	}
}

func (s *session) finish(a *attempt, finish *slotdv1.Finish) {
	if a.task != nil {
		a.keep()
		a.task.end()
	}
	finish.Lease = a.lease
	a.finish, a.finishDue = finish, true
	s.speaks(a)
}

// keep puts what the task has told with what was taken before; of progress the newest wins.
func (a *attempt) keep() {
	progress, output := a.task.take()
	if progress != nil {
		a.progress = progress
	}
	a.output = append(a.output, output...)
}

// canFinish says whether the Finish can go, and take along all that is left to say.
func (a *attempt) canFinish() bool { return a.finishDue && len(a.output) <= pieceBytes }

// speak adds what there is to say now, and returns how many bytes that is, all told: where thousands fail at once, their
// error messages alone are more than servers take.
func (a *attempt) speak(request *slotdv1.WorkRequest) int {
	if a.report == nil && a.finish == nil {
		// Not before the last report is taken: until then the task keeps it, and its handler waits where it is much.
		a.keep()
	}
	if a.report == nil && !a.canFinish() && (a.progress != nil || len(a.output) > 0) {
		a.report = &slotdv1.Report{Lease: a.lease}
		a.report.Progress, a.report.Output, a.report.OutputOffset = a.piece()
		a.reportDue = true
	}
	if a.reportDue {
		a.reportDue = false
		request.Reports = append(request.Reports, a.report)
		return proto.Size(a.report)
	}
	if !a.canFinish() {
		return 0
	}
	if a.progress != nil || len(a.output) > 0 {
		a.finish.Progress, a.finish.Output, a.finish.OutputOffset = a.piece()
	}
	a.finishDue = false
	request.Finishes = append(request.Finishes, a.finish)
	return proto.Size(a.finish)
}

// piece cuts off what one message may carry.
func (a *attempt) piece() (progress *slotdv1.Progress, output []byte, offset *int64) {
	progress, a.progress = a.progress, nil
	if len(a.output) == 0 {
		return progress, nil, nil
	}
	size := min(len(a.output), pieceBytes)
	output, a.output = a.output[:size:size], a.output[size:]
	offset = proto.Int64(a.offset)
	a.offset += int64(size)
	return progress, output, offset
}
