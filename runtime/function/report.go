package function

import (
	"fmt"
	"strings"
	"time"
)

// Lambda's own lines around what a function prints. Recorded answers:
//
//	START RequestId: … Version: $LATEST
//	END RequestId: …
//	REPORT RequestId: …	Duration: 1.79 ms	Billed Duration: 2 ms	Memory Size: 128 MB	Max Memory Used: 30 MB	Init Duration: 99.01 ms
//
// Status and Error Type follow when an invocation failed; see
// https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html. A function that could not be loaded says so before
// START: testdata/lines.txt has the lines that were seen on AWS, with their sources.

func endLine(requestID string) string { return "END RequestId: " + requestID }

// timeoutLine is what Lambda writes into the log of a function that it ended.
func timeoutLine(now time.Time, requestID string, after time.Duration) string {
	return fmt.Sprintf("%s %s Task timed out after %.2f seconds", now.UTC().Format(Stamp), requestID, after.Seconds())
}

// failureLine is what Lambda writes into the log where a runtime could not say by itself why it failed.
func failureLine(requestID, message, typ string) string {
	return "RequestId: " + requestID + " Error: " + message + "\n" + typ
}

// text ends as lines seen on AWS do. It leaves memory out where nobody knows it: a function inside the daemon has none of its own.
func (r report) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %d ms\tMemory Size: %d MB",
		r.RequestID, r.Metrics.Duration, r.Metrics.Billed, r.Metrics.Memory)
	if r.Metrics.MaxMemory > 0 {
		fmt.Fprintf(&b, "\tMax Memory Used: %d MB", r.Metrics.MaxMemory)
	}
	if r.Metrics.Init > 0 {
		fmt.Fprintf(&b, "\tInit Duration: %.2f ms", r.Metrics.Init)
	}
	last := "\t" // ends each line of a report of success, and none of a failure's
	if r.Status != statusSuccess {
		last = ending(r.Status, r.ErrorType)
	}
	b.WriteString(last)
	if r.Tracing != nil {
		fmt.Fprintf(&b, "\nXRAY TraceId: %s\tSegmentId: %s\tSampled: true",
			traceField(r.Tracing.Value, "Root"), r.Tracing.SpanID)
		if r.Status == statusSuccess {
			b.WriteString(last)
		}
	}
	return b.String()
}

// text is "" for an initialisation that went well: its duration is in the first invocation's report.
func (r initReport) text() string {
	if r.Status == statusSuccess && r.InitializationType == onDemand {
		return ""
	}
	line := fmt.Sprintf("INIT_REPORT Init Duration: %.2f ms\tPhase: %s", r.Metrics.Duration, r.Phase)
	if r.Status == statusSuccess {
		return line
	}
	return line + ending(r.Status, r.ErrorType)
}

// ending says how something ended, unless well.
func ending(status, errorType string) string {
	switch status {
	case statusSuccess:
		return ""
	case statusTimeout:
		return "\tStatus: timeout"
	}
	return "\tStatus: error\tError Type: " + errorType
}

// billed rounds up to the millisecond. Initialisation is billed too, since August 2025:
// https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/
func billed(d time.Duration) time.Duration {
	return (d + time.Millisecond - 1).Truncate(time.Millisecond)
}
