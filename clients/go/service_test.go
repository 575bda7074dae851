package slotd_test

import (
	"context"
	"net"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/protoadapt"

	"github.com/slotd/slotd/clients/go"
	slotdv1 "github.com/slotd/slotd/clients/go/slotd/v1"
)

// quick is how clients under test try again after a cut.
var quick = slotd.Backoff{Initial: time.Millisecond, Max: time.Millisecond, Multiplier: 1}

// inMemory runs a gRPC server in memory, and returns the options by which clients reach it.
func inMemory(t *testing.T, register func(*grpc.Server)) []slotd.Option {
	t.Helper()
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer()
	register(server)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	dial := grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
		return listener.DialContext(ctx)
	})
	return []slotd.Option{slotd.WithDialOptions(dial), slotd.WithReconnect(quick)}
}

// inMemoryAddress is what clients of inMemory are given.
const inMemoryAddress = "passthrough:///in-memory"

// jobService answers as its functions say.
type jobService struct {
	slotdv1.UnimplementedJobServiceServer
	submit     func(context.Context, *slotdv1.SubmitRequest) (*slotdv1.SubmitResponse, error)
	list       func(*slotdv1.ListRequest) (*slotdv1.ListResponse, error)
	retry      func() error
	wait       func(context.Context, *slotdv1.WaitRequest) (*slotdv1.WaitResponse, error)
	stream     func(*slotdv1.StreamRequest, grpc.ServerStreamingServer[slotdv1.StreamResponse]) error
	readOutput func(*slotdv1.ReadOutputRequest, grpc.ServerStreamingServer[slotdv1.ReadOutputResponse]) error
}

func (s *jobService) Submit(ctx context.Context, r *slotdv1.SubmitRequest) (*slotdv1.SubmitResponse, error) {
	return s.submit(ctx, r)
}

func (s *jobService) List(_ context.Context, r *slotdv1.ListRequest) (*slotdv1.ListResponse, error) {
	return s.list(r)
}

func (s *jobService) Retry(context.Context, *slotdv1.RetryRequest) (*slotdv1.RetryResponse, error) {
	return &slotdv1.RetryResponse{}, s.retry()
}

func (s *jobService) Wait(ctx context.Context, r *slotdv1.WaitRequest) (*slotdv1.WaitResponse, error) {
	return s.wait(ctx, r)
}

func (s *jobService) Stream(
	r *slotdv1.StreamRequest, answers grpc.ServerStreamingServer[slotdv1.StreamResponse],
) error {
	return s.stream(r, answers)
}

func (s *jobService) ReadOutput(
	r *slotdv1.ReadOutputRequest, answers grpc.ServerStreamingServer[slotdv1.ReadOutputResponse],
) error {
	return s.readOutput(r, answers)
}

// serve returns a client of a service.
func serve(t *testing.T, service *jobService) *slotd.Client {
	t.Helper()
	options := inMemory(t, func(s *grpc.Server) { slotdv1.RegisterJobServiceServer(s, service) })
	client, err := slotd.NewClient(inMemoryAddress, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// refusal is a status with an ErrorInfo, and with other details.
func refusal(code codes.Code, reason string, details ...protoadapt.MessageV1) error {
	info := &errdetails.ErrorInfo{Reason: reason, Domain: "slotd", Metadata: map[string]string{"job_id": "j1"}}
	with, err := status.New(code, "no").WithDetails(append(details, info)...)
	if err != nil {
		panic(err)
	}
	return with.Err()
}

// soon is a context for what should not take long.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}
