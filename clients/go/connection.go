package slotd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/peer"

	slotdv1 "github.com/slotd/slotd/clients/go/slotd/v1"
)

const (
	messageBytes = 32 << 20
	// A BadRequest with many violations travels in the trailing metadata.
	headerBytes = 64 << 10

	// What works on many jobs does so in steps, until all is done.
	bulkTimeout = 10 * time.Minute
)

var bulkMethods = []string{
	slotdv1.JobService_Purge_FullMethodName,
	slotdv1.JobService_BulkCancel_FullMethodName,
	slotdv1.JobService_BulkRetry_FullMethodName,
	slotdv1.JobService_BulkDelete_FullMethodName,
	slotdv1.JobService_CancelGroup_FullMethodName,
}

// serviceConfig says which calls gRPC repeats: those that, answered a second time, do no harm and say the same, which are
// reads, requests with an id, and settings given as absolute values.
//
// Left out on purpose: Retry (a job that failed again meanwhile would get fresh attempts twice); Delete, Purge and what
// works in bulk (the repeat would answer NOT_FOUND or a count too low though the first one worked); Update (the first moved
// the revision that the repeat names); Create of a schedule (the repeat would find one of that name). Wait, Stream and
// ReadOutput are not here because the client itself repeats them, from where they were cut.
const serviceConfig = `{"methodConfig": [{
	"name": [
		{"service": "slotd.v1.JobService", "method": "Submit"},
		{"service": "slotd.v1.JobService", "method": "SubmitBatch"},
		{"service": "slotd.v1.JobService", "method": "Get"},
		{"service": "slotd.v1.JobService", "method": "List"},
		{"service": "slotd.v1.JobService", "method": "Cancel"},
		{"service": "slotd.v1.JobService", "method": "GetGroup"},
		{"service": "slotd.v1.QueueService", "method": "GetQueue"},
		{"service": "slotd.v1.QueueService", "method": "ListQueues"},
		{"service": "slotd.v1.QueueService", "method": "UpdateQueue"},
		{"service": "slotd.v1.QueueService", "method": "ListSlots"},
		{"service": "slotd.v1.QueueService", "method": "UpdateSlots"},
		{"service": "slotd.v1.QueueService", "method": "GetStats"},
		{"service": "slotd.v1.QueueService", "method": "ListServers"},
		{"service": "slotd.v1.ScheduleService", "method": "Get"},
		{"service": "slotd.v1.ScheduleService", "method": "List"},
		{"service": "slotd.v1.ScheduleService", "method": "Pause"},
		{"service": "slotd.v1.ScheduleService", "method": "Resume"},
		{"service": "slotd.v1.ScheduleService", "method": "Trigger"},
		{"service": "slotd.v1.WorkerService", "method": "ListWorkers"}
	],
	"retryPolicy": {
		"maxAttempts": 5,
		"initialBackoff": "0.1s",
		"maxBackoff": "2s",
		"backoffMultiplier": 2,
		"retryableStatusCodes": ["UNAVAILABLE"]
	}
}]}`

// dial sets up the connection, which is made with the first call.
func (c *Client) dial(extra []grpc.DialOption) error {
	if err := checkAddress(c.address); err != nil {
		return err
	}
	conn, err := grpc.NewClient(c.address, append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultServiceConfig(serviceConfig),
		grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(messageBytes),
			grpc.MaxCallSendMsgSize(messageBytes),
			// gRPC repeats nothing larger than this, 256 KiB by default.
			grpc.MaxRetryRPCBufferSize(messageBytes),
		),
		grpc.WithMaxHeaderListSize(headerBytes),
		// The service takes a ping every 10 s and no more often.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}),
		// gRPC's own defaults wait up to two minutes before they look again for a service that was restarted.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 5 * time.Second},
			MinConnectTimeout: 2 * time.Second,
		}),
		grpc.WithChainUnaryInterceptor(c.interceptUnary),
		grpc.WithChainStreamInterceptor(c.interceptStream),
	}, extra...)...)
	if err != nil {
		return fmt.Errorf("slotd: address %q: %w", c.address, err)
	}
	c.conn = conn
	return nil
}

// checkAddress refuses what is no gRPC target but often tried: a URL, and stray spaces.
func checkAddress(address string) error {
	if strings.TrimSpace(address) != address {
		return fmt.Errorf("slotd: address %q: it looks like 127.0.0.1:7433 or unix:/path", address)
	}
	for _, scheme := range []string{"http://", "https://", "grpc://"} {
		if rest, is := strings.CutPrefix(address, scheme); is {
			return fmt.Errorf("slotd: address %q: it has no scheme: %q", address, strings.TrimRight(rest, "/"))
		}
	}
	return nil
}

// interceptUnary gives a unary call its deadline, and its error.
func (c *Client) interceptUnary(
	ctx context.Context, method string, request, answer any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker,
	opts ...grpc.CallOption,
) error {
	if limit := c.limit(method); limit > 0 {
		if _, has := ctx.Deadline(); !has {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, limit)
			defer cancel()
		}
	}
	var from peer.Peer
	err := invoke(ctx, method, request, answer, conn, append(slices.Clip(opts), grpc.Peer(&from))...)
	return c.outcome(ctx, err, &from)
}

// limit is the time for a call whose context sets none; 0 for no limit. Wait has a time of its own in its request.
func (c *Client) limit(method string) time.Duration {
	switch {
	case c.timeout <= 0 || method == slotdv1.JobService_Wait_FullMethodName:
		return 0
	case slices.Contains(bulkMethods, method):
		return max(c.timeout, bulkTimeout)
	default:
		return c.timeout
	}
}

// interceptStream gives a streaming call its errors.
func (c *Client) interceptStream(
	ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, open grpc.Streamer,
	opts ...grpc.CallOption,
) (grpc.ClientStream, error) {
	from := new(peer.Peer)
	stream, err := open(ctx, desc, conn, method, append(slices.Clip(opts), grpc.Peer(from))...)
	if err != nil {
		return nil, c.outcome(ctx, err, from)
	}
	return &clientStream{ClientStream: stream, ctx: ctx, client: c, from: from}, nil
}

// clientStream is a gRPC stream whose errors are the package's own.
type clientStream struct {
	grpc.ClientStream
	ctx    context.Context
	client *Client
	from   *peer.Peer
}

// RecvMsg also tells the client that the service has answered.
func (s *clientStream) RecvMsg(message any) error {
	err := s.ClientStream.RecvMsg(message)
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	return s.client.outcome(s.ctx, err, s.from)
}

// outcome notes whether the service was reached, and translates a call's error. from is who answered the call, empty
// where no connection could be made.
func (c *Client) outcome(ctx context.Context, err error, from *peer.Peer) error {
	if err == nil {
		c.reached.Store(true)
		return nil
	}
	connected := from.Addr != nil
	translated := newError(ctx, err, c.address, connected)
	if connected {
		c.reached.Store(true)
	}
	return translated
}
