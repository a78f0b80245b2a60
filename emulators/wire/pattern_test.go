package wire

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sharedFiles finds files among the inputs beside the repository.
func sharedFiles(t *testing.T, pattern ...string) []string {
	t.Helper()
	shared := os.Getenv("DEVSTACK_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	files, _ := filepath.Glob(filepath.Join(append([]string{shared}, pattern...)...))
	if len(files) == 0 {
		if os.Getenv("CI") != "" {
			t.Fatalf("no %s in %s; DEVSTACK_SHARED names another folder", filepath.Join(pattern...), shared)
		}
		t.Skipf("no %s in %s; DEVSTACK_SHARED names another folder", filepath.Join(pattern...), shared)
	}
	return files
}

// TestPatterns compiles every pattern of every published model.
func TestPatterns(t *testing.T) {
	linear, backtracking := 0, 0
	seen := map[string]bool{}
	var walk func(x any)
	walk = func(x any) {
		switch x := x.(type) {
		case map[string]any:
			p, ok := x["smithy.api#pattern"].(string)
			if !ok {
				p, ok = x["pattern"].(string) // botocore's
			}
			if ok && !seen[p] {
				seen[p] = true
				switch l, b := parsePattern(p); {
				case l != nil:
					linear++
				case b != nil:
					backtracking++
				default:
					t.Errorf("no engine takes %s", p)
				}
			}
			for _, y := range x {
				walk(y)
			}
		case []any:
			for _, y := range x {
				walk(y)
			}
		}
	}
	for _, f := range slices.Concat(sharedFiles(t, "aws-models", "*.json"), sharedFiles(t, "aws-models-botocore", "*", "*", "service-2.json")) {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var x any
		if err := json.Unmarshal(b, &x); err != nil {
			t.Fatal(err)
		}
		walk(x)
	}
	t.Logf("%d patterns in linear time, %d by backtracking", linear, backtracking)
}

func TestPatternsMatchAsJavaDoes(t *testing.T) {
	for _, tt := range []struct {
		pattern, s string
		want       bool
	}{
		{"[a-z]+", "abc", true},
		{"[a-z]+", "abc1", false},
		{"^[a-z]+$", "abc\n", false},
		{"[a-zA-Z0-9-_]+", "a-b_c", true},
		{"(?!^[0-9]+$)([a-zA-Z0-9-_]+)", "2024", false}, // recorded: Lambda's alias names
		{"(?!^[0-9]+$)([a-zA-Z0-9-_]+)", "v2024", true},
		{`^(?=.*[a-zA-Z_\-\.])[a-zA-Z0-9_\-\.]+$`, "123", false}, // recorded: Step Functions' alias names
		{`^(?=.*[a-zA-Z_\-\.])[a-zA-Z0-9_\-\.]+$`, "123a", true},
		{"[\\u0020-\\uD7FF\\uE000-\\uFFFD\\uD800\\uDC00-\\uDBFF\\uDFFF\\r\\n\\t]*", "text 😹\n", true},
		{"[\\u0020-\\uD7FF]*", "a\x01", false},
		{"[\\w+=,.@-]*", "Session1:2", false}, // recorded: STS
		{"\\w+", "é", false},
		{`^\p{Print}+$`, "a b~", true},
		{`^\p{Print}+$`, "a\tb", false},
		{".{1,2048}", strings.Repeat("a", 2048), true},
		{".{1,2048}", strings.Repeat("a", 2049), false},
		{"$|kafka://([^.]([a-zA-Z0-9\\-_.]{0,248}))", "", true},
		{"[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*", "Größe 1", true},
	} {
		if got := matches(tt.pattern, tt.s); got != tt.want {
			t.Errorf("%q of %s: %v", tt.s, tt.pattern, got)
		}
	}
}

func TestBacktrackingIsBounded(t *testing.T) {
	if !matches("^(?=a)(([a-z])+.)+[A-Z]([a-z])+$", strings.Repeat("a", 500)) {
		t.Error("a value that takes too long to match must pass")
	}
}
