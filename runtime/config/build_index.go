package config

import "slices"

// Limits of tables. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
const (
	maxGlobalIndexes = 20
	maxLocalIndexes  = 5
	maxNonKey        = 100 // over all indexes of a table
)

// index makes a secondary index of a table; sorted says whether the table itself has a sort key.
func (l *loader) index(f *fields, t *Table, sorted bool) Index {
	x := Index{
		Name: f.label, Local: f.boolean("local"), HashKeys: l.indexKey(f, "hash_key"), RangeKeys: l.indexKey(f, "range_key"),
		OnDemand: f.units("max_read_units", "max_write_units"), Warm: f.units("warm_read_units", "warm_write_units"),
		Projection: f.text("projection"), NonKeyAttributes: f.texts("non_key_attributes"),
	}
	if !tableNaming.pattern().MatchString(x.Name) {
		l.add(f.labelRange(), "Invalid name", "%q is not a name of an index: it must be %s", x.Name, tableNaming.rule)
	}
	if x.Local {
		l.localIndex(f, t, &x, sorted)
	} else if !f.given("hash_key") && !f.given("hash_keys") {
		l.add(f.block.DefRange(), "Missing argument", "a global index needs hash_key")
	}
	l.checkIndexKey(f, x)
	l.checkProjection(f, x)
	l.indexCapacity(f, t, &x)
	return x
}

// localIndex checks what is particular to a local index, whose partition key is the table's.
func (l *loader) localIndex(f *fields, t *Table, x *Index, sorted bool) {
	for _, name := range []string{"hash_keys", "range_keys", "max_read_units", "max_write_units", "warm_read_units", "warm_write_units"} {
		if f.given(name) {
			l.add(f.rangeOf(name), "Invalid "+name, "%s goes with a global index", name)
		}
	}
	if hash := f.text("hash_key"); hash != "" && hash != t.HashKey {
		l.add(f.rangeOf("hash_key"), "Invalid hash_key", "the partition key of a local index is the table's, %q", t.HashKey)
	}
	x.HashKeys = []string{t.HashKey}
	if !f.given("range_key") {
		l.add(f.block.DefRange(), "Missing argument", "a local index needs range_key")
	}
	if !sorted {
		l.add(f.block.DefRange(), "Invalid index", "a table without range_key cannot have a local index")
	}
}

// maxKeyAttributes is how many attributes each half of an index key may have.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.DesignPattern.MultiAttributeKeys.html
const maxKeyAttributes = 4

// indexKey returns the attributes of one half of an index key: one by its argument, or several by that in the plural.
func (l *loader) indexKey(f *fields, name string) []string {
	many := name + "s"
	switch {
	case f.given(many) && f.given(name):
		l.add(f.rangeOf(many), "Invalid "+many, "give %s or %s, not both", name, many)
	case f.given(many):
		keys := f.texts(many)
		if f.values[many] != nil && (len(keys) == 0 || len(keys) > maxKeyAttributes) {
			l.add(f.rangeOf(many), "Invalid "+many, "%s has 1 to %d attributes, not %d", many, maxKeyAttributes, len(keys))
		}
		return keys
	}
	if key := f.text(name); key != "" {
		return []string{key}
	}
	return nil
}

// checkIndexKey reports key attributes that DynamoDB would not take.
func (l *loader) checkIndexKey(f *fields, x Index) {
	for _, name := range []string{"hash_key", "range_key"} {
		if s, ok := f.values[name].(string); ok && s == "" {
			l.add(f.rangeOf(name), "Invalid "+name, "the name of a key attribute has 1 to 255 bytes")
		}
	}
	seen := map[string]bool{}
	for i, key := range slices.Concat(x.HashKeys, x.RangeKeys) {
		at := "hash_key"
		if i >= len(x.HashKeys) {
			at = "range_key"
		}
		if f.given(at + "s") {
			at += "s"
		}
		switch {
		case key == "" || len(key) > 255:
			l.add(f.rangeOf(at), "Invalid "+at, "the name of a key attribute has 1 to 255 bytes")
		case seen[key]:
			l.add(f.rangeOf(at), "Invalid "+at, "%q is in the index's key twice", key)
		}
		seen[key] = true
	}
}

func (l *loader) checkProjection(f *fields, x Index) {
	switch {
	case x.Projection == "INCLUDE" && !f.given("non_key_attributes"):
		l.add(f.rangeOf("projection"), "Missing argument", "projection = \"INCLUDE\" needs non_key_attributes")
	case f.given("non_key_attributes") && x.Projection != "INCLUDE" && x.Projection != "":
		l.add(f.rangeOf("non_key_attributes"), "Invalid non_key_attributes", "non_key_attributes goes with projection = \"INCLUDE\"")
	case f.values["non_key_attributes"] != nil && len(x.NonKeyAttributes) == 0:
		l.add(f.rangeOf("non_key_attributes"), "Invalid non_key_attributes", "non_key_attributes is empty")
	}
}

// indexCapacity sets the throughput of a global index: its own, or the table's.
func (l *loader) indexCapacity(f *fields, t *Table, x *Index) {
	for _, name := range []string{"read_capacity", "write_capacity"} {
		if f.given(name) && (x.Local || t.BillingMode == "PAY_PER_REQUEST") {
			l.add(f.rangeOf(name), "Invalid "+name, "%s goes with a global index and the table's billing_mode = \"PROVISIONED\"", name)
		}
	}
	if x.Local {
		return
	}
	l.checkOnDemand(f, t.BillingMode == "PAY_PER_REQUEST")
	if t.BillingMode != "PROVISIONED" {
		return
	}
	x.ReadCapacity, x.WriteCapacity = t.ReadCapacity, t.WriteCapacity
	if n := f.integer("read_capacity"); n != 0 {
		x.ReadCapacity = int64(n)
	}
	if n := f.integer("write_capacity"); n != 0 {
		x.WriteCapacity = int64(n)
	}
}

// checkIndexes reports more indexes, or more attributes in them, than a table may have.
func (l *loader) checkIndexes(f *fields, t *Table) {
	global, local, nonKey := 0, 0, 0
	for _, x := range t.Indexes {
		nonKey += len(x.NonKeyAttributes)
		if x.Local {
			local++
		} else {
			global++
		}
	}
	for _, limit := range []struct {
		n, max int
		what   string
	}{{global, maxGlobalIndexes, "global indexes"}, {local, maxLocalIndexes, "local indexes"}, {nonKey, maxNonKey, "non_key_attributes in all its indexes"}} {
		if limit.n > limit.max {
			l.add(f.block.DefRange(), "Too many indexes", "a table may have %d %s, not %d", limit.max, limit.what, limit.n)
		}
	}
}
