package lambda

import (
	"context"
	"time"

	"devstack/emulators/deliver"
	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// eventConfigs are the configurations of asynchronous invocation, by account, region, function and qualifier ("$LATEST" for none).
var eventConfigs = store.NewTable[eventSettings]("eventconfigs")

// eventSettings is one of them. The zero value is what goes without.
type eventSettings struct {
	Qualifier            string
	Retries, MaxAge      *int32 // MaxAge in seconds
	OnSuccess, OnFailure string // ARNs, "" for none
	LastModified         time.Time
}

// Messages in the service's words, all of them recorded answers.
const (
	msgNoEventConfig  = "The function %s doesn't have an EventInvokeConfig"
	msgNoFunction     = "The function doesn't exist."
	msgNothingToSet   = "You must specify at least one of error handling or destination setting."
	msgOwnDestination = "You can't specify the function as a destination for itself."
	msgNoDestination  = "The destination ARN %s is invalid."
	msgBadDestination = "The provided destination config DestinationConfig(onSuccess=%s, onFailure=%s) is invalid."
)

func (c *eventSettings) retries() int {
	if c.Retries == nil {
		return maxRetries
	}
	return int(*c.Retries)
}

func (c *eventSettings) age() time.Duration {
	if c.MaxAge == nil {
		return maxEventAge
	}
	return time.Duration(*c.MaxAge) * time.Second
}

// destination is who is told of an event that is over, "" for nobody.
func (c *eventSettings) destination(condition string) string {
	if condition == succeeded {
		return c.OnSuccess
	}
	return c.OnFailure
}

// eventSettings returns the configuration that asynchronous calls of a target go by. Each version and alias has its own.
func (s *Service) eventSettings(t target) *eventSettings {
	var c eventSettings
	if err := s.Store.View(func(tx *store.Tx) error { c, _ = eventConfigs.Get(tx, eventConfigKey(t)...); return nil }); err != nil {
		s.Log.Error("a function's asynchronous configuration cannot be read", "function", t.Name, "error", err)
	}
	return &c
}

func eventConfigKey(t target) []any {
	if t.Qualifier == "" {
		t.Qualifier = latest
	}
	return t.key(t.Qualifier)
}

// eventTarget returns what a request about a configuration means, and whether it exists.
func (s *Service) eventTarget(ctx context.Context, ref string, qualifier *string) (target, error) {
	t, err := parse(ctx, ref, qualifier)
	if err != nil {
		return t, err
	}
	if s.exists(t) != nil {
		return t, byUser(errResourceNotFoundException(msgNoFunction))
	}
	return t, nil
}

// PutFunctionEventInvokeConfig says how often (0 to 2 times, 2 without) and for how long (60 to 21600 seconds, 21600 without) an
// asynchronous event is tried again, and who is told when it is over. What is not given is reset.
//
// A destination is a function, a queue, a topic, an event bus or, on failure, a bucket; of services that are not emulated NotImplemented.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html
func (s *Service) PutFunctionEventInvokeConfig(ctx context.Context, in *PutFunctionEventInvokeConfigInput) (*PutFunctionEventInvokeConfigOutput, error) {
	t, err := s.eventTarget(ctx, *in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	c := &eventSettings{Retries: in.MaximumRetryAttempts, MaxAge: in.MaximumEventAgeInSeconds}
	if err := s.setEventConfig(ctx, t, c, in.MaximumRetryAttempts, in.MaximumEventAgeInSeconds, in.DestinationConfig); err != nil {
		return nil, err
	}
	if err := s.keepEventConfig(t, c); err != nil {
		return nil, err
	}
	out := PutFunctionEventInvokeConfigOutput(*c.describe(t))
	return &out, nil
}

// setEventConfig checks what is given and sets it.
func (s *Service) setEventConfig(ctx context.Context, t target, c *eventSettings, retries, age *int32, to *DestinationConfig) error {
	if retries == nil && age == nil && to == nil {
		return byUser(errInvalidParameterValueException(msgNothingToSet))
	}
	if retries != nil {
		c.Retries = retries
	}
	if age != nil {
		c.MaxAge = age
	}
	if to == nil {
		return nil
	}
	for _, d := range []struct {
		arn *string
		to  *string
	}{{successOf(to), &c.OnSuccess}, {failureOf(to), &c.OnFailure}} {
		if d.arn == nil {
			continue
		}
		if *d.arn != "" {
			if err := s.checkDestination(ctx, t, *d.arn, to, d.to == &c.OnFailure); err != nil {
				return err
			}
		}
		*d.to = *d.arn
	}
	return nil
}

func successOf(d *DestinationConfig) *string {
	if d == nil || d.OnSuccess == nil {
		return nil
	}
	return d.OnSuccess.Destination
}

func failureOf(d *DestinationConfig) *string {
	if d == nil || d.OnFailure == nil {
		return nil
	}
	return d.OnFailure.Destination
}

// checkDestination refuses what could not be told of an event.
func (s *Service) checkDestination(ctx context.Context, t target, arn string, given *DestinationConfig, failure bool) error {
	service := deliver.Service(arn)
	if service == "" || service == "states" || service == "s3" && !failure {
		return byUser(errInvalidParameterValueException(msgBadDestination, show("OnSuccess", successOf(given)), show("OnFailure", failureOf(given))))
	}
	if service == "lambda" {
		to, err := parse(ctx, arn, nil)
		if err == nil && to.function() == t.function() {
			return byUser(errInvalidParameterValueException(msgOwnDestination))
		}
		if err != nil || s.exists(to) != nil {
			return byUser(errInvalidParameterValueException(msgNoDestination, arn))
		}
		return nil
	}
	return s.probe(ctx, arn)
}

// probe refuses a target that is not there, and one of a service that is not emulated by its name.
func (s *Service) probe(ctx context.Context, arn string) error {
	err := deliver.Probe(ctx, s.AWS, arn)
	switch {
	case deliver.Unavailable(err):
		return wire.NotImplemented("lambda: %s cannot be a destination: devstack does not emulate the service %s", arn, deliver.Service(arn))
	case err != nil:
		return byUser(errInvalidParameterValueException(msgNoDestination, arn))
	}
	return nil
}

// show is a destination as Java's toString writes it.
func show(name string, arn *string) string {
	if arn == nil {
		return "null"
	}
	return name + "(destination=" + *arn + ")"
}

func (s *Service) keepEventConfig(t target, c *eventSettings) error {
	c.LastModified = s.Clock.Now()
	if c.Qualifier = t.Qualifier; c.Qualifier == "" {
		c.Qualifier = latest
	}
	return s.Store.Update(func(tx *store.Tx) error { eventConfigs.Put(tx, *c, eventConfigKey(t)...); return nil })
}

// UpdateFunctionEventInvokeConfig changes what is given of a configuration and leaves the rest.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionEventInvokeConfig.html
func (s *Service) UpdateFunctionEventInvokeConfig(ctx context.Context, in *UpdateFunctionEventInvokeConfigInput) (*UpdateFunctionEventInvokeConfigOutput, error) {
	t, err := s.eventTarget(ctx, *in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	c, err := s.eventConfig(t)
	if err != nil {
		return nil, err
	}
	if err := s.setEventConfig(ctx, t, c, in.MaximumRetryAttempts, in.MaximumEventAgeInSeconds, in.DestinationConfig); err != nil {
		return nil, err
	}
	if err := s.keepEventConfig(t, c); err != nil {
		return nil, err
	}
	out := UpdateFunctionEventInvokeConfigOutput(*c.describe(t))
	return &out, nil
}

// eventConfig returns a configuration, or the error that there is none.
func (s *Service) eventConfig(t target) (*eventSettings, error) {
	var c eventSettings
	var ok bool
	err := s.Store.View(func(tx *store.Tx) error { c, ok = eventConfigs.Get(tx, eventConfigKey(t)...); return nil })
	if err == nil && !ok {
		err = byUser(errResourceNotFoundException(msgNoEventConfig, t.named()))
	}
	return &c, err
}

// GetFunctionEventInvokeConfig returns the configuration of a function, a version or an alias.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionEventInvokeConfig.html
func (s *Service) GetFunctionEventInvokeConfig(ctx context.Context, in *GetFunctionEventInvokeConfigInput) (*GetFunctionEventInvokeConfigOutput, error) {
	t, err := parse(ctx, *in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	c, err := s.eventConfig(t)
	if err != nil {
		return nil, err
	}
	out := GetFunctionEventInvokeConfigOutput(*c.describe(t))
	return &out, nil
}

// DeleteFunctionEventInvokeConfig takes a configuration away; events that wait go by the defaults.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunctionEventInvokeConfig.html
func (s *Service) DeleteFunctionEventInvokeConfig(ctx context.Context, in *DeleteFunctionEventInvokeConfigInput) (*DeleteFunctionEventInvokeConfigOutput, error) {
	t, err := parse(ctx, *in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if _, err := s.eventConfig(t); err != nil {
		return nil, err
	}
	return nil, s.Store.Update(func(tx *store.Tx) error { eventConfigs.Delete(tx, eventConfigKey(t)...); return nil })
}

// ListFunctionEventInvokeConfigs returns a function's configurations, MaxItems (1 to 50) at a time.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctionEventInvokeConfigs.html
func (s *Service) ListFunctionEventInvokeConfigs(ctx context.Context, in *ListFunctionEventInvokeConfigsInput) (*ListFunctionEventInvokeConfigsOutput, error) {
	t, err := s.eventTarget(ctx, *in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	var out *ListFunctionEventInvokeConfigsOutput
	const mostAtOnce = 50
	err = s.Store.View(func(tx *store.Tx) error {
		out = &ListFunctionEventInvokeConfigsOutput{FunctionEventInvokeConfigs: []FunctionEventInvokeConfig{}}
		page := eventConfigs.All(tx, t.key()...)
		if in.Marker != nil {
			page = eventConfigs.After(tx, []any{*in.Marker}, t.key()...)
		}
		last := ""
		for c := range page {
			if len(out.FunctionEventInvokeConfigs) == atMost(in.MaxItems, mostAtOnce) {
				out.NextMarker = &last
				return nil
			}
			last = c.Qualifier
			out.FunctionEventInvokeConfigs = append(out.FunctionEventInvokeConfigs, *c.describe(t.at(c.Qualifier)))
		}
		return nil
	})
	return out, err
}

// describe is a configuration as the API shows it: what was not set is not there, but for the destinations.
func (c *eventSettings) describe(t target) *FunctionEventInvokeConfig {
	out := &FunctionEventInvokeConfig{
		FunctionArn: new(t.named()), LastModified: &c.LastModified, MaximumRetryAttempts: c.Retries, MaximumEventAgeInSeconds: c.MaxAge,
		DestinationConfig: &DestinationConfig{OnSuccess: &OnSuccess{}, OnFailure: &OnFailure{}},
	}
	if c.OnSuccess != "" {
		out.DestinationConfig.OnSuccess.Destination = &c.OnSuccess
	}
	if c.OnFailure != "" {
		out.DestinationConfig.OnFailure.Destination = &c.OnFailure
	}
	return out
}
