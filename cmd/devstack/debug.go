package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"devstack/runtime/config"
)

// debugged is a function that `devstack up --debug` names, and the port for its debugger: 0 for one that is chosen, and stays.
type debugged struct {
	name string // its name or its label: "orders", "function.orders"
	port int
}

// parseDebugged takes the values of --debug apart: NAME or NAME=PORT.
func parseDebugged(values []string) ([]debugged, error) {
	var all []debugged
	for _, v := range values {
		name, port, given := strings.Cut(v, "=")
		d := debugged{name: strings.TrimPrefix(name, "function.")}
		if given {
			n, err := strconv.Atoi(port)
			if err != nil || n < 1 || n > 65535 {
				return nil, wrong("--debug %s: %q is not a port from 1 to 65535", v, port)
			}
			d.port = n
		}
		if d.name == "" {
			return nil, wrong("--debug takes the NAME of a function, or NAME=PORT, and not %q", v)
		}
		if slices.ContainsFunc(all, func(o debugged) bool { return o.name == d.name }) {
			return nil, wrong("--debug names %s twice", d.name)
		}
		all = append(all, d)
	}
	return all, nil
}

// setDebug gives the functions that are to be debugged their ports. With first set an unknown name is an error; later a function may
// have left the stack.
func (d *daemon) setDebug(stack *config.Stack, first bool) error {
	var names []string
	taken := map[int]string{}
	for _, want := range d.options.debug {
		fn := functionNamed(stack, want.name, &names)
		if fn == nil {
			if first {
				return wrong("--debug %s: the stack has no such function%s", want.name, didYouMean(want.name, names))
			}
			continue
		}
		if why := undebuggable(fn.Runtime); why != "" {
			return wrong("--debug %s: %s", want.name, why)
		}
		port, err := d.alloc.Port(config.ID{Type: "debugger", Name: fn.Name}, want.port)
		if err != nil {
			return wrong("--debug %s: %v", want.name, err)
		}
		if other := taken[port]; other != "" {
			return wrong("--debug gives port %d to both %s and %s", port, other, fn.Name)
		}
		taken[port] = fn.Name
		fn.Debug = port
	}
	return nil
}

// functionNamed finds a function by its name or its block's label, and collects all names on the way.
func functionNamed(stack *config.Stack, name string, names *[]string) (found *config.Function) {
	*names = nil
	for _, r := range stack.Resources {
		if fn, ok := r.(*config.Function); ok {
			*names = append(*names, fn.Name)
			if fn.Name == name || fn.ID.Name == name {
				found = fn
			}
		}
	}
	return found
}

// undebuggable says why there is no debugger for a runtime, and what there is instead.
func undebuggable(runtime string) string {
	switch {
	case debuggerOf(runtime) != "":
		return ""
	case runtime == "js":
		return `functions of runtime "js" run inside devstack, where no debugger can look; set the runtime to "nodejs22.x" to debug the same code, or write to the log with console.log`
	case runtime == "image":
		return "a function that is a container image has no debugger that devstack starts; give its source and a runtime such as \"nodejs22.x\" to debug it"
	}
	return fmt.Sprintf("devstack has no debugger for runtime %q; it has for nodejs, python and go", runtime)
}

// debuggerOf is VS Code's type of debugger for a runtime, "" if there is none.
func debuggerOf(runtime string) string {
	switch {
	case strings.HasPrefix(runtime, "nodejs"):
		return "node"
	case strings.HasPrefix(runtime, "python"):
		return "debugpy"
	case runtime == "go", strings.HasPrefix(runtime, "provided"):
		return "go"
	}
	return ""
}

// launch is one entry of VS Code's launch.json.
type launch map[string]any

