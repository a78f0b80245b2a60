package lambda

import (
	"context"
	"regexp"
	"sync"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// latest is the version that updates change.
const latest = "$LATEST"

// Messages in the service's words, all of them recorded answers.
const (
	msgNotFound = "Function not found: %s"
	msgRegion   = "Functions from '%s' are not reachable in this region ('%s')"
	msgMismatch = "The derived qualifier from the function name does not match the specified qualifier."
)

// byUser says whose fault an error is, as every error of Lambda's own does. Recorded answers: "Type": "User".
func byUser(e *wire.Error) *wire.Error { return e.With("Type", "User") }

// reference takes a function's name apart as the API accepts it: NAME, ACCOUNT:function:NAME or an ARN, each with an optional
// version or alias behind it.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html (FunctionName)
var reference = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:arn:aws[a-zA-Z-]*:lambda:)?(?:([a-z]{2}(?:-[a-z]+)+-\d):)?(?:(\d{12}):)?(?:function:)?([a-zA-Z0-9-_.]+)(?::(\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9-_]+))?$`)
})

// numbered tells numbers of versions from names of aliases, which are never digits alone.
var numbered = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9]+$`) })

// target is what a reference to a function names: the function, one of its versions, or an alias.
type target struct {
	Account, Region, Name string
	Qualifier             string // version or alias as the reference has it, "" for none
}

// arn is the target's Amazon Resource Name, with its qualifier.
func (t target) arn() string { return qualified(t.function(), t.Qualifier) }

// function is the ARN of the target's function.
func (t target) function() string {
	return "arn:aws:lambda:" + t.Region + ":" + t.Account + ":function:" + t.Name
}

// at is the target with another qualifier.
func (t target) at(qualifier string) target {
	t.Qualifier = qualifier
	return t
}

// key is the beginning of the keys under which everything of the function is stored.
func (t target) key(more ...any) []any { return append([]any{t.Account, t.Region, t.Name}, more...) }

func qualified(arn, qualifier string) string {
	if qualifier == "" {
		return arn
	}
	return arn + ":" + qualifier
}

// parse takes a reference apart. qualifier, which may be nil, must not differ from the reference's own.
func parse(ctx context.Context, ref string, qualifier *string) (target, error) {
	req := wire.From(ctx)
	m := reference().FindStringSubmatch(ref)
	if m == nil { // the model's pattern is not stricter than ours
		return target{}, byUser(errResourceNotFoundException(msgNotFound, ref))
	}
	t := target{Account: req.Account, Region: req.Region, Name: m[3], Qualifier: m[4]}
	if m[1] != "" && m[1] != req.Region {
		return t, byUser(errResourceNotFoundException(msgRegion, m[1], req.Region))
	}
	if m[2] != "" {
		t.Account = m[2]
	}
	if qualifier != nil {
		if t.Qualifier != "" && t.Qualifier != *qualifier {
			return t, byUser(errInvalidParameterValueException(msgMismatch))
		}
		t.Qualifier = *qualifier
	}
	return t, nil
}

// find returns the version that a request names, and its name. qualifier may be nil. An alias that divides its calls leads to its main
// version.
func (s *Service) find(ctx context.Context, ref string, qualifier *string) (target, *version, error) {
	t, err := parse(ctx, ref, qualifier)
	if err != nil {
		return t, nil, err
	}
	v, err := s.lookup(t)
	return t, v, err
}

// lookup returns the version that a target leads to.
func (s *Service) lookup(t target) (v *version, err error) {
	if t.Qualifier == "" || t.Qualifier == latest {
		if v := s.declared(t); v != nil {
			return v, nil // without a look at the store
		}
	}
	err = s.Store.View(func(tx *store.Tx) error {
		v, err = s.versionOf(tx, t)
		return err
	})
	return v, err
}

// versionOf is lookup in a transaction.
func (s *Service) versionOf(tx *store.Tx, t target) (*version, error) {
	number := t.Qualifier
	if number != "" && number != latest && !numbered().MatchString(number) {
		a, ok := aliases.Get(tx, t.key(number)...)
		if !ok {
			return nil, byUser(errResourceNotFoundException(msgNotFound, t.arn()))
		}
		number = a.Version
	}
	if v := s.stored(tx, t, number); v != nil {
		return v, nil
	}
	return nil, byUser(errResourceNotFoundException(msgNotFound, t.arn()))
}

// stored returns a version by its number, nil if there is none. Versions of a function that neither the stack nor the API has any
// more are not there either.
func (s *Service) stored(tx *store.Tx, t target, number string) *version {
	v := s.declared(t)
	if v == nil {
		f, ok := functions.Get(tx, t.key()...)
		if !ok || f.Latest == nil {
			return nil
		}
		v = f.Latest
	}
	if number == "" || number == latest {
		return v
	}
	if !numbered().MatchString(number) {
		return nil
	}
	published, ok := versions.Get(tx, t.key(sortable(number))...)
	if !ok {
		return nil
	}
	return &published
}

// declared returns $LATEST of a function of the stack, nil if the stack has none of that name.
func (s *Service) declared(t target) *version {
	f, ok := s.functions.Get(t.Account, t.Region, t.Name)
	if !ok {
		return nil
	}
	return f.version()
}
