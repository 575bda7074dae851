package slotd

import (
	"context"

	"google.golang.org/grpc/metadata"
)

const traceparentKey = "traceparent"

// ContextWithTraceparent returns a context whose calls say that they belong to a span, given as W3C Trace Context has
// it: jobs that Submit makes with it go on in that trace. An empty traceparent changes nothing.
//
// In a [Handler], task.Job.GetTraceparent() is the span that submitted the job. Who uses OpenTelemetry needs none of
// this to submit jobs: its interceptors, given to [WithDialOptions], say what the current span is.
func ContextWithTraceparent(ctx context.Context, traceparent string) context.Context {
	if traceparent == "" {
		return ctx
	}
	sent, _ := metadata.FromOutgoingContext(ctx)
	sent = sent.Copy()
	if sent == nil {
		sent = metadata.MD{}
	}
	sent.Set(traceparentKey, traceparent)
	return metadata.NewOutgoingContext(ctx, sent)
}
