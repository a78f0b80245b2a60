package dynamodb

import (
	"fmt"
	"slices"
	"strings"
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

// The words of this file are AWS's as quoted in
// https://github.com/aws-cloudformation/cfn-lint/issues/1037, https://github.com/scylladb/scylladb/issues/19784 and the
// troubleshooting pages of AWS re:Post, or from memory of its answers.
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

// newSchema makes the schema of a table or an index from the request, with the types of its attributes. parts is how many
// attributes each part of the key may have.
func newSchema(in []KeySchemaElement, definitions []AttributeDefinition, parts int) (keySchema, error) {
	if err := checkOrder(in, parts); err != nil {
		return nil, err
	}
	var key keySchema
	for _, e := range in {
		i := slices.IndexFunc(definitions, func(d AttributeDefinition) bool { return *d.AttributeName == *e.AttributeName })
		if i < 0 {
			return nil, badParameter(msgKeysUndefined, schemaNames(in), definitionNames(definitions))
		}
		key = append(key, keyAttribute{Name: *e.AttributeName, Type: *definitions[i].AttributeType, Sort: *e.KeyType == KeyTypeRange})
	}
	return key, nil
}

// checkOrder checks that a schema begins with its HASH elements, and that none is there twice.
func checkOrder(in []KeySchemaElement, parts int) error {
	if parts == 1 && len(in) > 2 {
		return errValidation("1 validation error detected: Value '%s' at 'keySchema' failed to satisfy constraint: Member must have length less than or equal to 2", showSchema(in))
	}
	hashes := 0
	for hashes < len(in) && *in[hashes].KeyType == KeyTypeHash {
		hashes++
	}
	switch {
	case hashes == 0:
		return errValidation("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
	case parts == 1 && hashes == 2:
		return errValidation("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
	case slices.ContainsFunc(in[hashes:], func(e KeySchemaElement) bool { return *e.KeyType == KeyTypeHash }): // a guess
		return errValidation("Invalid KeySchema: All HASH key elements must come before all RANGE key elements")
	case hashes > parts: // a guess
		return errValidation("Invalid KeySchema: The number of HASH key elements exceeds the limit of %d", parts)
	case len(in)-hashes > parts: // a guess
		return errValidation("Invalid KeySchema: The number of RANGE key elements exceeds the limit of %d", parts)
	}
	for i, e := range in {
		if slices.ContainsFunc(in[:i], func(old KeySchemaElement) bool { return *old.AttributeName == *e.AttributeName }) {
			if len(in) == 2 && hashes == 1 {
				return errValidation("Both the Hash Key and the Range Key element in the KeySchema have the same name")
			}
			return errValidation("Invalid KeySchema: Duplicate key attribute name: %s", *e.AttributeName) // a guess
		}
	}
	return nil
}

// showSchema writes a schema as the messages about constraints do.
func showSchema(in []KeySchemaElement) string {
	parts := make([]string, len(in))
	for i, e := range in {
		parts[i] = fmt.Sprintf("KeySchemaElement(attributeName=%s, keyType=%s)", *e.AttributeName, *e.KeyType)
	}
	return bracketed(parts)
}

// checkDefinitions refuses definitions of attributes that no key uses, and those given twice.
func checkDefinitions(t *table) error {
	seen := map[string]bool{}
	for _, d := range t.Attributes {
		if seen[*d.AttributeName] {
			return badParameter("Cannot specify more than one attribute definition for the attribute %s", *d.AttributeName) // a guess
		}
		seen[*d.AttributeName] = true
	}
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
	return badParameter(msgDefinitionsUnused, definitionNames(t.Attributes), bracketed(used))
}

func indexKeys(indexes []index) []keySchema {
	out := make([]keySchema, len(indexes))
	for i, x := range indexes {
		out[i] = x.Key
	}
	return out
}

func bracketed(names []string) string { return "[" + strings.Join(names, ", ") + "]" }

func definitionNames(definitions []AttributeDefinition) string {
	var names []string
	for _, d := range definitions {
		names = append(names, *d.AttributeName)
	}
	return bracketed(names)
}

func schemaNames(in []KeySchemaElement) string {
	var names []string
	for _, e := range in {
		names = append(names, *e.AttributeName)
	}
	return bracketed(names)
}

// newIndexes makes the indexes of a new table, the local ones first.
func newIndexes(t *table, in *CreateTableInput) error {
	if in.LocalSecondaryIndexes != nil && len(in.LocalSecondaryIndexes) == 0 {
		return badParameter("List of LocalSecondaryIndexes is empty")
	}
	if in.GlobalSecondaryIndexes != nil && len(in.GlobalSecondaryIndexes) == 0 {
		return badParameter("List of GlobalSecondaryIndexes is empty")
	}
	for _, x := range in.LocalSecondaryIndexes {
		local := index{Name: *x.IndexName}
		if err := local.define(t, x.KeySchema, x.Projection); err != nil {
			return err
		}
		if err := t.checkLocal(&local); err != nil {
			return err
		}
		t.Indexes = append(t.Indexes, local)
	}
	for _, x := range in.GlobalSecondaryIndexes {
		if err := t.addGlobal(CreateGlobalSecondaryIndexAction(x)); err != nil {
			return err
		}
	}
	return t.checkIndexes()
}

// addGlobal adds a global secondary index to the table's description.
func (t *table) addGlobal(in CreateGlobalSecondaryIndexAction) error {
	x := index{Name: *in.IndexName, Global: true}
	if err := x.define(t, in.KeySchema, in.Projection); err != nil {
		return err
	}
	if err := x.Throughput.set(t.Billing, "index: "+x.Name, in.ProvisionedThroughput, in.OnDemandThroughput, in.WarmThroughput); err != nil {
		return err
	}
	t.Indexes = append(t.Indexes, x)
	return nil
}

// define sets an index's key and projection.
func (x *index) define(t *table, key []KeySchemaElement, p *Projection) (err error) {
	parts := 1
	if x.Global {
		parts = maxParts
	}
	if x.Key, err = newSchema(key, t.Attributes, parts); err != nil {
		return err
	}
	if p.ProjectionType == nil {
		return badParameter("Unknown ProjectionType: null")
	}
	x.Projection, x.Include = *p.ProjectionType, p.NonKeyAttributes
	switch {
	case x.Projection == ProjectionTypeInclude && len(x.Include) == 0:
		return badParameter("ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
	case x.Projection != ProjectionTypeInclude && x.Include != nil:
		return badParameter("ProjectionType is %s, but NonKeyAttributes is specified", x.Projection)
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
