package provision

import (
	"context"
	"maps"
	"slices"

	"devstack/runtime/config"
)

// mapping is an event source mapping as ListEventSourceMappings has it.
type mapping struct {
	UUID             string
	EventSourceArn   string
	StartingPosition string
	State            string
	FilterCriteria   struct{ Filters []struct{ Pattern string } }

	BatchSize                      int
	MaximumBatchingWindowInSeconds int
	MaximumRetryAttempts           *int // missing: -1, and so below
	MaximumRecordAgeInSeconds      *int
	BisectBatchOnFunctionError     bool
	FunctionResponseTypes          []string
	ParallelizationFactor          *int // missing: 1
	TumblingWindowInSeconds        int
}

// applyFunction makes the function's log group and its role, and brings its settings and its event source mappings to those that are
// declared: the stack is what says which a function of it has.
func (p *Provisioner) applyFunction(ctx context.Context, f *config.Function) error {
	if err := p.logGroup(ctx, f.LogGroupName()); err != nil {
		return err
	}
	if _, err := p.role(ctx, f.Name); err != nil {
		return err
	}
	if err := p.applySettings(ctx, f); err != nil {
		return err
	}
	have, err := p.mappings(ctx, f.Name)
	if err != nil {
		return err
	}
	kept := map[string]mapping{} // by source
	for _, m := range have {
		i := slices.IndexFunc(f.Events, func(e config.EventSource) bool {
			return e.Source == m.EventSourceArn && e.StartingPosition == m.StartingPosition
		})
		if i >= 0 && kept[m.EventSourceArn].UUID == "" {
			kept[m.EventSourceArn] = m
			continue
		}
		if err := p.deleteMapping(ctx, m); err != nil {
			return err
		}
	}
	for _, e := range f.Events {
		if err := p.applyMapping(ctx, f, e, kept[e.Source]); err != nil {
			return err
		}
	}
	return nil
}

// logGroup creates a log group if there is none of the name.
func (p *Provisioner) logGroup(ctx context.Context, name string) error {
	var out struct {
		LogGroups []struct{ LogGroupName string }
	}
	if err := p.call(ctx, "logs", "DescribeLogGroups", object{"logGroupNamePrefix": name, "limit": 1}, &out); err != nil {
		return err
	}
	if len(out.LogGroups) > 0 && out.LogGroups[0].LogGroupName == name { // the first in order is the shortest
		return nil
	}
	err := p.call(ctx, "logs", "CreateLogGroup", object{"logGroupName": name}, nil)
	return ignore(err, "ResourceAlreadyExistsException")
}

// mappings lists those of a function that are not on their way out.
func (p *Provisioner) mappings(ctx context.Context, function string) ([]mapping, error) {
	var all []mapping
	in := object{"FunctionName": function}
	for {
		var out struct {
			EventSourceMappings []mapping
			NextMarker          string
		}
		if err := p.call(ctx, "lambda", "ListEventSourceMappings", in, &out); err != nil {
			return nil, err
		}
		for _, m := range out.EventSourceMappings {
			if m.State != "Deleting" {
				all = append(all, m)
			}
		}
		if out.NextMarker == "" {
			return all, nil
		}
		in["Marker"] = out.NextMarker
	}
}

// applyMapping creates a mapping, or changes the one that there is; its UUID is "" if there is none.
func (p *Provisioner) applyMapping(ctx context.Context, f *config.Function, e config.EventSource, have mapping) error {
	in := object{"FunctionName": f.Name}
	if have.UUID == "" {
		in["EventSourceArn"], in["StartingPosition"], in["BatchSize"] = e.Source, e.StartingPosition, e.BatchSize
		maps.Copy(in, mappingChanges(e, mapping{BatchSize: e.BatchSize, State: "Enabled"}))
		return p.call(ctx, "lambda", "CreateEventSourceMapping", in, nil)
	}
	changes := mappingChanges(e, have)
	if len(changes) == 0 {
		return nil
	}
	in["UUID"] = have.UUID
	maps.Copy(in, changes)
	return p.call(ctx, "lambda", "UpdateEventSourceMapping", in, nil)
}

// mappingChanges are the parameters in which a mapping differs from what is declared.
func mappingChanges(e config.EventSource, have mapping) object {
	changes := object{}
	differs := func(name string, have, want any) {
		if have != want {
			changes[name] = want
		}
	}
	or := func(n *int, otherwise int) int {
		if n == nil {
			return otherwise
		}
		return *n
	}
	differs("BatchSize", have.BatchSize, e.BatchSize)
	differs("MaximumBatchingWindowInSeconds", have.MaximumBatchingWindowInSeconds, e.BatchWindow)
	differs("MaximumRetryAttempts", or(have.MaximumRetryAttempts, -1), e.MaxRetries)
	differs("MaximumRecordAgeInSeconds", or(have.MaximumRecordAgeInSeconds, -1), e.MaxAge)
	differs("BisectBatchOnFunctionError", have.BisectBatchOnFunctionError, e.Bisect)
	differs("ParallelizationFactor", or(have.ParallelizationFactor, 1), e.Parallelization)
	differs("TumblingWindowInSeconds", have.TumblingWindowInSeconds, e.TumblingWindow)
	differs("Enabled", have.State != "Disabled" && have.State != "Disabling", !e.Disabled)
	if was := slices.Contains(have.FunctionResponseTypes, "ReportBatchItemFailures"); was != e.ItemFailures {
		types := []string{}
		if e.ItemFailures {
			types = append(types, "ReportBatchItemFailures")
		}
		changes["FunctionResponseTypes"] = types // an empty list removes it
	}
	var patterns []string
	for _, filter := range have.FilterCriteria.Filters {
		patterns = append(patterns, filter.Pattern)
	}
	if !slices.Equal(patterns, e.Filters) {
		filters := []object{}
		for _, pattern := range e.Filters {
			filters = append(filters, object{"Pattern": pattern})
		}
		changes["FilterCriteria"] = object{"Filters": filters} // and so here
	}
	return changes
}

func (p *Provisioner) deleteMapping(ctx context.Context, m mapping) error {
	err := p.call(ctx, "lambda", "DeleteEventSourceMapping", object{"UUID": m.UUID}, nil)
	return ignore(err, "ResourceNotFoundException")
}

// removeFunction deletes a function's mappings, and what Lambda keeps of it. Its logs stay, as they do in AWS.
func (p *Provisioner) removeFunction(ctx context.Context, f *config.Function) error {
	all, err := p.mappings(ctx, f.Name)
	if is(err, "ResourceNotFoundException") {
		return nil
	}
	if err != nil {
		return err
	}
	for _, m := range all {
		if err := p.deleteMapping(ctx, m); err != nil {
			return err
		}
	}
	err = p.call(ctx, "lambda", "DeleteFunction", object{"FunctionName": f.Name}, nil) // tags, URL, versions, …
	return ignore(err, "ResourceNotFoundException")
}
