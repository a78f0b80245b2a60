package function

import (
	"hash/maphash"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"

	"devstack/runtime/watch"
)

// What a file was like when it was looked at. Two stamps of a path with the same facts mean the same content, unless
// the first is fresh: a file system's clock ticks every few milliseconds, so a second save within the tick of the first
// may leave size and time as they were. A fresh stamp is therefore compared by content ("racy git", see
// https://git-scm.com/docs/racy-git).
type stamp struct {
	facts   facts
	fresh   bool   // the file had changed so shortly before that facts alone prove nothing
	hashed  bool   // content is known
	content uint64 // hash of a file's bytes or a folder's names
}

// facts are what a stat tells, cheap to get.
type facts struct {
	mode    fs.FileMode // type and permissions; 0 for a path that does not exist
	size    int64
	inode   uint64
	mtime   int64 // nanoseconds
	changed int64 // nanoseconds, ctime: set by the kernel alone, so that `cp -p` and rename cannot hide behind an old mtime
}

const (
	// tick bounds how far a file system's clock runs behind ours: it is read once a timer interrupt, 1 to 10 ms.
	tick = 20 * time.Millisecond
	// coarse is the same for file systems that keep whole seconds.
	coarse = 2 * time.Second
	// eager is the size in bytes up to which content is hashed when a file is first seen, so that a later touch or a
	// checkout back and forth is recognised as no change. Larger files count as changed when their facts do.
	eager = 1 << 20
)

// seed makes hashes of this process comparable.
var seed = maphash.MakeSeed()

// look takes a path's stamp. known, if it is still what the facts say, saves reading the content again.
func look(path string, known stamp) stamp {
	// Asked before the stat: a change after this moment is newer than the stamp claims to know. It is the operating
	// system's time, not the daemon's, that files are dated by.
	now := time.Now()
	s := stamp{facts: factsOf(path)}
	s.fresh = s.facts.freshAt(now)
	if s.facts == known.facts && !known.fresh {
		s.fresh, s.hashed, s.content = false, known.hashed, known.content
		return s
	}
	if s.fresh || s.facts.mode.IsDir() || s.facts.size <= eager {
		s.content, s.hashed = hash(path, s.facts.mode), true
	}
	return s
}

// same reports whether s, taken later than old, proves the same content.
func (s stamp) same(old stamp) bool {
	if s.facts == old.facts && !old.fresh {
		return true
	}
	return s.hashed && old.hashed && s.content == old.content && s.facts.mode == old.facts.mode
}

// untouched is stricter than same: it also proves that the content was never another in between, as far as the file
// system's clock can tell. Of a folder it is the list of names that counts: tools come and go in folders.
func (s stamp) untouched(old stamp) bool {
	return s.same(old) && (s.facts == old.facts || s.facts.mode.IsDir())
}

func (f facts) freshAt(now time.Time) bool {
	if f.mode == 0 {
		return false // nothing there: a file that appears has facts
	}
	window := tick
	if f.mtime%int64(time.Second) == 0 && f.changed%int64(time.Second) == 0 {
		window = coarse
	}
	return max(f.mtime, f.changed) > now.Add(-window).UnixNano()
}

// factsOf follows symbolic links: what counts is what a build would read.
func factsOf(path string) facts {
	info, err := os.Stat(path)
	if err != nil {
		return facts{}
	}
	f := facts{mode: info.Mode(), size: info.Size(), mtime: info.ModTime().UnixNano()}
	if info.IsDir() {
		f.size = 0 // of a folder it means nothing
	}
	f.inode, f.changed = inode(info)
	return f
}

// hash returns a file's content, or a folder's names, as a number. What cannot be read is 0.
func hash(path string, mode fs.FileMode) uint64 {
	if mode.IsDir() {
		return hashNames(path)
	}
	if !mode.IsRegular() {
		return 0
	}
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	var h maphash.Hash
	h.SetSeed(seed)
	if _, err := io.Copy(&h, f); err != nil {
		return 0
	}
	return h.Sum64()
}

func hashNames(dir string) uint64 {
	entries, err := os.ReadDir(dir) // sorted
	if err != nil {
		return 0
	}
	var h maphash.Hash
	h.SetSeed(seed)
	for _, e := range entries {
		if watch.Ignored(e.Name()) {
			continue
		}
		h.WriteString(e.Name())
		h.WriteByte(0)
	}
	return h.Sum64()
}

