package iam

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"devstack/emulators/store"
)

// maxTags is how many tags a resource may have.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entities
const maxTags = 50

// Messages in the service's words, where they are not guesses.
const (
	msgDuplicateTags = "Duplicate tag keys found. Please note that Tag keys are case insensitive." // https://github.com/serverless/serverless/issues/7885
	msgReservedTag   = "Tag keys with the prefix aws: are reserved for AWS use: %s"                // a guess
	msgTooManyTags   = "The number of tags has reached the maximum limit."                         // a guess
)

// sameKey says whether two tag keys are one. Those of users and roles do not differ by case alone, those of the others do. See
// https://github.com/aws/aws-cdk/issues/26253 too, for what a role does.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_rules_creating
func sameKey(k kind, a, b string) bool {
	return a == b || (k == kindUser || k == kindRole) && strings.EqualFold(a, b)
}

// mergeTags returns tags with others set, in the order of their keys.
func mergeTags(have, set []Tag, k kind) ([]Tag, error) {
	merged := slices.Clone(have)
	for n, t := range set {
		if slices.ContainsFunc(set[:n], func(o Tag) bool { return sameKey(k, *o.Key, *t.Key) }) {
			return nil, errInvalidInputException(msgDuplicateTags)
		}
		if len(*t.Key) >= 4 && strings.EqualFold((*t.Key)[:4], "aws:") {
			return nil, errInvalidInputException(msgReservedTag, *t.Key)
		}
		if at := slices.IndexFunc(merged, func(o Tag) bool { return sameKey(k, *o.Key, *t.Key) }); at >= 0 {
			merged[at] = t
			continue
		}
		merged = append(merged, t)
	}
	if len(merged) > maxTags {
		return nil, errLimitExceededException(msgTooManyTags)
	}
	slices.SortFunc(merged, func(a, b Tag) int { return cmp.Compare(*a.Key, *b.Key) })
	return merged, nil
}

// withoutTags returns tags without those of some keys.
func withoutTags(have []Tag, keys []string, k kind) []Tag {
	return slices.DeleteFunc(have, func(t Tag) bool {
		return slices.ContainsFunc(keys, func(key string) bool { return sameKey(k, key, *t.Key) })
	})
}

func (s *service) tag(ctx context.Context, k kind, name string, set []Tag) error {
	return s.change(ctx, k, name, func(_ *store.Tx, i *identity) (err error) {
		i.Tags, err = mergeTags(i.Tags, set, k)
		return err
	})
}

func (s *service) untag(ctx context.Context, k kind, name string, keys []string) error {
	return s.change(ctx, k, name, func(_ *store.Tx, i *identity) error {
		i.Tags = withoutTags(i.Tags, keys, k)
		return nil
	})
}

func (s *service) tags(ctx context.Context, k kind, name string, marker *string, max *int32) ([]Tag, *bool, *string, error) {
	var all []Tag
	if err := s.view(ctx, k, name, func(i *identity) { all = i.Tags }); err != nil {
		return nil, nil, nil, err
	}
	return page(all, byKey, marker, max)
}

// byKey is the place of a tag in a list.
func byKey(t *Tag) string { return *t.Key }
