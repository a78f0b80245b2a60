package image

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"

	"devstack/runtime/config"
	"devstack/runtime/container"
)

// initProgram is the one place that decides whether containers have an init of ours.
type initProgram struct {
	path string // "" for this program's own

	mu   sync.Mutex
	fit  string // path of an executable that has been looked at
	why  error  // it has been tried in vain
	said bool
}

// program returns the executable that containers are to be given as their init, or why they can have none. The engine must be this
// machine's, so that it sees our files and our kernel runs what is in them.
func (p *initProgram) program(ctx context.Context, docker *container.Engine) (path string, why error) {
	if runtime.GOOS != "linux" {
		return "", fmt.Errorf("devstack's program is for %s, and containers run on Linux", runtime.GOOS)
	}
	gateway, err := docker.GatewayAddr(ctx)
	if err == nil && gateway == "" {
		err = errors.New("the Docker engine does not run on this machine itself")
	}
	if err != nil {
		return "", err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.why != nil {
		return "", p.why
	}
	path = p.path
	if path == "" {
		if path, err = own(); err != nil {
			return "", err
		}
	}
	if p.fit != path {
		if err := runsAnywhere(path); err != nil {
			return "", err
		}
		p.fit = path
	}
	return path, nil
}

// giveUp says that it does not work here, whatever it looked like.
func (p *initProgram) giveUp(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.why = why
}

// say says once why containers have no init.
func (p *initProgram) say(docker *container.Engine, fn *config.Function, why error) {
	p.mu.Lock()
	said := p.said
	p.said = true
	p.mu.Unlock()
	if !said {
		docker.Say(resource(fn), "containers of functions run without devstack's init, so extensions in images are not started, and log lines may come late: "+why.Error())
	}
}

// own is this program's file, as long as it is the same that runs.
func own() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	there, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("devstack's program is gone from where it was started: %w", err)
	}
	if runs, err := os.Stat("/proc/self/exe"); err != nil || !os.SameFile(there, runs) {
		return "", fmt.Errorf("%s has been replaced since devstack was started", path)
	}
	return path, nil
}

// runsAnywhere reports what keeps an executable from running in any container, and for any user there.
func runsAnywhere(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Mode()&0o001 == 0 {
		return fmt.Errorf("%s may not be executed by everybody", path)
	}
	f, err := elf.Open(path)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer f.Close()
	for _, part := range f.Progs {
		if part.Type == elf.PT_INTERP {
			return fmt.Errorf("%s needs shared libraries; build it with CGO_ENABLED=0", path)
		}
	}
	return nil
}