// snapshot is what a set of paths was like when a build began to read them. Its methods may be called from any
// goroutine.
type snapshot struct {
	began time.Time // operating system's; before the first path was looked at
	pass  shared

	mu     sync.Mutex // held while stamps are refreshed, one pass at a time anyway
	stamps map[string]stamp
	writes int // how often a file was seen to have been written without a change of content
}

// take looks at all paths. Stamps of an older snapshot (nil for none) save reading what has not changed since.
func take(paths []string, older *snapshot) *snapshot {
	s := &snapshot{began: time.Now(), stamps: make(map[string]stamp, len(paths))}
	for _, p := range paths {
		s.stamps[p] = look(p, older.stamp(p))
	}
	return s
}

// current reports whether all paths still have the content they had. The answer is never older than the question: each
// path is looked at after the call began. Callers that ask while somebody looks share the pass that begins next.
func (s *snapshot) current() bool { return s.changed() == "" }

// changed is like current and names a path whose content differs, "" if there is none.
func (s *snapshot) changed() string {
	return s.pass.do(func() string {
		s.mu.Lock()
		defer s.mu.Unlock()
		for path, old := range s.stamps {
			if f := factsOf(path); f == old.facts && !old.fresh {
				continue
			}
			now := look(path, old)
			if !now.same(old) {
				return path
			}
			if !now.untouched(old) {
				s.writes++
			}
			s.stamps[path] = now // touched, or no longer fresh: cheaper to compare from now on
		}
		return ""
	})
}

// written returns a number that grows when a file is seen to have been written without a change of content.
func (s *snapshot) written() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes
}

// untouched reports whether no file has been written to since written was asked, whatever its content is now.
func (s *snapshot) untouched(written int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for path, old := range s.stamps {
		if f := factsOf(path); f != old.facts && !look(path, old).untouched(old) {
			return false
		}
	}
	return s.writes == written
}

// stamp returns what is known of a path, the zero stamp if nothing.
func (s *snapshot) stamp(path string) stamp {
	if s == nil {
		return stamp{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stamps[path]
}

// knows reports whether the snapshot has looked at a path.
func (s *snapshot) knows(path string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.stamps[path]
	return ok
}

// paths are sorted.
func (s *snapshot) paths() []string {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]string, 0, len(s.stamps))
	for p := range s.stamps {
		out = append(out, p)
	}
	slices.Sort(out)
	return out
}

// confirm decides whether a build that began with s and turned out to read inputs has read a consistent and present
// state. If so it returns the snapshot to verify the build against; if not it names what changed meanwhile, and a new
// snapshot over the inputs is the beginning of the next attempt.
//
// An input that s knows must not have been written to, not even with what it had before: the build may have read
// something in between. One that the build discovered must not have changed since the build began, by the kernel's date
// of its last change.
func (s *snapshot) confirm(inputs []string) (after *snapshot, changed string) {
	after = take(inputs, s)
	rewritten := s.written() > 0
	for _, path := range inputs {
		now := after.stamps[path]
		if s.knows(path) {
			if rewritten || !now.untouched(s.stamp(path)) {
				return after, path
			}
		} else if now.facts.freshAt(s.began) {
			return after, path
		}
	}
	return after, ""
}

// shared runs a function for callers who each need a run that begins after their call: those who come during a run
// share the next one.
type shared struct {
	mu   sync.Mutex
	busy bool
	next *round
}

type round struct {
	done   chan struct{}
	result string
}

func (s *shared) do(run func() string) string {
	s.mu.Lock()
	if s.busy {
		if s.next == nil {
			s.next = &round{done: make(chan struct{})}
		}
		r := s.next
		s.mu.Unlock()
		<-r.done
		return r.result
	}
	s.busy = true
	s.mu.Unlock()
	result := run()
	s.mu.Lock()
	waiting := s.next != nil
	s.busy = waiting
	s.mu.Unlock()
	if waiting {
		go s.rounds(run)
	}
	return result
}

// rounds serves those who came during a run, until nobody has.
func (s *shared) rounds(run func() string) {
	for {
		s.mu.Lock()
		r := s.next
		s.next = nil
		if r == nil {
			s.busy = false
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		r.result = run()
		close(r.done)
	}
}
