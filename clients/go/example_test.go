package slotd_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"
	"time"

	"github.com/slotd/slotd/clients/go"
	slotdv1 "github.com/slotd/slotd/clients/go/slotd/v1"
)

func ExampleClient_Submit() {
	ctx := context.Background()
	client, err := slotd.NewClient("127.0.0.1:7433")
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	payload, err := slotd.Encode(map[string]any{"name": "Ada"})
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.Submit(ctx, &slotdv1.SubmitRequest{
		Spec:      &slotdv1.JobSpec{Kind: "greet", Payload: payload},
		RequestId: "greet-ada-2026-11-22",
	})
	var refused *slotd.Error
	if errors.As(err, &refused) {
		for _, violation := range refused.BadRequest.GetFieldViolations() {
			fmt.Println(violation.Field, violation.Description)
		}
	}
}

func ExampleClient_Stream() {
	client, err := slotd.NewClient("")
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	events := client.Stream(context.Background(), &slotdv1.StreamRequest{
		Filter: &slotdv1.JobFilter{Kinds: []string{"thumbnail"}},
	})
	defer events.Close()
	for event, err := range events.Events() {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(event.Revision, event.Job.Id, event.Job.State, events.Cursor())
	}
}

func ExampleWorker() {
	type size struct{ Width, Height int }
	worker := slotd.NewWorker(slotd.WorkerConfig{Slots: 8})
	worker.Handle("resize", slotd.Typed(func(ctx context.Context, task *slotd.Task, to size) (any, error) {
		task.Progress(0, int64(to.Height), "decoding")
		fmt.Fprintf(task, "to %d × %d\n", to.Width, to.Height)
		if to.Width == 0 {
			return nil, slotd.Permanent(errors.New("no width"))
		}
		return map[string]int{"pixels": to.Width * to.Height}, ctx.Err()
	}), &slotd.HandlerOptions{Timeout: time.Minute})

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := worker.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
