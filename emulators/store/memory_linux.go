package store

import (
	"bytes"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// resident is how many bytes of files, and of other memory, the process holds.
func resident() (files, other int, err error) {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, 0, err
	}
	var size, all, shared int
	if _, err := fmt.Fscan(bytes.NewReader(b), &size, &all, &shared); err != nil {
		return 0, 0, err
	}
	page := os.Getpagesize()
	return shared * page, (all - shared) * page, nil
}

// unmapPages gives back the memory through which a mapped file was read. The map stays: what is read next is taken from the
// operating system's cache, page by page. Nothing is written through the map, so there is nothing to lose.
func unmapPages(address, size uintptr) {
	_, _, _ = unix.Syscall(unix.SYS_MADVISE, address, size, unix.MADV_DONTNEED) // only advice
}
