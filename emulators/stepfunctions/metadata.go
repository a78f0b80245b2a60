package stepfunctions

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"devstack/emulators/kit"
	"devstack/emulators/stepfunctions/value"
)

// headers are what an answer over HTTP would have carried, by service, in the order of AWS's results (recorded answers).
func headers(service string, size int, now time.Time, id string) [][2]string {
	length, date := strconv.Itoa(size), now.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")
	switch service {
	case "lambda":
		return [][2]string{{"X-Amz-Executed-Version", "$LATEST"}, {"x-amzn-Remapped-Content-Length", "0"}, {"Connection", "keep-alive"},
			{"x-amzn-RequestId", id}, {"Content-Length", length}, {"Date", date}, {"Content-Type", "application/json"}}
	case "dynamodb":
		return [][2]string{{"Server", "Server"}, {"Connection", "keep-alive"}, {"x-amzn-RequestId", id}, {"Content-Length", length}, {"Date", date},
			{"Content-Type", "application/x-amz-json-1.0"}}
	case "sns":
		return [][2]string{{"x-amzn-RequestId", id}, {"connection", "keep-alive"}, {"Content-Length", length}, {"Date", date}, {"Content-Type", "text/xml"}}
	}
	return [][2]string{{"x-amzn-RequestId", id}, {"connection", "keep-alive"}, {"Content-Length", length}, {"Date", date},
		{"Content-Type", "application/x-amz-json-1.0"}}
}

// withMetadata adds what optimised integrations tell of the answer besides its members: each header as a list and as a
// string, the latter in alphabetical order.
func withMetadata(answer *value.Object, service string, size int, now time.Time, id string) *value.Object {
	hs := headers(service, size, now, id)
	all, single := &value.Object{}, &value.Object{}
	for _, h := range hs {
		all.Set(h[0], []any{h[1]})
	}
	slices.SortFunc(hs, func(a, b [2]string) int { return strings.Compare(strings.ToLower(a[0]), strings.ToLower(b[0])) })
	for _, h := range hs {
		single.Set(h[0], h[1])
	}
	return answer.
		With("SdkHttpMetadata", value.NewObject("AllHttpHeaders", all, "HttpHeaders", single, "HttpStatusCode", value.Int(200))).
		With("SdkResponseMetadata", value.NewObject("RequestId", id))
}

// sorted puts the members of a result in AWS's order: the alphabet's.
func sorted(o *value.Object) *value.Object {
	out := &value.Object{}
	for _, k := range slices.Sorted(slices.Values(o.Keys())) {
		v, _ := o.Get(k)
		out.Set(k, v)
	}
	return out
}

// A task token is a prefix and random digits. AWS's are opaque as well.
const (
	tokenPrefix = "AQCoAAAAKgAAAAMAAAAAAAAAA"
	tokenDigits = 160
)

func newToken(ids kit.IDs) string { return tokenPrefix + ids.Hex(tokenDigits) }
