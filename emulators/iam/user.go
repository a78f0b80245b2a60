package iam

import (
	"context"
	"slices"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// CreateUser makes a user. EntityAlreadyExists if the name is taken, in whatever case.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html
func (s *service) CreateUser(ctx context.Context, in *CreateUserInput) (*CreateUserOutput, error) {
	tags, err := mergeTags(nil, in.Tags, kindUser)
	if err != nil {
		return nil, err
	}
	u := identity{
		Kind: kindUser, Account: wire.From(ctx).Account, Name: *in.UserName, Path: pathOr(in.Path), ID: s.id("AIDA"), Created: s.now(), Tags: tags,
	}
	err = s.Store.Update(func(tx *store.Tx) error {
		if err := u.bound(tx, in.PermissionsBoundary); err != nil {
			return err
		}
		return u.add(tx)
	})
	shown := u.user()
	return &CreateUserOutput{User: &shown}, err
}

// user is a user as the API shows it.
func (i *identity) user() User {
	return User{
		Path: &i.Path, UserName: &i.Name, UserId: &i.ID, Arn: i.arn(), CreateDate: &i.Created, PermissionsBoundary: i.boundary(), Tags: i.Tags,
	}
}

// GetUser returns a user; without UserName the caller: the user of the access key that signed, or the account's root.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUser.html
func (s *service) GetUser(ctx context.Context, in *GetUserInput) (*GetUserOutput, error) {
	name, err := s.named(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	if name == "" {
		u := root(wire.From(ctx).Account)
		return &GetUserOutput{User: &u}, nil
	}
	var u User
	err = s.view(ctx, kindUser, name, func(i *identity) { u = i.user() })
	return &GetUserOutput{User: &u}, err
}

// root is the account itself, as GetUser shows it: without a name and a path. When it was created nobody knows, so there is no
// date.
func root(account string) User { return User{UserId: &account, Arn: new(arn(account, "root"))} }

// ListUsers lists users by name, those under PathPrefix. MaxItems is 1 to 1000, 100 if not given. Tags and boundaries are left
// out, as the API reference says.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html
func (s *service) ListUsers(ctx context.Context, in *ListUsersInput) (*ListUsersOutput, error) {
	all, err := s.list(ctx, kindUser, in.PathPrefix)
	if err != nil {
		return nil, err
	}
	part, truncated, next, err := page(all, (*identity).byName, in.Marker, in.MaxItems)
	return &ListUsersOutput{Users: briefUsers(part), IsTruncated: truncated, Marker: next}, err
}

// briefUsers are users as lists show them.
func briefUsers(all []identity) []User {
	users := []User{}
	for i := range all {
		u := all[i].user()
		u.Tags, u.PermissionsBoundary = nil, nil
		users = append(users, u)
	}
	return users
}

// UpdateUser gives a user another name, another path, or both. The keys, policies and groups go with it.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateUser.html
func (s *service) UpdateUser(ctx context.Context, in *UpdateUserInput) (*UpdateUserOutput, error) {
	return &UpdateUserOutput{}, s.Store.Update(func(tx *store.Tx) error {
		u, err := find(tx, wire.From(ctx).Account, kindUser, *in.UserName)
		if err != nil {
			return err
		}
		owned := keysOf(tx, u)
		if err := u.rename(tx, in.NewUserName, in.NewPath); err != nil {
			return err
		}
		for _, k := range owned {
			k.User = u.Name
			keys.Put(tx, k, k.ID)
		}
		return nil
	})
}

// rename gives an identity another name and path, and stores it.
func (i *identity) rename(tx *store.Tx, name, path *string) error {
	identities.Delete(tx, key(i.Account, i.Kind, i.Name)...)
	if name != nil {
		i.Name = *name
	}
	if path != nil {
		i.Path = *path
	}
	return i.add(tx)
}

// DeleteUser deletes a user. DeleteConflict as long as it has policies or access keys or is in a group.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html
func (s *service) DeleteUser(ctx context.Context, in *DeleteUserInput) (*DeleteUserOutput, error) {
	return &DeleteUserOutput{}, s.Store.Update(func(tx *store.Tx) error {
		u, err := find(tx, wire.From(ctx).Account, kindUser, *in.UserName)
		if err != nil {
			return err
		}
		if len(keysOf(tx, u)) > 0 {
			return errDeleteConflictException(msgMustDeleteKeys)
		}
		if len(u.Groups) > 0 {
			return errDeleteConflictException(msgMustLeave)
		}
		return u.remove(tx)
	})
}

// TagUser sets tags of a user: at most 50, and keys that differ by case alone are the same key.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagUser.html
func (s *service) TagUser(ctx context.Context, in *TagUserInput) (*TagUserOutput, error) {
	return &TagUserOutput{}, s.tag(ctx, kindUser, *in.UserName, in.Tags)
}

// UntagUser removes tags of a user; those that it does not have are no error.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagUser.html
func (s *service) UntagUser(ctx context.Context, in *UntagUserInput) (*UntagUserOutput, error) {
	return &UntagUserOutput{}, s.untag(ctx, kindUser, *in.UserName, in.TagKeys)
}

// ListUserTags lists the tags of a user, by key.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUserTags.html
func (s *service) ListUserTags(ctx context.Context, in *ListUserTagsInput) (*ListUserTagsOutput, error) {
	tags, truncated, next, err := s.tags(ctx, kindUser, *in.UserName, in.Marker, in.MaxItems)
	return &ListUserTagsOutput{Tags: tags, IsTruncated: truncated, Marker: next}, err
}

// ListGroupsForUser lists the groups that a user is in.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroupsForUser.html
func (s *service) ListGroupsForUser(ctx context.Context, in *ListGroupsForUserInput) (*ListGroupsForUserOutput, error) {
	account, all := wire.From(ctx).Account, []identity{}
	err := s.Store.View(func(tx *store.Tx) error {
		u, err := find(tx, account, kindUser, *in.UserName)
		if err != nil {
			return err
		}
		all = slices.DeleteFunc(slices.Collect(identities.All(tx, account, string(kindGroup))), func(g identity) bool {
			return !slices.Contains(u.Groups, g.Name)
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	part, truncated, next, err := page(all, (*identity).byName, in.Marker, in.MaxItems)
	return &ListGroupsForUserOutput{Groups: showGroups(part), IsTruncated: truncated, Marker: next}, err
}
