package lambda

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"devstack/emulators/kit"
	"devstack/emulators/store"
	"devstack/internal/clock"
)

// writerEnv makes the test binary a process that creates functions in a folder until it is killed.
const writerEnv = "DEVSTACK_TEST_LAMBDA_WRITER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerEnv); dir != "" {
		createForever(dir)
	}
	os.Exit(m.Run())
}

// createForever creates functions g0, g1, …, each with code of its own, gives each other code, publishes a version of it, and says so
// once all of it is acknowledged. Those whose number is a multiple of three it deletes again.
func createForever(dir string) {
	check := func(err error) {
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	st := store.New(filepath.Join(dir, "lambda.db"), store.Options{})
	_, s := New(context.Background(), kit.Env{Store: st, Clock: clock.System(), Log: slog.New(slog.DiscardHandler), IDs: kit.RandomIDs()},
		Options{Functions: &scripted{}, Dir: filepath.Join(dir, "lambda")})
	for n := 0; ; n++ {
		name := fmt.Sprint("g", n)
		_, err := s.CreateFunction(context.Background(), newFunction(name, codeOf(name, 1)))
		check(err)
		for {
			if _, err = s.UpdateFunctionCode(context.Background(), &UpdateFunctionCodeInput{FunctionName: &name, ZipFile: codeOf(name, 2), Publish: new(true)}); err == nil {
				break // it was no longer pending
			}
		}
		if n%3 == 0 {
			_, err := s.DeleteFunction(context.Background(), &DeleteFunctionInput{FunctionName: &name})
			check(err)
		}
		fmt.Println(n)
	}
}

// codeOf is the archive of a function's n-th code.
func codeOf(name string, n int) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create("app.py")
	if err == nil {
		_, err = fmt.Fprint(f, name, " ", n, strings.Repeat("x", 100_000))
	}
	if err != nil || w.Close() != nil {
		panic("no archive")
	}
	return b.Bytes()
}

func TestFunctionsSurviveAKill(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		dir := t.TempDir()
		last := killedWriter(t, exe, dir, time.Duration(200+150*round)*time.Millisecond)
		s := open(t, dir, clock.System(), &scripted{}, nil)
		if err := s.Resume(); err != nil {
			t.Fatal(err)
		}
		until(t, "end of what was under way", func() bool { return !changing(t, s) })
		for n := range last + 1 {
			checkSurvivor(t, s, n)
		}
		checkArchives(t, s)
	}
}

// killedWriter runs a writer, kills it after a while and returns the last function that it has acknowledged.
func killedWriter(t *testing.T, exe, dir string, after time.Duration) (last int) {
	t.Helper()
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), writerEnv+"="+dir)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	last = -1
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if n := last; n < 0 {
			time.AfterFunc(after, func() { cmd.Process.Kill() })
		}
		if _, err := fmt.Sscan(lines.Text(), &last); err != nil {
			t.Fatalf("the writer says %s", lines.Text())
		}
	}
	_ = cmd.Wait() // it was killed
	if last < 0 {
		t.Fatal("the writer has done nothing")
	}
	return last
}

// checkSurvivor looks at a function that was acknowledged, or acknowledged to be deleted.
func checkSurvivor(t *testing.T, s *Service, n int) {
	t.Helper()
	name := fmt.Sprint("g", n)
	for _, qualifier := range []string{latest, "1"} {
		_, v, err := s.find(t.Context(), name, &qualifier)
		if (err != nil) != (n%3 == 0) {
			t.Errorf("%s:%s: %v", name, qualifier, err)
		}
		if err != nil {
			continue
		}
		b, err := os.ReadFile(filepath.Join(s.archives.source(v.Code), "app.py"))
		if want := name + " 2x"; err != nil || !strings.HasPrefix(string(b), want) || v.State != StateActive {
			t.Errorf("%s:%s is %s and has %.10s %v, want %s", name, qualifier, v.State, b, err, want)
		}
	}
}

// checkArchives looks whether exactly those archives are there that somebody uses.
func checkArchives(t *testing.T, s *Service) {
	t.Helper()
	used := map[string]bool{}
	if err := s.Store.View(func(tx *store.Tx) error {
		for f := range functions.All(tx) {
			if f.Latest != nil {
				f.Latest.uses(used)
			}
		}
		for v := range versions.All(tx) {
			v.uses(used)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	got := siblings(t, s.archives.dir)
	for _, name := range got {
		if !used[name] {
			t.Errorf("%s is there, and nobody uses it", name)
		}
	}
	if len(got) != len(used) {
		t.Errorf("%d archives are there, %d are used", len(got), len(used))
	}
}
