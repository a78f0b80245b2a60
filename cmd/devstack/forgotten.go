package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"devstack/runtime/config"
)

// provisionedRecord is what has to be known of a resource to delete it in AWS when its block is gone.
type provisionedRecord struct {
	Type  string `json:"type"`  // of the block
	Block string `json:"block"` // its name
	Name  string `json:"name"`  // AWS's
	ARN   string `json:"arn,omitempty"`
}

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

// removeForgotten deletes in AWS what an earlier run provisioned and the stack has no more, so that a block that is taken out while
// nothing runs is gone as well, and writes down what there will be. An ephemeral stack has no earlier run.
func (d *daemon) removeForgotten(ctx context.Context, next *config.Stack) error {
	if d.options.ephemeral {
		return nil
	}
	path := recordsFile(d.dir)
	var errs []error
	var keep []provisionedRecord
	there := map[config.ID]bool{}
	for _, r := range next.Resources {
		if rec, ok := recordOf(r); ok {
			there[r.Base().ID] = true
			keep = append(keep, rec)
		}
	}
	if !d.applied.Load() {
		old, err := readRecords(path)
		if err != nil {
			return err
		}
		for _, rec := range old {
			r := rec.resource()
			if r == nil || there[r.Base().ID] {
				continue
			}
			if err := d.provision.Remove(ctx, r); err != nil {
				errs, keep = append(errs, fmt.Errorf("%s is no longer in the stack, but cannot be deleted: %w", r.Base().ID, err)), append(keep, rec)
			}
		}
	}
	b, err := json.MarshalIndent(keep, "", "  ")
	if err == nil {
		err = replaceFile(path, b)
	}
	if err != nil {
		err = fmt.Errorf("what was provisioned cannot be written down: %w", explain(err))
	}
	return errors.Join(append(errs, err)...)
}

func recordsFile(dir string) string { return filepath.Join(dir, stateDir, "provisioned.json") }

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
