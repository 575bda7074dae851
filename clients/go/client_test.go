package slotd_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/slotd/slotd/clients/go"
	slotdv1 "github.com/slotd/slotd/clients/go/slotd/v1"
)

func TestSubmitRepeatsWithTheSameRequestIDAndLeavesTheCallersMessageAlone(t *testing.T) {
	var ids []string
	client := serve(t, &jobService{
		submit: func(_ context.Context, r *slotdv1.SubmitRequest) (*slotdv1.SubmitResponse, error) {
			ids = append(ids, r.GetRequestId())
			if len(ids) == 1 {
				return nil, status.Error(codes.Unavailable, "draining")
			}
			return &slotdv1.SubmitResponse{}, nil
		},
	})
	request := &slotdv1.SubmitRequest{Spec: &slotdv1.JobSpec{Kind: "k"}}
	if _, err := client.Submit(soon(t), request); err != nil {
		t.Fatal(err)
	}
	if len(ids) != 2 || ids[0] == "" || ids[0] != ids[1] {
		t.Errorf("request ids: %q", ids)
	}
	if request.GetRequestId() != "" {
		t.Error("the caller's message has changed")
	}
}

func TestRetryIsNotRepeated(t *testing.T) {
	calls := 0
	client := serve(t, &jobService{retry: func() error {
		calls++
		return status.Error(codes.Unavailable, "draining")
	}})
	if _, err := client.Retry(soon(t), &slotdv1.RetryRequest{Id: "j"}); status.Code(err) != codes.Unavailable {
		t.Errorf("error: %v", err)
	}
	if calls != 1 {
		t.Errorf("%d calls", calls)
	}
}

func TestAUnaryCallHasADeadlineUnlessItsContextHasOne(t *testing.T) {
	var left time.Duration
	client := serve(t, &jobService{
		submit: func(ctx context.Context, _ *slotdv1.SubmitRequest) (*slotdv1.SubmitResponse, error) {
			deadline, _ := ctx.Deadline()
			left = time.Until(deadline)
			return &slotdv1.SubmitResponse{}, nil
		},
	})
	for _, limit := range []time.Duration{0, time.Hour} {
		ctx, wanted := context.Background(), slotd.DefaultTimeout
		if limit > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, limit)
			defer cancel()
			wanted = limit
		}
		if _, err := client.Submit(ctx, &slotdv1.SubmitRequest{}); err != nil {
			t.Fatal(err)
		}
		if left > wanted || left < wanted-10*time.Second {
			t.Errorf("%s left, wanted %s", left, wanted)
		}
	}
}

func TestListGoesOverAllPages(t *testing.T) {
	pages := map[string]*slotdv1.ListResponse{
		"":  {Jobs: []*slotdv1.Job{{Id: "1"}, {Id: "2"}}, NextPageToken: "b"},
		"b": {Jobs: []*slotdv1.Job{}, NextPageToken: "c"},
		"c": {Jobs: []*slotdv1.Job{{Id: "3"}}},
	}
	client := serve(t, &jobService{list: func(r *slotdv1.ListRequest) (*slotdv1.ListResponse, error) {
		if r.GetPageSize() != 2 {
			t.Errorf("page size %d", r.GetPageSize())
		}
		return pages[r.GetPageToken()], nil
	}})
	request := &slotdv1.ListRequest{PageSize: 2}
	for range 2 {
		var ids []string
		for job, err := range client.List(soon(t), request) {
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, job.GetId())
		}
		if !slices.Equal(ids, []string{"1", "2", "3"}) {
			t.Errorf("jobs: %q", ids)
		}
	}
	for job := range client.List(soon(t), request) {
		if job.GetId() == "3" {
			break
		}
	}
	if request.GetPageToken() != "" {
		t.Error("the caller's message has changed")
	}
}

