package wire

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func gzipped(t testing.TB, s string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGzip(t *testing.T) {
	s := testServer(t)
	h := jsonTarget("Put")
	for _, enc := range []string{"gzip", "GZIP", "custom, gzip"} {
		h["Content-Encoding"] = enc
		if status, body, _ := ask(t, s, "POST", "/", gzipped(t, `{"TableName":"abc"}`), h); status != 200 {
			t.Errorf("%s: %d %s", enc, status, body)
		}
	}
	if status, body, _ := ask(t, s, "POST", "/", `{"TableName":"abc"}`, h); status != 400 || !strings.Contains(body, "SerializationException") {
		t.Errorf("not gzip: %d %s", status, body)
	}
	bomb := gzipped(t, strings.Repeat(" ", maxBody+1))
	if status, body, _ := ask(t, s, "POST", "/", bomb, h); status != 413 || !strings.Contains(body, "RequestEntityTooLargeException") {
		t.Errorf("a bomb of %d bytes: %d %s", len(bomb), status, body)
	}
}

func TestBodyBounds(t *testing.T) {
	s := testServer(t)
	status, body, _ := ask(t, s, "POST", "/", strings.Repeat(" ", maxBody+1), jsonTarget("Put"))
	if status != 413 || !strings.Contains(body, "RequestEntityTooLargeException") {
		t.Errorf("too long: %d %.200s", status, body)
	}
	deep := `{"Unknown":` + strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1) + `}`
	if status, body, _ = ask(t, s, "POST", "/", deep, jsonTarget("Put")); status != 400 || !strings.Contains(body, "nested") {
		t.Errorf("too deep: %d %.200s", status, body)
	}
	form := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	many := "Action=Put&Version=2020-01-01" + strings.Repeat("&a=b", maxFormFields)
	if status, body, _ = ask(t, s, "POST", "/", many, form); status != 400 || !strings.Contains(body, "MalformedInput") {
		t.Errorf("too many fields: %d %.200s", status, body)
	}
}

func TestChunks(t *testing.T) {
	signed := "5;chunk-signature=ab\r\nhello\r\n6;chunk-signature=cd\r\n world\r\n0;chunk-signature=ef\r\n\r\n"
	trailer := "b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n"
	for _, tt := range []struct {
		name, in, decoded, want string
		broken                  bool
	}{
		{"signed chunks", signed, "11", "hello world", false},
		{"an unsigned trailer", trailer, "11", "hello world", false},
		{"nothing said of the decoded length", signed, "", "hello world", false},
		{"no trailer and no last line", "5\r\nhello\r\n0\r\n", "5", "hello", false},
		{"an empty object", "0;chunk-signature=ef\r\n\r\n", "0", "", false},
		{"less than promised", signed, "12", "hello world", true},
		{"more than promised", signed, "10", "hello", true},
		{"a chunk that is cut off", signed[:30], "11", "hello", true},
		{"a size that is no number", "x\r\nhello\r\n0\r\n\r\n", "5", "", true},
		{"a negative size", "-5\r\nhello\r\n0\r\n\r\n", "5", "", true},
		{"a chunk longer than its size", "4\r\nhello\r\n0\r\n\r\n", "5", "hell", true},
		{"a decoded length that is no number", signed, "many", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := io.ReadAll(newChunkReader(strings.NewReader(tt.in), tt.decoded))
			if string(got) != tt.want || (err != nil) != tt.broken {
				t.Errorf("got %q, %v", got, err)
			}
			if _, ok := errors.AsType[*Error](err); err != nil && !ok {
				t.Errorf("not AWS's: %v", err)
			}
		})
	}
}

// A connection carries the next request, whatever became of the last one's body.
func TestConnectionsAreKept(t *testing.T) {
	server := httptest.NewServer(testServer(t))
	defer server.Close()
	connections := map[string]bool{}
	for i := range 10 {
		op, body := "Put", `{"TableName":"abc"}`
		switch i % 3 {
		case 1:
			op = "Absent" // its body is not read
		case 2:
			body = `{"TableName`
		}
		r, err := http.NewRequestWithContext(t.Context(), "POST", server.URL, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Amz-Target", "Thing_20200101."+op)
		resp, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.ContentLength != int64(len(b)) {
			t.Errorf("Content-Length %d of %d bytes", resp.ContentLength, len(b))
		}
		connections[fmt.Sprint(resp.Close)] = true
	}
	if connections["true"] {
		t.Error("a connection was closed")
	}
}
