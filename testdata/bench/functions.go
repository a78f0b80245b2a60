package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	edits     = 50
	goEdits   = 6
	warmCalls = 2000
	warmBatch = 50 // calls of each function in turn
)

// handler is a function in one of the languages.
type handler struct {
	name   string // of the function, and of its path in the API
	title  string
	block  string // the function block's own lines
	file   string // that is edited
	source string // with VERSION in it
	tool   string // without which it cannot run

	// fresh is what starting anew costs at the least, without devstack: the same file, loaded by a new process.
	fresh     []string
	freshName string

	save time.Duration // budget of save to served
	warm time.Duration // budget of a warm call
}

var handlers = []handler{
	{
		name: "js", title: "js", block: `runtime = "js"` + "\n" + `source = "js/index.ts"`, file: "js/index.ts",
		source: `export const handler = async (event: { rawPath?: string }) => ({ version: "vVERSION." });` + "\n",
		save:   20 * time.Millisecond, warm: 400 * time.Microsecond,
	},
	{
		name: "node", title: "Node", block: `runtime = "nodejs22.x"` + "\n" + `source = "node"`, file: "node/index.js", tool: "node",
		source: `exports.handler = async (event) => ({ version: "vVERSION." });` + "\n",
		fresh:  []string{"node", "-e", "require('./node/index.js')"}, freshName: "new process",
		save: 60 * time.Millisecond, warm: 800 * time.Microsecond,
	},
	{
		name: "ts", title: "Node, TypeScript", block: `runtime = "nodejs22.x"` + "\n" + `source = "ts"`, file: "ts/index.ts", tool: "node",
		source: `export const handler = async (event: { rawPath?: string }) => ({ version: "vVERSION." });` + "\n",
		save:   60 * time.Millisecond, warm: 800 * time.Microsecond,
	},
	{
		name: "python", title: "Python", block: `runtime = "python3.12"` + "\n" + `source = "python"` + "\n" + `handler = "app.handler"`, file: "python/app.py", tool: "python3",
		source: "def handler(event, context):\n    return {\"version\": \"vVERSION.\"}\n",
		fresh:  []string{"python3", "-c", "import sys; sys.path[0] = 'python'; import app"}, freshName: "new process",
		save: 60 * time.Millisecond, warm: 800 * time.Microsecond,
	},
}

// goHandler is apart: its saves take a build by the Go toolchain, whatever we do.
var goHandler = handler{
	name: "go", title: "Go", block: `runtime = "go"` + "\n" + `source = "go"`, file: "go/main.go",
	source: "package main\n\nimport \"github.com/aws/aws-lambda-go/lambda\"\n\nfunc main() {\n\tlambda.Start(func() (map[string]string, error) { return map[string]string{\"version\": \"vVERSION.\"}, nil })\n}\n",
}

func (h handler) write(dir string, version int) error {
	path := filepath.Join(dir, h.file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(strings.ReplaceAll(h.source, "VERSION", fmt.Sprint(version))), 0o644)
}

// ask is a request to the function through the API, and invoke one by Lambda's Invoke.
func (h handler) ask() []byte { return request("GET", "/"+h.name, "") }
func (h handler) invoke() []byte {
	return request("POST", "/2015-03-31/functions/"+h.name+"/invocations", "{}", "Content-Type", "application/json", "X-Amz-Date", "20260102T030405Z",
		"Authorization", signed("lambda"))
}

// functions measures the functions of a stack of its own: saves, then calls.
func (b *bench) functions(ctx context.Context) (err error) {
	var present []handler
	for _, h := range handlers {
		if _, err := exec.LookPath(h.tool); h.tool != "" && err != nil {
			b.add(row{what: h.title + " functions are left out: " + h.tool + " is not installed"})
			continue
		}
		present = append(present, h)
	}
	s, err := b.functionStack(append(present, goHandler))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.down()) }()
	if _, _, err := s.up(ctx); err != nil {
		return err
	}
	if err := b.saves(ctx, s, present); err != nil {
		return err
	}
	if err := b.goSaves(ctx, s); err != nil {
		return err
	}
	return b.warm(ctx, s, present)
}

