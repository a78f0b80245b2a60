package dynamodb

import (
	"errors"
	"fmt"
	"strings"

	"devstack/emulators/dynamodb/expr"
	"devstack/emulators/dynamodb/item"
	"devstack/emulators/wire"
)

// parameter is a member of a request, and whether it was given.
type parameter struct {
	name  string
	given bool
}

// expressions are what a request says in expressions, or in what came before them. nil is one that was not given.
type expressions struct {
	params       *expr.Params
	condition    *expr.Condition
	filter       *expr.Condition
	filterName   string // QueryFilter or ScanFilter; else it is an expression
	keyCondition *expr.KeyTerms
	projection   *expr.Projection
	update       *expr.Update
}

// texts are the expressions as the request has them.
type texts struct {
	condition, filter, projection, update, keyCondition *string

	names  map[string]string
	values map[string]AttributeValue
	may    []expr.Kind // what the operation may have that uses values, for a message
	newer  bool        // the operation is one of those with newer checks: see violated
	scan   bool
	lax    bool // part of a transaction, which may have names and values for nothing: https://github.com/ExtendDB/extenddb/pull/169
}

// The expressions of an operation that use values. Each is kept once: made for a request it would be on the heap.
var (
	mayCondition = []expr.Kind{expr.ConditionExpression}
	mayUpdate    = []expr.Kind{expr.UpdateExpression, expr.ConditionExpression}
	mayQuery     = []expr.Kind{expr.FilterExpression, expr.KeyConditionExpression}
	mayScan      = []expr.Kind{expr.FilterExpression}
)

// parse parses all expressions of a request. DynamoDB does so before it looks for the table.
func (t texts) parse() (e expressions, err error) {
	if t.condition == nil && t.filter == nil && t.update == nil && t.keyCondition == nil {
		if err := t.checkUnneeded(); err != nil || t.projection == nil {
			return e, t.violated(err)
		}
	}
	if err := expr.CheckPlaceholders(t.names, t.values); err != nil {
		return e, t.violated(invalid(err))
	}
	values, err := t.readValues()
	if err != nil {
		return e, err
	}
	e.params = expr.NewParams(t.names, values)
	if err := t.parseEach(&e); err != nil {
		return e, t.violated(invalid(err))
	}
	return e, t.violated(invalid(e.params.Unused()))
}

// readValues reads the ExpressionAttributeValues.
func (t texts) readValues() (map[string]item.Value, error) {
	if t.values == nil {
		return nil, nil
	}
	values, wrong := make(map[string]item.Value, len(t.values)), ""
	for name, a := range t.values {
		v, err := newValue(a)
		if err != nil && (wrong == "" || name < wrong) {
			wrong = name
		}
		values[name] = v
	}
	if wrong == "" {
		return values, nil
	}
	_, err := newValue(t.values[wrong])
	switch {
	case t.newer && isViolation(err):
		return nil, violated(invalid(err))
	case err == item.ErrTooDeep: // in the words of an item: https://github.com/nubo-db/dynoxide/issues/110
		return nil, invalid(err)
	}
	return nil, errValidation("%s", fmt.Sprintf("ExpressionAttributeValues contains invalid value: %s for key %s", err, wrong))
}

func (t texts) violated(err error) error {
	if t.newer {
		return violated(err)
	}
	return err
}

// violated words a refusal as those operations do that AWS has moved to newer checks of requests: PutItem and UpdateItem, and
// Query for its Select. What they refuse only once they have seen the table, and values that are none, they word as ever.
//
// https://github.com/nubo-db/dynoxide/pull/152, and AWS's answers in https://github.com/ExtendDB/extenddb/issues/64 and
// https://github.com/ExtendDB/extenddb/issues/65
func violated(err error) error {
	if known, ok := errors.AsType[*wire.Error](err); ok {
		return errValidation("1 validation error detected: %s", known.Message)
	}
	return err
}

// violatedItem is givenRecord for those operations.
func violatedItem(a Attributes) (record, error) {
	i, err := givenRecord(a)
	if a != nil && a[0] == wrongMark {
		if _, wrong := newPlainItem(a.wrong(), 0); isViolation(wrong) {
			return i, violated(err)
		}
	}
	return i, err
}

func isViolation(err error) bool {
	_, ok := errors.AsType[item.Violation](err)
	return ok
}

// parseEach parses them in the order in which DynamoDB looks at them, from memory of its answers.
func (t texts) parseEach(e *expressions) (err error) {
	if t.update != nil {
		if e.update, err = expr.ParseUpdate(*t.update, e.params); err != nil {
			return err
		}
	}
	if t.condition != nil {
		if e.condition, err = expr.ParseCondition(expr.ConditionExpression, *t.condition, e.params); err != nil {
			return err
		}
	}
	if t.keyCondition != nil {
		if e.keyCondition, err = expr.ParseKeyCondition(*t.keyCondition, e.params); err != nil {
			return err
		}
	}
	if t.filter != nil && t.scan {
		if err := expr.CheckScanFilter(*t.filter); err != nil {
			return err
		}
	}
	if t.filter != nil {
		if e.filter, err = expr.ParseCondition(expr.FilterExpression, *t.filter, e.params); err != nil {
			return err
		}
	}
	if t.projection != nil {
		e.projection, err = expr.ParseProjection(*t.projection, e.params)
	}
	return err
}

// checkUnneeded refuses names where there is no expression, and values where there is none but perhaps a projection.
func (t texts) checkUnneeded() error {
	switch {
	case t.lax:
		return nil
	case t.names != nil && t.projection == nil:
		return errValidation("ExpressionAttributeNames can only be specified when using expressions")
	case t.values == nil:
		return nil
	case len(t.may) == 1:
		return errValidation("ExpressionAttributeValues can only be specified when using expressions: %s is null", t.may[0])
	}
	var kinds []string
	for _, k := range t.may {
		kinds = append(kinds, string(k))
	}
	return errValidation("ExpressionAttributeValues can only be specified when using expressions: %s are null", strings.Join(kinds, " and "))
}

// is tells whether an optional string of a request has a value.
func is(given *string, value string) bool { return given != nil && *given == value }

// yes tells whether an optional Boolean of a request is true.
func yes(given *bool) bool { return given != nil && *given }
