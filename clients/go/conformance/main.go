// Command conformance drives the library for slotd's conformance scenario. It reads one JSON object a line on stdin,
// {"id": …, "op": …, arguments}, and writes one for each on stdout, {"id": …, "ok": …} or {"id": …, "error": …}, in
// whatever order they come to their end. At the end of stdin it closes everything.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
)

// A SubmitBatch of 16 MiB of payload in base64 is one line.
const lineBytes = 64 << 20

func main() {
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err := run(os.Stdin, os.Stdout); err != nil {
		slog.Error("stopped", "error", err)
		os.Exit(1)
	}
}

// run serves requests until their end.
func run(in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(context.Background())
	d := newDriver()
	var calls sync.WaitGroup
	defer func() {
		cancel()
		calls.Wait()
		d.close()
	}()

	answers := answerWriter{out: out}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, lineBytes)
	for lines.Scan() {
		var r request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return fmt.Errorf("not a request: %w", err)
		}
		if op, is := d.immediate[r.Op]; is {
			ok, err := op(ctx, &r)
			answers.write(r.ID, ok, err)
			continue
		}
		op, is := d.concurrent[r.Op]
		if !is {
			answers.write(r.ID, nil, errCannot)
			continue
		}
		calls.Add(1)
		go func() {
			defer calls.Done()
			ok, err := op(ctx, &r)
			answers.write(r.ID, ok, err)
		}()
	}
	return lines.Err()
}

// request is a line of stdin: an operation with the arguments of all of them, of which it takes its own.
type request struct {
	ID json.RawMessage `json:"id"`
	Op string          `json:"op"`

	Address      string            `json:"address"`
	Addresses    []string          `json:"addresses"`
	Callers      int               `json:"callers"`
	Calls        int               `json:"calls"`
	Count        int               `json:"count"`
	Cursor       string            `json:"cursor"`
	DrainSeconds float64           `json:"drain_seconds"`
	Events       int               `json:"events"`
	Follow       bool              `json:"follow"`
	Force        bool              `json:"force"`
	JobID        string            `json:"job_id"`
	JSON         json.RawMessage   `json:"json"`
	Kinds        []string          `json:"kinds"`
	Offset       int64             `json:"offset"`
	Request      json.RawMessage   `json:"request"`
	Requests     []json.RawMessage `json:"requests"`
	Seconds      *float64          `json:"seconds"`
	Slots        int               `json:"slots"`
	Stream       string            `json:"stream"`
	Timeout      *float64          `json:"timeout"`
	Traceparent  string            `json:"traceparent"`
	Type         string            `json:"type"`
	Until        string            `json:"until"`
	View         string            `json:"view"`
	What         string            `json:"what"`
	Worker       string            `json:"worker"`
}

// operation does what a request asks for, and returns what to answer.
type operation func(context.Context, *request) (any, error)

// answerWriter writes answers one at a time.
type answerWriter struct {
	mu  sync.Mutex
	out io.Writer
}

func (w *answerWriter) write(id json.RawMessage, ok any, err error) {
	answer := map[string]any{"id": id}
	if err != nil {
		answer["error"] = describe(err)
	} else {
		answer["ok"] = ok
	}
	line, err := json.Marshal(answer)
	if err != nil {
		line, _ = json.Marshal(map[string]any{"id": id, "error": describe(err)})
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := w.out.Write(append(line, '\n')); err != nil && !errors.Is(err, os.ErrClosed) {
		slog.Error("an answer could not be written", "error", err)
	}
}
