// Package emulators joins the emulated services of AWS to one Cloud: the list of what there is, the way from one service to
// another, and the address at which clients find them all.
package emulators

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"devstack/emulators/apigateway"
	"devstack/emulators/dynamodb"
	"devstack/emulators/elasticache"
	"devstack/emulators/iam"
	"devstack/emulators/kit"
	"devstack/emulators/lambda"
	"devstack/emulators/logs"
	"devstack/emulators/stepfunctions"
	"devstack/emulators/store"
	"devstack/emulators/sts"
	"devstack/emulators/wire"
	"devstack/internal/clock"
	"devstack/internal/trace"
)

// Config is what a Cloud is made of.
type Config struct {
	Dir       string // of the services' files, one each; "" with Ephemeral
	Ephemeral bool   // nothing outlives the process
	Sync      bool   // each commit is on the disk before it is acknowledged
	Account   string // where requests land that name none; wire.DefaultAccount if empty
	Region    string // the same; wire.DefaultRegion if empty
	Clock     clock.Clock
	Log       *slog.Logger
	Traces    *trace.Ring
	Version   string            // of devstack, for who asks
	Port      int               // that clients find ServeHTTP at, for addresses that are told; 0: nobody has said
	Functions lambda.Functions  // that Lambda invokes; nil: there are none
	Transport http.RoundTripper // of API Gateway's HTTP integrations; nil: http.DefaultTransport

	// Debugging says that somebody may be looking at a function that has stopped: no integration of API Gateway's runs out of time.
	Debugging bool

	// TableDelay is how long a DynamoDB table stays CREATING, UPDATING or DELETING.
	TableDelay time.Duration

	// StreamLabel names a new table's stream ahead of its creation; nil: by the instant of it.
	StreamLabel func(account, region, table string, created time.Time) string
}

// Cloud is all emulated services. It is the Caller of everyone who wants something of AWS in process.
type Cloud struct {
	config      Config
	server      *wire.Server
	models      map[string]*wire.Model // by our name of the service
	stores      []*store.Store
	stop        context.CancelFunc
	elasticache *elasticache.Service
	lambda      *lambda.Service
	gateway     *apigateway.Service
	machines    *stepfunctions.Service
}

// Open makes a Cloud over the files in Config.Dir. No file is opened before its service is called; Resume does what must go on
// by itself.
func Open(c Config) *Cloud {
	if c.Functions == nil {
		c.Functions = noFunctions{}
	}
	if c.Transport == nil {
		c.Transport = http.DefaultTransport
	}
	cloud := &Cloud{config: c, models: map[string]*wire.Model{}}
	ctx, stop := context.WithCancel(context.Background())
	if c.Traces != nil {
		ctx = c.Traces.Context(ctx)
	}
	cloud.stop = stop
	services := cloud.services(ctx)
	for _, s := range services {
		cloud.models[s.Model.Service] = s.Model
	}
	cloud.server = wire.NewServer(wire.Config{
		Services: services, Account: c.Account, Region: c.Region, Now: c.Clock.Now, NewID: kit.QuickIDs().UUID, Log: c.Log, Trace: traceCall,
	})
	return cloud
}

// services is the explicit list.
func (c *Cloud) services(ctx context.Context) []*wire.Service {
	var gateway, functions, caches, machines *wire.Service
	gateway, c.gateway = apigateway.New(c.env("apigateway"), c.config.Transport)
	c.gateway.Patient = c.config.Debugging
	functions, c.lambda = lambda.New(ctx, c.env("lambda"), c.code())
	c.lambda.ListensOn(c.config.Port)
	caches, c.elasticache = elasticache.New(c.env("elasticache"))
	machines, c.machines = stepfunctions.New(c.env("stepfunctions"))
	tables, streams := dynamodb.New(c.env("dynamodb"), dynamodb.Options{Transition: c.config.TableDelay, StreamLabel: c.config.StreamLabel, OnStreamWrite: c.lambda.Wake})
	return []*wire.Service{
		gateway, functions, caches, machines, tables, streams, iam.New(c.env("iam")), logs.New(c.env("logs")), sts.New(c.env("sts")),
	}
}

