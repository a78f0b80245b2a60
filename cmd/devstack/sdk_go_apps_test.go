package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	gatewaytypes "github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/redis/go-redis/v9"
)

var goLambda = map[string]func(*testing.T){
	"a function answers what it returns": func(t *testing.T) {
		out := goInvoke(t, "reserve", `{"product":"go-pen","count":2}`, nil)
		same(t, "answer", fromJSON(t, out.Payload), map[string]any{"product": "go-pen", "count": 2.0, "reserved": 2.0})
		same(t, "version", *out.ExecutedVersion, "$LATEST")
	},
	"an error of the function is an answer": func(t *testing.T) {
		out := goInvoke(t, "charge", `{"customer":"go","amount":100001}`, nil)
		same(t, "FunctionError", aws.ToString(out.FunctionError), "Unhandled")
		got := fromJSON(t, out.Payload).(map[string]any)
		same(t, "error", []any{got["errorType"], got["errorMessage"]}, []any{"CardDeclined", "go cannot pay 100001"})
	},
	"the tail of the log comes along": func(t *testing.T) {
		out := goInvoke(t, "tally", goOrder("go-tail", 1), func(in *lambda.InvokeInput) { in.LogType = lambdatypes.LogTypeTail })
		tail, err := base64.StdEncoding.DecodeString(*out.LogResult)
		if must(t, tail, err); !strings.Contains(string(tail), "counted order go-1 of go") || len(requestID.FindAll(tail, -1)) < 3 {
			t.Errorf("the tail is\n%s", tail)
		}
	},
	"an event is accepted at once and handled soon, a dry run is not": func(t *testing.T) {
		kind := func(k lambdatypes.InvocationType) func(*lambda.InvokeInput) {
			return func(in *lambda.InvokeInput) { in.InvocationType = k }
		}
		same(t, "status", goInvoke(t, "tally", goOrder("go-dry", 1), kind("DryRun")).StatusCode, int32(204))
		same(t, "status", goInvoke(t, "tally", goOrder("go-event", 3), kind("Event")).StatusCode, int32(202))
		eventually(t, "total", func() bool { return goOrdered(t, "go-event") == "3" })
		same(t, "total of the dry run", goOrdered(t, "go-dry"), "")
	},
	"a function that is not there is not found, a payload that is no JSON refused": func(t *testing.T) {
		c := lambda.NewFromConfig(goConfig(t))
		_, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("go-none")})
		fails(t, err, "ResourceNotFoundException", 404, "Function not found: arn:aws:lambda:us-east-1:"+goAccount+":function:go-none")
		_, err = c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("charge"), Payload: []byte("{")})
		fails(t, err, "InvalidRequestContentException", 400, "Could not parse request body into json")
	},
	"functions are listed and described": func(t *testing.T) {
		c := lambda.NewFromConfig(goConfig(t))
		var names []string
		for p := lambda.NewListFunctionsPaginator(c, &lambda.ListFunctionsInput{MaxItems: aws.Int32(2)}); p.HasMorePages(); {
			out, err := p.NextPage(t.Context())
			for _, f := range must(t, out, err).Functions {
				names = append(names, *f.FunctionName)
			}
		}
		same(t, "functions", names, []string{"charge", "create_order", "list_orders", "reserve", "tally"})
		out, err := lambda.NewFunctionActiveV2Waiter(c).WaitForOutput(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("create_order")}, time.Minute)
		same(t, "timeout", *must(t, out, err).Configuration.Timeout, int32(5))
	},
	"a stream feeds a function until its mapping is deleted": goMapping,
}

func goMapping(t *testing.T) {
	db, table := goTable(t, "go-source", true)
	c := lambda.NewFromConfig(goConfig(t))
	in := &lambda.CreateEventSourceMappingInput{EventSourceArn: table.LatestStreamArn, FunctionName: aws.String("tally"), StartingPosition: lambdatypes.EventSourcePositionTrimHorizon}
	made, err := c.CreateEventSourceMapping(t.Context(), in)
	id := must(t, made, err).UUID
	_, err = c.CreateEventSourceMapping(t.Context(), in)
	fails(t, err, "ResourceConflictException", 409, *id)
	line := &types.AttributeValueMemberM{Value: goItem{"product": &goS{Value: "go-fed"}, "count": &goN{Value: "4"}}}
	goPut(t, db, "go-source", goItem{"id": &goS{Value: "1"}, "customer": &goS{Value: "go"}, "lines": &types.AttributeValueMemberL{Value: []types.AttributeValue{line}}})
	eventually(t, "total", func() bool { return goOrdered(t, "go-fed") == "4" })
	gone, err := c.DeleteEventSourceMapping(t.Context(), &lambda.DeleteEventSourceMappingInput{UUID: id})
	same(t, "state", *must(t, gone, err).State, "Deleting")
	eventually(t, "end of the mapping", func() bool {
		list, err := c.ListEventSourceMappings(t.Context(), &lambda.ListEventSourceMappingsInput{EventSourceArn: table.LatestStreamArn})
		return len(must(t, list, err).EventSourceMappings) == 0
	})
}

