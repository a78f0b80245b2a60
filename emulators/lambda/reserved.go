package lambda

import (
	"context"

	"devstack/emulators/store"
)

// reservations are the functions' own parts of the account's concurrency, by account, region and function.
var reservations = store.NewTable[reservation]("reservations")

type reservation struct {
	Function   string
	Executions int
}

// Messages in the service's words, recorded answers; the first two come without a Type.
const (
	msgBelowUnreserved  = "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [%d]."
	msgBelowProvisioned = " ReservedConcurrentExecutions  %d should not be lower than function's total provisioned concurrency [%d]."
	msgFunctionsOnly    = "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN."
)

// functionOnly returns the function that a request names, which must be no version or alias. With named, an error about a function that
// is not there names $LATEST, as PutFunctionConcurrency's does.
func (s *Service) functionOnly(ctx context.Context, ref string, named bool) (target, error) {
	t, err := parse(ctx, ref, nil)
	if err != nil {
		return t, err
	}
	if t.Qualifier != "" {
		return t, byUser(errInvalidParameterValueException(msgFunctionsOnly))
	}
	if named {
		return t, s.exists(t.at(latest))
	}
	return t, s.exists(t)
}

// PutFunctionConcurrency reserves a part of the account's 1000 concurrent executions for a function: no other function can use it, and
// the function and all its versions no more. 0 stops the function. At least 100 executions stay for functions without.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionConcurrency.html
func (s *Service) PutFunctionConcurrency(ctx context.Context, in *PutFunctionConcurrencyInput) (*PutFunctionConcurrencyOutput, error) {
	t, err := s.functionOnly(ctx, *in.FunctionName, true)
	if err != nil {
		return nil, err
	}
	n := int(*in.ReservedConcurrentExecutions)
	s.concurrency.setting.Lock()
	defer s.concurrency.setting.Unlock()
	var left, provisioned int
	if err := s.concurrency.look(s, t, func(p *pool) {
		left, provisioned = p.unreserved(false)+p.reserved[t.Name]-n, sum(p.provisioned[t.Name])
	}); err != nil {
		return nil, err
	}
	switch {
	case left < leastUnreserved:
		return nil, errInvalidParameterValueException(msgBelowUnreserved, leastUnreserved)
	case n < provisioned:
		return nil, errInvalidParameterValueException(msgBelowProvisioned, n, provisioned)
	}
	if err := s.Store.Update(func(tx *store.Tx) error {
		reservations.Put(tx, reservation{t.Name, n}, t.key()...)
		return nil
	}); err != nil {
		return nil, err
	}
	out := &PutFunctionConcurrencyOutput{ReservedConcurrentExecutions: in.ReservedConcurrentExecutions}
	return out, s.concurrency.change(s, t, func(p *pool) { p.reserved[t.Name] = n })
}

// GetFunctionConcurrency returns what is reserved for a function: nothing if it shares with others.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConcurrency.html
func (s *Service) GetFunctionConcurrency(ctx context.Context, in *GetFunctionConcurrencyInput) (*GetFunctionConcurrencyOutput, error) {
	t, err := s.functionOnly(ctx, *in.FunctionName, false)
	if err != nil {
		return nil, err
	}
	n, err := s.reserved(t)
	return &GetFunctionConcurrencyOutput{ReservedConcurrentExecutions: n}, err
}

// reserved is what is reserved for a function, nil if nothing is.
func (s *Service) reserved(t target) (n *int32, err error) {
	err = s.concurrency.look(s, t, func(p *pool) {
		if r, ok := p.reserved[t.Name]; ok {
			n = new(int32(r))
		}
	})
	return n, err
}

// DeleteFunctionConcurrency lets a function share the account's concurrency again.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunctionConcurrency.html
func (s *Service) DeleteFunctionConcurrency(ctx context.Context, in *DeleteFunctionConcurrencyInput) (*DeleteFunctionConcurrencyOutput, error) {
	t, err := s.functionOnly(ctx, *in.FunctionName, false)
	if err != nil {
		return nil, err
	}
	s.concurrency.setting.Lock()
	defer s.concurrency.setting.Unlock()
	if err := s.Store.Update(func(tx *store.Tx) error { reservations.Delete(tx, t.key()...); return nil }); err != nil {
		return nil, err
	}
	return nil, s.concurrency.change(s, t, func(p *pool) { delete(p.reserved, t.Name) })
}
