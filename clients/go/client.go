package slotd

import (
	"cmp"
	"context"
	"iter"
	"os"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	slotdv1 "github.com/slotd/slotd/clients/go/slotd/v1"
)

// DefaultAddress is where a client looks for the service when neither it nor SLOTD_ADDRESS says.
const DefaultAddress = "127.0.0.1:7433"

// DefaultTimeout is how long a unary call may take, its repeats included, when neither the call's context nor
// [WithTimeout] sets a limit.
const DefaultTimeout = 30 * time.Second

// Client is a connection to one slotd service. It is safe for use by several goroutines; make one and keep it.
//
// Every error of a call is an [*Error]. Calls that are safe to repeat are repeated on UNAVAILABLE, up to five times
// within some two seconds. Those are not whose answer could be wrong then: Retry, Update, Delete, Purge, what works in
// bulk, and making, changing and deleting schedules. No call waits for a service that is not there.
//
// A unary call whose context has no deadline gets one: see [DefaultTimeout].
type Client struct {
	address   string
	conn      *grpc.ClientConn
	jobs      slotdv1.JobServiceClient
	queues    slotdv1.QueueServiceClient
	schedules slotdv1.ScheduleServiceClient
	workers   slotdv1.WorkerServiceClient

	timeout   time.Duration
	reconnect Backoff
	// The service has answered before, so that its being away is taken for a restart.
	reached atomic.Bool
}

// Option configures a [Client].
type Option func(*options)

type options struct {
	timeout   time.Duration
	reconnect Backoff
	dial      []grpc.DialOption
}

// WithTimeout sets how long a unary call may take whose context has no deadline; 0 for no limit. What works in bulk
// gets ten minutes at least.
func WithTimeout(timeout time.Duration) Option {
	return func(o *options) { o.timeout = timeout }
}

// WithReconnect sets how waits, streams and output try again after a cut. They do so until their context is done.
func WithReconnect(backoff Backoff) Option {
	return func(o *options) { o.reconnect = backoff }
}

// WithDialOptions adds gRPC options, stronger than the client's own: transport credentials for TLS (plain text
// without), metadata or tracing by interceptors, and so on.
func WithDialOptions(dial ...grpc.DialOption) Option {
	return func(o *options) { o.dial = append(o.dial, dial...) }
}

// NewClient makes a client for HOST:PORT, unix:PATH or any other gRPC target; where address is empty, for
// SLOTD_ADDRESS, and without that for [DefaultAddress]. It connects with the first call. Close it.
//
// It fails only for an address that is none.
func NewClient(address string, opts ...Option) (*Client, error) {
	chosen := options{timeout: DefaultTimeout, reconnect: DefaultBackoff}
	for _, opt := range opts {
		opt(&chosen)
	}
	c := &Client{
		address:   cmp.Or(address, os.Getenv("SLOTD_ADDRESS"), DefaultAddress),
		timeout:   chosen.timeout,
		reconnect: chosen.reconnect,
	}
	if err := c.dial(chosen.dial); err != nil {
		return nil, err
	}
	c.jobs = slotdv1.NewJobServiceClient(c.conn)
	c.queues = slotdv1.NewQueueServiceClient(c.conn)
	c.schedules = slotdv1.NewScheduleServiceClient(c.conn)
	c.workers = slotdv1.NewWorkerServiceClient(c.conn)
	return c, nil
}

// Close closes the connection; calls under way fail with code Canceled.
func (c *Client) Close() error { return c.conn.Close() }

// Address is the one that the client talks to.
func (c *Client) Address() string { return c.address }

// Jobs is the generated stub of JobService, for the methods that Client does not have: Update, Purge, the bulk methods
// and groups. Its calls have the client's deadlines, repeats and errors; so have those of the other stubs.
func (c *Client) Jobs() slotdv1.JobServiceClient { return c.jobs }

// Queues is the generated stub of QueueService: queues, slots, counters and servers.
func (c *Client) Queues() slotdv1.QueueServiceClient { return c.queues }

// Schedules is the generated stub of ScheduleService.
func (c *Client) Schedules() slotdv1.ScheduleServiceClient { return c.schedules }

