package rapid_test

import (
	"bufio"
	"bytes"
	"slices"
	"testing"

	"devstack/runtime/function/rapid"
)

// FuzzRead reads any bytes as frames: what is read is written as the same bytes.
func FuzzRead(f *testing.F) {
	f.Add([]byte("L\x00\x00\x00\x01\x00\x00\x00\x02hi"))
	f.Add([]byte("L\x00\x00\x00\x01\xff\xff\xff\xff"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, in []byte) {
		r := bufio.NewReader(bytes.NewReader(in))
		for rest := in; ; {
			frame, err := rapid.Read(r)
			if err != nil {
				return
			}
			var out bytes.Buffer
			if err := rapid.Write(&out, frame); err != nil {
				t.Fatal(err)
			}
			if !bytes.HasPrefix(rest, out.Bytes()) {
				t.Fatalf("%q was read as %q", rest, out.Bytes())
			}
			rest = rest[out.Len():]
		}
	})
}

// FuzzSplit takes any bytes apart as texts: what comes of it is the same once it is put together again.
func FuzzSplit(f *testing.F) {
	f.Add(rapid.Texts("a", "", "long enough"))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Fuzz(func(t *testing.T, in []byte) {
		texts, err := rapid.Split(in)
		if err != nil {
			return
		}
		again, err := rapid.Split(rapid.Texts(texts...))
		if err != nil || !slices.Equal(texts, again) {
			t.Errorf("%q became %q, %v", texts, again, err)
		}
	})
}
