package js

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
)

// testSchema knows a little of three services.
type testSchema struct{}

func (testSchema) Operations(service string) []string {
	return map[string][]string{
		"dynamodb": {"BatchGetItem", "BatchExecuteStatement", "BatchWriteItem", "DeleteItem", "DescribeTable", "ExecuteStatement", "ExecuteTransaction",
			"GetItem", "PutItem", "Query", "Scan", "TransactGetItems", "TransactWriteItems", "UpdateItem"},
		"lambda":        {"GetFunction", "Invoke", "InvokeWithResponseStream"},
		"stepfunctions": {"StartExecution"},
	}[service]
}

func (testSchema) Errors(service string) []string {
	if service == "dynamodb" {
		return []string{"ConditionalCheckFailedException", "ResourceNotFoundException"}
	}
	return nil
}

func (testSchema) Enums(service string) map[string][]string {
	if service == "lambda" {
		return map[string][]string{"InvocationType": {"RequestResponse", "Event"}, "Runtime": {"nodejs22.x"}}
	}
	return nil
}

func (t testSchema) ErrorType(service, name string) *Type {
	_, item := t.Types(service, "GetItem")
	return item
}

func (testSchema) Types(service, operation string) (in, out *Type) {
	blob, date := &Type{Blob: true}, &Type{Timestamp: true}
	value := &Type{Members: map[string]*Type{"B": blob, "BS": {Element: blob}}}
	value.Members["L"], value.Members["M"] = &Type{Element: value}, &Type{Element: value}
	item := &Type{Element: value}
	switch operation {
	case "Invoke":
		payload := &Type{Members: map[string]*Type{"Payload": blob}}
		return payload, payload
	case "InvokeWithResponseStream":
		return nil, &Type{Members: map[string]*Type{"EventStream": {Element: &Type{Members: map[string]*Type{"PayloadChunk": {Members: map[string]*Type{"Payload": {Blob: true}}}}}}}}
	case "StartExecution":
		return nil, &Type{Members: map[string]*Type{"startDate": date}}
	case "GetItem":
		return &Type{Members: map[string]*Type{"Key": item}}, &Type{Members: map[string]*Type{"Item": item}}
	case "PutItem":
		return &Type{Members: map[string]*Type{"Item": item}}, nil
	case "Query", "Scan":
		return nil, &Type{Members: map[string]*Type{"Items": {Element: item}, "LastEvaluatedKey": item}}
	}
	return nil, nil
}

// fakeAWS answers calls by a function and remembers them as "service.Operation {input}".
type fakeAWS struct {
	answer func(operation string, in json.RawMessage) (string, error)

	mu    sync.Mutex
	calls []string
}

func (f *fakeAWS) Call(_ context.Context, service, operation string, in, out any) error {
	f.mu.Lock()
	f.calls = append(f.calls, fmt.Sprintf("%s.%s %s", service, operation, in))
	f.mu.Unlock()
	text, err := f.answer(operation, in.(json.RawMessage))
	if err != nil {
		return err
	}
	*out.(*json.RawMessage) = json.RawMessage(text)
	return nil
}

// failure is an error as the wire makes them.
type failure struct {
	code, message string
	status        int
	fields        map[string]any
}

func (f *failure) Error() string               { return f.code + ": " + f.message }
func (f *failure) ErrorCode() string           { return f.code }
func (f *failure) ErrorMessage() string        { return f.message }
func (f *failure) HTTPStatus() int             { return f.status }
func (f *failure) ErrorFields() map[string]any { return f.fields }