// goInvoke invokes a function.
func goInvoke(t *testing.T, function, payload string, more func(*lambda.InvokeInput)) *lambda.InvokeOutput {
	t.Helper()
	in := &lambda.InvokeInput{FunctionName: &function, Payload: []byte(payload)}
	if more != nil {
		more(in)
	}
	out, err := lambda.NewFromConfig(goConfig(t)).Invoke(t.Context(), in)
	return must(t, out, err)
}

// goOrder is an event of a table's stream as the function tally takes it.
func goOrder(product string, count int) string {
	const event = `{"Records":[{"eventName":"INSERT","dynamodb":{"NewImage":{"id":{"S":"go-1"},"customer":{"S":"go"},"lines":{"L":[{"M":{"product":{"S":%q},"count":{"N":"%d"}}}]}}}}]}`
	return fmt.Sprintf(event, product, count)
}

// goOrdered is how much of a product the function tally has counted, "" if none.
func goOrdered(t *testing.T, product string) string {
	t.Helper()
	out, err := dynamodb.NewFromConfig(goConfig(t)).GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("totals"), Key: goItem{"product": &goS{Value: product}}})
	if n, ok := must(t, out, err).Item["ordered"].(*goN); ok {
		return n.Value
	}
	return ""
}

var goGateway = map[string]func(*testing.T){
	"an API made with the SDK answers by its host name": func(t *testing.T) {
		c, id := goAPI(t, "go-api")
		integration, err := c.CreateIntegration(t.Context(), &apigatewayv2.CreateIntegrationInput{
			ApiId: id, IntegrationType: gatewaytypes.IntegrationTypeAwsProxy, PayloadFormatVersion: aws.String("2.0"),
			IntegrationUri: aws.String("arn:aws:lambda:us-east-1:" + goAccount + ":function:list_orders"),
		})
		target := "integrations/" + *must(t, integration, err).IntegrationId
		_, err = c.CreateRoute(t.Context(), &apigatewayv2.CreateRouteInput{ApiId: id, RouteKey: aws.String("GET /of/{customer}"), Target: &target})
		must(t, 0, err)
		_, err = c.CreateRoute(t.Context(), &apigatewayv2.CreateRouteInput{ApiId: id, RouteKey: aws.String("GET /of/{customer}"), Target: &target})
		fails(t, err, "ConflictException", 409, "Route with key GET /of/{customer} already exists for this API")
		for _, stage := range []string{"$default", "beta"} {
			_, err = c.CreateStage(t.Context(), &apigatewayv2.CreateStageInput{ApiId: id, StageName: &stage, AutoDeploy: aws.Bool(true)})
			must(t, 0, err)
		}
		same(t, "answer", goGet(t, *id, "/of/go-nobody"), `200 {"orders":[]}`)
		same(t, "answer of the named stage", goGet(t, *id, "/beta/of/go-nobody"), `200 {"orders":[]}`)
		same(t, "answer elsewhere", goGet(t, *id, "/elsewhere"), `404 {"message":"Not Found"}`)
	},
	"an API is described, changed and gone": func(t *testing.T) {
		c, id := goAPI(t, "go-changed")
		_, err := c.UpdateApi(t.Context(), &apigatewayv2.UpdateApiInput{ApiId: id, Description: aws.String("a test")})
		must(t, 0, err)
		got, err := c.GetApi(t.Context(), &apigatewayv2.GetApiInput{ApiId: id})
		same(t, "description", *must(t, got, err).Description, "a test")
		same(t, "endpoint", *got.ApiEndpoint, "https://"+*id+".execute-api.us-east-1.amazonaws.com")
		_, err = c.GetApi(t.Context(), &apigatewayv2.GetApiInput{ApiId: aws.String("go00000000")})
		fails(t, err, "NotFoundException", 404, "Invalid API identifier specified")
	},
}

