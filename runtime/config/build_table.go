package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
)

func (l *loader) table(i *instance) *Table {
	f := i.fields
	t := &Table{
		Block: i.base(), Name: l.checkName(i, tableNaming), HashKey: f.text("hash_key"), RangeKey: f.text("range_key"),
		Stream: f.text("stream"), TTL: f.text("ttl"), BillingMode: f.text("billing_mode"),
		ReadCapacity: int64(f.integer("read_capacity")), WriteCapacity: int64(f.integer("write_capacity")),
		OnDemand: f.units("max_read_units", "max_write_units"), Warm: f.units("warm_read_units", "warm_write_units"),
		Class: f.text("table_class"), RecoveryDays: f.integer("recovery_period_in_days"), Replicas: l.replicas(f),
		DeletionProtection: f.boolean("deletion_protection"), Tags: l.tags(f, 50),
		ARN: i.exportedText("arn"), StreamARN: i.exportedText("stream_arn"),
	}
	if t.Stream != "" {
		t.StreamLabel = l.opts.Allocator.StreamLabel(i.id)
	}
	l.checkKeys(f, t.HashKey, t.RangeKey)
	if f.given("ttl") && t.TTL == "" && f.values["ttl"] != nil {
		l.add(f.rangeOf("ttl"), "Invalid ttl", "ttl is the name of an attribute, not empty")
	}
	l.checkCapacity(f, t)
	for _, b := range f.blocks {
		t.Indexes = append(t.Indexes, l.index(b, t, f.given("range_key")))
	}
	l.checkIndexes(f, t)
	t.Attributes = l.keyTypes(f, t)
	t.Seeds = l.seeds(f, t)
	return t
}

// units returns a pair of arguments.
func (f *fields) units(read, write string) Units {
	return Units{int64(f.integer(read)), int64(f.integer(write))}
}

// checkKeys reports key attributes that DynamoDB would not take.
func (l *loader) checkKeys(f *fields, hash, rng string) {
	for _, name := range []string{"hash_key", "range_key"} {
		if s, ok := f.values[name].(string); ok && (s == "" || len(s) > 255) {
			l.add(f.rangeOf(name), "Invalid "+name, "the name of a key attribute has 1 to 255 bytes")
		}
	}
	if hash != "" && hash == rng {
		l.add(f.rangeOf("range_key"), "Invalid range_key", "hash_key and range_key are both %q", hash)
	}
}

// checkCapacity reports throughput that is missing, or given where there is none to give.
func (l *loader) checkCapacity(f *fields, t *Table) {
	l.checkOnDemand(f, t.BillingMode == "PAY_PER_REQUEST")
	for _, name := range []string{"read_capacity", "write_capacity"} {
		switch {
		case t.BillingMode == "PROVISIONED" && !f.given(name):
			l.add(f.rangeOf("billing_mode"), "Missing argument", "a table with billing_mode = \"PROVISIONED\" needs %s", name)
		case t.BillingMode == "PAY_PER_REQUEST" && f.given(name):
			l.add(f.rangeOf(name), "Invalid "+name, "%s goes with billing_mode = \"PROVISIONED\"", name)
		}
	}
}

// checkOnDemand reports bounds of throughput where there are none.
func (l *loader) checkOnDemand(f *fields, onDemand bool) {
	for _, name := range []string{"max_read_units", "max_write_units"} {
		if f.given(name) && !onDemand {
			l.add(f.rangeOf(name), "Invalid "+name, "%s goes with billing_mode = \"PAY_PER_REQUEST\"", name)
		}
	}
}

