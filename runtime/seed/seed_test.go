package seed

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var keys = Keys{Types: map[string]string{"id": "S", "n": "N"}, Primary: []string{"id"}}

func write(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestItemsOfEveryFormat(t *testing.T) {
	for _, tt := range []struct{ name, file, content, want string }{
		{"a table of cells: keys by their types, the rest strings, empty cells left out", "a.csv",
			"id,n,name\na,1,tea\n\"b,c\",,\n", `[{"id":{"S":"a"},"n":{"N":"1"},"name":{"S":"tea"}},{"id":{"S":"b,c"}}]`},
		{"a list of plain objects", "a.json",
			`[{"id":"a","n":1.50,"yes":true,"no":null,"l":[1,"x"],"m":{"k":"v"}}]`,
			`[{"id":{"S":"a"},"l":{"L":[{"N":"1"},{"S":"x"}]},"m":{"M":{"k":{"S":"v"}}},"n":{"N":"1.50"},"no":{"NULL":true},"yes":{"BOOL":true}}]`},
		{"one plain object", "a.json", `{"id":"a"}`, `[{"id":{"S":"a"}}]`},
		{"a list of typed items", "a.json", `[{"id":{"S":"a"},"s":{"SS":["x"]}}]`, `[{"id":{"S":"a"},"s":{"SS":["x"]}}]`},
		{"what aws dynamodb scan prints", "a.json", `{"Items":[{"id":{"S":"a"}},{"id":{"S":"b"}}],"Count":2,"ScannedCount":2,"ConsumedCapacity":null}`,
			`[{"id":{"S":"a"}},{"id":{"S":"b"}}]`},
		{"a file for aws dynamodb batch-write-item", "a.json", `{"orders":[{"PutRequest":{"Item":{"id":{"S":"a"}}}}]}`, `[{"id":{"S":"a"}}]`},
		{"an export's lines", "a.json", "{\"Item\":{\"id\":{\"S\":\"a\"}}}\n{\"Item\":{\"id\":{\"S\":\"b\"}}}\n", `[{"id":{"S":"a"}},{"id":{"S":"b"}}]`},
		{"plain lines", "a.jsonl", "{\"id\":\"a\"}\n\n{\"id\":\"b\"}\n", `[{"id":{"S":"a"}},{"id":{"S":"b"}}]`},
		{"a map that only looks typed in one attribute is plain", "a.json", `[{"id":"a","m":{"S":"x"}}]`, `[{"id":{"S":"a"},"m":{"M":{"S":{"S":"x"}}}}]`},
		{"an empty list", "a.json", `[]`, `[]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			items, err := Read(write(t, tt.file, []byte(tt.content)), keys)
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := json.Marshal(items); string(got) != tt.want {
				t.Errorf("read  %s\nwanted %s", got, tt.want)
			}
		})
	}
}

func TestCompressedFilesAreUnpacked(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(`{"Item":{"id":{"S":"a"}}}`))
	z.Close()
	items, err := Read(write(t, "data.json.gz", b.Bytes()), keys)
	if err != nil || len(items) != 1 {
		t.Errorf("read %v, %v", items, err)
	}
}

func TestMistakesNameTheirLine(t *testing.T) {
	for _, tt := range []struct{ name, file, content, want string }{
		{"a missing key", "a.csv", "ID,n\na,1\n", `line 2: the item has no "id", which is a key of the table. Is "ID" meant to be it?`},
		{"a key of another type", "a.json", "[\n  {\"id\": \"a\"},\n  {\"id\": 1}\n]", `line 3: "id" is a key of type S, not N`},
		{"an index key of another type", "a.json", `[{"id":"a","n":"1"}]`, `line 1: "n" is a key of type N, not S`},
		{"an item twice", "a.jsonl", "{\"id\":\"a\"}\n{\"id\":\"b\"}\n{\"id\":\"a\"}", "line 3: there is an item of this key in line 1 already"},
		{"a syntax error", "a.json", "[\n{\"id\":\"a\"},\n{\"id\":\n]", "line 4: invalid character ']' looking for beginning of value"},
		{"a file that ends early", "a.json", "[\n{\"id\":\"a\"}\n", "line 2: unexpected EOF"},
		{"something that is no item", "a.json", "[\n1]", `line 2: an item is an object: {"id": …}`},
		{"a row with too many cells", "a.csv", "id\na\nb,c\n", "line 3: wrong number of fields"},
		{"a column twice", "a.csv", "id,id\n", `line 1: the first line names the attributes; it has "id" twice, or a column without a name`},
		{"an empty file of cells", "a.csv", "", "line 1: the first line names the attributes; the file is empty"},
		{"another ending", "a.txt", "", "its name must end with one of .csv, .json, .jsonl, .ndjson"},
		{"what is not compressed", "a.csv.gz", "id", "it is not compressed by gzip: unexpected EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read(write(t, tt.file, []byte(tt.content)), keys)
			if err == nil || err.Error() != tt.want {
				t.Errorf("the error is %v\nwanted      %s", err, tt.want)
			}
		})
	}
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`[{"id":"a","n":1}]`))
	f.Add([]byte(`{"Item":{"id":{"S":"a"}}}`))
	f.Add([]byte(`{"t":[{"PutRequest":{"Item":{"id":{"S":"a"}}}}]}`))
	f.Add([]byte(`{"Items":[{"id":{"S":"a"}}],"Count":1}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		found, err := readJSON(content)
		if err != nil {
			return
		}
		for _, l := range found {
			if b, err := json.Marshal(l.item); err != nil || len(l.item) > 0 && !isTypedItem(b) {
				t.Errorf("%s becomes %s, %v, which is no item", content, b, err)
			}
			if l.line < 1 || l.line > 1+strings.Count(string(content), "\n") {
				t.Errorf("line %d of %q", l.line, content)
			}
		}
	})
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte("id,n\na,1\n"))
	f.Add([]byte("\"id\"\n\"a\"\"b\"\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		found, err := readCSV(content, keys)
		if err != nil {
			return
		}
		for _, l := range found {
			if b, err := json.Marshal(l.item); err != nil || len(l.item) > 0 && !isTypedItem(b) {
				t.Errorf("%q becomes %s, %v, which is no item", content, b, err)
			}
		}
	})
}
