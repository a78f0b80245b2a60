package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

// fuzzPlan is the plan that the decoders are fuzzed with: every kind of member.
func fuzzPlan(t testing.TB) *plan {
	op := testServer(t).byName["thing"].lookups().operations["Put"]
	op.plans()
	return op.in
}

// mustBeAWS fails on an error that is not AWS's: clients would hear of an internal failure for what is their own mistake.
func mustBeAWS(t *testing.T, err error) {
	t.Helper()
	if _, ok := errors.AsType[*Error](err); err != nil && !ok {
		t.Errorf("not AWS's: %v", err)
	}
}

func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"TableName":"a\u00e9\ud83d\ude00\n","Count":1e2,"Tags":[{"Key":"k"},null],"Groups":["a"],"Blob":"aGk=","At":1.5,"x":{"y":[1,true,null]}}`, `{`, `null`, `{"At":"2020-01-01T00:00:00Z"}`, `{"":1}`, `{"Tags":[{}]} x`} {
		f.Add([]byte(s))
	}
	p := fuzzPlan(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		var in putInput
		err := decodeJSON(b, p, reflect.ValueOf(&in).Elem(), false)
		mustBeAWS(t, err)
		if err != nil {
			return
		}
		if !json.Valid(b) {
			t.Fatalf("accepted what is not JSON: %q", b)
		}
		var again putInput
		out := jsonEncoder{}.structure(nil, p, reflect.ValueOf(&in).Elem())
		if err := decodeJSON(out, p, reflect.ValueOf(&again).Elem(), false); err != nil {
			t.Fatalf("%s: %v", out, err)
		}
		if second := (jsonEncoder{}).structure(nil, p, reflect.ValueOf(&again).Elem()); !bytes.Equal(out, second) {
			t.Fatalf("%s became %s", out, second)
		}
	})
}

func FuzzCBOR(f *testing.F) {
	f.Add([]byte("\xbfiTableNamecabc\xff"))
	f.Add([]byte("\xa3eCount\xf9\x3c\x00dTags\x9f\xa1cKey\x7f\x61a\x61b\xff\xff\x62At\xc1\xfb?\xf8\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("\xa1ax\xbf\x61a\x9f\xff\xff"))
	p := fuzzPlan(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		var in, again putInput
		err := decodeCBOR(b, p, reflect.ValueOf(&in).Elem())
		mustBeAWS(t, err)
		if err != nil {
			return
		}
		out := appendCBOR(nil, p, reflect.ValueOf(&in).Elem())
		if err := decodeCBOR(out, p, reflect.ValueOf(&again).Elem()); err != nil {
			t.Fatalf("%x: %v", out, err)
		}
		if second := appendCBOR(nil, p, reflect.ValueOf(&again).Elem()); !bytes.Equal(out, second) {
			t.Fatalf("%x became %x", out, second)
		}
	})
}

func FuzzQuery(f *testing.F) {
	f.Add("TableName=a&Tags.member.1.Key=k&Tags.member.03.Key=l&Groups.member.1=x&At=2020-01-01T00:00:00Z&Blob=aGk%3D&Count=+1")
	f.Add("Tags=&Groups.member.99999999999999999999=1&.=.&Tags.member.-1=2&%zz")
	p := fuzzPlan(f)
	f.Fuzz(func(t *testing.T, s string) {
		fields, err := parseForm(s)
		mustBeAWS(t, err)
		if err != nil {
			return
		}
		tree, err := formTree(fields)
		mustBeAWS(t, err)
		if err != nil {
			return
		}
		for _, d := range []queryDecoder{{}, {ec2: true}} {
			var in putInput
			mustBeAWS(t, d.structure(p, tree, reflect.ValueOf(&in).Elem()))
		}
	})
}

func FuzzXML(f *testing.F) {
	f.Add([]byte(`<?xml version="1.0"?><Put xmlns="x"><TableName>a&amp;b</TableName><Tags><member><Key>k</Key></member></Tags><!-- c --><At>2020-01-01T00:00:00Z</At></Put>`))
	f.Add([]byte(`<a><b></a></b>`))
	f.Add([]byte(`<!DOCTYPE a [<!ENTITY x "y">]><Put><TableName>&x;</TableName></Put>`))
	p := fuzzPlan(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		var in putInput
		err := decodeXML(b, &field{plan: p}, reflect.ValueOf(&in).Elem())
		mustBeAWS(t, err)
		if err != nil {
			return
		}
		out := append(xmlEncoder{}.structure([]byte("<Put"), p, reflect.ValueOf(&in).Elem()), "</Put>"...)
		var again putInput
		if err := decodeXML(out, &field{plan: p}, reflect.ValueOf(&again).Elem()); err != nil {
			t.Fatalf("%s: %v", out, err)
		}
	})
}

func FuzzChunks(f *testing.F) {
	f.Add("5;chunk-signature=ab\r\nhello\r\n0;chunk-signature=ef\r\n\r\n", "5")
	f.Add("b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n", "11")
	f.Add("ffffffffffffffff\r\n", "-1")
	f.Fuzz(func(t *testing.T, body, decoded string) {
		b, err := io.ReadAll(newChunkReader(strings.NewReader(body), decoded))
		mustBeAWS(t, err)
		if len(b) > len(body) {
			t.Errorf("%d bytes of %d", len(b), len(body))
		}
	})
}

// FuzzRequest sends whole requests: routing, REST bindings and the error path of every protocol.
func FuzzRequest(f *testing.F) {
	f.Add("POST", "/?Action=Who&Version=2020-01-01", "Content-Type", "application/x-www-form-urlencoded", "Action=Put&TableName=abc")
	f.Add("POST", "/", "X-Amz-Target", "Thing_20200101.Put", `{"TableName":"abc"}`)
	f.Add("GET", "/who?X-Amz-Credential=a%2Fb%2Fc%2Fthing%2Fd", "Authorization", "AWS4-HMAC-SHA256 Credential=////", "")
	f.Add("POST", "/service/Thing_20200101/operation/Put", "Smithy-Protocol", "rpc-v2-cbor", "\xa0")
	f.Add("POST", "/things", "Content-Encoding", "gzip", "\x1f\x8b")
	f.Add("PUT", "/%zz//..?&=&a", "X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "1\r\n")
	s := testServer(f)
	f.Fuzz(func(t *testing.T, method, target, name, value, body string) {
		u, err := url.ParseRequestURI("/" + strings.TrimPrefix(target, "/"))
		if err != nil || strings.ContainsAny(method, " \r\n\t") || method == "" {
			return
		}
		r := httptest.NewRequest("POST", "http://localhost/", strings.NewReader(body))
		r.Method, r.URL = method, u
		r.Header.Set(name, value)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code >= 500 && w.Code != 501 && !strings.Contains(body, "internal") && !strings.Contains(body+target+value, "ail") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}

func FuzzPattern(f *testing.F) {
	f.Add(`[\u0020-\uD7FF\uD800\uDC00-\uDBFF\uDFFF]*\p{Print}(?!a)`, "abc")
	f.Fuzz(func(_ *testing.T, pattern, s string) {
		if len(pattern) < 50 && len(s) < 50 {
			compilePattern(pattern)(s)
		}
	})
}
