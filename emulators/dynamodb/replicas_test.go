package dynamodb

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// in runs an operation in a region.
func (c *cloud) in(region, operation, input string) string {
	service := "dynamodb"
	switch operation {
	case "ListStreams", "DescribeStream", "GetShardIterator", "GetRecords":
		service = "dynamodbstreams"
	}
	ctx := wire.WithRequest(context.Background(), &wire.Request{Account: "000000000000", Region: region})
	var out json.RawMessage
	if err := c.Call(ctx, service, operation, json.RawMessage(input), &out); err != nil {
		return err.Error()
	}
	return string(out)
}

// openGlobal makes the table things with replicas in these regions, from the first to the others.
func openGlobal(t *testing.T, regions ...string) *cloud {
	c := open(t)
	c.mustIn(t, regions[0], "CreateTable", `{"TableName":"things","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],
		"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"x","AttributeType":"S"}],
		"GlobalSecondaryIndexes":[{"IndexName":"by_x","KeySchema":[{"AttributeName":"x","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}]}`)
	for _, region := range regions[1:] {
		c.mustIn(t, regions[0], "UpdateTable", replica("Create", region))
	}
	return c
}

func replica(action, region string) string {
	return `{"TableName":"things","ReplicaUpdates":[{"` + action + `":{"RegionName":"` + region + `"}}]}`
}

func (c *cloud) mustIn(t testing.TB, region, operation, input string) string {
	t.Helper()
	out := c.in(region, operation, input)
	if !strings.HasPrefix(out, "{") {
		t.Fatalf("%s in %s: %s", operation, region, out)
	}
	return out
}

// contents are a region's items, the index's, and the counts that DescribeTable gives.
func (c *cloud) contents(t *testing.T, region string) string {
	t.Helper()
	d := decode[struct {
		Table struct {
			ItemCount, TableSizeBytes int
			GlobalSecondaryIndexes    []struct{ ItemCount, IndexSizeBytes int }
		}
	}](t, c.mustIn(t, region, "DescribeTable", `{"TableName":"things"}`))
	return fmt.Sprint(c.mustIn(t, region, "Scan", `{"TableName":"things"}`), c.mustIn(t, region, "Scan", `{"TableName":"things","IndexName":"by_x"}`), d)
}

func TestReplicasAreAlike(t *testing.T) {
	all := []string{"us-east-1", "eu-west-1", "ap-south-1"}
	c := openGlobal(t, all...)
	var wg sync.WaitGroup
	for g, region := range all {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(1, uint64(g)))
			for range 100 {
				key := fmt.Sprintf(`{"pk":{"S":"k%d"}}`, rnd.IntN(10))
				item := fmt.Sprintf(`{"pk":{"S":"k%d"},"x":{"S":"%s%d"}}`, rnd.IntN(10), region, rnd.IntN(3))
				switch rnd.IntN(5) {
				case 0:
					c.in(region, "PutItem", `{"TableName":"things","Item":`+item+`}`)
				case 1:
					c.in(region, "DeleteItem", `{"TableName":"things","Key":`+key+`}`)
				case 2:
					c.in(region, "UpdateItem", `{"TableName":"things","Key":`+key+`,"UpdateExpression":"ADD n :n","ExpressionAttributeValues":{":n":{"N":"1"}}}`)
				case 3:
					c.in(region, "BatchWriteItem", `{"RequestItems":{"things":[{"PutRequest":{"Item":`+item+`}}]}}`)
				default:
					c.in(region, "TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"things","Item":`+item+`}},{"Delete":{"TableName":"things","Key":{"pk":{"S":"other"}}}}]}`)
				}
			}
		})
	}
	wg.Wait()
	first := c.contents(t, all[0])
	for _, region := range all[1:] {
		if got := c.contents(t, region); got != first {
			t.Errorf("%s has\n%s\n%s has\n%s", all[0], first, region, got)
		}
	}
}

func TestANewReplicaHasTheItems(t *testing.T) {
	c := openGlobal(t, "us-east-1")
	for n := range 50 {
		c.mustIn(t, "us-east-1", "PutItem", fmt.Sprintf(`{"TableName":"things","Item":{"pk":{"S":"%d"},"x":{"S":"%d"}}}`, n, n%3))
	}
	c.mustIn(t, "us-east-1", "UpdateTable", replica("Create", "eu-west-1"))
	if here, there := c.contents(t, "us-east-1"), c.contents(t, "eu-west-1"); here != there {
		t.Errorf("here %s\nthere %s", here, there)
	}
	streams := decode[struct{ Streams []struct{ StreamArn string } }](t, c.mustIn(t, "eu-west-1", "ListStreams", `{}`)).Streams
	if len(streams) != 1 {
		t.Fatalf("%d streams", len(streams))
	}
	if got := c.events(t, "eu-west-1"); got != "" {
		t.Errorf("the stream tells of the copy: %s", got)
	}
}

