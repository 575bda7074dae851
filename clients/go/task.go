package slotd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	slotdv1 "github.com/slotd/slotd/clients/go/slotd/v1"
)

// Handler does the work of one kind of job. What it returns is the job's result, as [Encode] writes it.
//
// An error means that the attempt has failed, and may be followed by another; [Permanent] and [Snooze] make errors that
// mean something else. A panic is an error too.
//
// ctx is done when the handler should stop; context.Cause tells why: [ErrCancelled], [ErrAttemptOver], [ErrLost] or
// [ErrReleased]. Its deadline is the attempt's.
type Handler func(ctx context.Context, task *Task) (any, error)

// Typed makes a Handler of a function that takes its payload as a P, a pointer to a protobuf message for one, as [Decode]
// reads it. A payload that can't be read so fails the job for good, with reason PAYLOAD_INVALID.
func Typed[P, R any](function func(ctx context.Context, task *Task, payload P) (R, error)) Handler {
	return func(ctx context.Context, task *Task) (any, error) {
		var payload P
		var target any = &payload
		if message, is := any(payload).(proto.Message); is {
			fresh := message.ProtoReflect().New().Interface()
			payload, target = fresh.(P), fresh
		}
		if err := task.Decode(target); err != nil {
			return nil, err
		}
		return function(ctx, task, payload)
	}
}

// Why a handler's context is done, as context.Cause tells.
var (
	// ErrCancelled means that somebody has cancelled the job, which ends once the handler returns.
	ErrCancelled = errors.New("slotd: the job was cancelled")
	// ErrAttemptOver means that the attempt has been ended, by its timeout or because it took too long to be cancelled:
	// what the handler returns changes nothing.
	ErrAttemptOver = errors.New("slotd: the attempt is over")
	// ErrLost means that the worker was away for so long that the service has given the job back: it may run elsewhere.
	ErrLost = errors.New("slotd: the attempt was lost")
	// ErrReleased means that the worker stops and has given the job back: it will run elsewhere.
	ErrReleased = errors.New("slotd: the worker stops")
)

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// Permanent wraps an error that a handler returns, so that the job is FAILED without further attempts; nil stays nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

type snooze struct{ delay time.Duration }

func (e *snooze) Error() string { return fmt.Sprintf("slotd: snoozed for %s", e.delay) }

const longestSnooze = 100 * 365 * 24 * time.Hour

// Snooze makes an error by which a handler asks to be called again after a delay, of at most 100 years. The attempt does
// not count.
func Snooze(delay time.Duration) error {
	return &snooze{min(max(0, delay), longestSnooze)}
}

// payloadError is a payload that could not be decoded.
type payloadError struct{ err error }

func (e *payloadError) Error() string { return e.err.Error() }
func (e *payloadError) Unwrap() error { return e.err }

const (
	// Output that may wait to be taken before Write waits.
	outputWaiting = 1 << 20
	// What the service keeps of a progress message, in characters, and of an error message, in bytes.
	progressLength = 1024
	failureLength  = 4096
)

// Task is one attempt of one job, as its handler sees it. Its methods may be called from any goroutine, until the handler
// returns; what is told after that is not heard.
type Task struct {
	// Job is the job, in full view, as it was when the attempt began. Do not change it.
	Job *slotdv1.Job

	ctx     context.Context
	log     *slog.Logger
	results func(ctx context.Context, jobID string) (map[string]*slotdv1.Payload, error)
	// Called once when there is something to take, and again only after a take.
	announce func()

	mu sync.Mutex
	// Closed and replaced when output has been taken.
	room       chan struct{}
	announced  bool
	over       bool
	progress   *slotdv1.Progress
	output     []byte
	outputLeft int64
}

// Decode stores the job's payload in what target points to, as the function [Decode] does. An error of it that the handler
// returns fails the job for good, with reason PAYLOAD_INVALID.
func (t *Task) Decode(target any) error {
	if err := Decode(t.Job.GetSpec().GetPayload(), target); err != nil {
		return &payloadError{err}
	}
	return nil
}

// Progress says how far the job has come: done of total units (0: nobody knows), and at what it is. Call it as often as
// you like: a few a second reach the service, the last one always does.
func (t *Task) Progress(done, total int64, message string) {
	message = strings.ToValidUTF8(message, "?")
	if utf8.RuneCountInString(message) > progressLength {
		message = string([]rune(message)[:progressLength])
	}
	t.mu.Lock()
	if t.over {
		t.mu.Unlock()
		return
	}
	t.progress = &slotdv1.Progress{Done: max(0, done), Total: max(0, total), Message: message}
	t.tell()
}

