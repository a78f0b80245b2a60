package item

import (
	"cmp"
	"strings"
)

// The limits of a number: significant digits, and the power of ten of its first digit.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html#HowItWorks.DataTypes.Number
const (
	maxDigits   = 38
	maxExponent = 125
	minExponent = -130
)

// AWS's answers to numbers that it cannot keep.
const (
	errPrecision = Error("Attempting to store more than 38 significant digits in a Number")
	errOverflow  = Error("Number overflow. Attempting to store a number with magnitude larger than supported range")
	errUnderflow = Error("Number underflow. Attempting to store a number with magnitude smaller than supported range")
)

// errNotNumeric has no colon where there is no text: github.com/ExtendDB/extenddb/pull/210 quotes AWS.
func errNotNumeric(text string) error {
	if text == "" {
		return Error("The parameter cannot be converted to a numeric value")
	}
	return Error("The parameter cannot be converted to a numeric value: " + text)
}

// Number is an exact decimal number of at most 38 significant digits, from 1E-130 to 9.99…E+125 either side of zero. The
// zero Number is 0. Numbers with the same value are ==.
type Number struct {
	negative bool
	count    uint8            // significant digits; none for zero
	exponent int16            // the power of ten of the first digit
	digits   [maxDigits]uint8 // 0 to 9, the first and the last of them not 0
}

// ParseNumber reads a decimal number: an optional sign, digits with an optional point, an optional exponent. Its errors are
// AWS's for text that is no number and for numbers that are too large, too small or too precise.
func ParseNumber(text string) (Number, error) {
	rest, negative := text, false
	if rest != "" && (rest[0] == '-' || rest[0] == '+') {
		negative, rest = rest[0] == '-', rest[1:]
	}
	mantissa, exponent := rest, 0
	if i := strings.IndexAny(rest, "eE"); i >= 0 {
		var ok bool
		if exponent, ok = parseExponent(rest[i+1:]); !ok {
			return Number{}, errNotNumeric(text)
		}
		mantissa = rest[:i]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if whole+fraction == "" || !allDigits(whole) || !allDigits(fraction) {
		return Number{}, errNotNumeric(text)
	}
	return assemble(negative, whole, fraction, exponent)
}

// parseExponent reads the digits after the E. Beyond what any text could make good it stops counting.
func parseExponent(text string) (int, bool) {
	negative := false
	if text != "" && (text[0] == '-' || text[0] == '+') {
		negative, text = text[0] == '-', text[1:]
	}
	if text == "" || !allDigits(text) {
		return 0, false
	}
	n := 0
	for i := range len(text) {
		n = min(n*10+int(text[i]-'0'), 1<<30)
	}
	if negative {
		n = -n
	}
	return n, true
}

func allDigits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return true
}

// assemble trims the zeros either side and checks the limits.
func assemble(negative bool, whole, fraction string, exponent int) (Number, error) {
	digit := func(i int) uint8 {
		if i < len(whole) {
			return whole[i] - '0'
		}
		return fraction[i-len(whole)] - '0'
	}
	first, last := 0, len(whole)+len(fraction)
	for first < last && digit(first) == 0 {
		first++
	}
	for first < last && digit(last-1) == 0 {
		last--
	}
	if first == last {
		return Number{}, nil // zero has no sign and no exponent
	}
	power := len(whole) - 1 - first + exponent
	if err := checkLimits(last-first, power); err != nil {
		return Number{}, err
	}
	n := Number{negative: negative, count: uint8(last - first), exponent: int16(power)}
	for i := range last - first {
		n.digits[i] = digit(first + i)
	}
	return n, nil
}

// checkLimits says what AWS says of a number with so many digits, the first of them worth so large a power of ten.
func checkLimits(digits, power int) error {
	switch {
	case power > maxExponent:
		return errOverflow
	case power < minExponent:
		return errUnderflow
	case digits > maxDigits:
		return errPrecision
	}
	return nil
}

// IsZero tells whether the number is 0.
func (n Number) IsZero() bool { return n.count == 0 }

// String returns the canonical text, which is how DynamoDB returns a number: no exponent, no plus sign, no needless zero.
// Equal numbers have equal texts.
func (n Number) String() string {
	var buf [2 + maxExponent - minExponent + maxDigits]byte
	return string(n.append(buf[:0]))
}

