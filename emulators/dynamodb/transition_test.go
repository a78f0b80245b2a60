package dynamodb

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"devstack/internal/clock"
)

// slow is an emulator whose tables take ten seconds to change.
func slow(t *testing.T) *cloud {
	c := newCloudWith(filepath.Join(t.TempDir(), "dynamodb.db"), clock.Fixed(start), Options{Transition: 10 * time.Second})
	t.Cleanup(func() { c.store.Close() })
	return c
}

// statuses returns the TableStatus and the first index's IndexStatus, with what is said of its filling.
func (c *cloud) statuses(t *testing.T) string {
	t.Helper()
	out := c.call("DescribeTable", `{"TableName":"things"}`)
	if !strings.HasPrefix(out, "{") {
		return out
	}
	d := decode[struct {
		Table struct {
			TableStatus            string
			GlobalSecondaryIndexes []struct {
				IndexStatus string
				Backfilling *bool
			}
		}
	}](t, out).Table
	s := d.TableStatus
	for _, x := range d.GlobalSecondaryIndexes {
		s += " " + x.IndexStatus
		if x.Backfilling != nil && *x.Backfilling {
			s += " backfilling"
		}
	}
	return s
}

const (
	addIndex = `{"TableName":"things","AttributeDefinitions":[{"AttributeName":"g","AttributeType":"S"}],"GlobalSecondaryIndexUpdates":[
		{"Create":{"IndexName":"by_g","KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}}]}`
	dropIndex  = `{"TableName":"things","GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"by_g"}}]}`
	putThing   = `{"TableName":"things","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"g":{"S":"x"}}}`
	queryIndex = `{"TableName":"things","IndexName":"by_g","Select":"COUNT","KeyConditionExpression":"g = :g","ExpressionAttributeValues":{":g":{"S":"x"}}}`
	inUseWords = "ResourceInUseException: Attempt to change a resource which is still in use: "
)

func TestTablesTakeTime(t *testing.T) {
	c := slow(t)
	if out := c.must(t, "CreateTable", createPK); !strings.Contains(out, `"TableStatus":"CREATING"`) {
		t.Error(out)
	}
	missing := "ResourceNotFoundException: Requested resource not found"
	c.want(t, "PutItem", putThing, missing)
	c.want(t, "CreateTable", createPK, inUseWords+"Table is being created: things")
	c.want(t, "UpdateTable", `{"TableName":"things","DeletionProtectionEnabled":true}`, inUseWords+"Table is being created: things")
	c.want(t, "DeleteTable", `{"TableName":"things"}`, inUseWords+"Table is being created: things")
	c.want(t, "DescribeTimeToLive", `{"TableName":"things"}`,
		"ValidationException: Cannot describe time to live while table is in CREATING state: Current table state is CREATING")
	c.clock.Advance(10 * time.Second)
	c.must(t, "PutItem", putThing)
	c.want(t, "CreateTable", createPK, "ResourceInUseException: Table already exists: things")

	c.must(t, "DeleteTable", `{"TableName":"things"}`)
	c.want(t, "DeleteTable", `{"TableName":"things"}`, inUseWords+"Table is being deleted: things")
	c.want(t, "CreateTable", createPK, "ResourceInUseException: Table already exists: things")
	c.must(t, "PutItem", putThing)
	c.want(t, "ListTables", `{}`, `{"TableNames":["things"]}`)
	c.clock.Advance(10 * time.Second)
	c.want(t, "PutItem", putThing, missing)
	c.want(t, "ListTables", `{}`, `{"TableNames":[]}`)
	c.must(t, "CreateTable", createPK)
	c.clock.Advance(time.Minute)
	c.want(t, "Scan", `{"TableName":"things","Select":"COUNT"}`, `{"Count":0,"ScannedCount":0}`)
}

func TestIndexesTakeTime(t *testing.T) {
	c := slow(t)
	c.must(t, "CreateTable", createPK)
	c.clock.Advance(10 * time.Second)
	c.must(t, "PutItem", putThing)
	check := func(want string) {
		t.Helper()
		if got := c.statuses(t); got != want {
			t.Errorf("the table is %s, not %s", got, want)
		}
	}
	c.must(t, "UpdateTable", addIndex)
	check("UPDATING CREATING")
	c.want(t, "UpdateTable", dropIndex, inUseWords+"Index creation is in resource allocation phase. "+
		"Retry deletion during backfilling phase or when the index is active. Table: things Index: by_g")
	c.want(t, "DeleteTable", `{"TableName":"things"}`, inUseWords+"Cannot delete table while indexes are being created, updated, or deleted.")
	c.clock.Advance(5 * time.Second)
	check("ACTIVE CREATING backfilling")
	c.want(t, "UpdateTable", strings.Replace(addIndex, "by_g", "another", 1),
		"LimitExceededException: Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table")
	c.want(t, "Query", queryIndex, "ValidationException: Cannot read from backfilling global secondary index: by_g")
	c.clock.Advance(5 * time.Second)
	check("ACTIVE ACTIVE")
	c.want(t, "Query", queryIndex, `{"Count":1,"ScannedCount":1}`)

	c.must(t, "UpdateTable", dropIndex)
	check("UPDATING DELETING")
	c.want(t, "UpdateTable", dropIndex, inUseWords+"Index is being deleted.  Table: things Index: by_g")
	c.want(t, "Query", queryIndex, "ValidationException: The table does not have the specified index: by_g")
	c.clock.Advance(10 * time.Second)
	check("ACTIVE")
}

