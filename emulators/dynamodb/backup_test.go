package dynamodb

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"devstack/emulators/store"
)

// backUp backs the table things up and returns the backup's ARN.
func (c *cloud) backUp(t testing.TB) string {
	t.Helper()
	return decode[struct{ BackupDetails struct{ BackupArn string } }](t, c.must(t, "CreateBackup", `{"TableName":"things","BackupName":"safe"}`)).BackupDetails.BackupArn
}

func TestRestoreOverrides(t *testing.T) {
	const (
		invalid = "ValidationException: Invalid Request: "
		gKey    = `"KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],"Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":["x","y"]}`
		lKey    = `"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"n","KeyType":"RANGE"}],"Projection":{"ProjectionType":"KEYS_ONLY"}`
		units   = `{"ReadCapacityUnits":7,"WriteCapacityUnits":8}`
		plain   = `table 5/4; local local; by_g 3/2 g`
	)
	for _, tt := range []struct{ name, billing, overrides, want string }{
		{"everything", "PROVISIONED", ``, plain},
		{"other units", "PROVISIONED", `,"ProvisionedThroughputOverride":` + units, `table 7/8; local local; by_g 3/2 g`},
		{"no global index", "PROVISIONED", `,"GlobalSecondaryIndexOverride":[]`, `table 5/4; local local`},
		{"no index", "PROVISIONED", `,"GlobalSecondaryIndexOverride":[],"LocalSecondaryIndexOverride":[]`, `table 5/4`},
		{"an index of another name", "PROVISIONED", `,"GlobalSecondaryIndexOverride":[{"IndexName":"other",` + gKey + `,"ProvisionedThroughput":` + units + `}]`, `table 5/4; local local; other 7/8 g`},
		{"a local index of another name", "PROVISIONED", `,"LocalSecondaryIndexOverride":[{"IndexName":"other",` + lKey + `}]`, `table 5/4; local other; by_g 3/2 g`},
		{"an index without units", "PROVISIONED", `,"GlobalSecondaryIndexOverride":[{"IndexName":"by_g",` + gKey + `}]`, invalid + "Must specify provisioned throughput for index by_g"},
		{"an index that was not there", "PROVISIONED", `,"GlobalSecondaryIndexOverride":[{"IndexName":"by_g","KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}]`,
			invalid + "Index by_g does not match a secondary index that existed in the source table and cannot be created during the restore operation"},
		{"a global index as a local one", "PROVISIONED", `,"LocalSecondaryIndexOverride":[{"IndexName":"by_g",` + gKey + `}]`,
			invalid + "Index by_g does not match a secondary index that existed in the source table and cannot be created during the restore operation"},
		{"on demand", "PROVISIONED", `,"BillingModeOverride":"PAY_PER_REQUEST"`, `table 0/0 on demand; local local; by_g 0/0 g`},
		{"on demand with a maximum", "PROVISIONED", `,"BillingModeOverride":"PAY_PER_REQUEST","OnDemandThroughputOverride":{"MaxReadRequestUnits":50}`, `table 0/0 on demand max 50; local local; by_g 0/0 g`},
		{"on demand with units", "PROVISIONED", `,"BillingModeOverride":"PAY_PER_REQUEST","ProvisionedThroughputOverride":` + units, invalid + "Cannot override ProvisionedThroughput unless BillingMode is PROVISIONED"},
		{"on demand with an index's units", "PROVISIONED", `,"BillingModeOverride":"PAY_PER_REQUEST","GlobalSecondaryIndexOverride":[{"IndexName":"by_g",` + gKey + `,"ProvisionedThroughput":` + units + `}]`,
			invalid + "Cannot override ProvisionedThroughput if BillingMode is overridden to PAY_PER_REQUEST for index by_g"},
		{"a maximum without on demand", "PROVISIONED", `,"OnDemandThroughputOverride":{"MaxWriteRequestUnits":50}`, invalid + "Cannot override MaxWriteRequestUnits for OnDemandThroughput unless BillingModeOverride is PAY_PER_REQUEST"},
		{"a maximum of nothing", "PAY_PER_REQUEST", `,"OnDemandThroughputOverride":{"MaxReadRequestUnits":0}`, invalid + "Requested MaxReadRequestUnits for OnDemandThroughput is outside of valid range"},
		{"everything of one on demand", "PAY_PER_REQUEST", ``, `table 0/0 on demand; local local; by_g 0/0 g`},
		{"units of one on demand", "PAY_PER_REQUEST", `,"ProvisionedThroughputOverride":` + units, invalid + "Cannot override ProvisionedThroughput unless BillingMode is PROVISIONED"},
		{"provisioned without units", "PAY_PER_REQUEST", `,"BillingModeOverride":"PROVISIONED"`, invalid + "Must override ProvisionedThroughput if BillingMode is overridden to PROVISIONED"},
		{"provisioned without an index's units", "PAY_PER_REQUEST", `,"BillingModeOverride":"PROVISIONED","ProvisionedThroughputOverride":` + units, invalid + "Must specify provisioned throughput for index by_g"},
		{"provisioned", "PAY_PER_REQUEST", `,"BillingModeOverride":"PROVISIONED","ProvisionedThroughputOverride":` + units + `,"GlobalSecondaryIndexOverride":[{"IndexName":"by_g",` + gKey + `,"ProvisionedThroughput":` + units + `}]`,
			`table 7/8; local local; by_g 7/8 g`},
		{"the key of nobody", "PROVISIONED", `,"SSESpecificationOverride":{"Enabled":false}`, plain},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := open(t)
			given, of := `"BillingMode":"PAY_PER_REQUEST"`, ""
			if tt.billing == "PROVISIONED" {
				given, of = `"ProvisionedThroughput":{"ReadCapacityUnits":5,"WriteCapacityUnits":4}`, `,"ProvisionedThroughput":{"ReadCapacityUnits":3,"WriteCapacityUnits":2}`
			}
			c.must(t, "CreateTable", `{"TableName":"things",`+given+`,
				"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"},{"AttributeName":"g","AttributeType":"S"},{"AttributeName":"n","AttributeType":"N"}],
				"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
				"LocalSecondaryIndexes":[{"IndexName":"local",`+lKey+`}],"GlobalSecondaryIndexes":[{"IndexName":"by_g",`+strings.Replace(gKey, `"x","y"`, `"y","x"`, 1)+of+`}]}`)
			c.must(t, "PutItem", `{"TableName":"things","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"g":{"S":"red"},"n":{"N":"2"}}}`)
			out := c.call("RestoreTableFromBackup", `{"TargetTableName":"copy","BackupArn":"`+c.backUp(t)+`"`+tt.overrides+`}`)
			if strings.HasPrefix(out, "{") {
				c.checkTableOf(t, "copy", 0)
				out = c.shape(t, "copy")
			} else {
				c.want(t, "DescribeTable", `{"TableName":"copy"}`, "ResourceNotFoundException: Requested resource not found: Table: copy not found")
			}
			if out != tt.want {
				t.Errorf("got %s, want %s", out, tt.want)
			}
		})
	}
}

