package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// products is a table with all that a stack may say of one.
const products = `
variable "aws_port" {}
stack "tables" { port = var.aws_port }
table "products" {
  hash_key        = "id"
  table_class     = "STANDARD_INFREQUENT_ACCESS"
  max_read_units  = 100
  seed            = ["seeds/products.csv", "seeds/more.json"]
  recovery_period_in_days = 7
  index "by_place" {
    hash_keys  = ["country", "city"]
    range_keys = ["street"]
  }
}
`

// tables runs a stack of tables; files are those beside stack.hcl.
func tables(t *testing.T, stack string, files map[string]string) *running {
	t.Helper()
	r := &running{t: t, dir: t.TempDir(), aws: freePort(t)}
	for name, content := range files {
		path := filepath.Join(r.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(r.dir, "stack.hcl"), []byte(stack), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if held(r.dir) {
			r.devstack("down")
		}
	})
	if out, code := r.try("up", "--detach", "--wait", "30s", "--var", fmt.Sprintf("aws_port=%d", r.aws)); code != 0 {
		t.Fatalf("devstack up: %d %s", code, out)
	}
	return r
}

// dynamodb calls an operation that has to succeed.
func (r *running) dynamodb(operation, body string) string {
	r.t.Helper()
	status, answer := r.awsJSON("DynamoDB_20120810."+operation, body)
	if status != 200 {
		r.t.Errorf("%s: %d %s", operation, status, answer)
	}
	return answer
}

// A table begins with the items of its files, and gets them again when a file is saved with others.
func TestSeeds(t *testing.T) {
	r := tables(t, products, map[string]string{
		"seeds/products.csv": "id,country,city,street,name\ntea,UK,London,Mincing Lane,tea\n",
		"seeds/more.json":    `[{"id":"coffee","price":450,"country":"UK"}]`,
	})
	scan := func() string { return r.dynamodb("Scan", `{"TableName":"products"}`) }
	if got := scan(); !strings.Contains(got, `"Count":2`) || !strings.Contains(got, `"price":{"N":"450"}`) {
		t.Errorf("the table began with %s", got)
	}
	place := r.dynamodb("Query", `{"TableName":"products","IndexName":"by_place","KeyConditionExpression":"country = :uk AND city = :l",
		"ExpressionAttributeValues":{":uk":{"S":"UK"},":l":{"S":"London"}}}`)
	if !strings.Contains(place, `"Count":1`) || !strings.Contains(place, "Mincing Lane") {
		t.Errorf("by place: %s", place)
	}
	d := r.dynamodb("DescribeTable", `{"TableName":"products"}`)
	for _, want := range []string{`"TableClass":"STANDARD_INFREQUENT_ACCESS"`, `"MaxReadRequestUnits":100`} {
		if !strings.Contains(d, want) {
			t.Errorf("the table has no %s: %s", want, d)
		}
	}
	if got := r.dynamodb("DescribeContinuousBackups", `{"TableName":"products"}`); !strings.Contains(got, `"RecoveryPeriodInDays":7`) {
		t.Errorf("recovery: %s", got)
	}

	r.dynamodb("PutItem", `{"TableName":"products","Item":{"id":{"S":"mine"}}}`)
	r.dynamodb("PutItem", `{"TableName":"products","Item":{"id":{"S":"tea"},"name":{"S":"changed"}}}`)
	r.devstack("down")
	if out, code := r.try("up", "--detach", "--wait", "30s", "--var", fmt.Sprintf("aws_port=%d", r.aws)); code != 0 {
		t.Fatalf("devstack up: %d %s", code, out)
	}
	if got := scan(); !strings.Contains(got, "changed") {
		t.Errorf("a restart put the seeds over what was written: %s", got)
	}
	r.edit("seeds/more.json", `450`, `480`)
	eventually(t, "new price", func() bool { return strings.Contains(scan(), `"price":{"N":"480"}`) })
	if got := scan(); !strings.Contains(got, "mine") || strings.Contains(got, "changed") {
		t.Errorf("after a save of a seed: %s", got)
	}
	logs := func(texts ...string) bool {
		log, _ := os.ReadFile(filepath.Join(r.dir, stateDir, "daemon.log"))
		return !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(string(log), text) })
	}
	r.edit("seeds/more.json", `480`, `1e480`)
	eventually(t, "complaint with the file", func() bool { return logs("seed more.json, items 1 to 1: ", "Number overflow") })
	r.edit("seeds/more.json", `1e480,"country":"UK"`, `480,"country":"ID"`)
	eventually(t, "whole seed", func() bool { return strings.Contains(scan(), `"country":{"S":"ID"}`) })
	r.edit("seeds/more.json", `"id"`, `"ID"`)
	eventually(t, "complaint with file and line", func() bool {
		return logs("seeds/more.json:1,1", `the item has no "id", which is a key of the table. Is "ID" meant to be it?`)
	})
	if got := scan(); !strings.Contains(got, `"price":{"N":"480"}`) {
		t.Errorf("a bad seed has changed the table: %s", got)
	}
}

