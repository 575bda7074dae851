package slotd_test

import (
	"context"
	"slices"
	"testing"

	"google.golang.org/grpc/metadata"

	"github.com/slotd/slotd/clients/go"
	slotdv1 "github.com/slotd/slotd/clients/go/slotd/v1"
)

const (
	oneSpan   = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	otherSpan = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"
)

func TestACallSaysWhichTraceItBelongsTo(t *testing.T) {
	var sent metadata.MD
	client := serve(t, &jobService{
		submit: func(ctx context.Context, _ *slotdv1.SubmitRequest) (*slotdv1.SubmitResponse, error) {
			sent, _ = metadata.FromIncomingContext(ctx)
			return &slotdv1.SubmitResponse{}, nil
		},
	})
	plain := metadata.AppendToOutgoingContext(soon(t), "tenant", "a")
	inOne := slotd.ContextWithTraceparent(plain, oneSpan)
	for _, one := range []struct {
		name string
		ctx  context.Context
		want []string
	}{
		{"in a span", inOne, []string{oneSpan}},
		{"in the last one said", slotd.ContextWithTraceparent(inOne, otherSpan), []string{otherSpan}},
		{"in none", slotd.ContextWithTraceparent(plain, ""), nil},
	} {
		if _, err := client.Submit(one.ctx, &slotdv1.SubmitRequest{}); err != nil {
			t.Fatal(err)
		}
		if got := sent.Get("traceparent"); !slices.Equal(got, one.want) {
			t.Errorf("%s: sent %q, want %q", one.name, got, one.want)
		}
		if got := sent.Get("tenant"); !slices.Equal(got, []string{"a"}) {
			t.Errorf("%s: the rest of the metadata is %q", one.name, got)
		}
	}
}
