package provision

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"devstack/runtime/config"
)

// tableDescription is what DescribeTable says that we compare.
type tableDescription struct {
	AttributeDefinitions   []attributeDefinition
	KeySchema              []keyElement
	TableStatus            string
	ProvisionedThroughput  throughput
	BillingModeSummary     struct{ BillingMode string }
	LocalSecondaryIndexes  []indexDescription
	GlobalSecondaryIndexes []indexDescription
	StreamSpecification    struct {
		StreamEnabled  bool
		StreamViewType string
	}
	LatestStreamArn           string
	DeletionProtectionEnabled bool
	OnDemandThroughput        onDemand
	WarmThroughput            warm
	TableClassSummary         struct{ TableClass string }
	Replicas                  []struct{ RegionName string }
}

type attributeDefinition struct{ AttributeName, AttributeType string }

type keyElement struct{ AttributeName, KeyType string }

type throughput struct{ ReadCapacityUnits, WriteCapacityUnits int64 }

// onDemand is OnDemandThroughput, in units a second; -1 takes a bound away, and 0 is where nothing is said.
type onDemand struct {
	MaxReadRequestUnits  int64 `json:",omitempty"`
	MaxWriteRequestUnits int64 `json:",omitempty"`
}

// changedOnDemand is what UpdateTable is told, which keeps what is not named.
func changedOnDemand(u config.Units) onDemand {
	unbounded := func(n int64) int64 {
		if n == 0 {
			return -1
		}
		return n
	}
	return onDemand{unbounded(u.Read), unbounded(u.Write)}
}

// is tells whether the bounds are the wanted ones.
func (o onDemand) is(want config.Units) bool {
	return max(o.MaxReadRequestUnits, 0) == want.Read && max(o.MaxWriteRequestUnits, 0) == want.Write
}

// warm is WarmThroughput.
type warm struct {
	ReadUnitsPerSecond  int64 `json:",omitempty"`
	WriteUnitsPerSecond int64 `json:",omitempty"`
}

func newWarm(u config.Units) warm { return warm{u.Read, u.Write} }

// has tells whether the throughput is the wanted one, as far as one is wanted.
func (w warm) has(want config.Units) bool {
	return (want.Read == 0 || want.Read == w.ReadUnitsPerSecond) && (want.Write == 0 || want.Write == w.WriteUnitsPerSecond)
}

type projection struct {
	ProjectionType   string
	NonKeyAttributes []string `json:",omitempty"`
}

type indexDescription struct {
	IndexName             string
	IndexStatus           string
	KeySchema             []keyElement
	Projection            projection
	ProvisionedThroughput throughput
	OnDemandThroughput    onDemand
	WarmThroughput        warm
}

