package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	startRounds  = 25
	memoryRounds = 3
	stackRounds  = 5

	startBudget  = 3                      // times a bare server
	memoryBudget = 30 << 20               // bytes
	stackBudget  = 500 * time.Millisecond // the root stack
)

// signed is the Authorization header of a client whose access key id is an account, as `devstack env` gives it.
func signed(service string) string {
	return "AWS4-HMAC-SHA256 Credential=000000000000/20260102/us-east-1/" + service +
		"/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=" + strings.Repeat("0", 64)
}

func dynamoRequest(operation, body string) []byte {
	return request("POST", "/", body, "Content-Type", "application/x-amz-json-1.0", "X-Amz-Date", "20260102T030405Z",
		"X-Amz-Target", "DynamoDB_20120810."+operation, "Authorization", signed("dynamodb"))
}

// serve starts `devstack serve` and returns with its first answer to ListTables.
func (b *bench) serve(ctx context.Context) (*server, error) {
	return b.serveFor(ctx, dynamoRequest("ListTables", "{}"), "--ephemeral", "--dir", b.temp)
}

// serveFor starts `devstack serve` with these flags and returns with its first answer to a request.
func (b *bench) serveFor(ctx context.Context, ask []byte, flags ...string) (*server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	return start(ctx, port, ask, b.devstack, append([]string{"serve", "--port", strconv.Itoa(port)}, flags...)...)
}

// startBare starts the reference. answers is its folder of answers, "" for none.
func (b *bench) startBare(ctx context.Context, answers string) (*server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	args := []string{strconv.Itoa(port)}
	if answers != "" {
		args = append(args, answers)
	}
	return start(ctx, port, dynamoRequest("ListTables", "{}"), b.bare, args...)
}

// processStart measures how long `devstack serve` takes to its first answer, and the memory that it holds then and later.
func (b *bench) processStart(ctx context.Context) error {
	var devstack, bare []time.Duration
	once := func(s *server, err error) (time.Duration, error) {
		if err != nil {
			return 0, err
		}
		return s.took, s.stop()
	}
	for range startRounds {
		took, err := once(b.startBare(ctx, ""))
		if err != nil {
			return err
		}
		bare = append(bare, took)
		if took, err = once(b.serve(ctx)); err != nil {
			return err
		}
		devstack = append(devstack, took)
	}
	ratio := median(ratios(devstack, bare))
	b.add(row{
		what: fmt.Sprintf("serve: start to first ListTables, p50 of %d", startRounds), figure: ms(median(devstack)),
		reference: ms(median(bare)) + " bare server", ratio: ratio, budget: fmt.Sprintf("≤ %d ×", startBudget), missed: ratio > startBudget,
	})
	return b.idleMemory(ctx)
}

// idleMemory measures `devstack serve` two seconds after its first answer.
func (b *bench) idleMemory(ctx context.Context) error {
	var devstack, bare []int
	measure := func(s *server, err error) (int, error) {
		if err != nil {
			return 0, err
		}
		time.Sleep(2 * time.Second)
		bytes, err := resident(s.cmd.Process.Pid)
		return bytes, errors.Join(err, s.stop())
	}
	for range memoryRounds {
		bytes, err := measure(b.startBare(ctx, ""))
		if err != nil {
			return err
		}
		bare = append(bare, bytes)
		if bytes, err = measure(b.serve(ctx)); err != nil {
			return err
		}
		devstack = append(devstack, bytes)
	}
	held := median(devstack)
	b.add(row{
		what: fmt.Sprintf("serve: resident, 2 s idle after a call, p50 of %d", memoryRounds), figure: mib(held),
		reference: mib(median(bare)) + " bare server", ratio: median(ratios(devstack, bare)), budget: "≤ " + mib(memoryBudget), missed: held > memoryBudget,
	})
	return nil
}

// rootStack measures how long this repository's own stack takes to be ready, from nothing but a warm build cache.
func (b *bench) rootStack(ctx context.Context) error {
	s, err := b.copyShop()
	if err != nil {
		return err
	}
	var wall, own, plain []time.Duration
	var memory int
	for n := range stackRounds + 1 {
		if err := os.RemoveAll(filepath.Join(s.dir, ".devstack")); err != nil {
			return err
		}
		reference, err := b.goRun(ctx, s.dir)
		if err != nil {
			return err
		}
		took, inside, err := s.up(ctx)
		if err == nil {
			memory, err = resident(s.pid)
		}
		if err = errors.Join(err, s.down()); err != nil {
			return err
		}
		if n > 0 { // the first one fills the build cache
			wall, own, plain = append(wall, took), append(own, inside), append(plain, reference)
		}
	}
	ready := median(wall)
	b.add(
		row{
			what: fmt.Sprintf("root stack: exec to everything ready, p50 of %d", stackRounds), figure: ms(ready),
			reference: ms(median(plain)) + " `go run` of its service", ratio: median(ratios(wall, plain)), budget: "< " + ms(stackBudget), missed: ready >= stackBudget,
		},
		row{what: "root stack: as the daemon counts it, p50", figure: ms(median(own))},
		row{what: "root stack: daemon's resident memory when ready", figure: mib(memory)},
	)
	return nil
}

