package item

import (
	"bytes"
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"
)

// The order of a sort key: numbers by their value, strings by their bytes in UTF-8, bytes as if they had no sign. What is compared
// with here has nothing of ours in it.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html#DDB-Query-request-ScanIndexForward

// edgeNumbers are those at the ends of what can be kept, with their neighbours, above and below zero.
func edgeNumbers() (all []string) {
	const nines = "9.9999999999999999999999999999999999999" // 38
	for _, exponent := range []int{-130, -129, -128, -127, -40, -39, -38, -37, -2, -1, 0, 1, 2, 36, 37, 38, 39, 63, 64, 123, 124, 125} {
		for _, digits := range []string{"1", "1.0000000000000000000000000000000000001", "1.1", "1.01", "1.001", "2", "5", "9", "9.9", "9.99", nines} {
			all = append(all, fmt.Sprintf("%sE%d", digits, exponent), fmt.Sprintf("-%sE%d", digits, exponent))
		}
	}
	return append(all, "0", "-0", "127", "128", "255", "256", "-127", "-128", "-129")
}

// anyNumber is one of all lengths and all exponents.
func anyNumber(random *rand.Rand) string {
	digits := make([]byte, 1+random.IntN(maxDigits))
	for i := range digits {
		digits[i] = '0' + byte(random.IntN(10))
	}
	digits[0] = '1' + byte(random.IntN(9))
	return fmt.Sprintf("%s%c.%sE%d", []string{"", "-"}[random.IntN(2)], digits[0], append(digits[1:], '0'), random.IntN(256)-130)
}

func TestNumberKeysAreInTheOrderOfExactNumbers(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	texts := edgeNumbers()
	for range 400 {
		texts = append(texts, anyNumber(random))
	}
	keys, exacts := make([][]byte, len(texts)), make([]*big.Rat, len(texts))
	for i, text := range texts {
		keys[i] = AppendKey(nil, Num(mustNumber(t, text)))
		exacts[i], _ = new(big.Rat).SetString(text)
	}
	for i := range texts {
		for j := range texts {
			if want := exacts[i].Cmp(exacts[j]); bytes.Compare(keys[i], keys[j]) != want {
				t.Fatalf("%s compares with %s as %d, their keys %x and %x do not", texts[i], texts[j], want, keys[i], keys[j])
			}
		}
	}
}

// TestTextKeysAreInTheOrderOfBytes has texts in which the order of UTF-16, which other databases sort by, is another.
func TestTextKeysAreInTheOrderOfBytes(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))
	runes := []rune{0, 1, 2, ' ', 'A', 'a', 'z', 0x7f, 0x80, 0xe9, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xfffd, 0xffff, 0x10000, 0x1f600, 0x10ffff}
	text := func() string {
		s := make([]rune, random.IntN(5))
		for i := range s {
			s[i] = runes[random.IntN(len(runes))]
		}
		return string(s)
	}
	binary := func() string {
		b := make([]byte, random.IntN(5))
		for i := range b {
			if b[i] = byte(random.IntN(256)); random.IntN(3) == 0 {
				b[i] = []byte{0, 1, 0x7f, 0x80, 0xfe, 0xff}[random.IntN(6)]
			}
		}
		return string(b)
	}
	for range 20000 {
		for kind, pair := range map[Kind][2]string{S: {text(), text()}, B: {binary(), binary()}} {
			make := String
			if kind == B {
				make = func(s string) Value { return Binary([]byte(s)) }
			}
			a, b := pair[0], pair[1]
			x, y := AppendKey(nil, make(a)), AppendKey(nil, make(b))
			if want := bytes.Compare([]byte(a), []byte(b)); bytes.Compare(x, y) != want {
				t.Fatalf("%s: %q compares with %q as %d, their keys %x and %x do not", kind, a, b, want, x, y)
			}
		}
	}
}

// TestArithmeticOverAllExponents is TestNumbersAgreeWithExactArithmetic for numbers of any size; half of the pairs are near
// enough to each other to have a sum.
func TestArithmeticOverAllExponents(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	edges := edgeNumbers()
	for range 10000 {
		a := mustNumber(t, anyNumber(random))
		b := mustNumber(t, edges[random.IntN(len(edges))])
		if random.IntN(2) == 0 {
			b = near(t, random, a)
		}
		x, y := exact(t, a), exact(t, b)
		checkExact(t, a, b, "+", func() (Number, error) { return a.Add(b) }, new(big.Rat).Add(x, y))
		checkExact(t, a, b, "-", func() (Number, error) { return a.Sub(b) }, new(big.Rat).Sub(x, y))
	}
}

// near is a number whose exponent is not far from another's.
func near(t *testing.T, random *rand.Rand, a Number) Number {
	exponent := min(max(int(a.exponent)-1+random.IntN(9)-4, -130), 124)
	return mustNumber(t, fmt.Sprintf("%s%d.%dE%d", []string{"", "-"}[random.IntN(2)], 1+random.IntN(9), random.IntN(10000), exponent))
}