func TestAnErrorHasWhatTheServiceSent(t *testing.T) {
	client := serve(t, &jobService{retry: func() error {
		return refusal(codes.ResourceExhausted, "QUEUE_FULL",
			&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: "spec.kind"}}},
			&errdetails.PreconditionFailure{Violations: []*errdetails.PreconditionFailure_Violation{{Subject: "s"}}},
			&errdetails.QuotaFailure{Violations: []*errdetails.QuotaFailure_Violation{{Subject: "q"}}},
			&errdetails.ResourceInfo{ResourceName: "jobs/j1"},
			&errdetails.RetryInfo{RetryDelay: durationpb.New(1500 * time.Millisecond)},
		)
	}})
	_, err := client.Retry(soon(t), &slotdv1.RetryRequest{})
	var refused *slotd.Error
	if !errors.As(err, &refused) {
		t.Fatalf("a %T", err)
	}
	if refused.Code != codes.ResourceExhausted || refused.Reason != "QUEUE_FULL" || refused.Message != "no" {
		t.Errorf("%+v", refused)
	}
	if refused.Metadata["job_id"] != "j1" ||
		refused.BadRequest.GetFieldViolations()[0].GetField() != "spec.kind" ||
		refused.PreconditionFailure.GetViolations()[0].GetSubject() != "s" ||
		refused.QuotaFailure.GetViolations()[0].GetSubject() != "q" ||
		refused.ResourceInfo.GetResourceName() != "jobs/j1" ||
		refused.RetryInfo.GetRetryDelay().AsDuration() != 1500*time.Millisecond {
		t.Errorf("details: %+v", refused)
	}
	if status.Code(err) != codes.ResourceExhausted || err.Error() != "slotd: no (QUEUE_FULL)" {
		t.Errorf("%v", err)
	}
}

func TestAnErrorWithoutDetailsStillHasItsCode(t *testing.T) {
	client := serve(t, &jobService{retry: func() error { return status.Error(codes.Internal, "oops") }})
	_, err := client.Retry(soon(t), &slotdv1.RetryRequest{})
	var refused *slotd.Error
	if !errors.As(err, &refused) || refused.Code != codes.Internal || refused.BadRequest.GetFieldViolations() != nil {
		t.Errorf("%+v", err)
	}
}

