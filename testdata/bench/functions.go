package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
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

	modules bool // it imports packages of testdata/sdk/js

	save, save95 time.Duration // budgets of save to served, p50 and p95
	warm         time.Duration // budget of a warm call through the API
}

var handlers = []handler{
	{
		name: "js", title: "js", block: `runtime = "js"` + "\n" + `source = "js/index.ts"`, file: "js/index.ts",
		source: `export const handler = async (event: { rawPath?: string }) => ({ version: "vVERSION." });` + "\n",
		save:   5 * time.Millisecond, save95: 15 * time.Millisecond, warm: 250 * time.Microsecond,
	},
	{
		name: "node", title: "Node", block: `runtime = "nodejs22.x"` + "\n" + `source = "node"`, file: "node/index.js", tool: "node",
		source: `exports.handler = async (event) => ({ version: "vVERSION." });` + "\n",
		fresh:  []string{"node", "-e", "require('./node/index.js')"}, freshName: "new process",
		save: 20 * time.Millisecond, save95: 60 * time.Millisecond, warm: 400 * time.Microsecond,
	},
	{
		name: "ts", title: "Node, TypeScript", block: `runtime = "nodejs22.x"` + "\n" + `source = "ts"`, file: "ts/index.ts", tool: "node",
		source: `export const handler = async (event: { rawPath?: string }) => ({ version: "vVERSION." });` + "\n",
		save:   20 * time.Millisecond, save95: 60 * time.Millisecond, warm: 400 * time.Microsecond,
	},
	{
		name: "sdk", title: "Node, AWS SDK and zod", block: `runtime = "nodejs22.x"` + "\n" + `source = "sdk"`, file: "sdk/index.ts", tool: "node", modules: true,
		source: sdkSource, fresh: []string{"node", "-e", "require('@aws-sdk/client-dynamodb'); require('zod')"}, freshName: "new process, packages alone",
		save: 35 * time.Millisecond, save95: 90 * time.Millisecond,
	},
	{
		name: "python", title: "Python", block: `runtime = "python3.12"` + "\n" + `source = "python"` + "\n" + `handler = "app.handler"`, file: "python/app.py", tool: "python3",
		source: "def handler(event, context):\n    return {\"version\": \"vVERSION.\"}\n",
		fresh:  []string{"python3", "-c", "import sys; sys.path[0] = 'python'; import app"}, freshName: "new process",
		save: 20 * time.Millisecond, save95: 60 * time.Millisecond, warm: 400 * time.Microsecond,
	},
}

// sdkSource is a function with what many functions import.
const sdkSource = `import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { z } from "zod";
const client = new DynamoDBClient({}), shape = z.object({ version: z.string() });
export const handler = async () => shape.parse({ version: client ? "vVERSION." : "" });
`

// goHandler is apart: its saves take a build by the Go toolchain, whatever we do.
var goHandler = handler{
	name: "go", title: "Go", block: `runtime = "go"` + "\n" + `source = "go"`, file: "go/main.go", warm: 600 * time.Microsecond,
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
	present := b.present(handlers)
	s, err := b.functionStack("functions", append(present, goHandler))
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
	return b.warm(ctx, s, append(present, goHandler))
}

// present leaves out what cannot run here, and says so.
func (b *bench) present(all []handler) (present []handler) {
	for _, h := range all {
		if _, err := exec.LookPath(h.tool); h.tool != "" && err != nil {
			b.add(row{what: h.title + " functions are left out: " + h.tool + " is not installed"})
			continue
		}
		if _, err := os.Stat(b.modules()); h.modules && err != nil {
			b.add(row{what: h.title + " is left out: its packages are not installed (`make test` does)"})
			continue
		}
		present = append(present, h)
	}
	return present
}

// modules is a folder with packages from npm.
func (b *bench) modules() string {
	return filepath.Join(b.root, "testdata", "sdk", "js", "node_modules")
}

// functionStack writes a stack of functions behind an API.
func (b *bench) functionStack(name string, all []handler) (*stack, error) {
	dir := filepath.Join(b.temp, name)
	var hcl, routes strings.Builder
	hcl.WriteString("variable \"port\" {}\nvariable \"aws_port\" {}\nstack \"bench\" { port = var.aws_port }\n")
	for _, h := range all {
		if err := h.write(dir, 0); err != nil {
			return nil, err
		}
		if h.modules {
			if err := os.Symlink(b.modules(), filepath.Join(dir, "node_modules")); err != nil {
				return nil, err
			}
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
