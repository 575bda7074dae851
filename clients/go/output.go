package slotd

import (
	"context"
	"errors"
	"io"
	"iter"
	"sync"

	"google.golang.org/grpc"

	slotdv1 "github.com/slotd/slotd/clients/go/slotd/v1"
)

// OutputStream is what a job wrote, from a byte offset on; cut, it goes on from the byte where it was cut. It is an
// io.ReadCloser. One goroutine reads; the other methods may be called by any.
type OutputStream struct {
	reader *reader[slotdv1.ReadOutputResponse]
	// Received and not yet read.
	rest []byte
	eof  bool

	// Guards the fields below.
	mu        sync.Mutex
	request   *slotdv1.ReadOutputRequest
	received  int64
	offset    int64
	truncated bool
}

var (
	_ io.ReadCloser = (*OutputStream)(nil)
	_ io.WriterTo   = (*OutputStream)(nil)
)

// ReadOutput reads what a job wrote, from the request's offset; with follow until the job is terminal. Close it, or let
// ctx end.
func (c *Client) ReadOutput(
	ctx context.Context, request *slotdv1.ReadOutputRequest, opts ...grpc.CallOption,
) *OutputStream {
	s := &OutputStream{request: clone(request), received: request.GetOffset(), offset: request.GetOffset()}
	s.reader = newReader(
		ctx, c, func(ctx context.Context) (grpc.ServerStreamingClient[slotdv1.ReadOutputResponse], error) {
			return c.jobs.ReadOutput(ctx, s.next(), opts...)
		})
	return s
}

// Read reads bytes as they come. At the end, and once closed, it returns io.EOF.
func (s *OutputStream) Read(buffer []byte) (int, error) {
	if len(buffer) == 0 {
		return 0, nil
	}
	for len(s.rest) == 0 {
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(buffer, s.rest)
	s.took(n)
	return n, nil
}

// WriteTo writes all that comes, piece by piece as it comes. It is what io.Copy uses.
func (s *OutputStream) WriteTo(w io.Writer) (int64, error) {
	var written int64
	for piece, err := range s.Pieces() {
		if err != nil {
			return written, err
		}
		n, err := w.Write(piece)
		written += int64(n)
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// Pieces iterates over the bytes in the pieces in which they come, which are not empty. It ends after the first error.
func (s *OutputStream) Pieces() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for {
			for len(s.rest) == 0 {
				if err := s.fill(); errors.Is(err, io.EOF) {
					return
				} else if err != nil {
					yield(nil, err)
					return
				}
			}
			piece := s.rest
			s.took(len(piece))
			if !yield(piece, nil) {
				return
			}
		}
	}
}

// Close ends the stream, also under a reader in another goroutine. It returns nil.
func (s *OutputStream) Close() error {
	s.reader.close()
	return nil
}

// Offset is the byte after what has been read.
func (s *OutputStream) Offset() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.offset
}

// Truncated says that the job wrote more than is kept; it is known at the end.
func (s *OutputStream) Truncated() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.truncated
}

// next is what the next call asks for.
func (s *OutputStream) next() *slotdv1.ReadOutputRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	request := clone(s.request)
	request.Offset = s.received
	return request
}

// fill receives a message; what it brings may be empty.
func (s *OutputStream) fill() error {
	if s.eof {
		return io.EOF
	}
	message, err := s.reader.recv()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	data := message.GetData()
	// Less what was received before.
	s.rest = data[min(int64(len(data)), max(0, s.received-message.GetOffset())):]
	s.received = max(s.received, message.GetOffset()+int64(len(data)))
	s.truncated = s.truncated || message.GetTruncated()
	if message.GetEof() {
		s.eof = true
		s.reader.close()
	}
	return nil
}

func (s *OutputStream) took(n int) {
	s.rest = s.rest[n:]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offset += int64(n)
}
