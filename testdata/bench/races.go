package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// raced are the engines whose own suite is run, each by one of its tests.
var raced = []struct{ title, pkg, test, tool string }{
	{"js", "js", "TestSuite", ""},
	{"Python", "python", "TestPython", "python3"},
	{"Go", "golang", "TestGo", ""},
	{"Node", "node", "TestCommonJS", "node"}, // the longest
}

// races runs the part of the engines' tests in which saves and requests race. The daemon watches files whenever it can; only
// there can it be kept from it.
func (b *bench) races(ctx context.Context) error {
	for _, r := range raced {
		if _, err := exec.LookPath(r.tool); r.tool != "" && err != nil {
			continue
		}
		folder := filepath.Join(b.root, "runtime", "function", r.pkg)
		program := filepath.Join(b.temp, r.pkg+".test")
		build := exec.CommandContext(ctx, "go", "test", "-c", "-o", program, ".")
		build.Dir = folder
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build the tests of %s: %w\n%s", r.pkg, err, out)
		}
		for _, watched := range []struct{ title, test string }{
			{"files watched", "no_answer_is_stale_while_files_are_watched"},
			{"nothing watched", "no_answer_is_stale_where_nothing_is_watched"},
		} {
			test := exec.CommandContext(ctx, program, "-test.v", "-test.timeout", within.String(), "-test.run", "^"+r.test+"$/^"+watched.test+"$")
			test.Dir, test.Env = folder, append(os.Environ(), "DEVSTACK_RACES="+strconv.Itoa(b.raceSaves))
			began := time.Now()
			out, err := test.CombinedOutput()
			stale := bytes.Count(out, []byte("stale:"))
			if !bytes.Contains(out, []byte("--- PASS: "+r.test+"/")) && stale == 0 {
				return fmt.Errorf("races of %s: %v\n%s", r.title, err, lastLines(string(out), 20))
			}
			b.add(row{
				what: fmt.Sprintf("%d saves racing requests, %s, %s", b.raceSaves, r.title, watched.title), figure: fmt.Sprintf("%d stale, %d s", stale, int(time.Since(began).Seconds())),
				budget: "0 stale", missed: stale > 0,
			})
		}
	}
	return nil
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
