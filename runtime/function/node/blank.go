package node

import (
	"os"
	"strings"

	"devstack/runtime/function"
	"devstack/runtime/function/pipe"
)

// A blank process knows of no function yet: there is one for each interpreter, from the first function on, so that the very first event
// of a function without packages finds a process.

// blank starts an interpreter's blank process, unless there is one.
func (p *pool) blank(node string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.blanks[node]
	if p.closed || ok && (s == nil || s.alive()) {
		return
	}
	p.blanks[node] = nil
	p.work.Go(func() {
		box, err := p.e.spawn(wish{node: node, dir: os.TempDir(), env: blankEnv()})
		p.mu.Lock()
		defer p.mu.Unlock()
		switch {
		case err != nil:
			delete(p.blanks, node) // whoever starts a sandbox is told
		case p.closed:
			p.end(&standby{Sandbox: box})
		default:
			p.blanks[node] = &standby{Sandbox: box}
		}
	})
}

// blankEnv is what an interpreter finds that is no function's.
func blankEnv() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "LANG=en_US.UTF-8", "TZ=:UTC"}
}

// takeBlank returns an interpreter's blank process, nil if there is none, and has the next one started.
func (p *pool) takeBlank(node string) *pipe.Sandbox {
	p.mu.Lock()
	s := p.blanks[node]
	if s != nil {
		delete(p.blanks, node)
	}
	p.mu.Unlock()
	if s == nil {
		return nil
	}
	p.blank(node)
	if !s.alive() {
		p.end(s)
		return nil
	}
	return s.Sandbox
}

func (s *standby) alive() bool {
	select {
	case <-s.Done():
		return false
	default:
		return true
	}
}

// count is how many standbys wait, or are about to.
func (p *pool) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.waiting) + len(p.coming)
}

// late reports whether a process may get these variables after it has started: neither Node.js nor the system's loader has read any of
// them by then, and no script starts the process.
func late(env []string) bool {
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		switch {
		case name == "NODE_PATH":
		case strings.HasPrefix(name, "NODE_"), strings.HasPrefix(name, "UV_"), strings.HasPrefix(name, "SSL_"), strings.HasPrefix(name, "OPENSSL_"),
			strings.HasPrefix(name, "LD_"), strings.HasPrefix(name, "DYLD_"), strings.HasPrefix(name, "LC_"):
			return false
		}
	}
	return function.Wrapper(env) == ""
}

// variables are a wish's environment by name.
func (w wish) variables() map[string]string {
	all := make(map[string]string, len(w.env))
	for _, kv := range w.env {
		name, value, _ := strings.Cut(kv, "=")
		all[name] = value
	}
	return all
}
