package dynamodb

import (
	"context"
	"errors"
	"strings"

	"devstack/emulators/dynamodb/expr"
	"devstack/emulators/dynamodb/partiql"
	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// What AWS says of several statements at once: the first from memory of its answers, the second a guess by it, the others made
// of the documentation's sentences.
const (
	msgBatchKey      = "Select statements within BatchExecuteStatement must specify the primary key in the where clause."
	msgTransactKey   = "Select statements within ExecuteTransaction must specify the primary key in the where clause."
	msgBatchMixed    = "The entire batch must consist of either read statements or write statements, you cannot mix both in one batch."
	msgTransactMixed = "The entire transaction must consist of either read statements or write statements, you cannot mix both in one transaction."
)

// allRead tells whether all statements are SELECTs; nil are those that could not be parsed. It is an error if only some are.
func allRead(statements []*statement, mixed string) (bool, error) {
	reads, writes := false, false
	for _, st := range statements {
		if st != nil {
			reads, writes = reads || st.reads(), writes || !st.reads()
		}
	}
	if reads && writes {
		return false, errValidation("%s", mixed)
	}
	return reads, nil
}

// lookUp is a SELECT of one item by its key.
type lookUp struct {
	t          *table
	key        record
	projection *expr.Projection
	filter     *expr.Condition

	at   []byte // the stored key, once it has been read
	size int    // of the item found
}

// newLookUp plans a SELECT that must give the whole primary key. keyless is what to say if it does not.
func (s *service) newLookUp(tx *store.Tx, r *wire.Request, st *statement, keyless string) (*lookUp, error) {
	t, err := s.table(tx, r, st.table.Name)
	if err != nil {
		return nil, err
	}
	tree := st.tree.(*partiql.Select)
	terms := conjuncts(tree.Where)
	if _, err := st.conjunction(terms, nil); err != nil {
		return nil, err
	}
	key, terms, ok := st.wholeKey(t.Key, terms)
	if !ok || tree.From.Index != "" {
		return nil, errValidation("%s", keyless)
	}
	l := &lookUp{t: t, key: newRecord(key)}
	if l.projection, err = columns(tree.Columns); err != nil {
		return nil, err
	}
	l.filter, err = st.conjunction(terms, nil)
	return l, err
}

// read returns what was asked for of the item; nil if there is none.
func (l *lookUp) read(tx *store.Tx) (Attributes, error) {
	if err := l.t.Key.checkKey(l.key); err != nil {
		return nil, err
	}
	at, stored := l.t.find(tx, l.key)
	l.at, l.size = at, stored.size()
	if stored == nil || l.filter != nil && !l.filter.Match(peeked(stored)) {
		return nil, nil
	}
	return project(nil, stored, l.projection), nil
}

// BatchExecuteStatement carries out up to 25 statements, each by itself, either all of them reads of one item or all writes.
//
// What is wrong with one of them is told in its response.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchExecuteStatement.html
func (s *service) BatchExecuteStatement(ctx context.Context, in *BatchExecuteStatementInput) (out *BatchExecuteStatementOutput, err error) {
	statements, wrong := make([]*statement, len(in.Statements)), make([]error, len(in.Statements))
	for i, one := range in.Statements {
		st, err := newStatement(one.Statement, one.Parameters, one.ReturnValuesOnConditionCheckFailure)
		if err != nil {
			wrong[i] = err
			continue
		}
		st.consistent = yes(one.ConsistentRead)
		statements[i] = st
	}
	reads, err := allRead(statements, msgBatchMixed)
	if err != nil {
		return nil, err
	}
	used := usages{}
	answer := func(do func(st *statement) (Attributes, error)) error {
		out, used = &BatchExecuteStatementOutput{Responses: make([]BatchStatementResponse, len(statements))}, usages{}
		for i, st := range statements {
			response, err := &out.Responses[i], wrong[i]
			if st != nil {
				response.TableName = new(st.table.Name)
				response.Item, err = do(st)
			}
			if err := response.fail(err); err != nil {
				return err
			}
		}
		out.ConsumedCapacity = used.report(in.ReturnConsumedCapacity)
		return nil
	}
	r, now := wire.From(ctx), s.Clock.Now()
	if reads {
		err = s.Store.View(func(tx *store.Tx) error {
			return answer(func(st *statement) (Attributes, error) { return s.batchRead(tx, r, st, used) })
		})
		return out, err
	}
	err = s.update(ctx, func(tx *store.Tx, e *effects) error {
		return answer(func(st *statement) (Attributes, error) {
			if _, ok := st.tree.(*partiql.Exists); ok {
				return nil, errValidation(msgExistsOutside)
			}
			c, a, err := s.prepareStatement(tx, r, st)
			if err != nil {
				return nil, err
			}
			returned := st.returned(c, a) // before the write: it reads the old item
			used.of(c.table).write(c.apply(tx, now, e), 1)
			return returned, nil
		})
	})
	return out, err
}

// batchRead reads the item of one statement of a batch.
func (s *service) batchRead(tx *store.Tx, r *wire.Request, st *statement, used usages) (Attributes, error) {
	l, err := s.newLookUp(tx, r, st, msgBatchKey)
	if err != nil {
		return nil, err
	}
	found, err := l.read(tx)
	if err == nil {
		used.of(l.t).table += readUnitsFor(l.size, st.consistent)
	}
	return found, err
}

// fail puts an error of the client's into the response, by the code that batches have for it. Others it returns.
func (r *BatchStatementResponse) fail(err error) error {
	if err == nil {
		return nil
	}
	known, ok := errors.AsType[*wire.Error](err)
	if !ok || known.Status >= 500 {
		return err
	}
	code := strings.TrimSuffix(known.Code, "Exception")
	if code == "Validation" {
		code = BatchStatementErrorCodeEnumValidationError
	}
	r.Error = &BatchStatementError{Code: &code, Message: new(known.Message)}
	r.Error.Item, _ = known.Fields["Item"].(Attributes)
	return nil
}
