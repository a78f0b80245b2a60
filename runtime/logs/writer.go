package logs

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

// Writer returns a writer whose lines are appended to a source. A line longer than Options.MaxLine is split; what has no
// newline yet is a line when the writer is closed.
func (h *Hub) Writer(name string) io.WriteCloser { return h.StreamWriter(name, "") }

// StreamWriter is Writer for one of a program's streams, "stdout" or "stderr".
func (h *Hub) StreamWriter(name, stream string) io.WriteCloser {
	return &writer{hub: h, name: name, stream: stream}
}

// writer cuts what is written into lines.
type writer struct {
	hub          *Hub
	name, stream string

	mu   sync.Mutex
	rest []byte // of a line that has not ended
}

// Write never fails.
func (w *writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(p)
	for len(p) > 0 {
		room := w.hub.opts.MaxLine - len(w.rest)
		end := bytes.IndexByte(p[:min(len(p), room+1)], '\n')
		switch {
		case end >= 0:
			w.line(p[:end])
			p = p[end+1:]
		case len(p) > room:
			w.line(p[:room])
			p = p[room:]
		default:
			w.rest = append(w.rest, p...)
			p = nil
		}
	}
	return n, nil
}

// line appends what is left over and the given end as one line.
func (w *writer) line(end []byte) {
	text := string(append(w.rest, end...))
	w.rest = w.rest[:0]
	w.hub.Append(w.name, Line{Stream: w.stream, Text: strings.TrimSuffix(text, "\r")})
}

// Close appends what has no newline. It never fails.
func (w *writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.rest) > 0 {
		w.line(nil)
	}
	return nil
}
