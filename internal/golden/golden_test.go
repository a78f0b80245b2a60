package golden

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// echo answers with what it was asked, and the time that has passed.
func echo(*testing.T) Stage {
	var passed time.Duration
	return Stage{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			w.WriteHeader(201)
			io.WriteString(w, r.Method+" "+r.URL.Path+" "+r.Header.Get("X-One")+" "+passed.String()+"\n"+string(b))
		}),
		Advance: func(d time.Duration) { passed += d },
	}
}

func TestConversation(t *testing.T) { Run(t, echo) }

func TestPretty(t *testing.T) {
	long := strings.Repeat("x", longLine)
	for _, tt := range []struct{ name, in, want string }{
		{"JSON loses its white space", "{ \"a\" :\n1 }\n", "{\"a\":1}\n"},
		{"long JSON has a line for each member", `{"a":"` + long + `","b":[1,{"c":2}]}`, "{\n  \"a\": \"" + long + "\",\n  \"b\": [1,{\"c\":2}]\n}\n"},
		{"and for each of theirs, where one is long", `[{"a":"` + long + `"},1]`, "[\n  {\n    \"a\": \"" + long + "\"\n  },\n  1\n]\n"},
		{"text ends in one line feed", "a\n\n", "a\n"},
		{"nothing is nothing", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := pretty([]byte(tt.in)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
