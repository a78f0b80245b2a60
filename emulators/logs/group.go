package logs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// retentions are the days that a group may keep its events.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
var retentions = []int32{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// CreateLogGroup declares a log group. ResourceAlreadyExistsException if there is one of that name.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
func (s *service) CreateLogGroup(ctx context.Context, in *CreateLogGroupInput) (*CreateLogGroupOutput, error) {
	p, now := placeOf(wire.From(ctx)), s.Clock.Now().UnixMilli()
	g := group{Name: *in.LogGroupName, Created: now, Class: LogGroupClassStandard, KMSKey: in.KmsKeyId, Tags: in.Tags}
	if in.LogGroupClass != nil {
		g.Class = *in.LogGroupClass
	}
	if in.DeletionProtectionEnabled != nil {
		g.Protected = *in.DeletionProtectionEnabled
	}
	return &CreateLogGroupOutput{}, s.Store.Update(func(tx *store.Tx) error {
		if _, exists := groups.Get(tx, p.account, p.region, g.Name); exists {
			return errResourceAlreadyExistsException(msgGroupExists)
		}
		p.putGroup(tx, &g)
		return nil
	})
}

// DeleteLogGroup removes a group with its streams and events.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteLogGroup.html
func (s *service) DeleteLogGroup(ctx context.Context, in *DeleteLogGroupInput) (*DeleteLogGroupOutput, error) {
	p := placeOf(wire.From(ctx))
	return &DeleteLogGroupOutput{}, s.Store.Update(func(tx *store.Tx) error {
		g, err := p.group(tx, *in.LogGroupName)
		if err != nil {
			return err
		}
		if g.Protected {
			return errValidationException("Log group %s has deletion protection enabled.", g.Name) // a guess
		}
		groups.Delete(tx, p.account, p.region, g.Name)
		streams.Clear(tx, p.account, p.region, g.Name)
		events.Clear(tx, p.account, p.region, g.Name)
		times.Clear(tx, p.account, p.region, g.Name)
		return nil
	})
}

// DescribeLogGroups lists groups by name: those that begin with a prefix, or contain a pattern, case and all. Limit is 1 to 50, default 50.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogGroups.html
func (s *service) DescribeLogGroups(ctx context.Context, in *DescribeLogGroupsInput) (*DescribeLogGroupsOutput, error) {
	if in.LogGroupNamePrefix != nil && in.LogGroupNamePattern != nil {
		return nil, errInvalidParameterException(msgPrefixOrElse)
	}
	if in.IncludeLinkedAccounts != nil && *in.IncludeLinkedAccounts || len(in.AccountIdentifiers) > 0 {
		return nil, wire.NotImplemented("logs.DescribeLogGroups: linked accounts are not emulated")
	}
	req := wire.From(ctx)
	p, limit := placeOf(req), 50
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	wanted := func(g *group) bool {
		return (in.LogGroupNamePrefix == nil || strings.HasPrefix(g.Name, *in.LogGroupNamePrefix)) &&
			(in.LogGroupNamePattern == nil || strings.Contains(g.Name, *in.LogGroupNamePattern)) &&
			(in.LogGroupClass == nil || g.Class == *in.LogGroupClass) &&
			(in.LogGroupIdentifiers == nil || slices.ContainsFunc(in.LogGroupIdentifiers, func(id string) bool { n, _ := groupName(id); return n == g.Name }))
	}
	out := &DescribeLogGroupsOutput{}
	err := s.Store.View(func(tx *store.Tx) error {
		*out = DescribeLogGroupsOutput{LogGroups: []LogGroup{}}
		rest := groups.All(tx, p.account, p.region)
		if in.NextToken != nil {
			rest = groups.After(tx, []any{*in.NextToken}, p.account, p.region)
		}
		for g := range rest {
			if !wanted(&g) {
				continue
			}
			if len(out.LogGroups) == limit {
				out.NextToken = out.LogGroups[limit-1].LogGroupName
				return nil
			}
			out.LogGroups = append(out.LogGroups, g.describe(req))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// describe is a group as the API shows it.
func (g *group) describe(req *wire.Request) LogGroup {
	arn := groupARN(req, g.Name)
	d := LogGroup{
		LogGroupName: &g.Name, CreationTime: &g.Created, Arn: new(arn + ":*"), LogGroupArn: &arn, LogGroupClass: &g.Class,
		MetricFilterCount: new(int32(0)), StoredBytes: &g.Bytes, KmsKeyId: g.KMSKey, DeletionProtectionEnabled: &g.Protected,
	}
	if g.RetentionDays > 0 {
		d.RetentionInDays = &g.RetentionDays
	}
	return d
}

func groupARN(req *wire.Request, name string) string { return req.ARN("logs", "log-group:"+name) }

// groupName is the name in a group's identifier: a name, or an ARN with or without ":*".
func groupName(ref string) (string, error) {
	if !strings.HasPrefix(ref, "arn:") {
		return ref, nil
	}
	_, name, ok := strings.Cut(ref, ":log-group:")
	if !ok {
		return "", errInvalidParameterException("The ARN %s is not of a log group.", ref) // a guess
	}
	return strings.TrimSuffix(name, ":*"), nil
}

// PutRetentionPolicy sets after how many days events go away, one of AWS's own choices between 1 and 3653.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
func (s *service) PutRetentionPolicy(ctx context.Context, in *PutRetentionPolicyInput) (*PutRetentionPolicyOutput, error) {
	if !slices.Contains(retentions, *in.RetentionInDays) {
		return nil, errInvalidParameterException("1 validation error detected: Value '%d' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: %s", *in.RetentionInDays, strings.ReplaceAll(fmt.Sprint(retentions), " ", ", ")) // a guess at the form
	}
	return &PutRetentionPolicyOutput{}, s.setRetention(ctx, *in.LogGroupName, *in.RetentionInDays)
}

// DeleteRetentionPolicy lets events stay for ever.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteRetentionPolicy.html
func (s *service) DeleteRetentionPolicy(ctx context.Context, in *DeleteRetentionPolicyInput) (*DeleteRetentionPolicyOutput, error) {
	return &DeleteRetentionPolicyOutput{}, s.setRetention(ctx, *in.LogGroupName, 0)
}

func (s *service) setRetention(ctx context.Context, name string, days int32) error {
	p := placeOf(wire.From(ctx))
	return s.Store.Update(func(tx *store.Tx) error {
		g, err := p.group(tx, name)
		if err != nil {
			return err
		}
		g.RetentionDays = days
		p.putGroup(tx, g)
		return nil
	})
}

// oldest is the timestamp before which a group's events are gone.
func (g *group) oldest(now time.Time) int64 {
	if g.RetentionDays == 0 {
		return 0
	}
	return now.AddDate(0, 0, -int(g.RetentionDays)).UnixMilli()
}

// ListTagsForResource returns the tags of a log group, by ARN. TagResource and UntagResource change them; the LogGroup
// operations of the same names do so by the group's name.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_ListTagsForResource.html
func (s *service) ListTagsForResource(ctx context.Context, in *ListTagsForResourceInput) (*ListTagsForResourceOutput, error) {
	tags, err := s.tags(ctx, *in.ResourceArn)
	return &ListTagsForResourceOutput{Tags: tags}, err
}

// ListTagsLogGroup returns the tags of a log group. See ListTagsForResource.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_ListTagsLogGroup.html
func (s *service) ListTagsLogGroup(ctx context.Context, in *ListTagsLogGroupInput) (*ListTagsLogGroupOutput, error) {
	tags, err := s.tags(ctx, *in.LogGroupName)
	return &ListTagsLogGroupOutput{Tags: tags}, err
}

func (s *service) tags(ctx context.Context, ref string) (tags map[string]string, err error) {
	err = s.Store.View(func(tx *store.Tx) error {
		g, err := placeOf(wire.From(ctx)).group(tx, ref)
		if err != nil {
			return err
		}
		if tags = g.Tags; tags == nil {
			tags = map[string]string{}
		}
		return nil
	})
	return tags, err
}

// TagResource sets tags. See ListTagsForResource.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TagResource.html
func (s *service) TagResource(ctx context.Context, in *TagResourceInput) (*TagResourceOutput, error) {
	return &TagResourceOutput{}, s.changeTags(ctx, *in.ResourceArn, in.Tags, nil)
}

// UntagResource removes tags. See ListTagsForResource.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_UntagResource.html
func (s *service) UntagResource(ctx context.Context, in *UntagResourceInput) (*UntagResourceOutput, error) {
	return &UntagResourceOutput{}, s.changeTags(ctx, *in.ResourceArn, nil, in.TagKeys)
}

// TagLogGroup sets tags. See ListTagsForResource.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TagLogGroup.html
func (s *service) TagLogGroup(ctx context.Context, in *TagLogGroupInput) (*TagLogGroupOutput, error) {
	return &TagLogGroupOutput{}, s.changeTags(ctx, *in.LogGroupName, in.Tags, nil)
}

// UntagLogGroup removes tags. See ListTagsForResource.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_UntagLogGroup.html
func (s *service) UntagLogGroup(ctx context.Context, in *UntagLogGroupInput) (*UntagLogGroupOutput, error) {
	return &UntagLogGroupOutput{}, s.changeTags(ctx, *in.LogGroupName, nil, in.Tags)
}

func (s *service) changeTags(ctx context.Context, ref string, set map[string]string, remove []string) error {
	p := placeOf(wire.From(ctx))
	return s.Store.Update(func(tx *store.Tx) error {
		g, err := p.group(tx, ref)
		if err != nil {
			return err
		}
		if g.Tags == nil {
			g.Tags = map[string]string{}
		}
		maps.Copy(g.Tags, set)
		for _, k := range remove {
			delete(g.Tags, k)
		}
		p.putGroup(tx, g)
		return nil
	})
}
