package iam

import (
	"context"
	"slices"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// maxGroups is how many groups a user may be in.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entities
const maxGroups = 10

const msgTooManyGroups = "Cannot exceed quota for GroupsPerUser: %d" // a guess, like the other quotas

// CreateGroup makes a group of users. EntityAlreadyExists if the name is taken, in whatever case.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateGroup.html
func (s *service) CreateGroup(ctx context.Context, in *CreateGroupInput) (*CreateGroupOutput, error) {
	g := identity{
		Kind: kindGroup, Account: wire.From(ctx).Account, Name: *in.GroupName, Path: pathOr(in.Path), ID: s.id("AGPA"), Created: s.now(),
	}
	return &CreateGroupOutput{Group: g.group()}, s.Store.Update(g.add)
}

// group is a group as the API shows it.
func (i *identity) group() *Group {
	return &Group{Path: &i.Path, GroupName: &i.Name, GroupId: &i.ID, Arn: i.arn(), CreateDate: &i.Created}
}

func showGroups(all []identity) []Group {
	groups := []Group{}
	for i := range all {
		groups = append(groups, *all[i].group())
	}
	return groups
}

// members are the users of a group, by name.
func (i *identity) members(tx *store.Tx) []identity {
	return slices.DeleteFunc(slices.Collect(identities.All(tx, i.Account, string(kindUser))), func(u identity) bool {
		return !slices.Contains(u.Groups, i.Name)
	})
}

// GetGroup returns a group and its users, by name. MaxItems is 1 to 1000 users, 100 if not given.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetGroup.html
func (s *service) GetGroup(ctx context.Context, in *GetGroupInput) (*GetGroupOutput, error) {
	var g *identity
	var users []identity
	err := s.Store.View(func(tx *store.Tx) (err error) {
		if g, err = find(tx, wire.From(ctx).Account, kindGroup, *in.GroupName); err == nil {
			users = g.members(tx)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	part, truncated, next, err := page(users, (*identity).byName, in.Marker, in.MaxItems)
	return &GetGroupOutput{Group: g.group(), Users: briefUsers(part), IsTruncated: truncated, Marker: next}, err
}

// ListGroups lists groups by name, those under PathPrefix. MaxItems is 1 to 1000, 100 if not given.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroups.html
func (s *service) ListGroups(ctx context.Context, in *ListGroupsInput) (*ListGroupsOutput, error) {
	all, err := s.list(ctx, kindGroup, in.PathPrefix)
	if err != nil {
		return nil, err
	}
	part, truncated, next, err := page(all, (*identity).byName, in.Marker, in.MaxItems)
	return &ListGroupsOutput{Groups: showGroups(part), IsTruncated: truncated, Marker: next}, err
}

// UpdateGroup gives a group another name, another path, or both. Its users stay in it.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateGroup.html
func (s *service) UpdateGroup(ctx context.Context, in *UpdateGroupInput) (*UpdateGroupOutput, error) {
	return &UpdateGroupOutput{}, s.Store.Update(func(tx *store.Tx) error {
		g, err := find(tx, wire.From(ctx).Account, kindGroup, *in.GroupName)
		if err != nil {
			return err
		}
		users := g.members(tx)
		if err := g.rename(tx, in.NewGroupName, in.NewPath); err != nil {
			return err
		}
		for i := range users {
			users[i].leave(*in.GroupName)
			users[i].Groups = append(users[i].Groups, g.Name)
			users[i].put(tx)
		}
		return nil
	})
}

// DeleteGroup deletes a group. DeleteConflict as long as it has users or policies.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteGroup.html
func (s *service) DeleteGroup(ctx context.Context, in *DeleteGroupInput) (*DeleteGroupOutput, error) {
	return &DeleteGroupOutput{}, s.Store.Update(func(tx *store.Tx) error {
		g, err := find(tx, wire.From(ctx).Account, kindGroup, *in.GroupName)
		if err != nil {
			return err
		}
		if len(g.members(tx)) > 0 {
			return errDeleteConflictException(msgMustLeave)
		}
		return g.remove(tx)
	})
}

// AddUserToGroup puts a user into a group; once more is no error. LimitExceeded above ten groups.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddUserToGroup.html
func (s *service) AddUserToGroup(ctx context.Context, in *AddUserToGroupInput) (*AddUserToGroupOutput, error) {
	return &AddUserToGroupOutput{}, s.membership(ctx, *in.GroupName, *in.UserName, func(u *identity) error {
		if slices.Contains(u.Groups, *in.GroupName) {
			return nil
		}
		if len(u.Groups) >= maxGroups {
			return errLimitExceededException(msgTooManyGroups, maxGroups)
		}
		u.Groups = append(u.Groups, *in.GroupName)
		return nil
	})
}

// RemoveUserFromGroup takes a user out of a group; if it is not in it, that is no error (a guess).
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_RemoveUserFromGroup.html
func (s *service) RemoveUserFromGroup(ctx context.Context, in *RemoveUserFromGroupInput) (*RemoveUserFromGroupOutput, error) {
	return &RemoveUserFromGroupOutput{}, s.membership(ctx, *in.GroupName, *in.UserName, func(u *identity) error {
		u.leave(*in.GroupName)
		return nil
	})
}

func (i *identity) leave(group string) {
	i.Groups = slices.DeleteFunc(i.Groups, func(g string) bool { return g == group })
}

// membership lets f change a user, once it is known that there is such a group.
func (s *service) membership(ctx context.Context, group, user string, f func(u *identity) error) error {
	return s.change(ctx, kindUser, user, func(tx *store.Tx, u *identity) error {
		if _, err := find(tx, u.Account, kindGroup, group); err != nil {
			return err
		}
		return f(u)
	})
}
