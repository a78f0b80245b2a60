package provision

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"

	"devstack/runtime/config"
	"devstack/runtime/seed"
)

// seedTag is the tag that says with which files a table was seeded: it lives as long as the table, and a stack that was reset
// begins anew.
const seedTag = "devstack:seed"

// batchSize is how many items BatchWriteItem takes.
const batchSize = 25

// SeedKeys are what package seed must know of a table.
func SeedKeys(t *config.Table) seed.Keys {
	k := seed.Keys{Types: t.Attributes, Primary: []string{t.HashKey}}
	if t.RangeKey != "" {
		k.Primary = append(k.Primary, t.RangeKey)
	}
	return k
}

// seedTable puts the items of the table's files, unless it was seeded with these. Every file is read before the first item is
// put; where two have an item of the same key, the later file's stays.
func (p *Provisioner) seedTable(ctx context.Context, t *config.Table, seeded string) error {
	want := seedSum(t.Seeds)
	switch {
	case seeded == want:
		return nil
	case want == "":
		return p.call(ctx, "dynamodb", "UntagResource", object{"ResourceArn": t.ARN, "TagKeys": []string{seedTag}}, nil)
	}
	files := make([][]seed.Item, len(t.Seeds))
	for i, s := range t.Seeds {
		var err error
		if files[i], err = seed.Read(s.Path, SeedKeys(t)); err != nil {
			return fmt.Errorf("seed %s: %w", filepath.Base(s.Path), err)
		}
	}
	for i, items := range files {
		put := 0
		for batch := range slices.Chunk(items, batchSize) {
			if err := p.putItems(ctx, t.Name, batch); err != nil {
				return fmt.Errorf("seed %s, items %d to %d: %w", filepath.Base(t.Seeds[i].Path), put+1, put+len(batch), err)
			}
			put += len(batch)
		}
	}
	return p.tagTable(ctx, t, map[string]string{seedTag: want})
}

// seedSum tells one set of seed files from another, "" if there are none.
func seedSum(seeds []config.Seed) string {
	if len(seeds) == 0 {
		return ""
	}
	h := sha256.New()
	for _, s := range seeds {
		h.Write([]byte(s.Sum))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// putItems puts up to 25 items; what DynamoDB leaves unprocessed is put again.
func (p *Provisioner) putItems(ctx context.Context, table string, items []seed.Item) error {
	requests := make([]object, len(items))
	for i, item := range items {
		requests[i] = object{"PutRequest": object{"Item": item}}
	}
	left, err := json.Marshal(object{table: requests})
	if err != nil {
		return err
	}
	return p.until(ctx, func() (bool, error) {
		var out struct{ UnprocessedItems map[string]json.RawMessage }
		if err := p.call(ctx, "dynamodb", "BatchWriteItem", object{"RequestItems": json.RawMessage(left)}, &out); err != nil {
			return false, err
		}
		if len(out.UnprocessedItems) == 0 {
			return true, nil
		}
		left, err = json.Marshal(out.UnprocessedItems)
		return false, err
	})
}
