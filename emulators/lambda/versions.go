package lambda

import (
	"context"
	"errors"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

const (
	msgNotFrozen = "No version of function %s can be published: %v"                                                                         // ours
	msgOtherCode = "CodeSHA256 (%s) is different from current CodeSHA256 in $LATEST (%s). Please try again with the CodeSHA256 in $LATEST." // recorded
)

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
	t = t.at("")
	var frozen *version
	if v.declared != nil {
		var release func()
		if frozen, release, err = s.freeze(ctx, t, v); err != nil {
			return nil, err
		}
		defer release()
	}
	out := &PublishVersionOutput{}
	id, next := s.IDs.UUID(), s.IDs.UUID()
	err = s.Store.Update(func(tx *store.Tx) error {
		f, v, err := s.publishable(tx, t, frozen)
		if err != nil {
			return err
		}
		if err := checkPublish(t, v, in); err != nil {
			return err
		}
		before := f.Published
		published := s.publish(tx, t, &f, v, in.Description, id)
		if f.Published != before {
			if frozen == nil {
				v.Revision = next // recorded: $LATEST has another one, too
			}
			f.Revision = next
		}
		functions.Put(tx, f, t.key()...)
		*out = PublishVersionOutput(*s.configuration(tx, t, t.at(published.Number).arn(), &published))
		return nil
	})
	if err != nil {
		return nil, err
	}
	if frozen != nil {
		s.sweepLater() // of the copy, if it was none but the last version
	}
	return out, nil
}

// publishable is a function with what a version of it is made of: $LATEST, or the copy of a function of the stack.
func (s *Service) publishable(tx *store.Tx, t target, frozen *version) (function, *version, error) {
	f, there := s.record(tx, t)
	v := f.Latest
	if frozen != nil {
		copied := *frozen
		v = &copied
	}
	if !there || v == nil {
		return f, nil, byUser(errResourceNotFoundException(msgNotFound, t.function()))
	}
	return f, v, nil
}

// checkPublish refuses a version of what is being changed, or of something else than the request means.
func checkPublish(t target, v *version, in *PublishVersionInput) error {
	switch {
	case in.RevisionId != nil && *in.RevisionId != v.Revision:
		return byUser(errPreconditionFailedException(msgRevision))
	case v.busy():
		return byUser(errResourceConflictException(msgUpdating, t.function()))
	case deref(in.CodeSha256) != "" && *in.CodeSha256 != v.Code.Sum && *in.CodeSha256 != v.Code.Edited:
		return byUser(errInvalidParameterValueException(msgOtherCode, *in.CodeSha256, v.Code.Sum))
	}
	return nil
}

// freeze copies a function of the stack as it runs now. release is to be called once the version is stored.
func (s *Service) freeze(ctx context.Context, t target, v *version) (*version, func(), error) {
	if v.State != StateActive {
		return nil, nil, byUser(errResourceConflictException(msgState, v.State))
	}
	frozen := *v
	frozen.declared, frozen.LastModified = nil, s.Clock.Now()
	if err := s.Store.View(func(tx *store.Tx) error {
		frozen.Revision = *s.configuration(tx, t, t.function(), v).RevisionId
		return nil
	}); err != nil {
		return nil, nil, err
	}
	edited, _ := v.sum()
	var release func()
	var err error
	frozen.Code, release, err = s.archives.freeze(func(dir string) (Frozen, error) {
		return s.functions.Freeze(ctx, t.Account, t.Region, t.Name, dir)
	})
	if err != nil {
		if e := (interface{ Frozen() })(nil); errors.As(err, &e) {
			return nil, nil, byUser(errInvalidParameterValueException(msgNotFrozen, t.Name, err))
		}
		return nil, nil, err
	}
	frozen.Code.Edited = edited
	return &frozen, release, nil
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
