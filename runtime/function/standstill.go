package function

import "time"

// Standstill looks at files and folders before somebody else reads them, in a time of his own. Afterwards unchanged tells
// whether whatever he has read is what is there now: nothing was written in between, not even what was there before. It is
// false at once where the file system's clock cannot tell, because one of them has only just been written.
func Standstill(paths []string) (unchanged func() bool, ok bool) {
	now := time.Now() // the operating system's, by which files are dated
	seen := make([]facts, len(paths))
	for i, path := range paths {
		if seen[i] = factsOf(path); seen[i].freshAt(now) {
			return nil, false
		}
	}
	return func() bool {
		for i, path := range paths {
			if factsOf(path) != seen[i] {
				return false
			}
		}
		return true
	}, true
}

// Settled reports whether none of the files and folders has been written since a moment of the operating system's clock, nor so
// shortly before that the file system's clock cannot tell.
func Settled(paths []string, since time.Time) bool {
	for _, path := range paths {
		if factsOf(path).freshAt(since) {
			return false
		}
	}
	return true
}
