package iam

import (
	"context"
	"maps"
	"slices"

	"devstack/emulators/store"
)

// Messages in the service's words, where they are not guesses.
const (
	msgNoInline     = "The %s policy with name %s cannot be found."        // a guess at the words
	msgInlineTooBig = "Maximum policy size of %d bytes exceeded for %s %s" // https://github.com/aws-amplify/amplify-backend/issues/2615
)

// maxInline is how large all inline policies of an identity may be together, in characters without white space.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length
var maxInline = map[kind]int{kindUser: 2048, kindRole: 10240, kindGroup: 5120}

func (s *service) putInline(ctx context.Context, k kind, name, policy, document string) error {
	if err := checkDocument(document, identityPolicy); err != nil {
		return err
	}
	return s.change(ctx, k, name, func(_ *store.Tx, i *identity) error {
		if err := i.unprotected(); err != nil {
			return err
		}
		if i.Inline == nil {
			i.Inline = map[string]string{}
		}
		i.Inline[policy] = document
		total := 0
		for _, d := range i.Inline {
			total += size(d)
		}
		if total > maxInline[k] {
			return errLimitExceededException(msgInlineTooBig, maxInline[k], k, name)
		}
		return nil
	})
}

func (s *service) inline(ctx context.Context, k kind, name, policy string) (*string, error) {
	var document string
	var ok bool
	if err := s.view(ctx, k, name, func(i *identity) { document, ok = i.Inline[policy] }); err != nil {
		return nil, err
	}
	if !ok {
		return nil, errNoSuchEntityException(msgNoInline, k, policy)
	}
	return encoded(document), nil
}

func (s *service) inlineNames(ctx context.Context, k kind, name string, marker *string, max *int32) ([]string, *bool, *string, error) {
	var names []string
	if err := s.view(ctx, k, name, func(i *identity) { names = slices.Sorted(maps.Keys(i.Inline)) }); err != nil {
		return nil, nil, nil, err
	}
	return page(names, func(s *string) string { return *s }, marker, max)
}

func (s *service) deleteInline(ctx context.Context, k kind, name, policy string) error {
	return s.change(ctx, k, name, func(_ *store.Tx, i *identity) error {
		if err := i.unprotected(); err != nil {
			return err
		}
		if _, ok := i.Inline[policy]; !ok {
			return errNoSuchEntityException(msgNoInline, k, policy)
		}
		delete(i.Inline, policy)
		return nil
	})
}