// launchFor is how VS Code attaches to a function.
//
// https://code.visualstudio.com/docs/nodejs/nodejs-debugging#_attaching-to-nodejs,
// https://code.visualstudio.com/docs/python/debugging#_command-line-debugging,
// https://github.com/golang/vscode-go/wiki/debugging#attach
func launchFor(fn *config.Function) launch {
	l := launch{"name": "devstack: " + fn.Name, "type": debuggerOf(fn.Runtime), "request": "attach"}
	switch l["type"] {
	case "node":
		l["address"], l["port"], l["restart"], l["continueOnAttach"] = "127.0.0.1", fn.Debug, true, true
		l["skipFiles"] = []string{"<node_internals>/**", "**/devstack/node-*/**"}
	case "debugpy":
		l["connect"] = launch{"host": "127.0.0.1", "port": fn.Debug}
	case "go":
		l["mode"], l["host"], l["port"] = "remote", "127.0.0.1", fn.Debug
	}
	return l
}

// launchFile is where VS Code looks, beside the stack's files.
func launchFile(dir string) string { return filepath.Join(dir, ".vscode", "launch.json") }

// writeLaunches puts the functions that are debugged into VS Code's launch.json, and leaves everything else in it as it is. A file that
// cannot be read as JSON, as one with comments cannot, is not touched: what belongs into it is printed.
func writeLaunches(w io.Writer, stack *config.Stack, dir string) error {
	var all []launch
	for _, r := range stack.Resources {
		if fn, ok := r.(*config.Function); ok && fn.Debug != 0 {
			all = append(all, launchFor(fn))
		}
	}
	path := launchFile(dir)
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	merged, ok := mergeLaunches(old, all)
	if !ok {
		text, err := json.MarshalIndent(all, "", "  ")
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s has comments, or is not what VS Code writes, and stays as it is; these are its \"configurations\" for debugging:\n%s\n", path, text)
		return nil
	}
	if bytes.Equal(old, merged) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	beside := path + ".devstack"
	if err := os.WriteFile(beside, merged, 0o644); err != nil {
		return err
	}
	if err := os.Rename(beside, path); err != nil {
		return err
	}
	fmt.Fprintln(w, "wrote", path)
	return nil
}

// member is one member of a JSON object, whose order is to stay.
type member struct {
	name  string
	value json.RawMessage
}

// mergeLaunches puts entries into the text of a launch.json, each in the place of the one of its name. It is false for a text that is
// not a JSON object with a list of configurations.
func mergeLaunches(old []byte, entries []launch) ([]byte, bool) {
	members := []member{{"version", json.RawMessage(`"0.2.0"`)}, {"configurations", json.RawMessage(`[]`)}}
	if len(bytes.TrimSpace(old)) > 0 {
		var ok bool
		if members, ok = membersOf(old); !ok {
			return nil, false
		}
	}
	i := slices.IndexFunc(members, func(m member) bool { return m.name == "configurations" })
	if i < 0 {
		i = len(members)
		members = append(members, member{"configurations", json.RawMessage(`[]`)})
	}
	var list []json.RawMessage
	if json.Unmarshal(members[i].value, &list) != nil {
		return nil, false
	}
	for _, e := range entries {
		text, err := json.Marshal(e)
		if err != nil {
			return nil, false
		}
		at := slices.IndexFunc(list, func(had json.RawMessage) bool {
			var named struct{ Name string }
			return json.Unmarshal(had, &named) == nil && named.Name == e["name"]
		})
		if at < 0 {
			list = append(list, text)
		} else {
			list[at] = text
		}
	}
	var b bytes.Buffer
	for n, m := range members {
		if n == i {
			var err error
			if m.value, err = json.Marshal(list); err != nil {
				return nil, false
			}
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, false
		}
		fmt.Fprintf(&b, "%s%s:%s", map[bool]string{true: "{", false: ","}[n == 0], name, m.value)
	}
	b.WriteByte('}')
	var out bytes.Buffer
	if json.Indent(&out, b.Bytes(), "", "    ") != nil {
		return nil, false
	}
	out.WriteByte('\n')
	return out.Bytes(), true
}

// membersOf takes a JSON object apart.
func membersOf(text []byte) ([]member, bool) {
	if !json.Valid(text) {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, false
	}
	var all []member
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, false
		}
		m := member{name: name.(string)} // of an object in valid JSON
		if d.Decode(&m.value) != nil {
			return nil, false
		}
		all = append(all, m)
	}
	return all, true
}
