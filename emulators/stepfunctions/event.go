package stepfunctions

import (
	"strings"
	"time"
)

// event is one of a history, as it is stored. Which of its members are used depends on its type.
type event struct {
	ID, Prev int64
	Type     string
	Time     time.Time

	Name      string  `json:",omitempty"` // of the state, or of the Map state that an iteration is of
	Data      *string `json:",omitempty"` // input, output or parameters
	Error     *string `json:",omitempty"`
	Cause     *string `json:",omitempty"`
	Resource  string  `json:",omitempty"` // function's ARN, or the integration's action
	Service   string  `json:",omitempty"` // resourceType
	Region    string  `json:",omitempty"`
	RoleARN   string  `json:",omitempty"`
	Timeout   int64   `json:",omitempty"` // seconds
	Heartbeat int64   `json:",omitempty"` // seconds
	Number    int32   `json:",omitempty"` // index of an iteration, or length of a Map's list
}

// history turns the event into what the API answers. Without data, inputs and outputs are left out.
func (e event) history(withData bool) HistoryEvent {
	h := HistoryEvent{Id: &e.ID, PreviousEventId: &e.Prev, Type: &e.Type, Timestamp: &e.Time}
	if !withData {
		e.Data = nil
	}
	switch {
	case strings.HasSuffix(e.Type, "StateEntered"):
		h.StateEnteredEventDetails = &StateEnteredEventDetails{Name: &e.Name, Input: e.Data, InputDetails: e.details()}
	case strings.HasSuffix(e.Type, "StateExited"):
		h.StateExitedEventDetails = &StateExitedEventDetails{Name: &e.Name, Output: e.Data, OutputDetails: e.details()}
	case strings.HasPrefix(e.Type, "Execution"):
		e.execution(&h)
	case strings.HasPrefix(e.Type, "Lambda"):
		e.lambda(&h)
	case strings.HasPrefix(e.Type, "MapIteration"), e.Type == HistoryEventTypeMapStateStarted:
		e.mapping(&h)
	default:
		e.task(&h)
	}
	return h
}

// details says that an input or output is there in full, nil if there is none.
func (e event) details() *HistoryEventExecutionDataDetails {
	if e.Data == nil {
		return nil
	}
	return &HistoryEventExecutionDataDetails{Truncated: new(bool)}
}

func (e event) execution(h *HistoryEvent) {
	switch e.Type {
	case HistoryEventTypeExecutionStarted:
		h.ExecutionStartedEventDetails = &ExecutionStartedEventDetails{Input: e.Data, InputDetails: e.details(), RoleArn: &e.RoleARN}
	case HistoryEventTypeExecutionSucceeded:
		h.ExecutionSucceededEventDetails = &ExecutionSucceededEventDetails{Output: e.Data, OutputDetails: e.details()}
	case HistoryEventTypeExecutionFailed:
		h.ExecutionFailedEventDetails = &ExecutionFailedEventDetails{Error: e.Error, Cause: e.Cause}
	case HistoryEventTypeExecutionAborted:
		h.ExecutionAbortedEventDetails = &ExecutionAbortedEventDetails{Error: e.Error, Cause: e.Cause}
	case HistoryEventTypeExecutionTimedOut:
		h.ExecutionTimedOutEventDetails = &ExecutionTimedOutEventDetails{Error: e.Error, Cause: e.Cause}
	}
}

func (e event) lambda(h *HistoryEvent) {
	switch e.Type {
	case HistoryEventTypeLambdaFunctionScheduled:
		h.LambdaFunctionScheduledEventDetails = &LambdaFunctionScheduledEventDetails{Resource: &e.Resource, Input: e.Data, InputDetails: e.details(), TimeoutInSeconds: positive(e.Timeout)}
	case HistoryEventTypeLambdaFunctionSucceeded:
		h.LambdaFunctionSucceededEventDetails = &LambdaFunctionSucceededEventDetails{Output: e.Data, OutputDetails: e.details()}
	case HistoryEventTypeLambdaFunctionFailed:
		h.LambdaFunctionFailedEventDetails = &LambdaFunctionFailedEventDetails{Error: e.Error, Cause: e.Cause}
	case HistoryEventTypeLambdaFunctionTimedOut:
		h.LambdaFunctionTimedOutEventDetails = &LambdaFunctionTimedOutEventDetails{Error: e.Error, Cause: e.Cause}
	}
}

func (e event) mapping(h *HistoryEvent) {
	iteration := &MapIterationEventDetails{Name: &e.Name, Index: &e.Number}
	switch e.Type {
	case HistoryEventTypeMapStateStarted:
		h.MapStateStartedEventDetails = &MapStateStartedEventDetails{Length: &e.Number}
	case HistoryEventTypeMapIterationStarted:
		h.MapIterationStartedEventDetails = iteration
	case HistoryEventTypeMapIterationSucceeded:
		h.MapIterationSucceededEventDetails = iteration
	case HistoryEventTypeMapIterationFailed:
		h.MapIterationFailedEventDetails = iteration
	case HistoryEventTypeMapIterationAborted:
		h.MapIterationAbortedEventDetails = iteration
	}
}

func (e event) task(h *HistoryEvent) {
	switch e.Type {
	case HistoryEventTypeTaskScheduled:
		h.TaskScheduledEventDetails = &TaskScheduledEventDetails{ResourceType: &e.Service, Resource: &e.Resource, Region: &e.Region, Parameters: e.Data,
			TimeoutInSeconds: positive(e.Timeout), HeartbeatInSeconds: positive(e.Heartbeat)}
		if e.Data == nil {
			h.TaskScheduledEventDetails.Parameters = new(string) // a required member
		}
	case HistoryEventTypeTaskStarted:
		h.TaskStartedEventDetails = &TaskStartedEventDetails{ResourceType: &e.Service, Resource: &e.Resource}
	case HistoryEventTypeTaskSubmitted:
		h.TaskSubmittedEventDetails = &TaskSubmittedEventDetails{ResourceType: &e.Service, Resource: &e.Resource, Output: e.Data, OutputDetails: e.details()}
	case HistoryEventTypeTaskSucceeded:
		h.TaskSucceededEventDetails = &TaskSucceededEventDetails{ResourceType: &e.Service, Resource: &e.Resource, Output: e.Data, OutputDetails: e.details()}
	case HistoryEventTypeTaskFailed:
		h.TaskFailedEventDetails = &TaskFailedEventDetails{ResourceType: &e.Service, Resource: &e.Resource, Error: e.Error, Cause: e.Cause}
	case HistoryEventTypeTaskTimedOut:
		h.TaskTimedOutEventDetails = &TaskTimedOutEventDetails{ResourceType: &e.Service, Resource: &e.Resource, Error: e.Error, Cause: e.Cause}
	}
}

// positive is a number, nil for zero.
func positive(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}