func TestClients(t *testing.T) {
	for _, tt := range []struct {
		name, source string
		reply        string
		err          error
		calls        []string
		want         string
	}{
		{
			name: "a command of the plain client",
			source: `import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb"
const client = new DynamoDBClient({})
export const handler = async () => (await client.send(new PutItemCommand({ TableName: "t", Item: { id: { S: "1" }, n: { N: "2" }, b: { B: new Uint8Array([1, 2, 3]) } }, ReturnValues: undefined }))).$metadata.httpStatusCode`,
			reply: `{}`,
			calls: []string{`dynamodb.PutItem {"TableName":"t","Item":{"id":{"S":"1"},"n":{"N":"2"},"b":{"B":"AQID"}}}`},
			want:  `200`,
		},
		{
			name: "blobs of an answer are bytes, at any depth",
			source: `import { DynamoDB } from "@aws-sdk/client-dynamodb"
export const handler = async () => { const { Item } = await new DynamoDB({}).getItem({ TableName: "t", Key: {} }); const b = Item!.l.L![0].M!.b.B!; return [b instanceof Uint8Array, b.length, Item!.s.BS![1][0], Item!.t.S] }`,
			reply: `{"Item":{"l":{"L":[{"M":{"b":{"B":"AQID"}}}]},"s":{"BS":["AQ==","Bw=="]},"t":{"S":"AQID"}}}`,
			calls: []string{`dynamodb.GetItem {"TableName":"t","Key":{}}`},
			want:  `[true,3,7,"AQID"]`,
		},
		{
			name: "the document client writes native values",
			source: `import { DynamoDBClient } from "@aws-sdk/client-dynamodb"
import { DynamoDBDocumentClient, PutCommand } from "@aws-sdk/lib-dynamodb"
const doc = DynamoDBDocumentClient.from(new DynamoDBClient({}), { marshallOptions: { removeUndefinedValues: true } })
export const handler = async () => { await doc.send(new PutCommand({ TableName: "t", Item: { id: "1", n: 1.5, big: 12345678901234567890n, yes: true, no: null, list: [1, "a"], map: { deep: { x: [] } }, tags: new Set(["a", "b"]), nums: new Set([1, 2]), bytes: Buffer.from("hi"), gone: undefined } })); return "ok" }`,
			reply: `{}`,
			calls: []string{`dynamodb.PutItem {"TableName":"t","Item":{"id":{"S":"1"},"n":{"N":"1.5"},"big":{"N":"12345678901234567890"},"yes":{"BOOL":true},"no":{"NULL":true},"list":{"L":[{"N":"1"},{"S":"a"}]},"map":{"M":{"deep":{"M":{"x":{"L":[]}}}}},"tags":{"SS":["a","b"]},"nums":{"NS":["1","2"]},"bytes":{"B":"aGk="}}}`},
			want:  `"ok"`,
		},
		{
			name: "the document client reads native values",
			source: `import { DynamoDBClient } from "@aws-sdk/client-dynamodb"
import { DynamoDBDocument } from "@aws-sdk/lib-dynamodb"
export const handler = async () => { const { Items, Count } = await DynamoDBDocument.from(new DynamoDBClient()).query({ TableName: "t", KeyConditionExpression: "id = :id", ExpressionAttributeValues: { ":id": "1" } }); const i = Items![0]; return [Count, i.n, i.set instanceof Set && i.set.has("a"), i.m.x, i.b.length, typeof i.big, i.nil] }`,
			reply: `{"Items":[{"n":{"N":"1.5"},"set":{"SS":["a"]},"m":{"M":{"x":{"L":[{"BOOL":false}]}}},"b":{"B":"aGk="},"big":{"N":"12345678901234567890"},"nil":{"NULL":true}}],"Count":1}`,
			calls: []string{`dynamodb.Query {"TableName":"t","KeyConditionExpression":"id = :id","ExpressionAttributeValues":{":id":{"S":"1"}}}`},
			want:  `[1,1.5,true,[false],2,"bigint",null]`,
		},
		{
			name: "batches and transactions of the document client",
			source: `import { DynamoDBClient } from "@aws-sdk/client-dynamodb"
import { DynamoDBDocumentClient, BatchWriteCommand, TransactWriteCommand } from "@aws-sdk/lib-dynamodb"
const doc = DynamoDBDocumentClient.from(new DynamoDBClient({}))
export const handler = async () => { await doc.send(new BatchWriteCommand({ RequestItems: { Key: [{ PutRequest: { Item: { id: 1 } } }, { DeleteRequest: { Key: { id: 2 } } }] } })); await doc.send(new TransactWriteCommand({ TransactItems: [{ Update: { TableName: "t", Key: { id: 3 }, UpdateExpression: "SET a = :a", ExpressionAttributeValues: { ":a": [1] } } }] })); return 1 }`,
			reply: `{}`,
			calls: []string{
				`dynamodb.BatchWriteItem {"RequestItems":{"Key":[{"PutRequest":{"Item":{"id":{"N":"1"}}}},{"DeleteRequest":{"Key":{"id":{"N":"2"}}}}]}}`,
				`dynamodb.TransactWriteItems {"TransactItems":[{"Update":{"TableName":"t","Key":{"id":{"N":"3"}},"UpdateExpression":"SET a = :a","ExpressionAttributeValues":{":a":{"L":[{"N":"1"}]}}}}]}`,
			},
			want: `1`,
		},
		{
			name: "an undefined value is refused unless it is to be removed",
			source: `import { DynamoDBClient } from "@aws-sdk/client-dynamodb"
import { DynamoDBDocumentClient, PutCommand } from "@aws-sdk/lib-dynamodb"
export const handler = async () => { try { await DynamoDBDocumentClient.from(new DynamoDBClient({})).send(new PutCommand({ TableName: "t", Item: { a: undefined } })) } catch (e: any) { return e.message } }`,
			want: `"Pass options.removeUndefinedValues=true to remove undefined values from map/array/set."`,
		},
		{
			name: "an error of the service is an exception of its class",
			source: `import { DynamoDBClient, GetItemCommand, ConditionalCheckFailedException, DynamoDBServiceException } from "@aws-sdk/client-dynamodb"
export const handler = async () => { try { await new DynamoDBClient({}).send(new GetItemCommand({ TableName: "t", Key: {} })) } catch (e: any) { return [e.name, e.message, e.$fault, e.$metadata.httpStatusCode, e.Item.id.S, e.Item.b.B.length, e instanceof ConditionalCheckFailedException, e instanceof DynamoDBServiceException, e instanceof Error] } }`,
			err:   &failure{"ConditionalCheckFailedException", "The conditional request failed", 400, map[string]any{"Item": json.RawMessage(`{"id":{"S":"1"},"b":{"B":"AQI="}}`)}},
			calls: []string{`dynamodb.GetItem {"TableName":"t","Key":{}}`},
			want:  `["ConditionalCheckFailedException","The conditional request failed","client",400,"1",2,true,true,true]`,
		},
		{
			name: "a payload goes in as text or bytes and comes out with transformToString",
			source: `import { LambdaClient, InvokeCommand, InvocationType } from "@aws-sdk/client-lambda"
export const handler = async () => { const r = await new LambdaClient({}).send(new InvokeCommand({ FunctionName: "f", InvocationType: InvocationType.RequestResponse, Payload: JSON.stringify({ a: 1 }) })); return [r.StatusCode, r.Payload!.transformToString(), JSON.parse(Buffer.from(r.Payload!).toString()).b] }`,
			reply: `{"StatusCode":200,"Payload":"eyJiIjoyfQ=="}`,
			calls: []string{`lambda.Invoke {"FunctionName":"f","InvocationType":"RequestResponse","Payload":"eyJhIjoxfQ=="}`},
			want:  `[200,"{\"b\":2}",2]`,
		},
		{
			name: "a timestamp is a Date",
			source: `import { SFNClient, StartExecutionCommand } from "@aws-sdk/client-sfn"
export const handler = async () => (await new SFNClient({}).send(new StartExecutionCommand({ stateMachineArn: "a", input: "{}" }))).startDate!.toISOString()`,
			reply: `{"executionArn":"e","startDate":1767323045.678}`,
			calls: []string{`stepfunctions.StartExecution {"stateMachineArn":"a","input":"{}"}`},
			want:  `"2026-01-02T03:04:05.678Z"`,
		},
		{
			name: "util-dynamodb both ways",
			source: `import { marshall, unmarshall } from "@aws-sdk/util-dynamodb"
export const handler = async () => [marshall({ a: 1, b: [""] }, { convertEmptyValues: true }), unmarshall({ n: { N: "5" } }), unmarshall({ n: { N: "5" } }, { wrapNumbers: true })]`,
			want: `[{"a":{"N":"1"},"b":{"L":[{"NULL":true}]}},{"n":5},{"n":{"value":"5"}}]`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			aws := &fakeAWS{answer: func(string, json.RawMessage) (string, error) { return tt.reply, tt.err }}
			got, err := run(t, Options{AWS: aws, Schema: testSchema{}}, tt.source, `{}`)
			if err != nil || got != tt.want {
				t.Errorf("got %s, %v; want %s", got, err, tt.want)
			}
			if !slices.Equal(aws.calls, tt.calls) {
				t.Errorf("called %s\nwant   %s", aws.calls, tt.calls)
			}
		})
	}
}

