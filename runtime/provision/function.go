package provision

import (
	"context"
	"slices"

	"devstack/runtime/config"
)

// mapping is an event source mapping as ListEventSourceMappings has it.
type mapping struct {
	UUID             string
	EventSourceArn   string
	StartingPosition string
	BatchSize        int
	State            string
	FilterCriteria   struct{ Filters []struct{ Pattern string } }
}

// applyFunction makes the function's log group and its role, and brings its event source mappings to those that are declared: the
// stack is what says which a function of it has.
func (p *Provisioner) applyFunction(ctx context.Context, f *config.Function) error {
	if err := p.logGroup(ctx, f.LogGroupName()); err != nil {
		return err
	}
	if _, err := p.role(ctx, f.Name); err != nil {
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
	filters := []object{}
	for _, pattern := range e.Filters {
		filters = append(filters, object{"Pattern": pattern})
	}
	in := object{"FunctionName": f.Name, "BatchSize": e.BatchSize}
	if have.UUID == "" {
		in["EventSourceArn"], in["StartingPosition"] = e.Source, e.StartingPosition
		if len(filters) > 0 {
			in["FilterCriteria"] = object{"Filters": filters}
		}
		return p.call(ctx, "lambda", "CreateEventSourceMapping", in, nil)
	}
	var patterns []string
	for _, filter := range have.FilterCriteria.Filters {
		patterns = append(patterns, filter.Pattern)
	}
	if have.BatchSize == e.BatchSize && slices.Equal(patterns, e.Filters) {
		return nil
	}
	in["UUID"] = have.UUID
	if !slices.Equal(patterns, e.Filters) {
		in["FilterCriteria"] = object{"Filters": filters} // an empty list removes them
	}
	return p.call(ctx, "lambda", "UpdateEventSourceMapping", in, nil)
}

func (p *Provisioner) deleteMapping(ctx context.Context, m mapping) error {
	err := p.call(ctx, "lambda", "DeleteEventSourceMapping", object{"UUID": m.UUID}, nil)
	return ignore(err, "ResourceNotFoundException")
}

// removeMappings deletes a function's mappings. Its logs stay, as they do in AWS.
func (p *Provisioner) removeMappings(ctx context.Context, f *config.Function) error {
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
	return nil
}
