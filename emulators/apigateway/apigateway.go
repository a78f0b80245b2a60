// Package apigateway emulates API Gateway's HTTP APIs: the control plane that declares them, and the data plane that answers
// their callers.
//
// The data plane is a Handler per API; whoever joins the emulators decides on which port or host name it is reached.
package apigateway

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"devstack/emulators/kit"
	"devstack/emulators/store"
	"devstack/emulators/wire"
)

//go:generate go run ../wire/apigen -service apigateway -model apigatewayv2 -operations operations.txt

// What is stored is what the API shows, under account, region, API id and its own id.
var (
	apis         = store.NewTable[Api]("apis")
	integrations = store.NewTable[Integration]("integrations")
	routes       = store.NewTable[Route]("routes")
	stages       = store.NewTable[Stage]("stages")
)

// alphabet is of the ids that API Gateway makes.
const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"

// Messages in the service's words. API Gateway's v2 answers are not among the recordings; these are as seen in public reports of
// them (for example https://github.com/hashicorp/terraform-provider-aws/issues, "Invalid API identifier specified").
const (
	msgNoAPI         = "Invalid API identifier specified %s:%s"
	msgNoRoute       = "Invalid Route identifier specified %s"
	msgNoIntegration = "Invalid Integration identifier specified %s"
	msgNoStage       = "Invalid stage identifier specified"
	msgStageExists   = "Stage already exists"
	msgRouteExists   = "Route with key %s already exists for this API"
	msgBadResource   = "Invalid resource identifier specified"
)

// Service is the emulator with its data plane.
type Service struct {
	kit.Env
	transport http.RoundTripper // to what HTTP integrations call

	// Patient has no integration run out of time: somebody is looking at a function that has stopped. It is set before the first request.
	Patient bool

	mu       sync.Mutex
	compiled map[scope]*dataPlane // of APIs that were called since they last changed
}

// scope names an API.
type scope struct{ account, region, api string }

// New returns the API Gateway emulator, and itself for Handler. transport carries HTTP integrations.
func New(env kit.Env, transport http.RoundTripper) (*wire.Service, *Service) {
	s := &Service{Env: env, transport: transport, compiled: map[scope]*dataPlane{}}
	return register(s), s
}

// now is the present as the control plane's dates show it, in whole seconds.
//
// https://docs.aws.amazon.com/cli/latest/reference/apigatewayv2/create-api.html (output of the examples)
func (s *Service) now() time.Time { return s.Clock.Now().Truncate(time.Second) }

// scoped is the key of what belongs to a request's API.
func scoped(ctx context.Context, api string) scope {
	req := wire.From(ctx)
	return scope{req.Account, req.Region, api}
}

// update runs f in a transaction with the request's API, which must exist, and makes the data plane read it anew.
func (s *Service) update(ctx context.Context, api *string, f func(tx *store.Tx, k scope, a *Api) error) error {
	k := scoped(ctx, *api)
	err := s.Store.Update(func(tx *store.Tx) error {
		a, err := existing(tx, k)
		if err != nil {
			return err
		}
		return f(tx, k, a)
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.compiled, k)
	return err
}

// view runs f in a read transaction with the request's API, which must exist.
func (s *Service) view(ctx context.Context, api *string, f func(tx *store.Tx, k scope, a *Api) error) error {
	k := scoped(ctx, *api)
	return s.Store.View(func(tx *store.Tx) error {
		a, err := existing(tx, k)
		if err != nil {
			return err
		}
		return f(tx, k, a)
	})
}

func existing(tx *store.Tx, k scope) (*Api, error) {
	a, ok := apis.Get(tx, k.account, k.region, k.api)
	if !ok {
		return nil, errNotFoundException(msgNoAPI, k.account, k.api)
	}
	return &a, nil
}

// find returns what a table holds of an API under an id.
func find[T any](tx *store.Tx, table store.Table[T], k scope, id *string, missing *wire.Error) (*T, error) {
	v, ok := table.Get(tx, k.account, k.region, k.api, *id)
	if !ok {
		return nil, missing
	}
	return &v, nil
}

// page lists what a table holds of an API, maxResults at a time. id returns an element's own id.
func page[T any](tx *store.Tx, table store.Table[T], k scope, maxResults, token *string, id func(*T) *string) (items []T, next *string, err error) {
	limit := 500 // https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html does not say; a guess
	if maxResults != nil {
		if limit, err = strconv.Atoi(*maxResults); err != nil || limit < 1 {
			return nil, nil, errBadRequestException("Invalid maxResults parameter") // a guess
		}
	}
	prefix := []any{k.account, k.region}
	if k.api != "" {
		prefix = append(prefix, k.api)
	}
	rest := table.All(tx, prefix...)
	if token != nil {
		rest = table.After(tx, []any{*token}, prefix...)
	}
	items = []T{}
	for v := range rest {
		if len(items) == limit {
			return items, id(&items[limit-1]), nil
		}
		items = append(items, v)
	}
	return items, nil, nil
}

// set assigns what an update gives.
func set[T any](to **T, given *T) {
	if given != nil {
		*to = given
	}
}

// unsupported names the first parameter that would have been stored and not acted on.
func unsupported(operation string, given []parameter) error {
	for _, p := range given {
		if p.given {
			return wire.NotImplemented("apigateway.%s: %s is not emulated", operation, p.name)
		}
	}
	return nil
}

type parameter struct {
	name  string
	given bool
}
