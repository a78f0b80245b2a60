package provision

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"devstack/runtime/config"
)

// updateTable makes one change of a table and waits until it is in force.
func (p *Provisioner) updateTable(ctx context.Context, name string, change object) error {
	change["TableName"] = name
	if err := p.call(ctx, "dynamodb", "UpdateTable", change, nil); err != nil {
		return err
	}
	_, err := p.describeTable(ctx, name)
	return err
}

// changeThroughput changes the billing mode and the table's own throughput. Global indexes that exist get theirs with
// the switch to PROVISIONED, which AWS demands.
func (p *Provisioner) changeThroughput(ctx context.Context, t *config.Table, d *tableDescription) error {
	mode := d.BillingModeSummary.BillingMode
	if mode == "" { // a table that was never on demand does not say
		mode = "PROVISIONED"
	}
	want := throughput{t.ReadCapacity, t.WriteCapacity}
	if mode == t.BillingMode && (mode == "PAY_PER_REQUEST" || d.ProvisionedThroughput == want) {
		return nil
	}
	change := object{"BillingMode": t.BillingMode}
	if t.BillingMode == "PROVISIONED" {
		change["ProvisionedThroughput"] = want
		var updates []object
		for i := range d.GlobalSecondaryIndexes {
			have := &d.GlobalSecondaryIndexes[i]
			units := want
			if n := slices.IndexFunc(t.Indexes, func(x config.Index) bool { return x.Name == have.IndexName && !x.Local }); n >= 0 {
				units = throughput{t.Indexes[n].ReadCapacity, t.Indexes[n].WriteCapacity}
			}
			if mode != t.BillingMode {
				updates = append(updates, object{"Update": object{"IndexName": have.IndexName, "ProvisionedThroughput": units}})
				have.ProvisionedThroughput = units
			}
		}
		if updates != nil {
			change["GlobalSecondaryIndexUpdates"] = updates
		}
	}
	return p.updateTable(ctx, t.Name, change)
}

func (p *Provisioner) changeProtection(ctx context.Context, t *config.Table, d *tableDescription) error {
	if d.DeletionProtectionEnabled == t.DeletionProtection {
		return nil
	}
	return p.updateTable(ctx, t.Name, object{"DeletionProtectionEnabled": t.DeletionProtection})
}

// changeStream turns the stream on or off. Another view type, and a stream whose ARN is not the one that the stack's
// references have, need a new stream.
func (p *Provisioner) changeStream(ctx context.Context, t *config.Table, d *tableDescription) error {
	on := d.StreamSpecification.StreamEnabled
	if on && (d.StreamSpecification.StreamViewType != t.Stream || d.LatestStreamArn != t.StreamARN) {
		if err := p.updateTable(ctx, t.Name, object{"StreamSpecification": object{"StreamEnabled": false}}); err != nil {
			return err
		}
		on = false
	}
	if on || t.Stream == "" {
		return nil
	}
	if err := p.updateTable(ctx, t.Name, object{"StreamSpecification": object{"StreamEnabled": true, "StreamViewType": t.Stream}}); err != nil {
		return err
	}
	now, err := p.describeTable(ctx, t.Name)
	if err != nil {
		return err
	}
	return checkStreamARN(t, now)
}

// checkStreamARN reports a stream that got another label than the stack chose for it: every reference would be wrong.
func checkStreamARN(t *config.Table, d *tableDescription) error {
	if t.Stream == "" || d.LatestStreamArn == t.StreamARN {
		return nil
	}
	return fmt.Errorf("the stream of table %s is %s, but the stack has given out %s", t.Name, d.LatestStreamArn, t.StreamARN)
}

// changeIndexes deletes and creates global indexes, one at a time. A changed one is made anew.
func (p *Provisioner) changeIndexes(ctx context.Context, t *config.Table, d *tableDescription) error {
	var standing []config.Index // with local ones: those whose keys are defined
	have := map[string]bool{}
	for _, x := range t.Indexes {
		if x.Local {
			standing = append(standing, x)
		}
	}
	for _, h := range d.GlobalSecondaryIndexes {
		i := slices.IndexFunc(t.Indexes, func(x config.Index) bool { return x.Name == h.IndexName && !x.Local })
		if i >= 0 && sameIndex(t, t.Indexes[i], h, d) {
			standing, have[h.IndexName] = append(standing, t.Indexes[i]), true
			continue
		}
		change := object{"GlobalSecondaryIndexUpdates": []object{{"Delete": object{"IndexName": h.IndexName}}}}
		if err := p.updateTable(ctx, t.Name, change); err != nil {
			return err
		}
	}
	for _, x := range t.Indexes {
		if x.Local || have[x.Name] {
			continue
		}
		standing = append(standing, x)
		change := object{
			"AttributeDefinitions":        definitions(t, standing),
			"GlobalSecondaryIndexUpdates": []object{{"Create": indexInput(t, x)}},
		}
		if err := p.updateTable(ctx, t.Name, change); err != nil {
			return err
		}
	}
	return nil
}

