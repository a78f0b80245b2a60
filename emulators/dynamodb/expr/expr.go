// Package expr parses and evaluates DynamoDB's expressions: conditions, filters, key conditions, projections and updates.
//
// An error is AWS's message, word for word; the caller makes the exception of it (a ValidationException, always).
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html
package expr

import "devstack/emulators/dynamodb/item"

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