// Workers is the generated stub of WorkerService. To run jobs use [Worker].
func (c *Client) Workers() slotdv1.WorkerServiceClient { return c.workers }

// Submit submits a job, durably once this returns. The answer's cursor starts a Stream that misses nothing of it.
//
// A request without a request_id gets a new one, which makes the repeats of this call safe. Give one to make another
// call, or one after a crash, the same submit.
func (c *Client) Submit(
	ctx context.Context, request *slotdv1.SubmitRequest, opts ...grpc.CallOption,
) (*slotdv1.SubmitResponse, error) {
	return c.jobs.Submit(ctx, withRequestID(request), opts...)
}

// SubmitBatch submits up to 1,000 jobs of 16 MiB together, in order, all or none. Otherwise as Submit.
func (c *Client) SubmitBatch(
	ctx context.Context, request *slotdv1.SubmitBatchRequest, opts ...grpc.CallOption,
) (*slotdv1.SubmitBatchResponse, error) {
	identified := &slotdv1.SubmitBatchRequest{Requests: make([]*slotdv1.SubmitRequest, len(request.GetRequests()))}
	for i, one := range request.GetRequests() {
		identified.Requests[i] = withRequestID(one)
	}
	return c.jobs.SubmitBatch(ctx, identified, opts...)
}

// Get tells how a job is, in full by default.
func (c *Client) Get(
	ctx context.Context, request *slotdv1.GetRequest, opts ...grpc.CallOption,
) (*slotdv1.Job, error) {
	answer, err := c.jobs.Get(ctx, request, opts...)
	return answer.GetJob(), err
}

// ListPage lists one page of the jobs that match, with the token of the next one and the cursor to stream from.
func (c *Client) ListPage(
	ctx context.Context, request *slotdv1.ListRequest, opts ...grpc.CallOption,
) (*slotdv1.ListResponse, error) {
	return c.jobs.List(ctx, request, opts...)
}

// List lists the jobs that match, newest first by default, over all pages. It ends after the first error.
func (c *Client) List(
	ctx context.Context, request *slotdv1.ListRequest, opts ...grpc.CallOption,
) iter.Seq2[*slotdv1.Job, error] {
	return func(yield func(*slotdv1.Job, error) bool) {
		next := clone(request)
		for {
			page, err := c.jobs.List(ctx, next, opts...)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, job := range page.GetJobs() {
				if !yield(job, nil) {
					return
				}
			}
			next.PageToken = page.GetNextPageToken()
			if next.PageToken == "" {
				return
			}
		}
	}
}

// Cancel cancels a job: a waiting one is CANCELLED at once, a running one has cancel_requested until it stops.
func (c *Client) Cancel(
	ctx context.Context, request *slotdv1.CancelRequest, opts ...grpc.CallOption,
) (*slotdv1.Job, error) {
	answer, err := c.jobs.Cancel(ctx, request, opts...)
	return answer.GetJob(), err
}

// Retry puts a FAILED or CANCELLED job back, with fresh attempts.
func (c *Client) Retry(
	ctx context.Context, request *slotdv1.RetryRequest, opts ...grpc.CallOption,
) (*slotdv1.Job, error) {
	answer, err := c.jobs.Retry(ctx, request, opts...)
	return answer.GetJob(), err
}

// Delete deletes a terminal job; with force any, which is cancelled first.
func (c *Client) Delete(ctx context.Context, request *slotdv1.DeleteRequest, opts ...grpc.CallOption) error {
	_, err := c.jobs.Delete(ctx, request, opts...)
	return err
}

// withRequestID returns the request with an id, a new one where it has none: without, repeating it could make a second
// job. The caller's message stays as it is.
func withRequestID(request *slotdv1.SubmitRequest) *slotdv1.SubmitRequest {
	if request.GetRequestId() != "" {
		return request
	}
	identified := clone(request)
	identified.RequestId = uuid.NewString()
	return identified
}

// clone copies a message; a nil one becomes an empty one.
func clone[M any, P interface {
	*M
	proto.Message
}](message P) P {
	copied := P(new(M))
	if message != nil {
		proto.Merge(copied, message)
	}
	return copied
}