// changeIndexThroughput changes the throughput of indexes that stand.
func (p *Provisioner) changeIndexThroughput(ctx context.Context, t *config.Table, d *tableDescription) error {
	if t.BillingMode != "PROVISIONED" {
		return nil
	}
	var updates []object
	for _, h := range d.GlobalSecondaryIndexes {
		for _, x := range t.Indexes {
			want := throughput{x.ReadCapacity, x.WriteCapacity}
			if x.Name == h.IndexName && sameIndex(t, x, h, d) && h.ProvisionedThroughput != want {
				updates = append(updates, object{"Update": object{"IndexName": x.Name, "ProvisionedThroughput": want}})
			}
		}
	}
	if updates == nil {
		return nil
	}
	return p.updateTable(ctx, t.Name, object{"GlobalSecondaryIndexUpdates": updates})
}

// changeTTL turns time to live on or off; another attribute needs both.
func (p *Provisioner) changeTTL(ctx context.Context, t *config.Table) error {
	var out struct {
		TimeToLiveDescription struct{ TimeToLiveStatus, AttributeName string }
	}
	if err := p.call(ctx, "dynamodb", "DescribeTimeToLive", object{"TableName": t.Name}, &out); err != nil {
		return err
	}
	have := ""
	if s := out.TimeToLiveDescription; s.TimeToLiveStatus == "ENABLED" || s.TimeToLiveStatus == "ENABLING" {
		have = s.AttributeName
	}
	if have == t.TTL {
		return nil
	}
	if have != "" {
		if err := p.setTTL(ctx, t.Name, have, false); err != nil {
			return err
		}
	}
	if t.TTL == "" {
		return nil
	}
	return p.setTTL(ctx, t.Name, t.TTL, true)
}

func (p *Provisioner) setTTL(ctx context.Context, table, attribute string, on bool) error {
	return p.call(ctx, "dynamodb", "UpdateTimeToLive", object{
		"TableName": table, "TimeToLiveSpecification": object{"AttributeName": attribute, "Enabled": on},
	}, nil)
}

// tableTags returns all tags of a table.
func (p *Provisioner) tableTags(ctx context.Context, t *config.Table) (map[string]string, error) {
	have := map[string]string{}
	in := object{"ResourceArn": t.ARN}
	for {
		var out struct {
			Tags      []tag
			NextToken string
		}
		if err := p.call(ctx, "dynamodb", "ListTagsOfResource", in, &out); err != nil {
			return nil, err
		}
		maps.Copy(have, tagMap(out.Tags))
		if out.NextToken == "" {
			return have, nil
		}
		in["NextToken"] = out.NextToken
	}
}

// changeTableTags changes the tags, one of which tells what the table was seeded with.
func (p *Provisioner) changeTableTags(ctx context.Context, t *config.Table) error {
	have, err := p.tableTags(ctx, t)
	if err != nil {
		return err
	}
	seeded := have[seedTag]
	delete(have, seedTag)
	set, remove := tagChanges(have, t.Tags)
	if len(remove) > 0 {
		if err := p.call(ctx, "dynamodb", "UntagResource", object{"ResourceArn": t.ARN, "TagKeys": remove}, nil); err != nil {
			return err
		}
	}
	if len(set) > 0 {
		if err := p.tagTable(ctx, t, set); err != nil {
			return err
		}
	}
	return p.seedTable(ctx, t, seeded)
}

func (p *Provisioner) tagTable(ctx context.Context, t *config.Table, tags map[string]string) error {
	return p.call(ctx, "dynamodb", "TagResource", object{"ResourceArn": t.ARN, "Tags": tagList(tags, "Key", "Value")}, nil)
}
