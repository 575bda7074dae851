package slotd

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
)

// Backoff says how waits, streams and output try again after a cut.
type Backoff struct {
	// Initial is the wait before the first new try.
	Initial time.Duration
	// Max bounds each wait, unless the service asks for more.
	Max time.Duration
	// Multiplier makes each wait so many times the one before.
	Multiplier float64
	// Jitter is the share of itself, 0 to 1, by which each wait is changed at random, so that many readers don't come
	// at once.
	Jitter float64
}

// DefaultBackoff is that of a client without [WithReconnect].
var DefaultBackoff = Backoff{Initial: 100 * time.Millisecond, Max: 10 * time.Second, Multiplier: 2, Jitter: 0.5}

// delay is the wait after so many failures in a row, from 1; chance is from 0 to 1.
func (b Backoff) delay(failures int, chance float64) time.Duration {
	plain := min(float64(b.Max), float64(b.Initial)*math.Pow(b.Multiplier, float64(failures-1)))
	return time.Duration(plain * (1 + b.Jitter*(2*chance-1)))
}

// A service that has never answered is tried so often before the caller hears that there is none.
const firstTries = 4

// outage counts one reader's failures in a row.
type outage struct {
	client   *Client
	failures int
}

// answered says that the service did: the next failure is a first one.
func (o *outage) answered() { o.failures = 0 }

// pause waits before the next try. It returns the error instead where that is the caller's to know, or where the
// context ends first.
func (o *outage) pause(ctx context.Context, err error, atMost time.Duration) error {
	if ctx.Err() != nil || !o.passes(err) {
		return err
	}
	o.failures++
	if !o.client.reached.Load() && o.failures >= firstTries {
		return err
	}
	delay := max(o.client.reconnect.delay(o.failures, rand.Float64()), retryDelay(err))
	timer := time.NewTimer(min(delay, atMost))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return contextError(ctx, err)
	}
}

// passes says whether the same call may work later.
func (o *outage) passes(err error) bool {
	var refused *Error
	if !errors.As(err, &refused) {
		return false
	}
	switch refused.Code {
	case codes.Unavailable, codes.DeadlineExceeded:
		return true
	case codes.Canceled:
		// A server that stops cancels the calls that it has accepted but not begun. A closed client says the same.
		return o.client.conn.GetState() != connectivity.Shutdown
	case codes.ResourceExhausted:
		// The service may still count the stream that was cut, until it notices. A message that is too large has no
		// RetryInfo, and would be too large again.
		return o.client.reached.Load() && refused.RetryInfo != nil
	default:
		return false
	}
}

// retryDelay is what the service asks for; 0 where it does not say.
func retryDelay(err error) time.Duration {
	var refused *Error
	if errors.As(err, &refused) && refused.RetryInfo != nil {
		return refused.RetryInfo.GetRetryDelay().AsDuration()
	}
	return 0
}
