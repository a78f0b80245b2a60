package golang

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// script is what `go build -n` says it would do: shell commands, and files in the form of here documents.
type script struct {
	commands []command
	files    map[string]string // content by path, which begins with $WORK
}

// command is one line of a script.
type command struct {
	env  []string // "NAME=value", set for this command
	args []string
}

// tool is the base name of the program.
func (c command) tool() string { return filepath.Base(c.args[0]) }

// option returns the value of an option that is followed by one.
func (c command) option(name string) string {
	for i, arg := range c.args[:len(c.args)-1] {
		if arg == name {
			return c.args[i+1]
		}
	}
	return ""
}

// readScript reads the output of `go build -n`. Lines that it does not understand are left out: who needs one does not
// find it then.
func readScript(text string) *script {
	s := &script{files: map[string]string{}}
	for text != "" {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		line = strings.TrimSuffix(line, " # internal")
		if path, ok := hereDocument(line); ok {
			s.files[path], text, _ = strings.Cut(text, "EOF\n")
			continue
		}
		if c, err := readCommand(line); err == nil {
			s.commands = append(s.commands, c)
		}
	}
	return s
}

// hereDocument recognises "cat >$WORK/b001/importcfg << 'EOF'" and returns the path.
func hereDocument(line string) (path string, ok bool) {
	path, ok = strings.CutPrefix(line, "cat >")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(path, " << 'EOF'")
}

// readCommand splits a line into words as the go command joins them: those with anything unusual are Go string literals.
// Settings of variables come first.
func readCommand(line string) (c command, err error) {
	for line = strings.TrimLeft(line, " "); line != ""; line = strings.TrimLeft(line, " ") {
		if name, rest, ok := strings.Cut(line, "="); ok && len(c.args) == 0 && isName(name) {
			value, after, err := readWord(rest)
			if err != nil {
				return c, err
			}
			c.env, line = append(c.env, name+"="+value), after
			continue
		}
		var word string
		if word, line, err = readWord(line); err != nil {
			return c, err
		}
		c.args = append(c.args, word)
	}
	if len(c.args) == 0 || strings.HasPrefix(c.args[0], "#") {
		return c, fmt.Errorf("no command")
	}
	return c, nil
}

// readWord takes a word off the line.
func readWord(line string) (word, rest string, err error) {
	switch {
	case strings.HasPrefix(line, `"`):
		quoted, err := strconv.QuotedPrefix(line)
		if err != nil {
			return "", "", err
		}
		word, err = strconv.Unquote(quoted)
		return word, line[len(quoted):], err
	case strings.HasPrefix(line, "'"):
		word, rest, ok := strings.Cut(line[1:], "'")
		if !ok {
			return "", "", fmt.Errorf("a quotation without an end")
		}
		return word, rest, nil
	}
	word, rest, _ = strings.Cut(line, " ")
	return word, rest, nil
}

func isName(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

// importConfig reads an import configuration. An entry that is neither "packagefile PATH=FILE" nor "importmap PATH=PATH"
// is an error.
func importConfig(text string) (packages, maps []string, err error) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "modinfo ") {
			continue
		}
		verb, rest, _ := strings.Cut(line, " ")
		path, _, ok := strings.Cut(rest, "=")
		switch {
		case verb == "packagefile" && ok:
			packages = append(packages, path)
		case verb == "importmap" && ok:
			maps = append(maps, line)
		default:
			return nil, nil, fmt.Errorf("import configuration: %q", line)
		}
	}
	return packages, maps, nil
}
