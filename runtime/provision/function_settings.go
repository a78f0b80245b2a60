package provision

import (
	"context"
	"fmt"
	"maps"
	"reflect"

	"devstack/runtime/config"
)

// applySettings brings what Lambda keeps of a function beside its code to what is declared. Provisioned concurrency is not among it:
// Lambda has it of published versions alone, so that of a function of the stack is the runtime's.
func (p *Provisioner) applySettings(ctx context.Context, f *config.Function) error {
	for _, apply := range []func(context.Context, *config.Function) error{p.applyConcurrency, p.applyAsync, p.applyURL, p.applyFunctionTags} {
		if err := apply(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// find is call for what may not be there. What is not emulated is not there either.
func (p *Provisioner) find(ctx context.Context, operation string, in object, out any) (there bool, err error) {
	err = p.call(ctx, "lambda", operation, in, out)
	if is(err, "ResourceNotFoundException", "UnknownOperationException", "NotImplemented") {
		return false, nil
	}
	return err == nil, err
}

// applyConcurrency reserves concurrent executions, or gives them up.
func (p *Provisioner) applyConcurrency(ctx context.Context, f *config.Function) error {
	var have struct{ ReservedConcurrentExecutions *int }
	if _, err := p.find(ctx, "GetFunctionConcurrency", object{"FunctionName": f.Name}, &have); err != nil {
		return err
	}
	switch was := have.ReservedConcurrentExecutions; {
	case f.Concurrency == nil && was == nil, f.Concurrency != nil && was != nil && *was == *f.Concurrency:
		return nil
	case f.Concurrency == nil:
		return p.call(ctx, "lambda", "DeleteFunctionConcurrency", object{"FunctionName": f.Name}, nil)
	}
	return p.call(ctx, "lambda", "PutFunctionConcurrency", object{"FunctionName": f.Name, "ReservedConcurrentExecutions": *f.Concurrency}, nil)
}

// eventInvokeConfig is the configuration of asynchronous calls as Lambda has it.
type eventInvokeConfig struct {
	MaximumRetryAttempts     *int
	MaximumEventAgeInSeconds *int
	DestinationConfig        struct{ OnSuccess, OnFailure struct{ Destination string } }
}

func (p *Provisioner) applyAsync(ctx context.Context, f *config.Function) error {
	var have eventInvokeConfig
	there, err := p.find(ctx, "GetFunctionEventInvokeConfig", object{"FunctionName": f.Name}, &have)
	switch {
	case err != nil:
		return err
	case f.Async == nil && !there:
		return nil
	case f.Async == nil:
		return p.call(ctx, "lambda", "DeleteFunctionEventInvokeConfig", object{"FunctionName": f.Name}, nil)
	}
	want := eventInvokeConfig{MaximumRetryAttempts: f.Async.MaxRetries, MaximumEventAgeInSeconds: f.Async.MaxAge}
	want.DestinationConfig.OnSuccess.Destination, want.DestinationConfig.OnFailure.Destination = f.Async.OnSuccess, f.Async.OnFailure
	if there && reflect.DeepEqual(have, want) {
		return nil
	}
	in, destinations := object{"FunctionName": f.Name}, object{} // what is not given has its default again
	if f.Async.MaxRetries != nil {
		in["MaximumRetryAttempts"] = *f.Async.MaxRetries
	}
	if f.Async.MaxAge != nil {
		in["MaximumEventAgeInSeconds"] = *f.Async.MaxAge
	}
	for name, arn := range map[string]string{"OnSuccess": f.Async.OnSuccess, "OnFailure": f.Async.OnFailure} {
		if arn != "" {
			destinations[name] = object{"Destination": arn}
		}
	}
	if len(destinations) > 0 {
		in["DestinationConfig"] = destinations
	}
	return p.call(ctx, "lambda", "PutFunctionEventInvokeConfig", in, nil)
}

// urlConfig is the configuration of a function's URL as Lambda has it.
type urlConfig struct {
	FunctionUrl, AuthType, InvokeMode string
	Cors                              *urlCORS
}

type urlCORS struct {
	AllowCredentials                                        bool
	AllowHeaders, AllowMethods, AllowOrigins, ExposeHeaders []string
	MaxAge                                                  int
}

func (p *Provisioner) applyURL(ctx context.Context, f *config.Function) error {
	var have urlConfig
	name := object{"FunctionName": f.Name}
	there, err := p.find(ctx, "GetFunctionUrlConfig", name, &have)
	switch {
	case err != nil:
		return err
	case f.URL == nil && !there:
		return nil
	case f.URL == nil:
		return p.call(ctx, "lambda", "DeleteFunctionUrlConfig", name, nil)
	}
	want := urlConfig{FunctionUrl: f.URL.URL, AuthType: f.URL.Auth, InvokeMode: "BUFFERED", Cors: &urlCORS{}}
	if f.URL.Stream {
		want.InvokeMode = "RESPONSE_STREAM"
	}
	if c := f.URL.CORS; c != nil {
		want.Cors = &urlCORS{c.AllowCredentials, c.AllowHeaders, c.AllowMethods, c.AllowOrigins, c.ExposeHeaders, c.MaxAge}
	}
	if have.Cors == nil {
		have.Cors = &urlCORS{}
	}
	if there && have.AuthType == want.AuthType && have.InvokeMode == want.InvokeMode && reflect.DeepEqual(have.Cors, want.Cors) {
		return sameURL(have, want)
	}
	in := object{"FunctionName": f.Name, "AuthType": want.AuthType, "InvokeMode": want.InvokeMode}
	if f.URL.CORS != nil || there {
		in["Cors"] = want.Cors.input() // an empty one removes what there was
	}
	operation := "CreateFunctionUrlConfig"
	if there {
		operation = "UpdateFunctionUrlConfig"
	}
	if err := p.call(ctx, "lambda", operation, in, &have); err != nil {
		return err
	}
	return sameURL(have, want)
}

// sameURL makes sure that the address is the one which the rest of the stack has been told.
func sameURL(have, want urlConfig) error {
	if have.FunctionUrl != want.FunctionUrl {
		return fmt.Errorf("the function's URL is %s, and %s is what the stack's other blocks are told", have.FunctionUrl, want.FunctionUrl)
	}
	return nil
}

func (c *urlCORS) input() object {
	in := object{}
	for name, list := range map[string][]string{"AllowHeaders": c.AllowHeaders, "AllowMethods": c.AllowMethods, "AllowOrigins": c.AllowOrigins, "ExposeHeaders": c.ExposeHeaders} {
		if len(list) > 0 {
			in[name] = list
		}
	}
	if c.AllowCredentials {
		in["AllowCredentials"] = true
	}
	if c.MaxAge > 0 {
		in["MaxAge"] = c.MaxAge
	}
	return in
}

func (p *Provisioner) applyFunctionTags(ctx context.Context, f *config.Function) error {
	var have struct{ Tags map[string]string }
	if _, err := p.find(ctx, "ListTags", object{"Resource": f.ARN}, &have); err != nil {
		return err
	}
	set, remove := tagChanges(have.Tags, f.Tags)
	if len(remove) > 0 {
		if err := p.call(ctx, "lambda", "UntagResource", object{"Resource": f.ARN, "TagKeys": remove}, nil); err != nil {
			return err
		}
	}
	if len(set) == 0 {
		return nil
	}
	return p.call(ctx, "lambda", "TagResource", object{"Resource": f.ARN, "Tags": maps.Clone(set)}, nil)
}
