package lambda

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// FuzzPrelude feeds a stream in two ways: whole, and in pieces of a size. Both must come to the same.
func FuzzPrelude(f *testing.F) {
	f.Add([]byte("{\"statusCode\":201,\"headers\":{\"A\":\"b\"},\"cookies\":[\"c=d\"]}\x00\x00\x00\x00\x00\x00\x00\x00body"), 1)
	f.Add([]byte("{}\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), 9)
	f.Add([]byte("{\"headers\":{\"a b\":1}}\x00\x00\x00\x00\x00\x00\x00\x00"), 3)
	f.Add([]byte("no prelude"), 4)
	f.Fuzz(func(t *testing.T, stream []byte, size int) {
		feed := func(pieces [][]byte) string {
			var p prelude
			for i, piece := range pieces {
				a, rest, err := p.add(piece)
				if err != nil {
					return "error"
				}
				if a != nil {
					for name, value := range a.headers {
						if !validHeader(name, value) {
							t.Fatalf("the header %q: %q", name, value)
						}
					}
					return fmt.Sprint(a.status, a.headers, a.cookies, string(bytes.Join(append([][]byte{rest}, pieces[i+1:]...), nil)))
				}
			}
			return "unfinished"
		}
		whole := feed([][]byte{stream})
		if pieces := feed(slices.Collect(slices.Chunk(stream, max(1, size%64+1)))); size >= 0 && pieces != whole {
			t.Errorf("whole: %s\nin pieces: %s", whole, pieces)
		}
	})
}

func TestParseResponse(t *testing.T) {
	for _, tt := range []struct {
		name, payload string
		want          string // status, headers, cookies, body
	}{
		{"a text", `"Hello, world!"`, `200 map[Content-Type:application/json] [] "Hello, world!"`},
		{"an object", `{"message": "Hello"}`, `200 map[Content-Type:application/json] [] {"message": "Hello"}`},
		{"nothing", `null`, `200 map[Content-Type:application/json] [] null`},
		{"an answer", `{"statusCode":201,"headers":{"content-type":"text/plain","X":7},"cookies":["a=b; Max-Age=1","c=d"],"body":"hi"}`, "201 map[Content-Type:text/plain X:7] [a=b; Max-Age=1 c=d] hi"},
		{"one without a type", `{"statusCode":200,"body":"hi"}`, "200 map[Content-Type:application/json] [] hi"},
		{"one in base64", `{"statusCode":200,"body":"aGk=","isBase64Encoded":true}`, "200 map[Content-Type:application/json] [] hi"},
		{"one whose status is a text", `{"statusCode":"204"}`, "204 map[Content-Type:application/json] [] "},
		{"one whose body is an object", `{"statusCode":200,"body":{"a":1}}`, `200 map[Content-Type:application/json] [] {"a":1}`},
		{"no status", `{"statusCode":{}}`, "the statusCode"},
		{"a status that is none", `{"statusCode":1000}`, "the statusCode 1000"},
		{"no base64", `{"statusCode":200,"body":"%","isBase64Encoded":true}`, "the body is not in base64"},
		{"a header in two lines", `{"statusCode":200,"headers":{"a":"b\r\nc: d"}}`, `the header "a"`},
		{"a header that is a list", `{"statusCode":200,"headers":{"a":["b"]}}`, `the header "a"`},
		{"headers that are none", `{"statusCode":200,"headers":[]}`, "headers is not an object"},
		{"cookies that are none", `{"statusCode":200,"cookies":"a"}`, "cookies is not a list"},
	} {
		a, err := parseResponse([]byte(tt.payload))
		got := fmt.Sprint(err)
		if err == nil {
			got = fmt.Sprint(a.status, a.headers, a.cookies, " "+string(a.body))
			got = strings.Replace(got, "]  ", "] ", 1)
		}
		if !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestAPreludeHasAnEnd(t *testing.T) {
	var p prelude
	if _, _, err := p.add(make([]byte, 7)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.add(bytes.Repeat([]byte("x"), maxPrelude)); err == nil {
		t.Error("a prelude without end is collected without end")
	}
}