// functionStack writes a stack of functions behind an API.
func (b *bench) functionStack(all []handler) (*stack, error) {
	dir := filepath.Join(b.temp, "functions")
	var hcl, routes strings.Builder
	hcl.WriteString("variable \"port\" {}\nvariable \"aws_port\" {}\nstack \"bench\" { port = var.aws_port }\n")
	for _, h := range all {
		if err := h.write(dir, 0); err != nil {
			return nil, err
		}
		fmt.Fprintf(&hcl, "function %q {\n%s\n}\n", h.name, h.block)
		fmt.Fprintf(&routes, "route \"GET /%s\" { function = function.%s }\n", h.name, h.name)
	}
	fmt.Fprintf(&hcl, "api \"bench\" {\nport = var.port\n%s}\n", &routes)
	files := map[string][]byte{"stack.hcl": []byte(hcl.String())}
	for _, name := range []string{"go.mod", "go.sum"} { // that the Go function's import is found
		text, err := os.ReadFile(filepath.Join(b.root, name))
		if err != nil {
			return nil, err
		}
		files[name] = text
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return nil, err
		}
	}
	return b.newStack(dir)
}

// editor saves versions of a function and asks for them.
type editor struct {
	handler
	dir     string
	conn    *conn
	version int
	took    []time.Duration // from the beginning of a save to the new version's answer
	fresh   []time.Duration // the reference
	stale   int             // answers by a version that was no longer saved
}

// edit saves a new version and asks until it answers.
func (e *editor) edit() error {
	e.version++
	e.conn.SetDeadline(time.Now().Add(answerWithin))
	want := fmt.Sprintf("v%d.", e.version)
	began := time.Now()
	if err := e.write(e.dir, e.version); err != nil {
		return err
	}
	for {
		if err := e.conn.do(e.ask()); err != nil {
			return fmt.Errorf("%s, version %d: %w", e.title, e.version, err)
		}
		if strings.Contains(string(e.conn.body), want) {
			break
		}
		e.stale++
	}
	e.took = append(e.took, time.Since(began))
	return nil
}

// restart measures the reference: a new process that loads the function.
func (e *editor) restart(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, e.handler.fresh[0], e.handler.fresh[1:]...)
	cmd.Dir = e.dir
	began := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", e.title, err, out)
	}
	e.fresh = append(e.fresh, time.Since(began))
	return nil
}

// saves edits every function in turn, with the pauses of a quick typist between the edits of one.
func (b *bench) saves(ctx context.Context, s *stack, all []handler) error {
	var editors []*editor
	for _, h := range all {
		c, err := dial(s.port)
		if err != nil {
			return err
		}
		defer c.Close()
		editors = append(editors, &editor{handler: h, dir: s.dir, conn: c})
	}
	for n := range edits {
		for _, e := range editors {
			time.Sleep(time.Duration(60+rand.IntN(80)) * time.Millisecond)
			if err := errors.Join(e.edit(), ctx.Err()); err != nil {
				return err
			}
			if n%5 == 0 && e.handler.fresh != nil {
				if err := e.restart(ctx); err != nil {
					return err
				}
			}
		}
	}
	for _, e := range editors {
		p50 := median(e.took)
		r := row{
			what: fmt.Sprintf("save to served, %s, p50 / p95 of %d", e.title, edits), figure: ms(p50) + " / " + ms(quantile(e.took, 0.95)),
			budget: "< " + ms(e.save), missed: p50 >= e.save,
		}
		if fresh := median(e.fresh); fresh > 0 {
			r.reference, r.ratio = ms(fresh)+" "+e.freshName, float64(p50)/float64(fresh)
		}
		b.add(r, row{what: fmt.Sprintf("  stale answers, %s", e.title), figure: fmt.Sprint(e.stale), budget: "0", missed: e.stale > 0})
	}
	return nil
}

