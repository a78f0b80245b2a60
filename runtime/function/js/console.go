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

// hostLogging implements host.logging() → [format, least level]: "JSON" or "Text", and "" for all levels.
//
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
func (s *sandbox) hostLogging(goja.FunctionCall) goja.Value {
	format, level := s.fn.LogFormat, s.fn.ApplicationLogLevel
	for _, kv := range s.env {
		switch k, v, _ := strings.Cut(kv, "="); k {
		case "AWS_LAMBDA_LOG_FORMAT":
			format = v
		case "AWS_LAMBDA_LOG_LEVEL":
			level = v
		}
	}
	if !strings.EqualFold(format, "JSON") {
		format = "Text"
		if s.fn.LogFormat == "" && level == s.fn.ApplicationLogLevel {
			level = "" // a level is the format JSON's only
		}
	} else if format = "JSON"; level == "" {
		level = "INFO"
	}
	return s.rt.NewArray(format, strings.ToUpper(level))
}

// hostRequestID implements host.requestId(): undefined outside an invocation.
func (s *sandbox) hostRequestID(goja.FunctionCall) goja.Value {
	if id := s.requestID(); id != "" {
		return s.rt.ToValue(id)
	}
	return goja.Undefined()
}
