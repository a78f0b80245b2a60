package python_test

import (
	"os"
	"path/filepath"
	"testing"
)

func TestASharedFolderOutsideTheFunctionsOwnCounts(t *testing.T) {
	p := project(t, "", files{
		"fn/lambda_function.py": "import os, sys\nsys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'shared'))\n" +
			"import lib\ndef lambda_handler(event, context):\n    return lib.number\n",
		"shared/lib.py": "number = 1\n",
	})
	p.Function.Source = filepath.Join(p.Dir, "fn")
	p.Put(t)
	p.Want(t, `{}`, `1`)
	if err := os.WriteFile(filepath.Join(p.Dir, "shared/lib.py"), []byte("number = 2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p.Want(t, `{}`, `2`)
}
