package expr

import "devstack/emulators/dynamodb/item"

// DRAFT of the exported API while the package is being written; replaced file by file.

// Params are one request's ExpressionAttributeNames and ExpressionAttributeValues. All expressions of the request share it:
// it remembers which of them were used.
type Params struct{}

// NewParams checks the placeholders' syntax. A nil map is an absent parameter; an empty one is an error.
func NewParams(names map[string]string, values map[string]item.Value) (*Params, error) { panic("draft") }

// Unused reports the names, then the values, that no expression parsed with p has used. Call it when all are parsed.
func (p *Params) Unused() error { panic("draft") }

// Condition is a condition or filter expression.
type Condition struct{}

// ParseCondition parses a ConditionExpression or FilterExpression.
func ParseCondition(kind Kind, text string, p *Params) (*Condition, error) { panic("draft") }

// Match tells whether an item satisfies the condition. An absent item is an empty one.
func (c *Condition) Match(src Source) bool { panic("draft") }

// Names returns the top-level attributes that the condition mentions.
func (c *Condition) Names() []string { panic("draft") }

// Key is one key attribute of a table or index.
type Key struct {
	Name string
	Kind item.Kind // S, N or B
}

// RangeOp is how a key condition restricts the sort key.
type RangeOp uint8

const (
	AnyRange RangeOp = iota // no condition
	EQ
	LT
	LE
	GT
	GE
	Between
	BeginsWith
)

// KeyCondition is a key condition, checked against a key schema.
type KeyCondition struct {
	Hash      item.Value
	Op        RangeOp
	Low, High item.Value // Low is the operand; High only with Between
}

// ParseKeyCondition parses a KeyConditionExpression; rng.Name is empty if the table or index has no sort key.
func ParseKeyCondition(text string, p *Params, hash, rng Key) (*KeyCondition, error) { panic("draft") }

// Match tells whether a sort key value satisfies the condition.
func (k *KeyCondition) Match(sortKey item.Value) bool { panic("draft") }

// Projection is a projection expression.
type Projection struct{}

// ParseProjection parses a ProjectionExpression.
func ParseProjection(text string, p *Params) (*Projection, error) { panic("draft") }

// Apply returns the part of an item that the projection names.
func (p *Projection) Apply(src Source) item.Item { panic("draft") }

// Names returns the top-level attributes that the projection mentions.
func (p *Projection) Names() []string { panic("draft") }

// Update is an update expression.
type Update struct{}

// ParseUpdate parses an UpdateExpression.
func ParseUpdate(text string, p *Params) (*Update, error) { panic("draft") }

// Names returns the top-level attributes that the update changes.
func (u *Update) Names() []string { panic("draft") }

// Apply returns the updated item; the old one is not changed.
func (u *Update) Apply(old item.Item) (item.Item, error) { panic("draft") }

// Touched returns the part of an item (the old or the new one) that the update's paths name, for UPDATED_OLD and UPDATED_NEW.
func (u *Update) Touched(i item.Item) item.Item { panic("draft") }
