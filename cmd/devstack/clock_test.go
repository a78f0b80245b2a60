package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// machines keeps what a table's stream says, and waits for an hour.
const machines = `
table "sessions" {
  hash_key = "id"
  ttl      = "until"
  stream   = "OLD_IMAGE"
}
function "mourn" {
  runtime     = "js"
  source      = "mourn.ts"
  environment = { TABLE = table.notes.name }
  on "stream" { source = table.sessions.stream_arn }
}
state_machine "wait" {
  definition = jsonencode({ StartAt = "Wait", States = { Wait = { Type = "Wait", Seconds = 3600, End = true } } })
}
`

// mourn writes down who removed an item.
const mourn = `
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
const db = new DynamoDBClient({});
export const handler = async (event: any) => {
  for (const r of event.Records) {
    if (r.eventName !== "REMOVE") continue;
    await db.send(new PutItemCommand({ TableName: process.env.TABLE, Item: {
      id: { S: r.dynamodb.Keys.id.S }, by: { S: r.userIdentity?.principalId ?? "nobody" } } }));
  }
};
`

// One move of the clock is seen by every service that has a timer.
func TestTheClockMovesEverything(t *testing.T) {
	r := hostile(t, t.TempDir(), machines)
	if err := os.WriteFile(filepath.Join(r.dir, "mourn.ts"), []byte(mourn), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, code := r.up(); code != 0 {
		t.Fatalf("%d %s", code, out)
	}
	ask := func(target, body string) string {
		t.Helper()
		status, answer := r.awsJSON(target, body)
		if status != 200 {
			t.Errorf("%s: %d %s", target, status, answer)
		}
		return answer
	}
	now := time.Now()
	ask("DynamoDB_20120810.PutItem", fmt.Sprintf(`{"TableName":"sessions","Item":{"id":{"S":"ada"},"until":{"N":"%d"}}}`, now.Add(30*time.Minute).Unix()))
	ask("DynamoDB_20120810.PutItem", fmt.Sprintf(`{"TableName":"sessions","Item":{"id":{"S":"bob"},"until":{"N":"%d"}}}`, now.Add(30*24*time.Hour).Unix()))
	started := ask("AWSStepFunctions.StartExecution", `{"stateMachineArn":"arn:aws:states:us-east-1:000000000000:stateMachine:wait","input":"{}"}`)
	_, arn, _ := strings.Cut(started, `"executionArn":"`)
	arn, _, _ = strings.Cut(arn, `"`)
	r.redis("*5\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n$2\r\nEX\r\n$4\r\n1800\r\n")
	ask("Logs_20140328.CreateLogGroup", `{"logGroupName":"kept-a-day"}`)
	ask("Logs_20140328.PutRetentionPolicy", `{"logGroupName":"kept-a-day","retentionInDays":1}`)
	ask("Logs_20140328.CreateLogStream", `{"logGroupName":"kept-a-day","logStreamName":"s"}`)
	ask("Logs_20140328.PutLogEvents", fmt.Sprintf(`{"logGroupName":"kept-a-day","logStreamName":"s","logEvents":[{"timestamp":%d,"message":"once"}]}`, now.UnixMilli()))

	execution := func() string { return ask("AWSStepFunctions.DescribeExecution", `{"executionArn":"`+arn+`"}`) }
	if !strings.Contains(execution(), `"status":"RUNNING"`) || r.redis("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n") != "$1\r\n" {
		t.Errorf("before the move: %s", execution())
	}
	r.devstack("clock", "advance", "1h")

	if got := r.redis("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"); got != "$-1\r\n" {
		t.Errorf("the key of Redis is still there: %q", got)
	}
	eventually(t, "end of the wait", func() bool { return strings.Contains(execution(), `"status":"SUCCEEDED"`) })
	eventually(t, "record of the expired item, removed by the service", func() bool {
		return strings.Contains(ask("DynamoDB_20120810.GetItem", `{"TableName":"notes","Key":{"id":{"S":"ada"}}}`), `"by":{"S":"dynamodb.amazonaws.com"}`)
	})
	if left := ask("DynamoDB_20120810.Scan", `{"TableName":"sessions"}`); strings.Contains(left, "ada") || !strings.Contains(left, "bob") {
		t.Errorf("the table holds %s", left)
	}
	events := func() string { return ask("Logs_20140328.FilterLogEvents", `{"logGroupName":"kept-a-day"}`) }
	if !strings.Contains(events(), "once") {
		t.Errorf("after an hour: %s", events())
	}
	r.devstack("clock", "advance", "48h")
	eventually(t, "end of the log event", func() bool { return !strings.Contains(events(), "once") })

	r.devstack("down")
	if out, code := r.up(); code != 0 {
		t.Fatalf("%d %s", code, out)
	}
	if out := r.devstack("clock"); !strings.Contains(out, "49h0m0s ahead") {
		t.Errorf("after a restart: %s", out)
	}
	if out, code := r.try("clock", "advance", "876000h"); code != exitFailure || !strings.Contains(out, "more than a hundred years") {
		t.Errorf("a century: %d %s", code, out)
	}
	r.devstack("reset")
	if out := r.devstack("clock"); !strings.Contains(out, " 0s ahead") {
		t.Errorf("after a reset: %s", out)
	}
}

// redis sends a command to the stack's cache and returns the answer's first line.
func (r *running) redis(command string) string {
	r.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(r.state("cache", "c").URL, "redis://"))
	if err != nil {
		r.t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, command); err != nil {
		r.t.Fatal(err)
	}
	line := make([]byte, 0, 64)
	for b := make([]byte, 1); len(line) == 0 || line[len(line)-1] != '\n'; line = append(line, b[0]) {
		if _, err := io.ReadFull(c, b); err != nil {
			r.t.Fatal(err)
		}
	}
	return string(line)
}
