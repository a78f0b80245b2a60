package expr

import "devstack/emulators/dynamodb/item"

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

// KeyCondition is a key condition that fits a key schema.
type KeyCondition struct {
	Hash item.Value
	Op   RangeOp
	Low  item.Value // the operand, or the lower bound of Between
	High item.Value // the upper bound of Between
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

// ParseKeyCondition parses a KeyConditionExpression and checks it against a key schema; the sort key's name is empty if
// there is none. The values are of the keys' types; whether they are too long or empty is the caller's to check.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.KeyConditionExpressions.html
func ParseKeyCondition(text string, p *Params, hash, sortKey Key) (*KeyCondition, error) {
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
	return fitSchema(terms, hash, sortKey)
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

// fitSchema finds the hash key's term and the sort key's.
func fitSchema(terms []keyTerm, hash, sortKey Key) (*KeyCondition, error) {
	if len(terms) > 2 {
		return nil, errConditions
	}
	k := &KeyCondition{}
	t, ok := find(terms, hash.Name)
	switch {
	case !ok:
		return nil, answer(msgKeysNotFound, hash.Name)
	case t.op != EQ:
		return nil, errKeyUnsupported
	case t.values[0].Kind() != hash.Kind:
		return nil, errKeyType
	}
	k.Hash = t.values[0]
	if len(terms) == 1 {
		return k, nil
	}
	if sortKey.Name == "" {
		return nil, errKeyUnsupported
	}
	if t, ok = find(terms, sortKey.Name); !ok {
		return nil, answer(msgKeysNotFound, sortKey.Name)
	}
	for _, v := range t.values {
		if v.Kind() != sortKey.Kind {
			return nil, errKeyType
		}
	}
	k.Op, k.Low = t.op, t.values[0]
	if t.op == Between {
		k.High = t.values[1]
	}
	return k, nil
}

func find(terms []keyTerm, name string) (keyTerm, bool) {
	for _, t := range terms {
		if t.name == name {
			return t, true
		}
	}
	return keyTerm{}, false
}

// Match tells whether a sort key's value satisfies the condition.
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
