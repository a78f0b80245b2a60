package function

import (
	"io/fs"
	"syscall"
)

func inode(info fs.FileInfo) (number uint64, changed int64) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0
	}
	return st.Ino, st.Ctim.Nano()
}