// copyShop copies the repository's stack, so that its data and a stack that runs already stay as they are.
func (b *bench) copyShop() (*stack, error) {
	dir := filepath.Join(b.temp, "shop")
	if err := os.CopyFS(filepath.Join(dir, "examples", "shop"), os.DirFS(filepath.Join(b.root, "examples", "shop"))); err != nil {
		return nil, err
	}
	for _, name := range []string{"stack.hcl", "go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(b.root, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o644)
		}
		if err != nil {
			return nil, err
		}
	}
	return b.newStack(dir)
}

// goRun starts the shop's service by hand and returns how long it takes to be healthy.
func (b *bench) goRun(ctx context.Context, dir string) (time.Duration, error) {
	bin := filepath.Join(dir, "catalog")
	port, err := freePort()
	if err != nil {
		return 0, err
	}
	// What `go run` starts would outlive it; -exec makes it ours to end.
	text := fmt.Sprintf("#!/bin/sh\necho $$ > %s.pid\nexec env PORT=%d \"$@\"\n", bin, port)
	if err := os.WriteFile(bin+".sh", []byte(text), 0o755); err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, "go", "run", "-exec", bin+".sh", "./examples/shop/catalog")
	cmd.Dir = dir
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer cmd.Wait()
	defer func() {
		if text, err := os.ReadFile(bin + ".pid"); err == nil {
			if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
				if p, err := os.FindProcess(pid); err == nil {
					p.Kill()
				}
			}
		}
	}()
	for ask := request("GET", "/healthz", ""); ; time.Sleep(time.Millisecond) {
		c, err := dial(port)
		if err == nil {
			err = c.do(ask)
			c.Close()
			return time.Since(began), err
		}
		if time.Since(began) > answerWithin || ctx.Err() != nil {
			return 0, fmt.Errorf("go run: %w", err)
		}
	}
}

// stack is a stack that devstack runs for the benchmark.
type stack struct {
	devstack  string
	dir       string
	port, aws int
	pid       int // of the daemon
}

func (b *bench) newStack(dir string) (*stack, error) {
	s := &stack{devstack: b.devstack, dir: dir}
	var err error
	if s.port, err = freePort(); err == nil {
		s.aws, err = freePort()
	}
	return s, err
}

var (
	readyIn   = regexp.MustCompile(`is ready: \d+ resources in (\d+) ms`)
	processID = regexp.MustCompile(`as process (\d+)`)
)

// up starts the stack. It returns how long that took from outside and by the daemon's own count.
func (s *stack) up(ctx context.Context) (wall, own time.Duration, err error) {
	cmd := exec.CommandContext(ctx, s.devstack, "up", "--detach", "--wait", "90s", "--var", fmt.Sprint("port=", s.port), "--var", fmt.Sprint("aws_port=", s.aws))
	cmd.Dir = s.dir
	began := time.Now()
	out, err := cmd.CombinedOutput()
	wall = time.Since(began)
	if err != nil {
		return 0, 0, fmt.Errorf("devstack up: %w\n%s", err, out)
	}
	pid := processID.FindSubmatch(out)
	if pid == nil {
		return 0, 0, fmt.Errorf("devstack up: no process id in %q", out)
	}
	s.pid, _ = strconv.Atoi(string(pid[1]))
	for range 100 { // it prints a moment after it says that it is ready
		log, _ := os.ReadFile(filepath.Join(s.dir, ".devstack", "daemon.log"))
		if m := readyIn.FindSubmatch(log); m != nil {
			n, _ := strconv.Atoi(string(m[1]))
			return wall, time.Duration(n) * time.Millisecond, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return wall, 0, errors.New("devstack up: the daemon does not say when it was ready")
}

// down ends the stack. It is not bound to the run's context: a run that was given up must leave nothing behind either.
func (s *stack) down() error {
	cmd := exec.Command(s.devstack, "down")
	cmd.Dir = s.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("devstack down: %w\n%s", err, out)
	}
	return nil
}
