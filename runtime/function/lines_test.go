package function

import (
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// seen reads the corpus of lines.
func seen(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/lines.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for line := range strings.SplitSeq(string(text), "\n") {
		switch {
		case strings.HasPrefix(line, "="):
			out = append(out, line[1:])
		case strings.HasPrefix(line, "+"):
			out[len(out)-1] += "\n" + line[1:]
		}
	}
	if len(out) < 20 {
		t.Fatalf("%d lines", len(out))
	}
	return out
}

var (
	reportParts = regexp.MustCompile(`^REPORT RequestId: (\S+)\tDuration: (\S+) ms\tBilled Duration: (\d+) ms\tMemory Size: (\d+) MB\tMax Memory Used: (\d+) MB` +
		`(?:\tInit Duration: (\S+) ms)?\t?(?:Status: (\w+))?(?:\tError Type: (\S+))?(?:\nXRAY TraceId: (\S+)\tSegmentId: (\S+)\tSampled: true\t?)?$`)
	initParts      = regexp.MustCompile(`^INIT_REPORT Init Duration: (\S+) ms\tPhase: (\w+)\tStatus: (\w+)(?:\tError Type: (\S+))?$`)
	timeoutParts   = regexp.MustCompile(`^(\S+Z) (\S+) Task timed out after (\S+) seconds$`)
	failureParts   = regexp.MustCompile(`^RequestId: (\S+) Error: (.*)\n(\S+)$`)
	startParts     = regexp.MustCompile(`^START RequestId: (\S+) Version: (\S+)$`)
	extensionParts = regexp.MustCompile(`^EXTENSION\tName: (\S+)\tState: (\w+)\tEvents: \[(.*)\](?:\tError Type: (\S+))?$`)
	telemetryParts = regexp.MustCompile(`^TELEMETRY\tName: (\S+)\tState: (\w+)\tTypes: \[(.*)\]$`)
)

// rewrite takes a line apart and has our own code write it.
func rewrite(t *testing.T, line string) string {
	t.Helper()
	number := func(s string) float64 {
		if s == "" {
			return 0
		}
		n, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Error(err)
		}
		return n
	}
	list := func(s string) []string {
		if s == "" {
			return nil
		}
		return strings.Split(s, ", ")
	}
	if m := reportParts.FindStringSubmatch(line); m != nil {
		r := report{RequestID: m[1], Status: m[7], ErrorType: m[8]}
		if r.Status == "" {
			r.Status = statusSuccess
		}
		r.Metrics = reportMetrics{number(m[2]), int64(number(m[3])), int(number(m[4])), int(number(m[5])), number(m[6])}
		if m[9] != "" {
			r.Tracing = tracing("Root=" + m[9] + ";Parent=" + m[10] + ";Sampled=1")
		}
		return Record{Record: r}.textLine()
	}
	if m := initParts.FindStringSubmatch(line); m != nil {
		return Record{Record: initReport{onDemand, m[2], m[3], m[4], durationOnly{number(m[1])}}}.textLine()
	}
	if m := timeoutParts.FindStringSubmatch(line); m != nil {
		at, err := time.Parse(time.RFC3339, m[1])
		if err != nil {
			t.Error(err)
		}
		return timeoutLine(at, m[2], time.Duration(number(m[3])*float64(time.Second)))
	}
	if m := failureParts.FindStringSubmatch(line); m != nil {
		return failureLine(m[1], m[2], m[3])
	}
	if m := startParts.FindStringSubmatch(line); m != nil {
		return Record{Record: start{RequestID: m[1], Version: m[2]}}.textLine()
	}
	if m := extensionParts.FindStringSubmatch(line); m != nil {
		return Record{Record: Extension{m[1], m[2], list(m[3]), m[4]}}.textLine()
	}
	if m := telemetryParts.FindStringSubmatch(line); m != nil {
		return Record{Type: "platform.telemetrySubscription", Record: Subscription{m[1], m[2], list(strings.ToLower(m[3]))}}.textLine()
	}
	if id, ok := strings.CutPrefix(line, "END RequestId: "); ok {
		return endLine(id)
	}
	t.Errorf("nothing of ours writes\n%s", line)
	return ""
}

// records are our own types by their names.
var records = map[string]any{
	"platform.initRuntimeDone": initRuntimeDone{}, "platform.initReport": initReport{}, "platform.start": start{}, "platform.report": report{},
}

// rewriteJSON has our own types take a line in JSON and write it.
func rewriteJSON(t *testing.T, line string) string {
	t.Helper()
	var event struct {
		Time   time.Time
		Type   string
		Record json.RawMessage
	}
	if err := json.Unmarshal([]byte(line), &event); err != nil {
		t.Fatal(err)
	}
	kind := records[event.Type]
	if kind == nil {
		t.Fatalf("nothing of ours writes %s", event.Type)
	}
	p := reflect.New(reflect.TypeOf(kind))
	if err := json.Unmarshal(event.Record, p.Interface()); err != nil {
		t.Fatal(err)
	}
	return Record{Time: event.Time, Type: event.Type, Record: p.Elem().Interface()}.jsonLine()
}

func TestLinesAreThoseSeenOnAWS(t *testing.T) {
	for _, line := range seen(t) {
		write := rewrite
		if strings.HasPrefix(line, "{") {
			write = rewriteJSON
		}
		if got := write(t, line); got != line {
			t.Errorf("we write\n%q, AWS\n%q", got, line)
		}
	}
}

// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
func TestPlatformEventsHaveTheLevelsOfTheGuide(t *testing.T) {
	for _, tt := range []struct {
		name   string
		record any
		want   level
	}{
		{"initStart without a version of the runtime", initStart{}, levelDebug},
		{"initRuntimeDone of success", initRuntimeDone{Status: "success"}, levelDebug},
		{"initRuntimeDone of failure", initRuntimeDone{Status: "error"}, levelWarn},
		{"initReport on demand", initReport{InitializationType: "on-demand", Status: "success"}, levelDebug},
		{"initReport of provisioned concurrency", initReport{InitializationType: "provisioned-concurrency", Status: "success"}, levelInfo},
		{"initReport of a timeout", initReport{InitializationType: "on-demand", Status: "timeout"}, levelWarn},
		{"start", start{}, levelInfo},
		{"runtimeDone of success", runtimeDone{Status: "success"}, levelDebug},
		{"runtimeDone of failure", runtimeDone{Status: "error"}, levelWarn},
		{"report of success", report{Status: "success"}, levelInfo},
		{"report of a timeout", report{Status: "timeout"}, levelWarn},
		{"extension that is ready", Extension{State: "Ready"}, levelInfo},
		{"extension that failed", Extension{State: "LaunchError", ErrorType: "x"}, levelWarn},
		{"subscription", Subscription{}, levelInfo},
		{"dropped logs", LogsDropped{}, levelWarn},
	} {
		if got := levelOf(tt.record); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}
