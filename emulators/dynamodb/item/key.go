package item

import (
	"errors"
	"strings"
)

// A key encoding is made so that the order of the bytes is the order of the values of one kind, and so that no encoding is
// a prefix of another one: encodings can follow each other in a composite key.
//
// Text and bytes end with 00 01, and a 00 inside is written 00 FF; so a shorter text sorts before those that begin with it.
//
// A number is a byte for its sign, a byte for its exponent, its digits in pairs (1 to 100) and a 0 as its end. A negative
// number has all bytes after the first complemented, which turns the order around.

var errKey = errors.New("damaged key")

const (
	keyNegative = 1
	keyZero     = 2
	keyPositive = 3
)

// AppendKey appends the ordered encoding of an S, N or B. Other kinds have no order; it appends nothing for them.
func AppendKey(dst []byte, v Value) []byte {
	switch v.kind {
	case S, B:
		return append(appendEscaped(dst, v.text), 0, 1)
	case N:
		return appendNumberKey(dst, v.Number())
	}
	return dst
}

// AppendKeyPrefix appends what the encodings of exactly those S or B values begin with that begin with v.
func AppendKeyPrefix(dst []byte, v Value) []byte { return appendEscaped(dst, v.text) }

// DecodeKey reads a value of the given kind from the front of an ordered encoding, and returns the rest.
func DecodeKey(kind Kind, key []byte) (v Value, rest []byte, err error) {
	switch kind {
	case S, B:
		text, rest, err := decodeEscaped(key)
		return Value{kind: kind, text: text}, rest, err
	case N:
		n, rest, err := decodeNumberKey(key)
		return Num(n), rest, err
	}
	return Value{}, nil, errKey
}

func appendEscaped(dst []byte, text string) []byte {
	for {
		i := strings.IndexByte(text, 0)
		if i < 0 {
			return append(dst, text...)
		}
		dst = append(append(dst, text[:i]...), 0, 0xff)
		text = text[i+1:]
	}
}

func decodeEscaped(key []byte) (string, []byte, error) {
	var text []byte
	for i := 0; i+1 < len(key); i++ {
		switch {
		case key[i] != 0:
			text = append(text, key[i])
		case key[i+1] == 0xff:
			text = append(text, 0)
			i++
		case key[i+1] == 1:
			return string(text), key[i+2:], nil
		default:
			return "", nil, errKey
		}
	}
	return "", nil, errKey
}

func appendNumberKey(dst []byte, n Number) []byte {
	var flip byte
	switch {
	case n.count == 0:
		return append(dst, keyZero)
	case n.negative:
		dst, flip = append(dst, keyNegative), 0xff
	default:
		dst = append(dst, keyPositive)
	}
	dst = append(dst, byte(int(n.exponent)-minExponent)^flip)
	for i := 0; i < int(n.count); i += 2 {
		pair := n.digits[i] * 10
		if i+1 < int(n.count) {
			pair += n.digits[i+1]
		}
		dst = append(dst, (pair+1)^flip)
	}
	return append(dst, flip)
}

func decodeNumberKey(key []byte) (Number, []byte, error) {
	var flip byte
	switch {
	case len(key) > 0 && key[0] == keyZero:
		return Number{}, key[1:], nil
	case len(key) > 1 && key[0] == keyNegative:
		flip = 0xff
	case len(key) < 2 || key[0] != keyPositive:
		return Number{}, nil, errKey
	}
	n := Number{negative: flip != 0, exponent: int16(int(key[1]^flip) + minExponent)}
	for i, b := range key[2:] {
		b ^= flip
		if b == 0 {
			return n.checked(key[2+i+1:])
		}
		if b > 100 || n.count == maxDigits {
			return Number{}, nil, errKey
		}
		n.digits[n.count], n.digits[n.count+1] = (b-1)/10, (b-1)%10
		n.count += 2
	}
	return Number{}, nil, errKey
}

// checked drops the digit that only fills the last pair, and refuses what no number is encoded as.
func (n Number) checked(rest []byte) (Number, []byte, error) {
	if n.count > 0 && n.digits[n.count-1] == 0 {
		n.count--
	}
	if n.count == 0 || n.digits[0] == 0 || n.digits[n.count-1] == 0 || n.exponent > maxExponent {
		return Number{}, nil, errKey
	}
	return n, rest, nil
}
