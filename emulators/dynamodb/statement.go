package dynamodb

import (
	"context"

	"devstack/emulators/dynamodb/expr"
	"devstack/emulators/dynamodb/item"
	"devstack/emulators/dynamodb/partiql"
	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// What AWS says of statements, from memory of its answers where no source is given.
const (
	msgParameterCount = "Number of parameters in request and statement don't match."
	msgNoStatementKey = "Where clause does not contain a mandatory equality on all key attributes"
	msgDuplicateItem  = "Duplicate primary key exists in table"
	msgTokenMismatch  = "NextToken does not match request" // https://github.com/aws/aws-sdk-js-v3/issues/4424

	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-functions.exists.html; the words are a guess.
	msgExistsOutside = "EXISTS can only be used in transactional operations"
)

// statement is a PartiQL statement with the values of its parameters.
type statement struct {
	tree   partiql.Statement
	values []item.Value // of its parameters
	table  partiql.Table
	where  partiql.Expr

	returning  string // like "ALL OLD", of an update or a deletion
	showOld    bool   // ReturnValuesOnConditionCheckFailure is ALL_OLD
	consistent bool
}

// newStatement parses a statement and reads its parameters.
func newStatement(text *string, parameters []AttributeValue, show *string) (*statement, error) {
	tree, count, err := partiql.Parse(*text)
	if err != nil {
		return nil, invalid(err)
	}
	if count != len(parameters) {
		return nil, errValidation(msgParameterCount)
	}
	st := &statement{tree: tree, showOld: is(show, ReturnValuesOnConditionCheckFailureAllOld)}
	for _, p := range parameters {
		v, err := newValue(p)
		if err != nil {
			return nil, invalid(err)
		}
		st.values = append(st.values, v)
	}
	switch tree := tree.(type) {
	case *partiql.Select:
		st.table, st.where = tree.From, tree.Where
	case *partiql.Insert:
		st.table = tree.Into
	case *partiql.Update:
		st.table, st.where, st.returning = tree.Table, tree.Where, tree.Returning
	case *partiql.Delete:
		st.table, st.where, st.returning = tree.From, tree.Where, tree.Returning
	case *partiql.Exists:
		st.table, st.where = tree.Select.From, tree.Select.Where
	}
	return st, nil
}

// reads tells whether the statement is a SELECT.
func (st *statement) reads() bool {
	_, ok := st.tree.(*partiql.Select)
	return ok
}

// ExecuteStatement carries out one PartiQL statement: a SELECT, a page at a time, or an INSERT, UPDATE or DELETE of one item.
//
// A SELECT whose WHERE gives the partition key by equality or IN is a Query of each of its values, any other a Scan. Limit is
// how many items are evaluated. DuplicateItemException if an INSERT finds its item there, ConditionalCheckFailedException if
// an UPDATE does not, or if what else the WHERE of an UPDATE or DELETE says does not hold.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExecuteStatement.html
func (s *service) ExecuteStatement(ctx context.Context, in *ExecuteStatementInput) (out *ExecuteStatementOutput, err error) {
	st, err := newStatement(in.Statement, in.Parameters, in.ReturnValuesOnConditionCheckFailure)
	if err != nil {
		return nil, err
	}
	st.consistent = yes(in.ConsistentRead)
	r := wire.From(ctx)
	if st.reads() {
		err = s.Store.View(func(tx *store.Tx) error {
			out, err = s.selectPage(tx, r, st, in)
			return err
		})
		return out, err
	}
	if in.NextToken != nil {
		return nil, errValidation(msgTokenMismatch) // a guess: nothing but a SELECT gives one
	}
	if _, ok := st.tree.(*partiql.Exists); ok {
		return nil, errValidation(msgExistsOutside)
	}
	now := s.Clock.Now()
	err = s.update(ctx, func(tx *store.Tx, e *effects) error {
		c, a, err := s.prepareStatement(tx, r, st)
		if err != nil {
			return err
		}
		out = &ExecuteStatementOutput{Items: newItems(nil)}
		if returned := st.returned(c, a); returned != nil {
			out.Items = out.Items.add(record(returned), nil)
		}
		used := newUsage(c.table)
		used.write(c.apply(tx, now, e), 1)
		out.ConsumedCapacity = used.report(in.ReturnConsumedCapacity)
		return nil
	})
	return out, err
}

// prepareStatement works out the change that a writing statement comes to.
func (s *service) prepareStatement(tx *store.Tx, r *wire.Request, st *statement) (*change, *action, error) {
	t, err := s.table(tx, r, st.table.Name)
	if err != nil {
		return nil, nil, err
	}
	a, err := st.action(t)
	if err != nil {
		return nil, nil, err
	}
	if err := a.check(t); err != nil {
		return nil, nil, err
	}
	c, err := a.prepare(tx, t)
	return c, a, err
}

// returnedValues are what RETURNING may say, as the ReturnValues of an update.
var returnedValues = map[string]string{
	"ALL OLD": ReturnValueAllOld, "ALL NEW": ReturnValueAllNew, "MODIFIED OLD": ReturnValueUpdatedOld, "MODIFIED NEW": ReturnValueUpdatedNew,
}

// returned is the answer to a statement's RETURNING.
func (st *statement) returned(c *change, a *action) Attributes {
	if st.returning == "" {
		return nil
	}
	return updatedAttributes(c, a.update, new(returnedValues[st.returning]))
}

// conditionKind is by which name the errors of the statement's WHERE call it: a guess.
func (st *statement) conditionKind() expr.Kind {
	if st.reads() {
		return expr.FilterExpression
	}
	return expr.ConditionExpression
}
