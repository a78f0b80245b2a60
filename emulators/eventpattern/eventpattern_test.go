package eventpattern

import "testing"

const event = `{
  "source": "aws.ec2", "odd": "a*\\", "detail": {"state": "running", "n": 3.0, "ip": "10.0.0.7", "tags": ["a", "b"], "gone": null, "items": [{"id": 1}, {"id": 2}]},
  "dynamodb": {"NewImage": {"status": {"S": "PLACED"}}}
}`

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		name    string
		pattern string
		want    bool
	}{
		{"an equal text", `{"source":["aws.ec2"]}`, true},
		{"one of several", `{"source":["aws.s3","aws.ec2"]}`, true},
		{"none of them", `{"source":["aws.s3"]}`, false},
		{"all fields must match", `{"source":["aws.ec2"],"detail":{"state":["stopped"]}}`, false},
		{"numbers by value", `{"detail":{"n":[3]}}`, true},
		{"an element of a list", `{"detail":{"tags":["b"]}}`, true},
		{"an object in a list", `{"detail":{"items":{"id":[2]}}}`, true},
		{"null", `{"detail":{"gone":[null]}}`, true},
		{"null is not absence", `{"detail":{"nothing":[null]}}`, false},
		{"exists", `{"detail":{"state":[{"exists":true}]}}`, true},
		{"exists not", `{"detail":{"nothing":[{"exists":false}]}}`, true},
		{"an object does not exist, being no leaf", `{"dynamodb":{"NewImage":{"status":[{"exists":false}]}}}`, true},
		{"nor does it exist", `{"dynamodb":{"NewImage":{"status":[{"exists":true}]}}}`, false},
		{"anything-but several prefixes", `{"source":[{"anything-but":{"prefix":["x","aws"]}}]}`, false},
		{"anything-but several suffixes", `{"source":[{"anything-but":{"suffix":["s3","sqs"]}}]}`, true},
		{"exists not, below what is not there", `{"nothing":{"at":{"all":[{"exists":false}]}}}`, true},
		{"a prefix", `{"source":[{"prefix":"aws."}]}`, true},
		{"a prefix whatever its case", `{"source":[{"prefix":{"equals-ignore-case":"AWS."}}]}`, true},
		{"a suffix", `{"source":[{"suffix":"s3"}]}`, false},
		{"equals-ignore-case", `{"source":[{"equals-ignore-case":"AWS.EC2"}]}`, true},
		{"a wildcard", `{"source":[{"wildcard":"a*.e*2"}]}`, true},
		{"a wildcard that is a star", `{"source":[{"wildcard":"aws\\*"}]}`, false},
		{"a backslash and a star that stand for themselves", `{"odd":[{"wildcard":"*\\*\\\\"}]}`, true},
		{"anything-but", `{"source":[{"anything-but":["aws.s3"]}]}`, true},
		{"anything-but a prefix", `{"source":[{"anything-but":{"prefix":"aws"}}]}`, false},
		{"anything-but needs something", `{"nothing":[{"anything-but":"x"}]}`, false},
		{"a range", `{"detail":{"n":[{"numeric":[">",2,"<=",3]}]}}`, true},
		{"outside it", `{"detail":{"n":[{"numeric":[">",3]}]}}`, false},
		{"cidr", `{"detail":{"ip":[{"cidr":"10.0.0.0/24"}]}}`, true},
		{"$or", `{"$or":[{"source":["x"]},{"detail":{"state":["running"]}}]}`, true},
		{"$or beside a field", `{"source":["x"],"$or":[{"detail":{"state":["running"]}}]}`, false},
		{"a stream's image", `{"dynamodb":{"NewImage":{"status":{"S":["PLACED"]}}}}`, true},
	} {
		p, err := Parse([]byte(tt.pattern))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		} else if got := p.Match([]byte(event)); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, bad := range []string{
		``, `[]`, `{"a":1}`, `{"a":[]}`, `{"a":[[1]]}`, `{"a":[{"x":1}]}`, `{"a":[{"prefix":1}]}`, `{"a":[{"numeric":["~",1]}]}`, `{"a":[{"numeric":[">"]}]}`,
		`{"a":[{"exists":1}]}`, `{"a":[{"prefix":"a","suffix":"b"}]}`, `{"a":[{"cidr":"x"}]}`, `{"$or":[1]}`, `{"a":["b"]} x`, `{"a":[{"wildcard":"a**"}]}`, `{"a":[{"wildcard":"\\a"}]}`, `{"eventName": ["INSERT"=123}`,
	} {
		if _, err := Parse([]byte(bad)); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

func FuzzMatch(f *testing.F) {
	f.Add(`{"detail":{"n":[{"numeric":[">",2,"<=",3]}],"$or":[{"a":[1]}]}}`, event)
	f.Add(`{"a":[{"anything-but":{"wildcard":"*x*"}}]}`, `{"a":[{},[],null]}`)
	f.Fuzz(func(_ *testing.T, pattern, event string) {
		if p, err := Parse([]byte(pattern)); err == nil {
			p.Match([]byte(event))
		}
	})
}
