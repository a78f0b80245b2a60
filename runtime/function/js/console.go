package js

import (
	"strings"

	"github.com/dop251/goja"
)

// logLine prints one entry as Lambda's Node runtime does: instant, request id, level, message, between tabs. Outside an
// invocation the request id is the word undefined.
//
// https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html
func (s *sandbox) logLine(level, message string) {
	id := s.requestID()
	shown := id
	if shown == "" {
		shown = "undefined"
	}
	at := s.engine.opts.Clock.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	s.log(id, at+"\t"+shown+"\t"+level+"\t"+message)
}

func (s *sandbox) requestID() string {
	if s.event == nil {
		return ""
	}
	return s.event.RequestID
}

// hostLog implements host.log(level, message).
func (s *sandbox) hostLog(call goja.FunctionCall) goja.Value {
	s.logLine(call.Argument(0).String(), call.Argument(1).String())
	return goja.Undefined()
}

// hostWrite implements host.write(text): process.stdout and stderr, which have no prefix. It ends lines that are not ended.
func (s *sandbox) hostWrite(call goja.FunctionCall) goja.Value {
	for line := range strings.SplitSeq(strings.TrimSuffix(call.Argument(0).String(), "\n"), "\n") {
		s.log(s.requestID(), line)
	}
	return goja.Undefined()
}
