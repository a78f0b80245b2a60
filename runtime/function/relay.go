package function

import (
	"context"
	"errors"
	"sync"
	"time"

	"devstack/internal/clock"
)

// relay brings a streamed response from the goroutine that has the sandbox to the one that called Invoke, so that a caller's
// Stream is used by its own goroutine alone, and by nobody after Invoke has returned. A nil relay is that of a caller who wants
// no stream.
type relay struct {
	way  chan piece
	left chan struct{} // closed when the caller has gone
}

// piece is one call of a Stream.
type piece struct {
	contentType string // of Begin
	b           []byte // of Write
	begin       bool
	done        chan<- written
}

type written struct {
	n   int
	err error
}

var (
	errReaderGone = errors.New("the reader of the response has gone")
	errOver       = errors.New("the invocation is over")
)

func newRelay() *relay { return &relay{way: make(chan piece), left: make(chan struct{})} }

// pieces are for the caller to pass on.
func (r *relay) pieces() <-chan piece {
	if r == nil {
		return nil
	}
	return r.way
}

// leave says that nobody passes on any more.
func (r *relay) leave() {
	if r != nil {
		close(r.left)
	}
}

func (p piece) pass(to Stream) {
	if p.begin {
		to.Begin(p.contentType)
		p.done <- written{}
		return
	}
	n, err := to.Write(p.b)
	p.done <- written{n, err}
}

// open is the Stream that a sandbox is given. It ends with ctx.
func (r *relay) open(ctx context.Context, c clock.Clock) *relayed {
	return &relayed{r: r, ctx: ctx, clock: c, over: make(chan struct{})}
}

// shut says that the sandbox has answered, or lost its event.
func (r *relay) shut(s Stream) {
	if s, ok := s.(*relayed); ok {
		s.end.Do(func() { close(s.over) })
	}
}

// relayed is the sandbox's end of a relay.
type relayed struct {
	r     *relay
	ctx   context.Context
	clock clock.Clock
	over  chan struct{}
	end   sync.Once

	mu    sync.Mutex
	first time.Time // when the response began
	bytes int64     // that were passed on
}

// Begin passes the content type on.
func (s *relayed) Begin(contentType string) {
	s.mu.Lock()
	s.first = s.clock.Now()
	s.mu.Unlock()
	s.send(piece{contentType: contentType, begin: true})
}

// Write passes a piece on and waits until it is taken.
func (s *relayed) Write(b []byte) (int, error) {
	n, err := s.send(piece{b: b})
	s.mu.Lock()
	s.bytes += int64(n)
	s.mu.Unlock()
	return n, err
}

// sent says when the response began, and how much of it was passed on. It never did if the time is zero.
func (s *relayed) sent() (first time.Time, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.first, s.bytes
}

// send gives up as soon as the event is over. The caller may then still have the piece: it is copied, since the buffer is the
// sandbox's again.
func (s *relayed) send(p piece) (int, error) {
	done := make(chan written, 1)
	p.done = done
	p.b = append([]byte(nil), p.b...)
	select {
	case <-s.over: // before the others: a caller may still be waiting
		return 0, errOver
	default:
	}
	select {
	case s.r.way <- p:
	case <-s.r.left:
		return 0, errReaderGone
	case <-s.over:
		return 0, errOver
	case <-s.ctx.Done():
		return 0, context.Cause(s.ctx)
	}
	select {
	case w := <-done:
		return w.n, w.err
	case <-s.over:
		return 0, errOver
	case <-s.ctx.Done():
		return 0, context.Cause(s.ctx)
	}
}
