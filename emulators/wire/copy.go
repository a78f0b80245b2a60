package wire

import (
	"reflect"
	"sync"
)

// copyPlan says which field of one structure goes into which of another. It is how an in-process caller's structure becomes an
// operation's input, and the output his, without JSON in between. nil: some field has no counterpart of its type.
type copyPlan []copyStep

type copyStep struct {
	from, to int
	point    bool // to is a pointer to from's type
	deref    bool // from is a pointer to to's type; nil leaves the zero value
}

// copyPlans has the plans that were made, by copyKey.
var copyPlans sync.Map

type copyKey struct{ from, to reflect.Type }

// copyFields copies every field of the structure from into the one of to with its name. It is false, and nothing is copied, if one has
// none, or of another type.
func copyFields(to, from reflect.Value, all reflect.Type) bool {
	key := copyKey{from.Type(), to.Type()}
	known, ok := copyPlans.Load(key)
	if !ok {
		known, _ = copyPlans.LoadOrStore(key, planCopy(key, all))
	}
	plan := known.(copyPlan)
	if plan == nil {
		return false
	}
	for _, step := range plan {
		src, dst := from.Field(step.from), to.Field(step.to)
		switch {
		case step.point:
			p := reflect.New(src.Type())
			p.Elem().Set(src)
			dst.Set(p)
		case !step.deref:
			dst.Set(src)
		case !src.IsNil():
			dst.Set(src.Elem())
		}
	}
	return true
}

// planCopy makes a plan for the fields of one of the two structures, all, each of which needs a counterpart in the other. A structure
// with tags is somebody's JSON, and left to that.
func planCopy(key copyKey, all reflect.Type) copyPlan {
	plan := copyPlan{}
	for i := range all.NumField() {
		name := all.Field(i)
		from, okFrom := key.from.FieldByName(name.Name)
		to, okTo := key.to.FieldByName(name.Name)
		if !okFrom || !okTo || name.Tag != "" || name.Anonymous || !name.IsExported() || len(from.Index) > 1 || len(to.Index) > 1 {
			return nil
		}
		step := copyStep{from: from.Index[0], to: to.Index[0]}
		switch {
		case from.Type == to.Type:
		case to.Type == reflect.PointerTo(from.Type):
			step.point = true
		case from.Type == reflect.PointerTo(to.Type):
			step.deref = true
		default:
			return nil
		}
		plan = append(plan, step)
	}
	return plan
}
