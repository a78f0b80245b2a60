package config

import (
	"maps"
	"regexp"
	"slices"
	"sync"
)

// naming is AWS's rule for the names of a kind of resource.
type naming struct {
	pattern func() *regexp.Regexp
	rule    string // in words
}

// lazy returns a pattern that is compiled when it is first used: most processes of devstack read no stack.
func lazy(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

// Rules of names, from the published models but where said otherwise.
var (
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
	tableNaming = naming{lazy(`^[a-zA-Z0-9_.-]{3,255}$`), "3 to 255 of a-z, A-Z, 0-9, _, - and ."}
	// https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateCacheCluster.html
	cacheNaming = naming{lazy(`^[a-zA-Z](-?[a-zA-Z0-9])*$`), "1 to 50 letters, digits and single hyphens, beginning with a letter and not ending with a hyphen"}
	// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
	functionNaming = naming{lazy(`^[a-zA-Z0-9_-]{1,64}$`), "1 to 64 of a-z, A-Z, 0-9, _ and -"}
	// https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html
	machineNaming = naming{lazy("^[^\\s<>{}\\[\\]?*\"#%\\\\^|~`$&,;:/\\x00-\\x1f\\x7f-\\x{9f}]{1,80}$"), "1 to 80 characters without spaces, brackets, wildcards and any of \"#%\\^|~`$&,;:/"}
	// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html
	apiNaming = naming{lazy(`^.{1,128}$`), "1 to 128 characters"}
	// Ours: it becomes part of container names and host names.
	serviceNaming = naming{lazy(`^[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}$`), "1 to 63 of a-z, A-Z, 0-9, _ and -, beginning with a letter or digit"}
)

// checkName reports a name that AWS would not take. One that could not be evaluated is empty and has been reported.
func (l *loader) checkName(i *instance, rule naming) string {
	name := i.name()
	if i.fields.broken("name") {
		return name
	}
	if !rule.pattern().MatchString(name) {
		l.add(i.fields.rangeOf("name"), "Invalid name", "%q is not a name of a %s: it must be %s", name, i.schema.name, rule.rule)
	}
	return name
}

// Limits of tables. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
const (
	maxGlobalIndexes = 20
	maxLocalIndexes  = 5
	maxNonKey        = 100 // over all indexes of a table
)

func (l *loader) table(i *instance) *Table {
	f := i.fields
	t := &Table{
		Block: i.base(), Name: l.checkName(i, tableNaming), HashKey: f.text("hash_key"), RangeKey: f.text("range_key"),
		Stream: f.text("stream"), TTL: f.text("ttl"), BillingMode: f.text("billing_mode"),
		ReadCapacity: int64(f.integer("read_capacity")), WriteCapacity: int64(f.integer("write_capacity")),
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
	return t
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
	for _, name := range []string{"read_capacity", "write_capacity"} {
		switch {
		case t.BillingMode == "PROVISIONED" && !f.given(name):
			l.add(f.rangeOf("billing_mode"), "Missing argument", "a table with billing_mode = \"PROVISIONED\" needs %s", name)
		case t.BillingMode == "PAY_PER_REQUEST" && f.given(name):
			l.add(f.rangeOf(name), "Invalid "+name, "%s goes with billing_mode = \"PROVISIONED\"", name)
		}
	}
}

// index makes a secondary index of a table; sorted says whether the table itself has a sort key.
func (l *loader) index(f *fields, t *Table, sorted bool) Index {
	x := Index{
		Name: f.label, Local: f.boolean("local"), HashKey: f.text("hash_key"), RangeKey: f.text("range_key"),
		Projection: f.text("projection"), NonKeyAttributes: f.texts("non_key_attributes"),
	}
	if !tableNaming.pattern().MatchString(x.Name) {
		l.add(f.labelRange(), "Invalid name", "%q is not a name of an index: it must be %s", x.Name, tableNaming.rule)
	}
	switch {
	case x.Local && f.given("hash_key") && x.HashKey != "" && x.HashKey != t.HashKey:
		l.add(f.rangeOf("hash_key"), "Invalid hash_key", "the partition key of a local index is the table's, %q", t.HashKey)
	case x.Local:
		x.HashKey = t.HashKey
	case !f.given("hash_key"):
		l.add(f.block.DefRange(), "Missing argument", "a global index needs hash_key")
	}
	if x.Local && !f.given("range_key") {
		l.add(f.block.DefRange(), "Missing argument", "a local index needs range_key")
	}
	if x.Local && !sorted {
		l.add(f.block.DefRange(), "Invalid index", "a table without range_key cannot have a local index")
	}
	l.checkKeys(f, x.HashKey, x.RangeKey)
	l.checkProjection(f, x)
	l.indexCapacity(f, t, &x)
	return x
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
	if x.Local || t.BillingMode != "PROVISIONED" {
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

// keyTypes returns the type of every key attribute, and reports types of attributes that are no keys.
func (l *loader) keyTypes(f *fields, t *Table) map[string]string {
	types := map[string]string{}
	keys := []string{t.HashKey, t.RangeKey}
	for _, x := range t.Indexes {
		keys = append(keys, x.HashKey, x.RangeKey)
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

// tags returns the block's tags and reports those that AWS would not take.
// https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html
func (l *loader) tags(f *fields, most int) map[string]string {
	tags := f.textMap("tags")
	fail := func(key, what string) {
		l.add(f.rangeOfItem("tags", key), "Invalid tags", "the key %q %s", key, what)
	}
	if len(tags) > most {
		l.add(f.rangeOf("tags"), "Invalid tags", "there may be %d tags, not %d", most, len(tags))
	}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		switch {
		case key == "" || len([]rune(key)) > 128:
			fail(key, "must have 1 to 128 characters")
		case len([]rune(tags[key])) > 256:
			fail(key, "has a value of more than 256 characters")
		case reservedTag().MatchString(key):
			fail(key, "is reserved")
		}
	}
	return tags
}

// reservedTag are the keys that AWS keeps for itself, and ours.
var reservedTag = lazy(`^(?i:aws|devstack):`)

func (l *loader) cache(i *instance) *Cache {
	c := &Cache{
		Block: i.base(), Name: l.checkName(i, cacheNaming), Engine: i.fields.text("engine"),
		Port: i.exportedPort(), URL: i.exportedText("url"),
	}
	if len(c.Name) > 50 {
		l.add(i.fields.rangeOf("name"), "Invalid name", "%q is not a name of a cache: it must be %s", c.Name, cacheNaming.rule)
	}
	return c
}
