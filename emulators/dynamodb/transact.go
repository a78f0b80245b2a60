package dynamodb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// tokenLife is how long a ClientRequestToken is remembered.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html#DDB-TransactWriteItems-request-ClientRequestToken
const tokenLife = 10 * time.Minute

// token is a transaction that was carried out.
type token struct {
	Request string // a hash of its parameters
	At      time.Time
	Sizes   []int // of the items, as the first time was charged for them
}

// tokenAge lists the tokens by their age.
var tokenAge = store.NewTable[agedToken]("token age") // by instant, account, region, token

type agedToken struct {
	At                     time.Time
	Account, Region, Token string
}

// What AWS says of transactions, from memory of its answers. The list of codes in the first is part of it.
const (
	msgCancelled    = "Transaction cancelled, please refer cancellation reasons for specific reasons [%s]"
	msgManyOnOne    = "Transaction request cannot include multiple operations on one item"
	msgOneOf        = "TransactItems can only contain one of Check, Put, Update or Delete"
	msgTransactSize = "Transaction request size has exceeded the maximum allowed size" // a guess
	// The model's documentation of the exception.
	msgTokenReused = "DynamoDB rejected the request because you retried a request with a different payload but with an idempotent token that was already used."
)

// Codes of cancellation reasons.
const (
	reasonNone       = "None"
	reasonCondition  = "ConditionalCheckFailed"
	reasonValidation = "ValidationError"
	reasonDuplicate  = "DuplicateItem" // of an INSERT; https://github.com/amzn/smoke-dynamodb/pull/91
)

// transactFactor is how much more a read or write costs in a transaction.
const transactFactor = 2

// cancelled makes the answer to a transaction of which some actions cannot be done; nil if all can. reasons has an error or
// nil for each.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html#API_TransactWriteItems_Errors
func cancelled(reasons []error) error {
	list, codes, failed := make([]CancellationReason, len(reasons)), make([]string, len(reasons)), false
	for i, err := range reasons {
		codes[i] = reasonNone
		if err != nil {
			if _, ok := errors.AsType[refusal](err); ok {
				return err
			}
			failed = true
			var known *wire.Error
			if !errors.As(err, &known) || known.Status >= 500 {
				return err
			}
			codes[i] = reasonValidation
			if known.Code == "DuplicateItemException" {
				codes[i] = reasonDuplicate
			}
			if known.Code == "ConditionalCheckFailedException" {
				codes[i] = reasonCondition
				list[i].Item, _ = known.Fields["Item"].(Attributes)
			}
			list[i].Message = new(known.Message)
		}
		list[i].Code = new(codes[i])
	}
	if !failed {
		return nil
	}
	return errTransactionCanceledException(msgCancelled, strings.Join(codes, ", ")).With("CancellationReasons", list)
}

// TransactWriteItems carries out up to 100 actions on as many items, in any tables of the region, all or none.
//
// TransactionCanceledException with a reason for each action. A ClientRequestToken makes a repetition harmless for ten
// minutes; IdempotentParameterMismatchException if the repetition is none. There is one writer, and a transaction is one of its
// steps: nothing can be ongoing for an item that another one wants, so that neither the reason TransactionConflict nor
// TransactionConflictException ever comes.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
func (s *service) TransactWriteItems(ctx context.Context, in *TransactWriteItemsInput) (out *TransactWriteItemsOutput, err error) {
	actions := make([]*action, len(in.TransactItems))
	for i, one := range in.TransactItems {
		if actions[i], err = newTransactWrite(one); err != nil {
			return nil, err
		}
	}
	request, err := requestHash(in.TransactItems)
	if err != nil {
		return nil, err
	}
	r, now := wire.From(ctx), s.Clock.Now()
	err = s.update(ctx, func(tx *store.Tx, e *effects) error {
		metrics := collections(nil)
		used, err := s.transact(tx, e, r, transaction{actions, in.ClientRequestToken, request, now}, func(a *action, c *change) {
			metrics.add(c.table, c.table.collection(tx, a.at(), in.ReturnItemCollectionMetrics))
		})
		out = &TransactWriteItemsOutput{ItemCollectionMetrics: metrics, ConsumedCapacity: used.report(in.ReturnConsumedCapacity)}
		return err
	})
	return out, err
}

