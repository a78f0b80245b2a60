package iam

import (
	"context"
	"fmt"
	"slices"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// version is one of a policy's documents.
type version struct {
	ID       string
	Document string // as it was sent; empty if it is AWS's own and not known here
	Created  time.Time
}

// How large a managed policy may be, in characters without white space, and how many versions it may have.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	maxManaged  = 6144
	maxVersions = 5
)

// Messages in the service's words, where they are not guesses.
const (
	msgManagedSize     = "Cannot exceed quota for PolicySize: %d"                                                                             // https://github.com/ministryofjustice/analytical-platform/issues/6873
	msgTooManyVersions = "A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version." // https://github.com/99designs/iamy/issues/21
	msgDefaultVersion  = "Cannot delete the default version of a policy."                                                                     // https://github.com/redradrat/aws-iam-operator/issues/13
	msgNoVersion       = "Policy %s version %s does not exist or is not attachable."                                                          // a guess at the words
)

// checkManaged checks the document of a managed policy.
func checkManaged(document string) error {
	if err := checkDocument(document, managedPolicy); err != nil {
		return err
	}
	if size(document) > maxManaged {
		return errLimitExceededException(msgManagedSize, maxManaged)
	}
	return nil
}

// version is where a policy has a version, NoSuchEntity if it has none of that id.
func (p *policy) version(id string) (int, error) {
	at := slices.IndexFunc(p.Versions, func(v version) bool { return v.ID == id })
	if at < 0 {
		return 0, errNoSuchEntityException(msgNoVersion, p.arn(), id)
	}
	return at, nil
}

// show is a version of a policy as lists show it.
func (v *version) show(p *policy) PolicyVersion {
	return PolicyVersion{VersionId: &v.ID, IsDefaultVersion: new(v.ID == p.Default), CreateDate: &v.Created}
}

// CreatePolicyVersion adds a version to a policy, the fifth at most, and makes it the default if SetAsDefault says so. Numbers are
// never used again.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicyVersion.html
func (s *service) CreatePolicyVersion(ctx context.Context, in *CreatePolicyVersionInput) (*CreatePolicyVersionOutput, error) {
	if err := checkManaged(*in.PolicyDocument); err != nil {
		return nil, err
	}
	var shown PolicyVersion
	now := s.now()
	err := s.changePolicy(ctx, *in.PolicyArn, func(_ *store.Tx, p *policy) (bool, error) {
		if len(p.Versions) >= maxVersions {
			return true, errLimitExceededException(msgTooManyVersions, maxVersions)
		}
		p.Last++
		v := version{ID: fmt.Sprintf("v%d", p.Last), Document: *in.PolicyDocument, Created: now}
		p.Versions, p.Updated = append(p.Versions, v), now
		if in.SetAsDefault != nil && *in.SetAsDefault {
			p.Default = v.ID
		}
		shown = v.show(p)
		return true, nil
	})
	return &CreatePolicyVersionOutput{PolicyVersion: &shown}, err
}

// GetPolicyVersion returns a version of a policy with its document, percent-encoded. Of AWS's own policies only the default version
// is known, and of the longer ones not the document: that is refused as not implemented.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicyVersion.html
func (s *service) GetPolicyVersion(ctx context.Context, in *GetPolicyVersionInput) (*GetPolicyVersionOutput, error) {
	var shown PolicyVersion
	err := s.viewPolicy(ctx, *in.PolicyArn, func(_ *store.Tx, p *policy) error {
		if len(p.Versions) == 0 {
			return wire.NotImplemented("iam.GetPolicyVersion: the document of %s is not known here", *in.PolicyArn)
		}
		at, err := p.version(*in.VersionId)
		if err != nil {
			return err
		}
		shown = p.Versions[at].show(p)
		shown.Document = encoded(p.Versions[at].Document)
		return nil
	})
	return &GetPolicyVersionOutput{PolicyVersion: &shown}, err
}

// ListPolicyVersions lists the versions of a policy, the newest first and without the documents.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicyVersions.html
func (s *service) ListPolicyVersions(ctx context.Context, in *ListPolicyVersionsInput) (*ListPolicyVersionsOutput, error) {
	var all []PolicyVersion
	err := s.viewPolicy(ctx, *in.PolicyArn, func(_ *store.Tx, p *policy) error {
		all = nil
		for i := range p.Versions {
			all = append(all, p.Versions[i].show(p))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.Reverse(all)
	part, truncated, next, err := page(all, placeOfVersion, in.Marker, in.MaxItems)
	return &ListPolicyVersionsOutput{Versions: part, IsTruncated: truncated, Marker: next}, err
}

// placeOfVersion is the place of a version in a list, in which the newest comes first.
func placeOfVersion(v *PolicyVersion) string {
	var n int
	fmt.Sscanf(*v.VersionId, "v%d", &n)
	return fmt.Sprintf("%019d", 1<<62-n)
}

// SetDefaultPolicyVersion says which version of a policy counts.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_SetDefaultPolicyVersion.html
func (s *service) SetDefaultPolicyVersion(ctx context.Context, in *SetDefaultPolicyVersionInput) (*SetDefaultPolicyVersionOutput, error) {
	return &SetDefaultPolicyVersionOutput{}, s.changePolicy(ctx, *in.PolicyArn, func(_ *store.Tx, p *policy) (bool, error) {
		_, err := p.version(*in.VersionId)
		p.Default = *in.VersionId
		return true, err
	})
}

// DeletePolicyVersion deletes a version of a policy. DeleteConflict if it is the default.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicyVersion.html
func (s *service) DeletePolicyVersion(ctx context.Context, in *DeletePolicyVersionInput) (*DeletePolicyVersionOutput, error) {
	return &DeletePolicyVersionOutput{}, s.changePolicy(ctx, *in.PolicyArn, func(_ *store.Tx, p *policy) (bool, error) {
		at, err := p.version(*in.VersionId)
		if err != nil {
			return true, err
		}
		if *in.VersionId == p.Default {
			return true, errDeleteConflictException(msgDefaultVersion)
		}
		p.Versions = slices.Delete(p.Versions, at, at+1)
		return true, nil
	})
}