// goAPI makes an API that is there until the test ends.
func goAPI(t *testing.T, name string) (*apigatewayv2.Client, *string) {
	t.Helper()
	c := apigatewayv2.NewFromConfig(goConfig(t))
	made, err := c.CreateApi(t.Context(), &apigatewayv2.CreateApiInput{Name: &name, ProtocolType: gatewaytypes.ProtocolTypeHttp})
	id := must(t, made, err).ApiId
	t.Cleanup(func() {
		if _, err := c.DeleteApi(context.WithoutCancel(t.Context()), &apigatewayv2.DeleteApiInput{ApiId: id}); err != nil {
			t.Error(err)
		}
	})
	return c, id
}

// goGet calls an API by its own host name, which leads to AWS's port.
func goGet(t *testing.T, api, path string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", os.Getenv("AWS_ENDPOINT_URL")+path, nil)
	must(t, req, err).Host = api + ".execute-api.localhost"
	res, err := http.DefaultClient.Do(req)
	defer must(t, res, err).Body.Close()
	body, err := io.ReadAll(res.Body)
	return fmt.Sprintf("%d %s", res.StatusCode, strings.TrimSpace(string(must(t, body, err))))
}

var goMachines = map[string]func(*testing.T){
	"a choice takes the first rule that holds, and the history tells it": func(t *testing.T) {
		c, arn := goMachine(t, "go-choice", sfntypes.StateMachineTypeStandard, `{"StartAt":"Which","States":{
			"Which":{"Type":"Choice","Choices":[{"Variable":"$.n","NumericGreaterThan":10,"Next":"Many"}],"Default":"Few"},
			"Many":{"Type":"Pass","Parameters":{"half.$":"States.ArrayLength(States.ArrayRange(1, $.n, 2))"},"End":true},
			"Few":{"Type":"Fail","Error":"Few","Cause":"too few"}}}`)
		many := goRun(t, c, arn, `{"n":12}`)
		same(t, "output", *many.Output, `{"half":6}`)
		var got []string
		for p := sfn.NewGetExecutionHistoryPaginator(c, &sfn.GetExecutionHistoryInput{ExecutionArn: many.ExecutionArn, MaxResults: 4}); p.HasMorePages(); {
			out, err := p.NextPage(t.Context())
			for _, e := range must(t, out, err).Events {
				got = append(got, string(e.Type))
			}
		}
		same(t, "events", strings.Join(got, " "), "ExecutionStarted ChoiceStateEntered ChoiceStateExited PassStateEntered PassStateExited ExecutionSucceeded")
		few := goRun(t, c, arn, `{"n":1}`)
		same(t, "failure", []string{string(few.Status), *few.Error, *few.Cause}, []string{"FAILED", "Few", "too few"})
	},
	"branches and items keep their order, a failing task is tried again and caught": func(t *testing.T) {
		c, arn := goMachine(t, "go-parallel", sfntypes.StateMachineTypeStandard, `{"StartAt":"Both","States":{"Both":{"Type":"Parallel","End":true,"Branches":[
			{"StartAt":"Each","States":{"Each":{"Type":"Map","ItemsPath":"$.lines","End":true,"ItemProcessor":{"StartAt":"Reserve","States":{
				"Reserve":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:000000000000:function:reserve","ResultSelector":{"got.$":"$.count"},"End":true}}}}}},
			{"StartAt":"Get","States":{
				"Get":{"Type":"Task","Resource":"arn:aws:states:::dynamodb:getItem","Parameters":{"TableName":"go-none","Key":{"id":{"S":"1"}}},"End":true,
					"Retry":[{"ErrorEquals":["States.TaskFailed"],"IntervalSeconds":1,"MaxAttempts":1}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"Caught"}]},
				"Caught":{"Type":"Pass","OutputPath":"$.Error","End":true}}}]}}}`)
		done := goRun(t, c, arn, `{"lines":[{"product":"go-a","count":1},{"product":"go-b","count":2}]}`)
		same(t, "output", *done.Output, `[[{"got":1},{"got":2}],"DynamoDB.ResourceNotFoundException"]`)
	},
	"an express machine answers its caller": func(t *testing.T) {
		c, arn := goMachine(t, "go-express", sfntypes.StateMachineTypeExpress, `{"StartAt":"Sum","States":{"Sum":{"Type":"Pass","Parameters":{"sum.$":"States.MathAdd($.a, $.b)"},"End":true}}}`)
		out, err := c.StartSyncExecution(t.Context(), &sfn.StartSyncExecutionInput{StateMachineArn: &arn, Input: aws.String(`{"a":1,"b":2}`)}, withoutHostPrefix)
		same(t, "output", *must(t, out, err).Output, `{"sum":3}`)
	},
	"an execution that waits can be stopped": func(t *testing.T) {
		c, arn := goMachine(t, "go-wait", sfntypes.StateMachineTypeStandard, `{"StartAt":"Wait","States":{"Wait":{"Type":"Wait","Seconds":3600,"End":true}}}`)
		started, err := c.StartExecution(t.Context(), &sfn.StartExecutionInput{StateMachineArn: &arn, Name: aws.String("go-waiting")})
		execution := must(t, started, err).ExecutionArn
		_, err = c.StartExecution(t.Context(), &sfn.StartExecutionInput{StateMachineArn: &arn, Name: aws.String("go-waiting"), Input: aws.String("[]")})
		fails(t, err, "ExecutionAlreadyExists", 400, "Execution Already Exists: '"+*execution+"'")
		_, err = c.StopExecution(t.Context(), &sfn.StopExecutionInput{ExecutionArn: execution, Error: aws.String("Enough")})
		must(t, 0, err)
		got, err := c.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: execution})
		same(t, "status", []string{string(must(t, got, err).Status), *got.Error}, []string{"ABORTED", "Enough"})
	},
	"definitions with mistakes and machines that are not there are refused": func(t *testing.T) {
		c := sfn.NewFromConfig(goConfig(t))
		_, err := c.CreateStateMachine(t.Context(), &sfn.CreateStateMachineInput{
			Name: aws.String("go-bad"), Definition: aws.String(`{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"}}}`), RoleArn: aws.String("arn:aws:iam::" + goAccount + ":role/states"),
		})
		fails(t, err, "InvalidDefinition", 400, "MISSING_TRANSITION_TARGET")
		never := "arn:aws:states:us-east-1:" + goAccount + ":stateMachine:go-never"
		_, err = c.DescribeStateMachine(t.Context(), &sfn.DescribeStateMachineInput{StateMachineArn: &never})
		fails(t, err, "StateMachineDoesNotExist", 400, "State Machine Does Not Exist: '"+never+"'")
	},
}