func TestPagesFollowEachOther(t *testing.T) {
	n := 0
	aws := &fakeAWS{answer: func(string, json.RawMessage) (string, error) {
		if n++; n == 3 {
			return `{"Items":[{"n":{"N":"3"}}]}`, nil
		}
		return fmt.Sprintf(`{"Items":[{"n":{"N":"%d"}}],"LastEvaluatedKey":{"id":{"S":"%d"}}}`, n, n), nil
	}}
	got, err := run(t, Options{AWS: aws, Schema: testSchema{}}, `import { DynamoDBClient } from "@aws-sdk/client-dynamodb"
import { DynamoDBDocumentClient, paginateScan } from "@aws-sdk/lib-dynamodb"
const client = DynamoDBDocumentClient.from(new DynamoDBClient({}))
export const handler = async () => { const all: number[] = []; for await (const p of paginateScan({ client, pageSize: 1 }, { TableName: "t" })) all.push(...p.Items!.map((i) => i.n)); return all }`, `{}`)
	if err != nil || got != "[1,2,3]" {
		t.Errorf("got %s, %v", got, err)
	}
	want := []string{`dynamodb.Scan {"TableName":"t","Limit":1}`, `dynamodb.Scan {"TableName":"t","Limit":1,"ExclusiveStartKey":{"id":{"S":"1"}}}`, `dynamodb.Scan {"TableName":"t","Limit":1,"ExclusiveStartKey":{"id":{"S":"2"}}}`}
	if !slices.Equal(aws.calls, want) {
		t.Errorf("called %s", aws.calls)
	}
}

