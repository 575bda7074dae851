package slotd_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/slotd/slotd/clients/go"
	slotdv1 "github.com/slotd/slotd/clients/go/slotd/v1"
)

// answer is what one call of a stream gets: what it must ask for, the messages, and how it ends.
type answer struct {
	asks     string
	messages []*slotdv1.StreamResponse
	end      error
}

var (
	errCut = status.Error(codes.Unavailable, "restarting")
	// errStopped is what becomes of a call that a server has accepted but not begun when it stops.
	errStopped = status.Error(codes.Canceled, "CANCELLED")
)

// streaming is a service that gives these answers, one call after the other.
func streaming(t *testing.T, answers ...answer) *jobService {
	calls := 0
	return &jobService{
		stream: func(r *slotdv1.StreamRequest, out grpc.ServerStreamingServer[slotdv1.StreamResponse]) error {
			if calls == len(answers) {
				return status.Error(codes.Internal, "one call too many")
			}
			next := answers[calls]
			calls++
			if r.GetCursor() != next.asks {
				t.Errorf("call %d asks for %q instead of %q", calls, r.GetCursor(), next.asks)
			}
			for _, message := range next.messages {
				if err := out.Send(message); err != nil {
					return err
				}
			}
			return next.end
		},
	}
}

// events are changes of jobs at these revisions, with a cursor after them.
func events(cursor string, revisions ...int64) *slotdv1.StreamResponse {
	message := &slotdv1.StreamResponse{Cursor: cursor}
	for _, revision := range revisions {
		message.Events = append(message.Events, &slotdv1.JobEvent{Revision: revision})
		message.Revision = revision
	}
	return message
}

// snapshot is a part of one, of jobs given as id and revision.
func snapshot(cursor string, jobs ...any) *slotdv1.StreamResponse {
	message := &slotdv1.StreamResponse{Cursor: cursor, Synced: cursor != ""}
	for i := 0; i < len(jobs); i += 2 {
		message.Events = append(message.Events, &slotdv1.JobEvent{
			Type: slotdv1.EventType_EVENT_TYPE_SNAPSHOT,
			Job:  &slotdv1.Job{Id: jobs[i].(string), Revision: int64(jobs[i+1].(int))},
		})
	}
	return message
}

// revisions reads a stream to its end.
func revisions(t *testing.T, stream *slotd.EventStream) (all []int64) {
	t.Helper()
	for event, err := range stream.Events() {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, event.GetRevision())
	}
	return all
}

func TestAStreamGoesOnFromItsCursorAfterACut(t *testing.T) {
	client := serve(t, streaming(t,
		answer{"start", []*slotdv1.StreamResponse{events("c2", 1, 2), events("c3", 3)}, errCut},
		answer{"c3", nil, errStopped},
		answer{"c3", []*slotdv1.StreamResponse{events("c5", 4, 5)}, nil},
	))
	stream := client.Stream(soon(t), &slotdv1.StreamRequest{Cursor: "start"})
	if got := revisions(t, stream); !slices.Equal(got, []int64{1, 2, 3, 4, 5}) {
		t.Errorf("events %d", got)
	}
	if stream.Cursor() != "c5" || stream.Revision() != 5 {
		t.Errorf("at %q, %d", stream.Cursor(), stream.Revision())
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v", err)
	}
}

func TestASnapshotThatWasCutIsTakenAgainWithoutWhatHasBeenHandedOut(t *testing.T) {
	client := serve(t, streaming(t,
		answer{"", []*slotdv1.StreamResponse{snapshot("", "same", 1, "changed", 2, "gone", 3)}, errCut},
		answer{"", []*slotdv1.StreamResponse{snapshot("", "same", 1, "changed", 4), snapshot("c", "new", 5)}, nil},
	))
	stream := client.Stream(soon(t), nil)
	var got []string
	for event, err := range stream.Events() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(event.GetJob().GetId(), event.GetJob().GetRevision()))
	}
	if !slices.Equal(got, []string{"same1", "changed2", "gone3", "changed4", "new5"}) {
		t.Errorf("events %q", got)
	}
	if !slices.Equal(stream.Vanished(), []string{"gone"}) || !stream.Synced() {
		t.Errorf("vanished %q, synced %t", stream.Vanished(), stream.Synced())
	}
}

