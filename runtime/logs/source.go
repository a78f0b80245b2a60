package logs

import (
	"sync"
)

// source holds the latest lines of one name, and its files.
type source struct {
	limit int // bytes

	mu    sync.Mutex
	lines []Line
	size  int   // bytes of lines, with an allowance for each
	ring  *ring // nil: in memory only
}

// perLine is about what a Line takes beside its text.
const perLine = 96

func (h *Hub) openSource(name string) *source {
	s := &source{limit: h.opts.Memory}
	if h.dir == "" {
		return s
	}
	s.ring = newRing(h.dir, name, int64(h.opts.Disk), h.opts.Clock, h.full)
	for _, l := range s.ring.read(int64(s.limit)) {
		s.remember(l)
	}
	return s
}

func (s *source) append(l Line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remember(l)
	if s.ring != nil {
		s.ring.append(l)
	}
}

// remember keeps a line in memory and forgets the oldest that have no room any more.
func (s *source) remember(l Line) {
	s.lines = append(s.lines, l)
	s.size += perLine + len(l.Text)
	drop := 0
	for s.size > s.limit && drop < len(s.lines)-1 {
		s.size -= perLine + len(s.lines[drop].Text)
		drop++
	}
	// The dropped ones keep their array until append moves the rest; their texts can go now.
	clear(s.lines[:drop])
	s.lines = s.lines[drop:]
}

// tail returns the last n lines: from memory if they are all there, else from disk.
func (s *source) tail(n int) []Line {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines := s.lines
	if n > len(lines) && s.ring != nil && s.ring.complete() {
		if kept := s.ring.read(1 << 62); len(kept) > len(lines) {
			lines = kept
		}
	}
	return append([]Line(nil), lines[max(0, len(lines)-n):]...)
}

func (s *source) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ring != nil {
		s.ring.close()
	}
}
