package java

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	goruntime "runtime"
	"sync"
)

// nativeProperty is the client's own property that says where its native part is. Without it each JVM unpacks that part into the
// same file of /tmp, over the one that another JVM has mapped: there it crashes.
const nativeProperty = "com.amazonaws.services.lambda.runtime.api.client.runtimeapi.NativeClient.JNI"

// natives unpacks the client's native part once for each client.
type natives struct {
	mu   sync.Mutex
	path map[string]string // by the client's jar
}

// of returns the path of the native part of a client, in dir.
func (n *natives) of(jar, dir string) (string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if path := n.path[jar]; path != "" && exists(path) {
		return path, nil
	}
	z, err := zip.OpenReader(jar)
	if err != nil {
		return "", fmt.Errorf("open AWS's client for Java: %w", err)
	}
	defer z.Close()
	f, err := z.Open("jni/" + nativeName())
	if err != nil {
		return "", fmt.Errorf("%s has no %s: it needs a newer version of AWS's client", jar, nativeName())
	}
	defer f.Close()
	code, err := io.ReadAll(io.LimitReader(f, 64<<20))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", jar, err)
	}
	dataStack(code)
	sum := sha256.Sum256(code)
	path := filepath.Join(dir, hex.EncodeToString(sum[:8])+"-"+nativeName())
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if err := os.WriteFile(path, code, 0o755); err != nil {
		return "", err
	}
	if n.path == nil {
		n.path = map[string]string{}
	}
	n.path[jar] = path
	return path, nil
}

// nativeName is how the client calls the part for this machine.
func nativeName() string {
	arch, libc := "x86_64", "linux"
	if goruntime.GOARCH == "arm64" {
		arch = "aarch_64"
	}
	if found, _ := filepath.Glob("/lib/ld-musl-*"); len(found) > 0 {
		libc = "linux_musl"
	}
	return "libaws-lambda-jni." + libc + "-" + arch + ".so"
}

// dataStack takes back a library's wish for a stack that can be executed. AWS's asks for one, by an assembler file that does not say
// otherwise, and needs none: the JVM warns of it in each log, and glibc from 2.41 on does not load it.
//
// https://man7.org/linux/man-pages/man5/elf.5.html (PT_GNU_STACK)
func dataStack(elf []byte) {
	const header, gnuStack, executable = 64, 0x6474e551, 1
	if len(elf) < header || string(elf[:5]) != "\x7fELF\x02" {
		return
	}
	table, size, count := binary.LittleEndian.Uint64(elf[32:]), uint64(binary.LittleEndian.Uint16(elf[54:])), uint64(binary.LittleEndian.Uint16(elf[56:]))
	for i := range count {
		at := table + i*size
		if at+8 > uint64(len(elf)) || at < table {
			return
		}
		if binary.LittleEndian.Uint32(elf[at:]) == gnuStack {
			elf[at+4] &^= executable
		}
	}
}
