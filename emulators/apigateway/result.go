package apigateway

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
)

// result is what a function says the answer is.
type result struct {
	status  int
	headers map[string]string
	cookies []string
	body    []byte
}

// msgFormat is API Gateway's own explanation, in its access logs, of the 500 that it answers for a member of the wrong type:
// https://github.com/aws/aws-lambda-go/pull/373
const msgFormat = "The response from the Lambda function doesn't match the format that API Gateway expects. Lambda body contains the wrong type for field %q"

func wrongType(field string) error { return statusError(fmt.Sprintf(msgFormat, field)) }

// parseResult reads the members of a function's answer, format 2.0. They have the types of the page below and no others, but that
// a status may be a text and a header's value a number or a boolean.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
func parseResult(members map[string]json.RawMessage) (*result, error) {
	r := &result{headers: map[string]string{}}
	var err error
	if r.status, err = strconv.Atoi(string(text(members["statusCode"]))); err != nil || r.status < 200 || r.status > 599 {
		return nil, wrongType("statusCode")
	}
	var body string
	var base64Encoded bool
	var headers map[string]any
	for name, to := range map[string]any{"body": &body, "isBase64Encoded": &base64Encoded, "cookies": &r.cookies, "headers": &headers} {
		if raw := members[name]; !isNull(raw) && json.Unmarshal(raw, to) != nil {
			return nil, wrongType(name)
		}
	}
	for name, value := range headers {
		switch value.(type) {
		case string, bool, float64:
			r.headers[name] = fmt.Sprint(value)
		case nil:
		default:
			return nil, wrongType("headers")
		}
	}
	r.body = []byte(body)
	if base64Encoded {
		if r.body, err = base64.StdEncoding.DecodeString(body); err != nil {
			return nil, fmt.Errorf("the function's body is not base64: %w", err)
		}
	}
	return r, nil
}

// isNull reports whether a member is not there, or null.
func isNull(raw json.RawMessage) bool { return raw == nil || string(raw) == "null" }
