package node

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
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

// standby is a process that has the packages of a function loaded and waits for the function.
type standby struct {
	*pipe.Sandbox
	key  string
	stop func() bool // the alarm that ends it
}

// maxPrepared bounds the standbys of functions that nobody has called.
const maxPrepared = 4

// maxStandbys bounds the processes that wait: those of the functions that were started last.
const maxStandbys = 8

// standbyLife is how long one waits for a save.
const standbyLife = 30 * time.Minute

// pool has the standbys, one a function at most.
type pool struct {
	e    *Engine
	work sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	waiting map[string]*standby // by function
	coming  map[string]string   // key of the standby that is being started, by function
	order   []string            // functions, the one that was started last at the end
	blanks  map[string]*standby // that know of no function yet, by interpreter; nil while one is being started
}

func (p *pool) init(e *Engine) {
	p.e, p.waiting, p.coming = e, map[string]*standby{}, map[string]string{}
	p.blanks = map[string]*standby{}
}

// take returns the function's standby if it is of the wanted kind and alive, nil if there is none.
func (p *pool) take(name, key string) *pipe.Sandbox {
	p.mu.Lock()
	s := p.removeLocked(name)
	p.mu.Unlock()
	if s == nil {
		return nil
	}
	select {
	case <-s.Done():
	default:
		if s.key == key {
			return s.Sandbox
		}
	}
	p.end(s)
	return nil
}

func (p *pool) removeLocked(name string) *standby {
	s := p.waiting[name]
	if s == nil {
		return nil
	}
	delete(p.waiting, name)
	s.stop()
	return s
}

// end ends a standby beside the caller's way.
func (p *pool) end(s *standby) { p.work.Go(func() { s.Close() }) }

// prepare starts a standby for the function's next version, unless one waits.
func (p *pool) prepare(name string, w wish) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.coming[name] == w.key || p.waiting[name] != nil && p.waiting[name].key == w.key {
		return
	}
	p.coming[name] = w.key
	p.work.Go(func() {
		s := p.start(w)
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.coming[name] == w.key {
			delete(p.coming, name)
		}
		if s != nil {
			p.putLocked(name, s)
		}
	})
}

// start starts a standby, nil if it cannot: the next Start says why.
func (p *pool) start(w wish) *standby {
	s, err := p.e.spawn(w)
	if err != nil {
		return nil
	}
	if err := s.Warm(w.warm); err != nil {
		s.Close()
		return nil
	}
	return &standby{Sandbox: s, key: w.key}
}

// putLocked keeps a standby, and lets go of what is too much.
func (p *pool) putLocked(name string, s *standby) {
	if p.closed {
		p.end(s)
		return
	}
	if old := p.removeLocked(name); old != nil {
		p.end(old)
	}
	s.stop = func() bool { return true }
	if c := p.e.opts.Clock; c != nil {
		s.stop = c.AfterFunc(standbyLife, func() { p.expire(name, s) })
	}
	p.waiting[name] = s
	p.order = append(p.order, name)
	for n := len(p.order); n > 0 && (len(p.waiting) > maxStandbys || n > 4*maxStandbys); n = len(p.order) {
		oldest := p.order[0]
		p.order = p.order[1:]
		if !slices.Contains(p.order, oldest) {
			if s := p.removeLocked(oldest); s != nil {
				p.end(s)
			}
		}
	}
}

// expire ends a standby that nobody has needed.
func (p *pool) expire(name string, s *standby) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting[name] == s {
		delete(p.waiting, name)
		if !p.closed {
			p.end(s)
		}
	}
}

// close ends all of them.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	for name := range p.waiting {
		p.end(p.removeLocked(name))
	}
	for _, s := range p.blanks {
		if s != nil {
			p.end(s)
		}
	}
	clear(p.blanks)
	p.mu.Unlock()
	p.work.Wait()
}

// wish is what a process is to be like.
type wish struct {
	node  string   // path of the interpreter
	flags []string // of the interpreter
	dir   string
	env   []string
	warm  warming
	key   string // of all that a standby cannot change any more
}

// warming is what a standby loads.
type warming struct {
	Packages []pkg `json:"packages"`
	Hooks    bool  `json:"hooks"` // the function is an ES module in TypeScript, or imports packages from NODE_PATH
}

// wishFor describes the processes of a version.
func wishFor(node string, b *build, more provided) wish {
	w := wish{node: node, dir: b.source.root, env: more.env}
	packages := append(b.packages[:len(b.packages):len(b.packages)], more.packages...)
	w.warm = warming{Packages: packages, Hooks: b.source.compile && b.source.esm || more.imported}
	h := sha256.New()
	fmt.Fprintln(h, node, w.dir, w.warm.Hooks)
	for _, kv := range more.env {
		if !function.OfSandbox(kv) {
			fmt.Fprintln(h, kv)
		}
	}
	files := append(b.layers[:len(b.layers):len(b.layers)], b.locks...)
	for _, p := range packages {
		fmt.Fprintln(h, p.Name, p.From, p.ESM)
		files = append(files[:len(files):len(files)], filepath.Join(p.dir, "package.json"), filepath.Dir(p.dir))
	}
	for _, path := range files {
		if info, err := os.Stat(path); err == nil {
			fmt.Fprintln(h, path, info.Size(), info.ModTime().UnixNano())
		}
	}
	w.key = hex.EncodeToString(h.Sum(nil))
	return w
}

//go:embed runtime
var runtimeFiles embed.FS

// installRuntime returns the path of the bootstrap.
var installRuntime = sync.OnceValues(func() (string, error) {
	dir, err := pipe.Install("node", runtimeFiles)
	return filepath.Join(dir, "bootstrap.cjs"), err
})

// spawn starts a process that waits for a function.
func (e *Engine) spawn(w wish) (*pipe.Sandbox, error) {
	script, err := installRuntime()
	if err != nil {
		return nil, err
	}
	s, theirs, err := pipe.Open()
	if err != nil {
		return nil, err
	}
	defer theirs[0].Close()
	defer theirs[1].Close()
	path, args := function.Wrapped(w.env, w.node, append(w.flags, script)...)
	spec := spawn.Spec{Path: path, Args: args, Dir: w.dir, Env: w.env, Extra: theirs[:], Line: s.Line, Keep: e.keeper()}
	p, err := spawn.Start(spec)
	if err != nil {
		s.Abandon()
		return nil, err
	}
	s.Attach(p)
	return s, nil
}

// keeper is what ends processes with the daemon, nil for nothing.
func (e *Engine) keeper() spawn.Keeper {
	if e.opts.Watchdog == nil {
		return nil
	}
	return e.opts.Watchdog
}

// withMap puts the source map at the end of the code.
func withMap(code, sourceMap []byte) string {
	var b strings.Builder
	b.Grow(len(code) + len(sourceMap)*4/3 + 100)
	b.Write(code)
	b.WriteString("\n//# sourceMappingURL=data:application/json;base64,")
	b.WriteString(base64.StdEncoding.EncodeToString(sourceMap))
	return b.String()
}
