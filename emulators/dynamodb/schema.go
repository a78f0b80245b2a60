package dynamodb

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
)

// The limits of secondary indexes.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html#limits-secondary-indexes
const (
	maxGlobalIndexes = 20
	maxLocalIndexes  = 5
	maxProjected     = 100 // attributes named by INCLUDE, over all indexes of a table
)

// badParameter begins most of the messages about tables; the rest follows after it.
func badParameter(format string, args ...any) error {
	return errValidation("One or more parameter values were invalid: "+format, args...)
}

// The words of this file are AWS's as quoted in https://github.com/aws-cloudformation/cfn-lint/issues/1037 and
// https://github.com/scylladb/scylladb/issues/19784, or as observed on AWS in October 2026, where nothing else is said.
const (
	msgDefinitionsUnequal = "Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions"
	msgDefinitionsUnused  = "Some AttributeDefinitions are not used. AttributeDefinitions: %s, keys used: %s"
	msgKeysUndefined      = "Some index key attributes are not defined in AttributeDefinitions. Keys: %s, AttributeDefinitions: %s"
	msgTooFewDefinitions  = "Invalid KeySchema: Some index key attribute have no definition"
)

// maxParts is how many attributes each of the two parts of a global index's key may have.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.DesignPattern.MultiAttributeKeys.html
const maxParts = 4

// newSchema makes the schema of a table (x is nil) or an index from the request, with the types of its attributes.
func newSchema(x *index, in []KeySchemaElement, definitions []AttributeDefinition) (keySchema, error) {
	check := checkPair
	if x != nil && x.Global {
		check = checkParts
	}
	if err := check(in); err != nil {
		return nil, err
	}
	var key keySchema
	for _, e := range in {
		i := slices.IndexFunc(definitions, func(d AttributeDefinition) bool { return *d.AttributeName == *e.AttributeName })
		if i < 0 {
			return nil, badParameter(msgKeysUndefined, javaSet(schemaNames(in), 0), javaSet(definitionNames(definitions), len(definitions)))
		}
		key = append(key, keyAttribute{Name: *e.AttributeName, Type: *definitions[i].AttributeType, Sort: *e.KeyType == KeyTypeRange})
	}
	return key, nil
}

