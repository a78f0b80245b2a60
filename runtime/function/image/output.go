package image

import (
	"bytes"
	"strings"
	"sync/atomic"
)

// output cuts what a container writes into lines and gives each to the request during which it comes, or that was the last
// one before it. It has one writer at a time.
type output struct {
	log     func(requestID, line string)
	request atomic.Pointer[string]
	partial []byte
}

// longest is the number of bytes after which a line is delivered even if it has no end: the size of the largest event
// that CloudWatch Logs takes. https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
const longest = 1 << 20

func newOutput(log func(requestID, line string)) *output {
	o := &output{log: log}
	o.request.Store(new(string))
	return o
}

// Write takes a part of the output.
func (o *output) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		o.partial = append(o.partial, line...)
		if o.partial[len(o.partial)-1] == '\n' || len(o.partial) >= longest {
			o.Close()
		}
	}
	return len(p), nil
}

// Close delivers a last line that has no end.
func (o *output) Close() error {
	if len(o.partial) > 0 {
		text := strings.TrimSuffix(strings.TrimSuffix(string(o.partial), "\n"), "\r")
		o.partial = o.partial[:0]
		o.log(*o.request.Load(), text)
	}
	return nil
}