// Write appends to the job's output, of which the service keeps so much. It waits where 1 MiB has not been taken yet,
// unless the handler should stop. It never fails.
func (t *Task) Write(data []byte) (int, error) {
	t.mu.Lock()
	for len(t.output) >= outputWaiting && t.outputLeft > 0 && t.ctx.Err() == nil {
		room := t.room
		t.mu.Unlock()
		select {
		case <-room:
		case <-t.ctx.Done():
		}
		t.mu.Lock()
	}
	// One byte more than is kept says that there was more; the rest is not even carried.
	kept := data[:min(int64(len(data)), t.outputLeft)]
	if len(kept) == 0 {
		t.mu.Unlock()
		return len(data), nil
	}
	t.outputLeft -= int64(len(kept))
	t.output = append(t.output, kept...)
	t.tell()
	return len(data), nil
}

// Results are those of the jobs that this one depended on, a group's jobs among them, by the ref that a job had in its
// batch, else by its id; nil for a job that did not succeed or returned nothing. Read them with [Decode].
func (t *Task) Results(ctx context.Context) (map[string]*slotdv1.Payload, error) {
	return t.results(ctx, t.Job.GetId())
}

// tell unlocks, and announces that there is something to take, unless that is known.
func (t *Task) tell() {
	first := !t.announced
	t.announced = true
	t.mu.Unlock()
	if first {
		t.announce()
	}
}

// take is what was told since the last time.
func (t *Task) take() (*slotdv1.Progress, []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	progress, output := t.progress, t.output
	t.progress, t.output, t.announced = nil, nil, false
	close(t.room)
	t.room = make(chan struct{})
	return progress, output
}

// end makes the task deaf: its handler has returned.
func (t *Task) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over, t.outputLeft = true, 0
}

// call calls a handler, and says how it ended; a result may have so many bytes. It does not return where the handler ends
// its goroutine.
func (t *Task) call(handler Handler, resultLimit int64) *slotdv1.Finish {
	value, err := t.recovered(handler)
	if err != nil {
		return t.failure(err)
	}
	result, err := Encode(value)
	switch {
	case err != nil:
		return failed("RESULT_INVALID", err.Error(), true)
	case !utf8.ValidString(result.GetContentType()):
		return failed("RESULT_INVALID", "the result's content type is not UTF-8", true)
	case int64(len(result.GetData())) > resultLimit:
		message := fmt.Sprintf("the result has %d bytes; at most %d are kept", len(result.GetData()), resultLimit)
		return failed("RESULT_TOO_LARGE", message, true)
	default:
		return &slotdv1.Finish{Outcome: &slotdv1.Finish_Succeeded{Succeeded: &slotdv1.Succeeded{Result: result}}}
	}
}

func (t *Task) recovered(handler Handler) (value any, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			t.log.Error("slotd: a handler panicked", "job", t.Job.GetId(), "panic", reason, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", reason)
		}
	}()
	return handler(t.ctx, t)
}

// failure says what a handler's error makes of the attempt.
func (t *Task) failure(err error) *slotdv1.Finish {
	var asked *snooze
	var permanent *permanentError
	var undecodable *payloadError
	switch {
	case errors.As(err, &asked):
		snoozed := &slotdv1.Snoozed{Delay: durationpb.New(asked.delay)}
		return &slotdv1.Finish{Outcome: &slotdv1.Finish_Snoozed{Snoozed: snoozed}}
	case errors.As(err, &permanent):
		return failed("PERMANENT_ERROR", err.Error(), true)
	case errors.As(err, &undecodable):
		return failed("PAYLOAD_INVALID", err.Error(), true)
	case errors.Is(err, context.DeadlineExceeded) && errors.Is(t.ctx.Err(), context.DeadlineExceeded):
		// As the service says of it, which looks at its own clock at the same time.
		return failed("TIMEOUT", "the attempt took longer than its timeout", false)
	case errors.Is(err, ErrCancelled), errors.Is(err, context.Canceled) && t.ctx.Err() != nil:
		return failed("CANCELLED", err.Error(), false)
	default:
		return failed("HANDLER_ERROR", err.Error(), false)
	}
}

func failed(reason, message string, permanent bool) *slotdv1.Finish {
	message = strings.ToValidUTF8(message, "?")
	if len(message) > failureLength {
		// Without what is left of a character that was cut.
		message = strings.ToValidUTF8(message[:failureLength], "")
	}
	failed := &slotdv1.Failed{Reason: reason, Message: message, Permanent: permanent}
	return &slotdv1.Finish{Outcome: &slotdv1.Finish_Failed{Failed: failed}}
}

func released() *slotdv1.Finish {
	return &slotdv1.Finish{Outcome: &slotdv1.Finish_Released{Released: &slotdv1.Released{}}}
}