// transaction is what TransactWriteItems and ExecuteTransaction carry out alike.
type transaction struct {
	actions []*action
	token   *string // ClientRequestToken
	request string  // its hash
	now     time.Time
}

// transact carries out a transaction and says what it has used. Of each change it tells before, unless the transaction was carried
// out already.
func (s *service) transact(tx *store.Tx, e *effects, r *wire.Request, t transaction, before func(*action, *change)) (usages, error) {
	used := usages{}
	first, err := doneBefore(tx, r, t.token, t.request, t.now)
	if err != nil {
		return nil, err
	}
	if first != nil {
		return used, s.repeat(tx, r, t.actions, first, used)
	}
	changes, err := s.prepareAll(tx, r, t.actions)
	if err != nil {
		return nil, err
	}
	sizes := make([]int, len(changes))
	for i, c := range changes {
		before(t.actions[i], c)
		u := used.of(c.table)
		u.writes = 1
		sizes[i] = max(c.old.size(), c.new.size())
		u.write(c.apply(tx, t.now, e), transactFactor)
	}
	remember(tx, r, t.token, token{t.request, t.now, sizes})
	return used, nil
}

// repeat is what a transaction costs that was carried out before: it reads what the first one was charged for writing.
//
// https://github.com/nubo-db/dynoxide/issues/178
func (s *service) repeat(tx *store.Tx, r *wire.Request, actions []*action, first *token, used usages) error {
	for i, a := range actions {
		t, err := s.table(tx, r, a.table)
		if err != nil {
			return err
		}
		u := used.of(t)
		u.reads, u.table = 1, u.table+readUnitsFor(first.Sizes[i], true)*transactFactor
	}
	return nil
}

