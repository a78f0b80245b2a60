// Package value holds JSON the way Step Functions does: objects keep the order of their members, numbers their digits.
//
// A value is nil, bool, json.Number, string, []any or *Object. Values are never changed once they are made; what changes
// one makes a copy.
package value

import (
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// Object is a JSON object. The zero Object is empty and ready to use.
type Object struct {
	keys  []string
	vals  []any          // of keys
	index map[string]int // place in keys; nil while there are few
}

// few is up to how many members are found by looking at each.
const few = 8

// NewObject makes an object of alternating names and values.
func NewObject(members ...any) *Object {
	o := &Object{}
	for i := 0; i+1 < len(members); i += 2 {
		o.Set(members[i].(string), members[i+1])
	}
	return o
}

// Len is the number of members.
func (o *Object) Len() int { return len(o.keys) }

// Keys returns the members' names in order. They must not be changed.
func (o *Object) Keys() []string { return o.keys }

// Get returns a member and whether there is one.
func (o *Object) Get(key string) (any, bool) {
	if i := o.find(key); i >= 0 {
		return o.vals[i], true
	}
	return nil, false
}

// find returns a member's place, -1 if there is none.
func (o *Object) find(key string) int {
	if o.index == nil {
		return slices.Index(o.keys, key)
	}
	if i, ok := o.index[key]; ok {
		return i
	}
	return -1
}

// Set adds a member at the end, or replaces the one of that name where it is. Only the maker of an object calls it.
func (o *Object) Set(key string, v any) {
	if i := o.find(key); i >= 0 {
		o.vals[i] = v
		return
	}
	o.keys, o.vals = append(o.keys, key), append(o.vals, v)
	if len(o.keys) <= few {
		return
	}
	if o.index == nil {
		o.index = make(map[string]int, 2*few)
		for i, k := range o.keys {
			o.index[k] = i
		}
	}
	o.index[key] = len(o.keys) - 1
}

// With returns a copy with a member set.
func (o *Object) With(key string, v any) *Object {
	c := &Object{keys: slices.Clip(o.keys), vals: slices.Clone(o.vals), index: maps.Clone(o.index)}
	c.Set(key, v)
	return c
}

// Int makes a number.
func Int(n int64) json.Number { return json.Number(strconv.FormatInt(n, 10)) }

// Encode writes a value as Jackson does: no spaces, nothing escaped that need not be.
func Encode(v any) string {
	var b strings.Builder
	encode(&b, v)
	return b.String()
}

func encode(b *strings.Builder, v any) {
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case json.Number:
		b.WriteString(string(v))
	case string:
		quote(b, v)
	case []any:
		b.WriteByte('[')
		for i, x := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			encode(b, x)
		}
		b.WriteByte(']')
	case *Object:
		b.WriteByte('{')
		for i, k := range v.keys {
			if i > 0 {
				b.WriteByte(',')
			}
			quote(b, k)
			b.WriteByte(':')
			encode(b, v.vals[i])
		}
		b.WriteByte('}')
	default:
		panic("value: not a JSON value") // a mistake in our own code
	}
}

func quote(b *strings.Builder, s string) {
	const hex = "0123456789ABCDEF"
	b.WriteByte('"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b.WriteString(s[from:i])
		from = i + 1
		switch c {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case '\b':
			b.WriteString(`\b`)
		case '\f':
			b.WriteString(`\f`)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		default:
			b.WriteString(`\u00`)
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	b.WriteString(s[from:])
	b.WriteByte('"')
}

// Equal reports whether two values are the same JSON, whatever the order of members. 1 and 1.0 differ, as they do in
// Jackson's tree.
func Equal(a, b any) bool {
	switch a := a.(type) {
	case []any:
		c, ok := b.([]any)
		if !ok || len(a) != len(c) {
			return false
		}
		for i := range a {
			if !Equal(a[i], c[i]) {
				return false
			}
		}
		return true
	case *Object:
		c, ok := b.(*Object)
		if !ok || a.Len() != c.Len() {
			return false
		}
		for i, k := range a.keys {
			if w, ok := c.Get(k); !ok || !Equal(a.vals[i], w) {
				return false
			}
		}
		return true
	}
	return a == b
}

// Compare orders two numbers: by their exact values where both are integers, else as the doubles that AWS reads them as.
func Compare(a, b json.Number) int {
	if x, ok := integer(a); ok {
		if y, ok := integer(b); ok {
			return x.Cmp(y)
		}
	}
	x, _ := a.Float64()
	y, _ := b.Float64()
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

func integer(n json.Number) (*big.Int, bool) {
	if len(n) > 400 || strings.ContainsAny(string(n), ".eE") {
		return nil, false // longer than any double
	}
	return new(big.Int).SetString(string(n), 10)
}

// HashOrder returns names in the order in which a java.util.HashMap gives them out. It shows through in what AWS makes of
// payload templates and of States.JsonMerge (recorded answers of both).
func HashOrder(keys []string) []string {
	size := 16
	for len(keys)*4 > size*3 {
		size *= 2
	}
	buckets := make([][]string, size)
	for _, k := range keys {
		h := uint32(0)
		for _, u := range utf16Units(k) {
			h = 31*h + uint32(u)
		}
		i := (h ^ h>>16) & uint32(size-1)
		buckets[i] = append(buckets[i], k)
	}
	out := make([]string, 0, len(keys))
	for _, b := range buckets {
		out = append(out, b...)
	}
	return out
}
