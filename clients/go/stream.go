package slotd

import (
	"context"
	"errors"
	"io"
	"iter"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"

	slotdv1 "github.com/slotd/slotd/clients/go/slotd/v1"
)

// reader reads one server-streaming method, and calls it again when it was cut. One goroutine reads; any may close.
type reader[A any] struct {
	ctx    context.Context
	cancel context.CancelFunc
	open   func(context.Context) (grpc.ServerStreamingClient[A], error)
	outage outage
	closed atomic.Bool

	// The call under way, or why there is none.
	call grpc.ServerStreamingClient[A]
	err  error
	// Why there is nothing more to read.
	ended error
}

func newReader[A any](
	ctx context.Context, client *Client, open func(context.Context) (grpc.ServerStreamingClient[A], error),
) *reader[A] {
	r := &reader[A]{open: open, outage: outage{client: client}}
	r.ctx, r.cancel = context.WithCancel(ctx)
	r.call, r.err = r.open(r.ctx)
	return r
}

// recv returns the next message, io.EOF at the end and once closed, or an error that trying again won't cure.
func (r *reader[A]) recv() (*A, error) {
	for r.ended == nil {
		message, err := r.attempt()
		if err == nil {
			r.outage.answered()
			return message, nil
		}
		r.call = nil
		if errors.Is(err, io.EOF) {
			r.ended = io.EOF
		} else if err := r.outage.pause(r.ctx, err, math.MaxInt64); err != nil {
			r.ended = err
		}
	}
	r.cancel()
	if r.closed.Load() {
		return nil, io.EOF
	}
	return nil, r.ended
}

func (r *reader[A]) attempt() (*A, error) {
	if r.call == nil && r.err == nil {
		r.call, r.err = r.open(r.ctx)
	}
	if err := r.err; err != nil {
		r.err = nil
		return nil, err
	}
	return r.call.Recv()
}

func (r *reader[A]) close() {
	r.closed.Store(true)
	r.cancel()
}

// EventStream is what happens to jobs; it outlives reconnects and restarts of the service. One goroutine at a time reads
// it, by Events or by Recv; the other methods may be called by any.
//
// It ends by itself only when it was asked for by job ids and all of those are terminal or deleted.
type EventStream struct {
	reader *reader[slotdv1.StreamResponse]
	// Guards position.
	mu       sync.Mutex
	position eventPosition
	// A message whose events have not all been handed out, and those that have not.
	partly  *slotdv1.StreamResponse
	pending []*slotdv1.JobEvent
}

// Stream streams what happens to the jobs that match, from now on, where the request has no cursor with the matching jobs
// as they are first, or from its cursor. Close it, or let ctx end.
//
// Until the service has sent the first cursor, so within the first snapshot, a cut means that the snapshot is taken again:
// jobs that did not change since are not handed out twice, and Vanished names those that are gone since.
func (c *Client) Stream(
	ctx context.Context, request *slotdv1.StreamRequest, opts ...grpc.CallOption,
) *EventStream {
	s := &EventStream{position: newEventPosition(request)}
	s.reader = newReader(ctx, c, func(ctx context.Context) (grpc.ServerStreamingClient[slotdv1.StreamResponse], error) {
		return c.jobs.Stream(ctx, s.position.request(), opts...)
	})
	return s
}

// Events iterates over the events. It ends without an error where the stream ends or is closed, and after the first
// error, which trying again won't cure: [ReasonCursorExpired] for one. Broken off, it may be taken up again.
func (s *EventStream) Events() iter.Seq2[*slotdv1.JobEvent, error] {
	return func(yield func(*slotdv1.JobEvent, error) bool) {
		for {
			event, err := s.next()
			if errors.Is(err, io.EOF) || !yield(event, err) || err != nil {
				return
			}
		}
	}
}

// next returns the next event, or an error as Recv does.
func (s *EventStream) next() (*slotdv1.JobEvent, error) {
	for len(s.pending) == 0 {
		message, err := s.receive()
		if err != nil {
			return nil, err
		}
		s.partly, s.pending = message, message.GetEvents()
		if len(s.pending) == 0 {
			s.settle(message)
		}
	}
	event := s.pending[0]
	s.pending = s.pending[1:]
	if len(s.pending) == 0 {
		s.settle(s.partly)
	}
	return event, nil
}

