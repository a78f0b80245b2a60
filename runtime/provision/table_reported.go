package provision

import (
	"context"
	"slices"

	"devstack/runtime/config"
)

// changeReported changes the table class, the bounds of on-demand throughput and the warm throughput.
func (p *Provisioner) changeReported(ctx context.Context, t *config.Table, d *tableDescription) error {
	class := d.TableClassSummary.TableClass
	if class == "" { // a table whose class was never changed does not say
		class = "STANDARD"
	}
	if class != t.Class {
		if err := p.updateTable(ctx, t.Name, object{"TableClass": t.Class}); err != nil {
			return err
		}
	}
	if !d.OnDemandThroughput.is(t.OnDemand) && t.BillingMode == "PAY_PER_REQUEST" {
		if err := p.updateTable(ctx, t.Name, object{"OnDemandThroughput": changedOnDemand(t.OnDemand)}); err != nil {
			return err
		}
	}
	if d.WarmThroughput.has(t.Warm) {
		return nil
	}
	return p.updateTable(ctx, t.Name, object{"WarmThroughput": newWarm(t.Warm)})
}

// changeIndexReported does the same for the indexes that stand.
func (p *Provisioner) changeIndexReported(ctx context.Context, t *config.Table, d *tableDescription) error {
	var updates []object
	for _, h := range d.GlobalSecondaryIndexes {
		n := slices.IndexFunc(t.Indexes, func(x config.Index) bool { return x.Name == h.IndexName && !x.Local && sameIndex(t, x, h, d) })
		if n < 0 {
			continue // it is made anew, with what it is to have
		}
		x, change := t.Indexes[n], object{"IndexName": h.IndexName}
		if !h.OnDemandThroughput.is(x.OnDemand) && t.BillingMode == "PAY_PER_REQUEST" {
			change["OnDemandThroughput"] = changedOnDemand(x.OnDemand)
		}
		if !h.WarmThroughput.has(x.Warm) {
			change["WarmThroughput"] = newWarm(x.Warm)
		}
		if len(change) > 1 {
			updates = append(updates, object{"Update": change})
		}
	}
	if updates == nil {
		return nil
	}
	return p.updateTable(ctx, t.Name, object{"GlobalSecondaryIndexUpdates": updates})
}

// dropReplicas deletes the replicas that are not wanted any more. It comes first: as long as there are replicas the stream, for
// one, cannot be turned off.
func (p *Provisioner) dropReplicas(ctx context.Context, t *config.Table, d *tableDescription) error {
	return p.removeReplicas(ctx, t.Name, d, t.Replicas)
}

// addReplicas makes replicas in other regions, one at a time as AWS demands.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html#DDB-UpdateTable-request-ReplicaUpdates
func (p *Provisioner) addReplicas(ctx context.Context, t *config.Table, d *tableDescription) error {
	for _, region := range t.Replicas {
		if slices.ContainsFunc(d.Replicas, func(r struct{ RegionName string }) bool { return r.RegionName == region }) {
			continue
		}
		if err := p.updateTable(ctx, t.Name, object{"ReplicaUpdates": []object{{"Create": object{"RegionName": region}}}}); err != nil {
			return err
		}
	}
	return nil
}

// removeReplicas deletes the replicas in regions that are not wanted. The table's own region may be among those described.
func (p *Provisioner) removeReplicas(ctx context.Context, table string, d *tableDescription, wanted []string) error {
	for _, r := range d.Replicas {
		if r.RegionName == p.region || slices.Contains(wanted, r.RegionName) {
			continue
		}
		if err := p.updateTable(ctx, table, object{"ReplicaUpdates": []object{{"Delete": object{"RegionName": r.RegionName}}}}); err != nil {
			return err
		}
	}
	return nil
}

// changeRecovery turns point-in-time recovery on or off, or changes how far it reaches back.
func (p *Provisioner) changeRecovery(ctx context.Context, t *config.Table) error {
	var out struct {
		ContinuousBackupsDescription struct {
			PointInTimeRecoveryDescription struct {
				PointInTimeRecoveryStatus string
				RecoveryPeriodInDays      int
			}
		}
	}
	if err := p.call(ctx, "dynamodb", "DescribeContinuousBackups", object{"TableName": t.Name}, &out); err != nil {
		return err
	}
	have := 0
	if d := out.ContinuousBackupsDescription.PointInTimeRecoveryDescription; d.PointInTimeRecoveryStatus == "ENABLED" {
		have = d.RecoveryPeriodInDays
	}
	if have == t.RecoveryDays {
		return nil
	}
	return p.setRecovery(ctx, t)
}

func (p *Provisioner) setRecovery(ctx context.Context, t *config.Table) error {
	spec := object{"PointInTimeRecoveryEnabled": t.RecoveryDays > 0}
	if t.RecoveryDays > 0 {
		spec["RecoveryPeriodInDays"] = t.RecoveryDays
	}
	return p.call(ctx, "dynamodb", "UpdateContinuousBackups", object{"TableName": t.Name, "PointInTimeRecoverySpecification": spec}, nil)
}
