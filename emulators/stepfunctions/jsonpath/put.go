package jsonpath

import "devstack/emulators/stepfunctions/value"

// Put returns root with v in the place that the path, a Reference Path, names. Objects on the way are made where there are
// none; what is on the way and is no object, or no element of a list, cannot be passed, and Put reports false. root itself
// is not changed.
func (p *Path) Put(root, v any) (any, bool) { return put(p.steps, root, v) }

func put(steps []step, in, v any) (any, bool) {
	if len(steps) == 0 {
		return v, true
	}
	s, rest := steps[0], steps[1:]
	if len(s.index) == 1 {
		list, ok := in.([]any)
		i := s.index[0]
		if !ok || i >= len(list) {
			return nil, false
		}
		x, ok := put(rest, list[i], v)
		out := append([]any{}, list...)
		out[i] = x
		return out, ok
	}
	o, ok := in.(*value.Object)
	if !ok {
		return nil, false
	}
	below, exists := o.Get(s.names[0])
	if !exists && len(rest) > 0 {
		below = &value.Object{}
	}
	x, ok := put(rest, below, v)
	return o.With(s.names[0], x), ok
}
