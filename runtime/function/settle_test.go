package function_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"devstack/runtime/function"
	"devstack/runtime/watch"
)

// tree is a bench whose function is a folder of many files, watched.
func tree(t *testing.T, files int) *bench {
	t.Helper()
	w, err := watch.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	b := newBench(t, func(c *function.Config) { c.Watch = w })
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	b.fn.Source = filepath.Join(dir, "src")
	b.fill(t, files, "one")
	return b
}

// fill writes all files of the function anew, as git does: each is removed first.
func (b *bench) fill(t *testing.T, files int, content string) {
	t.Helper()
	for i := range files {
		path := filepath.Join(b.fn.Source, fmt.Sprint("folder", i%20), fmt.Sprint("file", i))
		if i == 0 {
			path = filepath.Join(b.fn.Source, "main")
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		os.Remove(path)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func (b *bench) git(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"}, args...)...)
	cmd.Dir = filepath.Dir(b.fn.Source)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

// builds drops what is told of until a build of the content is live, and returns how many builds there were.
func (b *bench) builds(t *testing.T, want string) (n int) {
	t.Helper()
	for {
		select {
		case <-b.news:
			n++
		case <-t.Context().Done():
			t.Fatal("it was never built")
		}
		if len(b.news) == 0 && b.peek() == want {
			return n
		}
	}
}

// peek is what the live version was built from, without looking at the files.
func (b *bench) peek() string { s, _ := b.fake.Latest.Load().(string); return s }

func TestACheckoutOfTwoThousandFilesIsOneBuild(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("git is not installed")
	}
	const files = 2000
	b := tree(t, files)
	b.git(t, "init", "-q")
	b.git(t, "add", ".")
	b.git(t, "commit", "-qm", "one")
	b.git(t, "checkout", "-qb", "two")
	b.fill(t, files, "two")
	b.git(t, "commit", "-qam", "two")
	b.put(t)
	b.builds(t, "two")
	b.git(t, "checkout", "-q", "-")
	if n := b.builds(t, "one"); n != 1 {
		t.Errorf("a checkout of %d files was published as %d builds", files, n)
	}
}

func TestATreeThatIsWrittenIsBuiltWhenItRests(t *testing.T) {
	b := tree(t, 300)
	b.put(t)
	b.builds(t, "one")
	b.fill(t, 300, "two")
	if n := b.builds(t, "two"); n > 2 {
		t.Errorf("%d builds, want one at the first change and one at rest", n)
	}
}

func TestARequestDoesNotWaitForGit(t *testing.T) {
	b := tree(t, 3)
	lock := filepath.Join(filepath.Dir(b.fn.Source), ".git", "index.lock")
	if err := os.MkdirAll(filepath.Dir(lock), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(lock, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	b.put(t)
	for n := range 5 {
		b.fill(t, 1, fmt.Sprint("version ", n))
		b.want(t, version, fmt.Sprintf(`"version %d"`, n))
	}
	if err := os.Remove(lock); err != nil {
		t.Fatal(err)
	}
}