// replicas returns the other regions of a global table, sorted. Its stream is what AWS replicates by, and would turn on itself,
// under an ARN that nobody could have referred to.
func (l *loader) replicas(f *fields) []string {
	regions := slices.Sorted(slices.Values(f.texts("replicas")))
	if len(regions) > 0 && f.text("stream") != "NEW_AND_OLD_IMAGES" && !f.broken("stream") {
		l.add(f.rangeOf("replicas"), "Missing argument", "a table with replicas needs stream = \"NEW_AND_OLD_IMAGES\"")
	}
	for i, region := range regions {
		switch {
		case !regionPattern().MatchString(region):
			l.add(f.rangeOf("replicas"), "Invalid replicas", "%q is not the name of a region, such as eu-west-1", region)
		case region == l.stack.Region:
			l.add(f.rangeOf("replicas"), "Invalid replicas", "%q is the stack's own region, where the table is; replicas are in others", region)
		case i > 0 && region == regions[i-1]:
			l.add(f.rangeOf("replicas"), "Invalid replicas", "%q is there twice", region)
		}
	}
	return regions
}

// seeds returns the files of items that the table begins with. They are part of what the stack is read from.
func (l *loader) seeds(f *fields, t *Table) (seeds []Seed) {
	for _, path := range f.texts("seed") {
		abs := absolute(l.dir, path)
		l.files = append(l.files, abs)
		sum, err := sumOf(abs)
		if err != nil {
			l.add(f.rangeOf("seed"), "Missing file", "cannot read %q: %v%s", path, err, nearFile(l.dir, path))
			continue
		}
		seeds = append(seeds, Seed{abs, sum})
		if l.opts.CheckSeed == nil {
			continue
		}
		if line, message := l.opts.CheckSeed(abs, t); message != "" {
			at, shown := l.lineOf(abs, path, line)
			if !shown {
				at = f.rangeOf("seed")
				message = strings.Replace(fmt.Sprintf("%s, line %d: %s", path, line, message), ", line 0", "", 1)
			}
			l.add(at, "Invalid seed", "%s", message)
		}
	}
	return seeds
}

// lineOf is the place of a line in a file, false if it cannot be shown: the file is packed or large, or it is the whole that is
// meant.
func (l *loader) lineOf(abs, path string, line int) (hcl.Range, bool) {
	content, err := l.readFile(abs)
	if err != nil || line == 0 || strings.HasSuffix(path, ".gz") {
		return hcl.Range{}, false
	}
	from := 0
	for range line - 1 {
		from += bytes.IndexByte(content[from:], '\n') + 1
	}
	to := len(content)
	if end := bytes.IndexByte(content[from:], '\n'); end >= 0 {
		to = from + end
	}
	name := filepath.ToSlash(path)
	l.source(name, content)
	return hcl.Range{
		Filename: name,
		Start:    hcl.Pos{Line: line, Column: 1, Byte: from},
		End:      hcl.Pos{Line: line, Column: 1 + utf8.RuneCount(content[from:to]), Byte: to},
	}, true
}

// sumOf is the SHA-256 of a file, in hexadecimal.
func sumOf(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", plainPathError(err)
	}
	if !info.Mode().IsRegular() { // a pipe would never end
		return "", errors.New("it is not a file")
	}
	f, err := os.Open(path)
	if err != nil {
		return "", plainPathError(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", plainPathError(err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// keyTypes returns the type of every key attribute, and reports types of attributes that are no keys.
func (l *loader) keyTypes(f *fields, t *Table) map[string]string {
	types := map[string]string{}
	keys := []string{t.HashKey, t.RangeKey}
	for _, x := range t.Indexes {
		keys = slices.Concat(keys, x.HashKeys, x.RangeKeys)
	}
	for _, key := range keys {
		if key != "" {
			types[key] = "S"
		}
	}
	given := f.textMap("attributes")
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if types[name] == "" {
			l.add(f.rangeOfItem("attributes", name), "Invalid attributes", "%q is not a key of the table or an index; only those have types%s", name, didYouMean(name, keysOf(types)))
			continue
		}
		if typ := given[name]; typ != "S" && typ != "N" && typ != "B" {
			l.add(f.rangeOfItem("attributes", name), "Invalid attributes", "the type of %q is %q; it must be \"S\" (string), \"N\" (number) or \"B\" (binary)", name, typ)
			continue
		}
		types[name] = given[name]
	}
	return types
}
