package js

import "github.com/dop251/goja"

// contextFunctions are what AsyncLocalStorage is made of: a value that goes with whatever is done later because of what is done
// now. goja carries it over to what waits for a promise, setTimer to what waits for a timer.
func (s *sandbox) contextFunctions() map[string]any {
	return map[string]any{
		"context": func(goja.FunctionCall) goja.Value {
			if s.context == nil {
				return goja.Undefined()
			}
			return s.context
		},
		"setContext": func(call goja.FunctionCall) goja.Value {
			s.rt.SetAsyncContextTracker(contexts{s}) // costs something, so that only who uses it pays
			s.context = call.Argument(0)
			return goja.Undefined()
		},
	}
}

// contexts tells goja a sandbox's contexts.
type contexts struct{ s *sandbox }

// Grab returns the context that is to be there again when a promise settles.
func (c contexts) Grab() any { return c.s.context }

// Resumed sets what Grab returned.
func (c contexts) Resumed(context any) { c.s.context, _ = context.(goja.Value) }

// Exited ends it.
func (c contexts) Exited() { c.s.context = nil }
