package slotd

import (
	"context"
	"fmt"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Reasons of an [Error] that a caller can be expected to act upon. The service has more, which the protos name.
const (
	// ReasonAwaited (FailedPrecondition): a job that others depend on, which have not ended, can't be deleted.
	ReasonAwaited = "AWAITED"
	// ReasonCursorExpired (OutOfRange): the events after this cursor are no longer kept. List the jobs, then stream
	// from the list's cursor.
	ReasonCursorExpired = "CURSOR_EXPIRED"
	// ReasonDependencyCycle (InvalidArgument): jobs that would wait for each other.
	ReasonDependencyCycle = "DEPENDENCY_CYCLE"
	// ReasonDependencyFailed (FailedPrecondition): what the job depends on has failed or is gone.
	ReasonDependencyFailed = "DEPENDENCY_FAILED"
	// ReasonRevisionMismatch (Aborted): it has changed since the revision that the caller knows.
	ReasonRevisionMismatch = "REVISION_MISMATCH"
	// ReasonScheduleExists (AlreadyExists): there is a schedule of that name.
	ReasonScheduleExists = "SCHEDULE_EXISTS"
	// ReasonScheduleOverlap (FailedPrecondition): the schedule makes no job while an earlier one has not ended.
	ReasonScheduleOverlap = "SCHEDULE_OVERLAP"
	// ReasonUniqueKeyTaken (AlreadyExists): another job has the unique_key; Metadata["job_id"] says which.
	ReasonUniqueKeyTaken = "UNIQUE_KEY_TAKEN"
	// ReasonWorkerReplaced (Aborted): the same worker has connected anew.
	ReasonWorkerReplaced = "WORKER_REPLACED"
)

// Error is a call that the service refused, or that did not reach it. Get at it with errors.As.
//
// The detail messages are nil where the service sent none; their getters take that:
//
//	for _, violation := range e.BadRequest.GetFieldViolations() { … }
//
// errors.Is finds context.Canceled and context.DeadlineExceeded where the call's own context ended it, and
// status.FromError the gRPC status.
type Error struct {
	// Code is the gRPC status code.
	Code codes.Code
	// Message says in words what happened.
	Message string
	// Reason is UPPER_SNAKE, from google.rpc.ErrorInfo; empty where none was sent.
	Reason string
	// Metadata is what ErrorInfo has beside the reason.
	Metadata map[string]string

	// BadRequest names the fields that are wrong, by path, as in "spec.kind".
	BadRequest *errdetails.BadRequest
	// PreconditionFailure says what stands in the way.
	PreconditionFailure *errdetails.PreconditionFailure
	// QuotaFailure says which limit was met.
	QuotaFailure *errdetails.QuotaFailure
	// ResourceInfo says what is not there, or is there already.
	ResourceInfo *errdetails.ResourceInfo
	// RetryInfo says after how long another try makes sense.
	RetryInfo *errdetails.RetryInfo

	status *status.Status
	cause  error
}

// Error is the message, and the reason or else the code.
func (e *Error) Error() string {
	name := e.Reason
	if name == "" {
		name = e.Code.String()
	}
	return fmt.Sprintf("slotd: %s (%s)", e.Message, name)
}

// Unwrap is the error of the call's context, where that ended the call.
func (e *Error) Unwrap() error { return e.cause }

// GRPCStatus is the status as it came, which status.FromError and status.Code use.
func (e *Error) GRPCStatus() *status.Status { return e.status }

// newError translates what gRPC returned for a call under ctx; connected says whether there was a connection at all.
func newError(ctx context.Context, err error, address string, connected bool) *Error {
	received := status.Convert(err)
	e := &Error{Code: received.Code(), Message: received.Message(), status: received}
	for _, detail := range received.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			e.Reason, e.Metadata = detail.GetReason(), detail.GetMetadata()
		case *errdetails.BadRequest:
			e.BadRequest = detail
		case *errdetails.PreconditionFailure:
			e.PreconditionFailure = detail
		case *errdetails.QuotaFailure:
			e.QuotaFailure = detail
		case *errdetails.ResourceInfo:
			e.ResourceInfo = detail
		case *errdetails.RetryInfo:
			e.RetryInfo = detail
		}
	}
	switch _, limited := ctx.Deadline(); {
	case e.Code == codes.Canceled:
		e.cause = ctx.Err()
	case e.Code == codes.DeadlineExceeded && limited:
		// The service, which knows the deadline too, may say so a moment before the context does.
		e.cause = context.DeadlineExceeded
	}
	if e.Code == codes.Unavailable && !connected {
		e.Message = fmt.Sprintf("no service at %s: %s", address, e.Message)
	}
	return e
}

// contextError is the error of a call whose context ended between two tries; last is what the last of them met.
func contextError(ctx context.Context, last error) *Error {
	ended := status.FromContextError(ctx.Err())
	message := fmt.Sprintf("%s; before that: %s", ended.Message(), status.Convert(last).Message())
	return &Error{Code: ended.Code(), Message: message, status: status.New(ended.Code(), message), cause: ctx.Err()}
}
