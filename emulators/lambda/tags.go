package lambda

import (
	"context"
	"maps"
	"strings"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// maxTags is how many tags a resource has at most.
//
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html
const maxTags = 50

// Messages in the service's words, recorded answers.
const (
	msgTooManyTags = "Number of tags exceeds resource tag limit."
	msgNoTags      = "An error occurred and the request cannot be processed."
	msgTagAlias    = "Tags on function aliases and versions are not supported. Please specify a function ARN."
	msgTagMapping  = "Event source mapping not found: %s"
	msgTagCapacity = "Capacity provider not found: %s"
)

// tagged is what has tags: how they are read, and how they are written.
type tagged struct {
	tags map[string]string
	put  func(tags map[string]string)
}

// taggedOf returns what an ARN names.
func (s *Service) taggedOf(ctx context.Context, tx *store.Tx, arn string) (*tagged, error) {
	parts := strings.SplitN(arn, ":", 8) // arn aws lambda region account kind name qualifier
	switch kind, name := parts[5], parts[6]; kind {
	case "function":
		return s.taggedFunction(ctx, tx, arn)
	case "event-source-mapping":
		m, ok := mappings.Get(tx, parts[4], parts[3], name)
		if !ok {
			return nil, byUser(errResourceNotFoundException(msgTagMapping, arn))
		}
		return &tagged{m.Tags, func(tags map[string]string) {
			m.Tags = tags
			mappings.Put(tx, m, m.Account, m.Region, m.UUID)
		}}, nil
	case "code-signing-config":
		c, key, err := signingOf(tx, arn)
		if err != nil {
			return nil, err
		}
		return &tagged{c.Tags, func(tags map[string]string) {
			c.Tags = tags
			signings.Put(tx, c, key...)
		}}, nil
	case "capacity-provider": // there are none
		return nil, byUser(errResourceNotFoundException(msgTagCapacity, arn))
	default:
		return nil, wire.NotImplemented("lambda: tags of a %s are not emulated", kind)
	}
}

func (s *Service) taggedFunction(ctx context.Context, tx *store.Tx, arn string) (*tagged, error) {
	t, err := parse(ctx, arn, nil)
	if err != nil {
		return nil, err
	}
	if t.Qualifier != "" {
		return nil, byUser(errInvalidParameterValueException(msgTagAlias))
	}
	f, there := s.record(tx, t)
	if !there {
		return nil, byUser(errResourceNotFoundException(msgNotFound, t.arn()))
	}
	next := s.IDs.UUID()
	return &tagged{f.Tags, func(tags map[string]string) {
		f.Tags = tags
		if f.Latest != nil {
			f.Latest.Revision = next // recorded: tags are of the function's revision
		}
		functions.Put(tx, f, t.key()...)
	}}, nil
}

// TagResource sets tags of a function or of an event source mapping.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_TagResource.html
func (s *Service) TagResource(ctx context.Context, in *TagResourceInput) (*TagResourceOutput, error) {
	return &TagResourceOutput{}, s.Store.Update(func(tx *store.Tx) error {
		r, err := s.taggedOf(ctx, tx, *in.Resource)
		if err != nil {
			return err
		}
		if len(in.Tags) == 0 {
			return byUser(errInvalidParameterValueException(msgNoTags))
		}
		tags := maps.Clone(in.Tags)
		for k, v := range r.tags {
			if _, given := tags[k]; !given {
				tags[k] = v
			}
		}
		if len(tags) > maxTags {
			return byUser(errInvalidParameterValueException(msgTooManyTags))
		}
		r.put(tags)
		return nil
	})
}

// UntagResource takes tags away; keys that are not there are nothing to do.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_UntagResource.html
func (s *Service) UntagResource(ctx context.Context, in *UntagResourceInput) (*UntagResourceOutput, error) {
	return &UntagResourceOutput{}, s.Store.Update(func(tx *store.Tx) error {
		r, err := s.taggedOf(ctx, tx, *in.Resource)
		if err != nil {
			return err
		}
		tags := maps.Clone(r.tags)
		for _, k := range in.TagKeys {
			delete(tags, k)
		}
		r.put(tags)
		return nil
	})
}

// ListTags returns a resource's tags.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_ListTags.html
func (s *Service) ListTags(ctx context.Context, in *ListTagsInput) (*ListTagsOutput, error) {
	out := &ListTagsOutput{Tags: map[string]string{}}
	err := s.Store.View(func(tx *store.Tx) error {
		r, err := s.taggedOf(ctx, tx, *in.Resource)
		if err != nil {
			return err
		}
		if r.tags != nil {
			out.Tags = r.tags
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
