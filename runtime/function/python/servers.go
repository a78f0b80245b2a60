package python

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"devstack/runtime/function"
	"devstack/runtime/function/pipe"
	"devstack/runtime/function/spawn"
)

// servers are the running servers: one for each Python, which reads sources and forks functions without packages, and one
// for each function with packages.
type servers struct {
	opts Options
	keep spawn.Keeper

	mu      sync.Mutex
	closed  bool
	running map[string]*server // by key: what a server cannot change any more
	of      map[string]string  // key, by function
	retired []*server          // that may still have sandboxes
	order   []string           // keys of functions' servers, the one that was used last at the end
}

// maxServers bounds the functions' servers: those that were used last.
const maxServers = 8

// serverLife is how long a function's server waits for the next save.
const serverLife = 30 * time.Minute

func (p *servers) init(o Options) {
	p.opts, p.running, p.of = o, map[string]*server{}, map[string]string{}
	if o.Watchdog != nil {
		p.keep = o.Watchdog
	}
}

// base returns the server of a Python without packages.
func (p *servers) base(python interpreter) (*server, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.getLocked("base "+python.path, python, baseEnv())
}

// baseEnv is what a server finds that is no function's. A sandbox gets its own environment when it loads the function.
func baseEnv() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + os.TempDir(), "LANG=en_US.UTF-8", "PYTHONUTF8=1"}
}

// server returns the server for a version of a function. A function without packages shares the base, unless it sets
// variables that Python itself reads as it starts.
func (p *servers) server(name string, b *build, env []string) (*server, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := "base " + b.python.path
	if len(b.modules) > 0 || slices.ContainsFunc(env, atStart) {
		key = keyOf(b, env)
	}
	old := p.of[name]
	p.of[name] = key
	if old != key && isOf(old) && !p.neededLocked(old) {
		p.retireLocked(old)
	}
	if !isOf(key) {
		return p.getLocked(key, b.python, baseEnv())
	}
	if i := slices.Index(p.order, key); i >= 0 {
		p.order = slices.Delete(p.order, i, i+1)
	}
	p.order = append(p.order, key)
	if len(p.order) > maxServers {
		p.retireLocked(p.order[0])
	}
	return p.getLocked(key, b.python, function.Shared(env))
}

// isOf reports whether a key is of a function's server.
func isOf(key string) bool { return key != "" && !strings.HasPrefix(key, "base ") }

// atStart reports whether Python, or the system's loader, reads a variable when a program starts.
func atStart(kv string) bool {
	return strings.HasPrefix(kv, "PYTHON") || strings.HasPrefix(kv, "LD_") || strings.HasPrefix(kv, "DYLD_")
}

// keyOf sums up what packages may look at while they are imported, and when they were installed.
func keyOf(b *build, env []string) string {
	h := sha256.New()
	fmt.Fprintln(h, b.python.path, b.root, b.site)
	for _, kv := range env {
		if !function.OfSandbox(kv) {
			fmt.Fprintln(h, kv)
		}
	}
	for _, place := range b.places {
		if info, err := os.Stat(place); err == nil {
			fmt.Fprintln(h, place, info.ModTime().UnixNano())
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (p *servers) neededLocked(key string) bool {
	for _, other := range p.of {
		if other == key {
			return true
		}
	}
	return false
}

func (p *servers) getLocked(key string, python interpreter, env []string) (*server, error) {
	if p.closed {
		return nil, errServerGone
	}
	s := p.running[key]
	if s == nil || !s.alive() {
		var err error
		if s, err = startServer(python.path, env, p.keep); err != nil {
			return nil, err
		}
		p.running[key] = s
		if isOf(key) && p.opts.Clock != nil {
			p.opts.Clock.AfterFunc(serverLife, func() { p.rest(key, s) })
		}
	}
	if p.opts.Clock != nil {
		s.used = p.opts.Clock.Now()
	}
	return s, nil
}

// rest retires a server that has not been used for long.
func (p *servers) rest(key string, s *server) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.running[key] != s {
		return
	}
	if idle := p.opts.Clock.Now().Sub(s.used); idle < serverLife {
		p.opts.Clock.AfterFunc(serverLife-idle, func() { p.rest(key, s) })
		return
	}
	p.retireLocked(key)
}

func (p *servers) retireLocked(key string) {
	s := p.running[key]
	delete(p.running, key)
	if i := slices.Index(p.order, key); i >= 0 {
		p.order = slices.Delete(p.order, i, i+1)
	}
	if s == nil {
		return
	}
	s.retire()
	p.retired = append(slices.DeleteFunc(p.retired, func(s *server) bool { return !s.alive() }), s)
}

// count is how many functions have servers of their own.
func (p *servers) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.order)
}

// close ends all of them.
func (p *servers) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, s := range p.running {
		s.kill()
	}
	for _, s := range p.retired {
		s.kill()
	}
	clear(p.running)
	p.retired = nil
}

//go:embed runtime
var runtimeFiles embed.FS

// installRuntime returns the path of the runtime.
var installRuntime = sync.OnceValues(func() (string, error) {
	dir, err := pipe.Install("python", runtimeFiles)
	return filepath.Join(dir, "runtime.py"), err
})
