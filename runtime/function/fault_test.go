package function

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"devstack/runtime/config"
)

func TestFaultsHaveTheirPlace(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"app.js": "const a = 1;\nthrow new Error('no');\n", "app.py": "import os\n\nimport nothing\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	fn := &config.Function{Source: dir}
	for _, tt := range []struct {
		name        string
		err         error
		want, frame string
	}{
		{"a compiler's", &BuildError{"app.py:1:5: SyntaxError: invalid syntax\n\n    1 │ x y\n      ╵   ^"},
			"app.py:1: SyntaxError: invalid syntax", "    1 │ x y\n      ╵   ^"},
		{"a compiler's that speaks first", &BuildError{"# command-line-arguments\n./main.go:7:2: undefined: x"}, "./main.go:7: undefined: x", "./main.go:7:2: undefined: x"},
		{"one without a place", &BuildError{"function f: no source"}, "function f: no source", ""},
		{"JavaScript's", &InitError{Type: "Error", Payload: []byte(`{"errorType":"Error","errorMessage":"no","trace":["Error: no","    at Object.<anonymous> (` + dir + `/app.js:2:7)","    at Module._compile (node:internal/modules:1:1)"]}`)},
			"app.js:2: Error: no", "  1 │ const a = 1;\n> 2 │ throw new Error('no');\n  3 │ "},
		{"Python's", &InitError{Type: "Runtime.ImportModuleError", Payload: []byte(`{"errorMessage":"Unable to import module 'app': No module named 'nothing'","stackTrace":["  File \"/usr/lib/python3/importlib.py\", line 90, in x\n","  File \"` + dir + `/app.py\", line 3, in <module>\n    import nothing\n"]}`)},
			"app.py:3: Runtime.ImportModuleError: Unable to import module 'app': No module named 'nothing'", "  2 │ \n> 3 │ import nothing\n  4 │ "},
		{"one that is nowhere", &InitError{Type: "Runtime.Unknown", Payload: []byte(`not JSON`)}, "Runtime.Unknown", ""},
		{"a process's end", &ExitError{"exit status 1"}, "Runtime exited with error: exit status 1", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, ok := FaultOf(fn, errors.Join(tt.err, nil))
			if !ok || f.String() != tt.want || f.Frame != tt.frame {
				t.Errorf("got %v %q\n%s\nwant %q\n%s", ok, f.String(), f.Frame, tt.want, tt.frame)
			}
		})
	}
	if _, ok := FaultOf(fn, ErrClosed); ok {
		t.Error("an error of ours is taken for the function's")
	}
}
