package wire

import (
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// nullRequest asks the test's service who the caller is, as SDKs ask STS: a form, a signature, a handful of headers.
func nullRequest(url string) *http.Request {
	r, err := http.NewRequest("POST", url, strings.NewReader("Action=Who&Version=2020-01-01"))
	if err != nil {
		panic(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/thing/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7")
	r.Header.Set("X-Amz-Date", "20260101T000000Z")
	return r
}

// BenchmarkNull compares an operation that does nothing, over HTTP, with a bare handler that answers the same bytes.
func BenchmarkNull(b *testing.B) {
	s := testServer(b)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, nullRequest("http://localhost/"))
	answer := w.Body.Bytes()
	bare := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header()["Content-Type"] = contentTypes[AWSQuery]
		w.Header()["Content-Length"] = []string{strconv.Itoa(len(answer))}
		_, _ = w.Write(answer)
	})
	for name, h := range map[string]http.Handler{"bare": bare, "wire": s} {
		b.Run(name, func(b *testing.B) {
			server := httptest.NewServer(h)
			defer server.Close()
			client := server.Client()
			b.ReportAllocs()
			for b.Loop() {
				resp, err := client.Do(nullRequest(server.URL))
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		})
	}
	b.Run("wire without HTTP", func(b *testing.B) {
		b.ReportAllocs()
		body := strings.NewReader("")
		r := nullRequest("http://localhost/")
		w := &discard{h: http.Header{}}
		for b.Loop() {
			body.Reset("Action=Who&Version=2020-01-01")
			r.Body = io.NopCloser(body)
			clear(w.h)
			s.ServeHTTP(w, r)
		}
	})
}

type discard struct{ h http.Header }

func (d *discard) Header() http.Header         { return d.h }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

// BenchmarkJSONDecode decodes about a kilobyte.
func BenchmarkJSONDecode(b *testing.B) {
	op := testServer(b).byName["thing"].lookups().operations["Put"]
	op.plans()
	doc := []byte(`{"TableName":"abc","Tags":[` + strings.Repeat(`{"Key":"a","Value":"some longer value of the tag"},`, 20) + `{"Key":"b"}],"Count":4}`)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		var in putInput
		if err := decodeJSON(doc, op.in, reflect.ValueOf(&in).Elem(), false); err != nil {
			b.Fatal(err)
		}
	}
}

// itemInput has the shape of a PutItem of DynamoDB, whose values contain themselves.
type (
	itemInput struct {
		TableName *string
		Item      map[string]attribute
	}
	attribute struct {
		S    *string
		N    *string
		B    []byte
		SS   []string
		NS   []string
		BS   [][]byte
		M    map[string]attribute
		L    []attribute
		NULL *bool
		BOOL *bool
	}
)

func itemModel() *Model {
	return &Model{Shapes: []Shape{
		0: {Name: "PutItemInput", Kind: Structure, Members: []Member{{Name: "TableName", Shape: 1, Flags: Required}, {Name: "Item", Shape: 3, Flags: Required}}},
		1: {Name: "String", Kind: String},
		2: {Name: "AttributeValue", Kind: Union, Members: []Member{{Name: "S", Shape: 1}, {Name: "N", Shape: 1}, {Name: "B", Shape: 4}, {Name: "SS", Shape: 5},
			{Name: "NS", Shape: 5}, {Name: "BS", Shape: 6}, {Name: "M", Shape: 3}, {Name: "L", Shape: 7}, {Name: "NULL", Shape: 8}, {Name: "BOOL", Shape: 8}}},
		3: {Name: "Map", Kind: Map, Members: []Member{{Name: "key", Shape: 1}, {Name: "value", Shape: 2}}},
		4: {Name: "Blob", Kind: Blob},
		5: {Name: "Strings", Kind: List, Members: []Member{{Name: "member", Shape: 1}}},
		6: {Name: "Blobs", Kind: List, Members: []Member{{Name: "member", Shape: 4}}},
		7: {Name: "List", Kind: List, Members: []Member{{Name: "member", Shape: 2}}},
		8: {Name: "Boolean", Kind: Boolean},
	}}
}

// BenchmarkItem decodes and encodes an item of about a kilobyte.
func BenchmarkItem(b *testing.B) {
	p := newPlanner(itemModel()).plan(0, reflect.TypeFor[itemInput]())
	doc := []byte(`{"TableName":"orders","Item":{"customer":{"S":"c-000017"},"id":{"S":"o-000000042"},"total":{"N":"129.95"},"paid":{"BOOL":true},` +
		`"tags":{"SS":["new","express","gift"]},"lines":{"L":[{"M":{"sku":{"S":"sku-1"},"count":{"N":"2"}}},{"M":{"sku":{"S":"sku-2"},"count":{"N":"1"}}}]},` +
		`"note":{"S":"` + strings.Repeat("a note ", 90) + `"}}}`)
	var in itemInput
	b.Run("decode", func(b *testing.B) {
		b.SetBytes(int64(len(doc)))
		b.ReportAllocs()
		for b.Loop() {
			in = itemInput{}
			if err := decodeJSON(doc, p, reflect.ValueOf(&in).Elem(), false); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		var out []byte
		for b.Loop() {
			out = jsonEncoder{}.structure(out[:0], p, reflect.ValueOf(&in).Elem())
		}
	})
}
