package dynamodb

import (
	"context"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// ExecuteTransaction carries out up to 100 statements, all or none: either all of them reads of one item each, or all writes,
// among which EXISTS is a check.
//
// TransactionCanceledException with a reason for each statement. A ClientRequestToken makes a repetition harmless for ten
// minutes; IdempotentParameterMismatchException if the repetition is none.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExecuteTransaction.html
func (s *service) ExecuteTransaction(ctx context.Context, in *ExecuteTransactionInput) (out *ExecuteTransactionOutput, err error) {
	statements := make([]*statement, len(in.TransactStatements))
	for i, one := range in.TransactStatements {
		if statements[i], err = newStatement(one.Statement, one.Parameters, one.ReturnValuesOnConditionCheckFailure); err != nil {
			return nil, err
		}
	}
	reads, err := allRead(statements, msgTransactMixed)
	if err != nil {
		return nil, err
	}
	r := wire.From(ctx)
	if reads {
		err = s.Store.View(func(tx *store.Tx) error {
			out, err = s.readTransaction(tx, r, statements, in)
			return err
		})
		return out, err
	}
	request, err := requestHash(in.TransactStatements)
	if err != nil {
		return nil, err
	}
	now := s.Clock.Now()
	err = s.update(ctx, func(tx *store.Tx, e *effects) error {
		actions, err := s.actions(tx, r, statements)
		if err != nil {
			return err
		}
		used, err := s.transact(tx, e, r, transaction{actions, in.ClientRequestToken, request, now}, func(*action, *change) {})
		out = &ExecuteTransactionOutput{ConsumedCapacity: used.report(in.ReturnConsumedCapacity)}
		return err
	})
	return out, err
}

// actions makes the writes of a transaction's statements.
func (s *service) actions(tx *store.Tx, r *wire.Request, statements []*statement) ([]*action, error) {
	actions := make([]*action, len(statements))
	for i, st := range statements {
		t, err := s.table(tx, r, st.table.Name)
		if err != nil {
			return nil, err
		}
		if st.returning != "" {
			return nil, errValidation(msgTransactReturning)
		}
		if actions[i], err = st.action(t); err != nil {
			return nil, err
		}
	}
	return actions, nil
}

// msgTransactReturning is a guess;
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.multiplestatements.transactions.html says that
// writes return no values.
const msgTransactReturning = "RETURNING is not supported in transactions"

// readTransaction reads the items of a transaction's SELECTs.
func (s *service) readTransaction(tx *store.Tx, r *wire.Request, statements []*statement, in *ExecuteTransactionInput) (*ExecuteTransactionOutput, error) {
	used, reasons, seen := usages{}, make([]error, len(statements)), map[string]bool{}
	out := &ExecuteTransactionOutput{Responses: make([]ItemResponse, len(statements))}
	for i, st := range statements {
		l, err := s.newLookUp(tx, r, st, msgTransactKey)
		if err != nil {
			return nil, err
		}
		found, err := l.read(tx)
		if reasons[i] = err; err != nil {
			continue
		}
		// What a projection leaves nothing of is left out, as of TransactGetItems.
		if record(found).encoded().Len() > 0 {
			out.Responses[i].Item = found
		}
		if seen[l.t.ID+string(l.at)] {
			return nil, errValidation(msgManyOnOne)
		}
		seen[l.t.ID+string(l.at)] = true
		u := used.of(l.t)
		u.reads = 1
		u.table += readUnitsFor(l.size, true) * transactFactor
	}
	out.ConsumedCapacity = used.report(in.ReturnConsumedCapacity)
	return out, cancelled(reasons)
}