// withoutHostPrefix leaves the endpoint's host name alone: the SDK for Go knows no environment variable for it, see "Host prefix
// injection" in the SDKs' reference guide.
func withoutHostPrefix(o *sfn.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("withoutHostPrefix", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			return next.HandleInitialize(smithyhttp.DisableEndpointHostPrefix(ctx, true), in)
		}), middleware.Before)
	})
}

// goMachine makes a state machine that is there until the test ends.
func goMachine(t *testing.T, name string, kind sfntypes.StateMachineType, definition string) (*sfn.Client, string) {
	t.Helper()
	c := sfn.NewFromConfig(goConfig(t))
	made, err := c.CreateStateMachine(t.Context(), &sfn.CreateStateMachineInput{Name: &name, Type: kind, Definition: &definition, RoleArn: aws.String("arn:aws:iam::" + goAccount + ":role/states")})
	arn := *must(t, made, err).StateMachineArn
	t.Cleanup(func() {
		if _, err := c.DeleteStateMachine(context.WithoutCancel(t.Context()), &sfn.DeleteStateMachineInput{StateMachineArn: &arn}); err != nil {
			t.Error(err)
		}
	})
	return c, arn
}

// goRun starts an execution and returns its description when it is over.
func goRun(t *testing.T, c *sfn.Client, machine, input string) (done *sfn.DescribeExecutionOutput) {
	t.Helper()
	started, err := c.StartExecution(t.Context(), &sfn.StartExecutionInput{StateMachineArn: &machine, Input: &input})
	must(t, started, err)
	eventually(t, "end of the execution", func() bool {
		done, err = c.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: started.ExecutionArn})
		return must(t, done, err).Status != sfntypes.ExecutionStatusRunning
	})
	return done
}

