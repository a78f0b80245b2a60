package expr

import (
	"maps"
	"slices"
	"strings"

	"devstack/emulators/dynamodb/item"
)

// Params are one request's ExpressionAttributeNames and ExpressionAttributeValues. All expressions of the request share it:
// it remembers which of them were used. The zero Params has none.
type Params struct {
	names      map[string]string
	values     map[string]item.Value
	usedNames  []string
	usedValues []string
}

// maxPlaceholder is the limit of a placeholder's length, with its sign. That it comes before the syntax, and that a name of no
// characters is refused: ExtendDB/extenddb/pull/181, of AWS.
const maxPlaceholder = 255

// CheckPlaceholders checks the placeholders' syntax, which DynamoDB does before it looks at the values. A nil map is an absent
// parameter; an empty one is an error.
func CheckPlaceholders[V any](names map[string]string, values map[string]V) error {
	switch {
	case names != nil && len(names) == 0:
		return answer(msgNamesEmpty)
	case values != nil && len(values) == 0:
		return answer(msgValuesEmpty)
	}
	if err := checkKeys(names, '#', msgLongName, msgNameKey); err != nil {
		return err
	}
	if key := firstKey(names, func(_, name string) bool { return name == "" }); key != nil {
		return answer(msgEmptyName, *key)
	}
	if firstKey(names, func(_, name string) bool { return len(name) > item.MaxName }) != nil {
		return item.Error(item.ErrLongName)
	}
	return checkKeys(values, ':', msgLongValue, msgValueKey)
}

// checkKeys checks that the keys can occur in an expression.
func checkKeys[V any](given map[string]V, sign byte, tooLong, syntax string) error {
	if key := firstKey(given, func(key string, _ V) bool { return len(key) > maxPlaceholder }); key != nil {
		return answer(tooLong, *key)
	}
	if key := firstKey(given, func(key string, _ V) bool { return !isPlaceholder(key, sign) }); key != nil {
		return answer(syntax, *key)
	}
	return nil
}

// firstKey returns the first in order of the keys that are wrong, or nil.
func firstKey[V any](given map[string]V, wrong func(key string, v V) bool) (first *string) {
	for key, v := range given {
		if wrong(key, v) && (first == nil || key < *first) {
			first = &key
		}
	}
	return first
}

// NewParams returns the parameters of a request whose placeholders CheckPlaceholders has passed, and of whose values each is
// one.
func NewParams(names map[string]string, values map[string]item.Value) *Params {
	return &Params{names: names, values: values}
}

// Unused reports the names, then the values, that no expression parsed with these Params has used. Call it when all are
// parsed.
func (p *Params) Unused() error {
	if keys := unused(p.names, p.usedNames); keys != "" {
		return answer(msgNamesUnused, keys)
	}
	if keys := unused(p.values, p.usedValues); keys != "" {
		return answer(msgValuesUnused, keys)
	}
	return nil
}

func unused[V any](given map[string]V, used []string) string {
	if len(given) == len(used) {
		return ""
	}
	left := slices.DeleteFunc(slices.Sorted(maps.Keys(given)), func(key string) bool { return slices.Contains(used, key) })
	return strings.Join(left, ", ")
}

// env is what an expression's placeholders stand for, by position.
type env struct {
	names  []string
	values []item.Value
}

// bind looks the placeholders of an expression up, and marks them used.
func (p *Params) bind(s *syntax) (env, error) {
	var e env
	if len(s.names) > 0 {
		e.names = make([]string, len(s.names))
	}
	for i, key := range s.names {
		name, ok := p.names[key]
		if !ok {
			return env{}, invalid(s.kind, msgNoName, key)
		}
		e.names[i] = name
		p.usedNames = markUsed(p.usedNames, key)
	}
	if len(s.values) > 0 {
		e.values = make([]item.Value, len(s.values))
	}
	for i, key := range s.values {
		v, ok := p.values[key]
		if !ok {
			return env{}, invalid(s.kind, msgNoValue, key)
		}
		e.values[i] = v
		p.usedValues = markUsed(p.usedValues, key)
	}
	return e, nil
}

func markUsed(used []string, key string) []string {
	if slices.Contains(used, key) {
		return used
	}
	return append(used, key)
}
