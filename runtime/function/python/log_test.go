package python_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"devstack/runtime/function/functiontest"
)

// own are a request's log lines without Lambda's.
func own(p *functiontest.Project, requestID string) []string {
	return slices.DeleteFunc(p.Lines(requestID), func(l string) bool {
		return strings.HasPrefix(l, "START ") || strings.HasPrefix(l, "END ") || strings.HasPrefix(l, "REPORT ") || strings.Contains(l, `"platform.`)
	})
}

// https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html, and lambda_runtime_log_utils of AWS's runtime interface client
func TestTheLogInJSON(t *testing.T) {
	for _, tt := range []struct{ name, call, want string }{
		{"a text", `log.info("hello %s", "you")`, `{"level":"INFO","logger":"mine","message":"hello you"}`},
		{"an object, as it is", `log.warning({"a": [1]})`, `{"level":"WARNING","logger":"mine","message":{"a":[1]}}`},
		{"several lines", `log.error("a\nb")`, `{"level":"ERROR","logger":"mine","message":"a\nb"}`},
		{"more attributes", `log.critical("m", extra={"order": 7, "odd": {1}})`, `{"level":"CRITICAL","logger":"mine","message":"m","odd":"{1}","order":7}`},
		{"a level of its own", `log.log(35, "m")`, `{"level":"WARNING","logger":"mine","message":"m"}`},
		{"what is below the level", `log.debug("m"); log.info("n")`, `{"level":"INFO","logger":"mine","message":"n"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := one(t, "import logging\nlog = logging.getLogger('mine')\ndef lambda_handler(event, context):\n    "+tt.call+"\n")
			p.Function.Environment = map[string]string{"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "INFO"}
			p.Put(t)
			out := p.Want(t, `{}`, `null`)
			lines := own(p, out.RequestID)
			if len(lines) != 1 {
				t.Fatalf("%d lines: %q", len(lines), lines)
			}
			var got map[string]any
			if err := json.Unmarshal([]byte(lines[0]), &got); err != nil {
				t.Fatalf("%s: %v", lines[0], err)
			}
			if got["requestId"] != out.RequestID {
				t.Errorf("the request id is %v", got["requestId"])
			}
			if at, _ := got["timestamp"].(string); !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`).MatchString(at) {
				t.Errorf("the time is %q", at)
			}
			delete(got, "requestId")
			delete(got, "timestamp")
			if b, err := json.Marshal(got); err != nil || string(b) != tt.want {
				t.Errorf("logged %s, want %s (%v)", b, tt.want, err)
			}
		})
	}
}

func TestExceptionsInTheLogInJSON(t *testing.T) {
	p := one(t, "import logging\ndef lambda_handler(event, context):\n    try:\n        raise KeyError('k')\n    except KeyError:\n        logging.exception('caught')\n    raise RuntimeError('boom')\n")
	p.Function.Environment = map[string]string{"AWS_LAMBDA_LOG_FORMAT": "JSON"}
	p.Put(t)
	out, _, _ := p.Fails(t, `{}`)
	lines := own(p, out.RequestID)
	for i, want := range []string{
		`^\{"timestamp": "[-0-9T:]+Z", "level": "ERROR", "message": "caught", "logger": "root", "stackTrace": \["  File .*lambda_function.py\\", line 4, in lambda_handler.*"\], "errorType": "KeyError", "errorMessage": "'k'", "requestId": "` +
			out.RequestID + `", "location": ".*/lambda_function.py:lambda_handler:6"\}$`,
		`^\{"timestamp": "[-0-9T:]+Z", "level": "ERROR", "errorMessage": "boom", "errorType": "RuntimeError", "requestId": "` + out.RequestID +
			`", "stackTrace": \["  File .*lambda_function.py\\", line 7, in lambda_handler.*"\]\}$`,
	} {
		if i >= len(lines) || !regexp.MustCompile(want).MatchString(lines[i]) {
			t.Errorf("the log is %q, want at %d %s", lines, i, want)
		}
	}
}

func TestTheLevelOfTheLog(t *testing.T) {
	const source = "import logging\nlog = logging.getLogger()\ndef lambda_handler(event, context):\n    for l in ['debug', 'info', 'warning', 'error', 'critical']:\n        getattr(log, l)(l)\n"
	for level, want := range map[string]string{
		"": "warning error critical", "TRACE": "debug info warning error critical", "DEBUG": "debug info warning error critical", "info": "info warning error critical",
		"ERROR": "error critical", "FATAL": "critical", "NONSENSE": "warning error critical",
	} {
		p := one(t, source)
		if level != "" {
			p.Function.Environment = map[string]string{"AWS_LAMBDA_LOG_LEVEL": level}
		}
		p.Put(t)
		out := p.Want(t, `{}`, `null`)
		var got []string
		for _, line := range own(p, out.RequestID) {
			got = append(got, line[strings.LastIndexByte(line, '\t')+1:])
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("with level %q the log has %s, want %s", level, s, want)
		}
	}
}

func TestLinesOfManyThreadsAreWhole(t *testing.T) {
	p := one(t, "import threading\ndef lambda_handler(event, context):\n    def many(c):\n        for _ in range(200):\n            print(c * 50)\n"+
		"    threads = [threading.Thread(target=many, args=(c,)) for c in 'abcd']\n    [t.start() for t in threads]\n    [t.join() for t in threads]\n")
	p.Put(t)
	out := p.Want(t, `{}`, `null`)
	whole := 0
	for _, line := range own(p, out.RequestID) {
		if len(line) > 0 && line == strings.Repeat(line[:1], 50) {
			whole++
		}
	}
	if whole != 800 {
		t.Errorf("%d of 800 lines are whole", whole)
	}
}

func TestMoreOfTheContext(t *testing.T) {
	s := "def lambda_handler(event, c):\n    c.log('said')\n    return [c.w3c(), c.tenant_id, repr(c).startswith('LambdaContext([aws_request_id='), 'deadline' in repr(c)]\n"
	p := one(t, s)
	p.Put(t)
	out := p.Want(t, `{}`, `[{},null,true,false]`)
	if lines := own(p, out.RequestID); len(lines) != 1 || lines[0] != "said" {
		t.Errorf("the log is %q", lines)
	}
}
