// Package provision makes the AWS resources that a stack declares, by the calls that anybody would make.
//
// Everything is compared with what AWS says is there, never with what was done before: state outlives the daemon, and
// a stack may meet a table that was made by hand. What AWS cannot change in place is an error that says the way out.
package provision

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"devstack/internal/clock"
	"devstack/runtime/config"
)

// Caller runs an operation of AWS. in is what marshals to the JSON of its input, members by AWS's names; out takes the
// JSON of its output, nil drops it. An error of the service has ErrorCode and ErrorMessage.
type Caller interface {
	Call(ctx context.Context, service, operation string, in, out any) error
}

// Provisioner brings AWS resources to what a stack declares. Calls for different resources may run side by side.
type Provisioner struct {
	aws    Caller
	region string // of the stack, for ARNs
	clock  clock.Clock

	mu     sync.Mutex
	owners map[claim]config.ID // whose a resource is that was applied last
}

// claim is a resource as AWS knows it.
type claim struct{ service, name string }

// claimOf returns what a block calls its own in AWS by name. An API is known by its tag instead.
func claimOf(r config.Resource) claim {
	switch r := r.(type) {
	case *config.Table:
		return claim{"dynamodb", r.Name}
	case *config.Cache:
		return claim{"elasticache", r.Name}
	case *config.Function:
		return claim{"lambda", r.Name}
	case *config.StateMachine:
		return claim{"stepfunctions", r.Name}
	}
	return claim{}
}

// own notes that a block has a resource now, so that the block which had it before does not take it along when it goes.
func (p *Provisioner) own(r config.Resource) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.owners[claimOf(r)] = r.Base().ID
}

// disown reports whether a block's resource is still its own, and forgets it if so.
func (p *Provisioner) disown(r config.Resource) bool {
	c := claimOf(r)
	if c == (claim{}) {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if owner, known := p.owners[c]; known && owner != r.Base().ID {
		return false
	}
	delete(p.owners, c)
	return true
}

// New returns a Provisioner of a region's resources. Waiting for a status to change hangs on clk.
func New(aws Caller, region string, clk clock.Clock) *Provisioner {
	return &Provisioner{aws: aws, region: region, clock: clk, owners: map[claim]config.ID{}}
}

// object is the input of an operation.
type object map[string]any

// Apply creates the resource, or changes what differs from it. old is what the stack had under the same ID, nil if
// nothing. A Function's log group, settings and event sources are provisioned here, not the function itself; a Service has
// nothing in AWS.
func (p *Provisioner) Apply(ctx context.Context, old, new config.Resource) error {
	id := new.Base().ID
	p.own(new)
	gone := old != nil && renamed(old, new)
	var err error
	if _, cache := new.(*config.Cache); cache && gone { // both may have the same port
		gone, err = false, p.remove(ctx, old)
	}
	if err == nil {
		err = p.apply(ctx, old, new)
	}
	if err == nil && gone {
		err = p.remove(ctx, old)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", id, err)
	}
	return nil
}

func (p *Provisioner) apply(ctx context.Context, old, new config.Resource) error {
	switch r := new.(type) {
	case *config.Table:
		before, _ := old.(*config.Table)
		return p.applyTable(ctx, before, r)
	case *config.Cache:
		return p.applyCache(ctx, r)
	case *config.Function:
		return p.applyFunction(ctx, r)
	case *config.StateMachine:
		return p.applyStateMachine(ctx, r)
	case *config.API:
		return p.applyAPI(ctx, r)
	case *config.Service:
		return nil
	}
	return fmt.Errorf("cannot provision a %T", new)
}

// renamed reports whether the old resource is another one in AWS, which the new one has taken the place of.
func renamed(old, new config.Resource) bool {
	switch o := old.(type) {
	case *config.Cache:
		n, ok := new.(*config.Cache)
		return ok && o.Name != n.Name
	case *config.Function:
		n, ok := new.(*config.Function)
		return ok && o.Name != n.Name
	case *config.StateMachine:
		n, ok := new.(*config.StateMachine)
		return ok && o.Name != n.Name
	}
	return false // a table refuses, an API changes its name
}

// Remove deletes what Apply made. What is gone already is no error; a table with deletion protection is. What another
// block has been applied to since, under the same name in AWS, stays: a block that gets another label keeps its data.
func (p *Provisioner) Remove(ctx context.Context, r config.Resource) error {
	if err := p.remove(ctx, r); err != nil {
		return fmt.Errorf("%s: %w", r.Base().ID, err)
	}
	return nil
}

func (p *Provisioner) remove(ctx context.Context, r config.Resource) error {
	if !p.disown(r) {
		return nil
	}
	switch r := r.(type) {
	case *config.Table:
		return p.removeTable(ctx, r)
	case *config.Cache:
		return ignore(p.call(ctx, "elasticache", "DeleteCacheCluster", object{"CacheClusterId": r.Name}, nil), "CacheClusterNotFound")
	case *config.Function:
		return p.removeFunction(ctx, r)
	case *config.StateMachine:
		return p.call(ctx, "stepfunctions", "DeleteStateMachine", object{"stateMachineArn": r.ARN}, nil) // no error if there is none
	case *config.API:
		return p.removeAPI(ctx, r)
	}
	return nil
}

// call runs an operation; its error names it.
func (p *Provisioner) call(ctx context.Context, service, operation string, in, out any) error {
	if err := p.aws.Call(ctx, service, operation, in, out); err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	return nil
}

// is reports whether an error is AWS's of one of the codes. Shapes are called XException or XFault where the code of
// older protocols is X; they are the same.
func is(err error, codes ...string) bool {
	var e interface {
		ErrorCode() string
		ErrorMessage() string
	}
	if !errors.As(err, &e) {
		return false
	}
	plain := func(code string) string { return strings.TrimSuffix(strings.TrimSuffix(code, "Exception"), "Fault") }
	return slices.ContainsFunc(codes, func(code string) bool { return plain(e.ErrorCode()) == plain(code) })
}

// ignore returns nil for an error of the code.
func ignore(err error, code string) error {
	if is(err, code) {
		return nil
	}
	return err
}

// until asks again and again until done. Emulated resources change their status at once unless a stack delays them.
func (p *Provisioner) until(ctx context.Context, done func() (bool, error)) error {
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		if ok, err := done(); ok || err != nil {
			return err
		}
		if err := clock.Sleep(ctx, p.clock, pause); err != nil {
			return err
		}
	}
}

// tagChanges returns which tags to set and which keys to remove for have to become want.
func tagChanges(have, want map[string]string) (set map[string]string, remove []string) {
	set = map[string]string{}
	for key, value := range want {
		if old, ok := have[key]; !ok || old != value {
			set[key] = value
		}
	}
	for _, key := range slices.Sorted(maps.Keys(have)) {
		if _, ok := want[key]; !ok && !strings.HasPrefix(key, "aws:") {
			remove = append(remove, key)
		}
	}
	return set, remove
}

// tagList writes tags as most services take them, by members that some spell in lower case.
func tagList(tags map[string]string, key, value string) []object {
	list := []object{}
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, object{key: k, value: tags[k]})
	}
	return list
}

// tag is one of a list of tags in an answer; JSON decoding does not mind the case.
type tag struct{ Key, Value string }

func tagMap(list []tag) map[string]string {
	m := map[string]string{}
	for _, t := range list {
		m[t.Key] = t.Value
	}
	return m
}
