// Package dynamodb emulates DynamoDB and DynamoDB Streams.
//
// An item is kept as the bytes of package item, under a key whose order is DynamoDB's: a hash of the partition key, which
// spreads a Scan's segments, then the partition key and the sort key. It travels in that form too: Attributes, in requests and
// answers, are its bytes (value.go, record.go).
//
// A write, whatever asks for it, is an action (action.go): it is held against the table's schema and its condition, and comes to
// a change (change.go), with which index entries, expiries, counts, stream records, the journal of point-in-time recovery and
// the table's replicas change in one transaction. A read walks a cursor and is a page (page.go).
//
// What asks for them: item.go, batch.go, transact.go and query.go by expressions (package expr) or by the parameters of the time
// before (legacy.go, package legacy), statement*.go by PartiQL (package partiql). All come to the same conditions and updates
// of package expr.
//
// The tables themselves are in table.go, tables.go, schema.go, update*.go and transition.go; streams in stream.go, shard.go and
// getrecords.go; copies in backup.go, restore*.go and recovery.go; replicas in other regions in replicas.go and global.go.
package dynamodb

import (
	"context"
	"time"

	"devstack/emulators/kit"
	"devstack/emulators/store"
	"devstack/emulators/wire"
)

//go:generate go run ../wire/apigen -service dynamodb -operations operations.txt
//go:generate go run ../wire/apigen -service dynamodb -model dynamodb-streams -prefix Streams -operations streams_operations.txt -out streams_gen.go -shared AttributeValue,KeySchemaElement

var (
	tables  = store.NewTable[table]("tables")   // by account, region, table name
	streams = store.NewTable[stream]("streams") // by account, region, table name, label
	tokens  = store.NewTable[token]("tokens")   // of TransactWriteItems: by account, region, token
)

// Options are what a stack may decide about the emulator.
type Options struct {
	// StreamLabel names a new stream. Without it the label is the instant of its creation, as on AWS.
	StreamLabel func(account, region, table string, created time.Time) string

	// Transition is how long a table or an index is CREATING, UPDATING or DELETING. With 0 it is only so in the answer to
	// the operation, and the next one finds it done.
	Transition time.Duration

	// OnStreamWrite is called after each commit that has added records to a stream, from the writer's goroutine: it must
	// not wait. Pollers that listen need not poll. ctx is the writer's, for the trace that it is in.
	OnStreamWrite func(ctx context.Context, streamARN string)

	first, step stepSize // of work that goes over whole tables: in the call, and later; zero: firstStep and nextStep
}

// service implements the generated api interface; a missing operation does not compile.
type service struct {
	kit.Env
	opts   Options
	cache  tableCache
	expiry sweeper
	copies copier
}

// streamService implements the generated streamsAPI over the same state.
type streamService struct{ *service }

// New returns the DynamoDB and the DynamoDB Streams emulator, which share env's store.
func New(env kit.Env, opts Options) (db, streams *wire.Service) {
	if opts.StreamLabel == nil {
		opts.StreamLabel = func(_, _, _ string, created time.Time) string { return created.Format(labelFormat) }
	}
	if opts.OnStreamWrite == nil {
		opts.OnStreamWrite = func(context.Context, string) {}
	}
	if opts.step == (stepSize{}) {
		opts.first, opts.step = firstStep, nextStep
	}
	s := &service{Env: env, opts: opts}
	s.expiry.start(s)
	s.copies.start(s)
	return register(s), streamsRegister(&streamService{s})
}

// notImplemented is the answer to a parameter that we do not act on.
func notImplemented(operation, parameter string) *wire.Error {
	return wire.Errorf("NotImplemented", 501, "devstack does not implement the parameter %s of %s", parameter, operation)
}

// errValidation makes the error ValidationException, which the model leaves out: every operation may answer it.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html
func errValidation(format string, args ...any) *wire.Error {
	return wire.Errorf("ValidationException", 400, format, args...)
}
