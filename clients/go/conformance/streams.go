package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/slotd/slotd/clients/go"
	slotdv1 "github.com/slotd/slotd/clients/go/slotd/v1"
)

const readTimeout = 30 * time.Second

// stream is an open stream, and what has been received and not been read.
type stream struct {
	received chan delivery
	cancel   context.CancelFunc

	// Held by who reads.
	mu      sync.Mutex
	waiting []delivery
	cursor  string
	synced  bool
}

// delivery is a message, or the end: io.EOF or an error.
type delivery struct {
	events []*slotdv1.JobEvent
	synced bool
	cursor string
	err    error
}

func (d *driver) streamOpen(ctx context.Context, r *request) (any, error) {
	client, err := d.connected()
	if err != nil {
		return nil, err
	}
	message, err := parsed(r.Request, &slotdv1.StreamRequest{})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	opened := &stream{received: make(chan delivery), cancel: cancel, cursor: message.GetCursor()}
	d.mu.Lock()
	defer d.mu.Unlock()
	if before, is := d.streams[r.Stream]; is {
		before.close()
	}
	d.streams[r.Stream] = opened
	go opened.receive(ctx, client, message)
	return struct{}{}, nil
}

func (d *driver) streamClose(_ context.Context, r *request) (any, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	opened, is := d.streams[r.Stream]
	if !is {
		return nil, fmt.Errorf("no stream is named %q", r.Stream)
	}
	delete(d.streams, r.Stream)
	opened.close()
	return struct{}{}, nil
}

func (d *driver) streamRead(ctx context.Context, r *request) (any, error) {
	d.mu.Lock()
	opened, is := d.streams[r.Stream]
	d.mu.Unlock()
	if !is {
		return nil, fmt.Errorf("no stream is named %q", r.Stream)
	}
	timeout := readTimeout
	if r.Timeout != nil {
		timeout = duration(*r.Timeout)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	opened.mu.Lock()
	defer opened.mu.Unlock()
	return opened.read(ctx, r.Count, r.Until)
}

func (s *stream) close() { s.cancel() }

// receive reads the stream, a message ahead of who reads here.
func (s *stream) receive(ctx context.Context, client *slotd.Client, message *slotdv1.StreamRequest) {
	events := client.Stream(ctx, message)
	defer events.Close()
	for {
		message, err := events.Recv()
		next := delivery{
			events: message.GetEvents(), synced: message.GetSynced(), cursor: events.Cursor(), err: err,
		}
		select {
		case s.received <- next:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// read waits for so many events (0: any number), or until "synced" or "end", and hands them out.
func (s *stream) read(ctx context.Context, count int, until string) (any, error) {
	for {
		there, ended, err := s.look()
		switch {
		case count > 0 && there >= count:
			return s.hand(count)
		case ended:
			return s.hand(there)
		case err != nil:
			return nil, err
		case until == "synced" && (s.synced || s.syncs()), count == 0 && until == "" && there > 0:
			return s.hand(there)
		}
		select {
		case next := <-s.received:
			s.waiting = append(s.waiting, next)
		case <-ctx.Done():
			return nil, errLate
		}
	}
}

// look says how many events wait, whether the end has come, and which error.
func (s *stream) look() (there int, ended bool, err error) {
	for _, one := range s.waiting {
		there += len(one.events)
		if errors.Is(one.err, io.EOF) {
			ended = true
		} else if one.err != nil {
			err = one.err
		}
	}
	return there, ended, err
}

// syncs says whether one of the messages that wait says that the stream is synced.
func (s *stream) syncs() bool {
	for _, one := range s.waiting {
		if one.synced {
			return true
		}
	}
	return false
}

// hand answers with the first so many events, and what holds after them.
func (s *stream) hand(count int) (any, error) {
	events := []json.RawMessage{}
	ended := false
	for len(s.waiting) > 0 {
		first := &s.waiting[0]
		for ; len(first.events) > 0 && count > 0; count-- {
			event, err := printed(first.events[0], nil)
			if err != nil {
				return nil, err
			}
			events = append(events, event.(json.RawMessage))
			first.events = first.events[1:]
		}
		if len(first.events) > 0 {
			break
		}
		if first.err != nil {
			// It stays: later reads get the same.
			ended = errors.Is(first.err, io.EOF)
			break
		}
		s.synced, s.cursor = s.synced || first.synced, first.cursor
		s.waiting = s.waiting[1:]
	}
	return map[string]any{"events": events, "synced": s.synced, "cursor": s.cursor, "ended": ended}, nil
}