func TestTheErrorOfACallThatItsContextEndedIsTheContexts(t *testing.T) {
	called := make(chan struct{})
	client := serve(t, &jobService{
		submit: func(ctx context.Context, _ *slotdv1.SubmitRequest) (*slotdv1.SubmitResponse, error) {
			called <- struct{}{}
			<-ctx.Done()
			return nil, ctx.Err()
		},
	})
	ctx, cancel := context.WithCancel(soon(t))
	go func() {
		<-called
		cancel()
	}()
	if _, err := client.Submit(ctx, &slotdv1.SubmitRequest{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	ctx, cancel = context.WithTimeout(soon(t), 50*time.Millisecond)
	defer cancel()
	go func() { <-called }()
	if _, err := client.Submit(ctx, &slotdv1.SubmitRequest{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestWhereNobodyAnswersStreamsAndWaitsSaySoAfterAFewTries(t *testing.T) {
	client, err := slotd.NewClient("unix:"+t.TempDir()+"/nobody", slotd.WithReconnect(quick))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Wait(soon(t), &slotdv1.WaitRequest{Id: "j"}); status.Code(err) != codes.Unavailable {
		t.Errorf("wait: %v", err)
	}
	if _, err := client.Stream(soon(t), nil).Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("stream: %v", err)
	}
}

func TestAnAddressIsNoURL(t *testing.T) {
	for _, address := range []string{"http://127.0.0.1:7433", "https://a/", " 127.0.0.1:7433"} {
		if _, err := slotd.NewClient(address); err == nil {
			t.Errorf("%q is taken", address)
		}
	}
}

func TestTheAddressComesFromTheEnvironmentWhereNoneIsGiven(t *testing.T) {
	t.Setenv("SLOTD_ADDRESS", "127.0.0.1:1")
	for given, wanted := range map[string]string{"": "127.0.0.1:1", "127.0.0.1:2": "127.0.0.1:2"} {
		client, err := slotd.NewClient(given)
		if err != nil {
			t.Fatal(err)
		}
		if client.Address() != wanted {
			t.Errorf("%q gives %q", given, client.Address())
		}
		_ = client.Close()
	}
}

func TestWaitGoesOnOverAnOutageUntilTheJobHasEnded(t *testing.T) {
	calls := 0
	client := serve(t, &jobService{
		wait: func(_ context.Context, r *slotdv1.WaitRequest) (*slotdv1.WaitResponse, error) {
			if r.GetView() != slotdv1.JobView_JOB_VIEW_BASIC || r.GetTimeout().AsDuration() != 20*time.Second {
				t.Errorf("request: %v", r)
			}
			switch calls++; calls {
			case 1, 3:
				return &slotdv1.WaitResponse{Job: &slotdv1.Job{State: slotdv1.JobState_JOB_STATE_RUNNING}}, nil
			case 4:
				return nil, errStopped
			case 5:
				return &slotdv1.WaitResponse{Job: &slotdv1.Job{State: slotdv1.JobState_JOB_STATE_FAILED}}, nil
			default:
				return nil, status.Error(codes.Unavailable, "restarting")
			}
		},
	})
	job, err := client.Wait(soon(t), &slotdv1.WaitRequest{Id: "j", View: slotdv1.JobView_JOB_VIEW_BASIC})
	if err != nil || job.GetState() != slotdv1.JobState_JOB_STATE_FAILED || calls != 5 {
		t.Errorf("%v, %v after %d calls", job, err, calls)
	}
}

func TestWaitsAndStreamsEndWithTheirContextAndWithTheClient(t *testing.T) {
	waits := func(ctx context.Context, client *slotd.Client) error {
		_, err := client.Wait(ctx, &slotdv1.WaitRequest{Id: "j"})
		return err
	}
	streams := func(ctx context.Context, client *slotd.Client) error {
		_, err := client.Stream(ctx, nil).Recv()
		return err
	}
	for name, read := range map[string]func(context.Context, *slotd.Client) error{"wait": waits, "stream": streams} {
		for _, closes := range []bool{false, true} {
			var calls atomic.Int32
			asked := make(chan struct{}, 10)
			hang := func(ctx context.Context) error {
				calls.Add(1)
				asked <- struct{}{}
				<-ctx.Done()
				return ctx.Err()
			}
			client := serve(t, &jobService{
				wait: func(ctx context.Context, _ *slotdv1.WaitRequest) (*slotdv1.WaitResponse, error) {
					return nil, hang(ctx)
				},
				stream: func(_ *slotdv1.StreamRequest, out grpc.ServerStreamingServer[slotdv1.StreamResponse]) error {
					return hang(out.Context())
				},
			})
			ctx, cancel := context.WithCancel(soon(t))
			go func() {
				<-asked
				if closes {
					_ = client.Close()
				} else {
					cancel()
				}
			}()
			err := read(ctx, client)
			if status.Code(err) != codes.Canceled || errors.Is(err, context.Canceled) == closes || calls.Load() != 1 {
				t.Errorf("%s, client closed %t: %v after %d calls", name, closes, err, calls.Load())
			}
			cancel()
		}
	}
}

func TestWaitReturnsTheJobAsItIsAfterItsTimeout(t *testing.T) {
	client := serve(t, &jobService{
		wait: func(ctx context.Context, r *slotdv1.WaitRequest) (*slotdv1.WaitResponse, error) {
			select {
			case <-time.After(r.GetTimeout().AsDuration()):
			case <-ctx.Done():
			}
			return &slotdv1.WaitResponse{Job: &slotdv1.Job{State: slotdv1.JobState_JOB_STATE_RUNNING}}, nil
		},
	})
	job, err := client.Wait(soon(t), &slotdv1.WaitRequest{Timeout: durationpb.New(20 * time.Millisecond)})
	if err != nil || job.GetState() != slotdv1.JobState_JOB_STATE_RUNNING {
		t.Errorf("%v, %v", job, err)
	}
}

func TestWaitFailsAtOnceForAJobThatIsNotThere(t *testing.T) {
	calls := 0
	client := serve(t, &jobService{
		wait: func(context.Context, *slotdv1.WaitRequest) (*slotdv1.WaitResponse, error) {
			calls++
			return nil, refusal(codes.NotFound, "JOB_NOT_FOUND")
		},
	})
	if _, err := client.Wait(soon(t), &slotdv1.WaitRequest{Id: "j"}); status.Code(err) != codes.NotFound || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
}