// checkPair checks the order of a key of at most one HASH and one RANGE attribute.
func checkPair(in []KeySchemaElement) error {
	switch {
	case *in[0].KeyType != KeyTypeHash:
		return errValidation("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
	case len(in) == 1:
	case *in[1].KeyType != KeyTypeRange:
		return errValidation("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
	case *in[0].AttributeName == *in[1].AttributeName:
		return errValidation("Both the Hash Key and the Range Key element in the KeySchema have the same name")
	}
	return nil
}

// checkParts checks the order of a global index's key.
func checkParts(in []KeySchemaElement) error {
	hashes := 0
	for hashes < len(in) && *in[hashes].KeyType == KeyTypeHash {
		hashes++
	}
	switch {
	case hashes == 0:
		return errValidation("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
	case slices.ContainsFunc(in[hashes:], func(e KeySchemaElement) bool { return *e.KeyType == KeyTypeHash }):
		return badParameter("All HASH key attributes must precede RANGE key attributes in the KeySchema")
	case hashes > maxParts:
		return badParameter("The KeySchema exceeds the maximum allowed number of HASH key attributes")
	case len(in)-hashes > maxParts:
		return badParameter("The KeySchema exceeds the maximum allowed number of RANGE key attributes")
	case len(in) == 2 && hashes == 1:
		return checkPair(in)
	}
	for i, e := range in {
		if slices.ContainsFunc(in[:i], func(old KeySchemaElement) bool { return *old.AttributeName == *e.AttributeName }) {
			return errValidation("The KeySchema contains multiple key attributes with the same name")
		}
	}
	return nil
}

// checkLengths answers to a table's or a local index's key of more than two attributes as if the model refused it, which it
// no longer does for the sake of global indexes.
func checkLengths(in *CreateTableInput) error {
	at, key := "keySchema", in.KeySchema
	for i := 0; len(key) <= 2; i++ {
		if i == len(in.LocalSecondaryIndexes) {
			return nil
		}
		at, key = fmt.Sprintf("localSecondaryIndexes.%d.member.keySchema", i+1), in.LocalSecondaryIndexes[i].KeySchema
	}
	parts := make([]string, len(key))
	for i, e := range key { // AWS writes Java's name of the object, whose number means nothing
		parts[i] = fmt.Sprintf("com.amazonaws.dynamodb.v20120810.KeySchemaElement@%x", hash([]byte(*e.AttributeName+*e.KeyType)))
	}
	return errValidation("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must have length less than or equal to 2", bracketed(parts), at)
}

// checkUnique refuses an attribute that is defined twice.
func checkUnique(definitions []AttributeDefinition) error {
	seen := map[string]bool{}
	for _, d := range definitions {
		if seen[*d.AttributeName] {
			return errValidation("Attribute Name is duplicated: %s", *d.AttributeName)
		}
		seen[*d.AttributeName] = true
	}
	return nil
}

// checkDefinitions refuses definitions of attributes that no key uses.
func checkDefinitions(t *table) error {
	var used []string
	for _, key := range append([]keySchema{t.Key}, indexKeys(t.Indexes)...) {
		for _, a := range key {
			if !slices.Contains(used, a.Name) {
				used = append(used, a.Name)
			}
		}
	}
	switch {
	case len(used) == len(t.Attributes):
		return nil
	case len(t.Indexes) == 0:
		return badParameter(msgDefinitionsUnequal)
	}
	return badParameter(msgDefinitionsUnused, javaSet(definitionNames(t.Attributes), len(t.Attributes)), javaSet(used, 0))
}

func indexKeys(indexes []index) []keySchema {
	out := make([]keySchema, len(indexes))
	for i, x := range indexes {
		out[i] = x.Key
	}
	return out
}

// javaSet writes names in the order of a Java HashSet that was made for so many (0: for none in particular). The orders that
// AWS's messages were observed to have are those.
func javaSet(names []string, expected int) string {
	buckets := 16
	if expected > 0 {
		for buckets = 1; buckets < expected; {
			buckets *= 2
		}
	}
	for len(names) > buckets*3/4 {
		buckets *= 2
	}
	sorted := slices.Clone(names)
	slices.SortStableFunc(sorted, func(a, b string) int { return javaHash(a)&(buckets-1) - javaHash(b)&(buckets-1) })
	return bracketed(sorted)
}

func bracketed(names []string) string { return "[" + strings.Join(names, ", ") + "]" }

// javaHash is how a HashSet hashes a string.
func javaHash(s string) int {
	var h uint32
	for _, c := range utf16.Encode([]rune(s)) {
		h = h*31 + uint32(c)
	}
	return int(h ^ h>>16)
}

func definitionNames(definitions []AttributeDefinition) []string {
	var names []string
	for _, d := range definitions {
		names = append(names, *d.AttributeName)
	}
	return names
}

func schemaNames(in []KeySchemaElement) []string {
	var names []string
	for _, e := range in {
		names = append(names, *e.AttributeName)
	}
	return names
}

// newIndexes makes the indexes of a new table, the local ones first. The keys of all are checked, and that they use all
// definitions, before anything else of them is.
func newIndexes(t *table, in *CreateTableInput) (err error) {
	if in.GlobalSecondaryIndexes != nil && len(in.GlobalSecondaryIndexes) == 0 {
		return badParameter("List of GlobalSecondaryIndexes is empty")
	}
	if in.LocalSecondaryIndexes != nil && len(in.LocalSecondaryIndexes) == 0 {
		return badParameter("List of LocalSecondaryIndexes is empty")
	}
	var projections []*Projection
	add := func(x index, key []KeySchemaElement, p *Projection) (err error) {
		x.Key, err = newSchema(&x, key, t.Attributes)
		t.Indexes, projections = append(t.Indexes, x), append(projections, p)
		return err
	}
	for _, x := range in.LocalSecondaryIndexes {
		if err := add(index{Name: *x.IndexName}, x.KeySchema, x.Projection); err != nil {
			return err
		}
	}
	for _, x := range in.GlobalSecondaryIndexes {
		if err := add(index{Name: *x.IndexName, Global: true}, x.KeySchema, x.Projection); err != nil {
			return err
		}
	}
	if err := checkDefinitions(t); err != nil {
		return err
	}
	for i := range t.Indexes {
		x := &t.Indexes[i]
		if err := x.project(projections[i]); err != nil {
			return err
		}
		if !x.Global {
			if err := t.checkLocal(x); err != nil {
				return err
			}
			continue
		}
		g := in.GlobalSecondaryIndexes[i-len(in.LocalSecondaryIndexes)]
		if err := x.Throughput.create(t, x, g.ProvisionedThroughput, g.OnDemandThroughput, g.WarmThroughput); err != nil {
			return err
		}
	}
	return t.checkIndexes()
}

// addGlobal adds an index to an existing table.
func (t *table) addGlobal(in *CreateGlobalSecondaryIndexAction) (err error) {
	x := index{Name: *in.IndexName, Global: true}
	if x.Key, err = newSchema(&x, in.KeySchema, t.Attributes); err != nil {
		return err
	}
	if err := x.project(in.Projection); err != nil {
		return err
	}
	switch given := in.ProvisionedThroughput; {
	case t.Billing == BillingModeProvisioned && given == nil:
		return badParameter("Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: %s", x.Name)
	case t.Billing == BillingModePayPerRequest && given != nil:
		return badParameter("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: %s when BillingMode is PAY_PER_REQUEST", x.Name)
	}
	if err := x.Throughput.create(t, &x, in.ProvisionedThroughput, in.OnDemandThroughput, in.WarmThroughput); err != nil {
		return err
	}
	t.Indexes = append(t.Indexes, x)
	return nil
}

// project sets an index's projection.
func (x *index) project(p *Projection) error {
	if p.ProjectionType == nil {
		return badParameter("Unknown ProjectionType: null")
	}
	x.Projection, x.Include = *p.ProjectionType, slices.Sorted(slices.Values(p.NonKeyAttributes)) // AWS shows them sorted
	switch {
	case x.Projection == ProjectionTypeInclude && p.NonKeyAttributes == nil:
		return badParameter("ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
	case x.Projection != ProjectionTypeInclude && p.NonKeyAttributes != nil:
		return badParameter("ProjectionType is %s, but NonKeyAttributes is specified", x.Projection)
	}
	for i, name := range p.NonKeyAttributes {
		if slices.Contains(p.NonKeyAttributes[:i], name) {
			return badParameter("Duplicate element in NonKeyAttributes: %s", name)
		}
	}
	return nil
}

// checkLocal checks what a local secondary index has in common with its table.
func (t *table) checkLocal(x *index) error {
	if !t.Key.sorted() {
		return badParameter("Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex")
	}
	if !x.Key.sorted() {
		return badParameter("Index KeySchema does not have a range key for index: %s", x.Name)
	}
	if x.Key[0].Name != t.Key[0].Name {
		return badParameter("Index KeySchema does not have the same leading hash key as table KeySchema for index: %s. index hash key: %s, table hash key: %s",
			x.Name, x.Key[0].Name, t.Key[0].Name)
	}
	return nil
}

// checkIndexes checks the indexes of a table against each other.
func (t *table) checkIndexes() error {
	names, local, included := map[string]bool{}, 0, 0
	for _, x := range t.Indexes {
		if names[x.Name] {
			return badParameter("Duplicate index name: %s", x.Name)
		}
		names[x.Name] = true
		included += len(x.Include)
		if !x.Global {
			local++
		}
	}
	switch {
	case local > maxLocalIndexes:
		return badParameter("Number of LocalSecondaryIndexes exceeds per-table limit of %d", maxLocalIndexes)
	case len(t.Indexes)-local > maxGlobalIndexes:
		return badParameter("GlobalSecondaryIndex count exceeds the per-table limit of %d", maxGlobalIndexes)
	case included > maxProjected:
		return badParameter("Number of projected attributes across all indexes exceeds the limit of %d", maxProjected) // a guess
	}
	return nil
}
