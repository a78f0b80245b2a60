package function

import (
	"encoding/json"
	"math"
	"strings"
	"time"
)

// Record is something that happened to a sandbox, as extensions are told of it and as a function's log has it in JSON.
//
// https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
type Record struct {
	Time      time.Time
	Type      string // "platform.start", or "function" and "extension" for what they print
	RequestID string // "" outside an invocation
	Record    any    // a line that was printed, or what becomes a JSON object
}

// What a platform event can say of how something ended.
const (
	statusSuccess = "success"
	statusError   = "error"
	statusTimeout = "timeout"
)

// Tracing is where an invocation belongs in X-Ray.
type Tracing struct {
	SpanID string `json:"spanId,omitempty"`
	Type   string `json:"type"`
	Value  string `json:"value"`
}

// span is a part of a phase.
type span struct {
	Name     string  `json:"name"`
	Start    string  `json:"start"`
	Duration float64 `json:"durationMs"`
}

// The records of platform events, by AWS's names.
type (
	initStart struct {
		InitializationType string `json:"initializationType"`
		Phase              string `json:"phase"`
		FunctionName       string `json:"functionName"`
		FunctionVersion    string `json:"functionVersion"`
		InstanceID         string `json:"instanceId"`
		InstanceMaxMemory  int64  `json:"instanceMaxMemory"` // bytes
	}
	initRuntimeDone struct {
		InitializationType string `json:"initializationType"`
		Phase              string `json:"phase"`
		Status             string `json:"status"`
		ErrorType          string `json:"errorType,omitempty"`
	}
	initReport struct {
		InitializationType string       `json:"initializationType"`
		Phase              string       `json:"phase"`
		Status             string       `json:"status"`
		ErrorType          string       `json:"errorType,omitempty"`
		Metrics            durationOnly `json:"metrics"`
	}
	durationOnly struct {
		Duration float64 `json:"durationMs"`
	}
	start struct {
		RequestID string   `json:"requestId"`
		ARN       string   `json:"functionArn,omitempty"`
		Version   string   `json:"version"`
		Tracing   *Tracing `json:"tracing,omitempty"`
	}
	runtimeDone struct {
		RequestID string   `json:"requestId"`
		Status    string   `json:"status"`
		ErrorType string   `json:"errorType,omitempty"`
		Metrics   produced `json:"metrics"`
		Spans     []span   `json:"spans,omitempty"`
		Tracing   *Tracing `json:"tracing,omitempty"`
	}
	produced struct {
		Duration float64 `json:"durationMs"`
		Bytes    int64   `json:"producedBytes"`
	}
	report struct {
		RequestID string        `json:"requestId"`
		Metrics   reportMetrics `json:"metrics"`
		Tracing   *Tracing      `json:"tracing,omitempty"`
		Status    string        `json:"status"`
		ErrorType string        `json:"errorType,omitempty"`
	}
	reportMetrics struct {
		Duration  float64 `json:"durationMs"`
		Billed    int64   `json:"billedDurationMs"`
		Memory    int     `json:"memorySizeMB"`
		MaxMemory int     `json:"maxMemoryUsedMB,omitempty"`
		Init      float64 `json:"initDurationMs,omitempty"`
	}
)

// Extension is the record of "platform.extension".
type Extension struct {
	Name      string   `json:"name"`
	State     string   `json:"state"` // "Ready", or what kept it from being
	Events    []string `json:"events"`
	ErrorType string   `json:"errorType,omitempty"`
}

// Subscription is the record of "platform.telemetrySubscription" and of "platform.logsSubscription".
type Subscription struct {
	Name  string   `json:"name"`
	State string   `json:"state"` // "Subscribed"
	Types []string `json:"types"`
}

// LogsDropped is the record of "platform.logsDropped".
type LogsDropped struct {
	Reason  string `json:"reason"`
	Records int    `json:"droppedRecords"`
	Bytes   int    `json:"droppedBytes"`
}

// level is how much somebody must want to know to see a record in a function's log.
type level int

const (
	levelDebug level = iota
	levelInfo
	levelWarn
)

// levels are the values of SystemLogLevel.
var levels = map[string]level{"DEBUG": levelDebug, "": levelInfo, "INFO": levelInfo, "WARN": levelWarn}

// levelOf says at which level Lambda logs a platform event.
//
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html (System log level event mapping)
func levelOf(record any) level {
	switch r := record.(type) {
	case initStart:
		return levelDebug // INFO where there is a version of the runtime, which we have none of
	case initRuntimeDone:
		return failedAt(r.Status, levelDebug)
	case initReport:
		if r.InitializationType != onDemand {
			return failedAt(r.Status, levelInfo)
		}
		return failedAt(r.Status, levelDebug)
	case runtimeDone:
		return failedAt(r.Status, levelDebug)
	case report:
		return failedAt(r.Status, levelInfo)
	case Extension:
		if r.ErrorType != "" {
			return levelWarn
		}
	case LogsDropped:
		return levelWarn
	}
	return levelInfo
}

func failedAt(status string, otherwise level) level {
	if status == statusSuccess {
		return otherwise
	}
	return levelWarn
}

// Stamp is how AWS writes times in logs and telemetry.
const Stamp = "2006-01-02T15:04:05.000Z"

// jsonLine is a record as a line of a log in JSON.
//
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
func (r Record) jsonLine() string {
	b, err := json.Marshal(struct {
		Time   string `json:"time"`
		Type   string `json:"type"`
		Record any    `json:"record"`
	}{r.Time.UTC().Format(Stamp), r.Type, r.Record})
	if err != nil {
		panic(err) // our own types always marshal
	}
	return string(b)
}

// textLine is a record as a line of a log in plain text, "" for one that has none there.
func (r Record) textLine() string {
	switch e := r.Record.(type) {
	case start:
		return "START RequestId: " + e.RequestID + " Version: " + e.Version
	case initReport:
		return e.text()
	case report:
		return e.text()
	case Extension:
		// Seen: "EXTENSION	Name: bootstrap	State: Ready	Events: [INVOKE, SHUTDOWN]" and, with a failure,
		// "EXTENSION	Name: x	State: LaunchError	Events: []	Error Type: PermissionDenied".
		line := "EXTENSION\tName: " + e.Name + "\tState: " + e.State + "\tEvents: [" + strings.Join(e.Events, ", ") + "]"
		if e.ErrorType != "" {
			line += "\tError Type: " + e.ErrorType
		}
		return line
	case Subscription:
		// Seen: "TELEMETRY	Name: datadog-agent	State: Subscribed	Types: [Platform, Function, Extension]".
		what := "TELEMETRY"
		if r.Type == "platform.logsSubscription" {
			what = "LOGS"
		}
		return what + "\tName: " + e.Name + "\tState: " + e.State + "\tTypes: [" + strings.Join(titled(e.Types), ", ") + "]"
	}
	return ""
}

func titled(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		if w != "" {
			out[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return out
}

// ms is a duration as telemetry has it: milliseconds, to the microsecond.
func ms(d time.Duration) float64 {
	return math.Round(float64(d)/float64(time.Microsecond)) / 1000
}

// tracing is the record of an X-Amzn-Trace-Id, nil for none.
func tracing(header string) *Tracing {
	if header == "" {
		return nil
	}
	t := &Tracing{Type: "X-Amzn-Trace-Id", Value: header}
	t.SpanID = traceField(header, "Parent")
	return t
}

func traceField(header, name string) string {
	for field := range strings.SplitSeq(header, ";") {
		if v, ok := strings.CutPrefix(field, name+"="); ok {
			return v
		}
	}
	return ""
}
