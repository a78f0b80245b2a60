package dynamodb

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"devstack/emulators/store"
	"devstack/internal/clock"
)

const accounts = 600 // of which each has 100 at first

// smallSteps makes many steps of a copy of a table of accounts.
var smallSteps = Options{first: stepSize{items: 7, bytes: 1 << 20}, step: stepSize{items: 7, bytes: 1 << 20}}

// copying are the calls that begin work over a whole table. %s is the ARN of a backup.
var copying = []struct{ name, operation, input string }{
	{"an index", "UpdateTable", addIndex},
	{"expiries", "UpdateTimeToLive", `{"TableName":"things","TimeToLiveSpecification":{"Enabled":true,"AttributeName":"e"}}`},
	{"a replica", "UpdateTable", `{"TableName":"things","ReplicaUpdates":[{"Create":{"RegionName":"eu-west-1"}}]}`},
	{"a backup", "CreateBackup", `{"TableName":"things","BackupName":"safe"}`},
	{"a restore of a backup", "RestoreTableFromBackup", `{"TargetTableName":"restored","BackupArn":"%s"}`},
	{"a restore to a point in time", "RestoreTableToPointInTime", `{"TargetTableName":"restored","SourceTableName":"things","UseLatestRestorableTime":true}`},
}

func openWith(t testing.TB, path string, opts Options) *cloud {
	c := newCloudWith(path, clock.Fixed(start), opts)
	t.Cleanup(func() { c.store.Close() })
	return c
}

// createAccounts makes the accounts, and a backup of them, whose ARN it returns.
func (c *cloud) createAccounts(t testing.TB) (arn string) {
	c.must(t, "CreateTable", createPK)
	c.must(t, "UpdateContinuousBackups", `{"TableName":"things","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true}}`)
	for n := 0; n < accounts; n += 25 {
		var puts []string
		for i := n; i < n+25; i++ {
			puts = append(puts, fmt.Sprintf(`{"PutRequest":{"Item":{"pk":{"S":"a%d"},"sk":{"N":"0"},"v":{"N":"100"},"g":{"S":"x"},"e":{"N":"%d"}}}}`, i, start.Unix()+1000000+int64(i)))
		}
		c.must(t, "BatchWriteItem", `{"RequestItems":{"things":[`+strings.Join(puts, ",")+`]}}`)
	}
	return c.backUp(t)
}

// transfer is one of the writes that go on meanwhile. Their sum stays.
func transfer(rng *rand.Rand) (operation, input string) {
	from := rng.IntN(accounts)
	to := (from + 1 + rng.IntN(accounts-1)) % accounts
	update := func(n, by int) string {
		return fmt.Sprintf(`{"Update":{"TableName":"things","Key":{"pk":{"S":"a%d"},"sk":{"N":"0"}},"UpdateExpression":"SET g = :g, e = :e ADD v :d",
			"ExpressionAttributeValues":{":d":{"N":"%d"},":g":{"S":"g%d"},":e":{"N":"%d"}}}}`, n, by, rng.IntN(5), start.Unix()+2000000+rng.Int64N(1000))
	}
	key := fmt.Sprintf(`"pk":{"S":"extra"},"sk":{"N":"%d"}`, rng.IntN(50))
	extra := `{"Put":{"TableName":"things","Item":{` + key + `,"v":{"N":"0"},"g":{"S":"extra"},"e":{"N":"4000000000"}}}}`
	if rng.IntN(2) == 0 {
		extra = `{"Delete":{"TableName":"things","Key":{` + key + `}}}`
	}
	return "TransactWriteItems", `{"TransactItems":[` + update(from, -1) + `,` + update(to, 1) + `,` + extra + `]}`
}

// transfers runs writers until the function that it returns is called.
func (c *cloud) transfers(t testing.TB, report func(string)) (stop func()) {
	var group sync.WaitGroup
	done := make(chan bool)
	for w := range 4 {
		group.Go(func() {
			for rng := rand.New(rand.NewPCG(uint64(w), 9)); ; {
				select {
				case <-done:
					return
				default:
				}
				if out := c.call(transfer(rng)); !strings.HasPrefix(out, "{") && !strings.Contains(out, "TransactionConflict") {
					report(out)
				}
			}
		})
	}
	return func() { close(done); group.Wait() }
}

