package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/slotd/slotd/clients/go"
	slotdv1 "github.com/slotd/slotd/clients/go/slotd/v1"
)

// driver holds what requests refer to: the client, and streams and workers by name.
type driver struct {
	// Operations that are done before the next line is read, since it may refer to what they make; none waits for the
	// service.
	immediate map[string]operation
	// Operations that run beside each other.
	concurrent map[string]operation

	mu      sync.Mutex
	client  *slotd.Client
	timeout time.Duration
	streams map[string]*stream
	workers map[string]*worker
}

func newDriver() *driver {
	d := &driver{streams: map[string]*stream{}, workers: map[string]*worker{}}
	d.immediate = map[string]operation{
		"call_timeout": d.callTimeout,
		"connect":      d.connect,
		"stream_open":  d.streamOpen,
	}
	d.concurrent = map[string]operation{
		"cancel":       d.cancel,
		"delete":       d.delete,
		"echo_message": echoMessage,
		"get":          d.get,
		"list":         d.list,
		"list_page":    d.listPage,
		"measure":      d.measure,
		"output":       d.output,
		"payload":      d.payload,
		"retry":        d.retry,
		"stream_close": d.streamClose,
		"stream_read":  d.streamRead,
		"submit":       d.submit,
		"submit_batch": d.submitBatch,
		"wait":         d.wait,
		"worker_start": d.workerStart,
		"worker_stop":  d.workerStop,
	}
	return d
}

func (d *driver) connect(_ context.Context, r *request) (any, error) {
	client, err := slotd.NewClient(r.Address)
	if err != nil {
		return nil, err
	}
	d.closeClient()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.client = client
	return map[string]string{"language": "go", "version": slotd.Version}, nil
}

// closeClient closes the client and its streams, where there is one.
func (d *driver) closeClient() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, stream := range d.streams {
		stream.close()
		delete(d.streams, name)
	}
	if d.client != nil {
		_ = d.client.Close()
		d.client = nil
	}
}

func (d *driver) close() {
	d.closeClient()
	d.stopWorkers()
}

func (d *driver) callTimeout(_ context.Context, r *request) (any, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.timeout = 0
	if r.Seconds != nil {
		d.timeout = duration(*r.Seconds)
	}
	return struct{}{}, nil
}

// connected returns the client.
func (d *driver) connected() (*slotd.Client, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.client == nil {
		return nil, fmt.Errorf("connect comes first")
	}
	return d.client, nil
}

// call returns the client, and the context for a unary call, with the deadline that call_timeout has set.
func (d *driver) call(ctx context.Context) (context.Context, context.CancelFunc, *slotd.Client, error) {
	client, err := d.connected()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timeout > 0 {
		ctx, cancel := context.WithTimeout(ctx, d.timeout)
		return ctx, cancel, client, err
	}
	return ctx, func() {}, client, err
}

func (d *driver) submit(ctx context.Context, r *request) (any, error) {
	ctx, cancel, client, err := d.call(ctx)
	defer cancel()
	if err != nil {
		return nil, err
	}
	message, err := parsed(r.Request, &slotdv1.SubmitRequest{})
	if err != nil {
		return nil, err
	}
	return printed(client.Submit(slotd.ContextWithTraceparent(ctx, r.Traceparent), message))
}

func (d *driver) submitBatch(ctx context.Context, r *request) (any, error) {
	ctx, cancel, client, err := d.call(ctx)
	defer cancel()
	if err != nil {
		return nil, err
	}
	batch := &slotdv1.SubmitBatchRequest{}
	for _, one := range r.Requests {
		message, err := parsed(one, &slotdv1.SubmitRequest{})
		if err != nil {
			return nil, err
		}
		batch.Requests = append(batch.Requests, message)
	}
	return printed(client.SubmitBatch(ctx, batch))
}

