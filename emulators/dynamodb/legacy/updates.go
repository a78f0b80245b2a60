package legacy

import (
	"maps"
	"slices"

	"devstack/emulators/dynamodb/expr"
	"devstack/emulators/dynamodb/item"
)

// Update is an element of AttributeUpdates.
type Update struct {
	Action string     // PUT if it is empty
	Value  item.Value // the zero Value: there is none
}

// Updates makes an update of AttributeUpdates.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.AttributeUpdates.html
func Updates(updates map[string]Update) (*expr.Update, error) {
	var changes []expr.Change
	for _, name := range slices.Sorted(maps.Keys(updates)) {
		u := updates[name]
		if err := u.check(); err != nil {
			return nil, err
		}
		changes = append(changes, expr.Change{Name: name, Action: u.Action, Value: u.Value})
	}
	return expr.NewUpdate(changes), nil
}

// check checks the value against what the action takes. ADD takes lists too, which is not documented:
// https://github.com/getmoto/moto/pull/3585
func (u Update) check() error {
	kind := u.Value.Kind()
	switch {
	case u.Value.IsZero() && u.Action != "DELETE":
		return invalid(msgOnlyDelete)
	case u.Value.IsZero():
		return nil
	case u.Action == "DELETE" && !kind.IsSet():
		return invalid(msgDeleteType, kind)
	case u.Action == "ADD" && kind != item.N && kind != item.L && !kind.IsSet():
		return invalid(msgAddType, kind)
	}
	return nil
}
