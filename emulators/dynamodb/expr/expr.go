// Package expr parses and evaluates DynamoDB's expressions: conditions, filters, key conditions, projections and updates.
//
// An error is AWS's message, word for word; the caller makes the exception of it (always a ValidationException).
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html
package expr

import (
	"sync"

	"devstack/emulators/dynamodb/item"
)

// Kind is a kind of expression, by the name of the request's member that holds it.
type Kind string

// The kinds of expression.
const (
	ConditionExpression    Kind = "ConditionExpression"
	FilterExpression       Kind = "FilterExpression"
	KeyConditionExpression Kind = "KeyConditionExpression"
	ProjectionExpression   Kind = "ProjectionExpression"
	UpdateExpression       Kind = "UpdateExpression"
)

// Source is what an expression reads: an item.Item, or an item.Encoded, of which only the attributes asked for are decoded.
type Source interface {
	Lookup(name string) (item.Value, bool)
}

// cacheSize is how many parsed expressions are kept; an application has a few dozen. When it is reached, all are dropped.
const cacheSize = 512

type cacheKey struct {
	kind Kind
	text string
}

var cache = struct {
	sync.RWMutex
	parsed map[cacheKey]*syntax
}{parsed: map[cacheKey]*syntax{}}

// cached parses a text, or returns what it was parsed to before.
func cached(kind Kind, text string) (*syntax, error) {
	key := cacheKey{kind, text}
	cache.RLock()
	s := cache.parsed[key]
	cache.RUnlock()
	if s != nil {
		return s, nil
	}
	s, err := parse(kind, text)
	if err != nil {
		return nil, err
	}
	cache.Lock()
	defer cache.Unlock()
	if len(cache.parsed) >= cacheSize {
		clear(cache.parsed)
	}
	cache.parsed[key] = s
	return s, nil
}
