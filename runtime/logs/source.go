package logs

import (
	"sync"
)

// source holds the latest lines of one name, and its files.
//
// Lines go to the disk beside whoever appends them, who may be answering somebody: those of some milliseconds together, see gather. A
// process that is killed loses what it wrote in its last moment.
type source struct {
	limit int // bytes

	mu      sync.Mutex
	lines   []Line
	size    int       // bytes of lines, with an allowance for each
	ring    *ring     // nil: in memory only
	pending []Line    // that are not on the disk; Hub.deliver has them written, if nobody does before
	writing bool      // somebody brings them there
	moved   sync.Cond // told when some, or all, have got there
}

// maxPending bounds the lines that are on their way to the disk.
const maxPending = 1000

// perLine is about what a Line takes beside its text.
const perLine = 96

func (h *Hub) openSource(name string) *source {
	s := &source{limit: h.opts.Memory}
	s.moved.L = &s.mu
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
	if s.ring == nil {
		return
	}
	for len(s.pending) >= maxPending { // a disk that is too slow for them is waited for
		s.moved.Wait()
	}
	s.pending = append(s.pending, l)
	if len(s.pending) == maxPending/2 {
		go s.write()
	}
}

// write brings lines to the disk until none is left, unless somebody does already.
func (s *source) write() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writeLocked()
}

// writeLocked gives the mutex up while it writes. The ring is its own meanwhile.
func (s *source) writeLocked() {
	if s.writing || len(s.pending) == 0 {
		return
	}
	s.writing = true
	var spare []Line
	for len(s.pending) > 0 {
		lines := s.pending
		s.pending = spare[:0]
		s.mu.Unlock()
		s.ring.append(lines)
		clear(lines)
		spare = lines
		s.mu.Lock()
		s.moved.Broadcast()
	}
	s.writing = false
	s.moved.Broadcast()
}

// settleLocked sees to it that every line is on the disk, and nobody uses the ring.
func (s *source) settleLocked() {
	s.writeLocked()
	for s.writing {
		s.moved.Wait()
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
	if n > len(lines) && s.ring != nil {
		s.settleLocked()
		if kept := s.ring.all(); len(kept) > len(s.lines) {
			lines = kept
		} else {
			lines = s.lines
		}
	}
	return append([]Line(nil), lines[max(0, len(lines)-n):]...)
}

func (s *source) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settleLocked()
	if s.ring != nil {
		s.ring.close()
	}
}
