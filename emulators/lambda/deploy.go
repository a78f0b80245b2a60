package lambda

import (
	"context"
	"path/filepath"
	"sync"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// Messages in the service's words. The first two are recorded answers.
const (
	msgUpdating  = "The operation cannot be performed at this time. An update is in progress for resource: %s"
	reasonCreate = "The function is being created." // of updates as well
)

// deployment is a version that the runtime has, or is getting. The process has it in memory alone: the next one deploys a version when
// somebody calls it.
type deployment struct {
	v      version
	before *deployment // under the same key: it has to end before this one begins, or what is older might come last
	once   sync.Once
	err    error
}

// run deploys the version, or waits until that is done.
func (d *deployment) run(ctx context.Context, s *Service, t target) error {
	d.once.Do(func() {
		if d.before != nil {
			d.before.cancel()
			d.before = nil
		}
		d.err = s.functions.Deploy(ctx, s.deployment(t, &d.v))
	})
	return d.err
}

// cancel waits for a deployment that is under way, and keeps one from beginning.
func (d *deployment) cancel() {
	d.once.Do(func() { d.err = errReplaced })
}

// errReplaced answers a call whose version was replaced before it was deployed.
var errReplaced = byUser(errResourceConflictException("The function was changed or deleted while it was being called.")) // ours

// runs is the key under which the runtime has a version of the target's function.
func (t target) runs(v *version) string {
	if v.Number == latest {
		return t.function()
	}
	return t.at(v.Number).arn()
}

// ensure deploys a version that is not yet deployed in this process. Several callers of one version wait for one deployment.
func (s *Service) ensure(ctx context.Context, t target, v *version) error {
	if v.declared != nil {
		return nil
	}
	key := t.runs(v)
	for {
		d := s.deploymentOf(key, v)
		err := d.run(context.WithoutCancel(ctx), s, t)
		if err == nil {
			return nil
		}
		s.undeploy(key, d) // the next caller tries again
		if err != errReplaced || !s.isDeployed(key) {
			return err
		}
	}
}

// deploymentOf returns the deployment under a key, a new one of v if there is none.
func (s *Service) deploymentOf(key string, v *version) *deployment {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.deployed[key]
	if d == nil {
		d = &deployment{v: *v}
		s.deployed[key] = d
	}
	return d
}

// isDeployed reports whether there is a deployment under a key.
func (s *Service) isDeployed(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.deployed[key] != nil
}

// deployment is a version as the runtime gets it.
func (s *Service) deployment(t target, v *version) Deployment {
	d := Deployment{
		Key: t.runs(v), Account: t.Account, Region: t.Region, Name: t.Name, Version: v.Number, Runtime: v.Runtime, Handler: v.Handler,
		Image: v.Code.Image, Environment: v.Environment, Timeout: int(v.Timeout), Memory: int(v.Memory), EphemeralStorage: int(v.Storage),
		LogFormat: *v.Log.LogFormat, LogGroup: *v.Log.LogGroup, ApplicationLogLevel: deref(v.Log.ApplicationLogLevel), SystemLogLevel: deref(v.Log.SystemLogLevel),
		Tracing: v.Tracing,
	}
	if v.Code.Archive != "" {
		d.Code = s.archives.source(v.Code)
	}
	if c := v.ImageConfig; c != nil {
		d.EntryPoint, d.Command, d.WorkingDirectory = c.EntryPoint, c.Command, deref(c.WorkingDirectory)
	}
	for _, dir := range v.Code.Layers {
		d.Layers = append(d.Layers, filepath.Join(s.archives.files(v.Code.Archive), filepath.FromSlash(dir)))
	}
	for _, l := range v.Layers {
		d.Layers = append(d.Layers, s.archives.files(l.Code.Archive))
	}
	return d
}

// undeploy forgets a deployment, unless another is in its place.
func (s *Service) undeploy(key string, d *deployment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.deployed[key] == d {
		delete(s.deployed, key)
	}
}

// withdraw ends what the runtime has of a version.
func (s *Service) withdraw(key string) {
	s.mu.Lock()
	d := s.deployed[key]
	delete(s.deployed, key)
	s.mu.Unlock()
	if d != nil {
		d.cancel()
		s.functions.Withdraw(key)
	}
}

// settle deploys $LATEST of a function that was created or changed, in the background, and then says in its state how it went. done is
// called once what ran before runs no more.
func (s *Service) settle(ctx context.Context, t target, v version, done func()) {
	t = t.at("")
	s.background(ctx, func(ctx context.Context) {
		s.mu.Lock()
		d := &deployment{v: v, before: s.deployed[t.function()]}
		s.deployed[t.function()] = d
		s.mu.Unlock()
		err := d.run(ctx, s, t)
		if err != nil {
			s.undeploy(t.function(), d)
		}
		if s.ctx.Err() != nil {
			return // the next process takes it up
		}
		if err := s.settled(t, v.Revision, err); err != nil {
			s.Log.Error("the state of a function cannot be kept", "function", t.function(), "error", err)
		}
		done()
		s.sweepLater() // of the code that ran until now
	})
}

// settled notes how a deployment went, if the version is still the one that was deployed.
func (s *Service) settled(t target, revision string, failure error) error {
	next := s.IDs.UUID()
	return s.Store.Update(func(tx *store.Tx) error {
		f, ok := functions.Get(tx, t.key()...)
		if !ok || f.Latest == nil || f.Latest.Revision != revision {
			return nil
		}
		v := f.Latest
		v.Revision = next
		v.State, v.StateReason, v.StateCode = StateActive, "", ""
		v.Update, v.UpdateReason, v.UpdateCode = LastUpdateStatusSuccessful, "", ""
		if failure != nil {
			code := StateReasonCodeInternalError
			v.Update, v.UpdateReason, v.UpdateCode = LastUpdateStatusFailed, failure.Error(), code
			v.State, v.StateReason, v.StateCode = StateFailed, failure.Error(), code
		}
		s.settleVersions(tx, t, v)
		functions.Put(tx, f, t.key()...)
		return nil
	})
}

// settleVersions carries the state of $LATEST over to versions that were published while it was pending.
func (s *Service) settleVersions(tx *store.Tx, t target, from *version) {
	var pending []version
	for v := range versions.All(tx, t.key()...) {
		if v.busy() {
			pending = append(pending, v)
		}
	}
	for _, v := range pending {
		v.State, v.StateReason, v.StateCode = from.State, from.StateReason, from.StateCode
		v.Update, v.UpdateReason, v.UpdateCode = from.Update, from.UpdateReason, from.UpdateCode
		versions.Put(tx, v, t.key(sortable(v.Number))...)
	}
}

// resumeFunctions goes on with the functions that an earlier process was creating or changing, and removes archives that it was about
// to use.
func (s *Service) resumeFunctions() error {
	var left []function
	if err := s.Store.View(func(tx *store.Tx) error {
		left = nil
		for f := range functions.All(tx) {
			if f.Latest != nil && f.Latest.busy() {
				left = append(left, f)
			}
		}
		return nil
	}); err != nil {
		return err
	}
	for _, f := range left {
		ctx := wire.WithRequest(s.ctx, &wire.Request{Account: f.Account, Region: f.Region})
		s.settle(ctx, target{Account: f.Account, Region: f.Region, Name: f.Name}, *f.Latest, func() {})
	}
	return s.sweep()
}

// sweep removes archives that nobody uses any more.
func (s *Service) sweep() error {
	return s.archives.sweep(func() (map[string]bool, error) {
		used := map[string]bool{}
		return used, s.Store.View(func(tx *store.Tx) error {
			clear(used)
			for f := range functions.All(tx) {
				if f.Latest != nil {
					f.Latest.uses(used)
				}
			}
			for v := range versions.All(tx) {
				v.uses(used)
			}
			for v := range layerVersions.All(tx) {
				used[v.Code.Archive] = true
			}
			return nil
		})
	})
}

// uses notes the archives that a version needs.
func (v *version) uses(used map[string]bool) {
	used[v.Code.Archive] = true
	for _, l := range v.Layers {
		used[l.Code.Archive] = true
	}
}

// sweepLater is sweep for an operation that is done: what it leaves behind goes with the next one, or at the next start.
func (s *Service) sweepLater() {
	if err := s.sweep(); err != nil {
		s.Log.Warn("code that is not used any more cannot be removed", "error", err)
	}
}

func deref(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}
