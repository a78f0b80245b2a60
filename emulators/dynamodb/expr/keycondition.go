package expr

import (
	"slices"

	"devstack/emulators/dynamodb/item"
)

// Key is one key attribute of a table or index.
type Key struct {
	Name string
	Kind item.Kind // S, N or B
}

// RangeOp is how a key condition restricts the sort key.
type RangeOp uint8

// The conditions on a sort key.
const (
	AnyRange RangeOp = iota // none
	EQ
	LT
	LE
	GT
	GE
	Between
	BeginsWith
)

// KeyCondition is a key condition that fits a key schema: values for all of the hash key, for the first attributes of the
// sort key, and a condition on the one that follows.
type KeyCondition struct {
	Hash  []item.Value
	Equal []item.Value // of the sort key's attributes before the one that Op is about
	Op    RangeOp
	Low   item.Value // the operand, or the lower bound of Between
	High  item.Value // the upper bound of Between
}

// keyOps are the operators that a key condition may use.
var keyOps = map[nodeOp]RangeOp{opEQ: EQ, opLT: LT, opLE: LE, opGT: GT, opGE: GE, opBetween: Between}

// mirrored are the comparators with their operands exchanged.
var mirrored = map[RangeOp]RangeOp{EQ: EQ, LT: GT, LE: GE, GT: LT, GE: LE}

// keyTerm is one condition on one attribute.
type keyTerm struct {
	name   string
	op     RangeOp
	values []item.Value
}

// KeyTerms is a key condition of which it is not known yet whether it fits a key schema.
type KeyTerms struct{ terms []keyTerm }

// ParseKeyCondition parses a KeyConditionExpression and checks what can be checked without the key schema: DynamoDB does so
// before it looks for the table.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.KeyConditionExpressions.html
func ParseKeyCondition(text string, p *Params) (*KeyTerms, error) {
	s, err := cached(KeyConditionExpression, text)
	if err != nil {
		return nil, err
	}
	e, err := p.bind(s)
	if err != nil {
		return nil, err
	}
	if err := checkNode(KeyConditionExpression, s.root, e); err != nil {
		return nil, err
	}
	terms, err := keyTerms(nil, s.root, &e)
	if err != nil {
		return nil, err
	}
	return &KeyTerms{terms}, nil
}

// Fit checks the condition against a key schema, whose sort key may be none. The values are of the keys' types; whether they
// are too long or empty is the caller's to check.
func (k *KeyTerms) Fit(hash, sortKey []Key) (*KeyCondition, error) {
	return fitSchema(k.terms, hash, sortKey)
}

// keyTerms flattens the conditions that ANDs join.
func keyTerms(terms []keyTerm, n *node, e *env) ([]keyTerm, error) {
	if n.op == opAnd {
		for _, kid := range n.kids {
			var err error
			if terms, err = keyTerms(terms, kid, e); err != nil {
				return nil, err
			}
		}
		return terms, nil
	}
	t, err := n.keyTerm(e)
	if err != nil {
		return nil, err
	}
	for _, other := range terms {
		if other.name == t.name {
			return nil, invalid(KeyConditionExpression, msgOnePerKey)
		}
	}
	return append(terms, t), nil
}

// keyTerm makes a term of a condition between one key attribute and values.
func (n *node) keyTerm(e *env) (keyTerm, error) {
	op, ok := keyOps[n.op]
	if n.op == opCall && n.call == "begins_with" {
		op, ok = BeginsWith, true
	}
	if !ok {
		return keyTerm{}, invalid(KeyConditionExpression, msgKeyOperator, n.name())
	}
	t := keyTerm{op: op}
	attributes := 0
	for i := range n.args {
		switch o := &n.args[i]; o.kind {
		case operandCall:
			return keyTerm{}, invalid(KeyConditionExpression, msgNestedOp)
		case operandValue:
			t.values = append(t.values, e.values[o.value])
		default:
			if len(o.path) > 1 {
				return keyTerm{}, invalid(KeyConditionExpression, msgNestedKey)
			}
			t.name = o.path[0].nameIn(e.names)
			attributes++
		}
	}
	switch {
	case attributes == 0:
		return keyTerm{}, invalid(KeyConditionExpression, msgNoKey)
	case attributes > 1:
		return keyTerm{}, invalid(KeyConditionExpression, msgManyKeys)
	case n.args[0].kind == operandPath:
		return t, nil
	case mirrored[op] == AnyRange:
		return keyTerm{}, invalid(KeyConditionExpression, msgKeyNotFirst, n.name())
	}
	t.op = mirrored[op]
	return t, nil
}

// fitSchema finds the terms of the hash key and of the sort key. A key of several attributes, which only a global index may
// have, needs all of its hash key by equality, and of its sort key the first ones, the last of which may be a range.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.DesignPattern.MultiAttributeKeys.html
func fitSchema(terms []keyTerm, hash, sortKey []Key) (*KeyCondition, error) {
	if len(terms) > max(2, len(hash)+len(sortKey)) { // that the words are the same for a longer key is a guess
		return nil, errConditions
	}
	k := &KeyCondition{}
	for _, key := range hash {
		t, err := find(terms, key)
		switch {
		case err != nil:
			return nil, err
		case t.op != EQ:
			return nil, errKeyUnsupported
		case t.values[0].Kind() != key.Kind:
			return nil, errKeyType
		}
		k.Hash = append(k.Hash, t.values[0])
	}
	rest := len(terms) - len(hash)
	if rest > len(sortKey) {
		return nil, errKeyUnsupported
	}
	for i, key := range sortKey[:rest] {
		t, err := find(terms, key)
		switch {
		case err != nil:
			return nil, err
		case i < rest-1 && t.op != EQ:
			return nil, errKeyUnsupported
		}
		if err := k.restrict(t, key, i == rest-1); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// restrict takes over the term of an attribute of the sort key.
func (k *KeyCondition) restrict(t keyTerm, key Key, last bool) error {
	for _, v := range t.values {
		if v.Kind() != key.Kind {
			return errKeyType
		}
	}
	if !last {
		k.Equal = append(k.Equal, t.values[0])
		return nil
	}
	k.Op, k.Low = t.op, t.values[0]
	if t.op == Between {
		k.High = t.values[1]
	}
	return nil
}

// find returns the term of a key attribute, which must be there and one that an index can answer.
func find(terms []keyTerm, key Key) (keyTerm, error) {
	i := slices.IndexFunc(terms, func(t keyTerm) bool { return t.name == key.Name })
	switch {
	case i < 0:
		return keyTerm{}, answer(msgKeysNotFound, key.Name)
	case terms[i].op == AnyRange:
		return keyTerm{}, errNotIndexable
	}
	return terms[i], nil
}

// Match tells whether a value of the attribute that Op is about satisfies the condition.
func (k *KeyCondition) Match(sortKey item.Value) bool {
	switch k.Op {
	case AnyRange:
		return true
	case EQ:
		return compare(opEQ, sortKey, k.Low)
	case LT:
		return compare(opLT, sortKey, k.Low)
	case LE:
		return compare(opLE, sortKey, k.Low)
	case GT:
		return compare(opGT, sortKey, k.Low)
	case GE:
		return compare(opGE, sortKey, k.Low)
	case Between:
		return compare(opGE, sortKey, k.Low) && compare(opLE, sortKey, k.High)
	}
	return beginsWith(sortKey, k.Low)
}
