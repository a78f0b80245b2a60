package expr

import (
	"testing"

	"devstack/emulators/dynamodb/item"
)

var (
	hashKey = Key{Name: "pk", Kind: item.S}
	sortKey = Key{Name: "sk", Kind: item.N}
	textKey = Key{Name: "sk", Kind: item.S}
)

func TestKeyConditions(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		sortKey    Key
		value      item.Value // of the sort key
		want       bool
	}{
		{"the hash key alone", "pk = :a", sortKey, num("7"), true},
		{"in parentheses", "(pk = :a) AND (sk > :1)", sortKey, num("2"), true},
		{"all in parentheses", "(#pk = :a AND #sk = :2)", sortKey, num("2"), true},
		{"the sort key first", "sk = :2 AND pk = :a", sortKey, num("3"), false},
		{"less", "pk = :a AND sk < :2", sortKey, num("1"), true},
		{"less or equal", "pk = :a AND sk <= :2", sortKey, num("2"), true},
		{"greater", "pk = :a AND sk > :2", sortKey, num("2"), false},
		{"greater or equal", "pk = :a AND sk >= :2", sortKey, num("10"), true},
		{"between", "pk = :a AND sk BETWEEN :1 AND :3", sortKey, num("3"), true},
		{"not between", "pk = :a AND sk BETWEEN :1 AND :3", sortKey, num("3.1"), false},
		{"the value first", ":a = pk AND :2 < sk", sortKey, num("3"), true},
		{"begins with", "pk = :a AND begins_with(sk, :s)", textKey, item.String("abcd"), true},
		{"begins not with", "pk = :a AND begins_with(sk, :s)", textKey, item.String("ab"), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k, err := fitted(tt.text, params(t), []Key{hashKey}, sortKeys(tt.sortKey))
			if err != nil {
				t.Fatal(err)
			}
			if len(k.Hash) != 1 || k.Hash[0].Text() != "a" {
				t.Errorf("the hash key is %v", k.Hash)
			}
			if got := k.Match(tt.value); got != tt.want {
				t.Errorf("%s is %v of %s", tt.text, got, tt.value.Text())
			}
		})
	}
}

func TestKeyConditionsThatAreRefused(t *testing.T) {
	const prefix = "Invalid KeyConditionExpression: "
	for _, tt := range []struct {
		name, text string
		sortKey    Key
		want       string
	}{
		{"nothing", "", sortKey, prefix + "The expression can not be empty;"},
		{"a hyphen", "GI-1-PK = :a", sortKey, prefix + `Syntax error; token: "-", near: "GI-1"`},
		{"redundant parentheses", "((pk = :a))", sortKey, prefix + "The expression has redundant parentheses;"},
		{"or", "pk = :a OR pk = :b", sortKey, prefix + "Invalid operator used in KeyConditionExpression: OR"},
		{"not", "NOT pk = :a", sortKey, prefix + "Invalid operator used in KeyConditionExpression: NOT"},
		{"different", "pk <> :a", sortKey, prefix + "Invalid operator used in KeyConditionExpression: <>"},
		{"in", "pk IN (:a)", sortKey, prefix + "Invalid operator used in KeyConditionExpression: IN"},
		{"contains", "pk = :a AND contains(sk, :s)", sortKey, prefix + "Invalid operator used in KeyConditionExpression: contains"},
		{"size", "pk = :a AND size(sk) > :1", sortKey, prefix + "KeyConditionExpressions cannot contain nested operations"},
		{"a nested attribute", "pk.x = :a", sortKey, prefix + "KeyConditionExpressions cannot have conditions on nested attributes"},
		{"an element", "pk = :a AND begins_with(sk[0], :s)", sortKey, prefix + "KeyConditionExpressions cannot have conditions on nested attributes"},
		{"two on one key", "pk = :a AND sk > :1 AND sk < :5", sortKey, prefix + "KeyConditionExpressions must only contain one condition per key"},
		{"two attributes in one", "pk = sk", sortKey, prefix + "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition"},
		{"no attribute in one", ":a = :b", sortKey, prefix + "Invalid condition in KeyConditionExpression: No key attribute specified"},
		{"the key second in a function", "pk = :a AND begins_with(:s, sk)", textKey, prefix + "Invalid condition in KeyConditionExpression: begins_with operator must have the key attribute as its first operand"},
		{"three conditions", "pk = :a AND sk = :1 AND zz = :1", sortKey, "Conditions can be of length 1 or 2 only"},
		{"no hash key", "sk = :1", sortKey, "Query condition missed key schema element: pk"},
		{"no sort key", "pk = :a AND zz = :1", sortKey, "Query condition missed key schema element: sk"},
		{"a hash key that is not equal", "pk > :a", sortKey, "Query key condition not supported"},
		{"a hash key that begins with", "begins_with(pk, :a)", sortKey, "Query key condition not supported"},
		{"a sort key where there is none", "pk = :a AND sk = :1", Key{}, "Query key condition not supported"},
		{"a hash key of another type", "pk = :1", sortKey, "One or more parameter values were invalid: Condition parameter type does not match schema type"},
		{"a sort key of another type", "pk = :a AND sk = :s", sortKey, "One or more parameter values were invalid: Condition parameter type does not match schema type"},
		{"bounds the wrong way round", "pk = :a AND sk BETWEEN :5 AND :1", sortKey, prefix + "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:5}, upper bound operand: AttributeValue: {N:1}"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := fitted(tt.text, params(t), []Key{hashKey}, sortKeys(tt.sortKey))
			if err == nil || err.Error() != tt.want {
				t.Errorf("%s\n got: %v\nwant: %s", tt.text, err, tt.want)
			}
		})
	}
}

