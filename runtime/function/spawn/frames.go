package spawn

import (
	"encoding/binary"
	"strings"
)

// A frame is what AWS's runtime clients write for a message of the log: four bytes that begin with a55a and say what else there
// is, four for the length of the message, eight for the time, and the message. Numbers are big-endian.
//
// https://github.com/aws/aws-lambda-java-libs (FramedTelemetryLogSink)
const (
	frameHeader = 16
	frameMagic  = 0xa55a
)

// unframe delivers the messages that are complete. What is no frame is delivered as it is.
func (o *output) unframe(b []byte) {
	o.partial = append(o.partial, b...)
	rest := o.partial
	for len(rest) >= frameHeader {
		size := int(binary.BigEndian.Uint32(rest[4:]))
		if binary.BigEndian.Uint16(rest) != frameMagic || size > longest {
			o.partial = nil
			o.split(rest)
			return
		}
		if len(rest)-frameHeader < size {
			break
		}
		o.line(strings.TrimRight(string(rest[frameHeader:frameHeader+size]), "\r\n"))
		rest = rest[frameHeader+size:]
	}
	o.partial = append(o.partial[:0], rest...)
}
