package spawn

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// gauge reads what a process has held. It is asked with every event: its file stays open, and what was read a moment ago counts.
type gauge struct {
	mu     sync.Mutex
	file   *os.File // nil: not asked yet, or closed
	buffer []byte
	read   time.Time // when it was read last
	closed bool
}

// moment is how old a reading may be, in real time: memory costs a process a fault for each page, so in a millisecond it comes to a few
// megabytes at most.
const moment = time.Millisecond

// peak is the most memory that the process has held so far, in bytes; 0 if it is gone, or was asked just now.
//
// https://man7.org/linux/man-pages/man5/proc_pid_status.5.html (VmHWM)
func (g *gauge) peak(pid int) int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if g.closed || now.Sub(g.read) < moment {
		return 0
	}
	g.read = now
	if g.file == nil {
		f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			return 0
		}
		g.file, g.buffer = f, make([]byte, 4<<10)
	}
	n, _ := g.file.ReadAt(g.buffer, 0) // all of it, or nothing
	return sum(g.buffer[:n], "VmHWM")
}

func (g *gauge) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	if g.file != nil {
		g.file.Close()
		g.file = nil
	}
}

// held is the memory that a process and all its descendants hold now and that no file backs: what a kernel out of memory
// could not take from them. A program's own text is not part of it.
func held(pid int) int64 {
	total := int64(0)
	seen := map[int]bool{}
	for left := []int{pid}; len(left) > 0; {
		at := left[len(left)-1]
		left = left[:len(left)-1]
		if seen[at] {
			continue
		}
		seen[at] = true
		total += sum(status(at), "RssAnon", "RssShmem")
		left = append(left, children(at)...)
	}
	return total
}

// children of a process, whichever of its threads started them. Kernels without CONFIG_PROC_CHILDREN name none.
func children(pid int) []int {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		panic(err) // the pattern is sound
	}
	var out []int
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		for _, field := range bytes.Fields(text) {
			if child, err := strconv.Atoi(string(field)); err == nil {
				out = append(out, child)
			}
		}
	}
	return out
}

// status is what the kernel tells of a process, nothing if it is gone.
func status(pid int) []byte {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return nil
	}
	return text
}

// sum adds up values of a status, in bytes.
func sum(status []byte, names ...string) int64 {
	total := int64(0)
	for _, name := range names {
		_, after, found := bytes.Cut(status, []byte("\n"+name+":"))
		line, _, _ := bytes.Cut(after, []byte("\n"))
		fields := bytes.Fields(line)
		if !found || len(fields) == 0 {
			continue
		}
		if kib, err := strconv.ParseInt(string(fields[0]), 10, 64); err == nil {
			total += kib << 10
		}
	}
	return total
}