// busy tells whether steps are left to be done.
func (c *cloud) busy(t testing.TB) (busy bool) {
	t.Helper()
	err := c.store.View(func(tx *store.Tx) error {
		busy = false
		for tab := range tables.All(tx) {
			busy = busy || tab.busy()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return busy
}

func (c *cloud) settled(t testing.TB) {
	t.Helper()
	for end := time.Now().Add(time.Minute); c.busy(t); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not come to its end")
		}
	}
}

// checkCopies checks what may have been made of the accounts.
func (c *cloud) checkCopies(t *testing.T) {
	t.Helper()
	c.checkTable(t, 0)
	c.checkSum(t, "things")
	names := map[string]bool{}
	err := c.store.View(func(tx *store.Tx) error {
		for tab := range tables.All(tx) {
			names[tab.Region+"/"+tab.Name] = true
			if len(tab.Transitions) > 0 || tab.Copied != nil {
				t.Errorf("%s is still changing: %+v", tab.Name, tab.Transitions)
			}
		}
		for b := range backups.All(tx) {
			if b.Copying {
				t.Error("a backup is still being made")
			}
		}
		here, _ := tables.Get(tx, "000000000000", "us-east-1", "things")
		if there, ok := tables.Get(tx, "000000000000", "eu-west-1", "things"); ok {
			want := map[string]string{}
			for key, stored := range tx.Bucket(here.items()).Ascend(nil) {
				want[string(key)] = string(stored)
			}
			sameBucket(t, "the replica", tx.Bucket(there.items()), want)
			if got, want := there.count(tx, nil), here.count(tx, nil); got != want {
				t.Errorf("the replica counts %v, want %v", got, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if names["us-east-1/restored"] {
		c.checkTableOf(t, "restored", 0)
		c.checkSum(t, "restored")
	}
	for n, b := range decode[struct{ BackupSummaries []struct{ BackupArn string } }](t, c.must(t, "ListBackups", `{}`)).BackupSummaries {
		name := fmt.Sprintf("check%d", n)
		c.must(t, "RestoreTableFromBackup", `{"TargetTableName":"`+name+`","BackupArn":"`+b.BackupArn+`"}`)
		c.settled(t)
		c.checkTableOf(t, name, 0)
		c.checkSum(t, name)
	}
}

// checkSum checks what the accounts have in all.
func (c *cloud) checkSum(t *testing.T, name string) {
	t.Helper()
	items, _ := c.pages(t, "Scan", `{"TableName":"`+name+`"}`)
	all, sum := 0, 0
	for _, text := range items {
		i := decode[struct {
			PK struct{ S string }
			V  struct {
				N int `json:",string"`
			}
		}](t, string(text))
		if sum += i.V.N; i.PK.S != "extra" {
			all++
		}
	}
	if all != accounts || sum != 100*accounts {
		t.Errorf("%s: %d accounts have %d", name, all, sum)
	}
}

// TestCopiesUnderLoad has transfers between accounts while each kind of copy is made, in many steps.
func TestCopiesUnderLoad(t *testing.T) {
	for _, tt := range copying {
		t.Run(tt.name, func(t *testing.T) {
			c := openWith(t, filepath.Join(t.TempDir(), "dynamodb.db"), smallSteps)
			arn := c.createAccounts(t)
			c.settled(t)
			stop := c.transfers(t, func(out string) { t.Error(out) })
			time.Sleep(10 * time.Millisecond)
			c.must(t, tt.operation, strings.Replace(tt.input, "%s", arn, 1))
			c.settled(t)
			stop()
			c.checkCopies(t)
		})
	}
}

// copierEnv makes the test binary one that copies: the path of the store, and what is to be called.
const copierEnv = "DEVSTACK_TEST_DYNAMODB_COPIER"

// copyForever makes a call and goes on writing. It says when the call is answered.
func copyForever(args string) {
	path, rest, _ := strings.Cut(args, "\n")
	operation, input, _ := strings.Cut(rest, "\n")
	c := newCloudWith(path, clock.Fixed(start), smallSteps)
	c.transfers(nil, func(out string) { fmt.Println(out) })
	time.Sleep(10 * time.Millisecond)
	fmt.Println("answer", strings.ReplaceAll(c.call(operation, input), "\n", " "))
	select {}
}

// TestKilledCopiesGoOn kills a process in the middle of each kind of copy. The next start completes it.
func TestKilledCopiesGoOn(t *testing.T) {
	for _, tt := range copying {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "dynamodb.db")
			c := newCloudWith(path, clock.Fixed(start), Options{})
			arn := c.createAccounts(t)
			c.store.Close()
			copyAndKill(t, path+"\n"+tt.operation+"\n"+strings.Replace(tt.input, "%s", arn, 1))
			c = openWith(t, path, smallSteps)
			if !c.busy(t) {
				t.Log("it was complete before it was killed")
			}
			c.clock.Advance(startDelay)
			c.settled(t)
			c.checkCopies(t)
		})
	}
}

func copyAndKill(t *testing.T, args string) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), copierEnv+"="+args)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if !strings.HasPrefix(lines.Text(), "answer {") {
			t.Error(lines.Text())
		}
		time.Sleep(time.Duration(rand.IntN(8000)) * time.Microsecond)
		cmd.Process.Kill()
	}
	cmd.Wait() // killed, so there is nothing to learn from it
}

