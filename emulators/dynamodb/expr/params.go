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

// CheckPlaceholders checks the placeholders' syntax, which DynamoDB does before it looks at the values. A nil map is an absent
// parameter; an empty one is an error.
func CheckPlaceholders[V any](names map[string]string, values map[string]V) error {
	switch {
	case names != nil && len(names) == 0:
		return answer(msgNamesEmpty)
	case values != nil && len(values) == 0:
		return answer(msgValuesEmpty)
	}
	if key := wrongPlaceholder(names, '#'); key != nil {
		return answer(msgNameKey, *key)
	}
	for _, name := range names {
		if len(name) > item.MaxName {
			return item.Error(item.ErrLongName)
		}
	}
	if key := wrongPlaceholder(values, ':'); key != nil {
		return answer(msgValueKey, *key)
	}
	return nil
}

// wrongPlaceholder returns the first of the keys that cannot occur in an expression.
func wrongPlaceholder[V any](given map[string]V, sign byte) (wrong *string) {
	for key := range given {
		if !isPlaceholder(key, sign) && (wrong == nil || key < *wrong) {
			wrong = &key
		}
	}
	return wrong
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
