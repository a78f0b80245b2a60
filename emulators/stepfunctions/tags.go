package stepfunctions

import (
	"context"
	"slices"

	"devstack/emulators/store"
)

// msgTooManyTags is a guess.
const msgTooManyTags = "The number of tags exceeds the limit of 50 for each resource"

// TagResource adds tags to a state machine, or gives those that it has new values.
//
// ResourceNotFound if there is no such machine, TooManyTags beyond 50.
//
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_TagResource.html
func (s *operations) TagResource(_ context.Context, in *TagResourceInput) (*TagResourceOutput, error) {
	return &TagResourceOutput{}, s.retag(*in.ResourceArn, func(tags []Tag) []Tag {
		for _, t := range in.Tags {
			tags = append(without(tags, *t.Key), t)
		}
		return tags
	})
}

// UntagResource takes tags away. A key that is not there is no error.
//
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_UntagResource.html
func (s *operations) UntagResource(_ context.Context, in *UntagResourceInput) (*UntagResourceOutput, error) {
	return &UntagResourceOutput{}, s.retag(*in.ResourceArn, func(tags []Tag) []Tag {
		for _, k := range in.TagKeys {
			tags = without(tags, k)
		}
		return tags
	})
}

// ListTagsForResource lists a state machine's tags.
//
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListTagsForResource.html
func (s *operations) ListTagsForResource(_ context.Context, in *ListTagsForResourceInput) (*ListTagsForResourceOutput, error) {
	if err := checkARN(*in.ResourceArn, "stateMachine"); err != nil {
		return nil, err
	}
	out := &ListTagsForResourceOutput{Tags: []Tag{}}
	return out, s.Store.View(func(tx *store.Tx) error {
		m, err := machineOf(tx, *in.ResourceArn)
		if err != nil {
			return notFound(*in.ResourceArn)
		}
		out.Tags = append(out.Tags, m.Tags...)
		return nil
	})
}

func (s *operations) retag(arn string, change func([]Tag) []Tag) error {
	if err := checkARN(arn, "stateMachine"); err != nil {
		return err
	}
	return s.Store.Update(func(tx *store.Tx) error {
		m, err := machineOf(tx, arn)
		if err != nil {
			return notFound(arn)
		}
		if m.Tags = change(m.Tags); len(m.Tags) > maxTags {
			return errTooManyTags(msgTooManyTags)
		}
		account, region := arnPlace(arn)
		machines.Put(tx, m, account, region, m.Name)
		return nil
	})
}

func notFound(arn string) error { return errResourceNotFound("Resource not found: '%s'", arn) }

func without(tags []Tag, key string) []Tag {
	return slices.DeleteFunc(slices.Clone(tags), func(t Tag) bool { return *t.Key == key })
}
