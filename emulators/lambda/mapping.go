package lambda

import (
	"context"
	"strings"
	"time"

	"devstack/emulators/deliver"
	"devstack/emulators/eventpattern"
	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// mappings are the event source mappings, by account, region and UUID.
var mappings = store.NewTable[mapping]("mappings")

// mapping is an event source mapping as it is stored, with how far it has read.
type mapping struct {
	UUID, Account, Region string
	Source                string // ARN of a DynamoDB stream
	Function              string
	Qualifier             string // version or alias of the function, "" for none
	Tags                  map[string]string
	StartingPosition      string
	BatchSize             int32
	Window                int32 // seconds that a batch waits for more records
	Retries               int32 // -1: until a record expires
	MaxAge                int32 // seconds; -1: until a record expires
	Bisect                bool
	Parallel              int32    // batches of a shard that are handled at once; 0: 1
	Tumbling              int32    // seconds of a tumbling window, 0: none
	OnFailure             string   // ARN of who is told of records that are given up, "" for nobody
	ReportsItems          bool     // FunctionResponseTypes has ReportBatchItemFailures
	Filters               []string // event patterns of which a record matches one; none: every record
	Enabled               bool
	LastModified          time.Time
	LastResult            string
	Windows               map[string]window // that are open, by shard
	Read                  map[string]string // sequence number of the last record done, by shard; nil: LATEST is yet to be found
}

// lanes is how many batches of a shard are handled at once.
func (m *mapping) lanes() int32 { return max(1, m.Parallel) }

// sourceOf is what a mapping reads from.
func (s *Service) sourceOf(m *mapping) source { return &dynamoStream{s, m.Source} }

// defaultBatch is the BatchSize for DynamoDB streams that is not given.
//
// https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html
const defaultBatch = 100

// minAge is the shortest MaximumRecordAgeInSeconds, though the model lets less through.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html (MaximumRecordAgeInSeconds)
const minAge = 60

// maxFilters is how many filters a mapping has at most.
//
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
const maxFilters = 5

// Messages in the service's words, recorded answers but for the one that says otherwise.
const (
	msgUnknownSource   = "Unrecognized event source."
	msgUnknownFunction = "Function does not exist"
	msgUnknownMapping  = "The resource you requested does not exist."
	msgStreamNotFound  = "Stream not found: %s"
	msgMinAge          = "1 validation error detected: Value '%d' at 'maximumRecordAgeInSeconds' failed to satisfy constraint: Member must have value greater than or equal to %d" // a guess
	msgNoSuccess       = "Unsupported DestinationConfig parameter for given event source mapping type."
	msgManyFilters     = "The number of filters exceeds the limit of %d." // a guess
	msgBadFilter       = "Invalid filter pattern definition."
	msgNoPosition      = "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null."
	// https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html (errors), the UUID as recorded
	msgMappingExists = "An event source mapping with event source arn (\"%s\") and function (\"%s\") already exists. Please update or delete the existing mapping with UUID %s"
)

// CreateEventSourceMapping feeds a function from a DynamoDB stream.
//
// BatchSize is 1 to 10000, default 100. MaximumBatchingWindowInSeconds is 0 to 300; MaximumRetryAttempts and
// MaximumRecordAgeInSeconds are -1 for no limit, which is the default. Other kinds of source, and parameters that would not
// be acted on, are refused by name.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
func (s *Service) CreateEventSourceMapping(ctx context.Context, in *CreateEventSourceMappingInput) (*CreateEventSourceMappingOutput, error) {
	req := wire.From(ctx)
	m, err := s.newMapping(ctx, in)
	if err != nil {
		return nil, err
	}
	m.UUID, m.Account, m.Region, m.LastModified = s.IDs.UUID(), req.Account, req.Region, s.Clock.Now()
	if m.mustFindLatest() {
		m.Read = s.ends(ctx, m)
	}
	err = s.Store.Update(func(tx *store.Tx) error {
		for other := range mappings.All(tx, req.Account, req.Region) {
			if other.Source == m.Source && other.Function == m.Function && other.Qualifier == m.Qualifier {
				return byUser(errResourceConflictException(msgMappingExists, m.Source, m.Function, other.UUID))
			}
		}
		mappings.Put(tx, *m, m.Account, m.Region, m.UUID)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.poll(m)
	c := CreateEventSourceMappingOutput(*s.describe(m, "Creating"))
	return &c, nil
}

// newMapping checks the parameters of a CreateEventSourceMapping.
func (s *Service) newMapping(ctx context.Context, in *CreateEventSourceMappingInput) (*mapping, error) {
	if in.EventSourceArn == nil {
		return nil, byUser(errInvalidParameterValueException(msgUnknownSource))
	}
	t, err := s.fed(ctx, *in.FunctionName)
	if err != nil {
		return nil, err
	}
	if err := refuseUnsupportedSource(*in.EventSourceArn); err != nil {
		return nil, err
	}
	if err := refuseUnsupportedMapping(in); err != nil {
		return nil, err
	}
	if len(in.Tags) > maxTags {
		return nil, byUser(errInvalidParameterValueException(msgTooManyTags))
	}
	if in.StartingPosition == nil {
		return nil, byUser(errInvalidParameterValueException(msgNoPosition))
	}
	if *in.StartingPosition == EventSourcePositionAtTimestamp {
		return nil, byUser(errInvalidParameterValueException("Unsupported starting position for given event source. Supported positions: LATEST, TRIM_HORIZON")) // a guess
	}
	if err := s.AWS.Call(ctx, "dynamodbstreams", "DescribeStream", map[string]any{"StreamArn": *in.EventSourceArn}, nil); err != nil {
		return nil, byUser(errInvalidParameterValueException(msgStreamNotFound, *in.EventSourceArn))
	}
	m := &mapping{
		Source: *in.EventSourceArn, Function: t.Name, Qualifier: t.Qualifier, Tags: in.Tags, StartingPosition: *in.StartingPosition, BatchSize: defaultBatch,
		Retries: -1, MaxAge: -1, Enabled: in.Enabled == nil || *in.Enabled, LastResult: resultNone,
	}
	if err := m.filter(in.FilterCriteria); err != nil {
		return nil, err
	}
	to, err := s.failureDestination(ctx, in.DestinationConfig)
	if err != nil {
		return nil, err
	}
	return m, m.set(&UpdateEventSourceMappingInput{
		BatchSize: in.BatchSize, MaximumBatchingWindowInSeconds: in.MaximumBatchingWindowInSeconds, MaximumRetryAttempts: in.MaximumRetryAttempts,
		MaximumRecordAgeInSeconds: in.MaximumRecordAgeInSeconds, BisectBatchOnFunctionError: in.BisectBatchOnFunctionError,
		FunctionResponseTypes: in.FunctionResponseTypes, ParallelizationFactor: in.ParallelizationFactor, TumblingWindowInSeconds: in.TumblingWindowInSeconds,
	}, to)
}

// failureDestination is who is told of records that are given up, nil if the request does not say. It is a queue, a topic or a bucket.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_OnFailure.html
func (s *Service) failureDestination(ctx context.Context, c *DestinationConfig) (*string, error) {
	switch {
	case c == nil:
		return nil, nil
	case successOf(c) != nil:
		return nil, byUser(errInvalidParameterValueException(msgNoSuccess))
	}
	arn := failureOf(c)
	if deref(arn) == "" {
		return new(""), nil
	}
	switch deliver.Service(*arn) {
	case "sqs", "sns", "s3":
		return arn, s.probe(ctx, *arn)
	}
	return nil, byUser(errInvalidParameterValueException(msgBadDestination, "null", show("OnFailure", arn))) // a guess
}

// fed is the target of a mapping: a function, a version or an alias.
func (s *Service) fed(ctx context.Context, ref string) (target, error) {
	t, _, err := s.find(ctx, ref, nil)
	if err != nil {
		return t, byUser(errInvalidParameterValueException(msgUnknownFunction))
	}
	if t.Qualifier == latest && strings.HasPrefix(ref, "arn:") {
		t.Qualifier = "" // recorded; of a partial ARN it stays
	}
	return t, nil
}

// target is what the mapping feeds.
func (m *mapping) target() target {
	return target{Account: m.Account, Region: m.Region, Name: m.Function, Qualifier: m.Qualifier}
}

// mustFindLatest reports whether the mapping is to begin at the end of its stream and does not know where that is. One that was
// made disabled learns it when it is enabled, which is a guess.
func (m *mapping) mustFindLatest() bool {
	return m.Enabled && m.Read == nil && m.StartingPosition == EventSourcePositionLatest
}

// filter sets the patterns, if they are given.
func (m *mapping) filter(given *FilterCriteria) error {
	if given == nil {
		return nil
	}
	if len(given.Filters) > maxFilters {
		return byUser(errInvalidParameterValueException(msgManyFilters, maxFilters))
	}
	m.Filters = nil
	for _, f := range given.Filters {
		if f.Pattern == nil {
			continue
		}
		if _, err := eventpattern.Parse([]byte(*f.Pattern)); err != nil {
			return byUser(errInvalidParameterValueException(msgBadFilter))
		}
		m.Filters = append(m.Filters, *f.Pattern)
	}
	return nil
}

// set changes what an update may change, as far as it is given. The model bounds the numbers.
func (m *mapping) set(in *UpdateEventSourceMappingInput, onFailure *string) error {
	assign(&m.BatchSize, in.BatchSize)
	assign(&m.Window, in.MaximumBatchingWindowInSeconds)
	assign(&m.Retries, in.MaximumRetryAttempts)
	if age := in.MaximumRecordAgeInSeconds; age != nil && *age > -1 && *age < minAge {
		return byUser(errInvalidParameterValueException(msgMinAge, *age, minAge))
	}
	assign(&m.MaxAge, in.MaximumRecordAgeInSeconds)
	assign(&m.Bisect, in.BisectBatchOnFunctionError)
	assign(&m.Parallel, in.ParallelizationFactor)
	assign(&m.OnFailure, onFailure)
	if in.FunctionResponseTypes != nil {
		m.ReportsItems = len(in.FunctionResponseTypes) > 0 // the model knows one value
	}
	if length := in.TumblingWindowInSeconds; length != nil && *length != m.Tumbling {
		m.Tumbling, m.Windows = *length, nil // what is open of another length is dropped, which is a guess
	}
	if m.Tumbling > 0 && m.lanes() > 1 {
		return wire.NotImplemented("lambda: an event source mapping with TumblingWindowInSeconds and a ParallelizationFactor over 1 is not emulated")
	}
	return nil
}

func assign[T any](to *T, given *T) {
	if given != nil {
		*to = *given
	}
}

// refuseUnsupportedSource accepts streams of DynamoDB and names every other kind.
func refuseUnsupportedSource(arn string) error {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return byUser(errInvalidParameterValueException(msgUnknownSource))
	}
	if parts[2] != "dynamodb" {
		return wire.NotImplemented("lambda.CreateEventSourceMapping: event sources of %s are not emulated; streams of dynamodb are", parts[2])
	}
	if !strings.Contains(parts[5], "/stream/") {
		return byUser(errInvalidParameterValueException(msgUnknownSource))
	}
	return nil
}

// refuseUnsupportedMapping names the first parameter that would have been stored and not acted on.
func refuseUnsupportedMapping(in *CreateEventSourceMappingInput) error {
	for _, p := range []struct {
		name  string
		given bool
	}{
		{"KMSKeyArn", in.KMSKeyArn != nil},
		{"MetricsConfig", in.MetricsConfig != nil}, {"LoggingConfig", in.LoggingConfig != nil}, {"ProvisionedPollerConfig", in.ProvisionedPollerConfig != nil},
		{"Topics", in.Topics != nil}, {"Queues", in.Queues != nil}, {"SelfManagedEventSource", in.SelfManagedEventSource != nil},
		{"SourceAccessConfigurations", in.SourceAccessConfigurations != nil}, {"ScalingConfig", in.ScalingConfig != nil},
		{"AmazonManagedKafkaEventSourceConfig", in.AmazonManagedKafkaEventSourceConfig != nil},
		{"SelfManagedKafkaEventSourceConfig", in.SelfManagedKafkaEventSourceConfig != nil},
		{"DocumentDBEventSourceConfig", in.DocumentDBEventSourceConfig != nil}, {"StartingPositionTimestamp", in.StartingPositionTimestamp != nil},
	} {
		if p.given {
			return wire.NotImplemented("lambda: the event source mapping's %s is not emulated", p.name)
		}
	}
	return nil
}

// GetEventSourceMapping returns a mapping by UUID, or ResourceNotFoundException.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_GetEventSourceMapping.html
func (s *Service) GetEventSourceMapping(ctx context.Context, in *GetEventSourceMappingInput) (*GetEventSourceMappingOutput, error) {
	var m *mapping
	err := s.Store.View(func(tx *store.Tx) (err error) {
		m, err = lookup(ctx, tx, *in.UUID)
		return err
	})
	if err != nil {
		return nil, err
	}
	c := GetEventSourceMappingOutput(*s.describe(m, ""))
	return &c, nil
}

// ListEventSourceMappings returns the mappings of a source, of a function, or all, MaxItems (at most 100) at a time.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_ListEventSourceMappings.html
func (s *Service) ListEventSourceMappings(ctx context.Context, in *ListEventSourceMappingsInput) (*ListEventSourceMappingsOutput, error) {
	req := wire.From(ctx)
	limit := 100
	if in.MaxItems != nil {
		limit = min(limit, int(*in.MaxItems))
	}
	function := ""
	if in.FunctionName != nil {
		if m := reference().FindStringSubmatch(*in.FunctionName); m != nil {
			function = m[3]
		}
	}
	out := &ListEventSourceMappingsOutput{}
	err := s.Store.View(func(tx *store.Tx) error {
		*out = ListEventSourceMappingsOutput{EventSourceMappings: []EventSourceMappingConfiguration{}}
		page := mappings.All(tx, req.Account, req.Region)
		if in.Marker != nil {
			page = mappings.After(tx, []any{*in.Marker}, req.Account, req.Region)
		}
		for m := range page {
			if in.EventSourceArn != nil && m.Source != *in.EventSourceArn || function != "" && m.Function != function {
				continue
			}
			if len(out.EventSourceMappings) == limit {
				out.NextMarker = out.EventSourceMappings[limit-1].UUID
				return nil
			}
			out.EventSourceMappings = append(out.EventSourceMappings, *s.describe(&m, ""))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// UpdateEventSourceMapping changes a mapping; its source cannot be changed.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateEventSourceMapping.html
func (s *Service) UpdateEventSourceMapping(ctx context.Context, in *UpdateEventSourceMappingInput) (*UpdateEventSourceMappingOutput, error) {
	err := refuseUnsupportedMapping(&CreateEventSourceMappingInput{
		KMSKeyArn: in.KMSKeyArn, MetricsConfig: in.MetricsConfig, LoggingConfig: in.LoggingConfig,
		ScalingConfig: in.ScalingConfig, SourceAccessConfigurations: in.SourceAccessConfigurations,
		AmazonManagedKafkaEventSourceConfig: in.AmazonManagedKafkaEventSourceConfig, SelfManagedKafkaEventSourceConfig: in.SelfManagedKafkaEventSourceConfig,
		DocumentDBEventSourceConfig: in.DocumentDBEventSourceConfig, ProvisionedPollerConfig: in.ProvisionedPollerConfig,
	})
	if err != nil {
		return nil, err
	}
	var function target
	if in.FunctionName != nil {
		if function, err = s.fed(ctx, *in.FunctionName); err != nil {
			return nil, err
		}
	}
	to, err := s.failureDestination(ctx, in.DestinationConfig)
	if err != nil {
		return nil, err
	}
	ends, err := s.endsIfEnabled(ctx, in)
	if err != nil {
		return nil, err
	}
	var m *mapping
	var was bool
	err = s.Store.Update(func(tx *store.Tx) (err error) {
		if m, err = lookup(ctx, tx, *in.UUID); err != nil {
			return err
		}
		was = m.Enabled
		if m.Read == nil {
			m.Read = ends
		}
		if in.FunctionName != nil {
			m.Function, m.Qualifier = function.Name, function.Qualifier
		}
		assign(&m.Enabled, in.Enabled)
		m.LastModified = s.Clock.Now()
		if err := m.filter(in.FilterCriteria); err != nil {
			return err
		}
		if err := m.set(in, to); err != nil {
			return err
		}
		mappings.Put(tx, *m, m.Account, m.Region, m.UUID)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.poll(m)
	state := "Updating"
	switch {
	case m.Enabled && !was:
		state = "Enabling"
	case was && !m.Enabled:
		state = "Disabling"
	}
	c := UpdateEventSourceMappingOutput(*s.describe(m, state))
	return &c, nil
}

// endsIfEnabled is where LATEST is for a mapping that an update enables for the first time, nil for any other.
func (s *Service) endsIfEnabled(ctx context.Context, in *UpdateEventSourceMappingInput) (map[string]string, error) {
	var m *mapping
	if err := s.Store.View(func(tx *store.Tx) (err error) {
		m, err = lookup(ctx, tx, *in.UUID)
		return err
	}); err != nil {
		return nil, err
	}
	if assign(&m.Enabled, in.Enabled); !m.mustFindLatest() {
		return nil, nil
	}
	return s.ends(ctx, m), nil
}

// DeleteEventSourceMapping ends a mapping. What it has handed to the function goes on.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteEventSourceMapping.html
func (s *Service) DeleteEventSourceMapping(ctx context.Context, in *DeleteEventSourceMappingInput) (*DeleteEventSourceMappingOutput, error) {
	var m *mapping
	err := s.Store.Update(func(tx *store.Tx) (err error) {
		if m, err = lookup(ctx, tx, *in.UUID); err != nil {
			return err
		}
		mappings.Delete(tx, m.Account, m.Region, m.UUID)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.poll(m) // which finds nothing stored
	c := DeleteEventSourceMappingOutput(*s.describe(m, "Deleting"))
	return &c, nil
}

// lookup returns the request's mapping of a UUID.
func lookup(ctx context.Context, tx *store.Tx, uuid string) (*mapping, error) {
	req := wire.From(ctx)
	m, ok := mappings.Get(tx, req.Account, req.Region, uuid)
	if !ok {
		return nil, byUser(errResourceNotFoundException(msgUnknownMapping))
	}
	return &m, nil
}

// describe is a mapping as the API shows it. state is a transitional one, "" for the lasting one.
func (s *Service) describe(m *mapping, state string) *EventSourceMappingConfiguration {
	if state == "" {
		state = "Disabled"
		if m.Enabled {
			state = "Enabled"
		}
	}
	prefix := "arn:aws:lambda:" + m.Region + ":" + m.Account + ":"
	c := &EventSourceMappingConfiguration{
		UUID: &m.UUID, EventSourceArn: &m.Source, FunctionArn: new(qualified(prefix+"function:"+m.Function, m.Qualifier)),
		EventSourceMappingArn: new(prefix + "event-source-mapping:" + m.UUID), StartingPosition: &m.StartingPosition, BatchSize: &m.BatchSize,
		MaximumBatchingWindowInSeconds: &m.Window, MaximumRetryAttempts: &m.Retries, MaximumRecordAgeInSeconds: &m.MaxAge,
		BisectBatchOnFunctionError: &m.Bisect, ParallelizationFactor: new(m.lanes()), TumblingWindowInSeconds: &m.Tumbling,
		DestinationConfig: &DestinationConfig{OnFailure: &OnFailure{}}, FunctionResponseTypes: []string{},
		LastModified: &m.LastModified, LastProcessingResult: &m.LastResult, State: &state, StateTransitionReason: new("User action"),
	}
	if m.OnFailure != "" {
		c.DestinationConfig.OnFailure.Destination = &m.OnFailure
	}
	for _, f := range m.Filters {
		if c.FilterCriteria == nil {
			c.FilterCriteria = &FilterCriteria{}
		}
		c.FilterCriteria.Filters = append(c.FilterCriteria.Filters, Filter{Pattern: &f})
	}
	if m.ReportsItems {
		c.FunctionResponseTypes = []string{FunctionResponseTypeReportBatchItemFailures}
	}
	return c
}
