package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"devstack/runtime/config"
	"devstack/runtime/plan"
)

// provisionedRecord is what has to be known of a resource to delete it in AWS when its block is gone.
type provisionedRecord struct {
	Type  string `json:"type"`  // of the block
	Block string `json:"block"` // its name
	Name  string `json:"name"`  // AWS's
	ARN   string `json:"arn,omitempty"`
}

// recordsFile is where what is provisioned is written down.
func recordsFile(dir string) string { return filepath.Join(dir, stateDir, "provisioned.json") }

// recordOf returns a resource's record; ok is false for one that is nothing in AWS.
func recordOf(r config.Resource) (rec provisionedRecord, ok bool) {
	id := r.Base().ID
	rec = provisionedRecord{Type: id.Type, Block: id.Name}
	switch r := r.(type) {
	case *config.Table:
		rec.Name, rec.ARN = r.Name, r.ARN
	case *config.Cache:
		rec.Name = r.Name
	case *config.Function:
		rec.Name, rec.ARN = r.Name, r.ARN
	case *config.StateMachine:
		rec.Name, rec.ARN = r.Name, r.ARN
	case *config.API:
		rec.Name = r.Name
	default:
		return rec, false
	}
	return rec, true
}

// resource is as much of the resource as deleting it takes.
func (rec provisionedRecord) resource() config.Resource {
	block := config.Block{ID: config.ID{Type: rec.Type, Name: rec.Block}}
	switch rec.Type {
	case "table":
		return &config.Table{Block: block, Name: rec.Name, ARN: rec.ARN}
	case "cache":
		return &config.Cache{Block: block, Name: rec.Name}
	case "function":
		return &config.Function{Block: block, Name: rec.Name, ARN: rec.ARN}
	case "state_machine":
		return &config.StateMachine{Block: block, Name: rec.Name, ARN: rec.ARN}
	case "api":
		return &config.API{Block: block, Name: rec.Name}
	}
	return nil
}

// carryOut makes what runs be the next stack. What has been provisioned is written down before it is, and until it is deleted:
// so a block that is taken out while nothing runs is gone as well, and one whose deletion a killed daemon did not finish.
// An ephemeral stack has no earlier run and no later one.
func (d *daemon) carryOut(ctx context.Context, old, next *config.Stack) error {
	steps := plan.Diff(old, next)
	if d.options.ephemeral {
		return d.applySteps(ctx, steps)
	}
	first := d.provisioned == nil
	if first {
		records, err := readRecords(recordsFile(d.dir))
		if err != nil {
			return err
		}
		d.provisioned = append([]provisionedRecord{}, records...)
	}
	gone := forgotten(d.provisioned, next)
	if err := d.keepRecords(next, gone); err != nil {
		return err
	}
	var removed error
	if first {
		removed = d.removeForgotten(ctx, gone)
	}
	err := errors.Join(removed, d.applySteps(ctx, steps))
	if err == nil {
		gone = nil
	} // else it is not known which of them were deleted: the next start tries again
	return errors.Join(err, d.keepRecords(next, gone))
}

// forgotten returns the records that stand for nothing in the stack: AWS knows nothing of blocks, so it is the name there that
// counts. A table whose block has another name now is not among them: a table cannot be renamed, and its items are not
// given up for an edit of its name.
func forgotten(records []provisionedRecord, next *config.Stack) []provisionedRecord {
	return slices.DeleteFunc(slices.Clone(records), func(rec provisionedRecord) bool {
		return slices.ContainsFunc(next.Resources, func(r config.Resource) bool {
			now, ok := recordOf(r)
			return ok && now.Type == rec.Type && (now.Name == rec.Name || rec.Type == "table" && now.Block == rec.Block)
		})
	})
}

// removeForgotten deletes in AWS what an earlier run provisioned.
func (d *daemon) removeForgotten(ctx context.Context, gone []provisionedRecord) error {
	var errs []error
	for _, rec := range gone {
		if r := rec.resource(); r != nil {
			if err := d.provision.Remove(ctx, r); err != nil {
				errs = append(errs, fmt.Errorf("%s is no longer in the stack, but cannot be deleted: %w", r.Base().ID, err))
			}
		}
	}
	return errors.Join(errs...)
}

// keepRecords writes down what there will be: the stack's resources, and what is still to be deleted.
func (d *daemon) keepRecords(next *config.Stack, gone []provisionedRecord) error {
	keep := append([]provisionedRecord{}, gone...) // never nil: nothing is known as well
	for _, r := range next.Resources {
		if rec, ok := recordOf(r); ok {
			keep = append(keep, rec)
		}
	}
	if slices.Equal(keep, d.provisioned) {
		return nil
	}
	b, err := json.MarshalIndent(keep, "", "  ")
	if err != nil {
		return err
	}
	path := recordsFile(d.dir)
	if err := os.WriteFile(path+".new", b, 0o600); err != nil {
		return fmt.Errorf("keep what is provisioned: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("keep what is provisioned: %w", err)
	}
	d.provisioned = keep
	return nil
}

func readRecords(path string) (old []provisionedRecord, err error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &old)
	}
	if err != nil {
		return nil, fmt.Errorf("%s is damaged (%v); delete it: blocks that were taken out of the stack while it did not run then stay in AWS", path, err)
	}
	return old, nil
}