func TestWaiters(t *testing.T) {
	n := 0
	aws := &fakeAWS{answer: func(operation string, _ json.RawMessage) (string, error) {
		if n++; n == 1 {
			return "", &failure{"ResourceNotFoundException", "none", 404, nil}
		}
		return fmt.Sprintf(`{"Configuration":{"State":%q,"LastUpdateStatus":"Failed"}}`, []string{"", "", "Pending", "Active", "Active"}[min(n, 4)]), nil
	}}
	got, err := run(t, Options{AWS: aws, Schema: testSchema{}}, `import { LambdaClient, waitUntilFunctionExists, waitUntilFunctionActiveV2, waitUntilFunctionUpdatedV2, waitForFunctionUpdatedV2 } from "@aws-sdk/client-lambda"
const o = { client: new LambdaClient({}), maxWaitTime: 20, minDelay: 0.001 }, f = { FunctionName: "f" }
export const handler = async () => { const a = await waitUntilFunctionExists(o, f); const b: any = await waitUntilFunctionActiveV2(o, f); try { await waitUntilFunctionUpdatedV2(o, f) } catch (e: any) { return [a.state, b.state, b.reason.Configuration.State, JSON.parse(e.message).state, (await waitForFunctionUpdatedV2(o, f)).state] } }`, `{}`)
	if err != nil || got != `["SUCCESS","SUCCESS","Active","FAILURE","FAILURE"]` || n < 4 {
		t.Errorf("got %s, %v, %d calls", got, err, n)
	}
}

