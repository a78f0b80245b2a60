package iam

import (
	"context"
	"slices"
	"strings"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// kind is what sort of identity it is, in the word that ARNs and messages have for it.
type kind string

const (
	kindRole  kind = "role"
	kindUser  kind = "user"
	kindGroup kind = "group"
)

// identity is what policies can be attached to: a role, a user or a group.
type identity struct {
	Kind     kind
	Account  string
	Name     string
	Path     string
	ID       string
	Created  time.Time
	Inline   map[string]string `json:",omitempty"` // documents as they were sent, by name
	Attached []string          `json:",omitempty"` // ARNs of managed policies
	Boundary string            `json:",omitempty"` // the ARN of a managed policy; not of groups
	Tags     []Tag             `json:",omitempty"` // by key; not of groups

	// Only of roles.
	Trust       string  `json:",omitempty"` // the assume role policy, as it was sent
	Description *string `json:",omitempty"`
	MaxSession  int32   `json:",omitempty"` // seconds

	// Only of users.
	Groups []string `json:",omitempty"` // names, in their order
}

// Messages in the service's words.
const (
	msgNoIdentity     = "The %s with name %s cannot be found."                                 // recorded answer, of a user
	msgExists         = "%s with name %s already exists."                                      // https://github.com/terraform-aws-modules/terraform-aws-ecs/issues/363
	msgMustDetach     = "Cannot delete entity, must detach all policies first."                // https://github.com/hashicorp/terraform-provider-aws/issues/883
	msgMustDelete     = "Cannot delete entity, must delete policies first."                    // https://github.com/burtcorp/athena-runner/pull/1
	msgMustLeave      = "Cannot delete entity, must remove users from group first."            // https://github.com/hashicorp/terraform/issues/29147
	msgMustDeleteKeys = "Cannot delete entity, must delete access keys first."                 // https://github.com/aws-controllers-k8s/community/issues/2229
	msgInProfile      = "Cannot delete entity, must remove roles from instance profile first." // https://github.com/99designs/iamy/pull/68
)

// key is where an identity is stored.
func key(account string, k kind, name string) []any {
	return []any{account, string(k), strings.ToLower(name)}
}

// find returns an identity by its name.
func find(tx *store.Tx, account string, k kind, name string) (*identity, error) {
	i, ok := identities.Get(tx, key(account, k, name)...)
	if !ok || i.Name != name { // that names are found by their exact case only is a guess
		return nil, errNoSuchEntityException(msgNoIdentity, k, name)
	}
	return &i, nil
}

func (i *identity) put(tx *store.Tx) { identities.Put(tx, *i, key(i.Account, i.Kind, i.Name)...) }

// add stores a new identity. EntityAlreadyExists if its name is taken, whatever its case.
func (i *identity) add(tx *store.Tx) error {
	if _, taken := identities.Get(tx, key(i.Account, i.Kind, i.Name)...); taken {
		word := strings.ToUpper(string(i.Kind[:1])) + string(i.Kind[1:])
		return errEntityAlreadyExistsException(msgExists, word, i.Name)
	}
	i.put(tx)
	return nil
}

// remove deletes an identity that nothing hangs on any more.
func (i *identity) remove(tx *store.Tx) error {
	if len(i.Attached) > 0 {
		return errDeleteConflictException(msgMustDetach)
	}
	if len(i.Inline) > 0 {
		return errDeleteConflictException(msgMustDelete)
	}
	identities.Delete(tx, key(i.Account, i.Kind, i.Name)...)
	return nil
}

func (i *identity) arn() *string { return new(arn(i.Account, string(i.Kind)+i.Path+i.Name)) }

// view shows one of the account's identities to f.
func (s *service) view(ctx context.Context, k kind, name string, f func(i *identity)) error {
	return s.Store.View(func(tx *store.Tx) error {
		i, err := find(tx, wire.From(ctx).Account, k, name)
		if err == nil {
			f(i)
		}
		return err
	})
}

// change lets f change one of the account's identities.
func (s *service) change(ctx context.Context, k kind, name string, f func(tx *store.Tx, i *identity) error) error {
	return s.Store.Update(func(tx *store.Tx) error {
		i, err := find(tx, wire.From(ctx).Account, k, name)
		if err != nil {
			return err
		}
		if err := f(tx, i); err != nil {
			return err
		}
		i.put(tx)
		return nil
	})
}

// list returns the account's identities under a path, in the order of their names.
func (s *service) list(ctx context.Context, k kind, prefix *string) (all []identity, err error) {
	err = s.Store.View(func(tx *store.Tx) error {
		all = slices.DeleteFunc(slices.Collect(identities.All(tx, wire.From(ctx).Account, string(k))), func(i identity) bool {
			return !strings.HasPrefix(i.Path, pathOr(prefix))
		})
		return nil
	})
	return all, err
}

// byName is the place of an identity in a list.
func (i *identity) byName() string { return strings.ToLower(i.Name) }