// A stack may let tables take their time to change, as on AWS; the clock is the stack's.
func TestTablesTakeTheirTime(t *testing.T) {
	r := tables(t, `
variable "aws_port" {}
stack "tables" {
  port        = var.aws_port
  table_delay = 1
}
table "declared" { hash_key = "id" }
`, nil)
	status := func() string { return r.dynamodb("DescribeTable", `{"TableName":"declared"}`) }
	if got := status(); !strings.Contains(got, `"TableStatus":"ACTIVE"`) {
		t.Errorf("a stack is ready before its table: %s", got)
	}
	if got := r.dynamodb("UpdateTable", `{"TableName":"declared","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"}}`); !strings.Contains(got, `"TableStatus":"UPDATING"`) {
		t.Errorf("UpdateTable: %s", got)
	}
	if _, answer := r.awsJSON("DynamoDB_20120810.UpdateTable", `{"TableName":"declared","StreamSpecification":{"StreamEnabled":false}}`); !strings.Contains(answer, "ResourceInUseException") {
		t.Errorf("a second change at once: %s", answer)
	}
	r.devstack("clock", "advance", "1s")
	eventually(t, "end of the change", func() bool { return strings.Contains(status(), `"TableStatus":"ACTIVE"`) })
}

// Replicas of a declared table are tables of their regions, and an edit takes one away.
func TestReplicas(t *testing.T) {
	r := tables(t, `
variable "aws_port" {}
stack "tables" { port = var.aws_port }
table "orders" {
  hash_key = "id"
  stream   = "NEW_AND_OLD_IMAGES"
  replicas = ["eu-west-1", "ap-south-1"]
}
`, nil)
	r.dynamodb("PutItem", `{"TableName":"orders","Item":{"id":{"S":"a"}}}`)
	elsewhere := func(region string) string {
		_, answer := r.awsJSONIn(region, "DynamoDB_20120810.GetItem", `{"TableName":"orders","Key":{"id":{"S":"a"}}}`)
		return answer
	}
	for _, region := range []string{"eu-west-1", "ap-south-1"} {
		if got := elsewhere(region); !strings.Contains(got, `"id":{"S":"a"}`) {
			t.Errorf("%s: %s", region, got)
		}
	}
	r.edit("stack.hcl", `"eu-west-1", `, "")
	eventually(t, "end of the replica", func() bool { return strings.Contains(elsewhere("eu-west-1"), "ResourceNotFoundException") })
	if got := elsewhere("ap-south-1"); !strings.Contains(got, `"id":{"S":"a"}`) {
		t.Errorf("the other replica: %s", got)
	}
	r.edit("stack.hcl", `  stream   = "NEW_AND_OLD_IMAGES"
  replicas = ["ap-south-1"]`, "")
	eventually(t, "end of the last replica and of the stream", func() bool {
		d := r.dynamodb("DescribeTable", `{"TableName":"orders"}`)
		return strings.Contains(elsewhere("ap-south-1"), "ResourceNotFoundException") && !strings.Contains(d, "StreamEnabled")
	})
}
