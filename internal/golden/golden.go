// Package golden plays conversations: text files of HTTP requests and the replies that a handler must give to them.
//
//	Text before the first section says what the file shows, and where the facts are from.
//
//	-- request --
//	X-Amz-Target: AmazonSQS.GetQueueUrl
//	{"QueueName":"nowhere"}
//	-- reply 400 --
//	{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}
//	-- advance 30s --
//
// A request is POST / unless its section says otherwise ("-- request GET /path --"). Its header ends at the first line that is
// not "Name: value", or after an empty line. A reply that is JSON is compared, and written, without regard to white space;
// a long one is written with a line for each member. go test -update writes the replies that the handler gives.
package golden

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var rewrite = flag.Bool("update", false, "write the replies of golden conversations")

// Stage is what a conversation is played on. Clock and identifiers must be fixed, so that it is the same each time.
type Stage struct {
	Handler http.Handler
	Advance func(time.Duration) // carries out "-- advance 30s --"; nil if the handler knows no time
}

// Run plays each conversation of testdata/*.txt on a stage of its own.
func Run(t *testing.T, open func(t *testing.T) Stage) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations in testdata (%v)", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, open(t), parse(string(b)))
			if !*rewrite {
				return
			}
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// section is one part of a conversation. The first has no title.
type section struct {
	title string // "request", "reply 200"
	text  string
	line  int // of the title in the file
}

var title = regexp.MustCompile(`^-- (.+) --\n?$`)

func parse(file string) []section {
	sections, line := []section{{}}, 0
	for text := range strings.Lines(file) {
		line++
		if m := title.FindStringSubmatch(text); m != nil {
			sections = append(sections, section{title: m[1], line: line})
			continue
		}
		sections[len(sections)-1].text += text
	}
	return sections
}

// play carries out a conversation, reports the replies that differ, and returns the file as it should be.
func play(t *testing.T, stage Stage, sections []section) string {
	t.Helper()
	out := &strings.Builder{}
	out.WriteString(sections[0].text)
	var reply *httptest.ResponseRecorder
	for _, s := range sections[1:] {
		verb, rest, _ := strings.Cut(s.title, " ")
		switch verb {
		case "request":
			fmt.Fprintf(out, "-- %s --\n%s", s.title, s.text)
			reply = httptest.NewRecorder()
			stage.Handler.ServeHTTP(reply, newRequest(t, rest, s.text))
		case "reply":
			if reply == nil {
				t.Fatalf("line %d: a reply without a request", s.line)
			}
			got := section{title: fmt.Sprintf("reply %d", reply.Code), text: pretty(reply.Body.Bytes())}
			if !*rewrite && (got.title != s.title || got.text != pretty([]byte(s.text))) {
				t.Errorf("line %d:\n got -- %s --\n%s\nwant -- %s --\n%s", s.line, got.title, got.text, s.title, s.text)
			}
			fmt.Fprintf(out, "-- %s --\n%s", got.title, got.text)
			reply = nil
		case "advance":
			d, err := time.ParseDuration(rest)
			if err != nil {
				t.Fatalf("line %d: %v", s.line, err)
			}
			stage.Advance(d)
			fmt.Fprintf(out, "-- %s --\n%s", s.title, s.text)
		default:
			t.Fatalf("line %d: a section is a request, a reply or an advance", s.line)
		}
	}
	return out.String()
}

var header = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9-]*): (.*)$`)

func newRequest(t *testing.T, what, text string) *http.Request {
	t.Helper()
	method, path, ok := strings.Cut(what, " ")
	if !ok {
		method, path = "POST", "/"
	}
	h := http.Header{}
	for text != "" {
		line, rest, _ := strings.Cut(text, "\n")
		m := header.FindStringSubmatch(line)
		if m == nil {
			if line == "" {
				text = rest
			}
			break
		}
		h.Add(m[1], m[2])
		text = rest
	}
	r := httptest.NewRequest(method, path, strings.NewReader(strings.TrimSuffix(text, "\n")))
	r.Header = h
	if host := h.Get("Host"); host != "" {
		r.Host = host
	}
	return r
}

// longLine is how long a line of a reply may be, where it can be broken.
const longLine = 120

// pretty writes a reply in the one way in which it is compared.
func pretty(body []byte) string {
	var b bytes.Buffer
	if json.Compact(&b, body) != nil {
		if text := strings.TrimRight(string(body), "\n"); text != "" {
			return text + "\n"
		}
		return ""
	}
	return wrapped(b.Bytes(), "", 0) + "\n"
}

// wrapped breaks compact JSON that is too long for a line after each of its members. before is how long the line is that it
// is written on already.
func wrapped(v json.RawMessage, indent string, before int) string {
	if before+len(v) <= longLine || v[0] != '{' && v[0] != '[' {
		return string(v)
	}
	inner := indent + "  "
	var b strings.Builder
	b.WriteByte(v[0])
	for i, m := range members(v) {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n" + inner + m.name + wrapped(m.value, inner, len(inner)+len(m.name)))
	}
	b.WriteString("\n" + indent + string(v[len(v)-1]))
	return b.String()
}

// member is a member of an object, with its name as it is written, or an element of an array.
type member struct {
	name  string
	value json.RawMessage
}

// members takes apart an object or an array that is known to be JSON.
func members(v json.RawMessage) (out []member) {
	d := json.NewDecoder(bytes.NewReader(v))
	_, err := d.Token() // the bracket
	for err == nil && d.More() {
		var m member
		if v[0] == '{' {
			var name json.Token
			name, err = d.Token()
			quoted, _ := json.Marshal(name)
			m.name = string(quoted) + ": "
		}
		if err == nil {
			err = d.Decode(&m.value)
		}
		out = append(out, m)
	}
	return out
}
