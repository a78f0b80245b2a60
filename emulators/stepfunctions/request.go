package stepfunctions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"devstack/emulators/stepfunctions/asl"
	"devstack/emulators/stepfunctions/value"
	"devstack/emulators/wire"
)

// integration is a service as Step Functions calls it: what it is called in errors depends on the version of the Java SDK
// that AWS calls it with.
type integration struct {
	pkg    string // our package: "dynamodb"
	prefix string // of error names: "DynamoDB"
	v1     string // what version 1 of the SDK calls it: "AmazonDynamoDBv2"; "": version 2
	base   string // version 1's error for codes that the model does not have: "AmazonDynamoDBException"
}

// optimized are the services with optimised integrations. (Names: recorded answers, but for those of events and states.)
var optimized = map[string]integration{
	"dynamodb": {"dynamodb", "DynamoDB", "AmazonDynamoDBv2", "AmazonDynamoDBException"},
	"sns":      {"sns", "SNS", "AmazonSNS", "AmazonSNSException"},
	"sqs":      {"sqs", "SQS", "AmazonSQS", "AmazonSQSException"},
	"events":   {"eventbridge", "EventBridge", "AmazonEventBridge", "AmazonEventBridgeException"},
	"states":   {"stepfunctions", "StepFunctions", "AWSStepFunctions", "AWSStepFunctionsException"},
	"lambda":   {"lambda", "Lambda", "", ""},
}

// sdkNames are the services whose names in "aws-sdk:…" differ from our packages' or are not written as their first letter in
// upper case would have it.
//
// https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
var sdkNames = map[string]integration{
	"apigateway":              {pkg: "apigateway", prefix: "ApiGateway"},
	"apigatewayv2":            {pkg: "apigatewayv2", prefix: "ApiGatewayV2"},
	"cloudwatch":              {pkg: "cloudwatch", prefix: "CloudWatch"},
	"cloudwatchlogs":          {pkg: "logs", prefix: "CloudWatchLogs"},
	"cognitoidentityprovider": {pkg: "cognito", prefix: "CognitoIdentityProvider"},
	"dynamodb":                {pkg: "dynamodb", prefix: "DynamoDb"},
	"dynamodbstreams":         {pkg: "dynamodbstreams", prefix: "DynamoDbStreams"},
	"elasticache":             {pkg: "elasticache", prefix: "ElastiCache"},
	"eventbridge":             {pkg: "eventbridge", prefix: "EventBridge"},
	"secretsmanager":          {pkg: "secretsmanager", prefix: "SecretsManager"},
	"sfn":                     {pkg: "stepfunctions", prefix: "Sfn"},
}

// integrationOf returns the service of a task's resource.
func integrationOf(r *asl.Resource) integration {
	if !r.SDK {
		return optimized[r.Service]
	}
	if i, ok := sdkNames[r.Service]; ok {
		return i
	}
	return integration{pkg: r.Service, prefix: upperFirst(r.Service)}
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// request makes the task's call and returns what the state gets of the answer.
func (c *call) request(ctx context.Context) (*data, error) {
	r := c.s.Resource
	switch {
	case r.Lambda:
		return c.invokeARN(ctx)
	case !r.SDK && r.Service == "lambda":
		return c.invoke(ctx)
	}
	i := integrationOf(r)
	operation := upperFirst(r.Action)
	answer, size, err := c.operate(ctx, i, operation, c.params.value(), !r.SDK)
	if err != nil {
		return nil, err
	}
	switch {
	case r.SDK:
		return valueData(answer), nil
	case r.Service == "events":
		return putEventsResult(answer)
	}
	return valueData(sorted(withMetadata(answer, r.Service, size, c.b.run.engine.Clock.Now(), c.b.run.engine.IDs.UUID()))), nil
}

// operate runs an operation of a service, with parameters and result as the States Language writes them. size is the answer's
// length.
func (c *call) operate(ctx context.Context, i integration, operation string, params any, millis bool) (answer *value.Object, size int, err error) {
	t := c.b.run.engine.translate(i.pkg, operation, millis)
	var out json.RawMessage
	in := json.RawMessage(value.Encode(t.input(params)))
	if err := c.b.run.engine.AWS.Call(ctx, i.pkg, operation, in, &out); err != nil {
		return nil, 0, c.serviceFailure(i, t, err)
	}
	if len(out) == 0 {
		out = json.RawMessage("{}")
	}
	v, err := value.Decode(string(out))
	if err != nil {
		return nil, 0, fmt.Errorf("the answer of %s.%s: %w", i.pkg, operation, err)
	}
	answer, ok := t.output(v).(*value.Object)
	if !ok {
		return nil, 0, fmt.Errorf("the answer of %s.%s is no object", i.pkg, operation)
	}
	return answer, len(out), nil
}

// serviceFailure words an error of a service as AWS's Java SDKs do.
func (c *call) serviceFailure(i integration, t translation, err error) error {
	var w *wire.Error
	if !errors.As(err, &w) {
		return fail(i.prefix+".SdkClientException", err.Error())
	}
	id := c.b.run.engine.IDs.UUID()
	name := w.Code
	if i.v1 == "" {
		if !t.knows(w.Code) {
			name = i.prefix + "Exception"
		}
		return fail(i.prefix+"."+withException(name), fmt.Sprintf("%s (Service: %s, Status Code: %d, Request ID: %s) (SDK Attempt Count: 1)", w.Message, i.prefix, w.Status, id))
	}
	code := w.Code
	if !t.knows(w.Code) {
		name = i.base
	} else if i.pkg == "sns" {
		code = strings.TrimSuffix(code, "Exception") // its codes are the shapes' names without it (recorded answer)
	}
	return fail(i.prefix+"."+withException(name), fmt.Sprintf("%s (Service: %s; Status Code: %d; Error Code: %s; Request ID: %s; Proxy: null)", w.Message, i.v1, w.Status, code, id))
}

// withException is an error's name in Java.
func withException(name string) string {
	if strings.HasSuffix(name, "Exception") {
		return name
	}
	return name + "Exception"
}

// putEventsResult fails if an entry failed, as the optimised integration does (recorded answer).
func putEventsResult(answer *value.Object) (*data, error) {
	if n, _ := answer.Get("FailedEntryCount"); n != nil && n != value.Int(0) {
		return nil, fail("EventBridge.FailedEntry", value.Encode(answer))
	}
	return valueData(answer), nil
}
