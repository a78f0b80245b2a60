package iam

import (
	"context"
	_ "embed"
	"strings"
	"sync"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

//go:embed servicelinked.txt
var servicesText string

// services are the services whose service-linked roles are known, by their names as principals.
var services = sync.OnceValue(func() map[string]linked { return readServices(servicesText) })

// linked is what a service-linked role is made of.
type linked struct{ role, policy, description string }

func readServices(text string) map[string]linked {
	all := map[string]linked{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		f := append(strings.SplitN(line, " ", 4), "")
		all[f[0]] = linked{f[1], f[2], f[3]}
	}
	return all
}

// suffixed are the services that may have several such roles, told apart by CustomSuffix: a guess, from the services' own pages.
var suffixed = map[string]bool{"autoscaling.amazonaws.com": true, "connect.amazonaws.com": true, "lexv2.amazonaws.com": true}

// deletions are the tasks of DeleteServiceLinkedRole.
var deletions = store.NewTable[string]("deletions") // the task's id, by account and itself

// Messages in the service's words, where they are not guesses.
const (
	msgLinkedExists = "Service role name %s has been taken in this account, please try a different suffix." // recorded answer
	msgNoSuffix     = "Custom suffix is not allowed for %s"                                                 // a guess
	msgNotLinked    = "The role %s is not a service-linked role."                                           // a guess
	msgNoTask       = "The deletion task %s cannot be found."                                               // a guess
)

// CreateServiceLinkedRole makes the role that a service itself takes on, with the policy that it comes with. InvalidInput if it is
// there already. The roles of about seventy services are known; others are refused as not implemented, as nothing says how AWS
// names them.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateServiceLinkedRole.html
func (s *service) CreateServiceLinkedRole(ctx context.Context, in *CreateServiceLinkedRoleInput) (*CreateServiceLinkedRoleOutput, error) {
	l, ok := services()[*in.AWSServiceName]
	if !ok {
		return nil, wire.NotImplemented("iam.CreateServiceLinkedRole: the role of %s is not known here", *in.AWSServiceName)
	}
	r := identity{
		Kind: kindRole, Account: wire.From(ctx).Account, Name: l.role, Path: serviceRoles + *in.AWSServiceName + "/", ID: s.id("AROA"), Created: s.now(),
		Trust:      `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` + *in.AWSServiceName + `"},"Action":"sts:AssumeRole"}]}`,
		MaxSession: usualSession, Attached: []string{arn("aws", "policy"+serviceRoles+l.policy)}, Description: in.Description,
	}
	if in.Description == nil && l.description != "" {
		r.Description = &l.description
	}
	if in.CustomSuffix != nil {
		if !suffixed[*in.AWSServiceName] {
			return nil, errInvalidInputException(msgNoSuffix, *in.AWSServiceName)
		}
		r.Name += "_" + *in.CustomSuffix
	}
	err := s.Store.Update(func(tx *store.Tx) error {
		if _, taken := identities.Get(tx, key(r.Account, kindRole, r.Name)...); taken {
			return errInvalidInputException(msgLinkedExists, r.Name)
		}
		return r.add(tx)
	})
	shown := r.role()
	shown.MaxSessionDuration = nil
	return &CreateServiceLinkedRoleOutput{Role: &shown}, err
}

// DeleteServiceLinkedRole deletes a service's role. The task that it starts has succeeded by the time it answers, as nothing uses
// these roles here.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteServiceLinkedRole.html
func (s *service) DeleteServiceLinkedRole(ctx context.Context, in *DeleteServiceLinkedRoleInput) (*DeleteServiceLinkedRoleOutput, error) {
	var task string
	account, id := wire.From(ctx).Account, s.IDs.UUID()
	err := s.Store.Update(func(tx *store.Tx) error {
		r, err := find(tx, account, kindRole, *in.RoleName)
		if err != nil {
			return err
		}
		if r.unprotected() == nil {
			return errInvalidInputException(msgNotLinked, r.Name)
		}
		task = "task" + r.Path + r.Name + "/" + id // recorded answer
		identities.Delete(tx, key(account, kindRole, r.Name)...)
		deletions.Put(tx, task, account, task)
		return nil
	})
	return &DeleteServiceLinkedRoleOutput{DeletionTaskId: &task}, err
}

// GetServiceLinkedRoleDeletionStatus says that a deletion has succeeded. NoSuchEntity if there was none.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetServiceLinkedRoleDeletionStatus.html
func (s *service) GetServiceLinkedRoleDeletionStatus(ctx context.Context, in *GetServiceLinkedRoleDeletionStatusInput) (*GetServiceLinkedRoleDeletionStatusOutput, error) {
	err := s.Store.View(func(tx *store.Tx) error {
		if _, ok := deletions.Get(tx, wire.From(ctx).Account, *in.DeletionTaskId); !ok {
			return errNoSuchEntityException(msgNoTask, *in.DeletionTaskId)
		}
		return nil
	})
	return &GetServiceLinkedRoleDeletionStatusOutput{Status: new(DeletionTaskStatusTypeSucceeded)}, err
}
