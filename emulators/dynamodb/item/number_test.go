package item

import (
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestNumbersInCanonicalForm(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"zero", "0", "0"},
		{"zero has no sign", "-0.00", "0"},
		{"zero has no exponent", "0E200", "0"},
		{"a leading zero goes", "007", "7"},
		{"a trailing zero after the point goes", "1.50", "1.5"},
		{"a plus sign goes", "+3", "3"},
		{"an exponent is written out", "1E2", "100"},
		{"a negative exponent too", "-12e-3", "-0.012"},
		{"no digit before the point", ".5", "0.5"},
		{"no digit after the point", "5.", "5"},
		{"38 digits", "12345678901234567890123456789012345678", "12345678901234567890123456789012345678"},
		{"38 digits with a point in them", "1234567890.1234567890123456789012345678", "1234567890.1234567890123456789012345678"},
		{"more zeros than digits", "1" + strings.Repeat("0", 60), "1" + strings.Repeat("0", 60)},
		{"the largest", "9.9999999999999999999999999999999999999E125", strings.Repeat("9", 38) + strings.Repeat("0", 88)},
		{"the smallest", "1E-130", "0." + strings.Repeat("0", 129) + "1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, err := ParseNumber(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if n.String() != tt.want {
				t.Errorf("%s is %s, want %s", tt.text, n, tt.want)
			}
		})
	}
}

func TestNumbersThatAreRefused(t *testing.T) {
	const (
		precision = "Attempting to store more than 38 significant digits in a Number"
		overflow  = "Number overflow. Attempting to store a number with magnitude larger than supported range"
		underflow = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
	)
	for _, tt := range []struct{ name, text, want string }{
		{"39 digits", "123456789012345678901234567890123456789", precision},
		{"39 digits around the point", "1234567890.12345678901234567890123456789", precision},
		{"too large", "1E126", overflow},
		{"far too large", "1E99999999999999999999", overflow},
		{"too large below zero", "-1E126", overflow},
		{"too small", "9E-131", underflow},
		{"nothing", "", "The parameter cannot be converted to a numeric value"},
		{"a word", "abc", "The parameter cannot be converted to a numeric value: abc"},
		{"a sign alone", "-", "The parameter cannot be converted to a numeric value: -"},
		{"a point alone", ".", "The parameter cannot be converted to a numeric value: ."},
		{"two points", "1.2.3", "The parameter cannot be converted to a numeric value: 1.2.3"},
		{"an exponent without digits", "1E", "The parameter cannot be converted to a numeric value: 1E"},
		{"a blank", " 1", "The parameter cannot be converted to a numeric value:  1"},
		{"not a number", "NaN", "The parameter cannot be converted to a numeric value: NaN"},
		{"hexadecimal", "0x1F", "The parameter cannot be converted to a numeric value: 0x1F"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if n, err := ParseNumber(tt.text); err == nil || err.Error() != tt.want {
				t.Errorf("%q is %v, %v; want the error %q", tt.text, n, err, tt.want)
			}
		})
	}
}

func TestSums(t *testing.T) {
	for _, tt := range []struct{ name, a, b, want string }{
		{"carries to a new digit", "999", "1", "1000"},
		{"borrows", "1000", "-1", "999"},
		{"to nothing", "1.5", "-1.5", "0"},
		{"changes sign", "1", "-3", "-2"},
		{"two below zero", "-1.1", "-2.2", "-3.3"},
		{"0.1 and 0.2 is exact", "0.1", "0.2", "0.3"},
		{"38 digits apart but one", "1E37", "1", "1" + strings.Repeat("0", 36) + "1"},
		{"39 digits in the sum", "1E38", "1", "Attempting to store more than 38 significant digits in a Number"},
		{"far apart", "1E125", "1E-130", "Attempting to store more than 38 significant digits in a Number"},
		{"over the top", "9.9E125", "9.9E125", "Number overflow. Attempting to store a number with magnitude larger than supported range"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sum, err := mustNumber(t, tt.a).Add(mustNumber(t, tt.b))
			got := sum.String()
			if err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("%s + %s is %s, want %s", tt.a, tt.b, got, tt.want)
			}
		})
	}
}

// TestNumbersAgreeWithExactArithmetic compares sums, differences and orders with math/big's.
func TestNumbersAgreeWithExactArithmetic(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		a, b := randomNumber(t, random), randomNumber(t, random)
		x, y := exact(t, a), exact(t, b)
		if got, want := a.Compare(b), x.Cmp(y); got != want {
			t.Fatalf("%s compared with %s is %d, want %d", a, b, got, want)
		}
		checkExact(t, a, b, "+", func() (Number, error) { return a.Add(b) }, new(big.Rat).Add(x, y))
		checkExact(t, a, b, "-", func() (Number, error) { return a.Sub(b) }, new(big.Rat).Sub(x, y))
		again := mustNumber(t, a.String())
		if again != a {
			t.Fatalf("%s read again is %s", a, again)
		}
	}
}

// checkExact accepts an error only if the exact result cannot be kept.
func checkExact(t *testing.T, a, b Number, sign string, op func() (Number, error), want *big.Rat) {
	t.Helper()
	got, err := op()
	if err == nil {
		if exact(t, got).Cmp(want) != 0 {
			t.Fatalf("%s %s %s is %s, want %s", a, sign, b, got, want.FloatString(130))
		}
		return
	}
	digits := strings.Trim(strings.Replace(want.FloatString(200), ".", "", 1), "-0")
	size := new(big.Rat).Abs(want)
	largest, smallest := exact(t, mustNumber(t, "9.9999999999999999999999999999999999999E125")), exact(t, mustNumber(t, "1E-130"))
	if len(digits) <= maxDigits && size.Cmp(largest) <= 0 && (size.Sign() == 0 || size.Cmp(smallest) >= 0) {
		t.Fatalf("%s %s %s failed: %v; it is %s", a, sign, b, err, want.FloatString(130))
	}
}

func randomNumber(t *testing.T, random *rand.Rand) Number {
	t.Helper()
	digits := make([]byte, 1+random.IntN(maxDigits))
	for i := range digits {
		digits[i] = "0123456789"[random.IntN(10)]
	}
	exponent := random.IntN(20) - 10
	if random.IntN(10) == 0 {
		exponent = random.IntN(160) - 100
	}
	text := string(digits) + "E" + big.NewInt(int64(exponent)).String()
	if random.IntN(2) == 0 {
		text = "-" + text
	}
	n, err := ParseNumber(text)
	if err != nil {
		return Number{}
	}
	return n
}

func exact(t *testing.T, n Number) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(n.String())
	if !ok {
		t.Fatalf("%s is no number to math/big", n)
	}
	return r
}

func mustNumber(t *testing.T, text string) Number {
	t.Helper()
	n, err := ParseNumber(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func FuzzParseNumber(f *testing.F) {
	for _, seed := range []string{"0", "-1.5E-3", "1E126", ".", "1e+125", "9.9999999999999999999999999999999999999E125"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := ParseNumber(text)
		if err != nil {
			return
		}
		again, err := ParseNumber(n.String())
		if err != nil || again != n {
			t.Errorf("%q is %s, which is %s, %v", text, n, again, err)
		}
		if v, err := ParseNum(text); err != nil || v.Text() != n.String() {
			t.Errorf("the value of %q is %q, %v; want %s", text, v.Text(), err, n)
		}
	})
}
