package logs

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// CreateLogStream declares a stream in a group. ResourceAlreadyExistsException if there is one of that name.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogStream.html
func (s *service) CreateLogStream(ctx context.Context, in *CreateLogStreamInput) (*CreateLogStreamOutput, error) {
	p, now := placeOf(wire.From(ctx)), s.Clock.Now().UnixMilli()
	return &CreateLogStreamOutput{}, s.Store.Update(func(tx *store.Tx) error {
		g, err := p.group(tx, *in.LogGroupName)
		if err != nil {
			return err
		}
		if _, exists := streams.Get(tx, p.account, p.region, g.Name, *in.LogStreamName); exists {
			return errResourceAlreadyExistsException(msgStreamExists)
		}
		streams.Put(tx, stream{Name: *in.LogStreamName, Created: now}, p.account, p.region, g.Name, *in.LogStreamName)
		return nil
	})
}

// DeleteLogStream removes a stream with its events.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteLogStream.html
func (s *service) DeleteLogStream(ctx context.Context, in *DeleteLogStreamInput) (*DeleteLogStreamOutput, error) {
	p := placeOf(wire.From(ctx))
	return &DeleteLogStreamOutput{}, s.Store.Update(func(tx *store.Tx) error {
		g, err := p.group(tx, *in.LogGroupName)
		if err != nil {
			return err
		}
		st, err := p.stream(tx, g.Name, *in.LogStreamName)
		if err != nil {
			return err
		}
		var gone []event
		for e := range events.All(tx, p.account, p.region, g.Name, st.Name) {
			gone = append(gone, e)
		}
		for _, e := range gone {
			p.drop(tx, g, &e)
		}
		streams.Delete(tx, p.account, p.region, g.Name, st.Name)
		p.putGroup(tx, g)
		return nil
	})
}

// DescribeLogStreams lists a group's streams by name or by the time of their last event. Limit is 1 to 50, default 50. With
// LastEventTime there is no prefix.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogStreams.html
func (s *service) DescribeLogStreams(ctx context.Context, in *DescribeLogStreamsInput) (*DescribeLogStreamsOutput, error) {
	byTime := in.OrderBy != nil && *in.OrderBy == OrderByLastEventTime
	if byTime && in.LogStreamNamePrefix != nil {
		return nil, errInvalidParameterException("Cannot order by LastEventTime with a logStreamNamePrefix.") // API reference, logStreamNamePrefix
	}
	ref, err := oneOf(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	req, limit := wire.From(ctx), 50
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	var all []stream
	var name string
	err = s.Store.View(func(tx *store.Tx) error {
		p := placeOf(req)
		g, err := p.group(tx, ref)
		if err != nil {
			return err
		}
		all, name = nil, g.Name
		for st := range streams.All(tx, p.account, p.region, g.Name) {
			if in.LogStreamNamePrefix == nil || strings.HasPrefix(st.Name, *in.LogStreamNamePrefix) {
				all = append(all, st)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if byTime {
		slices.SortStableFunc(all, func(a, b stream) int { return cmp.Compare(a.Last, b.Last) })
	}
	if in.Descending != nil && *in.Descending {
		slices.Reverse(all)
	}
	if in.NextToken != nil {
		i := slices.IndexFunc(all, func(st stream) bool { return st.Name == *in.NextToken })
		if i < 0 {
			return nil, errInvalidParameterException(msgBadToken)
		}
		all = all[i+1:]
	}
	out := &DescribeLogStreamsOutput{LogStreams: []LogStream{}}
	for _, st := range all[:min(limit, len(all))] {
		out.LogStreams = append(out.LogStreams, st.describe(groupARN(req, name)))
	}
	if len(all) > limit {
		out.NextToken = &all[limit-1].Name
	}
	return out, nil
}

// describe is a stream as the API shows it. Its size is always 0, as on AWS since 2019.
func (st *stream) describe(groupARN string) LogStream {
	d := LogStream{LogStreamName: &st.Name, CreationTime: &st.Created, Arn: new(groupARN + ":log-stream:" + st.Name), StoredBytes: new(int64(0))}
	if st.LastIngested > 0 {
		d.FirstEventTimestamp, d.LastEventTimestamp, d.LastIngestionTime = &st.First, &st.Last, &st.LastIngested
		d.UploadSequenceToken = new(sequenceToken(st.LastIngested))
	}
	return d
}

// oneOf returns the group that a request names by one of two parameters.
func oneOf(name, identifier *string) (string, error) {
	switch {
	case name != nil && identifier != nil:
		return "", errInvalidParameterException("LogGroup name and LogGroup ARN are mutually exclusive parameters.") // a guess, after the recorded one for prefixes
	case name != nil:
		return *name, nil
	case identifier != nil:
		return *identifier, nil
	}
	return "", errInvalidParameterException("LogGroup name or LogGroup ARN must be given.") // a guess
}
