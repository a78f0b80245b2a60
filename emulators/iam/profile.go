package iam

import (
	"context"
	"slices"
	"strings"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// profiles are the instance profiles.
var profiles = store.NewTable[profile]("profiles") // by account and lower-case name

// profile is an instance profile: the role that a virtual machine is given, one at most.
type profile struct {
	Account, Name, Path, ID string
	Created                 time.Time
	Role                    string `json:",omitempty"` // its name
	Tags                    []Tag  `json:",omitempty"` // by key
}

// kindProfile is what tags have to do with instance profiles.
const kindProfile kind = "instance profile"

// Messages in the service's words, where they are not guesses.
const (
	msgNoProfile     = "Instance Profile %s cannot be found."                          // a guess at the words
	msgProfileExists = "Instance Profile %s already exists."                           // a guess at the words
	msgProfileFull   = "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1" // https://github.com/hashicorp/terraform/issues/3851
	msgNotInProfile  = "The role with name %s is not in the instance profile %s."      // a guess
)

func findProfile(tx *store.Tx, account, name string) (*profile, error) {
	p, ok := profiles.Get(tx, account, strings.ToLower(name))
	if !ok || p.Name != name {
		return nil, errNoSuchEntityException(msgNoProfile, name)
	}
	return &p, nil
}

func (p *profile) put(tx *store.Tx) { profiles.Put(tx, *p, p.Account, strings.ToLower(p.Name)) }

func (p *profile) byName() string { return strings.ToLower(p.Name) }

// show is an instance profile as the API shows it, its role without what GetRole alone shows.
func (p *profile) show(tx *store.Tx) InstanceProfile {
	shown := InstanceProfile{
		Path: &p.Path, InstanceProfileName: &p.Name, InstanceProfileId: &p.ID, Arn: new(arn(p.Account, "instance-profile"+p.Path+p.Name)),
		CreateDate: &p.Created, Roles: []Role{}, Tags: p.Tags,
	}
	if r, err := find(tx, p.Account, kindRole, p.Role); err == nil {
		role := r.role()
		role.Tags, role.PermissionsBoundary, role.MaxSessionDuration = nil, nil, nil
		shown.Roles = append(shown.Roles, role)
	}
	return shown
}

// changeProfile lets f change an instance profile.
func (s *service) changeProfile(ctx context.Context, name string, f func(tx *store.Tx, p *profile) error) error {
	return s.Store.Update(func(tx *store.Tx) error {
		p, err := findProfile(tx, wire.From(ctx).Account, name)
		if err != nil {
			return err
		}
		if err := f(tx, p); err != nil {
			return err
		}
		p.put(tx)
		return nil
	})
}

// CreateInstanceProfile makes an instance profile without a role. EntityAlreadyExists if the name is taken.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateInstanceProfile.html
func (s *service) CreateInstanceProfile(ctx context.Context, in *CreateInstanceProfileInput) (*CreateInstanceProfileOutput, error) {
	tags, err := mergeTags(nil, in.Tags, kindProfile)
	if err != nil {
		return nil, err
	}
	p := profile{
		Account: wire.From(ctx).Account, Name: *in.InstanceProfileName, Path: pathOr(in.Path), ID: s.id("AIPA"), Created: s.now(), Tags: tags,
	}
	var shown InstanceProfile
	err = s.Store.Update(func(tx *store.Tx) error {
		if _, taken := profiles.Get(tx, p.Account, p.byName()); taken {
			return errEntityAlreadyExistsException(msgProfileExists, p.Name)
		}
		p.put(tx)
		shown = p.show(tx)
		return nil
	})
	return &CreateInstanceProfileOutput{InstanceProfile: &shown}, err
}

// GetInstanceProfile returns an instance profile with its role.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetInstanceProfile.html
func (s *service) GetInstanceProfile(ctx context.Context, in *GetInstanceProfileInput) (*GetInstanceProfileOutput, error) {
	var shown InstanceProfile
	err := s.Store.View(func(tx *store.Tx) error {
		p, err := findProfile(tx, wire.From(ctx).Account, *in.InstanceProfileName)
		if err == nil {
			shown = p.show(tx)
		}
		return err
	})
	return &GetInstanceProfileOutput{InstanceProfile: &shown}, err
}

// listProfiles returns a page of the account's instance profiles that are wanted, by name and without tags.
func (s *service) listProfiles(ctx context.Context, marker *string, max *int32, wanted func(p *profile) bool) ([]InstanceProfile, *bool, *string, error) {
	var shown []InstanceProfile
	var truncated *bool
	var next *string
	err := s.Store.View(func(tx *store.Tx) error {
		shown = []InstanceProfile{}
		var all []profile
		for p := range profiles.All(tx, wire.From(ctx).Account) {
			if wanted(&p) {
				all = append(all, p)
			}
		}
		part, t, n, err := page(all, (*profile).byName, marker, max)
		truncated, next = t, n
		for i := range part {
			p := part[i].show(tx)
			p.Tags = nil
			shown = append(shown, p)
		}
		return err
	})
	return shown, truncated, next, err
}

// ListInstanceProfiles lists instance profiles by name, those under PathPrefix. MaxItems is 1 to 1000, 100 if not given.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListInstanceProfiles.html
func (s *service) ListInstanceProfiles(ctx context.Context, in *ListInstanceProfilesInput) (*ListInstanceProfilesOutput, error) {
	all, truncated, next, err := s.listProfiles(ctx, in.Marker, in.MaxItems, func(p *profile) bool {
		return strings.HasPrefix(p.Path, pathOr(in.PathPrefix))
	})
	return &ListInstanceProfilesOutput{InstanceProfiles: all, IsTruncated: truncated, Marker: next}, err
}

// ListInstanceProfilesForRole lists the instance profiles that a role is in.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListInstanceProfilesForRole.html
func (s *service) ListInstanceProfilesForRole(ctx context.Context, in *ListInstanceProfilesForRoleInput) (*ListInstanceProfilesForRoleOutput, error) {
	if err := s.view(ctx, kindRole, *in.RoleName, func(*identity) {}); err != nil {
		return nil, err
	}
	all, truncated, next, err := s.listProfiles(ctx, in.Marker, in.MaxItems, func(p *profile) bool {
		return p.Role == *in.RoleName
	})
	return &ListInstanceProfilesForRoleOutput{InstanceProfiles: all, IsTruncated: truncated, Marker: next}, err
}

// AddRoleToInstanceProfile gives an instance profile its role. LimitExceeded if it has one.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddRoleToInstanceProfile.html
func (s *service) AddRoleToInstanceProfile(ctx context.Context, in *AddRoleToInstanceProfileInput) (*AddRoleToInstanceProfileOutput, error) {
	return &AddRoleToInstanceProfileOutput{}, s.changeProfile(ctx, *in.InstanceProfileName, func(tx *store.Tx, p *profile) error {
		r, err := find(tx, p.Account, kindRole, *in.RoleName)
		if err != nil {
			return err
		}
		if err := r.unprotected(); err != nil {
			return err
		}
		if p.Role != "" {
			return errLimitExceededException(msgProfileFull)
		}
		p.Role = r.Name
		return nil
	})
}

// RemoveRoleFromInstanceProfile takes the role out of an instance profile. NoSuchEntity if it is not in it.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_RemoveRoleFromInstanceProfile.html
func (s *service) RemoveRoleFromInstanceProfile(ctx context.Context, in *RemoveRoleFromInstanceProfileInput) (*RemoveRoleFromInstanceProfileOutput, error) {
	return &RemoveRoleFromInstanceProfileOutput{}, s.changeProfile(ctx, *in.InstanceProfileName, func(_ *store.Tx, p *profile) error {
		if p.Role != *in.RoleName {
			return errNoSuchEntityException(msgNotInProfile, *in.RoleName, p.Name)
		}
		p.Role = ""
		return nil
	})
}

// DeleteInstanceProfile deletes an instance profile. DeleteConflict as long as it has a role.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteInstanceProfile.html
func (s *service) DeleteInstanceProfile(ctx context.Context, in *DeleteInstanceProfileInput) (*DeleteInstanceProfileOutput, error) {
	return &DeleteInstanceProfileOutput{}, s.Store.Update(func(tx *store.Tx) error {
		p, err := findProfile(tx, wire.From(ctx).Account, *in.InstanceProfileName)
		if err != nil {
			return err
		}
		if p.Role != "" {
			return errDeleteConflictException(msgInProfile)
		}
		profiles.Delete(tx, p.Account, p.byName())
		return nil
	})
}

// inProfile says whether a role is in an instance profile.
func (i *identity) inProfile(tx *store.Tx) bool {
	return slices.ContainsFunc(slices.Collect(profiles.All(tx, i.Account)), func(p profile) bool { return p.Role == i.Name })
}

// TagInstanceProfile sets tags of an instance profile, at most 50. Unlike those of users and roles, keys do differ by case.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagInstanceProfile.html
func (s *service) TagInstanceProfile(ctx context.Context, in *TagInstanceProfileInput) (*TagInstanceProfileOutput, error) {
	return &TagInstanceProfileOutput{}, s.changeProfile(ctx, *in.InstanceProfileName, func(_ *store.Tx, p *profile) (err error) {
		p.Tags, err = mergeTags(p.Tags, in.Tags, kindProfile)
		return err
	})
}

// UntagInstanceProfile removes tags of an instance profile; those that it does not have are no error.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagInstanceProfile.html
func (s *service) UntagInstanceProfile(ctx context.Context, in *UntagInstanceProfileInput) (*UntagInstanceProfileOutput, error) {
	return &UntagInstanceProfileOutput{}, s.changeProfile(ctx, *in.InstanceProfileName, func(_ *store.Tx, p *profile) error {
		p.Tags = withoutTags(p.Tags, in.TagKeys, kindProfile)
		return nil
	})
}

// ListInstanceProfileTags lists the tags of an instance profile, by key.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListInstanceProfileTags.html
func (s *service) ListInstanceProfileTags(ctx context.Context, in *ListInstanceProfileTagsInput) (*ListInstanceProfileTagsOutput, error) {
	var all []Tag
	err := s.Store.View(func(tx *store.Tx) error {
		p, err := findProfile(tx, wire.From(ctx).Account, *in.InstanceProfileName)
		if err == nil {
			all = p.Tags
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	tags, truncated, next, err := page(all, byKey, in.Marker, in.MaxItems)
	return &ListInstanceProfileTagsOutput{Tags: tags, IsTruncated: truncated, Marker: next}, err
}