// requestHash tells requests with the same token apart.
func requestHash(actions any) (string, error) {
	b, err := json.Marshal(actions)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// doneBefore returns the token of a request that was carried out before, nil if it was not.
func doneBefore(tx *store.Tx, r *wire.Request, given *string, request string, now time.Time) (*token, error) {
	if given == nil {
		return nil, nil
	}
	old, ok := tokens.Get(tx, r.Account, r.Region, *given)
	if !ok || now.Sub(old.At) >= tokenLife {
		return nil, nil
	}
	if old.Request != request {
		return nil, errIdempotentParameterMismatchException(msgTokenReused)
	}
	return &old, nil
}

// remember keeps a token and forgets up to two that are too old.
func remember(tx *store.Tx, r *wire.Request, given *string, t token) {
	if given == nil {
		return
	}
	var old []agedToken
	for a := range tokenAge.All(tx) {
		if len(old) == 2 || t.At.Sub(a.At) < tokenLife {
			break
		}
		old = append(old, a)
	}
	for _, a := range old {
		tokenAge.Delete(tx, a.At, a.Account, a.Region, a.Token)
		if kept, _ := tokens.Get(tx, a.Account, a.Region, a.Token); kept.At.Equal(a.At) { // and not used anew
			tokens.Delete(tx, a.Account, a.Region, a.Token)
		}
	}
	tokens.Put(tx, t, r.Account, r.Region, *given)
	tokenAge.Put(tx, agedToken{t.At, r.Account, r.Region, *given}, t.At, r.Account, r.Region, *given)
}

// newTransactWrite makes an action of an entry of TransactItems.
func newTransactWrite(in TransactWriteItem) (*action, error) {
	given := 0
	for _, is := range [...]bool{in.ConditionCheck != nil, in.Put != nil, in.Update != nil, in.Delete != nil} {
		if is {
			given++
		}
	}
	if given != 1 {
		return nil, errValidation(msgOneOf)
	}
	var a action
	var t texts
	var err error
	var show *string
	switch {
	case in.Put != nil:
		p := in.Put
		a, show = action{table: *p.TableName, kind: put}, p.ReturnValuesOnConditionCheckFailure
		t = texts{condition: p.ConditionExpression, names: p.ExpressionAttributeNames, values: p.ExpressionAttributeValues}
		if a.item, err = givenRecord(p.Item); err == nil {
			err = checkItemSize(a.item.size())
		}
	case in.Update != nil:
		p := in.Update
		a, show = action{table: *p.TableName, kind: update}, p.ReturnValuesOnConditionCheckFailure
		t = texts{update: p.UpdateExpression, condition: p.ConditionExpression, names: p.ExpressionAttributeNames, values: p.ExpressionAttributeValues}
		a.key, err = givenRecord(p.Key)
	case in.Delete != nil:
		p := in.Delete
		a, show = action{table: *p.TableName, kind: remove}, p.ReturnValuesOnConditionCheckFailure
		t = texts{condition: p.ConditionExpression, names: p.ExpressionAttributeNames, values: p.ExpressionAttributeValues}
		a.key, err = givenRecord(p.Key)
	default:
		p := in.ConditionCheck
		a, show = action{table: *p.TableName, kind: check}, p.ReturnValuesOnConditionCheckFailure
		t = texts{condition: p.ConditionExpression, names: p.ExpressionAttributeNames, values: p.ExpressionAttributeValues}
		a.key, err = givenRecord(p.Key)
	}
	if err != nil {
		return nil, err
	}
	t.lax = true
	e, err := t.parse()
	a.condition, a.update = e.condition, e.update
	a.showOld = is(show, ReturnValuesOnConditionCheckFailureAllOld)
	return &a, err
}

// prepareAll works out the changes of a transaction, or its reasons for not doing it. Keys that do not fit their tables are
// found before actions on the same item, and those before conditions: https://github.com/floci-io/floci/pull/3674
func (s *service) prepareAll(tx *store.Tx, r *wire.Request, actions []*action) ([]*change, error) {
	targets, reasons := make([]*table, len(actions)), make([]error, len(actions))
	for i, a := range actions {
		t, err := s.table(tx, r, a.table)
		if err != nil {
			return nil, err
		}
		if t.strong() {
			return nil, errValidation(msgStrongWithout, "TransactWriteItems")
		}
		targets[i], reasons[i] = t, a.check(t)
	}
	if err := cancelled(reasons); err != nil {
		return nil, err
	}
	changes, seen, size := make([]*change, len(actions)), map[string]bool{}, 0
	for i, a := range actions {
		t := targets[i]
		key, _ := t.find(tx, a.at())
		if seen[t.ID+string(key)] {
			return nil, errValidation(msgManyOnOne)
		}
		seen[t.ID+string(key)] = true
		if changes[i], reasons[i] = a.prepare(tx, t); reasons[i] == nil {
			size += changes[i].new.size()
		}
	}
	if size > maxTransactSize {
		return nil, errValidation(msgTransactSize)
	}
	return changes, cancelled(reasons)
}

// transactGet is one entry of TransactGetItems.
type transactGet struct {
	table string
	key   record
	expressions
}

// TransactGetItems reads up to 100 items as they are at one instant.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactGetItems.html
func (s *service) TransactGetItems(ctx context.Context, in *TransactGetItemsInput) (out *TransactGetItemsOutput, err error) {
	gets := make([]transactGet, len(in.TransactItems))
	for i, one := range in.TransactItems {
		g := &gets[i]
		g.table = *one.Get.TableName
		if g.key, err = givenRecord(one.Get.Key); err != nil {
			return nil, err
		}
		g.expressions, err = texts{projection: one.Get.ProjectionExpression, names: one.Get.ExpressionAttributeNames, lax: true}.parse()
		if err != nil {
			return nil, err
		}
	}
	r := wire.From(ctx)
	err = s.Store.View(func(tx *store.Tx) error {
		used, reasons, seen := usages{}, make([]error, len(gets)), map[string]bool{}
		out = &TransactGetItemsOutput{Responses: make([]ItemResponse, len(gets))}
		for i, g := range gets {
			t, err := s.table(tx, r, g.table)
			if err != nil {
				return err
			}
			if t.strong() {
				return errValidation(msgStrongWithout, "TransactGetItems")
			}
			if reasons[i] = t.Key.checkKey(g.key); reasons[i] != nil {
				continue
			}
			key, stored := t.find(tx, g.key)
			if seen[t.ID+string(key)] {
				return errValidation(msgManyOnOne)
			}
			seen[t.ID+string(key)] = true
			// What a projection leaves nothing of is left out: https://github.com/nubo-db/dynoxide/issues/39
			if found := project(r, stored, g.projection); record(found).encoded().Len() > 0 {
				out.Responses[i].Item = found
			}
			u := used.of(t)
			u.reads = 1
			u.table += readUnitsFor(stored.size(), true) * transactFactor
		}
		out.ConsumedCapacity = used.report(in.ReturnConsumedCapacity)
		return cancelled(reasons)
	})
	return out, err
}
