package reap

import (
	"strconv"
	"syscall"
)

// Group is the kind of a process group: what is its number.
const Group = "group"

// AddGroup has the watchdog kill a process group.
func (w *Watchdog) AddGroup(pgid int) (remove func(), err error) {
	return w.Add(Group, strconv.Itoa(pgid))
}

func killGroup(what string) {
	if pgid, err := strconv.Atoi(what); err == nil && pgid > 1 {
		syscall.Kill(-pgid, syscall.SIGKILL)
	}
}
