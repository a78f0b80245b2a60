package provision

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"devstack/internal/clock"
	"devstack/runtime/config"
	"devstack/runtime/plan"
)

var update = flag.Bool("update", false, "write what was called into the golden files")

// section is a part of a golden file: a line "-- name --" and what follows it.
type section struct{ name, body string }

func sections(t *testing.T, path string) []section {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var list []section
	for line := range strings.Lines(string(content)) {
		if name, ok := strings.CutPrefix(line, "-- "); ok {
			list = append(list, section{name: strings.TrimSuffix(strings.TrimSpace(name), " --")})
			continue
		}
		if len(list) > 0 {
			list[len(list)-1].body += line
		}
	}
	return list
}

// stack reads a stack's text.
func stack(t *testing.T, text string) *config.Stack {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"stack.hcl": "stack \"test\" {}\n" + text, "f.js": "", "seed.csv": "id,name\na,tea\nb,\n", "more.json": `[{"id":"b","price":450}]`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s, err := config.Load(dir, config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestStacks applies stacks one after the other, from each section "stack", "restart" (which knows nothing of what it did
// before) or "relabel" (which deletes last), and compares the calls that change something with the section "calls" that
// follows.
func TestStacks(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden files", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			aws := newFake()
			p := New(aws, "us-east-1", clock.Fixed(time.Unix(0, 0)))
			var old *config.Stack
			var got, want strings.Builder
			for _, s := range sections(t, path) {
				want.WriteString("-- " + s.name + " --\n" + s.body)
				if s.name == "calls" {
					continue
				}
				got.WriteString("-- " + s.name + " --\n" + s.body)
				if s.name == "restart" {
					old = nil
				}
				next := stack(t, s.body)
				steps := plan.Diff(old, next)
				if s.name == "relabel" {
					slices.SortStableFunc(steps, func(a, b plan.Step) int { return int(a.Action) - int(b.Action) })
				}
				carryOut(t, p, aws, steps)
				got.WriteString("-- calls --\n" + aws.calls.String())
				aws.calls.Reset()
				old = next
			}
			if *update {
				if err := os.WriteFile(path, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got.String() != want.String() {
				t.Errorf("got\n%s\nwant\n%s", got.String(), want.String())
			}
		})
	}
}

// carryOut applies steps one by one. An error is part of what is compared.
func carryOut(t *testing.T, p *Provisioner, aws *fakeAWS, steps []plan.Step) {
	t.Helper()
	for _, s := range steps {
		var err error
		if s.Action == plan.Delete {
			err = p.Remove(t.Context(), s.Old)
		} else {
			err = p.Apply(t.Context(), s.Old, s.New)
		}
		if err != nil {
			aws.calls.WriteString("error: " + err.Error() + "\n")
		}
	}
}

func TestAPIID(t *testing.T) {
	aws := newFake()
	p := New(aws, "us-east-1", clock.Fixed(time.Unix(0, 0)))
	s := stack(t, "api \"web\" {\n name = \"shop\"\n}\n")
	if err := p.Apply(t.Context(), nil, s.Resources[0]); err != nil {
		t.Fatal(err)
	}
	if id, err := p.APIID(t.Context(), "shop"); err != nil || id != "api1" {
		t.Errorf("got %q, %v", id, err)
	}
	if _, err := p.APIID(t.Context(), "web"); err == nil {
		t.Error("an API is found by the name of its block")
	}
}

func TestErrorsOfAWSAreKept(t *testing.T) {
	aws := newFake()
	aws.broken["CreateTable"] = &awsError{"LimitExceededException", "too many tables"}
	p := New(aws, "us-east-1", clock.Fixed(time.Unix(0, 0)))
	s := stack(t, `table "orders" { hash_key = "id" }`)
	err := p.Apply(t.Context(), nil, s.Resources[0])
	var code interface{ ErrorCode() string }
	if !errors.As(err, &code) || code.ErrorCode() != "LimitExceededException" {
		t.Fatalf("got %v", err)
	}
	if want := "table.orders: CreateTable: LimitExceededException: too many tables"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestStreamOfAnotherLabelFailsLoudly(t *testing.T) {
	aws := newFake()
	aws.label = "2020-02-02T00:00:00.000"
	p := New(aws, "us-east-1", clock.Fixed(time.Unix(0, 0)))
	s := stack(t, "table \"orders\" {\n hash_key = \"id\"\n stream = \"KEYS_ONLY\"\n}\n")
	if err := p.Apply(t.Context(), nil, s.Resources[0]); err == nil || !strings.Contains(err.Error(), "2020-02-02") {
		t.Errorf("got %v", err)
	}
}