// events are the names of the records in a region's stream, "SERVICE" after those of the service's own.
func (c *cloud) events(t *testing.T, region string) string {
	t.Helper()
	arn := decode[struct{ Streams []struct{ StreamArn string } }](t, c.mustIn(t, region, "ListStreams", `{}`)).Streams[0].StreamArn
	d := decode[struct {
		StreamDescription struct{ Shards []describedShard }
	}](t, c.mustIn(t, region, "DescribeStream", `{"StreamArn":"`+arn+`"}`))
	var names []string
	for _, shard := range d.StreamDescription.Shards {
		it := decode[struct{ ShardIterator string }](t, c.mustIn(t, region, "GetShardIterator", `{"StreamArn":"`+arn+`","ShardId":"`+shard.ShardId+`","ShardIteratorType":"TRIM_HORIZON"}`))
		for _, r := range decode[struct {
			Records []struct {
				EventName, AwsRegion string
				UserIdentity         *struct{ Type string }
			}
		}](t, c.mustIn(t, region, "GetRecords", `{"ShardIterator":"`+it.ShardIterator+`"}`)).Records {
			name := r.EventName
			if r.UserIdentity != nil {
				name += " SERVICE"
			}
			if r.AwsRegion != region {
				name += " of " + r.AwsRegion
			}
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

func TestTimeToLiveIsReplicated(t *testing.T) {
	c := openGlobal(t, "us-east-1", "eu-west-1")
	c.mustIn(t, "eu-west-1", "UpdateTimeToLive", `{"TableName":"things","TimeToLiveSpecification":{"Enabled":true,"AttributeName":"until"}}`)
	c.mustIn(t, "us-east-1", "PutItem", fmt.Sprintf(`{"TableName":"things","Item":{"pk":{"S":"a"},"until":{"N":"%d"}}}`, start.Add(time.Minute).Unix()))
	c.clock.Advance(time.Hour)
	if got := c.contents(t, "us-east-1"); got != c.contents(t, "eu-west-1") || strings.Contains(got, `"S":"a"`) {
		t.Errorf("an hour later: %s", got)
	}
	here, there := c.events(t, "us-east-1"), c.events(t, "eu-west-1")
	if both := []string{here, there}; both[0]+both[1] != "INSERT, REMOVE SERVICEINSERT, REMOVE" && both[0]+both[1] != "INSERT, REMOVEINSERT, REMOVE SERVICE" {
		t.Errorf("the streams tell %q and %q; the deletion is the service's in one region", here, there)
	}
	// Nothing is left behind that could expire once more.
	c.store.View(func(tx *store.Tx) error {
		for table := range tables.All(tx) {
			for key := range tx.Bucket(table.expiries()).Ascend(nil) {
				t.Errorf("%s: expiry %x", table.Region, key)
			}
		}
		return nil
	})
}

func TestATableThatWasCopiedIsHeldOnTo(t *testing.T) {
	c := openGlobal(t, "us-east-1", "eu-west-1")
	c.mustIn(t, "eu-west-1", "UpdateTable", replica("Create", "ap-south-1"))
	for _, tt := range []struct{ name, region, operation, input string }{
		{"the first", "us-east-1", "DeleteTable", `{"TableName":"things"}`},
		{"the source of another", "us-east-1", "UpdateTable", replica("Delete", "eu-west-1")},
	} {
		if got := c.in(tt.region, tt.operation, tt.input); got != "ValidationException: "+msgSource {
			t.Errorf("%s: %s", tt.name, got)
		}
	}
	c.clock.Advance(24 * time.Hour)
	c.mustIn(t, "us-east-1", "DeleteTable", `{"TableName":"things"}`)
	d := c.mustIn(t, "eu-west-1", "DescribeTable", `{"TableName":"things"}`)
	if !strings.Contains(d, `"RegionName":"ap-south-1"`) || strings.Contains(d, `"RegionName":"us-east-1"`) {
		t.Errorf("the others go on without it: %s", d)
	}
	c.mustIn(t, "ap-south-1", "DeleteTable", `{"TableName":"things"}`)
	if d := c.mustIn(t, "eu-west-1", "DescribeTable", `{"TableName":"things"}`); strings.Contains(d, "GlobalTable") || strings.Contains(d, "Replicas") {
		t.Errorf("the last is a table of one region: %s", d)
	}
	c.mustIn(t, "eu-west-1", "PutItem", `{"TableName":"things","Item":{"pk":{"S":"a"}}}`)
}

func TestWhatReplicasShare(t *testing.T) {
	c := openGlobal(t, "us-east-1", "eu-west-1")
	c.mustIn(t, "us-east-1", "UpdateTable", `{"TableName":"things","ReplicaUpdates":[{"Update":{"RegionName":"eu-west-1","OnDemandThroughputOverride":{"MaxReadRequestUnits":50}}}]}`)
	c.mustIn(t, "us-east-1", "UpdateTable", `{"TableName":"things","OnDemandThroughput":{"MaxReadRequestUnits":70,"MaxWriteRequestUnits":80}}`)
	c.mustIn(t, "us-east-1", "UpdateTable", `{"TableName":"things","GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"by_x"}}]}`)
	c.mustIn(t, "us-east-1", "UpdateTable", `{"TableName":"things","DeletionProtectionEnabled":true}`)
	c.mustIn(t, "us-east-1", "TagResource", `{"ResourceArn":"arn:aws:dynamodb:us-east-1:000000000000:table/things","Tags":[{"Key":"a","Value":"b"}]}`)
	there := c.mustIn(t, "eu-west-1", "DescribeTable", `{"TableName":"things"}`)
	for _, want := range []string{`"OnDemandThroughput":{"MaxReadRequestUnits":50,"MaxWriteRequestUnits":80}`, `"DeletionProtectionEnabled":false`, `"OnDemandThroughputOverride":{"MaxReadRequestUnits":70}`} {
		if !strings.Contains(there, want) {
			t.Errorf("there is no %s in %s", want, there)
		}
	}
	if strings.Contains(there, "by_x") {
		t.Errorf("the index is still there: %s", there)
	}
	if got := c.mustIn(t, "eu-west-1", "ListTagsOfResource", `{"ResourceArn":"arn:aws:dynamodb:eu-west-1:000000000000:table/things"}`); got != `{"Tags":[]}` && got != `{}` {
		t.Errorf("tags are each replica's own: %s", got)
	}
}

// The class of a table changes that of its replicas, each of which may change so often (observed, ack-api-quirks, DDB-TABLE-294).
func TestClassOfReplicas(t *testing.T) {
	c := openGlobal(t, "us-east-1", "eu-west-1")
	for _, class := range []string{"STANDARD", "STANDARD_INFREQUENT_ACCESS", "STANDARD_INFREQUENT_ACCESS"} {
		c.mustIn(t, "us-east-1", "UpdateTable", `{"TableName":"things","ReplicaUpdates":[{"Update":{"RegionName":"eu-west-1","TableClassOverride":"`+class+`"}}]}`)
	}
	c.mustIn(t, "eu-west-1", "UpdateTable", `{"TableName":"things","TableClass":"STANDARD"}`)
	got := c.in("us-east-1", "UpdateTable", `{"TableName":"things","TableClass":"STANDARD_INFREQUENT_ACCESS"}`)
	if want := "Limit exceeded for replica in eu-west-1. Updates to TableClass are limited to 2 times in 30 day(s)"; !strings.Contains(got, want) {
		t.Errorf("%s, not %s", got, want)
	}
}

func TestAReplicaTakesItsTime(t *testing.T) {
	c := slow(t)
	c.mustIn(t, "us-east-1", "CreateTable", `{"TableName":"things","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}]}`)
	c.clock.Advance(10 * time.Second)
	c.mustIn(t, "us-east-1", "UpdateTable", replica("Create", "eu-west-1"))
	describe := func() string {
		t.Helper()
		d := decode[struct {
			Table struct {
				TableStatus string
				Replicas    []struct{ ReplicaStatus string }
			}
		}](t, c.mustIn(t, "us-east-1", "DescribeTable", `{"TableName":"things"}`)).Table
		return fmt.Sprint(d.TableStatus, d.Replicas)
	}
	if got := describe(); got != "UPDATING[{CREATING}]" {
		t.Errorf("at first %s", got)
	}
	for _, tt := range []struct{ operation, input string }{
		{"UpdateTable", replica("Create", "ap-south-1")},
		{"UpdateTable", `{"TableName":"things","DeletionProtectionEnabled":true}`},
		{"DeleteTable", `{"TableName":"things"}`},
	} {
		if got := c.in("us-east-1", tt.operation, tt.input); got != "ResourceInUseException: "+msgRegrouping {
			t.Errorf("%s meanwhile: %s", tt.operation, got)
		}
	}
	const absent = "ResourceNotFoundException: Requested resource not found: Table: things not found"
	for _, tt := range []struct{ operation, input, want string }{ // observed, ack-api-quirks, DDB-TABLE-298
		{"UpdateTable", `{"TableName":"things","DeletionProtectionEnabled":true}`, absent},
		{"DescribeTimeToLive", `{"TableName":"things"}`, absent},
		{"UpdateTimeToLive", `{"TableName":"things","TimeToLiveSpecification":{"AttributeName":"e","Enabled":true}}`, absent},
		{"DescribeContinuousBackups", `{"TableName":"things"}`, "TableNotFoundException: Table not found: things"},
		{"DeleteTable", `{"TableName":"things"}`, "ResourceInUseException: Attempt to change a resource which is still in use: Table: things is being used."},
	} {
		if got := c.in("eu-west-1", tt.operation, tt.input); got != tt.want {
			t.Errorf("%s of the replica meanwhile: %s", tt.operation, got)
		}
	}
	if got := c.mustIn(t, "eu-west-1", "DescribeTableReplicaAutoScaling", `{"TableName":"things"}`); !strings.Contains(got, `"ReplicaStatus":"CREATING"`) {
		t.Errorf("scaling meanwhile: %s", got)
	}
	c.mustIn(t, "us-east-1", "PutItem", `{"TableName":"things","Item":{"pk":{"S":"meanwhile"}}}`)
	c.clock.Advance(10 * time.Second)
	if got := describe(); got != "ACTIVE[{ACTIVE}]" {
		t.Errorf("then %s", got)
	}
	if got := c.mustIn(t, "eu-west-1", "GetItem", `{"TableName":"things","Key":{"pk":{"S":"meanwhile"}}}`); got != `{"Item":{"pk":{"S":"meanwhile"}}}` {
		t.Errorf("what was written meanwhile: %s", got)
	}
	c.mustIn(t, "us-east-1", "UpdateTable", replica("Delete", "eu-west-1"))
	if got := describe(); got != "UPDATING[]" {
		t.Errorf("while it is deleted: %s", got)
	}
	c.clock.Advance(10 * time.Second)
	c.mustIn(t, "us-east-1", "DeleteTable", `{"TableName":"things"}`)
}

func TestReplicasHaveKeysOfOneKind(t *testing.T) {
	const custom = "arn:aws:kms:us-east-1:000000000000:key/11111111-1111-4111-8111-111111111111"
	create := func(key string) string {
		if key != "" {
			key = `,"KMSMasterKeyId":"` + key + `"`
		}
		return `{"TableName":"things","ReplicaUpdates":[{"Create":{"RegionName":"eu-west-1"` + key + `}}]}`
	}
	for _, tt := range []struct{ name, sse, given, want string }{
		{"AWS's own, of which nothing is said", "", "", ""},
		{"AWS's own and another", "", "alias/mine", msgReplicaKey},
		{"the one that AWS keeps", `{"Enabled":true,"SSEType":"KMS"}`, "", "arn:aws:kms:eu-west-1:000000000000:key/"},
		{"the one that AWS keeps and the customer's", `{"Enabled":true,"SSEType":"KMS"}`, "alias/mine", msgReplicaKeys},
		{"the customer's, not named", `{"Enabled":true,"SSEType":"KMS","KMSMasterKeyId":"` + custom + `"}`, "", msgReplicaKey},
		{"the customer's and the one that AWS keeps", `{"Enabled":true,"SSEType":"KMS","KMSMasterKeyId":"` + custom + `"}`, "alias/aws/dynamodb", msgReplicaKeys},
		{"the customer's", `{"Enabled":true,"SSEType":"KMS","KMSMasterKeyId":"` + custom + `"}`, "22222222-2222-4222-8222-222222222222", "arn:aws:kms:eu-west-1:000000000000:key/22222222-2222-4222-8222-222222222222"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := openGlobal(t, "us-east-1")
			if tt.sse != "" {
				c.mustIn(t, "us-east-1", "UpdateTable", `{"TableName":"things","SSESpecification":`+tt.sse+`}`)
			}
			got := c.in("us-east-1", "UpdateTable", create(tt.given))
			if strings.HasPrefix(got, "{") {
				got = c.mustIn(t, "us-east-1", "DescribeTable", `{"TableName":"things"}`)
				if tt.want == "" && strings.Contains(got, "KMSMasterKeyId") {
					t.Errorf("a key is told: %s", got)
				}
			}
			if !strings.Contains(got, tt.want) {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestEncryptionIsSharedButForItsKey(t *testing.T) {
	c := openGlobal(t, "us-east-1", "eu-west-1")
	c.mustIn(t, "us-east-1", "UpdateTable", `{"TableName":"things","SSESpecification":{"Enabled":true,"SSEType":"KMS"}}`)
	if got := c.mustIn(t, "eu-west-1", "DescribeTable", `{"TableName":"things"}`); !strings.Contains(got, `"KMSMasterKeyArn":"arn:aws:kms:eu-west-1:`) {
		t.Errorf("there: %s", got)
	}
	c.mustIn(t, "eu-west-1", "UpdateTable", `{"TableName":"things","SSESpecification":{"Enabled":false}}`)
	if got := c.mustIn(t, "us-east-1", "DescribeTable", `{"TableName":"things"}`); strings.Contains(got, "SSEDescription") {
		t.Errorf("here: %s", got)
	}
}
