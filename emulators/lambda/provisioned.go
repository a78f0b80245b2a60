package lambda

import (
	"context"
	"fmt"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// Provisioner is Functions that keep sandboxes of a version started, whether anybody calls them or not.
type Provisioner interface {
	// Provision keeps n sandboxes of a declared or deployed version, in place of as many as it was asked for before; 0 ends that. It does
	// not wait for them. Their AWS_LAMBDA_INITIALIZATION_TYPE is provisioned-concurrency.
	Provision(key string, n int) error

	// Provisioned returns how many of them are started and, if they cannot be, why not.
	Provisioned(key string) (started int, failure error)
}

// provisions are the configurations of provisioned concurrency, by account, region, function and qualifier.
var provisions = store.NewTable[provision]("provisions")

type provision struct {
	Account, Region, Function, Qualifier string
	Version                              string // that the sandboxes are of
	Requested                            int
	LastModified                         time.Time
}

// Messages in the service's words, recorded answers but for those with a source.
const (
	msgNoProvision        = "No Provisioned Concurrency Config found for this function"
	msgAliasOfProvisioned = "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
	msgVersionOfAlias     = "Version is pointed by a Provisioned Concurrency alias"
	msgOverReserved       = "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function"
	// https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html has the rule; the words are a guess
	msgUnpublished = "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
	// https://github.com/anomalyco/sst/issues/5829
	msgProvisionTooMuch = "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [%d]."
)

// provisionTime is how an answer writes an instant: 2019-12-02T00:12:53+0000.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_PutProvisionedConcurrencyConfig.html
const provisionTime = "2006-01-02T15:04:05-0700"

func (p *provision) target() target { return target{p.Account, p.Region, p.Function, p.Qualifier} }
func (p *provision) key() []any     { return p.target().key(p.Qualifier) }

// provisioned returns what a request about provisioned concurrency means: a version or an alias that exists.
func (s *Service) provisioned(ctx context.Context, ref string, qualifier *string) (*callee, error) {
	t, err := parse(ctx, ref, qualifier)
	if err != nil {
		return nil, err
	}
	if t.Qualifier == latest {
		return nil, byUser(errInvalidParameterValueException(msgUnpublished))
	}
	c, err := s.callee(t)
	if err != nil && s.exists(t.at("")) == nil && !numbered().MatchString(t.Qualifier) {
		return nil, byUser(errResourceNotFoundException(msgNoAlias, t.arn()))
	}
	return c, err
}

// PutProvisionedConcurrencyConfig keeps sandboxes of a version, or of the version that an alias points at, started. The answer is
// IN_PROGRESS; GetProvisionedConcurrencyConfig tells when they are READY.
//
// Calls beyond them are run as others are. What is provisioned counts against what is reserved for the function, else against what the
// functions of the account share.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_PutProvisionedConcurrencyConfig.html
func (s *Service) PutProvisionedConcurrencyConfig(ctx context.Context, in *PutProvisionedConcurrencyConfigInput) (*PutProvisionedConcurrencyConfigOutput, error) {
	if _, ok := s.functions.(Provisioner); !ok {
		return nil, wire.NotImplemented("lambda.PutProvisionedConcurrencyConfig: whoever runs the functions keeps no sandboxes started")
	}
	c, err := s.provisioned(ctx, *in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	n := int(*in.ProvisionedConcurrentExecutions)
	s.concurrency.setting.Lock()
	defer s.concurrency.setting.Unlock()
	if err := s.checkProvision(c, n); err != nil {
		return nil, err
	}
	p := provision{
		Account: c.Account, Region: c.Region, Function: c.Name, Qualifier: c.Qualifier, Version: c.Version, Requested: n,
		LastModified: s.Clock.Now(),
	}
	if err := s.Store.Update(func(tx *store.Tx) error { provisions.Put(tx, p, p.key()...); return nil }); err != nil {
		return nil, err
	}
	if err := s.concurrency.change(s, c.target, func(pool *pool) { put(pool.provisioned, c.Name, c.Qualifier, n) }); err != nil {
		return nil, err
	}
	s.background(ctx, func(ctx context.Context) { s.provision(ctx, p) })
	return &PutProvisionedConcurrencyConfigOutput{
		RequestedProvisionedConcurrentExecutions: in.ProvisionedConcurrentExecutions, Status: new(ProvisionedConcurrencyStatusEnumInProgress),
		AllocatedProvisionedConcurrentExecutions: new(int32(0)), AvailableProvisionedConcurrentExecutions: new(int32(0)),
		LastModified: new(p.LastModified.UTC().Format(provisionTime)),
	}, nil
}

// checkProvision refuses what would be provisioned twice, or leaves others too little.
func (s *Service) checkProvision(c *callee, n int) error {
	var others []provision
	if err := s.Store.View(func(tx *store.Tx) error {
		others = nil
		for p := range provisions.All(tx, c.key()...) {
			if p.Qualifier != c.Qualifier {
				others = append(others, p)
			}
		}
		return nil
	}); err != nil {
		return err
	}
	for _, p := range others {
		switch {
		case p.Version != c.Version:
		case numbered().MatchString(c.Qualifier):
			return byUser(errResourceConflictException(msgVersionOfAlias))
		default:
			return byUser(errResourceConflictException(msgAliasOfProvisioned))
		}
	}
	var err error
	look := s.concurrency.look(s, c.target, func(p *pool) {
		mine := sum(p.provisioned[c.Name]) - p.provisioned[c.Name][c.Qualifier] + n
		if reserved, ok := p.reserved[c.Name]; ok {
			if mine > reserved {
				err = byUser(errInvalidParameterValueException(msgOverReserved))
			}
		} else if p.unreserved(true)+sum(p.provisioned[c.Name])-mine < leastUnreserved {
			err = byUser(errInvalidParameterValueException(msgProvisionTooMuch, leastUnreserved))
		}
	})
	if look != nil {
		return look
	}
	return err
}

// provision has the sandboxes of a configuration started: of a version that must be deployed first.
func (s *Service) provision(ctx context.Context, p provision) {
	t := p.target().at(p.Version)
	v, err := s.lookup(t)
	if err == nil {
		err = s.ensure(ctx, t, v)
	}
	if err == nil {
		err = s.functions.(Provisioner).Provision(t.runs(v), p.Requested)
	}
	if err != nil && ctx.Err() == nil {
		s.Log.Error("provisioned concurrency cannot be started", "function", t.arn(), "error", err)
	}
}

// resumeProvisions has what was provisioned before started again.
func (s *Service) resumeProvisions() error {
	if _, ok := s.functions.(Provisioner); !ok {
		return nil
	}
	var all []provision
	if err := s.Store.View(func(tx *store.Tx) error {
		all = nil
		for p := range provisions.All(tx) {
			all = append(all, p)
		}
		return nil
	}); err != nil {
		return err
	}
	for _, p := range all {
		ctx := wire.WithRequest(s.ctx, &wire.Request{Account: p.Account, Region: p.Region})
		s.background(ctx, func(ctx context.Context) { s.provision(ctx, p) })
	}
	return nil
}

// GetProvisionedConcurrencyConfig returns how many sandboxes of a version or alias are kept started, and whether they are.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_GetProvisionedConcurrencyConfig.html
func (s *Service) GetProvisionedConcurrencyConfig(ctx context.Context, in *GetProvisionedConcurrencyConfigInput) (*GetProvisionedConcurrencyConfigOutput, error) {
	c, err := s.provisioned(ctx, *in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	var p provision
	var ok bool
	if err := s.Store.View(func(tx *store.Tx) error { p, ok = provisions.Get(tx, c.key(c.Qualifier)...); return nil }); err != nil {
		return nil, err
	}
	if !ok {
		return nil, byUser(errProvisionedConcurrencyConfigNotFoundException(msgNoProvision))
	}
	item := s.describeProvision(&p)
	return &GetProvisionedConcurrencyConfigOutput{
		RequestedProvisionedConcurrentExecutions: item.RequestedProvisionedConcurrentExecutions, Status: item.Status,
		AllocatedProvisionedConcurrentExecutions: item.AllocatedProvisionedConcurrentExecutions, StatusReason: item.StatusReason,
		AvailableProvisionedConcurrentExecutions: item.AvailableProvisionedConcurrentExecutions, LastModified: item.LastModified,
	}, nil
}

// describeProvision is a configuration as the API shows it. What is available is what no call uses just now.
func (s *Service) describeProvision(p *provision) *ProvisionedConcurrencyConfigListItem {
	item := &ProvisionedConcurrencyConfigListItem{
		FunctionArn: new(p.target().arn()), RequestedProvisionedConcurrentExecutions: new(int32(p.Requested)),
		Status: new(ProvisionedConcurrencyStatusEnumInProgress), LastModified: new(p.LastModified.UTC().Format(provisionTime)),
	}
	started, failure := s.functions.(Provisioner).Provisioned(p.target().at(p.Version).arn())
	busy := 0
	_ = s.concurrency.look(s, p.target(), func(pool *pool) { busy = pool.warm[p.Function][p.Qualifier] }) // the store was read just now
	started = min(started, p.Requested)
	item.AllocatedProvisionedConcurrentExecutions = new(int32(started))
	item.AvailableProvisionedConcurrentExecutions = new(int32(max(0, started-busy)))
	switch {
	case failure != nil:
		item.Status, item.StatusReason = new(ProvisionedConcurrencyStatusEnumFailed), new(failure.Error())
	case started == p.Requested:
		item.Status = new(ProvisionedConcurrencyStatusEnumReady)
	}
	return item
}

// ListProvisionedConcurrencyConfigs returns a function's configurations, MaxItems (1 to 50) at a time.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_ListProvisionedConcurrencyConfigs.html
func (s *Service) ListProvisionedConcurrencyConfigs(ctx context.Context, in *ListProvisionedConcurrencyConfigsInput) (*ListProvisionedConcurrencyConfigsOutput, error) {
	t, err := s.functionOnly(ctx, *in.FunctionName, false)
	if err != nil {
		return nil, err
	}
	var page []provision
	if err := s.Store.View(func(tx *store.Tx) error {
		page = nil
		all := provisions.All(tx, t.key()...)
		if in.Marker != nil {
			all = provisions.After(tx, []any{*in.Marker}, t.key()...)
		}
		for p := range all {
			page = append(page, p)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	out := &ListProvisionedConcurrencyConfigsOutput{ProvisionedConcurrencyConfigs: []ProvisionedConcurrencyConfigListItem{}}
	const mostAtOnce = 50
	for i := range page {
		if len(out.ProvisionedConcurrencyConfigs) == atMost(in.MaxItems, mostAtOnce) {
			out.NextMarker = &page[i-1].Qualifier
			break
		}
		out.ProvisionedConcurrencyConfigs = append(out.ProvisionedConcurrencyConfigs, *s.describeProvision(&page[i]))
	}
	return out, nil
}

// atMost is how many things a list answers at once.
func atMost(wanted *int32, most int) int {
	if wanted == nil {
		return most
	}
	return min(int(*wanted), most)
}

// DeleteProvisionedConcurrencyConfig ends that sandboxes are kept started.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteProvisionedConcurrencyConfig.html
func (s *Service) DeleteProvisionedConcurrencyConfig(ctx context.Context, in *DeleteProvisionedConcurrencyConfigInput) (*DeleteProvisionedConcurrencyConfigOutput, error) {
	c, err := s.provisioned(ctx, *in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	s.concurrency.setting.Lock()
	defer s.concurrency.setting.Unlock()
	return nil, s.unprovision(c.target)
}

// unprovision takes a configuration away, if there is one. The caller holds concurrency.setting.
func (s *Service) unprovision(t target) error {
	var p provision
	var ok bool
	if err := s.Store.Update(func(tx *store.Tx) error {
		if p, ok = provisions.Get(tx, t.key(t.Qualifier)...); ok {
			provisions.Delete(tx, t.key(t.Qualifier)...)
		}
		return nil
	}); err != nil || !ok {
		return err
	}
	if err := s.concurrency.change(s, t, func(pool *pool) { put(pool.provisioned, t.Name, t.Qualifier, 0) }); err != nil {
		return err
	}
	if err := s.functions.(Provisioner).Provision(t.at(p.Version).arn(), 0); err != nil {
		return fmt.Errorf("end provisioned concurrency of %s: %w", t.arn(), err)
	}
	return nil
}

// reprovision moves the sandboxes of an alias that was pointed at another version.
func (s *Service) reprovision(ctx context.Context, t target, version string) error {
	s.concurrency.setting.Lock()
	defer s.concurrency.setting.Unlock()
	var before, p provision
	var ok bool
	if err := s.Store.Update(func(tx *store.Tx) error {
		if before, ok = provisions.Get(tx, t.key(t.Qualifier)...); !ok || before.Version == version {
			ok = false
			return nil
		}
		p = before
		p.Version, p.LastModified = version, s.Clock.Now()
		provisions.Put(tx, p, p.key()...)
		return nil
	}); err != nil || !ok {
		return err
	}
	if err := s.functions.(Provisioner).Provision(t.at(before.Version).arn(), 0); err != nil {
		s.Log.Warn("provisioned concurrency of a version goes on without an alias", "function", t.at(before.Version).arn(), "error", err)
	}
	s.background(ctx, func(ctx context.Context) { s.provision(ctx, p) })
	return nil
}
