package item

import "strings"

// Sizes are counted in bytes as DynamoDB counts them towards the 400 KB of an item and towards capacity:
//   - a name, a string and a binary value by their bytes
//   - a number by one byte, one for two significant digits before the point and for two behind it, and one if it is negative
//   - null and Boolean one byte
//   - a set by its members
//   - a list or map 3 bytes, and each of its elements one more
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html says it, approximately of
// numbers; https://github.com/nubo-db/dynoxide/pull/195 reports what was measured of them.

const (
	documentOverhead = 3
	elementOverhead  = 1
)

// Size returns the bytes that an item counts for: all its names and values.
func (i Item) Size() int {
	size := 0
	for name, v := range i {
		size += len(name) + v.Size()
	}
	return size
}

// Size returns the bytes that a value counts for, without its name.
func (v Value) Size() int {
	switch v.kind {
	case S, B:
		return len(v.text)
	case N:
		return numberSize(v.text)
	case NULL, BOOL:
		return 1
	case SS, BS:
		size := 0
		for _, m := range v.Set() {
			size += len(m)
		}
		return size
	case NS:
		size := 0
		for _, m := range v.Set() {
			size += numberSize(m)
		}
		return size
	case L:
		size := documentOverhead
		for _, e := range v.List() {
			size += elementOverhead + e.Size()
		}
		return size
	case M:
		return documentOverhead + elementOverhead*len(v.Map()) + v.Map().Size()
	}
	return 0
}

func numberSize(text string) int { return numberOf(text).size() }

func (n Number) size() int {
	whole := min(max(int(n.exponent)+1, 0), int(n.count)) // significant digits before the point
	size := 1 + (whole+1)/2 + (int(n.count)-whole+1)/2
	if n.negative {
		size++
	}
	return size
}

// intSize is numberSize of a whole number.
func intSize(text string) int {
	digits := strings.TrimPrefix(text, "-")
	significant := len(strings.TrimRight(digits, "0"))
	return 1 + (significant+1)/2 + len(text) - len(digits)
}
