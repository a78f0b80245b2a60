// Package seed reads the items that a table of the stack begins with: CSV, plain JSON, and DynamoDB's own JSON as the AWS CLI
// and exports to S3 write it.
package seed

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// maxSize bounds a file, unpacked, in bytes: seeds are what a developer writes, not a warehouse.
const maxSize = 256 << 20

// Item is an item in DynamoDB's JSON: {"id": {"S": "a"}, "total": {"N": "1"}}.
type Item map[string]json.RawMessage

// Keys are the types ("S", "N" or "B") of attributes that are keys of the table or of an index, and which of them every item
// must have.
type Keys struct {
	Types   map[string]string
	Primary []string
}

// Fault is a mistake in a seed file.
type Fault struct {
	Line    int // 1 for the first, 0 for the file as a whole
	Message string
}

// Error returns the line and the message.
func (f *Fault) Error() string {
	if f.Line == 0 {
		return f.Message
	}
	return fmt.Sprintf("line %d: %s", f.Line, f.Message)
}

func faultAt(line int, format string, args ...any) error {
	return &Fault{line, fmt.Sprintf(format, args...)}
}

// Formats are the endings of the names of files that Read reads; each may have .gz behind it.
var Formats = []string{".csv", ".json", ".jsonl", ".ndjson"}

// Format returns the ending that says how a file is read, "" if none of Formats does.
func Format(path string) string {
	path = strings.TrimSuffix(path, ".gz")
	for _, ending := range Formats {
		if strings.HasSuffix(path, ending) {
			return ending
		}
	}
	return ""
}

// Read reads the items of a file, in its order. The error of a file that is wrong is a *Fault.
func Read(path string, keys Keys) ([]Item, error) {
	content, err := content(path)
	if err != nil {
		return nil, err
	}
	var found []located
	switch Format(path) {
	case ".csv":
		found, err = readCSV(content, keys)
	case ".json", ".jsonl", ".ndjson":
		found, err = readJSON(content)
	default:
		err = faultAt(0, "its name must end with one of %s", strings.Join(Formats, ", "))
	}
	if err != nil {
		return nil, err
	}
	return checked(found, keys)
}

func content(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return nil, faultAt(0, "it is not compressed by gzip: %v", err)
		}
	}
	b, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxSize {
		return nil, faultAt(0, "it has more than %d MiB", maxSize>>20)
	}
	return bytes.TrimPrefix(b, []byte("\ufeff")), nil
}

// located is an item and the line that it begins in.
type located struct {
	item Item
	line int
}

// checked checks what DynamoDB would refuse without naming the line: missing keys, keys of another type, and an item that is
// there twice.
func checked(found []located, keys Keys) ([]Item, error) {
	items, seen := make([]Item, len(found)), map[string]int{}
	for i, f := range found {
		for _, name := range keys.Primary {
			if f.item[name] == nil {
				return nil, faultAt(f.line, "the item has no %q, which is a key of the table%s", name, near(name, f.item))
			}
		}
		for _, name := range slices.Sorted(maps.Keys(keys.Types)) {
			if typ := typeOf(f.item[name]); typ != "" && typ != keys.Types[name] {
				return nil, faultAt(f.line, "%q is a key of type %s, not %s", name, keys.Types[name], typ)
			}
		}
		id := ""
		for _, name := range keys.Primary {
			id += string(f.item[name]) + " "
		}
		if first := seen[id]; first > 0 {
			return nil, faultAt(f.line, "there is an item of this key in line %d already", first)
		}
		seen[id], items[i] = f.line, f.item
	}
	return items, nil
}

// near suggests an attribute that differs from the wanted one by its capitals, underscores and hyphens only.
func near(wanted string, i Item) string {
	plain := func(s string) string {
		return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(s))
	}
	for _, name := range slices.Sorted(maps.Keys(i)) {
		if plain(name) == plain(wanted) {
			return fmt.Sprintf(". Is %q meant to be it?", name)
		}
	}
	return ""
}

// typeOf returns the type of a value in DynamoDB's JSON, "" of none.
func typeOf(value json.RawMessage) string {
	typ, _, _ := strings.Cut(strings.TrimLeft(string(value), `{" `+"\t\r\n"), `"`)
	return typ
}

// typed writes a value in DynamoDB's JSON.
func typed(typ string, value any) json.RawMessage {
	b, err := json.Marshal(map[string]any{typ: value})
	if err != nil {
		panic(err) // of texts, raw JSON and lists of them, which always marshal
	}
	return b
}

// lineAt is the line of an offset.
func lineAt(content []byte, offset int64) int {
	return 1 + bytes.Count(content[:min(offset, int64(len(content)))], []byte{'\n'})
}
