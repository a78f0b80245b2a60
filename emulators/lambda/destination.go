package lambda

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"devstack/emulators/deliver"
)

// outcomeRecord is what a destination is told of an asynchronous event that is over, or of a batch that was given up.
//
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
type outcomeRecord struct {
	Version         string           `json:"version"`
	Timestamp       string           `json:"timestamp"`
	RequestContext  requestOutcome   `json:"requestContext"`
	RequestPayload  json.RawMessage  `json:"requestPayload,omitempty"`
	ResponseContext *responseOutcome `json:"responseContext,omitempty"`
	ResponsePayload json.RawMessage  `json:"responsePayload,omitempty"`
}

type requestOutcome struct {
	RequestID    string `json:"requestId"`
	FunctionARN  string `json:"functionArn"` // with its qualifier
	Condition    string `json:"condition"`
	ApproxInvoke int    `json:"approximateInvokeCount"`
}

type responseOutcome struct {
	StatusCode      int     `json:"statusCode"`
	ExecutedVersion string  `json:"executedVersion"`
	FunctionError   *string `json:"functionError,omitempty"`
}

// recordTime is how records write an instant. Recorded: "2022-07-13T13:48:01.000Z".
const recordTime = "2006-01-02T15:04:05.000Z"

// newOutcomeRecord describes an event that is over.
func newOutcomeRecord(e *event, payload []byte, now time.Time) outcomeRecord {
	r := outcomeRecord{
		Version: "1.0", Timestamp: now.UTC().Format(recordTime), RequestPayload: payload,
		RequestContext: requestOutcome{RequestID: e.ID, FunctionARN: e.target().named(), Condition: e.Over, ApproxInvoke: e.Attempts},
	}
	if e.Last != nil {
		r.ResponseContext = &responseOutcome{StatusCode: 200, ExecutedVersion: e.Last.Version}
		if e.Last.Failed {
			r.ResponseContext.FunctionError = new(unhandled)
		}
		if json.Valid(e.Last.Response) {
			r.ResponsePayload = e.Last.Response
		}
	}
	return r
}

// named is the target's ARN, with $LATEST where it names no version.
func (t target) named() string {
	if t.Qualifier == "" {
		t.Qualifier = latest
	}
	return t.arn()
}

// tells reports whether somebody is told of an event that is over.
func (s *Service) tells(e *event, settings *eventSettings) bool {
	if settings.destination(e.Over) != "" {
		return true
	}
	if e.Over == succeeded {
		return false
	}
	c, err := s.callee(e.target())
	return err == nil && c.deadLetter() != ""
}

// conclude tells of an event that is over: its destination, and of one that was given up the function's dead-letter queue too. Then the
// event is forgotten.
func (s *Service) conclude(ctx context.Context, e *event) {
	settings := s.eventSettings(e.target())
	payload, err := s.payload(e)
	if err != nil {
		s.Log.Error("an asynchronous event cannot be read", "function", e.Function, "error", err)
		return
	}
	if to := settings.destination(e.Over); to != "" {
		s.send(ctx, e.target(), to, e.message(payload, to, s.Clock.Now()))
	}
	if e.Over != succeeded {
		if c, err := s.callee(e.target()); err == nil && c.deadLetter() != "" {
			s.send(ctx, e.target(), c.deadLetter(), e.deadLetter(payload))
		}
		s.Log.Warn("an asynchronous event is given up", "function", e.Function, "condition", e.Over, "attempts", e.Attempts, "requestId", e.ID)
	}
	if ctx.Err() == nil {
		s.drop(e) // else the next process tells again: once too often rather than never
	}
}

// message is the event's record on its way to a destination.
func (e *event) message(payload []byte, to string, now time.Time) deliver.Message {
	body, _ := json.Marshal(newOutcomeRecord(e, payload, now)) // the payload was JSON when it was accepted
	result := "Failure"
	if e.Over == succeeded {
		result = "Success"
	}
	return deliver.Message{
		Body: string(body), Source: "lambda", DetailType: "Lambda Function Invocation Result - " + result,
		Resources: []string{e.target().named(), to},
		Key:       "aws/lambda/async/" + e.Function + now.UTC().Format("/2006/01/02/2006-01-02T15.04.05-") + e.ID,
	}
}

// checkDeadLetter refuses a dead-letter queue that nothing could be sent to: it is a queue or a topic that exists.
func (s *Service) checkDeadLetter(ctx context.Context, c *DeadLetterConfig) error {
	if c == nil || deref(c.TargetArn) == "" {
		return nil
	}
	switch deliver.Service(*c.TargetArn) {
	case "sqs", "sns":
		return s.probe(ctx, *c.TargetArn)
	}
	return byUser(errInvalidParameterValueException(msgNoDestination, *c.TargetArn)) // a guess
}

// maxErrorMessage is how much of an error's message a dead letter has, in bytes.
const maxErrorMessage = 1 << 10

// deadLetter is the event as a dead-letter queue has it: what it carried, and why it was given up in attributes.
//
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-dlq
func (e *event) deadLetter(payload []byte) deliver.Message {
	m := deliver.Message{Body: string(payload), Attributes: []deliver.Attribute{{Name: "RequestID", Type: "String", Value: e.ID}}}
	if e.Last == nil {
		return m
	}
	var failure struct{ ErrorMessage string }
	_ = json.Unmarshal(e.Last.Response, &failure) // a runtime may fail with anything
	m.Attributes = append(m.Attributes, deliver.Attribute{Name: "ErrorCode", Type: "Number", Value: strconv.Itoa(200)})
	if text := clip(failure.ErrorMessage, maxErrorMessage); text != "" { // no attribute is empty
		m.Attributes = append(m.Attributes, deliver.Attribute{Name: "ErrorMessage", Type: "String", Value: text})
	}
	return m
}

// clip is a text's beginning of at most n bytes, without half a character at its end.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.Clone(s[:n])
}

// send delivers a message for a function. What it cannot deliver is lost, as on AWS, and the operator hears of it: of a service that is
// not emulated once.
func (s *Service) send(ctx context.Context, of target, to string, m deliver.Message) {
	err := deliver.To(ctx, s.AWS, to, m)
	switch {
	case err == nil || ctx.Err() != nil:
	case deliver.Unavailable(err):
		if service := deliver.Service(to); s.toldOnce(service) {
			s.Log.Error("what functions should tell a service is lost: devstack does not emulate it", "service", service, "function", of.Name, "to", to, "error", err)
		}
	default:
		s.Log.Error("a function's destination refuses its record, which is lost", "function", of.Name, "to", to, "error", err)
	}
}

// toldOnce reports whether the operator has not been told of a service yet.
func (s *Service) toldOnce(service string) bool {
	_, told := s.told.LoadOrStore(service, true)
	return !told
}
