package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/slotd/slotd/clients/go"
)

// worker is one that runs, until it has left.
type worker struct {
	*slotd.Worker
	left chan struct{}
	// Why it has left; set before left is closed.
	err error
}

func (d *driver) workerStart(ctx context.Context, r *request) (any, error) {
	addresses := r.Addresses
	if r.Address != "" {
		addresses = append(addresses, r.Address)
	}
	if len(addresses) == 0 {
		client, err := d.connected()
		if err != nil {
			return nil, err
		}
		addresses = []string{client.Address()}
	}
	script := scripted{seen: map[string]bool{}}
	handlers := map[string]slotd.Handler{}
	for _, kind := range r.Kinds {
		handlers[kind] = slotd.Typed(script.run)
	}
	return d.startWorker(ctx, slotd.WorkerConfig{Addresses: addresses, Slots: r.Slots, Name: r.Worker}, handlers)
}

// startWorker returns once the worker is connected.
func (d *driver) startWorker(
	ctx context.Context, config slotd.WorkerConfig, handlers map[string]slotd.Handler,
) (any, error) {
	started := &worker{Worker: slotd.NewWorker(config), left: make(chan struct{})}
	for kind, handler := range handlers {
		started.Handle(kind, handler, nil)
	}
	d.mu.Lock()
	d.workers[config.Name] = started
	d.mu.Unlock()
	go func() {
		defer close(started.left)
		started.err = started.Run(context.Background())
		if started.err != nil {
			slog.Error("a worker has left", "worker", config.Name, "error", started.err)
		}
	}()
	select {
	case <-started.Ready():
		return map[string]string{"worker_id": started.ID()}, nil
	case <-started.left:
		return nil, started.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (d *driver) workerStop(ctx context.Context, r *request) (any, error) {
	d.mu.Lock()
	stopped, is := d.workers[r.Worker]
	delete(d.workers, r.Worker)
	d.mu.Unlock()
	if !is {
		return nil, fmt.Errorf("no worker is named %q", r.Worker)
	}
	ctx, cancel := context.WithTimeout(ctx, duration(r.DrainSeconds))
	defer cancel()
	stopped.Shutdown(ctx)
	<-stopped.left
	return struct{}{}, stopped.err
}

// stopWorkers makes all workers leave at once.
func (d *driver) stopWorkers() {
	d.mu.Lock()
	defer d.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for name, one := range d.workers {
		one.Shutdown(ctx)
		<-one.left
		delete(d.workers, name)
	}
}

// scripted is the handler that does what its payload says, step by step.
type scripted struct {
	mu sync.Mutex
	// The jobs that have been snoozed.
	seen map[string]bool
}

type script struct {
	Do []step `json:"do"`
}

type step struct {
	Context        bool              `json:"context"`
	Dependencies   bool              `json:"dependencies"`
	Fail           *string           `json:"fail"`
	Permanent      *string           `json:"permanent"`
	Progress       []json.RawMessage `json:"progress"`
	Result         json.RawMessage   `json:"result"`
	Sleep          *float64          `json:"sleep"`
	Snooze         *float64          `json:"snooze"`
	UntilCancelled bool              `json:"until_cancelled"`
	Write          *string           `json:"write"`
}

func (s *scripted) run(ctx context.Context, task *slotd.Task, script script) (any, error) {
	for _, step := range script.Do {
		result, done, err := s.step(ctx, task, step)
		if done || err != nil {
			return result, err
		}
	}
	return nil, nil
}

// step does one; done says that the script ends with it.
func (s *scripted) step(ctx context.Context, task *slotd.Task, step step) (result any, done bool, err error) {
	switch {
	case step.Progress != nil:
		return nil, false, progress(task, step.Progress)
	case step.Write != nil:
		_, err := task.Write([]byte(*step.Write))
		return nil, false, err
	case step.Sleep != nil:
		select {
		case <-time.After(duration(*step.Sleep)):
		case <-ctx.Done():
		}
		return nil, false, nil
	case step.UntilCancelled:
		<-ctx.Done()
		return nil, true, context.Cause(ctx)
	case step.Fail != nil:
		return nil, true, errors.New(*step.Fail)
	case step.Permanent != nil:
		return nil, true, slotd.Permanent(errors.New(*step.Permanent))
	case step.Snooze != nil:
		if s.first(task.Job.GetId()) {
			return nil, true, slotd.Snooze(duration(*step.Snooze))
		}
		return nil, false, nil
	case step.Context:
		return describeTask(task), true, nil
	case step.Dependencies:
		result, err := dependencies(ctx, task)
		return result, true, err
	default:
		return step.Result, true, nil
	}
}

// first says whether this is the first time that the job comes by.
func (s *scripted) first(job string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.seen[job]
	s.seen[job] = true
	return !before
}

// progress takes [done, total, message], of which the last two may be missing.
func progress(task *slotd.Task, arguments []json.RawMessage) error {
	var done, total int64
	var message string
	for i, target := range []any{&done, &total, &message} {
		if i < len(arguments) {
			if err := json.Unmarshal(arguments[i], target); err != nil {
				return err
			}
		}
	}
	task.Progress(done, total, message)
	return nil
}

func describeTask(task *slotd.Task) any {
	labels := task.Job.GetSpec().GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	return map[string]any{
		"job_id":      task.Job.GetId(),
		"attempt":     task.Job.GetAttempt(),
		"kind":        task.Job.GetSpec().GetKind(),
		"queue":       task.Job.GetSpec().GetQueue(),
		"labels":      labels,
		"traceparent": task.Job.GetTraceparent(),
	}
}

func dependencies(ctx context.Context, task *slotd.Task) (any, error) {
	results, err := task.Results(ctx)
	if err != nil {
		return nil, err
	}
	values := map[string]any{}
	for name, payload := range results {
		if values[name], err = decoded(payload); err != nil {
			return nil, err
		}
	}
	return values, nil
}
