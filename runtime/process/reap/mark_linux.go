package reap

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
	"time"
)

// killMarked kills every process that has the owner's mark in its environment, and returns how many there were. It looks
// again until it finds none, because a process that is being killed may just have made another.
func killMarked(owner string) int {
	if len(owner) < 16 { // a damaged file: better none than the wrong ones
		return 0
	}
	mark := []byte(variable + "=" + owner)
	killed := map[int]bool{}
	for range 50 {
		found := marked(mark)
		if len(found) == 0 {
			break
		}
		for _, pid := range found {
			syscall.Kill(pid, syscall.SIGKILL)
			killed[pid] = true
		}
		time.Sleep(5 * time.Millisecond)
	}
	return len(killed)
}

// marked returns the living processes, other than this one, whose environment contains the mark.
func marked(mark []byte) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		// Other users' processes cannot be read, and a dead one's environment is empty.
		env, err := os.ReadFile("/proc/" + e.Name() + "/environ")
		if err != nil {
			continue
		}
		for variable := range bytes.SplitSeq(env, []byte{0}) {
			if bytes.Equal(variable, mark) {
				pids = append(pids, pid)
				break
			}
		}
	}
	return pids
}
