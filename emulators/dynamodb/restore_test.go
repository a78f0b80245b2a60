package dynamodb

import (
	"strings"
	"testing"
	"time"
)

const onePK = `{"TableName":"things","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],"BillingMode":"PAY_PER_REQUEST"}`

func TestRestoredTableIsCreating(t *testing.T) {
	c := slow(t)
	c.must(t, "CreateTable", onePK)
	c.want(t, "CreateBackup", `{"TableName":"things","BackupName":"early"}`, "TableNotFoundException: Table not found: things")
	c.want(t, "DescribeContinuousBackups", `{"TableName":"things"}`, "TableNotFoundException: Table not found: things")
	c.clock.Advance(10 * time.Second)
	c.must(t, "UpdateContinuousBackups", `{"TableName":"things","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true}}`)
	c.must(t, "PutItem", `{"TableName":"things","Item":{"pk":{"S":"a"}}}`)
	arn := c.backUp(t)
	restore := `{"TargetTableName":"copy","BackupArn":"` + arn + `"}`
	point := `{"TargetTableName":"point","SourceTableName":"things","UseLatestRestorableTime":true}`
	c.must(t, "RestoreTableFromBackup", restore)
	c.must(t, "RestoreTableToPointInTime", point)
	for _, tt := range []struct{ operation, input, want string }{
		{"RestoreTableFromBackup", restore, "TableInUseException: Table: copy is already being restored from backup: " + arn},
		{"RestoreTableFromBackup", strings.Replace(restore, "copy", "other", 1), "BackupInUseException: Backup is being used to restore another table: " + arn},
		{"RestoreTableToPointInTime", point, "TableInUseException: Table: point is already being restored"},
		{"RestoreTableToPointInTime", strings.Replace(point, `"things"`, `"copy"`, 1), "TableNotFoundException: Table not found: copy"},
		{"DeleteBackup", `{"BackupArn":"` + arn + `"}`, "BackupInUseException: Backup is being used to restore table: " + arn},
		{"CreateBackup", `{"TableName":"copy","BackupName":"early"}`, "TableNotFoundException: Table not found: copy"},
		{"GetItem", `{"TableName":"copy","Key":{"pk":{"S":"a"}}}`, "ResourceNotFoundException: Requested resource not found"},
		// Observed answers, ack-api-quirks DDB-TABLE-217 and 219.
		{"CreateTable", strings.Replace(onePK, `"things"`, `"copy"`, 1), "ResourceInUseException: Attempt to change a resource which is still in use: Table is being used: copy"},
		{"UpdateTable", `{"TableName":"copy","DeletionProtectionEnabled":true}`, "ResourceNotFoundException: Requested resource not found: Table: copy not found"},
		{"DescribeTimeToLive", `{"TableName":"copy"}`, "ResourceNotFoundException: Requested resource not found: Table: copy not found"},
	} {
		c.want(t, tt.operation, tt.input, tt.want)
	}
	summary := `"RestoreSummary":{"SourceBackupArn":"` + arn + `","SourceTableArn":"` + policyTable + `","RestoreDateTime":1772366410,"RestoreInProgress":true}`
	if d := c.must(t, "DescribeTable", `{"TableName":"copy"}`); !strings.Contains(d, `"TableStatus":"CREATING"`) || !strings.Contains(d, summary) {
		t.Errorf("while it is restored: %s", d)
	}
	c.clock.Advance(10 * time.Second)
	if d := c.must(t, "DescribeTable", `{"TableName":"copy"}`); !strings.Contains(d, `"TableStatus":"ACTIVE"`) || strings.Contains(d, "RestoreSummary") {
		t.Errorf("afterwards: %s", d)
	}
	for _, name := range []string{"copy", "point"} {
		c.want(t, "GetItem", `{"TableName":"`+name+`","Key":{"pk":{"S":"a"}}}`, `{"Item":{"pk":{"S":"a"}}}`)
	}
	c.want(t, "RestoreTableFromBackup", restore, "TableAlreadyExistsException: Table already exists: copy")
	c.must(t, "DeleteTable", `{"TableName":"copy"}`)
	c.want(t, "RestoreTableFromBackup", restore, "TableAlreadyExistsException: Table already exists: copy")
	c.clock.Advance(10 * time.Second)
	c.must(t, "RestoreTableFromBackup", restore)
}

// A table that is being deleted is backed up at the end, if recovery is on then (observed, ack-api-quirks, DDB-TABLE-088, 453).
func TestSystemBackupOfADyingTable(t *testing.T) {
	const on, off = `"PointInTimeRecoveryEnabled":true`, `"PointInTimeRecoveryEnabled":false`
	for _, tt := range []struct {
		name, before, meanwhile string
		backups                 int
	}{
		{"on", on, "", 1},
		{"off", off, "", 0},
		{"turned off meanwhile", on, off, 0},
		{"turned on meanwhile", off, on, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := slow(t)
			recovery := func(spec string) {
				c.must(t, "UpdateContinuousBackups", `{"TableName":"things","PointInTimeRecoverySpecification":{`+spec+`}}`)
			}
			c.must(t, "CreateTable", onePK)
			c.clock.Advance(10 * time.Second)
			recovery(tt.before)
			c.must(t, "DeleteTable", `{"TableName":"things"}`)
			if tt.meanwhile != "" {
				recovery(tt.meanwhile)
			}
			c.want(t, "DeleteResourcePolicy", `{"ResourceArn":"`+policyTable+`"}`, "ResourceInUseException: Attempt to change a resource which is still in use: Table is being deleted: things")
			c.want(t, "ListBackups", `{"BackupType":"SYSTEM"}`, `{"BackupSummaries":[]}`)
			c.clock.Advance(20 * time.Second)
			if n := strings.Count(c.must(t, "ListBackups", `{"BackupType":"SYSTEM"}`), `"BackupArn"`); n != tt.backups {
				t.Errorf("%d backups, want %d", n, tt.backups)
			}
		})
	}
}

func TestRestoredTableKeepsItsKey(t *testing.T) {
	c := open(t)
	c.must(t, "CreateTable", strings.TrimSuffix(onePK, "}")+`,"SSESpecification":{"Enabled":true}}`)
	arn := c.backUp(t)
	for _, tt := range []struct {
		name, override string
		kept           bool
	}{
		{"kept", ``, true},
		{"taken", `,"SSESpecificationOverride":{"Enabled":false}`, false},
		{"given", `,"SSESpecificationOverride":{"SSEType":"KMS"}`, true},
	} {
		c.must(t, "RestoreTableFromBackup", `{"TargetTableName":"`+tt.name+`","BackupArn":"`+arn+`"`+tt.override+`}`)
		if d := c.must(t, "DescribeTable", `{"TableName":"`+tt.name+`"}`); strings.Contains(d, `"SSEType":"KMS"`) != tt.kept {
			t.Errorf("%s: %s", tt.name, d)
		}
	}
	if d := c.must(t, "DescribeBackup", `{"BackupArn":"`+arn+`"}`); !strings.Contains(d, `"SSEDescription":{"Status":"ENABLED","SSEType":"KMS"`) {
		t.Errorf("the backup says: %s", d)
	}
}
