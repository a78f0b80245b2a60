package store

import (
	"fmt"
	"io"
	"os"
	"sync"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// emptyFile is the content of a file without tables, nil if it cannot be made. bbolt syncs each file that it makes, whatever its
// options, and a temporary file is not worth that wait; here the sync is of memory.
var emptyFile = sync.OnceValue(func() []byte {
	fd, err := unix.MemfdCreate("devstack", unix.MFD_CLOEXEC)
	if err != nil {
		return nil
	}
	f := os.NewFile(uintptr(fd), "empty")
	defer f.Close()
	db, err := bbolt.Open(fmt.Sprintf("/proc/self/fd/%d", fd), 0o600, &bbolt.Options{FreelistType: bbolt.FreelistMapType, NoSync: true, PageSize: pageSize})
	if err != nil || db.Close() != nil {
		return nil
	}
	content, err := io.ReadAll(f)
	if err != nil {
		return nil
	}
	return content
})