func (d *driver) get(ctx context.Context, r *request) (any, error) {
	ctx, cancel, client, err := d.call(ctx)
	defer cancel()
	if err != nil {
		return nil, err
	}
	view := slotdv1.JobView(slotdv1.JobView_value[r.View])
	return printed(client.Get(ctx, &slotdv1.GetRequest{Id: r.JobID, View: view}))
}

func (d *driver) list(ctx context.Context, r *request) (any, error) {
	ctx, cancel, client, err := d.call(ctx)
	defer cancel()
	if err != nil {
		return nil, err
	}
	message, err := parsed(r.Request, &slotdv1.ListRequest{})
	if err != nil {
		return nil, err
	}
	jobs := []any{}
	for job, err := range client.List(ctx, message) {
		one, err := printed(job, err)
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, one)
	}
	return map[string]any{"jobs": jobs}, nil
}

func (d *driver) listPage(ctx context.Context, r *request) (any, error) {
	ctx, cancel, client, err := d.call(ctx)
	defer cancel()
	if err != nil {
		return nil, err
	}
	message, err := parsed(r.Request, &slotdv1.ListRequest{})
	if err != nil {
		return nil, err
	}
	return printed(client.ListPage(ctx, message))
}

func (d *driver) wait(ctx context.Context, r *request) (any, error) {
	client, err := d.connected()
	if err != nil {
		return nil, err
	}
	message := &slotdv1.WaitRequest{Id: r.JobID}
	if r.Timeout != nil {
		message.Timeout = durationpb.New(duration(*r.Timeout))
	}
	return printed(client.Wait(ctx, message))
}

func (d *driver) cancel(ctx context.Context, r *request) (any, error) {
	ctx, cancel, client, err := d.call(ctx)
	defer cancel()
	if err != nil {
		return nil, err
	}
	return printed(client.Cancel(ctx, &slotdv1.CancelRequest{Id: r.JobID}))
}

func (d *driver) retry(ctx context.Context, r *request) (any, error) {
	ctx, cancel, client, err := d.call(ctx)
	defer cancel()
	if err != nil {
		return nil, err
	}
	return printed(client.Retry(ctx, &slotdv1.RetryRequest{Id: r.JobID}))
}

func (d *driver) delete(ctx context.Context, r *request) (any, error) {
	ctx, cancel, client, err := d.call(ctx)
	defer cancel()
	if err != nil {
		return nil, err
	}
	return struct{}{}, client.Delete(ctx, &slotdv1.DeleteRequest{Id: r.JobID, Force: r.Force})
}

func (d *driver) output(ctx context.Context, r *request) (any, error) {
	client, err := d.connected()
	if err != nil {
		return nil, err
	}
	if r.Timeout != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, duration(*r.Timeout))
		defer cancel()
	}
	output := client.ReadOutput(ctx, &slotdv1.ReadOutputRequest{Id: r.JobID, Offset: r.Offset, Follow: r.Follow})
	defer output.Close()
	data, err := io.ReadAll(output)
	return map[string]any{"data": data, "truncated": output.Truncated()}, err
}

func (d *driver) payload(ctx context.Context, r *request) (any, error) {
	ctx, cancel, client, err := d.call(ctx)
	defer cancel()
	if err != nil {
		return nil, err
	}
	job, err := client.Get(ctx, &slotdv1.GetRequest{Id: r.JobID})
	if err != nil {
		return nil, err
	}
	value, err := decoded(job.GetResult())
	return map[string]any{"content_type": job.GetResult().GetContentType(), "value": value}, err
}

// decoded is what a payload holds, for an answer in JSON: numbers keep all their digits, bytes become base64.
func decoded(payload *slotdv1.Payload) (any, error) {
	if strings.HasPrefix(payload.GetContentType(), slotd.ContentTypeJSON) {
		var value json.RawMessage
		err := slotd.Decode(payload, &value)
		return value, err
	}
	var value any
	err := slotd.Decode(payload, &value)
	return value, err
}