// shape says in short what a table is like.
func (c *cloud) shape(t *testing.T, name string) string {
	t.Helper()
	type units struct{ ReadCapacityUnits, WriteCapacityUnits int }
	d := decode[struct {
		Table struct {
			ProvisionedThroughput units
			BillingModeSummary    struct{ BillingMode string }
			OnDemandThroughput    struct{ MaxReadRequestUnits int }
			LocalSecondaryIndexes []struct{ IndexName string }

			GlobalSecondaryIndexes []struct {
				IndexName             string
				KeySchema             []struct{ AttributeName string }
				ProvisionedThroughput units
			}
		}
	}](t, c.must(t, "DescribeTable", `{"TableName":"`+name+`"}`)).Table
	s := fmt.Sprintf("table %d/%d", d.ProvisionedThroughput.ReadCapacityUnits, d.ProvisionedThroughput.WriteCapacityUnits)
	if d.BillingModeSummary.BillingMode == BillingModePayPerRequest {
		s += " on demand"
	}
	if n := d.OnDemandThroughput.MaxReadRequestUnits; n != 0 {
		s += fmt.Sprintf(" max %d", n)
	}
	for _, x := range d.LocalSecondaryIndexes {
		s += "; local " + x.IndexName
	}
	for _, x := range d.GlobalSecondaryIndexes {
		s += fmt.Sprintf("; %s %d/%d %s", x.IndexName, x.ProvisionedThroughput.ReadCapacityUnits, x.ProvisionedThroughput.WriteCapacityUnits, x.KeySchema[0].AttributeName)
	}
	return s
}

