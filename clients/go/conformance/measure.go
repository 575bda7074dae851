package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/slotd/slotd/clients/go"
	slotdv1 "github.com/slotd/slotd/clients/go/slotd/v1"
)

// measure does what the benchmark asks for, and says how long that takes.
func (d *driver) measure(ctx context.Context, r *request) (any, error) {
	client, err := d.connected()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	switch r.What {
	case "submit":
		err := submitAll(ctx, client, r.Calls, r.Callers)
		return map[string]any{"seconds": time.Since(began).Seconds()}, err
	case "stream":
		count, err := readEvents(ctx, client, r.Events, r.Cursor)
		return map[string]any{"seconds": time.Since(began).Seconds(), "events": count}, err
	case "work":
		config := slotd.WorkerConfig{Addresses: []string{client.Address()}, Slots: r.Slots, Name: "measured"}
		return d.startWorker(ctx, config, map[string]slotd.Handler{"noop": noop, "clock": clock})
	default:
		return nil, fmt.Errorf("there is no way to measure %q", r.What)
	}
}

// submitAll makes so many calls in all, by so many callers at once, each with its next one when the last is answered.
func submitAll(ctx context.Context, client *slotd.Client, calls, callers int) error {
	errs := make(chan error, callers)
	for range callers {
		go func() {
			errs <- submitAgain(ctx, client, calls/callers)
		}()
	}
	var failed error
	for range callers {
		failed = errors.Join(failed, <-errs)
	}
	return failed
}

func submitAgain(ctx context.Context, client *slotd.Client, calls int) error {
	for range calls {
		request := &slotdv1.SubmitRequest{Spec: &slotdv1.JobSpec{Kind: "noop"}}
		if _, err := client.Submit(ctx, request); err != nil {
			return err
		}
	}
	return nil
}

// readEvents reads so many, or those that there are, from a cursor on, and returns how many.
func readEvents(ctx context.Context, client *slotd.Client, events int, cursor string) (int, error) {
	stream := client.Stream(ctx, &slotdv1.StreamRequest{Cursor: cursor})
	defer stream.Close()
	count := 0
	for _, err := range stream.Events() {
		if err != nil {
			return count, err
		}
		if count++; count == events {
			break
		}
	}
	return count, nil
}

func noop(context.Context, *slotd.Task) (any, error) { return nil, nil }

// clock tells when it was called.
func clock(context.Context, *slotd.Task) (any, error) { return monotonic() }
