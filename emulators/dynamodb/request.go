package dynamodb

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"devstack/emulators/dynamodb/expr"
	"devstack/emulators/dynamodb/item"
)

// parameter is a member of a request, and whether it was given.
type parameter struct {
	name  string
	given bool
}

// refuse names the first of the parameters that was given: those of the time before expressions are not done yet.
func refuse(operation string, legacy ...parameter) error {
	for _, p := range legacy {
		if p.given {
			return notImplemented(operation, p.name)
		}
	}
	return nil
}

// expressions are what a request says in expressions. nil is one that was not given.
type expressions struct {
	params     *expr.Params
	condition  *expr.Condition
	filter     *expr.Condition
	projection *expr.Projection
	update     *expr.Update
}

// texts are the expressions as the request has them. keyCondition is only looked at for whether it is there: it is parsed
// once the table's schema is known.
type texts struct {
	condition, filter, projection, update, keyCondition *string

	names  map[string]string
	values map[string]AttributeValue
	may    []expr.Kind // what the operation may have that uses values, for a message
}

// parse parses all expressions of a request but the key condition.
func (t texts) parse() (e expressions, err error) {
	if t.condition == nil && t.filter == nil && t.projection == nil && t.update == nil && t.keyCondition == nil {
		return e, t.checkUnneeded()
	}
	var values map[string]item.Value
	if t.values != nil {
		values = make(map[string]item.Value, len(t.values))
	}
	for _, name := range slices.Sorted(maps.Keys(t.values)) {
		v, err := newValue(t.values[name])
		if err != nil {
			return e, errValidation("%s", fmt.Sprintf("ExpressionAttributeValues contains invalid value: %s for key %s", err, name))
		}
		values[name] = v
	}
	if e.params, err = expr.NewParams(t.names, values); err != nil {
		return e, invalid(err)
	}
	if err := t.parseEach(&e); err != nil {
		return e, invalid(err)
	}
	if t.keyCondition == nil {
		return e, invalid(e.params.Unused())
	}
	return e, nil
}

func (t texts) parseEach(e *expressions) (err error) {
	if t.filter != nil {
		if e.filter, err = expr.ParseCondition(expr.FilterExpression, *t.filter, e.params); err != nil {
			return err
		}
	}
	if t.projection != nil {
		if e.projection, err = expr.ParseProjection(*t.projection, e.params); err != nil {
			return err
		}
	}
	if t.update != nil {
		if e.update, err = expr.ParseUpdate(*t.update, e.params); err != nil {
			return err
		}
	}
	if t.condition != nil {
		e.condition, err = expr.ParseCondition(expr.ConditionExpression, *t.condition, e.params)
	}
	return err
}

// checkUnneeded refuses names and values where there is no expression.
func (t texts) checkUnneeded() error {
	switch {
	case t.names != nil:
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
