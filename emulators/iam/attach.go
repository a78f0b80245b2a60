package iam

import (
	"context"
	"slices"
	"strings"

	"devstack/emulators/store"
)

// maxAttached is how many managed policies an identity may have: the default quota, which AWS raises on request.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entities
const maxAttached = 10

// Messages in the service's words, where they are not guesses.
const (
	msgBadARN        = "Invalid ARN:  Could not be parsed!"                      // recorded answer
	msgInvalidARN    = "ARN %s is not valid."                                    // https://github.com/boto/boto/issues/2960
	msgNotAttachable = "Policy %s does not exist or is not attachable."          // recorded answer
	msgNoPolicy      = "Policy %s was not found."                                // a guess at the words
	msgTooMany       = "Cannot exceed quota for PoliciesPer%s: %d"               // https://github.com/ministryofjustice/cloud-platform-environments/pull/14118, where the quota is 15
	msgServicesOwn   = "Cannot attach a Service Role Policy to a Customer Role." // https://github.com/aws/aws-cdk/issues/6131
	msgNoBoundary    = "The permissions boundary of %s %s cannot be found."      // a guess
)

func (s *service) attach(ctx context.Context, k kind, name, policy string) error {
	return s.change(ctx, k, name, func(tx *store.Tx, i *identity) error {
		if err := i.unprotected(); err != nil {
			return err
		}
		if err := attachable(tx, i.Account, policy); err != nil {
			return err
		}
		if slices.Contains(i.Attached, policy) {
			return nil
		}
		if len(i.Attached) == maxAttached {
			return errLimitExceededException(msgTooMany, strings.ToUpper(string(k[:1]))+string(k[1:]), maxAttached)
		}
		i.Attached = append(i.Attached, policy)
		return nil
	})
}

// attachable says what is wrong with an ARN that is to be attached, nil if it is a managed policy's.
func attachable(tx *store.Tx, account, policy string) error {
	if err := checkARN(policy); err != nil {
		return err
	}
	if strings.HasPrefix(policy, arn("aws", "policy"+serviceRoles)) {
		return errPolicyNotAttachableException(msgServicesOwn)
	}
	if _, ok := findPolicy(tx, account, policy); !ok {
		return errNoSuchEntityException(msgNotAttachable, policy)
	}
	return nil
}

// checkARN checks that an ARN is one of a managed policy.
func checkARN(arn string) error {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || parts[5] == "" {
		return errValidation(msgBadARN)
	}
	if parts[2] != "iam" || !strings.HasPrefix(parts[5], "policy/") {
		return errInvalidInputException(msgInvalidARN, arn)
	}
	return nil
}

func (s *service) detach(ctx context.Context, k kind, name, policy string) error {
	if err := checkARN(policy); err != nil {
		return err
	}
	return s.change(ctx, k, name, func(_ *store.Tx, i *identity) error {
		if err := i.unprotected(); err != nil {
			return err
		}
		at := slices.Index(i.Attached, policy)
		if at < 0 {
			return errNoSuchEntityException(msgNoPolicy, policy)
		}
		i.Attached = slices.Delete(i.Attached, at, at+1)
		return nil
	})
}

// attached lists the managed policies of an identity by ARN, those whose own path begins with a prefix.
func (s *service) attached(ctx context.Context, k kind, name string, prefix, marker *string, max *int32) ([]AttachedPolicy, *bool, *string, error) {
	var all []AttachedPolicy
	err := s.view(ctx, k, name, func(i *identity) {
		for _, a := range slices.Sorted(slices.Values(i.Attached)) {
			if path, name := pathAndName(a); strings.HasPrefix(path, pathOr(prefix)) {
				all = append(all, AttachedPolicy{PolicyArn: &a, PolicyName: &name})
			}
		}
	})
	if err != nil {
		return nil, nil, nil, err
	}
	return page(all, func(p *AttachedPolicy) string { return *p.PolicyArn }, marker, max)
}

// pathAndName are those of a managed policy, by its ARN: "/service-role/" and "AWSLambdaRole".
func pathAndName(arn string) (path, name string) {
	_, resource, _ := strings.Cut(arn, ":policy/")
	cut := strings.LastIndexByte(resource, '/') + 1
	return "/" + resource[:cut], resource[cut:]
}

// bound sets an identity's permissions boundary, if one is given.
func (i *identity) bound(tx *store.Tx, policy *string) error {
	if policy == nil {
		return nil
	}
	if err := attachable(tx, i.Account, *policy); err != nil {
		return err
	}
	i.Boundary = *policy
	return nil
}

// boundary is an identity's permissions boundary as the API shows it.
func (i *identity) boundary() *AttachedPermissionsBoundary {
	if i.Boundary == "" {
		return nil
	}
	// "Policy" in the answer, though the model's enum has PermissionsBoundaryPolicy:
	// https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachedPermissionsBoundary.html ("can only have a value of Policy")
	return &AttachedPermissionsBoundary{PermissionsBoundaryType: new("Policy"), PermissionsBoundaryArn: &i.Boundary}
}

func (s *service) putBoundary(ctx context.Context, k kind, name string, policy *string) error {
	return s.change(ctx, k, name, func(tx *store.Tx, i *identity) error {
		if err := i.unprotected(); err != nil {
			return err
		}
		return i.bound(tx, policy)
	})
}

func (s *service) deleteBoundary(ctx context.Context, k kind, name string) error {
	return s.change(ctx, k, name, func(_ *store.Tx, i *identity) error {
		if err := i.unprotected(); err != nil {
			return err
		}
		if i.Boundary == "" {
			return errNoSuchEntityException(msgNoBoundary, k, name)
		}
		i.Boundary = ""
		return nil
	})
}