func TestTheCursorMovesWithTheLastEventOfAMessage(t *testing.T) {
	client := serve(t, streaming(t, answer{"a", []*slotdv1.StreamResponse{events("b", 1, 2), events("c", 3)}, nil}))
	stream := client.Stream(soon(t), &slotdv1.StreamRequest{Cursor: "a"})
	var cursors []string
	for _, err := range stream.Events() {
		if err != nil {
			t.Fatal(err)
		}
		cursors = append(cursors, stream.Cursor())
	}
	if !slices.Equal(cursors, []string{"a", "b", "c"}) {
		t.Errorf("cursors %q", cursors)
	}
}

func TestEventsThatWereBrokenOffGoOnWhereTheyWere(t *testing.T) {
	client := serve(t, streaming(t, answer{"a", []*slotdv1.StreamResponse{events("b", 1, 2, 3), events("c", 4)}, nil}))
	stream := client.Stream(soon(t), &slotdv1.StreamRequest{Cursor: "a"})
	for range stream.Events() {
		break
	}
	message, err := stream.Recv()
	if err != nil || len(message.GetEvents()) != 2 || stream.Cursor() != "b" {
		t.Errorf("%v, %v at %q", message, err, stream.Cursor())
	}
	if got := revisions(t, stream); !slices.Equal(got, []int64{4}) {
		t.Errorf("events %d", got)
	}
}

func TestAStreamFailsWhereTryingAgainWontHelp(t *testing.T) {
	client := serve(t, streaming(t, answer{"old", nil, refusal(codes.OutOfRange, slotd.ReasonCursorExpired)}))
	stream := client.Stream(soon(t), &slotdv1.StreamRequest{Cursor: "old"})
	for range 2 {
		_, err := stream.Recv()
		var refused *slotd.Error
		if !errors.As(err, &refused) || refused.Reason != slotd.ReasonCursorExpired {
			t.Errorf("%v", err)
		}
	}
}

func TestAStreamThatIsOneTooManyAfterACutWaitsAndGoesOn(t *testing.T) {
	client := serve(t, streaming(t,
		answer{"a", []*slotdv1.StreamResponse{events("b", 1)}, errCut},
		answer{"b", nil, refusal(codes.ResourceExhausted, "TOO_MANY_STREAMS", &errdetails.RetryInfo{})},
		answer{"b", []*slotdv1.StreamResponse{events("c", 2)}, nil},
	))
	stream := client.Stream(soon(t), &slotdv1.StreamRequest{Cursor: "a"})
	if got := revisions(t, stream); !slices.Equal(got, []int64{1, 2}) {
		t.Errorf("events %d", got)
	}
}

func TestCloseEndsAStreamUnderItsReader(t *testing.T) {
	asked := make(chan struct{})
	client := serve(t, &jobService{
		stream: func(_ *slotdv1.StreamRequest, out grpc.ServerStreamingServer[slotdv1.StreamResponse]) error {
			close(asked)
			<-out.Context().Done()
			return out.Context().Err()
		},
	})
	stream := client.Stream(soon(t), nil)
	go func() {
		<-asked
		stream.Close()
	}()
	for _, err := range stream.Events() {
		t.Errorf("an event, or %v", err)
	}
}

func TestOutputGoesOnFromTheByteWhereItWasCut(t *testing.T) {
	calls := 0
	client := serve(t, &jobService{
		readOutput: func(
			r *slotdv1.ReadOutputRequest, out grpc.ServerStreamingServer[slotdv1.ReadOutputResponse],
		) error {
			if wanted := []int64{2, 6, 6}[calls]; r.GetOffset() != wanted || !r.GetFollow() {
				t.Errorf("call %d: %v", calls, r)
			}
			switch calls++; calls {
			case 1:
				_ = out.Send(&slotdv1.ReadOutputResponse{Offset: 2, Data: []byte("cd")})
				_ = out.Send(&slotdv1.ReadOutputResponse{Offset: 4, Data: []byte("ef")})
				return errCut
			case 2:
				return errStopped
			}
			// From a little before.
			_ = out.Send(&slotdv1.ReadOutputResponse{Offset: 5, Data: []byte("fgh")})
			return out.Send(&slotdv1.ReadOutputResponse{Offset: 8, Eof: true, Truncated: true})
		},
	})
	output := client.ReadOutput(soon(t), &slotdv1.ReadOutputRequest{Id: "j", Offset: 2, Follow: true})
	data, err := io.ReadAll(output)
	if err != nil || string(data) != "cdefgh" || output.Offset() != 8 || !output.Truncated() {
		t.Errorf("%q, %v, at %d, truncated %t", data, err, output.Offset(), output.Truncated())
	}
}
