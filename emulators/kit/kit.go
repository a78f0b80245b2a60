// Package kit is everything an emulator is given: its store, the clock, the way to other services, a log.
package kit

import (
	"context"
	"log/slog"

	"devstack/emulators/store"
	"devstack/internal/clock"
)

// Env is what a service lives in. Every emulator embeds it.
type Env struct {
	Store *store.Store // the service's own file
	Clock clock.Clock  // the only source of time
	AWS   Caller       // the only way to another service
	Log   *slog.Logger // for what concerns the operator, not the caller
	IDs   IDs          // the source of every random identifier
}

// Caller runs any operation of any emulated service in process, through the same checks as over HTTP.
//
// service is the name of the service's package ("dynamodb", "sqs", "stepfunctions"), operation AWS's name of the
// operation. in is a pointer to the operation's own input type, or anything that marshals to the JSON of it: a map, a
// json.RawMessage, another struct (members by AWS's names, blobs in base64, timestamps in seconds). out is a pointer to
// the output type, to a json.RawMessage, or to anything that JSON decodes into; nil drops the answer. An error of the
// service is a *wire.Error. Account and region are the caller's, from ctx.
type Caller interface {
	Call(ctx context.Context, service, operation string, in, out any) error
}