func (n Number) append(b []byte) []byte {
	if n.count == 0 {
		return append(b, '0')
	}
	if n.negative {
		b = append(b, '-')
	}
	power := int(n.exponent)
	if power < 0 {
		b = append(b, '0', '.')
		for range -power - 1 {
			b = append(b, '0')
		}
	}
	for i, d := range n.digits[:n.count] {
		if power >= 0 && i == power+1 {
			b = append(b, '.')
		}
		b = append(b, '0'+d)
	}
	for range power - int(n.count) + 1 {
		b = append(b, '0')
	}
	return b
}

// Compare returns -1, 0 or 1 as n is less than, equal to or greater than m.
func (n Number) Compare(m Number) int {
	if n.sign() != m.sign() {
		return cmp.Compare(n.sign(), m.sign())
	}
	return n.sign() * n.compareMagnitude(m)
}

func (n Number) sign() int {
	switch {
	case n.count == 0:
		return 0
	case n.negative:
		return -1
	}
	return 1
}

func (n Number) compareMagnitude(m Number) int {
	if n.exponent != m.exponent {
		return cmp.Compare(n.exponent, m.exponent)
	}
	for i := range max(n.count, m.count) {
		if n.digits[i] != m.digits[i] { // past the last digit there are zeros
			return cmp.Compare(n.digits[i], m.digits[i])
		}
	}
	return 0
}

// Neg returns -n.
func (n Number) Neg() Number {
	n.negative = !n.negative && n.count > 0
	return n
}

// Sub returns n - m; the errors are those of Add.
func (n Number) Sub(m Number) (Number, error) { return n.Add(m.Neg()) }

// Add returns n + m exactly, or AWS's error if the sum has more than 38 digits or is out of range.
func (n Number) Add(m Number) (Number, error) {
	switch {
	case m.count == 0:
		return n, nil
	case n.count == 0:
		return m, nil
	}
	if n.compareMagnitude(m) < 0 {
		n, m = m, n
	}
	// Column i of the sum is worth ten to the power n.exponent+1-i: the first column is for the carry.
	var columns [maxExponent - minExponent + maxDigits + 2]int8
	for i, d := range n.digits[:n.count] {
		columns[1+i] = int8(d)
	}
	shift := 1 + int(n.exponent-m.exponent)
	width := max(1+int(n.count), shift+int(m.count))
	for i, d := range m.digits[:m.count] {
		if n.negative == m.negative {
			columns[shift+i] += int8(d)
		} else {
			columns[shift+i] -= int8(d)
		}
	}
	for i := width - 1; i > 0; i-- {
		if columns[i] > 9 {
			columns[i], columns[i-1] = columns[i]-10, columns[i-1]+1
		} else if columns[i] < 0 {
			columns[i], columns[i-1] = columns[i]+10, columns[i-1]-1
		}
	}
	return fromColumns(n.negative, columns[:width], int(n.exponent)+1)
}

// fromColumns makes a number of decimal columns, the first of them worth ten to the given power.
func fromColumns(negative bool, columns []int8, power int) (Number, error) {
	for len(columns) > 0 && columns[0] == 0 {
		columns, power = columns[1:], power-1
	}
	for len(columns) > 0 && columns[len(columns)-1] == 0 {
		columns = columns[:len(columns)-1]
	}
	if len(columns) == 0 {
		return Number{}, nil
	}
	if err := checkLimits(len(columns), power); err != nil {
		return Number{}, err
	}
	sum := Number{negative: negative, count: uint8(len(columns)), exponent: int16(power)}
	for i, c := range columns {
		sum.digits[i] = uint8(c)
	}
	return sum, nil
}

// numberOf reads a canonical text.
func numberOf(text string) Number {
	n, err := ParseNumber(text)
	if err != nil {
		return Number{}
	}
	return n
}

// canonicalInt tells whether a text is a whole number in canonical form that is surely within the limits.
func canonicalInt(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	if digits == "" || len(digits) > maxDigits || !allDigits(digits) {
		return false
	}
	return digits[0] != '0' || text == "0"
}

// compareNumbers orders two canonical texts. Most numbers are whole and not negative: of those the longer is the larger.
func compareNumbers(a, b string) int {
	if canonicalInt(a) && canonicalInt(b) && a[0] != '-' && b[0] != '-' {
		if len(a) != len(b) {
			return cmp.Compare(len(a), len(b))
		}
		return strings.Compare(a, b)
	}
	return numberOf(a).Compare(numberOf(b))
}
