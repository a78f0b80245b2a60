package js

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/dop251/goja"
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/parser"
	"github.com/go-sourcemap/sourcemap"

	"devstack/runtime/function"
)

// compile makes a program of a bundle: an expression whose value is the function that runs the module. It returns a promise if
// the bundle awaits at its top.
func compile(code, sourceMap []byte, awaits bool) (*goja.Program, error) {
	head := "(function (exports, require, module) {"
	if awaits {
		head = "(async function (exports, require, module, " + handOver + ") {"
	}
	const tail = "\n})\n//# sourceMappingURL=" + scriptName + ".map"
	tree, err := parseScript(slices.Concat([]byte(head), code, []byte(tail)), sourceMap)
	if err != nil {
		return nil, &function.BuildError{Text: "the js runtime cannot read this: " + place(err, sourceMap)}
	}
	p, err := goja.CompileAST(tree, false)
	if err != nil {
		return nil, &function.BuildError{Text: "the js runtime cannot compile this: " + place(err, sourceMap)}
	}
	return p, nil
}

// maxMended is how many class fields of one bundle are renamed before we give up.
const maxMended = 100

// parseScript reads a bundle. goja does not know class fields that are called get, set or async and have a value: where it stops
// at one, the name is put in quotes, which mean the same, and it reads again.
func parseScript(src, sourceMap []byte) (*ast.Program, error) {
	loader := parser.WithSourceMapLoader(func(string) ([]byte, error) { return sourceMap, nil })
	for range maxMended {
		tree, err := parser.ParseFile(nil, scriptName, string(src), 0, loader)
		if err == nil {
			return tree, nil
		}
		mended := quoteField(src, err)
		if mended == nil {
			return nil, err
		}
		src = mended
	}
	return nil, errors.New("too many class fields called get, set or async")
}

// quoteField returns src with the field's name before the first error in quotes, nil if the error is another one.
func quoteField(src []byte, err error) []byte {
	var list parser.ErrorList
	if !errors.As(err, &list) || len(list) == 0 {
		return nil
	}
	at := offset(src, list[0].Position.Line, list[0].Position.Column) // of what follows the "="
	if at < 0 {
		return nil
	}
	before, ok := bytes.CutSuffix(bytes.TrimRight(src[:at], " "), []byte("="))
	if !ok {
		return nil
	}
	before = bytes.TrimRight(before, " ")
	for _, name := range []string{"get", "set", "async"} {
		if i := len(before) - len(name); i > 0 && string(before[i:]) == name && bytes.IndexByte([]byte(" \n;{\t"), before[i-1]) >= 0 {
			return slices.Concat(src[:i], []byte(`"`+name+`"`), src[len(before):])
		}
	}
	return nil
}

// offset is where a line and a column, both counted from 1, are in src; -1 for nowhere.
func offset(src []byte, line, column int) int {
	at := 0
	for ; line > 1; line-- {
		i := bytes.IndexByte(src[at:], '\n')
		if i < 0 {
			return -1
		}
		at += i + 1
	}
	if at += column - 1; at < 0 || at >= len(src) {
		return -1
	}
	return at
}

// place writes an error of goja's with the developer's file and line.
func place(err error, sourceMap []byte) string {
	var list parser.ErrorList
	if !errors.As(err, &list) || len(list) == 0 {
		return err.Error()
	}
	first := list[0]
	m, mapErr := sourcemap.Parse("", sourceMap)
	if mapErr != nil {
		return err.Error()
	}
	file, _, line, column, ok := m.Source(first.Position.Line, first.Position.Column-1)
	if !ok {
		return err.Error()
	}
	return fmt.Sprintf("%s:%d:%d: %s", file, line, column, first.Message)
}
