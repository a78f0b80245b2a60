package stepfunctions

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"devstack/emulators/stepfunctions/asl"
	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// machine is a state machine.
type machine struct {
	ARN, Name string
	UID       string // differs from that of an earlier machine with the name
	Type      string
	Created   time.Time
	Revision  string // the current one; "" until the first update
	Tags      []Tag
}

// revision is what UpdateStateMachine changes. Executions keep the one that they started with.
type revision struct {
	Definition string
	RoleARN    string
	Tracing    bool
	Updated    time.Time
}

const (
	defaultPage = 100 // of lists, where maxResults is 0 or not given
	maxTags     = 50  // of one resource
)

// CreateStateMachine makes a state machine.
//
// Making it again with the same name, definition, type and configuration answers the same, whatever its role and tags;
// StateMachineAlreadyExists with a different one. InvalidDefinition says what is wrong with a definition, or names the feature
// of the States Language that is not supported.
//
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html
func (s *operations) CreateStateMachine(ctx context.Context, in *CreateStateMachineInput) (*CreateStateMachineOutput, error) {
	if err := checkName(*in.Name); err != nil {
		return nil, err
	}
	kind := or(in.Type, StateMachineTypeStandard)
	if err := refuse(in.LoggingConfiguration, in.EncryptionConfiguration, in.Publish, in.VersionDescription); err != nil {
		return nil, err
	}
	if err := checkRole(*in.RoleArn); err != nil {
		return nil, err
	}
	if err := s.checkDefinition(*in.Definition, kind); err != nil {
		return nil, err
	}
	if len(in.Tags) > maxTags {
		return nil, errTooManyTags(msgTooManyTags)
	}
	r := wire.From(ctx)
	now := s.Clock.Now()
	m := machine{ARN: r.ARN("states", "stateMachine:"+*in.Name), Name: *in.Name, UID: s.IDs.UUID(), Type: kind, Created: now, Tags: in.Tags}
	rev := revision{Definition: *in.Definition, RoleARN: *in.RoleArn, Tracing: tracing(in.TracingConfiguration), Updated: now}
	err := s.Store.Update(func(tx *store.Tx) error {
		if old, ok := machines.Get(tx, r.Account, r.Region, *in.Name); ok {
			was, _ := revisions.Get(tx, old.UID, old.Revision)
			if was.Definition != rev.Definition || old.Type != kind || was.Tracing != rev.Tracing {
				return errStateMachineAlreadyExists("State Machine Already Exists: '%s'", old.ARN)
			}
			m = old
			return nil
		}
		machines.Put(tx, m, r.Account, r.Region, m.Name)
		revisions.Put(tx, rev, m.UID, m.Revision)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &CreateStateMachineOutput{StateMachineArn: &m.ARN, CreationDate: &m.Created}, nil
}

// refuse names what CreateStateMachine and UpdateStateMachine are asked for and that we do not do.
func refuse(logging *LoggingConfiguration, encryption *EncryptionConfiguration, publish *bool, description *string) error {
	switch {
	case logging != nil && logging.Level != nil && *logging.Level != LogLevelOff:
		return errInvalidLoggingConfiguration("Invalid Logging Configuration: devstack does not write execution logs (loggingConfiguration.level %s)", *logging.Level)
	case encryption != nil && encryption.Type != nil && *encryption.Type != EncryptionTypeAwsOwnedKey:
		return errInvalidEncryptionConfiguration("Invalid Encryption Configuration: devstack does not encrypt with a customer's key (encryptionConfiguration.type %s)", *encryption.Type)
	case publish != nil && *publish, description != nil:
		return wire.NotImplemented("versions of state machines (publish, versionDescription)")
	}
	return nil
}

// checkRole refuses what is no ARN.
func checkRole(arn string) error {
	if !strings.HasPrefix(arn, "arn:") {
		return errInvalidArn("Invalid Role Arn: '%s'", arn) // from memory of AWS's answers
	}
	return nil
}

// checkDefinition refuses a definition, with all that is wrong with it.
func (s *operations) checkDefinition(text, kind string) error {
	diags := s.diagnose(text, kind)
	if diags == nil {
		return nil
	}
	all := make([]string, len(diags))
	for i, d := range diags {
		all[i] = d.String()
	}
	return errInvalidDefinition("Invalid State Machine Definition: '%s'", strings.Join(all, ", "))
}

// diagnose says what is wrong with a definition: with its language, or else with the parameters of its tasks.
func (s *operations) diagnose(text, kind string) []asl.Diagnostic {
	m, diags := asl.Compile(text, kind == StateMachineTypeExpress)
	if diags != nil {
		return diags
	}
	for at, state := range m.Tasks {
		if r := state.Resource; !r.Lambda && state.Parameters != nil {
			t := s.engine.translate(integrationOf(r).pkg, upperFirst(r.Action), false)
			diags = append(diags, t.checkParameters(state.Parameters, at+"/Parameters")...)
		}
	}
	return diags
}

func tracing(c *TracingConfiguration) bool { return c != nil && c.Enabled != nil && *c.Enabled }

func or(s *string, otherwise string) string {
	if s == nil {
		return otherwise
	}
	return *s
}

// machineOf returns the machine of an ARN.
func machineOf(tx *store.Tx, arn string) (machine, error) {
	account, region := arnPlace(arn)
	_, name, _ := strings.Cut(arn, ":stateMachine:")
	m, ok := machines.Get(tx, account, region, name)
	if !ok {
		return m, errStateMachineDoesNotExist("State Machine Does Not Exist: '%s'", arn)
	}
	return m, nil
}

// UpdateStateMachine changes a machine's definition, role or tracing. Executions that run keep what they started with.
//
// MissingRequiredParameter if nothing is to change.
//
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_UpdateStateMachine.html
func (s *operations) UpdateStateMachine(_ context.Context, in *UpdateStateMachineInput) (*UpdateStateMachineOutput, error) {
	if err := checkARN(*in.StateMachineArn, "stateMachine"); err != nil {
		return nil, err
	}
	if in.Definition == nil && in.RoleArn == nil && in.LoggingConfiguration == nil && in.TracingConfiguration == nil && in.EncryptionConfiguration == nil {
		return nil, errMissingRequiredParameter("Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified")
	}
	if err := refuse(in.LoggingConfiguration, in.EncryptionConfiguration, in.Publish, in.VersionDescription); err != nil {
		return nil, err
	}
	if in.RoleArn != nil {
		if err := checkRole(*in.RoleArn); err != nil {
			return nil, err
		}
	}
	var m machine
	err := s.Store.View(func(tx *store.Tx) (err error) {
		m, err = machineOf(tx, *in.StateMachineArn)
		return err
	})
	if err == nil && in.Definition != nil {
		err = s.checkDefinition(*in.Definition, m.Type)
	}
	if err != nil {
		return nil, err
	}
	now, id := s.Clock.Now(), s.IDs.UUID()
	err = s.Store.Update(func(tx *store.Tx) error {
		m, err := machineOf(tx, *in.StateMachineArn)
		if err != nil {
			return err
		}
		rev, _ := revisions.Get(tx, m.UID, m.Revision)
		if in.Definition != nil {
			rev.Definition = *in.Definition
		}
		if in.RoleArn != nil {
			rev.RoleARN = *in.RoleArn
		}
		if in.TracingConfiguration != nil {
			rev.Tracing = tracing(in.TracingConfiguration)
		}
		rev.Updated, m.Revision = now, id
		revisions.Put(tx, rev, m.UID, id)
		account, region := arnPlace(m.ARN)
		machines.Put(tx, m, account, region, m.Name)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &UpdateStateMachineOutput{UpdateDate: &now, RevisionId: &id}, nil
}

// DeleteStateMachine deletes a machine, stops its executions and deletes them as well. A machine that does not exist is no
// error.
//
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_DeleteStateMachine.html
func (s *operations) DeleteStateMachine(_ context.Context, in *DeleteStateMachineInput) (*DeleteStateMachineOutput, error) {
	if err := checkARN(*in.StateMachineArn, "stateMachine"); err != nil {
		return nil, err
	}
	var arns []string
	err := s.Store.Update(func(tx *store.Tx) error {
		arns = nil
		m, err := machineOf(tx, *in.StateMachineArn)
		if err != nil {
			return nil
		}
		account, region := arnPlace(m.ARN)
		machines.Delete(tx, account, region, m.Name)
		revisions.Clear(tx, m.UID)
		arns = slices.Collect(byStart.All(tx, m.UID))
		for _, arn := range arns {
			execution{ARN: arn}.clear(tx)
			executions.Delete(tx, arn)
			running.Delete(tx, arn)
			events.Clear(tx, arn)
		}
		byStart.Clear(tx, m.UID)
		return nil
	})
	for _, arn := range arns {
		if r := s.engine.running(arn); r != nil {
			r.finish(ExecutionStatusAborted, event{Type: HistoryEventTypeExecutionAborted})
		}
	}
	return &DeleteStateMachineOutput{}, err
}

// DescribeStateMachine answers a machine and its current definition.
//
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachine.html
func (s *operations) DescribeStateMachine(_ context.Context, in *DescribeStateMachineInput) (*DescribeStateMachineOutput, error) {
	if err := checkARN(*in.StateMachineArn, "stateMachine"); err != nil {
		return nil, err
	}
	var m machine
	var rev revision
	err := s.Store.View(func(tx *store.Tx) (err error) {
		if m, err = machineOf(tx, *in.StateMachineArn); err == nil {
			rev, _ = revisions.Get(tx, m.UID, m.Revision)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &DescribeStateMachineOutput{StateMachineArn: &m.ARN, Name: &m.Name, Status: ptr(StateMachineStatusActive), RoleArn: &rev.RoleARN, Type: &m.Type,
		CreationDate: &m.Created, LoggingConfiguration: noLogging(), TracingConfiguration: &TracingConfiguration{Enabled: &rev.Tracing}}
	if m.Revision != "" {
		out.RevisionId = &m.Revision
	}
	if or(in.IncludedData, IncludedDataAllData) == IncludedDataAllData {
		out.Definition = &rev.Definition
	}
	return out, nil
}

func noLogging() *LoggingConfiguration {
	return &LoggingConfiguration{Level: ptr(LogLevelOff), IncludeExecutionData: new(bool)}
}

// ListStateMachines lists the machines of an account and region by their names, a page at a time.
//
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListStateMachines.html
func (s *operations) ListStateMachines(ctx context.Context, in *ListStateMachinesInput) (*ListStateMachinesOutput, error) {
	after, err := pageToken(in.NextToken)
	if err != nil {
		return nil, err
	}
	r := wire.From(ctx)
	out := &ListStateMachinesOutput{StateMachines: []StateMachineListItem{}}
	err = s.Store.View(func(tx *store.Tx) error {
		seq := machines.All(tx, r.Account, r.Region)
		if after != "" {
			seq = machines.After(tx, []any{after}, r.Account, r.Region)
		}
		n := pageSize(in.MaxResults)
		for m := range seq {
			if len(out.StateMachines) == n {
				out.NextToken = nextToken(*out.StateMachines[n-1].Name)
				return nil
			}
			out.StateMachines = append(out.StateMachines, StateMachineListItem{StateMachineArn: &m.ARN, Name: &m.Name, Type: &m.Type, CreationDate: &m.Created})
		}
		return nil
	})
	return out, err
}

// pageSize is how many results a page has.
func pageSize(maxResults *int32) int {
	if maxResults == nil || *maxResults == 0 {
		return defaultPage
	}
	return int(*maxResults)
}

func nextToken(s string) *string { return ptr(base64.StdEncoding.EncodeToString([]byte(s))) }

// pageToken reads a token that nextToken made, "" if there is none.
func pageToken(token *string) (string, error) {
	if token == nil {
		return "", nil
	}
	b, err := base64.StdEncoding.DecodeString(*token)
	if err != nil || len(b) == 0 {
		return "", errInvalidToken("Invalid Token: 'Invalid token'")
	}
	return string(b), nil
}

// ValidateStateMachineDefinition says what is wrong with a definition, without making a machine.
//
// A feature that is not supported is an error NOT_SUPPORTED that names it. There are no warnings.
//
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinition.html
func (s *operations) ValidateStateMachineDefinition(_ context.Context, in *ValidateStateMachineDefinitionInput) (*ValidateStateMachineDefinitionOutput, error) {
	diags := s.diagnose(*in.Definition, or(in.Type, StateMachineTypeStandard))
	out := &ValidateStateMachineDefinitionOutput{Result: ptr(ValidateStateMachineDefinitionResultCodeOk), Diagnostics: []ValidateStateMachineDefinitionDiagnostic{},
		Truncated: new(bool)}
	for _, d := range diags {
		out.Result = ptr(ValidateStateMachineDefinitionResultCodeFail)
		if len(out.Diagnostics) == pageSize(in.MaxResults) {
			*out.Truncated = true
			break
		}
		item := ValidateStateMachineDefinitionDiagnostic{Severity: ptr(ValidateStateMachineDefinitionSeverityError), Code: ptr(d.Code), Message: ptr(d.Message)}
		if d.Location != "" {
			item.Location = ptr(d.Location)
		}
		out.Diagnostics = append(out.Diagnostics, item)
	}
	return out, nil
}
