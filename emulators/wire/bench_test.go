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
	op := testServer(b).byName["thing"].operations["Put"]
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