// applyTable creates a table or changes it in place.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html: one index is created or deleted
// at a time, a stream's view type is changed by a new stream.
func (p *Provisioner) applyTable(ctx context.Context, old, t *config.Table) error {
	if old != nil && old.Name != t.Name {
		return fmt.Errorf("DynamoDB cannot rename a table (%s to %s): keep the name, or give the block another label as well, which makes a new, empty table and deletes the old one", old.Name, t.Name)
	}
	d, err := p.describeTable(ctx, t.Name)
	if is(err, "ResourceNotFoundException") {
		return p.createTable(ctx, t)
	}
	if err != nil {
		return err
	}
	if err := unchangeable(t, d); err != nil {
		return err
	}
	for _, step := range []func(context.Context, *config.Table, *tableDescription) error{
		p.dropReplicas, p.changeThroughput, p.changeReported, p.changeProtection, p.changeStream, p.changeIndexes, p.changeIndexThroughput,
		p.changeIndexReported, p.addReplicas,
	} {
		if err := step(ctx, t, d); err != nil {
			return err
		}
	}
	for _, step := range []func(context.Context, *config.Table) error{p.changeTTL, p.changeRecovery, p.changeTableTags} {
		if err := step(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// describeTable returns a table once no change of it is under way.
func (p *Provisioner) describeTable(ctx context.Context, name string) (*tableDescription, error) {
	var out struct{ Table tableDescription }
	err := p.until(ctx, func() (bool, error) {
		out.Table = tableDescription{}
		if err := p.call(ctx, "dynamodb", "DescribeTable", object{"TableName": name}, &out); err != nil {
			return false, err
		}
		settled := out.Table.TableStatus == "ACTIVE"
		for _, x := range out.Table.GlobalSecondaryIndexes {
			settled = settled && (x.IndexStatus == "ACTIVE" || x.IndexStatus == "")
		}
		return settled, nil
	})
	return &out.Table, err
}

func (p *Provisioner) createTable(ctx context.Context, t *config.Table) error {
	in := object{
		"TableName": t.Name, "KeySchema": tableKey(t), "BillingMode": t.BillingMode,
		"AttributeDefinitions": definitions(t, t.Indexes),
	}
	if t.BillingMode == "PROVISIONED" {
		in["ProvisionedThroughput"] = throughput{t.ReadCapacity, t.WriteCapacity}
	}
	var global, local []object
	for _, x := range t.Indexes {
		if x.Local {
			local = append(local, indexInput(t, x))
		} else {
			global = append(global, indexInput(t, x))
		}
	}
	if local != nil {
		in["LocalSecondaryIndexes"] = local
	}
	if global != nil {
		in["GlobalSecondaryIndexes"] = global
	}
	if t.Stream != "" {
		in["StreamSpecification"] = object{"StreamEnabled": true, "StreamViewType": t.Stream}
	}
	if t.DeletionProtection {
		in["DeletionProtectionEnabled"] = true
	}
	if t.Class != "STANDARD" {
		in["TableClass"] = t.Class
	}
	addReported(in, t.OnDemand, t.Warm)
	if len(t.Tags) > 0 {
		in["Tags"] = tagList(t.Tags, "Key", "Value")
	}
	if err := p.call(ctx, "dynamodb", "CreateTable", in, nil); err != nil {
		return err
	}
	d, err := p.describeTable(ctx, t.Name)
	if err != nil {
		return err
	}
	if err := checkStreamARN(t, d); err != nil {
		return err
	}
	if t.TTL != "" {
		if err := p.setTTL(ctx, t.Name, t.TTL, true); err != nil {
			return err
		}
	}
	if err := p.addReplicas(ctx, t, d); err != nil {
		return err
	}
	if t.RecoveryDays > 0 {
		if err := p.setRecovery(ctx, t); err != nil {
			return err
		}
	}
	return p.seedTable(ctx, t, "")
}

// addReported adds the throughput that is asked for besides capacity.
func addReported(in object, most, ready config.Units) {
	if most != (config.Units{}) {
		in["OnDemandThroughput"] = onDemand{most.Read, most.Write}
	}
	if ready != (config.Units{}) {
		in["WarmThroughput"] = newWarm(ready)
	}
}

// keySchema writes a key as DynamoDB does.
func keySchema(hash, rng []string) []keyElement {
	var keys []keyElement
	for _, name := range hash {
		keys = append(keys, keyElement{name, "HASH"})
	}
	for _, name := range rng {
		keys = append(keys, keyElement{name, "RANGE"})
	}
	return keys
}

// tableKey is the key of the table itself.
func tableKey(t *config.Table) []keyElement {
	if t.RangeKey == "" {
		return keySchema([]string{t.HashKey}, nil)
	}
	return keySchema([]string{t.HashKey}, []string{t.RangeKey})
}

// definitions returns the types of the keys of the table and of some of its indexes: DynamoDB refuses others.
func definitions(t *config.Table, indexes []config.Index) []attributeDefinition {
	names := map[string]bool{t.HashKey: true, t.RangeKey: true}
	for _, x := range indexes {
		for _, name := range slices.Concat(x.HashKeys, x.RangeKeys) {
			names[name] = true
		}
	}
	delete(names, "")
	var list []attributeDefinition
	for _, name := range slices.Sorted(maps.Keys(names)) {
		list = append(list, attributeDefinition{name, t.Attributes[name]})
	}
	return list
}

func indexInput(t *config.Table, x config.Index) object {
	in := object{
		"IndexName": x.Name, "KeySchema": keySchema(x.HashKeys, x.RangeKeys),
		"Projection": projection{x.Projection, x.NonKeyAttributes},
	}
	if t.BillingMode == "PROVISIONED" && !x.Local {
		in["ProvisionedThroughput"] = throughput{x.ReadCapacity, x.WriteCapacity}
	}
	addReported(in, x.OnDemand, x.Warm)
	return in
}

// unchangeable reports what is fixed when a table is created: its keys, their types, and its local indexes.
func unchangeable(t *config.Table, d *tableDescription) error {
	const wayOut = "keep it, or give the block another label and name, which makes a new, empty table and deletes this one"
	have := map[string]string{}
	for _, k := range d.KeySchema {
		have[k.KeyType] = k.AttributeName
	}
	for _, key := range []struct{ kind, argument, want string }{{"HASH", "hash_key", t.HashKey}, {"RANGE", "range_key", t.RangeKey}} {
		if have[key.kind] != key.want {
			return fmt.Errorf("DynamoDB cannot change the keys of table %s: its %s is %q, not %q; %s", t.Name, key.argument, have[key.kind], key.want, wayOut)
		}
	}
	for _, a := range d.AttributeDefinitions {
		if (a.AttributeName == t.HashKey || a.AttributeName == t.RangeKey) && a.AttributeType != t.Attributes[a.AttributeName] {
			return fmt.Errorf("DynamoDB cannot change the keys of table %s: the type of %q is %q, not %q; %s",
				t.Name, a.AttributeName, a.AttributeType, t.Attributes[a.AttributeName], wayOut)
		}
	}
	local := map[string]indexDescription{}
	for _, x := range d.LocalSecondaryIndexes {
		local[x.IndexName] = x
	}
	for _, x := range t.Indexes {
		if !x.Local {
			continue
		}
		if h, ok := local[x.Name]; !ok || !sameIndex(t, x, h, d) {
			return fmt.Errorf("DynamoDB cannot add or change a local index of an existing table: index %q of table %s; make it global, or give the table's block another label and name, which makes a new, empty table", x.Name, t.Name)
		}
		delete(local, x.Name)
	}
	if len(local) > 0 {
		return fmt.Errorf("DynamoDB cannot delete a local index: index %q of table %s; %s", slices.Min(slices.Collect(maps.Keys(local))), t.Name, wayOut)
	}
	return nil
}

// sameIndex reports whether keys, their types and projection are as wanted.
func sameIndex(t *config.Table, x config.Index, have indexDescription, d *tableDescription) bool {
	if !slices.Equal(keySchema(x.HashKeys, x.RangeKeys), have.KeySchema) || x.Projection != have.Projection.ProjectionType ||
		!slices.Equal(slices.Sorted(slices.Values(x.NonKeyAttributes)), slices.Sorted(slices.Values(have.Projection.NonKeyAttributes))) {
		return false
	}
	for _, a := range d.AttributeDefinitions {
		if slices.Contains(slices.Concat(x.HashKeys, x.RangeKeys), a.AttributeName) && a.AttributeType != t.Attributes[a.AttributeName] {
			return false
		}
	}
	return true
}

func (p *Provisioner) removeTable(ctx context.Context, t *config.Table) error {
	d, err := p.describeTable(ctx, t.Name)
	if is(err, "ResourceNotFoundException") {
		return nil
	}
	if err != nil {
		return err
	}
	if d.DeletionProtectionEnabled {
		return fmt.Errorf("table %s has deletion protection and stays: to delete it, put its block back with deletion_protection = false, save, and remove it then", t.Name)
	}
	if err := p.removeReplicas(ctx, t.Name, d, nil); err != nil {
		return err
	}
	return ignore(p.call(ctx, "dynamodb", "DeleteTable", object{"TableName": t.Name}, nil), "ResourceNotFoundException")
}
