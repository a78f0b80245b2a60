package intrinsic

import (
	"fmt"

	"devstack/emulators/stepfunctions/jsonpath"
)

// Env is what a call sees of the state that it is in.
type Env interface {
	// Path returns what a path selects.
	Path(*jsonpath.Path) (any, error)
	// UUID returns a random UUID (version 4).
	UUID() string
}

// Failure is an error of a function itself, such as an argument of a wrong type; other errors come from Env.
type Failure struct {
	Call   *Call
	Reason string
}

// Error says which call failed and why.
func (f *Failure) Error() string {
	return fmt.Sprintf("The function '%s' had the following error: %s", f.Call.text, f.Reason)
}

// function is one of AWS's: how many arguments it takes (max -1: any number) and what it does.
type function struct {
	min, max int
	act      func(args []any) (any, error)
}

// functions are all that AWS has. States.Format and States.UUID need more than the values of their arguments, so eval
// knows them.
var functions = map[string]function{
	"States.Array":          {0, -1, func(args []any) (any, error) { return append([]any{}, args...), nil }},
	"States.ArrayPartition": {2, 2, arrayPartition},
	"States.ArrayContains":  {2, 2, arrayContains},
	"States.ArrayRange":     {3, 3, arrayRange},
	"States.ArrayGetItem":   {2, 2, arrayGetItem},
	"States.ArrayLength":    {1, 1, arrayLength},
	"States.ArrayUnique":    {1, 1, arrayUnique},
	"States.Base64Encode":   {1, 1, base64Encode},
	"States.Base64Decode":   {1, 1, base64Decode},
	"States.Hash":           {2, 2, hash},
	"States.JsonMerge":      {3, 3, jsonMerge},
	"States.StringToJson":   {1, 1, stringToJSON},
	"States.JsonToString":   {1, 1, jsonToString},
	"States.MathRandom":     {2, 3, mathRandom},
	"States.MathAdd":        {2, 2, mathAdd},
	"States.StringSplit":    {2, 2, stringSplit},
	"States.UUID":           {0, 0, nil},
	"States.Format":         {1, -1, nil},
}

// Eval carries out the call.
func (c *Call) Eval(env Env) (any, error) {
	args := make([]any, len(c.args))
	for i, a := range c.args {
		v, err := a.eval(env)
		if err != nil {
			return nil, err
		}
		args[i] = v
	}
	var v any
	var err error
	switch c.name {
	case "States.UUID":
		return env.UUID(), nil
	case "States.Format":
		v, err = format(c.args[0], args)
	default:
		v, err = functions[c.name].act(args)
	}
	if err != nil {
		return nil, &Failure{c, err.Error()}
	}
	return v, nil
}

func (a argument) eval(env Env) (any, error) {
	switch {
	case a.call != nil:
		return a.call.Eval(env)
	case a.path != nil:
		return env.Path(a.path)
	}
	return a.literal, nil
}

// errArguments is AWS's complaint about an argument of a wrong type or outside its bounds. The words are a guess.
func errArguments(name string) error { return reason("Invalid arguments in " + name) }

// reason is an error in AWS's words.
type reason string

// Error returns the words.
func (r reason) Error() string { return string(r) }
