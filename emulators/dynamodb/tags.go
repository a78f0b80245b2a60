package dynamodb

import (
	"context"
	"slices"
	"strings"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// maxTags is how many tags a table may have.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TaggingRestrictions.html
const maxTags = 50

// msgTagNotFound is AWS's, with its own spelling: https://github.com/turbot/steampipe-plugin-aws/issues/1516
const msgTagNotFound = "Requested resource not found: ResourcArn: %s not found"

// tagged returns a copy of the table that a ResourceArn names.
func (s *service) tagged(tx *store.Tx, r *wire.Request, arn string) (*table, error) {
	if !strings.HasPrefix(arn, "arn:") {
		return nil, errValidation("Invalid TableArn: Invalid ResourceArn provided as input %s", arn) // from memory of AWS's answer
	}
	t, _, err := s.lookup(tx, r, arn)
	if err != nil {
		return nil, err
	}
	if t == nil || t.arn() != arn {
		return nil, errResourceNotFoundException(msgTagNotFound, arn)
	}
	c := *t
	c.Tags = slices.Clone(t.Tags)
	return &c, nil
}

// TagResource sets tags of a table, replacing those of the same keys.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TagResource.html
func (s *service) TagResource(ctx context.Context, in *TagResourceInput) (*TagResourceOutput, error) {
	r := wire.From(ctx)
	return &TagResourceOutput{}, s.Store.Update(func(tx *store.Tx) error {
		t, err := s.tagged(tx, r, *in.ResourceArn)
		if err != nil {
			return err
		}
		for _, tag := range in.Tags {
			if i := slices.IndexFunc(t.Tags, func(old Tag) bool { return *old.Key == *tag.Key }); i >= 0 {
				t.Tags[i] = tag
			} else {
				t.Tags = append(t.Tags, tag)
			}
		}
		if len(t.Tags) > maxTags { // the words are a guess
			return badParameter("Too many tags. The maximum number of tags for a resource is %d", maxTags)
		}
		t.put(tx)
		return nil
	})
}

// UntagResource takes tags away from a table. A key that it does not have is no error.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UntagResource.html
func (s *service) UntagResource(ctx context.Context, in *UntagResourceInput) (*UntagResourceOutput, error) {
	r := wire.From(ctx)
	return &UntagResourceOutput{}, s.Store.Update(func(tx *store.Tx) error {
		t, err := s.tagged(tx, r, *in.ResourceArn)
		if err != nil {
			return err
		}
		t.Tags = slices.DeleteFunc(t.Tags, func(tag Tag) bool { return slices.Contains(in.TagKeys, *tag.Key) })
		t.put(tx)
		return nil
	})
}

// ListTagsOfResource lists the tags of a table. They always fit into one answer.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListTagsOfResource.html
func (s *service) ListTagsOfResource(ctx context.Context, in *ListTagsOfResourceInput) (out *ListTagsOfResourceOutput, err error) {
	r := wire.From(ctx)
	err = s.Store.View(func(tx *store.Tx) error {
		t, err := s.tagged(tx, r, *in.ResourceArn)
		if err == nil {
			out = &ListTagsOfResourceOutput{Tags: append([]Tag{}, t.Tags...)}
		}
		return err
	})
	return out, err
}
