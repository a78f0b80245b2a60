package asl

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Pattern is how a Task state waits for the service it calls.
type Pattern string

// The service integration patterns.
//
// https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html
const (
	RequestResponse  Pattern = ""
	Sync             Pattern = ".sync"
	Sync2            Pattern = ".sync:2" // Output as JSON, not as a string
	WaitForTaskToken Pattern = ".waitForTaskToken"
)

// Resource is what a Task state calls.
type Resource struct {
	ARN     string  // as written
	Lambda  bool    // the ARN of a function, called directly
	SDK     bool    // any operation, by "aws-sdk:service:operation"
	Service string  // "dynamodb"; of an SDK integration the name in it, "sfn"
	Action  string  // "putItem"
	Pattern Pattern //
}

// EventType is the resourceType of the history's events: "dynamodb", "aws-sdk:sfn".
func (r *Resource) EventType() string {
	if r.SDK {
		return "aws-sdk:" + r.Service
	}
	return r.Service
}

// EventName is the resource of the history's events: "startExecution.sync".
func (r *Resource) EventName() string { return r.Action + string(r.Pattern) }

// integrations are the optimised integrations that we do, with the patterns of each.
var integrations = map[string][]Pattern{
	"lambda:invoke":         {RequestResponse, WaitForTaskToken},
	"dynamodb:getItem":      {RequestResponse},
	"dynamodb:putItem":      {RequestResponse},
	"dynamodb:updateItem":   {RequestResponse},
	"dynamodb:deleteItem":   {RequestResponse},
	"sns:publish":           {RequestResponse, WaitForTaskToken},
	"sqs:sendMessage":       {RequestResponse, WaitForTaskToken},
	"events:putEvents":      {RequestResponse, WaitForTaskToken},
	"states:startExecution": {RequestResponse, Sync, Sync2, WaitForTaskToken},
}

// known are the services that AWS has optimised integrations for and that we do not do.
//
// https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html
var known = []string{"apigateway", "athena", "batch", "bedrock", "codebuild", "ecs", "eks", "elasticmapreduce", "emr-containers", "emr-serverless",
	"glue", "databrew", "http", "mediaconvert", "sagemaker", "lambda", "dynamodb", "sns", "sqs", "events", "states"}

var (
	arnPattern    = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]*:.+$`) })
	lambdaPattern = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_.-]+(:[A-Za-z0-9_$-]+)?$`)
	})
)

// resource reads a Task's Resource. Where it cannot it says so and returns nil.
func (c *compiler) resource(text, at string) *Resource {
	parts := strings.Split(text, ":")
	switch {
	case !arnPattern().MatchString(text):
		c.schema(at, "Value is not a valid resource ARN") // from memory of AWS's answers
		return nil
	case lambdaPattern().MatchString(text):
		return &Resource{ARN: text, Lambda: true}
	case parts[2] == "states" && len(parts) >= 7 && parts[5] == "activity":
		c.unsupported(at, "activities")
		return nil
	case parts[2] != "states" || len(parts) < 7 || parts[3] != "" || parts[4] != "":
		c.unknownResource(text, at)
		return nil
	}
	r := &Resource{ARN: text, Service: parts[5], Action: strings.Join(parts[6:], ":")}
	if parts[5] == "aws-sdk" {
		if len(parts) < 8 {
			c.unknownResource(text, at)
			return nil
		}
		r.SDK, r.Service, r.Action = true, parts[6], strings.Join(parts[7:], ":")
	}
	r.splitPattern()
	return c.checkResource(r, at)
}

// splitPattern takes the pattern off the action.
func (r *Resource) splitPattern() {
	for _, p := range []Pattern{WaitForTaskToken, Sync2, Sync} {
		if a, ok := strings.CutSuffix(r.Action, string(p)); ok {
			r.Action, r.Pattern = a, p
			return
		}
	}
}

func (c *compiler) checkResource(r *Resource, at string) *Resource {
	patterns, ok := integrations[r.Service+":"+r.Action]
	switch {
	case r.SDK && (r.Pattern == Sync || r.Pattern == Sync2 || strings.ContainsAny(r.Action, ".:")):
		c.unknownResource(r.ARN, at)
		return nil
	case !r.SDK && !ok && slices.Contains(known, r.Service):
		c.unsupported(at, "the integration "+r.Service+":"+r.Action)
		return nil
	case !r.SDK && !slices.Contains(patterns, r.Pattern):
		c.unknownResource(r.ARN, at)
		return nil
	}
	if c.express && r.Pattern != RequestResponse { // the words are a guess
		c.schema(at, "Express state machine does not support '%s' service integration", r.Pattern)
		return nil
	}
	return r
}

// unknownResource is AWS's answer, from memory.
func (c *compiler) unknownResource(text, at string) {
	c.schema(at, "The resource provided %s is not recognized. The value is not a valid resource ARN, or the resource is not available in this region.", text)
}