// goSaves edits the Go function, and the same function in a folder of its own, built and run by hand.
func (b *bench) goSaves(ctx context.Context, s *stack) error {
	c, err := dial(s.port)
	if err != nil {
		return err
	}
	defer c.Close()
	e := &editor{handler: goHandler, dir: s.dir, conn: c}
	plain := goHandler
	plain.file = "by-hand/main.go"
	program := filepath.Join(b.temp, "by-hand")
	for n := range goEdits {
		if err := plain.write(s.dir, 1000+n); err != nil {
			return err
		}
		began := time.Now()
		cmd := exec.CommandContext(ctx, "go", "build", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", program, "./by-hand")
		cmd.Dir = s.dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("go build: %w\n%s", err, out)
		}
		_ = exec.CommandContext(ctx, program).Run() // it ends at once for want of Lambda: that is its start
		fresh := time.Since(began)
		if err := e.edit(); err != nil {
			return err
		}
		if n == 0 { // which fills the build cache
			e.took = nil
			continue
		}
		e.fresh = append(e.fresh, fresh)
	}
	b.add(
		row{
			what: fmt.Sprintf("save to served, Go, p50 of %d", goEdits-1), figure: ms(median(e.took)), reference: ms(median(e.fresh)) + " go build and start",
			ratio: median(ratios(e.took, e.fresh)),
		},
		row{what: "  stale answers, Go", figure: fmt.Sprint(e.stale), budget: "0", missed: e.stale > 0},
	)
	return nil
}

// caller measures single calls over a kept-alive connection.
type caller struct {
	what   string
	conn   *conn
	ask    []byte
	budget time.Duration // 0 for none
	took   []time.Duration
}

func newCaller(what string, port int, ask []byte, budget time.Duration) (*caller, error) {
	c, err := dial(port)
	if err != nil {
		return nil, err
	}
	return &caller{what: what, conn: c, ask: ask, budget: budget}, nil
}

func (c *caller) batch(calls int) error {
	c.conn.SetDeadline(time.Now().Add(answerWithin))
	for range calls {
		began := time.Now()
		if err := c.conn.do(c.ask); err != nil {
			return fmt.Errorf("%s: %w", c.what, err)
		}
		c.took = append(c.took, time.Since(began))
	}
	return nil
}

// warm calls every function through the API and through Lambda's Invoke, and a bare server, in turns.
func (b *bench) warm(ctx context.Context, s *stack, all []handler) error {
	bare, err := b.startBare(ctx, "")
	if err != nil {
		return err
	}
	defer bare.stop()
	var callers []*caller
	add := func(what string, port int, ask []byte, budget time.Duration) error {
		c, err := newCaller(what, port, ask, budget)
		if err == nil {
			callers = append(callers, c)
		}
		return err
	}
	err = add("bare handler", bare.port, request("GET", "/", ""), 0)
	for _, h := range all {
		err = errors.Join(err, add("warm call through the API, "+h.title, s.port, h.ask(), h.warm))
		err = errors.Join(err, add("warm call by Lambda Invoke, "+h.title, s.aws, h.invoke(), 0))
	}
	defer func() {
		for _, c := range callers {
			c.conn.Close()
		}
	}()
	if err != nil {
		return err
	}
	for _, c := range callers {
		if err := c.batch(200); err != nil { // to warm up
			return err
		}
		c.took = nil
	}
	for range warmCalls / warmBatch {
		for _, c := range callers {
			if err := errors.Join(c.batch(warmBatch), ctx.Err()); err != nil {
				return err
			}
		}
	}
	reference := median(callers[0].took)
	for _, c := range callers[1:] {
		p50 := median(c.took)
		r := row{
			what: fmt.Sprintf("%s, p50 of %d", c.what, warmCalls), figure: ms(p50), reference: ms(reference) + " bare handler",
			ratio: float64(p50) / float64(reference),
		}
		if c.budget > 0 {
			r.budget, r.missed = "< "+ms(c.budget), p50 >= c.budget
		}
		b.add(r)
	}
	return nil
}
