package ruby

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"devstack/runtime/function/pick"
)

// interpreter is an installed Ruby.
type interpreter struct {
	path  string   // absolute
	minor string   // "3.3"
	abi   string   // "3.3.0", as gems' folders are called
	gems  []string // where it finds gems
	note  string   // why it is not quite what the function asked for, "" if it is
}

// ErrNone says that there is no Ruby on this machine.
var ErrNone = errors.New("no Ruby was found: neither is ruby in PATH, nor is one installed with rbenv, mise, asdf, chruby or Homebrew (at least version 2.7 is needed)")

// Found reports why functions of a runtime cannot be run by this machine's Ruby, nil if it has one.
func Found(runtime string) error {
	for _, path := range candidates(strings.TrimPrefix(runtime, "ruby")) {
		if _, err := os.Stat(path); err == nil {
			return nil
		}
	}
	return ErrNone
}

// interpreters remembers which Ruby each runtime gets.
type interpreters struct{ pick.Memory[interpreter] }

// of finds the best Ruby for a runtime such as "ruby3.3": one of that version if there is any, else the one that the developer's
// shell would run.
func (i *interpreters) of(ctx context.Context, runtime string) (interpreter, error) {
	return i.Of(runtime, func() (interpreter, string, error) {
		r, err := find(ctx, runtime)
		return r, r.path, err
	})
}

func find(ctx context.Context, runtime string) (interpreter, error) {
	wanted := strings.TrimPrefix(runtime, "ruby")
	r, exact, err := pick.Best(ctx, candidates(wanted), func(path string) (r interpreter, exact, ok bool) {
		r, ok = ask(ctx, path)
		return r, r.minor == wanted, ok
	})
	switch {
	case err == pick.ErrNone:
		return r, ErrNone
	case err == nil && !exact:
		r.note = fmt.Sprintf("runtime %s runs on Ruby %s (%s), because no Ruby %s was found", runtime, r.minor, r.path, wanted)
	}
	return r, err
}

// candidates are the paths of programs that may be a Ruby, the likeliest first.
func candidates(wanted string) []string {
	var paths []string
	for _, name := range []string{"ruby" + wanted, "ruby"} {
		if path, err := exec.LookPath(name); err == nil {
			paths = append(paths, path)
		}
	}
	home := os.Getenv("HOME")
	for _, pattern := range []string{
		home + "/.rbenv/versions/" + wanted + ".*/bin/ruby", home + "/.local/share/mise/installs/ruby/" + wanted + ".*/bin/ruby",
		home + "/.asdf/installs/ruby/" + wanted + ".*/bin/ruby", home + "/.rubies/ruby-" + wanted + ".*/bin/ruby",
		"/opt/rubies/ruby-" + wanted + ".*/bin/ruby", "/opt/homebrew/opt/ruby@" + wanted + "/bin/ruby", "/usr/local/opt/ruby@" + wanted + "/bin/ruby",
	} {
		if found, err := filepath.Glob(pattern); err == nil {
			paths = append(paths, found...)
		}
	}
	return paths
}

// ask asks a program which Ruby it is. One that is older than the runtime's oldest is none.
func ask(ctx context.Context, path string) (interpreter, bool) {
	const question = `puts RUBY_VERSION, RbConfig::CONFIG["ruby_version"], Gem.path`
	out, err := exec.CommandContext(ctx, path, "-e", question).Output()
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if err != nil || len(lines) < 2 {
		return interpreter{}, false
	}
	parts := strings.Split(lines[0], ".")
	major, _ := strconv.Atoi(parts[0])
	if len(parts) < 2 || major < 2 || major == 2 && parts[1] < "7" {
		return interpreter{}, false
	}
	return interpreter{path: path, minor: parts[0] + "." + parts[1], abi: lines[1], gems: lines[2:]}, true
}
