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
			k, err := ParseKeyCondition(tt.text, params(t), hashKey, tt.sortKey)
			if err != nil {
				t.Fatal(err)
			}
			if k.Hash.Text() != "a" {
				t.Errorf("the hash key is %s", k.Hash.Text())
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
			_, err := ParseKeyCondition(tt.text, params(t), hashKey, tt.sortKey)
			if err == nil || err.Error() != tt.want {
				t.Errorf("%s\n got: %v\nwant: %s", tt.text, err, tt.want)
			}
		})
	}
}