func TestMiddlewareRunsAroundCalls(t *testing.T) {
	aws := &fakeAWS{answer: func(string, json.RawMessage) (string, error) { return `{"StatusCode":200}`, nil }}
	got, err := run(t, Options{AWS: aws, Schema: testSchema{}}, `import { LambdaClient, InvokeCommand } from "@aws-sdk/client-lambda"
const seen: any[] = [], client = new LambdaClient({})
client.middlewareStack.add((next: any, c: any) => async (args: any) => { seen.push("build " + args.request.headers.a); const r = await next(args); r.output.more = 1; return r }, { step: "build", name: "b" })
client.middlewareStack.add((next: any, c: any) => async (args: any) => { seen.push(c.commandName); args.request.headers.a = "x"; return next({ ...args, input: { ...args.input, FunctionName: "g" } }) }, { step: "initialize" })
export const handler = async () => { const r: any = await client.send(new InvokeCommand({ FunctionName: "f" })); return [seen, r.StatusCode, r.more] }`, `{}`)
	if err != nil || got != `[["InvokeCommand","build x"],200,1]` || len(aws.calls) != 1 || aws.calls[0] != `lambda.Invoke {"FunctionName":"g"}` {
		t.Errorf("got %s, %v, %s", got, err, aws.calls)
	}
}

func TestAnEventStreamIsIteratedOver(t *testing.T) {
	aws := &fakeAWS{answer: func(string, json.RawMessage) (string, error) {
		return `{"StatusCode":200,"EventStream":[{"PayloadChunk":{"Payload":"aGk="}},{"InvokeComplete":{}}]}`, nil
	}}
	got, err := run(t, Options{AWS: aws, Schema: testSchema{}}, `import { LambdaClient, InvokeWithResponseStreamCommand } from "@aws-sdk/client-lambda"
export const handler = async () => { const r = await new LambdaClient({}).send(new InvokeWithResponseStreamCommand({ FunctionName: "f" })); const out: any[] = []; for await (const e of r.EventStream!) out.push(e.PayloadChunk ? new TextDecoder().decode(e.PayloadChunk.Payload) : Object.keys(e)[0]); return out }`, `{}`)
	if err != nil || got != `["hi","InvokeComplete"]` {
		t.Errorf("got %s, %v", got, err)
	}
}

// FuzzDocument writes a value by the document client, has the fake AWS keep the item, and reads it back.
func FuzzDocument(f *testing.F) {
	for _, seed := range []string{`null`, `""`, `[]`, `{}`, `{"a":[1,-2.5,true,null,"é",{"b":{}}]}`, `{"S":"x","N":"1","__proto__":1}`, `9007199254740991`, `1e-7`} {
		f.Add(seed)
	}
	var item struct{ Item json.RawMessage }
	aws := &fakeAWS{answer: func(operation string, in json.RawMessage) (string, error) {
		if operation == "PutItem" {
			return `{}`, json.Unmarshal(in, &item)
		}
		return `{"Item":` + string(item.Item) + `}`, nil
	}}
	s := newWorld(f, Options{AWS: aws, Schema: testSchema{}}, map[string]string{"index.ts": `import { DynamoDBClient } from "@aws-sdk/client-dynamodb"
import { DynamoDBDocumentClient, PutCommand, GetCommand } from "@aws-sdk/lib-dynamodb"
const doc = DynamoDBDocumentClient.from(new DynamoDBClient({}))
export const handler = async (v) => {
  try { await doc.send(new PutCommand({ TableName: "t", Item: { v } })) } catch (e: any) { if (/MAX_SAFE|MIN_SAFE|Special numeric/.test(e.message)) return "imprecise"; throw e }
  const { Item } = await doc.send(new GetCommand({ TableName: "t", Key: {} }))
  return JSON.stringify(Item!.v) === JSON.stringify(v) ? "same" : [v, Item!.v]
}`}).mustStart()
	f.Fuzz(func(t *testing.T, text string) {
		if !json.Valid([]byte(text)) {
			return
		}
		if got, err := call(t, s, text); err != nil || got != `"same"` && got != `"imprecise"` {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	})
}