// TestWhatIsCopiedIsNotReady asks right after the first of hundreds of steps.
func TestWhatIsCopiedIsNotReady(t *testing.T) {
	for _, tt := range []struct{ name, operation, input, read, want string }{
		{"the index cannot be read", "UpdateTable", addIndex, "Query" + queryIndex, "ValidationException: Cannot read from backfilling global secondary index: by_g"},
		{"nor can another be made", "UpdateTable", addIndex, "UpdateTable" + strings.ReplaceAll(addIndex, "by_g", "by_h"),
			"LimitExceededException: Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"},
		{"the table stays", "UpdateTable", addIndex, `DeleteTable{"TableName":"things"}`, inUseWords + "Cannot delete table while indexes are being created, updated, or deleted."},
		{"a restored table is not there", "RestoreTableFromBackup", copying[4].input, `Scan{"TableName":"restored"}`, "ResourceNotFoundException: Requested resource not found"},
		{"its backup stays", "RestoreTableFromBackup", copying[4].input, `DeleteBackup{"BackupArn":"%s"}`, "BackupInUseException: Backup is being used to restore table: %s"},
		{"the table of a backup stays", "CreateBackup", copying[3].input, `DeleteTable{"TableName":"things"}`, inUseWords + "Cannot delete table while a backup is being created or restored: things"},
		{"that of a restore too", "RestoreTableToPointInTime", copying[5].input, `DeleteTable{"TableName":"things"}`, inUseWords + "Cannot delete table while a backup is being created or restored: things"},
		{"a region has one replica", "UpdateTable", copying[2].input, "UpdateTable" + copying[2].input, "ResourceInUseException: The resource which you are attempting to change is in use."},
		{"expiries change once", "UpdateTimeToLive", copying[1].input, `UpdateTimeToLive{"TableName":"things","TimeToLiveSpecification":{"Enabled":false,"AttributeName":"e"}}`, "ValidationException: Time to live has been modified multiple times within a fixed interval"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "dynamodb.db")
			c := openWith(t, path, Options{})
			arn := c.createAccounts(t)
			with := func(s string) string { return strings.ReplaceAll(s, "%s", arn) }
			c.store.Close()
			one := stepSize{items: 1, bytes: 1 << 20}
			c = openWith(t, path, Options{first: one, step: one})
			c.must(t, "ListTables", `{}`) // so that the next identifier is not that of the table
			c.must(t, tt.operation, with(tt.input))
			at := strings.Index(tt.read, "{")
			c.want(t, tt.read[:at], with(tt.read[at:]), with(tt.want))
			c.store.Close()
			c = openWith(t, path, smallSteps)
			c.clock.Advance(startDelay)
			c.settled(t)
			c.checkCopies(t)
		})
	}
}

// TestGoingBackUnderLoad restores an instant that much was written after, while more is.
func TestGoingBackUnderLoad(t *testing.T) {
	c := openWith(t, filepath.Join(t.TempDir(), "dynamodb.db"), smallSteps)
	c.createAccounts(t)
	c.settled(t)
	rng := rand.New(rand.NewPCG(5, 6))
	for range 50 {
		c.must(t, "TransactWriteItems", second(transfer(rng)))
	}
	want := c.must(t, "Scan", `{"TableName":"things"}`)
	c.clock.Advance(time.Second)
	for range 300 {
		c.must(t, "TransactWriteItems", second(transfer(rng)))
	}
	stop := c.transfers(t, func(out string) { t.Error(out) })
	c.must(t, "RestoreTableToPointInTime", fmt.Sprintf(`{"SourceTableName":"things","TargetTableName":"restored","RestoreDateTime":%d}`, start.Unix()))
	c.want(t, "UpdateContinuousBackups", `{"TableName":"things","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":false}}`,
		"ContinuousBackupsUnavailableException: Point in time recovery cannot be disabled while table 'things' is being restored")
	c.settled(t)
	stop()
	c.want(t, "Scan", `{"TableName":"restored"}`, want)
	c.checkCopies(t)
}

func second(_, input string) string { return input }
