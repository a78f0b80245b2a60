package function

import (
	"os"
	"path/filepath"
	"strings"
	"time"
)

// When a build that nobody waits for begins.
//
// The first change is built at once: most often it is a save, and somebody is about to look. Two things tell that many changes are
// on their way, a `git checkout` or a tool that writes a tree: git's lock, and a change that overtakes a build or follows one closely.
// Then the build waits until the files are at rest, so that two thousand changed files are one build. A request never waits
// for that.

const (
	quiet   = 25 * time.Millisecond  // without a change: the files are at rest
	closely = 100 * time.Millisecond // after a build for a change, another change is likely of the same stroke
)

// settle waits for a stroke of many changes to end. Times are the operating system's, as files' are.
func (f *managed) settle(b *builder, overtaken bool) {
	began := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	stroke := overtaken || b.path != "" && began.Sub(f.reloaded) < closely
	lock := gitLock(f.fn.Source)
	for f.life.Err() == nil && f.waiting == 0 && !b.hurried && time.Since(began) < patience {
		wait := time.Millisecond * 5
		if !gitWorks(lock) {
			if !stroke {
				return
			}
			if wait = quiet - time.Since(f.stirred); wait <= 0 {
				return
			}
		}
		hurry := b.hurry
		f.mu.Unlock()
		select {
		case <-time.After(wait):
		case <-hurry:
		case <-f.life.Done():
		}
		f.mu.Lock()
	}
}

// hurryLocked has a build begin that waits for files to come to rest: somebody needs it.
func (b *builder) hurryLocked() {
	if !b.hurried {
		b.hurried = true
		close(b.hurry)
	}
}

// gitLock is the file that git keeps for as long as it changes the working tree that a path is in, "" for a path in none.
//
// https://git-scm.com/docs/git-worktree says where it is in a further working tree: in the folder that the file .git names.
func gitLock(path string) string {
	for dir := path; dir != "" && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		git := filepath.Join(dir, ".git")
		info, err := os.Stat(git)
		if err != nil {
			continue
		}
		if info.IsDir() {
			return filepath.Join(git, "index.lock")
		}
		text, _ := os.ReadFile(git) // one that cannot be read names nothing
		if to, ok := strings.CutPrefix(strings.TrimSpace(string(text)), "gitdir: "); ok {
			if !filepath.IsAbs(to) {
				to = filepath.Join(dir, to)
			}
			return filepath.Join(to, "index.lock")
		}
	}
	return ""
}

// gitWorks reports whether git is at work: a lock that is old was left behind by one that was killed.
func gitWorks(lock string) bool {
	if lock == "" {
		return false
	}
	info, err := os.Stat(lock)
	return err == nil && time.Since(info.ModTime()) < patience
}
