package slotd

import (
	"context"
	"math"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"

	slotdv1 "github.com/slotd/slotd/clients/go/slotd/v1"
)

const (
	// One Wait asks for so long at most; its call is given some more to answer.
	waitSlice  = 20 * time.Second
	waitMargin = 10 * time.Second
)

// Terminal says whether a job in this state has ended.
func Terminal(state slotdv1.JobState) bool {
	switch state {
	case slotdv1.JobState_JOB_STATE_SUCCEEDED, slotdv1.JobState_JOB_STATE_FAILED, slotdv1.JobState_JOB_STATE_CANCELLED:
		return true
	default:
		return false
	}
}

// Wait waits until a job is terminal, over reconnects and restarts of the service: as long as ctx allows or, where the
// request has a timeout, for so long, and then returns the job as it is: look at its state.
//
// It fails with code NotFound also when the job is deleted meanwhile.
func (c *Client) Wait(
	ctx context.Context, request *slotdv1.WaitRequest, opts ...grpc.CallOption,
) (*slotdv1.Job, error) {
	left := func() time.Duration { return math.MaxInt64 }
	if request.GetTimeout() != nil {
		end := time.Now().Add(request.GetTimeout().AsDuration())
		left = func() time.Duration { return max(0, time.Until(end)) }
	}
	away := outage{client: c}
	for {
		job, err := c.waitOnce(ctx, request, min(waitSlice, left()), opts)
		switch {
		case err == nil:
			away.answered()
			if Terminal(job.GetState()) || left() == 0 {
				return job, nil
			}
		case left() == 0:
			return nil, err
		default:
			if err := away.pause(ctx, err, left()); err != nil {
				return nil, err
			}
		}
	}
}

// waitOnce is one bounded Wait, which does not hang for ever on a service that has gone.
func (c *Client) waitOnce(
	ctx context.Context, request *slotdv1.WaitRequest, slice time.Duration, opts []grpc.CallOption,
) (*slotdv1.Job, error) {
	ctx, cancel := context.WithTimeout(ctx, slice+waitMargin)
	defer cancel()
	bounded := clone(request)
	bounded.Timeout = durationpb.New(slice)
	answer, err := c.jobs.Wait(ctx, bounded, opts...)
	return answer.GetJob(), err
}
