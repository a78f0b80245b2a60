package dynamodb

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"devstack/internal/clock"
)

func TestExpiry(t *testing.T) {
	at := start.Unix()
	for _, tt := range []struct {
		name    string
		expires string
		wait    time.Duration
		left    bool
	}{
		{"still there in the second of its expiry", fmt.Sprintf(`{"N":"%d"}`, at+10), 10 * time.Second, true},
		{"gone in the next", fmt.Sprintf(`{"N":"%d"}`, at+10), 11 * time.Second, false},
		{"a fraction of a second is passed over", fmt.Sprintf(`{"N":"%d.9"}`, at+10), 11 * time.Second, false},
		{"what has expired already goes in a second", fmt.Sprintf(`{"N":"%d"}`, at-10), time.Second, false},
		{"what expired more than five years ago stays", fmt.Sprintf(`{"N":"%d"}`, at-6*365*86400), time.Hour, true},
		{"milliseconds are a time far away", fmt.Sprintf(`{"N":"%d000"}`, at+10), time.Hour, true},
		{"a text is no time", fmt.Sprintf(`{"S":"%d"}`, at+10), time.Hour, true},
		{"nor is a negative number", `{"N":"-1"}`, time.Hour, true},
	} {
		for _, before := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, enabled before it is written %v", tt.name, before), func(t *testing.T) {
				c := open(t)
				c.must(t, "CreateTable", createPK)
				enable := func() {
					c.must(t, "UpdateTimeToLive", `{"TableName":"things","TimeToLiveSpecification":{"Enabled":true,"AttributeName":"e"}}`)
				}
				if before {
					enable()
				}
				c.must(t, "PutItem", `{"TableName":"things","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"e":`+tt.expires+`}}`)
				if !before {
					enable()
				}
				c.clock.Advance(tt.wait)
				want := `{"Count":0,"ScannedCount":0}`
				if tt.left {
					want = `{"Count":1,"ScannedCount":1}`
				}
				c.want(t, "Scan", `{"TableName":"things","Select":"COUNT"}`, want)
				c.checkTable(t, 0)
			})
		}
	}
}

func TestExpiryGoesOnAfterARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dynamodb.db")
	c := openAt(t, path, clock.Fixed(start))
	c.must(t, "CreateTable", createPK)
	c.must(t, "UpdateTimeToLive", `{"TableName":"things","TimeToLiveSpecification":{"Enabled":true,"AttributeName":"e"}}`)
	for n := range 250 { // more than one sweep's batch
		c.must(t, "PutItem", fmt.Sprintf(`{"TableName":"things","Item":{"pk":{"S":"a"},"sk":{"N":"%d"},"e":{"N":"%d"}}}`, n, start.Unix()+60))
	}
	c.must(t, "PutItem", fmt.Sprintf(`{"TableName":"things","Item":{"pk":{"S":"b"},"sk":{"N":"1"},"e":{"N":"%d"}}}`, start.Unix()+7200))
	c.store.Close()

	c = openAt(t, path, clock.Fixed(start.Add(time.Hour)))
	c.clock.Advance(startDelay + time.Second)
	c.want(t, "Scan", `{"TableName":"things","Select":"COUNT"}`, `{"Count":1,"ScannedCount":1}`)
	c.clock.Advance(time.Hour)
	c.want(t, "Scan", `{"TableName":"things","Select":"COUNT"}`, `{"Count":0,"ScannedCount":0}`)
}
