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

// tagged returns a copy of the table that a ResourceArn names. What of a table is CREATING has no tags yet.
func (s *service) tagged(tx *store.Tx, r *wire.Request, arn string) (*table, error) {
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
	case strings.Count(parts[5], "/") > 1 && !strings.Contains(parts[5], "/stream/"): // a backup's
		return nil, badParameter("Provided Arn is not a DynamoDB resource arn: %s", arn)
	case strings.Count(parts[5], "/") > 1: // a stream's, which has no tags
		return nil, errResourceNotFoundException(msgTagNotFound, arn)
	}
	t, _, err := s.lookup(tx, r, arn)
	if err != nil {
		return nil, err
	}
	if t == nil || t.arn() != arn || t.under(creating) != nil {
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
			if i := slices.IndexFunc(t.Tags, func(old Tag) bool { return *old.Key == *tag.Key }); i >= 0 {
				t.Tags[i] = tag
			} else {
				t.Tags = append(t.Tags, tag)
			}
		}
		if err := checkTagSet(t.Tags); err != nil {
			return err
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
