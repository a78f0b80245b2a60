package lambda

import (
	"context"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// Messages in the service's words, recorded answers.
const (
	msgNoAlias       = "Cannot find alias arn: %s"
	msgAliasExists   = "Alias already exists: %s"
	msgSameVersion   = "Invalid function version %s. Function version %s is already included in routing configuration."
	msgManyWeights   = "Number of items in AdditionalVersionWeights cannot be greater than 1"
	msgLatestWeights = "$LATEST is not supported for an alias pointing to more than 1 version"
)

// CreateAlias gives a version a name. With RoutingConfig a part of the calls, from 0 to 1, goes to a second version.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateAlias.html
func (s *Service) CreateAlias(ctx context.Context, in *CreateAliasInput) (*CreateAliasOutput, error) {
	t, err := parse(ctx, *in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	a := alias{Name: *in.Name, Version: *in.FunctionVersion, Description: deref(in.Description), Revision: s.IDs.UUID(), Weights: weights(in.RoutingConfig)}
	err = s.Store.Update(func(tx *store.Tx) error {
		if err := s.checkAlias(tx, t, &a); err != nil {
			return err
		}
		if _, there := aliases.Get(tx, t.key(a.Name)...); there {
			return byUser(errResourceConflictException(msgAliasExists, t.at(a.Name).arn()))
		}
		s.touch(tx, t)
		aliases.Put(tx, a, t.key(a.Name)...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := CreateAliasOutput(a.describe(t))
	return &out, nil
}

// weights are the routing configuration's, nil if there are none.
func weights(c *AliasRoutingConfiguration) map[string]float64 {
	if c == nil || len(c.AdditionalVersionWeights) == 0 {
		return nil
	}
	return c.AdditionalVersionWeights
}

// checkAlias refuses versions that are not there, and routing that leads nowhere.
func (s *Service) checkAlias(tx *store.Tx, t target, a *alias) error {
	if a.Version == latest+".PUBLISHED" {
		return wire.NotImplemented("lambda: the version $LATEST.PUBLISHED is not emulated")
	}
	if len(a.Weights) > 1 {
		return byUser(errInvalidParameterValueException(msgManyWeights))
	}
	if len(a.Weights) > 0 && a.Version == latest {
		return errInvalidParameterValueException(msgLatestWeights) // recorded without whose fault it is
	}
	if s.stored(tx, t, a.Version) == nil {
		return byUser(errResourceNotFoundException(msgNotFound, t.at(a.Version).arn()))
	}
	for other := range a.Weights {
		if other == a.Version {
			return byUser(errInvalidParameterValueException(msgSameVersion, other, other))
		}
		if s.stored(tx, t, other) == nil {
			return byUser(errResourceNotFoundException(msgNotFound, t.at(other).arn()))
		}
	}
	return nil
}

// touch makes a record of a declared function, so that what is kept of it is found by its name.
func (s *Service) touch(tx *store.Tx, t target) {
	if f, there := s.record(tx, t); there {
		functions.Put(tx, f, t.key()...)
	}
}

// describe is an alias as the API shows it.
func (a *alias) describe(t target) AliasConfiguration {
	c := AliasConfiguration{AliasArn: new(t.at(a.Name).arn()), Name: &a.Name, FunctionVersion: &a.Version, Description: &a.Description, RevisionId: &a.Revision}
	if a.Weights != nil {
		c.RoutingConfig = &AliasRoutingConfiguration{AdditionalVersionWeights: a.Weights}
	}
	return c
}

// GetAlias returns an alias.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_GetAlias.html
func (s *Service) GetAlias(ctx context.Context, in *GetAliasInput) (*GetAliasOutput, error) {
	t, err := parse(ctx, *in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	var a alias
	err = s.Store.View(func(tx *store.Tx) (err error) {
		a, err = s.aliasOf(tx, t.at(*in.Name))
		return err
	})
	if err != nil {
		return nil, err
	}
	out := GetAliasOutput(a.describe(t))
	return &out, nil
}

// aliasOf returns the alias that a target names.
func (s *Service) aliasOf(tx *store.Tx, t target) (alias, error) {
	if _, there := s.record(tx, t); there {
		if a, ok := aliases.Get(tx, t.key(t.Qualifier)...); ok {
			return a, nil
		}
	}
	return alias{}, byUser(errResourceNotFoundException(msgNoAlias, t.arn()))
}

// ListAliases returns the aliases of a function by name, or those that lead to FunctionVersion, MaxItems at a time.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_ListAliases.html
func (s *Service) ListAliases(ctx context.Context, in *ListAliasesInput) (*ListAliasesOutput, error) {
	t, err := parse(ctx, *in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	out := &ListAliasesOutput{}
	err = s.Store.View(func(tx *store.Tx) error {
		*out = ListAliasesOutput{Aliases: []AliasConfiguration{}}
		if _, there := s.record(tx, t); !there {
			return byUser(errResourceNotFoundException(msgNotFound, t.function()))
		}
		page := aliases.All(tx, t.key()...)
		if in.Marker != nil {
			page = aliases.After(tx, []any{*in.Marker}, t.key()...)
		}
		for a := range page {
			if in.FunctionVersion != nil && a.Version != *in.FunctionVersion {
				continue
			}
			if len(out.Aliases) == pageSize(in.MaxItems) {
				out.NextMarker = out.Aliases[len(out.Aliases)-1].Name
				return nil
			}
			out.Aliases = append(out.Aliases, a.describe(t))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// UpdateAlias changes what is given of an alias. An empty RoutingConfig has all calls go to one version again.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateAlias.html
func (s *Service) UpdateAlias(ctx context.Context, in *UpdateAliasInput) (*UpdateAliasOutput, error) {
	t, err := parse(ctx, *in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	var a alias
	next := s.IDs.UUID()
	err = s.Store.Update(func(tx *store.Tx) (err error) {
		if a, err = s.aliasOf(tx, t.at(*in.Name)); err != nil {
			return err
		}
		if in.RevisionId != nil && *in.RevisionId != a.Revision {
			return byUser(errPreconditionFailedException(msgRevision))
		}
		assign(&a.Version, in.FunctionVersion)
		assign(&a.Description, in.Description)
		if in.RoutingConfig != nil {
			a.Weights = weights(in.RoutingConfig)
		}
		if err := s.checkAlias(tx, t, &a); err != nil {
			return err
		}
		a.Revision = next
		aliases.Put(tx, a, t.key(a.Name)...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := s.reprovision(ctx, t.at(a.Name), a.Version); err != nil {
		return nil, err
	}
	out := UpdateAliasOutput(a.describe(t))
	return &out, nil
}

// DeleteAlias removes an alias; one that is not there is nothing to do, which is a recorded answer.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteAlias.html
func (s *Service) DeleteAlias(ctx context.Context, in *DeleteAliasInput) (*DeleteAliasOutput, error) {
	t, err := parse(ctx, *in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	s.concurrency.setting.Lock()
	err = s.unprovision(t.at(*in.Name))
	s.concurrency.setting.Unlock()
	if err != nil {
		return nil, err
	}
	err = s.Store.Update(func(tx *store.Tx) error {
		if _, there := s.record(tx, t); !there {
			return byUser(errResourceNotFoundException(msgNotFound, t.function())) // a guess
		}
		if aliases.Delete(tx, t.key(*in.Name)...) {
			for _, f := range forgetting {
				f(tx, t.at(*in.Name))
			}
		}
		return nil
	})
	return &DeleteAliasOutput{}, err
}
