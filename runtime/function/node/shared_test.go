package node_test

import (
	"os"
	"path/filepath"
	"testing"
)

func TestASharedFolderOutsideTheFunctionsOwnCounts(t *testing.T) {
	p := project(t, "nodejs20.x", "", files{
		"fn/index.js":   "exports.handler = async () => require('../shared/lib').number;\n",
		"shared/lib.js": "exports.number = 1;\n",
	})
	p.Function.Source = filepath.Join(p.Dir, "fn")
	p.Put(t)
	p.Want(t, `{}`, `1`)
	if err := os.WriteFile(filepath.Join(p.Dir, "shared/lib.js"), []byte("exports.number = 2;\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p.Want(t, `{}`, `2`)
}
