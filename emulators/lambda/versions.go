package lambda

import (
	"context"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// Messages in the service's words, recorded answers.
const msgOtherCode = "CodeSHA256 (%s) is different from current CodeSHA256 in $LATEST (%s). Please try again with the CodeSHA256 in $LATEST."

// PublishVersion freezes $LATEST, its code and its configuration, under the next number. If nothing has changed since the last version,
// that one is the answer. ResourceConflictException while the function is being changed.
//
// Of a function of the stack the version is a copy of the files that it is made of.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html
func (s *Service) PublishVersion(ctx context.Context, in *PublishVersionInput) (*PublishVersionOutput, error) {
	t, v, err := s.find(ctx, *in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	if in.PublishTo != nil {
		return nil, wire.NotImplemented("lambda.PublishVersion: the parameter PublishTo is not emulated")
	}
	if v.declared != nil {
		return nil, wire.NotImplemented("lambda.PublishVersion: versions of a function of the stack are not emulated")
	}
	t = t.at("")
	out := &PublishVersionOutput{}
	id, next := s.IDs.UUID(), s.IDs.UUID()
	err = s.Store.Update(func(tx *store.Tx) error {
		f, there := functions.Get(tx, t.key()...)
		if !there || f.Latest == nil {
			return byUser(errResourceNotFoundException(msgNotFound, t.function()))
		}
		v := f.Latest
		if in.RevisionId != nil && *in.RevisionId != v.Revision {
			return byUser(errPreconditionFailedException(msgRevision))
		}
		if v.busy() {
			return byUser(errResourceConflictException(msgUpdating, t.function()))
		}
		if in.CodeSha256 != nil && *in.CodeSha256 != "" && *in.CodeSha256 != v.Code.Sum {
			return byUser(errInvalidParameterValueException(msgOtherCode, *in.CodeSha256, v.Code.Sum))
		}
		before := f.Published
		published := s.publish(tx, t, &f, v, in.Description, id)
		if f.Published != before {
			v.Revision = next // recorded: $LATEST has another one, too
		}
		functions.Put(tx, f, t.key()...)
		*out = PublishVersionOutput(*s.configuration(tx, t, t.at(published.Number).arn(), &published))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// publish makes a version of $LATEST, or returns the one that was made of it before. f is to be stored afterwards.
func (s *Service) publish(tx *store.Tx, t target, f *function, v *version, description *string, revision string) version {
	of := v.fingerprint()
	if last, there := versions.Get(tx, t.key(f.Published)...); there && last.Of == of {
		return last
	}
	f.Published++
	p := *v
	p.Number, p.Revision, p.Of = number(f.Published), revision, of
	if description != nil {
		p.Description = *description
	}
	versions.Put(tx, p, t.key(f.Published)...)
	return p
}

// ListVersionsByFunction returns $LATEST and the published versions by number, MaxItems (at most 50) at a time.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_ListVersionsByFunction.html
func (s *Service) ListVersionsByFunction(ctx context.Context, in *ListVersionsByFunctionInput) (*ListVersionsByFunctionOutput, error) {
	t, err := parse(ctx, *in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	t = t.at("")
	out := &ListVersionsByFunctionOutput{}
	err = s.Store.View(func(tx *store.Tx) error {
		*out = ListVersionsByFunctionOutput{Versions: []FunctionConfiguration{}}
		v := s.stored(tx, t, latest)
		if v == nil {
			return byUser(errResourceNotFoundException(msgNotFound, t.arn()))
		}
		after := -1
		if in.Marker != nil {
			after = sortable(*in.Marker)
		}
		if after < 0 {
			out.Versions = append(out.Versions, *summary(s.configuration(tx, t, t.at(latest).arn(), v)))
			out.NextMarker = new("0")
		}
		for v := range versions.After(tx, []any{max(after, 0)}, t.key()...) {
			if len(out.Versions) == pageSize(in.MaxItems) {
				return nil
			}
			out.Versions = append(out.Versions, *summary(s.configuration(tx, t, t.at(v.Number).arn(), &v)))
			out.NextMarker = &v.Number
		}
		out.NextMarker = nil
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