var goCaches = map[string]func(*testing.T){
	"a cluster is a Redis until it is deleted": func(t *testing.T) {
		c := elasticache.NewFromConfig(goConfig(t))
		in := &elasticache.CreateCacheClusterInput{CacheClusterId: aws.String("go-cache"), Engine: aws.String("redis"), CacheNodeType: aws.String("cache.t3.micro"), NumCacheNodes: aws.Int32(1)}
		_, err := c.CreateCacheCluster(t.Context(), in)
		must(t, 0, err)
		_, err = c.CreateCacheCluster(t.Context(), in)
		fails(t, err, "CacheClusterAlreadyExists", 400, "Cache cluster already exists")
		find := &elasticache.DescribeCacheClustersInput{CacheClusterId: in.CacheClusterId, ShowCacheNodeInfo: aws.Bool(true)}
		out, err := elasticache.NewCacheClusterAvailableWaiter(c).WaitForOutput(t.Context(), find, time.Minute)
		at := must(t, out, err).CacheClusters[0].CacheNodes[0].Endpoint
		client := redis.NewClient(&redis.Options{Addr: fmt.Sprintf("%s:%d", *at.Address, *at.Port)})
		defer client.Close()
		must(t, "", client.Set(t.Context(), "a", 1, time.Minute).Err())
		n, err := client.Incr(t.Context(), "a").Result()
		same(t, "a", must(t, n, err), int64(2))
		_, err = c.DeleteCacheCluster(t.Context(), &elasticache.DeleteCacheClusterInput{CacheClusterId: in.CacheClusterId})
		must(t, 0, err)
		if err := elasticache.NewCacheClusterDeletedWaiter(c).Wait(t.Context(), find, time.Minute); err != nil {
			t.Error(err)
		}
	},
	"a cluster that is not there is not found": func(t *testing.T) {
		_, err := elasticache.NewFromConfig(goConfig(t)).DescribeCacheClusters(t.Context(), &elasticache.DescribeCacheClustersInput{CacheClusterId: aws.String("go-none")})
		fails(t, err, "CacheClusterNotFound", 404, "go-none")
	},
}

var goLogs = map[string]func(*testing.T){
	"what is put is got page by page, and filtered": func(t *testing.T) {
		c, messages := cloudwatchlogs.NewFromConfig(goConfig(t)), []string{"one", "two", `{"level":"error"}`, "four"}
		group, stream := aws.String("/go/get"), aws.String("one")
		_, err := c.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group})
		must(t, 0, err)
		_, err = c.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group})
		fails(t, err, "ResourceAlreadyExistsException", 400, "The specified log group already exists")
		_, err = c.CreateLogStream(t.Context(), &cloudwatchlogs.CreateLogStreamInput{LogGroupName: group, LogStreamName: stream})
		must(t, 0, err)
		var events []logtypes.InputLogEvent
		for i := range messages {
			events = append(events, logtypes.InputLogEvent{Message: &messages[i], Timestamp: aws.Int64(time.Now().UnixMilli())})
		}
		_, err = c.PutLogEvents(t.Context(), &cloudwatchlogs.PutLogEventsInput{LogGroupName: group, LogStreamName: stream, LogEvents: events})
		must(t, 0, err)
		var got []string
		p := cloudwatchlogs.NewGetLogEventsPaginator(c, &cloudwatchlogs.GetLogEventsInput{LogGroupName: group, LogStreamName: stream, StartFromHead: aws.Bool(true), Limit: aws.Int32(3)},
			func(o *cloudwatchlogs.GetLogEventsPaginatorOptions) { o.StopOnDuplicateToken = true })
		for p.HasMorePages() {
			out, err := p.NextPage(t.Context())
			for _, e := range must(t, out, err).Events {
				got = append(got, *e.Message)
			}
		}
		same(t, "events", got, messages)
		found, err := c.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: group, FilterPattern: aws.String(`{ $.level = "error" }`)})
		same(t, "found", len(must(t, found, err).Events), 1)
	},
	"what a function prints is in its group": func(t *testing.T) {
		goInvoke(t, "tally", goOrder("go-log", 1), nil)
		c := cloudwatchlogs.NewFromConfig(goConfig(t))
		eventually(t, "log event", func() bool {
			out, err := c.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("/aws/lambda/tally"), FilterPattern: aws.String(`"order go-1"`)})
			return slices.ContainsFunc(must(t, out, err).Events, func(e logtypes.FilteredLogEvent) bool {
				return strings.Contains(*e.Message, "counted order go-1 of go")
			})
		})
		_, err := c.DescribeLogStreams(t.Context(), &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: aws.String("/go/none")})
		fails(t, err, "ResourceNotFoundException", 400, "The specified log group does not exist.")
	},
}