func TestSystemBackupExpires(t *testing.T) {
	c := open(t)
	c.recoverable(t, 1)
	c.must(t, "PutItem", `{"TableName":"things","Item":{"pk":{"S":"a"},"sk":{"N":"1"}}}`)
	c.must(t, "DeleteTable", `{"TableName":"things"}`)
	list := func() []struct{ BackupArn string } {
		return decode[struct{ BackupSummaries []struct{ BackupArn string } }](t, c.must(t, "ListBackups", `{"BackupType":"SYSTEM"}`)).BackupSummaries
	}
	c.clock.Advance(systemRetention - time.Millisecond)
	have := list()
	if len(have) != 1 {
		t.Fatalf("%d system backups a millisecond before they expire", len(have))
	}
	c.must(t, "RestoreTableFromBackup", `{"TargetTableName":"copy","BackupArn":"`+have[0].BackupArn+`"}`)
	c.want(t, "Scan", `{"TableName":"copy","Select":"COUNT"}`, `{"Count":1,"ScannedCount":1}`)
	c.clock.Advance(time.Millisecond)
	if n := len(list()); n != 0 {
		t.Errorf("%d system backups after 35 days", n)
	}
	c.want(t, "RestoreTableFromBackup", `{"TargetTableName":"late","BackupArn":"`+have[0].BackupArn+`"}`, "BackupNotFoundException: Backup not found: "+have[0].BackupArn)
	c.must(t, "DeleteTable", `{"TableName":"copy"}`)
	err := c.store.View(func(tx *store.Tx) error {
		for b := range backups.All(tx) {
			t.Errorf("still kept: %s", b.Name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Two tables of one name may be deleted in one millisecond: each has its backup.
func TestBackupsOfOneInstantAreTwo(t *testing.T) {
	c := open(t)
	for n := range 2 {
		c.recoverable(t, 1)
		for i := range n + 1 {
			c.must(t, "PutItem", fmt.Sprintf(`{"TableName":"things","Item":{"pk":{"S":"a"},"sk":{"N":"%d"}}}`, i))
		}
		c.must(t, "DeleteTable", `{"TableName":"things"}`)
	}
	for n := range 2 {
		arn := fmt.Sprintf("arn:aws:dynamodb:us-east-1:000000000000:table/things/backup/%014d-00000000", start.UnixMilli()+int64(n))
		c.must(t, "RestoreTableFromBackup", fmt.Sprintf(`{"TargetTableName":"copy%d","BackupArn":"%s"}`, n, arn))
		c.want(t, "Scan", fmt.Sprintf(`{"TableName":"copy%d","Select":"COUNT"}`, n), fmt.Sprintf(`{"Count":%d,"ScannedCount":%d}`, n+1, n+1))
	}
}

func TestRestoreIntoAnotherRegion(t *testing.T) {
	c := open(t)
	c.recoverable(t, 1)
	c.must(t, "PutItem", `{"TableName":"things","Item":{"pk":{"S":"a"},"sk":{"N":"1"}}}`)
	arn := c.backUp(t)
	const needsKey = "ValidationException: Invalid Request: sseSpecificationOverride must be provided for cross-region restores"
	for _, tt := range []struct{ operation, input, want string }{
		{"DescribeBackup", `{"BackupArn":"` + arn + `"}`, "BackupNotFoundException: Backup not found: " + arn},
		{"RestoreTableFromBackup", `{"TargetTableName":"one","BackupArn":"` + arn + `"}`, needsKey},
		{"RestoreTableToPointInTime", `{"TargetTableName":"two","SourceTableArn":"arn:aws:dynamodb:us-east-1:000000000000:table/things","UseLatestRestorableTime":true}`, needsKey},
		{"RestoreTableFromBackup", `{"TargetTableName":"one","BackupArn":"` + arn + `","SSESpecificationOverride":{"Enabled":false}}`, ""},
		{"RestoreTableToPointInTime", `{"TargetTableName":"two","SourceTableArn":"arn:aws:dynamodb:us-east-1:000000000000:table/things","UseLatestRestorableTime":true,"SSESpecificationOverride":{}}`, ""},
		{"Scan", `{"TableName":"one","Select":"COUNT"}`, `{"Count":1,"ScannedCount":1}`},
		{"Scan", `{"TableName":"two","Select":"COUNT"}`, `{"Count":1,"ScannedCount":1}`},
	} {
		got := c.in("eu-west-1", tt.operation, tt.input)
		if tt.want == "" && !strings.Contains(got, "arn:aws:dynamodb:eu-west-1:000000000000:table/") || tt.want != "" && got != tt.want {
			t.Errorf("%s(%s): %s", tt.operation, tt.input, got)
		}
	}
}

// TestBackupsUnderLoad has transfers between accounts while the table is backed up and restored: in each copy the sum is that
// of the beginning.
func TestBackupsUnderLoad(t *testing.T) {
	c := open(t)
	c.recoverable(t, 1)
	for n := range 4 {
		c.must(t, "PutItem", fmt.Sprintf(`{"TableName":"things","Item":{"pk":{"S":"a"},"sk":{"N":"%d"},"v":{"N":"100"}}}`, n))
	}
	var group sync.WaitGroup
	for w := range 4 {
		group.Go(func() {
			for n := range 30 {
				out := c.call("TransactWriteItems", fmt.Sprintf(`{"TransactItems":[
					{"Update":{"TableName":"things","Key":{"pk":{"S":"a"},"sk":{"N":"%d"}},"UpdateExpression":"ADD v :d","ExpressionAttributeValues":{":d":{"N":"-1"}}}},
					{"Update":{"TableName":"things","Key":{"pk":{"S":"a"},"sk":{"N":"%d"}},"UpdateExpression":"ADD v :d","ExpressionAttributeValues":{":d":{"N":"1"}}}}]}`, w, (w+1+n%3)%4))
				if out != "{}" && !strings.HasPrefix(out, "TransactionCanceledException") {
					t.Error(out)
				}
			}
		})
	}
	check := func(name string) {
		sum := 0
		for _, i := range decode[struct {
			Items []struct {
				V struct {
					N int `json:",string"`
				}
			}
		}](t, c.must(t, "Scan", `{"TableName":"`+name+`"}`)).Items {
			sum += i.V.N
		}
		if sum != 400 {
			t.Errorf("%s: the accounts have %d", name, sum)
		}
	}
	for n := range 5 {
		backup, point := fmt.Sprintf("backup%d", n), fmt.Sprintf("point%d", n)
		c.must(t, "RestoreTableFromBackup", `{"TargetTableName":"`+backup+`","BackupArn":"`+c.backUp(t)+`"}`)
		check(backup)
		c.must(t, "RestoreTableToPointInTime", `{"TargetTableName":"`+point+`","SourceTableName":"things","UseLatestRestorableTime":true}`)
		check(point)
	}
	group.Wait()
	c.checkTable(t, 0)
}
