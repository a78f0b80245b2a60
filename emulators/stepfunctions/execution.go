package stepfunctions

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"devstack/emulators/stepfunctions/value"
	"devstack/emulators/store"
	"devstack/emulators/wire"
	"devstack/internal/trace"
)

// request is what StartExecution and StartSyncExecution ask for.
type request struct {
	machineARN  string
	name        *string
	input       *string
	traceHeader *string
}

// StartExecution starts an execution and does not wait for it.
//
// Of a STANDARD machine the name is the execution's for ever: the same name with the same input answers the execution that
// runs, and ExecutionAlreadyExists otherwise. InvalidExecutionInput if Input is not JSON.
//
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
func (s *operations) StartExecution(ctx context.Context, in *StartExecutionInput) (*StartExecutionOutput, error) {
	r, err := s.begin(ctx, request{*in.StateMachineArn, in.Name, in.Input, in.TraceHeader}, false)
	if err != nil {
		return nil, err
	}
	return &StartExecutionOutput{ExecutionArn: &r.exec.ARN, StartDate: &r.exec.Start}, nil
}

// StartSyncExecution runs an execution of an EXPRESS machine and answers how it ended: a failure is an answer, and no error.
//
// StateMachineTypeNotSupported for a STANDARD machine. The billed duration is in milliseconds, in steps of 100.
//
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartSyncExecution.html
func (s *operations) StartSyncExecution(ctx context.Context, in *StartSyncExecutionInput) (*StartSyncExecutionOutput, error) {
	r, err := s.begin(ctx, request{*in.StateMachineArn, in.Name, in.Input, in.TraceHeader}, true)
	if err != nil {
		return nil, err
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	x, _ := r.snapshot()
	included := &CloudWatchEventsExecutionDataDetails{Included: ptr(true)}
	out := &StartSyncExecutionOutput{ExecutionArn: &x.ARN, StateMachineArn: &x.MachineARN, Name: &x.Name, StartDate: &x.Start, StopDate: &x.Stop,
		Status: &x.Status, Error: x.Error, Cause: x.Cause, Input: &x.Input, InputDetails: included, Output: x.Output, OutputDetails: included,
		TraceHeader:    in.TraceHeader,
		BillingDetails: &BillingDetails{BilledMemoryUsedInMB: ptr(int64(64)), BilledDurationInMilliseconds: ptr(billed(x.Stop.Sub(x.Start)))}}
	if or(in.IncludedData, IncludedDataAllData) == IncludedDataMetadataOnly {
		excluded := &CloudWatchEventsExecutionDataDetails{Included: new(bool)}
		out.Input, out.Output, out.InputDetails, out.OutputDetails = nil, nil, excluded, excluded
	}
	return out, nil
}

// billed rounds a duration up to 100 milliseconds, of which there is at least one unit (recorded answers).
func billed(d time.Duration) int64 {
	const unit = 100 * time.Millisecond
	return max(1, int64((d+unit-1)/unit)) * 100
}

// begin starts an execution. sync is whether the machine has to be of type EXPRESS.
func (s *operations) begin(ctx context.Context, in request, sync bool) (*run, error) {
	if err := checkARN(in.machineARN, "stateMachine"); err != nil {
		return nil, err
	}
	if in.name != nil {
		if err := checkName(*in.name); err != nil {
			return nil, err
		}
	}
	input := or(in.input, "{}")
	if err := checkInput(input); err != nil {
		return nil, err
	}
	name := or(in.name, s.IDs.UUID())
	now := s.Clock.Now().Truncate(time.Millisecond)
	header := trace.Header(ctx)
	if in.traceHeader != nil {
		header = *in.traceHeader
		ctx = trace.Join(ctx, header, "")
	}
	var r *run
	var existing bool
	err := s.Store.Update(func(tx *store.Tx) error {
		m, err := machineOf(tx, in.machineARN)
		if err != nil {
			return err
		}
		if sync && m.Type != StateMachineTypeExpress {
			return errStateMachineTypeNotSupported(msgType)
		}
		x := execution{Name: name, MachineARN: m.ARN, MachineUID: m.UID, Revision: m.Revision, Express: m.Type == StateMachineTypeExpress, Input: input,
			Trace: header, Header: in.traceHeader, Start: now, Status: ExecutionStatusRunning}
		x.ARN = s.executionARN(m, x)
		r, existing, err = s.put(tx, x)
		return err
	})
	if err != nil || existing {
		return r, err
	}
	if !s.engine.start(ctx, r) {
		return nil, wire.Errorf("ServiceUnavailable", 503, "The engine is shutting down")
	}
	return r, nil
}

// executionARN is the ARN of an execution, which in an express machine's has one more part.
func (s *operations) executionARN(m machine, x execution) string {
	if x.Express {
		return strings.Replace(m.ARN, ":stateMachine:", ":express:", 1) + ":" + x.Name + ":" + s.IDs.UUID()
	}
	return strings.Replace(m.ARN, ":stateMachine:", ":execution:", 1) + ":" + x.Name
}

// put stores a new execution, or finds the one that the request means.
func (s *operations) put(tx *store.Tx, x execution) (r *run, existing bool, err error) {
	rev, _ := revisions.Get(tx, x.MachineUID, x.Revision)
	m, err := s.engine.compiled(x, rev)
	if err != nil {
		return nil, false, err
	}
	x.RoleARN = rev.RoleARN
	if old, ok := executions.Get(tx, x.ARN); ok {
		if old.Status != ExecutionStatusRunning || !sameJSON(old.Input, x.Input) {
			return nil, false, errExecutionAlreadyExists("Execution Already Exists: '%s'", x.ARN)
		}
		return s.engine.newRun(old, m), true, nil
	}
	r = s.engine.newRun(x, m)
	r.appendLocked(event{Type: HistoryEventTypeExecutionStarted, Data: &x.Input, RoleARN: x.RoleARN})
	if x.Express {
		return r, false, nil
	}
	executions.Put(tx, x, x.ARN)
	running.Put(tx, x.ARN, x.ARN)
	byStart.Put(tx, x.ARN, x.MachineUID, -x.Start.UnixNano(), x.ARN)
	events.Put(tx, r.pending[0], x.ARN, r.pending[0].ID)
	frames.Put(tx, frame{State: m.StartAt, Input: x.Input}, x.ARN, "")
	r.pending, r.stored = nil, 1
	return r, false, nil
}

// sameJSON reports whether two texts are the same JSON.
func sameJSON(a, b string) bool {
	x, err1 := value.Decode(a)
	y, err2 := value.Decode(b)
	return a == b || err1 == nil && err2 == nil && value.Equal(x, y)
}

// checkInput refuses what is not JSON, in Jackson's words (recorded answers), and what is too large.
func checkInput(input string) error {
	if strings.TrimSpace(input) == "" {
		return errInvalidExecutionInput("Invalid State Machine Execution Input: 'Invalid execution input.'")
	}
	if _, err := value.Decode(input); err != nil {
		return errInvalidExecutionInput("Invalid State Machine Execution Input: '%s'", err)
	}
	if len(input) > maxData { // the words are a guess
		return errInvalidExecutionInput("Invalid State Machine Execution Input: 'The input is larger than %d bytes.'", maxData)
	}
	return nil
}

const msgType = "This operation is not supported by this type of state machine"

// find returns an execution as it is now.
func (s *operations) find(arn string) (execution, error) {
	if err := checkARN(arn, "execution"); err != nil {
		return execution{}, err
	}
	var x execution
	return x, s.Store.View(func(tx *store.Tx) error {
		var ok bool
		if x, ok = executions.Get(tx, arn); !ok {
			return errExecutionDoesNotExist("Execution Does Not Exist: '%s'", arn)
		}
		return nil
	})
}

// StopExecution ends an execution of a STANDARD machine. Of one that has ended it answers when that was.
//
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_StopExecution.html
func (s *operations) StopExecution(_ context.Context, in *StopExecutionInput) (*StopExecutionOutput, error) {
	if _, err := s.find(*in.ExecutionArn); err != nil {
		return nil, err
	}
	if r := s.engine.running(*in.ExecutionArn); r != nil {
		r.finish(ExecutionStatusAborted, event{Type: HistoryEventTypeExecutionAborted, Error: in.Error, Cause: in.Cause})
		<-r.done
	}
	x, err := s.find(*in.ExecutionArn)
	return &StopExecutionOutput{StopDate: &x.Stop}, err
}

// DescribeExecution answers how an execution of a STANDARD machine stands.
//
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
func (s *operations) DescribeExecution(_ context.Context, in *DescribeExecutionInput) (*DescribeExecutionOutput, error) {
	x, err := s.find(*in.ExecutionArn)
	if err != nil {
		return nil, err
	}
	out := &DescribeExecutionOutput{ExecutionArn: &x.ARN, StateMachineArn: &x.MachineARN, Name: &x.Name, Status: &x.Status, StartDate: &x.Start,
		Error: x.Error, Cause: x.Cause, RedriveCount: new(int32), TraceHeader: x.Header}
	included := &CloudWatchEventsExecutionDataDetails{Included: ptr(or(in.IncludedData, IncludedDataAllData) == IncludedDataAllData)}
	out.InputDetails = included
	if *included.Included {
		out.Input, out.Output = &x.Input, x.Output
	}
	if x.Output != nil {
		out.OutputDetails = included
	}
	if !x.Stop.IsZero() {
		out.StopDate = &x.Stop
	}
	out.RedriveStatus = ptr(ExecutionRedriveStatusRedrivable)
	if x.Status == ExecutionStatusRunning || x.Status == ExecutionStatusSucceeded {
		out.RedriveStatus = ptr(ExecutionRedriveStatusNotRedrivable)
		out.RedriveStatusReason = ptr("Execution is " + x.Status + " and cannot be redriven")
	}
	return out, nil
}

// DescribeStateMachineForExecution answers the machine as it was when the execution started.
//
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachineForExecution.html
func (s *operations) DescribeStateMachineForExecution(_ context.Context, in *DescribeStateMachineForExecutionInput) (*DescribeStateMachineForExecutionOutput, error) {
	x, err := s.find(*in.ExecutionArn)
	if err != nil {
		return nil, err
	}
	var rev revision
	err = s.Store.View(func(tx *store.Tx) error {
		rev, _ = revisions.Get(tx, x.MachineUID, x.Revision)
		return nil
	})
	out := &DescribeStateMachineForExecutionOutput{StateMachineArn: &x.MachineARN, Name: ptr(arnName(x.MachineARN)), RoleArn: &rev.RoleARN,
		UpdateDate: &rev.Updated, LoggingConfiguration: noLogging(), TracingConfiguration: &TracingConfiguration{Enabled: &rev.Tracing}}
	if x.Revision != "" {
		out.RevisionId = &x.Revision
	}
	if or(in.IncludedData, IncludedDataAllData) == IncludedDataAllData {
		out.Definition = &rev.Definition
	}
	return out, err
}

// ListExecutions lists the executions of a STANDARD machine, the latest first, a page at a time.
//
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
func (s *operations) ListExecutions(_ context.Context, in *ListExecutionsInput) (*ListExecutionsOutput, error) {
	switch {
	case in.MapRunArn != nil:
		return nil, errResourceNotFound("devstack does not support distributed Map (mapRunArn)")
	case in.StateMachineArn == nil: // the words are a guess
		return nil, errValidationException("Must specify either a stateMachineArn or a mapRunArn")
	}
	if err := checkARN(*in.StateMachineArn, "stateMachine"); err != nil {
		return nil, err
	}
	token, err := pageToken(in.NextToken)
	var after position
	if err == nil && token != "" && json.Unmarshal([]byte(token), &after) != nil {
		err = errInvalidToken("Invalid Token: 'Invalid token'")
	}
	if err != nil {
		return nil, err
	}
	out := &ListExecutionsOutput{Executions: []ExecutionListItem{}}
	return out, s.Store.View(func(tx *store.Tx) error {
		m, err := machineOf(tx, *in.StateMachineArn)
		if err != nil {
			return err
		}
		if m.Type == StateMachineTypeExpress {
			return errStateMachineTypeNotSupported(msgType)
		}
		listExecutions(tx, m, in, after, out)
		return nil
	})
}

// position is where a page of executions ends.
type position struct {
	Start int64 // nanoseconds
	ARN   string
}

func listExecutions(tx *store.Tx, m machine, in *ListExecutionsInput, after position, out *ListExecutionsOutput) {
	seq := byStart.All(tx, m.UID)
	if after.ARN != "" {
		seq = byStart.After(tx, []any{-after.Start, after.ARN}, m.UID)
	}
	n := pageSize(in.MaxResults)
	for arn := range seq {
		x, ok := executions.Get(tx, arn)
		if !ok || in.StatusFilter != nil && x.Status != *in.StatusFilter || in.RedriveFilter != nil && *in.RedriveFilter == ExecutionRedriveFilterRedriven {
			continue
		}
		if len(out.Executions) == n {
			last := out.Executions[n-1]
			b, _ := json.Marshal(position{last.StartDate.UnixNano(), *last.ExecutionArn})
			out.NextToken = nextToken(string(b))
			return
		}
		item := ExecutionListItem{ExecutionArn: &x.ARN, StateMachineArn: &x.MachineARN, Name: &x.Name, Status: &x.Status, StartDate: &x.Start,
			RedriveCount: new(int32)}
		if !x.Stop.IsZero() {
			item.StopDate = &x.Stop
		}
		out.Executions = append(out.Executions, item)
	}
}

// GetExecutionHistory lists the events of an execution of a STANDARD machine, oldest first or latest first, a page at a
// time.
//
// Without includeExecutionData the events have no inputs and outputs.
//
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetExecutionHistory.html
func (s *operations) GetExecutionHistory(_ context.Context, in *GetExecutionHistoryInput) (*GetExecutionHistoryOutput, error) {
	token, err := pageToken(in.NextToken)
	if err != nil {
		return nil, err
	}
	last, err := s.lastEvent(*in.ExecutionArn)
	if err != nil {
		return nil, err
	}
	at, by := int64(1), int64(1)
	if in.ReverseOrder != nil && *in.ReverseOrder {
		at, by = last, -1
	}
	if token != "" {
		if at, err = strconv.ParseInt(token, 10, 64); err != nil {
			return nil, errInvalidToken("Invalid Token: 'Invalid token'")
		}
	}
	out := &GetExecutionHistoryOutput{Events: []HistoryEvent{}}
	withData := in.IncludeExecutionData == nil || *in.IncludeExecutionData
	return out, s.Store.View(func(tx *store.Tx) error {
		for ; at >= 1 && at <= last; at += by {
			if len(out.Events) == pageSize(in.MaxResults) {
				out.NextToken = nextToken(strconv.FormatInt(at, 10))
				return nil
			}
			ev, _ := events.Get(tx, *in.ExecutionArn, at)
			out.Events = append(out.Events, ev.history(withData))
		}
		return nil
	})
}

// lastEvent is the id of the last event of an execution, which is then stored.
func (s *operations) lastEvent(arn string) (int64, error) {
	x, err := s.find(arn)
	if err != nil {
		return 0, err
	}
	r := s.engine.running(arn)
	if r == nil {
		x, err = s.find(arn) // it may have ended in between
		return x.Events, err
	}
	if err := r.flush(); err != nil {
		return 0, err
	}
	_, stored := r.snapshot()
	return stored, nil
}
