package dynamodb

import (
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// The limits of the tags of a table: how many, and how many bytes of keys and values.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TaggingRestrictions.html
const (
	maxTags     = 50
	maxTagBytes = 10240
)

// The words of this file are AWS's, observed in October 2026 (ack-api-quirks, DDB-BACKUP-013, DDB-TABLE-105 to 109). Before, it wrote ResourcArn
// (https://github.com/turbot/steampipe-plugin-aws/issues/1516).
const (
	msgTagNotFound = "Requested resource not found: ResourceArn: %s not found"
	msgTooManyTags = "Number of Tags exceed the current limit for the provided ResourceArn"
)

// checkTags checks the tags of a request.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TaggingRestrictions.html
func checkTags(tags []Tag) error {
	seen := map[string]bool{}
	for _, tag := range tags {
		if tag.Key == nil {
			return errValidation("The Tag Key provided is invalid, Key: null")
		}
		if err := checkTagKey(*tag.Key); err != nil {
			return err
		}
		switch {
		case tag.Value == nil:
			return errValidation("The Tag Value provided is invalid, Value: null")
		case !tagText(*tag.Value, 256):
			return errValidation("The Tag Value provided is invalid, Value: %s", *tag.Value)
		case seen[*tag.Key]:
			return errValidation("Duplicate Tag Keys provided as input: Duplicate Tag Key found %s", *tag.Key)
		}
		seen[*tag.Key] = true
	}
	return checkTagSet(tags)
}

// checkTagSet checks the tags that a table would have.
func checkTagSet(tags []Tag) error {
	size := 0
	for _, tag := range tags {
		size += len(*tag.Key) + len(*tag.Value)
	}
	switch {
	case len(tags) > maxTags:
		return errValidation(msgTooManyTags)
	case size > maxTagBytes:
		return errValidation("Tag set size %d bytes is above max size limit of %d bytes", size, maxTagBytes)
	}
	return nil
}

// checkTagKey checks the form of a key.
func checkTagKey(key string) error {
	switch {
	case key == "" || !tagText(key, 128):
		return errValidation("The Tag Key provided is invalid, Key: %s", key)
	case strings.HasPrefix(strings.ToLower(key), "aws:"):
		return errValidation("Tag Key cannot be prefixed with aws:, Key: %s", key)
	}
	return nil
}

// tagText tells whether a key or a value is of the characters of which tags are made, and not too long.
func tagText(s string, longest int) bool {
	bad := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsSpace(r) && !strings.ContainsRune("+-=._:/@", r)
	}
	return utf8.RuneCountInString(s) <= longest && !strings.ContainsFunc(s, bad)
}

// tagged is what has tags: a table, or a stream, whose tags are its own (observed, ack-api-quirks, DDB-TABLE-373).
type tagged struct {
	tags []Tag
	put  func(tags []Tag)
}

// tagged finds what a ResourceArn names. What of a table is CREATING has no tags yet.
func (s *service) tagged(tx *store.Tx, r *wire.Request, arn string) (*tagged, error) {
	parts := strings.SplitN(arn, ":", 6)
	switch {
	case !strings.HasPrefix(arn, "arn:"):
		return nil, badParameter("ARNs must start with 'arn:': %s", arn)
	case len(parts) < 6 || parts[2] != "dynamodb":
		return nil, badParameter("Provided Arn is not a DynamoDB resource arn: %s", arn)
	case parts[3] != r.Region:
		return nil, errValidation("Invalid TableArn: Invalid ResourceArn provided as input %s", arn)
	case strings.Contains(parts[5], "/index/"):
		return nil, badParameter("Invalid resource arn provided, only table or stream is accepted. Provided resource arn: %s", arn)
	case strings.Contains(parts[5], "/stream/"):
		return s.taggedStream(tx, r, arn)
	case strings.Count(parts[5], "/") > 1: // a backup's
		return nil, badParameter("Provided Arn is not a DynamoDB resource arn: %s", arn)
	}
	t, _, err := s.lookup(tx, r, arn)
	if err != nil {
		return nil, err
	}
	if t == nil || t.arn() != arn || t.under(creating) != nil {
		return nil, errResourceNotFoundException(msgTagNotFound, arn)
	}
	c := *t
	return &tagged{slices.Clone(t.Tags), func(tags []Tag) { c.Tags = tags; c.put(tx) }}, nil
}

func (s *service) taggedStream(tx *store.Tx, r *wire.Request, arn string) (*tagged, error) {
	a, ok := parseARN(arn, "stream")
	m, exists := streams.Get(tx, r.Account, r.Region, a.table, a.id)
	switch {
	case ok && a.account != r.Account:
		return nil, errAccessDenied()
	case !ok || !exists || m.gone(s.Clock.Now()):
		return nil, errResourceNotFoundException(msgTagNotFound, arn)
	}
	return &tagged{slices.Clone(m.Tags), func(tags []Tag) { m.Tags = tags; streams.Put(tx, m, m.Account, m.Region, m.Table, m.Label) }}, nil
}

// TagResource sets tags of a table or a stream, replacing those of the same keys.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TagResource.html
func (s *service) TagResource(ctx context.Context, in *TagResourceInput) (*TagResourceOutput, error) {
	r := wire.From(ctx)
	if len(in.Tags) == 0 {
		return nil, errValidation("Atleast one Tag needs to be provided as Input.")
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	return &TagResourceOutput{}, s.Store.Update(func(tx *store.Tx) error {
		t, err := s.tagged(tx, r, *in.ResourceArn)
		if err != nil {
			return err
		}
		for _, tag := range in.Tags {
			if i := slices.IndexFunc(t.tags, func(old Tag) bool { return *old.Key == *tag.Key }); i >= 0 {
				t.tags[i] = tag
			} else {
				t.tags = append(t.tags, tag)
			}
		}
		if err := checkTagSet(t.tags); err != nil {
			return err
		}
		t.put(t.tags)
		return nil
	})
}

// UntagResource takes tags away from a table or a stream. A key that it does not have is no error.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UntagResource.html
func (s *service) UntagResource(ctx context.Context, in *UntagResourceInput) (*UntagResourceOutput, error) {
	r := wire.From(ctx)
	if len(in.TagKeys) == 0 {
		return nil, errValidation("Atleast one Tag Key needs to be provided as Input.")
	}
	for _, key := range in.TagKeys {
		if err := checkTagKey(key); err != nil {
			return nil, err
		}
	}
	if len(in.TagKeys) > maxTags { // though it adds none
		return nil, errValidation(msgTooManyTags)
	}
	return &UntagResourceOutput{}, s.Store.Update(func(tx *store.Tx) error {
		t, err := s.tagged(tx, r, *in.ResourceArn)
		if err != nil {
			return err
		}
		t.put(slices.DeleteFunc(t.tags, func(tag Tag) bool { return slices.Contains(in.TagKeys, *tag.Key) }))
		return nil
	})
}

// ListTagsOfResource lists the tags of a table or a stream. They always fit into one answer.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListTagsOfResource.html
func (s *service) ListTagsOfResource(ctx context.Context, in *ListTagsOfResourceInput) (out *ListTagsOfResourceOutput, err error) {
	r := wire.From(ctx)
	err = s.Store.View(func(tx *store.Tx) error {
		t, err := s.tagged(tx, r, *in.ResourceArn)
		if err == nil {
			out = &ListTagsOfResourceOutput{Tags: append([]Tag{}, t.tags...)}
		}
		return err
	})
	return out, err
}