// Recv returns the next message as it came, heartbeats and synced included; synced comes again after each reconnect. At
// the end, and once closed, it returns io.EOF.
func (s *EventStream) Recv() (*slotdv1.StreamResponse, error) {
	if len(s.pending) > 0 {
		rest := clone(s.partly)
		rest.Events = s.pending
		s.settle(s.partly)
		return rest, nil
	}
	message, err := s.receive()
	if err != nil {
		return nil, err
	}
	s.settle(message)
	return message, nil
}

// Close ends the stream, also under a reader in another goroutine.
func (s *EventStream) Close() { s.reader.close() }

// Cursor is the position after what has been handed out, from which another Stream goes on; empty before there is one. It
// moves when the last event of a message is handed out: to go on from it never skips one.
func (s *EventStream) Cursor() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.position.cursor
}

// Revision is that up to which everything that matches has been handed out; 0 before there is one.
func (s *EventStream) Revision() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.position.revision
}

// Synced says that the first snapshot, or what had happened since the cursor, has been handed out whole.
func (s *EventStream) Synced() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.position.synced
}

// Vanished names the jobs, by id, that a snapshot handed out before it was cut, and that are missing from the one that
// came through.
func (s *EventStream) Vanished() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.position.vanished)
}

func (s *EventStream) receive() (*slotdv1.StreamResponse, error) {
	message, err := s.reader.recv()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.position.receive(message), nil
}

func (s *EventStream) settle(message *slotdv1.StreamResponse) {
	s.partly, s.pending = nil, nil
	s.mu.Lock()
	defer s.mu.Unlock()
	s.position.settle(message)
}

// eventPosition is how far a stream of events has come: what to ask for next, and what is new of the answer.
//
// Once the service has sent a cursor, a cut stream goes on from the last one. Before that there is nothing to go on from:
// the snapshot is asked for again, and of it only those jobs are handed out that are new or of a higher revision.
type eventPosition struct {
	asked    *slotdv1.StreamRequest
	received string
	// Of the snapshot: the revisions told so far, over all calls, and the jobs of this call.
	told    map[string]int64
	present map[string]bool

	cursor   string
	revision int64
	synced   bool
	vanished []string
}

func newEventPosition(request *slotdv1.StreamRequest) eventPosition {
	return eventPosition{
		asked:    clone(request),
		received: request.GetCursor(),
		cursor:   request.GetCursor(),
		told:     map[string]int64{},
		present:  map[string]bool{},
	}
}

// request is what the next call asks for.
func (p *eventPosition) request() *slotdv1.StreamRequest {
	clear(p.present)
	next := clone(p.asked)
	next.Cursor = p.received
	return next
}

// receive takes in a message, and returns it without the events that were handed out before.
func (p *eventPosition) receive(message *slotdv1.StreamResponse) *slotdv1.StreamResponse {
	if p.received == "" {
		message.Events = slices.DeleteFunc(message.Events, p.repeats)
	}
	if message.GetCursor() != "" {
		p.received = message.GetCursor()
	}
	if message.GetSynced() {
		for id := range p.told {
			if !p.present[id] {
				p.vanished = append(p.vanished, id)
			}
		}
	}
	if p.received != "" {
		clear(p.told)
		clear(p.present)
	}
	return message
}

// repeats says whether a snapshot before this one has told this of the job.
func (p *eventPosition) repeats(event *slotdv1.JobEvent) bool {
	if event.GetType() != slotdv1.EventType_EVENT_TYPE_SNAPSHOT {
		return false
	}
	id, revision := event.GetJob().GetId(), event.GetJob().GetRevision()
	p.present[id] = true
	if before, told := p.told[id]; told && revision <= before {
		return true
	}
	p.told[id] = revision
	return false
}

// settle moves the position behind a message, whose events have all been handed out.
func (p *eventPosition) settle(message *slotdv1.StreamResponse) {
	if message.GetCursor() != "" {
		p.cursor = message.GetCursor()
	}
	p.revision = max(p.revision, message.GetRevision())
	p.synced = p.synced || message.GetSynced()
}
