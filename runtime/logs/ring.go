package logs

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"devstack/internal/clock"
)

// A ring on disk is two files, NAME.log and NAME.old.log, of a JSON Line on each line. Once the first has half of the
// bytes allowed it takes the second's place. Lines are written whole, so whatever kills the process leaves at most one torn one, which
// readers pass over.
const (
	newSuffix = ".log"
	oldSuffix = ".old.log"
)

// retry is how long a ring that cannot write leaves the disk alone.
const retry = 10 * time.Second

// ring is the files of one source. One goroutine uses it at a time, as the source sees to.
type ring struct {
	path  string // without suffix
	half  int64  // bytes at which the files rotate
	clock clock.Clock
	warn  func(error)

	file   *os.File // nil: not open yet, or failed
	size   int64
	failed time.Time // zero: the disk has every line
	gap    bool      // some lines did not get there
	closed bool
	buf    bytes.Buffer
}

func newRing(dir, name string, limit int64, c clock.Clock, warn func(error)) *ring {
	return &ring{path: filepath.Join(dir, url.PathEscape(name)), half: limit / 2, clock: c, warn: warn}
}

// all are the lines in the files, nil if those have not everything that was appended.
func (r *ring) all() []Line {
	if r.gap || r.closed {
		return nil
	}
	return r.read(1 << 62)
}

// append writes lines. A disk that does not take them is left alone for a while: the application comes first.
func (r *ring) append(lines []Line) {
	if r.closed || !r.failed.IsZero() && r.clock.Now().Sub(r.failed) < retry {
		r.gap = true
		return
	}
	if err := r.write(lines); err != nil {
		r.closeFile()
		r.failed, r.gap = r.clock.Now(), true
		r.warn(err)
		return
	}
	r.failed = time.Time{}
}

func (r *ring) write(lines []Line) error {
	for len(lines) > 0 {
		if r.file == nil {
			if err := r.open(); err != nil {
				return err
			}
		}
		r.buf.Reset()
		enc := json.NewEncoder(&r.buf)
		enc.SetEscapeHTML(false)
		for len(lines) > 0 && r.size+int64(r.buf.Len()) < r.half { // as many as the file takes
			if err := enc.Encode(lines[0]); err != nil {
				return err
			}
			lines = lines[1:]
		}
		if err := r.flush(); err != nil {
			return err
		}
	}
	return nil
}

// flush writes what is encoded, and rotates a file that is full.
func (r *ring) flush() error {
	n, err := r.file.Write(r.buf.Bytes())
	r.size += int64(n)
	if err != nil {
		return err
	}
	if r.size < r.half {
		return nil
	}
	r.closeFile()
	return os.Rename(r.path+newSuffix, r.path+oldSuffix)
}

// open opens the newer file and ends a line that was torn when an earlier process died.
func (r *ring) open() error {
	if err := os.MkdirAll(filepath.Dir(r.path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(r.path+newSuffix, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return err
	}
	r.file, r.size = f, info.Size()
	last := []byte{'\n'}
	if r.size > 0 && info.Mode().IsRegular() {
		f.ReadAt(last, r.size-1)
	}
	if last[0] != '\n' {
		n, err := f.WriteString("\n")
		r.size += int64(n)
		return err
	}
	return nil
}

// read returns the lines in the last limit bytes of the two files, oldest first.
func (r *ring) read(limit int64) []Line {
	newer := readEnd(r.path+newSuffix, limit)
	older := readEnd(r.path+oldSuffix, limit-int64(len(newer)))
	return append(parse(older), parse(newer)...)
}

// readEnd returns whole lines from the last limit bytes of a file, nothing if there is no such file.
func readEnd(path string, limit int64) []byte {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || limit <= 0 {
		return nil
	}
	from := max(0, info.Size()-limit)
	b, err := io.ReadAll(io.NewSectionReader(f, from, info.Size()-from))
	if err != nil {
		return nil
	}
	if from > 0 {
		_, b, _ = bytes.Cut(b, []byte("\n"))
	}
	return b
}

// parse reads the lines of a file and passes over what is torn or not ours.
func parse(b []byte) []Line {
	var lines []Line
	for text := range bytes.Lines(b) {
		var l Line
		if json.Unmarshal(text, &l) == nil && l.Source != "" {
			lines = append(lines, l)
		}
	}
	return lines
}

func (r *ring) close() {
	r.closeFile()
	r.closed = true
}

func (r *ring) closeFile() {
	if r.file != nil {
		r.file.Close()
		r.file = nil
	}
}

// namesOnDisk returns the sources that have files in a folder.
func namesOnDisk(dir string) []string {
	if dir == "" {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	var names []string
	for _, e := range entries {
		base, ours := strings.CutSuffix(e.Name(), newSuffix)
		if !ours {
			continue
		}
		if name, err := url.PathUnescape(strings.TrimSuffix(base, ".old")); err == nil {
			names = append(names, name)
		}
	}
	return names
}