// code says who runs Lambda's functions, and where their code is kept: beside the services' files.
func (c *Cloud) code() lambda.Options {
	o := lambda.Options{Functions: c.config.Functions, Sync: c.config.Sync}
	if !c.config.Ephemeral {
		o.Dir = filepath.Join(c.config.Dir, "lambda")
	}
	return o
}

// env is what a service lives in.
func (c *Cloud) env(service string) kit.Env {
	st := store.New(filepath.Join(c.config.Dir, service+".db"), store.Options{SyncEveryCommit: c.config.Sync, Ephemeral: c.config.Ephemeral})
	c.stores = append(c.stores, st)
	return kit.Env{Store: st, Clock: c.config.Clock, AWS: c, Log: c.config.Log.With("service", service), IDs: kit.RandomIDs()}
}

// Resume takes up what an earlier process left unfinished: caches that listen, executions, events and streams under way.
func (c *Cloud) Resume(ctx context.Context) error {
	var errs []error
	for _, s := range []struct {
		name   string
		resume func() error
	}{
		{"elasticache", func() error { return c.elasticache.Resume(ctx) }},
		{"lambda", c.lambda.Resume},
		{"stepfunctions", func() error { return c.machines.Resume(ctx) }},
	} {
		if c.config.Ephemeral {
			break
		}
		// A service that never stored anything has nothing to resume, and its file is not made for the asking.
		if _, err := os.Stat(filepath.Join(c.config.Dir, s.name+".db")); err != nil {
			continue
		}
		if err := s.resume(); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Call runs an operation of a service. See kit.Caller.
func (c *Cloud) Call(ctx context.Context, service, operation string, in, out any) error {
	return c.server.Call(ctx, service, operation, in, out)
}

// Model returns what AWS publishes of a service, nil if it is not emulated.
func (c *Cloud) Model(service string) *wire.Model { return c.models[service] }

// Stats says what was called, and what was asked for that is not there.
func (c *Cloud) Stats() wire.Stats { return c.server.Stats() }

// API returns the data plane of an HTTP API in the Cloud's own account and region.
func (c *Cloud) API(id string) http.Handler {
	return c.gateway.Handler(orElse(c.config.Account, wire.DefaultAccount), orElse(c.config.Region, wire.DefaultRegion), id)
}

// AllowsOrigin reports whether what answers at a host name lets pages of an origin call it: function URLs name such pages.
func (c *Cloud) AllowsOrigin(host, origin string) bool { return c.lambda.AllowsOrigin(host, origin) }

// Close ends what runs and closes the files.
func (c *Cloud) Close() error {
	c.stop()
	c.lambda.Close()
	c.machines.Close()
	c.elasticache.Close()
	var errs []error
	for _, s := range c.stores {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// traceCall makes a span of a call.
func traceCall(ctx context.Context, r *wire.Request) (context.Context, wire.Span) {
	ctx, span := trace.Start(ctx, "aws", r.Service+"."+r.Operation)
	if !span.Recording() {
		return ctx, nil
	}
	return ctx, span
}

// noFunctions is a Cloud without an application.
type noFunctions struct{}

func (noFunctions) List(string, string) []lambda.Function { return nil }
func (noFunctions) Get(string, string, string) (lambda.Function, bool) {
	return lambda.Function{}, false
}
func (noFunctions) Freeze(context.Context, string, string, string, string) (lambda.Frozen, error) {
	return lambda.Frozen{}, errNoRuntime
}
func (noFunctions) Withdraw(string)                                 {}
func (noFunctions) Deploy(context.Context, lambda.Deployment) error { return errNoRuntime }
func (noFunctions) Invoke(context.Context, string, lambda.Event) (*lambda.Outcome, error) {
	return nil, errNoRuntime
}

var errNoRuntime = errors.New("there is nothing here that runs functions")

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
