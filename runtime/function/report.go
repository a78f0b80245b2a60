package function

import (
	"fmt"
	"strings"
	"time"

	"devstack/runtime/config"
)

// Lambda's own lines around what a function prints. Recorded answer:
//
//	START RequestId: … Version: $LATEST
//	END RequestId: …
//	REPORT RequestId: …	Duration: 1.79 ms	Billed Duration: 2 ms	Memory Size: 128 MB	Max Memory Used: 30 MB	Init Duration: 99.01 ms
//
// Status and Error Type follow when an invocation failed; see
// https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html.

func startLine(requestID string, fn *config.Function) string {
	return "START RequestId: " + requestID + " Version: " + fn.VersionName()
}

func endLine(requestID string) string { return "END RequestId: " + requestID }

// timeoutLine is what Lambda writes into the log of a function that it ended.
func timeoutLine(now time.Time, requestID string, after time.Duration) string {
	return fmt.Sprintf("%s %s Task timed out after %.2f seconds", now.UTC().Format("2006-01-02T15:04:05.000Z"), requestID, after.Seconds())
}

// reportLine leaves memory out where nobody knows it: a function inside the daemon has none of its own.
func reportLine(o *Outcome, memory int, failure string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "REPORT RequestId: %s\tDuration: %s ms\tBilled Duration: %d ms\tMemory Size: %d MB",
		o.RequestID, milliseconds(o.Duration), o.Billed.Milliseconds(), memory)
	if o.MaxMemory > 0 {
		fmt.Fprintf(&b, "\tMax Memory Used: %d MB", o.MaxMemory)
	}
	if o.InitDuration > 0 {
		fmt.Fprintf(&b, "\tInit Duration: %s ms", milliseconds(o.InitDuration))
	}
	switch failure {
	case "":
	case "Sandbox.Timedout":
		b.WriteString("\tStatus: timeout")
	default:
		b.WriteString("\tStatus: error\tError Type: " + failure)
	}
	return b.String()
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.2f", float64(d)/float64(time.Millisecond))
}

// billed rounds up to the millisecond. Initialisation is billed too, since August 2025:
// https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/
func billed(d time.Duration) time.Duration {
	return (d + time.Millisecond - 1).Truncate(time.Millisecond)
}
