package item

import (
	"bytes"
	"cmp"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestKeysAreInTheOrderOfTheirValues compares encodings, alone and with another key behind them, with the values.
func TestKeysAreInTheOrderOfTheirValues(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for kind, random := range map[Kind]func() Value{
		S: func() Value { return String(randomText(random)) },
		B: func() Value { return Binary([]byte(randomText(random))) },
		N: func() Value { return Num(randomNumber(t, random)) },
	} {
		t.Run(kind.String(), func(t *testing.T) {
			for range 5000 {
				a, b := random(), random()
				x, y := AppendKey(nil, a), AppendKey(nil, b)
				want, ok := a.Compare(b)
				if !ok || bytes.Compare(x, y) != want {
					t.Fatalf("%q and %q compare as %d, their keys %x and %x do not", a.Text(), b.Text(), want, x, y)
				}
				if want != 0 && (bytes.HasPrefix(x, y) || bytes.HasPrefix(y, x)) {
					t.Fatalf("one of %x and %x begins with the other", x, y)
				}
				v, rest, err := DecodeKey(kind, append(x, y...))
				if err != nil || !v.Equal(a) || !bytes.Equal(rest, y) {
					t.Fatalf("the key of %q is read as %q, %x, %v", a.Text(), v.Text(), rest, err)
				}
			}
		})
	}
}

func TestKeyPrefixesAreThoseOfTheTextsThatBeginSo(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 5000 {
		a, b := randomText(random), randomText(random)
		b = b[:min(len(b), 2)]
		got := bytes.HasPrefix(AppendKey(nil, String(a)), AppendKeyPrefix(nil, String(b)))
		if want := strings.HasPrefix(a, b); got != want {
			t.Fatalf("%q begins with %q: %v, their keys: %v", a, b, want, got)
		}
	}
}

// randomText has few different bytes, those that the encoding treats apart among them.
func randomText(random *rand.Rand) string {
	text := make([]byte, random.IntN(6))
	for i := range text {
		text[i] = "\x00\x01a\xff"[random.IntN(4)]
	}
	return string(text)
}

func TestNumbersOfDifferentLengthsInOrder(t *testing.T) {
	var last Value
	for _, text := range []string{"-1E125", "-100", "-99.5", "-99", "-1", "-0.5", "-1E-130", "0", "1E-130", "0.05", "0.5", "1", "1.01", "10", "1E125"} {
		v := Num(mustNumber(t, text))
		if order, _ := last.Compare(v); !last.IsZero() && (order >= 0 || bytes.Compare(AppendKey(nil, last), AppendKey(nil, v)) >= 0) {
			t.Errorf("%s is not before %s", last.Text(), v.Text())
		}
		last = v
	}
}

func FuzzDecodeKey(f *testing.F) {
	for _, v := range []Value{String("a\x00b"), Num(Number{}), Null()} {
		f.Add(AppendKey(nil, v))
	}
	f.Add([]byte{keyNegative, 0x7f, 0xfe, 0xff})
	f.Fuzz(func(t *testing.T, key []byte) {
		for _, kind := range []Kind{S, N, B, M} {
			v, rest, err := DecodeKey(kind, key)
			if err != nil {
				continue
			}
			if again := append(AppendKey(nil, v), rest...); cmp.Compare(string(again), string(key)) != 0 {
				t.Errorf("%x is %s %q, which is %x", key, kind, v.Text(), again)
			}
		}
	})
}