func TestChangesThatAreUnderWay(t *testing.T) {
	c := slow(t)
	c.must(t, "CreateTable", strings.Replace(createPK, `"BillingMode":"PAY_PER_REQUEST"`, `"ProvisionedThroughput":{"ReadCapacityUnits":5,"WriteCapacityUnits":5}`, 1))
	c.clock.Advance(10 * time.Second)
	update := func(change string) string { return `{"TableName":"things",` + change + `}` }
	const more, stream = `"ProvisionedThroughput":{"ReadCapacityUnits":6,"WriteCapacityUnits":6}`, `"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"}`
	for _, tt := range []struct{ name, change, meanwhile, want string }{
		{"throughput", more, stream, "Can't enable or disable stream while table IOPS are being updated. Table: things"},
		{"throughput again", `"ProvisionedThroughput":{"ReadCapacityUnits":7,"WriteCapacityUnits":7}`, more, "Table IOPS are currently being updated. Table: things"},
		{"a class", `"TableClass":"STANDARD_INFREQUENT_ACCESS"`, stream,
			"Can't change stream status when a table class update is in progress. Table: things TableClassUpdateInProgress: STANDARD_INFREQUENT_ACCESS"},
		{"the encryption", `"SSESpecification":{"Enabled":true}`, `"SSESpecification":{"Enabled":true}`, "Server-Side Encryption is still being updated"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.must(t, "UpdateTable", update(tt.change))
			c.want(t, "UpdateTable", update(tt.meanwhile), inUseWords+tt.want)
			c.want(t, "DeleteTable", `{"TableName":"things"}`, inUseWords+"Table: things is in the process of being updated.")
			c.must(t, "PutItem", putThing)
			c.clock.Advance(10 * time.Second)
		})
	}
}

func TestTimeToLiveTakesTime(t *testing.T) {
	c := slow(t)
	c.must(t, "CreateTable", createPK)
	c.clock.Advance(10 * time.Second)
	c.must(t, "PutItem", `{"TableName":"things","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"until":{"N":"1"}}}`)
	const on = `{"TableName":"things","TimeToLiveSpecification":{"Enabled":true,"AttributeName":"until"}}`
	off := strings.Replace(on, "true", "false", 1)
	c.must(t, "UpdateTimeToLive", on)
	c.want(t, "DescribeTimeToLive", `{"TableName":"things"}`, `{"TimeToLiveDescription":{"TimeToLiveStatus":"ENABLING","AttributeName":"until"}}`)
	c.want(t, "UpdateTimeToLive", off, "ValidationException: Time to live has been modified multiple times within a fixed interval")
	c.clock.Advance(10 * time.Second)
	c.want(t, "DescribeTimeToLive", `{"TableName":"things"}`, `{"TimeToLiveDescription":{"TimeToLiveStatus":"ENABLED","AttributeName":"until"}}`)
	c.must(t, "UpdateTimeToLive", off)
	c.want(t, "DescribeTimeToLive", `{"TableName":"things"}`, `{"TimeToLiveDescription":{"TimeToLiveStatus":"DISABLING","AttributeName":"until"}}`)
	c.clock.Advance(10 * time.Second)
	c.want(t, "DescribeTimeToLive", `{"TableName":"things"}`, `{"TimeToLiveDescription":{"TimeToLiveStatus":"DISABLED"}}`)
}

func TestTransitionsOutliveTheDaemon(t *testing.T) {
	path, now := filepath.Join(t.TempDir(), "dynamodb.db"), clock.Fixed(start)
	opts := Options{Transition: time.Minute}
	c := newCloudWith(path, now, opts)
	c.must(t, "CreateTable", createPK)
	c.must(t, "CreateTable", strings.Replace(createPK, "things", "gone", 1))
	now.Advance(time.Minute)
	c.must(t, "DeleteTable", `{"TableName":"gone"}`)
	c.must(t, "UpdateTable", addIndex)
	if err := c.store.Close(); err != nil {
		t.Fatal(err)
	}
	c = newCloudWith(path, now, opts)
	defer c.store.Close()
	if got := c.statuses(t); got != "UPDATING CREATING" {
		t.Errorf("after a restart it is %s", got)
	}
	c.want(t, "ListTables", `{}`, `{"TableNames":["gone","things"]}`)
	now.Advance(time.Minute)
	if got := c.statuses(t); got != "ACTIVE ACTIVE" {
		t.Errorf("in the end it is %s", got)
	}
	c.want(t, "ListTables", `{}`, `{"TableNames":["things"]}`)
}
