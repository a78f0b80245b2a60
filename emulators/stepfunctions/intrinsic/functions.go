package intrinsic

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode/utf8"

	"devstack/emulators/stepfunctions/value"
)

const (
	maxRange  = 1000   // items of States.ArrayRange
	maxString = 10_000 // characters that States.Base64Encode, Base64Decode and Hash take
)

// format puts the arguments in place of the template's {}. It takes the template with its escapes if it is a literal.
func format(template argument, args []any) (any, error) {
	text, ok := args[0].(string)
	if !ok {
		return nil, errArguments("States.Format")
	}
	if template.raw != "" {
		text = template.raw
	}
	var b strings.Builder
	args = args[1:]
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && template.raw != "":
			i++
			b.WriteByte(text[i])
		case strings.HasPrefix(text[i:], "{}"):
			if len(args) == 0 {
				return nil, errArguments("States.Format")
			}
			b.WriteString(plain(args[0]))
			args = args[1:]
			i++
		default:
			b.WriteByte(text[i])
		}
	}
	if len(args) > 0 {
		return nil, errArguments("States.Format")
	}
	return b.String(), nil
}

// plain writes a value as Java's toString does: a string without quotes, an object as {a=1, b=[]} (recorded answer).
func plain(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = plain(x)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case *value.Object:
		parts := make([]string, v.Len())
		for i, k := range v.Keys() {
			x, _ := v.Get(k)
			parts[i] = k + "=" + plain(x)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return value.Encode(v)
}

func arrayPartition(args []any) (any, error) {
	list, ok := args[0].([]any)
	n, okN := whole(args[1])
	if !ok || !okN || n < 1 {
		return nil, errArguments("States.ArrayPartition")
	}
	out := []any{}
	for chunk := range slices.Chunk(list, int(min(n, math.MaxInt32))) {
		out = append(out, slices.Clone(chunk))
	}
	return out, nil
}

func arrayContains(args []any) (any, error) {
	list, ok := args[0].([]any)
	if !ok {
		return nil, errArguments("States.ArrayContains")
	}
	return slices.ContainsFunc(list, func(x any) bool { return value.Equal(x, args[1]) }), nil
}

// arrayRange counts from the first number to the second, which is included, by the third.
func arrayRange(args []any) (any, error) {
	first, ok1 := whole(args[0])
	last, ok2 := whole(args[1])
	by, ok3 := whole(args[2])
	if !ok1 || !ok2 || !ok3 || by == 0 {
		return nil, errArguments("States.ArrayRange")
	}
	out := []any{}
	for n := first; by > 0 && n <= last || by < 0 && n >= last; n += by {
		if len(out) == maxRange {
			return nil, reason("The generated array has more than 1000 items") // the words are a guess
		}
		out = append(out, value.Int(n))
	}
	return out, nil
}

func arrayGetItem(args []any) (any, error) {
	list, ok := args[0].([]any)
	n, okN := whole(args[1])
	if !ok || !okN || n < 0 || n >= int64(len(list)) {
		return nil, errArguments("States.ArrayGetItem")
	}
	return list[n], nil
}

func arrayLength(args []any) (any, error) {
	list, ok := args[0].([]any)
	if !ok {
		return nil, errArguments("States.ArrayLength")
	}
	return value.Int(int64(len(list))), nil
}

func arrayUnique(args []any) (any, error) {
	list, ok := args[0].([]any)
	if !ok {
		return nil, errArguments("States.ArrayUnique")
	}
	out := []any{}
	for _, x := range list {
		if !slices.ContainsFunc(out, func(y any) bool { return value.Equal(x, y) }) {
			out = append(out, x)
		}
	}
	return out, nil
}

func base64Encode(args []any) (any, error) {
	s, ok := args[0].(string)
	if !ok || utf8.RuneCountInString(s) > maxString {
		return nil, errArguments("States.Base64Encode")
	}
	return base64.StdEncoding.EncodeToString([]byte(s)), nil
}

func base64Decode(args []any) (any, error) {
	s, ok := args[0].(string)
	if !ok || utf8.RuneCountInString(s) > maxString {
		return nil, errArguments("States.Base64Decode")
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, errArguments("States.Base64Decode")
	}
	return strings.ToValidUTF8(string(b), "\uFFFD"), nil
}

// hash takes any JSON: a string by its characters, everything else by its text.
func hash(args []any) (any, error) {
	s, ok := args[0].(string)
	if !ok {
		s = value.Encode(args[0])
	}
	if utf8.RuneCountInString(s) > maxString {
		return nil, errArguments("States.Hash")
	}
	var sum []byte
	switch b := []byte(s); args[1] {
	case "MD5":
		h := md5.Sum(b)
		sum = h[:]
	case "SHA-1":
		h := sha1.Sum(b)
		sum = h[:]
	case "SHA-256":
		h := sha256.Sum256(b)
		sum = h[:]
	case "SHA-384":
		h := sha512.Sum384(b)
		sum = h[:]
	case "SHA-512":
		h := sha512.Sum512(b)
		sum = h[:]
	default:
		return nil, errArguments("States.Hash")
	}
	return hex.EncodeToString(sum), nil
}

// jsonMerge merges two objects, the second one's members winning. Only the shallow way exists (third argument false). Its
// members come in the order of a hash table (recorded answer).
func jsonMerge(args []any) (any, error) {
	a, ok1 := args[0].(*value.Object)
	b, ok2 := args[1].(*value.Object)
	if !ok1 || !ok2 || args[2] != false {
		return nil, errArguments("States.JsonMerge")
	}
	all := &value.Object{}
	for _, o := range []*value.Object{a, b} {
		for _, k := range o.Keys() {
			v, _ := o.Get(k)
			all.Set(k, v)
		}
	}
	out := &value.Object{}
	for _, k := range value.HashOrder(all.Keys()) {
		v, _ := all.Get(k)
		out.Set(k, v)
	}
	return out, nil
}

// stringToJSON reads JSON. Nothing but blanks is null (recorded answer).
func stringToJSON(args []any) (any, error) {
	s, ok := args[0].(string)
	if !ok {
		return nil, errArguments("States.StringToJson")
	}
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	v, err := value.Decode(s)
	if err != nil {
		return nil, errArguments("States.StringToJson")
	}
	return v, nil
}

func jsonToString(args []any) (any, error) { return value.Encode(args[0]), nil }

// mathAdd adds two numbers, each rounded first.
func mathAdd(args []any) (any, error) {
	a, ok1 := whole(args[0])
	b, ok2 := whole(args[1])
	if sum := a + b; ok1 && ok2 && fits(a) && fits(b) && fits(sum) {
		return value.Int(sum), nil
	}
	return nil, errArguments("States.MathAdd")
}

func fits(n int64) bool { return n >= math.MinInt32 && n <= math.MaxInt32 }

// mathRandom returns a whole number from the first argument on and before the second. The third seeds the generator.
func mathRandom(args []any) (any, error) {
	from, ok1 := whole(args[0])
	to, ok2 := whole(args[1])
	if !ok1 || !ok2 || !fits(from) || !fits(to) || from >= to {
		return nil, errArguments("States.MathRandom")
	}
	if len(args) == 2 {
		return value.Int(from + rand.Int64N(to-from)), nil
	}
	seed, ok := whole(args[2])
	if !ok {
		return nil, errArguments("States.MathRandom")
	}
	return value.Int(from + seeded(seed, to-from)), nil
}

// seeded is a number below bound that depends on the seed alone, as AWS promises. That AWS uses java.util.Random is a guess.
func seeded(seed, bound int64) int64 {
	state := uint64(seed^0x5DEECE66D) & (1<<48 - 1)
	next := func() int64 {
		state = (state*0x5DEECE66D + 0xB) & (1<<48 - 1)
		return int64(state >> 17)
	}
	if bound&(bound-1) == 0 {
		return bound * next() >> 31
	}
	for {
		if n := next(); n-n%bound+(bound-1) <= math.MaxInt32 || bound > math.MaxInt32 {
			return n % bound
		}
	}
}

// stringSplit cuts a string at each of the characters of the second argument, and drops what is empty (recorded answer).
func stringSplit(args []any) (any, error) {
	s, ok1 := args[0].(string)
	cut, ok2 := args[1].(string)
	if !ok1 || !ok2 {
		return nil, errArguments("States.StringSplit")
	}
	out := []any{}
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(cut, r) }) {
		out = append(out, part)
	}
	return out, nil
}

// whole rounds a number to the nearest whole one, a half up: -1.5 is -1 (recorded answers of States.MathAdd).
func whole(v any) (int64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	if i, err := n.Int64(); err == nil {
		return i, true
	}
	f, err := n.Float64()
	if err != nil || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(math.Floor(f + 0.5)), true
}