// sortKeys is the sort key of a schema that has none if key has no name.
func sortKeys(key Key) []Key {
	if key.Name == "" {
		return nil
	}
	return []Key{key}
}

func TestKeyConditionsOnSeveralAttributes(t *testing.T) {
	hash := []Key{{"h1", item.S}, {"h2", item.N}}
	sorts := []Key{{"s1", item.S}, {"s2", item.N}, {"s3", item.N}}
	for _, tt := range []struct {
		name, text string
		equal      int // attributes before the condition's
		op         RangeOp
		want       string // the refusal
	}{
		{"the hash key", "h1 = :a AND h2 = :1", 0, AnyRange, ""},
		{"the hash key in another order", "h2 = :1 AND h1 = :a", 0, AnyRange, ""},
		{"the first of the sort key", "h1 = :a AND h2 = :1 AND begins_with(s1, :s)", 0, BeginsWith, ""},
		{"a range on the second", "h1 = :a AND h2 = :1 AND s1 = :a AND s2 > :2", 1, GT, ""},
		{"a range on the last", "s3 BETWEEN :1 AND :3 AND s2 = :2 AND h1 = :a AND s1 = :a AND h2 = :1", 2, Between, ""},
		{"all by equality", "h1 = :a AND h2 = :1 AND s1 = :a AND s2 = :2 AND s3 = :3", 2, EQ, ""},
		{"half of the hash key", "h1 = :a", 0, 0, "Query condition missed key schema element: h2"},
		{"half of the hash key and a sort key", "h1 = :a AND s1 = :a", 0, 0, "Query condition missed key schema element: h2"},
		{"a range on the hash key", "h1 = :a AND h2 > :1", 0, 0, "Query key condition not supported"},
		{"a gap in the sort key", "h1 = :a AND h2 = :1 AND s1 = :a AND s3 = :3", 0, 0, "Query condition missed key schema element: s2"},
		{"a range before the last", "h1 = :a AND h2 = :1 AND s1 > :a AND s2 = :2", 0, 0, "Query key condition not supported"},
		{"another type", "h1 = :a AND h2 = :1 AND s1 = :1", 0, 0, "One or more parameter values were invalid: Condition parameter type does not match schema type"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k, err := fitted(tt.text, params(t), hash, sorts)
			switch {
			case err != nil && err.Error() != tt.want || err == nil && tt.want != "":
				t.Errorf("got %v, want %q", err, tt.want)
			case err == nil && (len(k.Hash) != 2 || len(k.Equal) != tt.equal || k.Op != tt.op):
				t.Errorf("got %+v", k)
			}
		})
	}
}

// fitted parses a key condition for a key schema.
func fitted(text string, p *Params, hash, sortKey []Key) (*KeyCondition, error) {
	terms, err := ParseKeyCondition(text, p)
	if err != nil {
		return nil, err
	}
	return terms.Fit(hash, sortKey)
}
