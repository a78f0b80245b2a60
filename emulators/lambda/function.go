package lambda

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"devstack/emulators/store"
)

// Messages in the service's words. The first is a recorded answer.
const (
	msgDeleteLatest   = "$LATEST version cannot be deleted without deleting the function."
	msgAliased        = "Unable to delete version because the following aliases reference it: [%s]"         // https://github.com/karl-cardenas-coding/go-lambda-cleanup/issues/45
	msgDeleteAlias    = "Deletion of aliases is not currently supported."                                   // a guess
	msgDeleteDeclared = "Function %s is declared in the stack's files; it goes once it is taken out there." // ours
)

// GetFunction returns a function's configuration and where its code is.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html
func (s *Service) GetFunction(ctx context.Context, in *GetFunctionInput) (*GetFunctionOutput, error) {
	t, v, err := s.find(ctx, *in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	out := &GetFunctionOutput{Code: s.codeLocation(ctx, v)}
	err = s.Store.View(func(tx *store.Tx) error {
		out.Configuration, out.Tags = s.configuration(tx, t, t.arn(), v), nil
		if f, there := s.record(tx, t); there && len(f.Tags) > 0 {
			out.Tags = f.Tags
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if n, err := s.reserved(t); err != nil {
		return nil, err
	} else if n != nil {
		out.Concurrency = &Concurrency{ReservedConcurrentExecutions: n}
	}
	return out, nil
}

// codeLocation says where a version's code is. That of a function of the stack is where it is edited.
func (s *Service) codeLocation(ctx context.Context, v *version) *FunctionCodeLocation {
	switch {
	case v.Code.Image != "":
		return &FunctionCodeLocation{RepositoryType: new("ECR"), ImageUri: &v.Code.Image, ResolvedImageUri: &v.Code.Image}
	case v.Code.Archive != "":
		return &FunctionCodeLocation{RepositoryType: new("S3"), Location: s.location(ctx, v.Code), SourceKMSKeyArn: given(v.Code.KMSKey)}
	case v.Package == PackageTypeImage:
		return &FunctionCodeLocation{RepositoryType: new("ECR")}
	}
	return &FunctionCodeLocation{RepositoryType: new("S3")} // it is not left out: Terraform's provider takes it to be there
}

// GetFunctionConfiguration returns a function's configuration.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html
func (s *Service) GetFunctionConfiguration(ctx context.Context, in *GetFunctionConfigurationInput) (*GetFunctionConfigurationOutput, error) {
	t, v, err := s.find(ctx, *in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	out := &GetFunctionConfigurationOutput{}
	err = s.Store.View(func(tx *store.Tx) error {
		*out = GetFunctionConfigurationOutput(*s.configuration(tx, t, t.arn(), v))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// mostAtOnce is how many functions or versions one page has at most.
const mostAtOnce = 50

// ListFunctions returns the functions by name, MaxItems (1 to 10000, at most 50 are answered) at a time; with FunctionVersion ALL every
// version of them. What belongs to their state is left out.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html
func (s *Service) ListFunctions(ctx context.Context, in *ListFunctionsInput) (*ListFunctionsOutput, error) {
	out := &ListFunctionsOutput{}
	base, err := parse(ctx, "x", nil)
	if err != nil {
		return nil, err
	}
	err = s.Store.View(func(tx *store.Tx) error {
		*out = ListFunctionsOutput{Functions: []FunctionConfiguration{}}
		for _, name := range s.names(tx, base) {
			t := base
			t.Name = name
			all := []version{*s.stored(tx, t, latest)}
			if in.FunctionVersion != nil {
				all = slices.AppendSeq(all, versions.All(tx, t.key()...))
			}
			for _, v := range all {
				if in.FunctionVersion != nil {
					t.Qualifier = v.Number
				}
				place := listed(t, v.Number)
				if in.Marker != nil && place <= *in.Marker {
					continue
				}
				if len(out.Functions) == pageSize(in.MaxItems) {
					return nil
				}
				out.Functions = append(out.Functions, *summary(s.configuration(tx, t, t.arn(), &v)))
				out.NextMarker = &place
			}
		}
		out.NextMarker = nil // that was all
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// listed is a version's place in a list, as text that sorts: by name, $LATEST first, then by number.
func listed(t target, number string) string {
	if number == latest {
		return t.Name
	}
	return t.Name + ":" + strings.Repeat("0", max(0, 12-len(number))) + number
}

func pageSize(given *int32) int {
	if given == nil {
		return mostAtOnce
	}
	return min(mostAtOnce, int(*given))
}

// names are the functions of an account and region, declared or made by the API, in their order.
func (s *Service) names(tx *store.Tx, t target) []string {
	var all []string
	for _, f := range s.functions.List(t.Account, t.Region) {
		all = append(all, f.Name)
	}
	for f := range functions.All(tx, t.Account, t.Region) {
		if f.Latest != nil {
			all = append(all, f.Name)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// summary leaves out what lists do not have.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html
func summary(c *FunctionConfiguration) *FunctionConfiguration {
	c.State, c.StateReason, c.StateReasonCode, c.RuntimeVersionConfig = nil, nil, nil, nil
	c.LastUpdateStatus, c.LastUpdateStatusReason, c.LastUpdateStatusReasonCode = nil, nil, nil
	return c
}

// DeleteFunction removes a function with its versions and aliases or, with a qualifier, one of its published versions. Event source mappings
// stay. Events under way are cut off.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunction.html
func (s *Service) DeleteFunction(ctx context.Context, in *DeleteFunctionInput) (*DeleteFunctionOutput, error) {
	t, err := parse(ctx, *in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if t.Qualifier == latest {
		return nil, byUser(errInvalidParameterValueException(msgDeleteLatest))
	}
	var gone []string // keys of the runtime
	err = s.Store.Update(func(tx *store.Tx) (err error) {
		if t.Qualifier != "" {
			gone, err = s.deleteVersion(tx, t)
		} else {
			gone, err = s.deleteFunction(tx, t)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, key := range gone {
		s.withdraw(key)
	}
	if err := s.concurrency.reload(s, t); err != nil {
		return nil, err
	}
	s.sweepLater()
	return &DeleteFunctionOutput{StatusCode: new(int32(204))}, nil
}

func (s *Service) deleteFunction(tx *store.Tx, t target) (gone []string, err error) {
	if s.declared(t) != nil {
		return nil, byUser(errInvalidParameterValueException(msgDeleteDeclared, t.Name))
	}
	if _, there := s.record(tx, t); !there && !leftBehind(tx, t) {
		return nil, byUser(errResourceNotFoundException(msgNotFound, t.arn()))
	}
	gone = []string{t.function()}
	for v := range versions.All(tx, t.key()...) {
		gone = append(gone, t.runs(&v))
	}
	forget(tx, t)
	return gone, nil
}

// deleteVersion removes a published version that no alias leads to. One that is not there is nothing to do, as was measured on AWS:
// https://github.com/floci-io/floci/pull/2824.
func (s *Service) deleteVersion(tx *store.Tx, t target) (gone []string, err error) {
	if _, there := s.record(tx, t); !there {
		return nil, byUser(errResourceNotFoundException(msgNotFound, t.arn()))
	}
	if !numbered().MatchString(t.Qualifier) {
		return nil, byUser(errInvalidParameterValueException(msgDeleteAlias))
	}
	var names []string
	for a := range aliases.All(tx, t.key()...) {
		if _, second := a.Weights[t.Qualifier]; second || a.Version == t.Qualifier {
			names = append(names, a.Name)
		}
	}
	if names != nil {
		return nil, byUser(errResourceConflictException(msgAliased, strings.Join(names, ", ")))
	}
	versions.Delete(tx, t.key(sortable(t.Qualifier))...)
	for _, f := range forgetting {
		f(tx, t)
	}
	return []string{t.arn()}, nil
}

// forgetting removes what is kept of a function (t has no qualifier), or of one of its versions or aliases, elsewhere in the package.
var forgetting []func(tx *store.Tx, t target)

// forget removes all that is stored of a function.
func forget(tx *store.Tx, t target) {
	functions.Delete(tx, t.key()...)
	versions.Clear(tx, t.key()...)
	aliases.Clear(tx, t.key()...)
	for _, f := range forgetting {
		f(tx, t.at(""))
	}
}

// GetAccountSettings returns the account's quotas, AWS's defaults, and how much of them the functions take. CodeSize counts the archives of
// every version, of layers too.
//
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
func (s *Service) GetAccountSettings(ctx context.Context, _ *GetAccountSettingsInput) (*GetAccountSettingsOutput, error) {
	base, err := parse(ctx, "x", nil)
	if err != nil {
		return nil, err
	}
	count, size := int64(0), int64(0)
	err = s.Store.View(func(tx *store.Tx) error {
		count, size = 0, 0
		for _, name := range s.names(tx, base) {
			t := base
			t.Name = name
			count++
			_, n := s.stored(tx, t, latest).sum()
			size += n
			for v := range versions.All(tx, t.key()...) {
				size += v.Code.Size
			}
		}
		for v := range layerVersions.All(tx, base.Account, base.Region) {
			size += v.Code.Size
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	unreserved := int32(0)
	if err := s.concurrency.look(s, base, func(p *pool) { unreserved = int32(p.unreserved(false)) }); err != nil {
		return nil, err
	}
	return &GetAccountSettingsOutput{
		AccountLimit: &AccountLimit{
			TotalCodeSize: new(int64(80 << 30)), CodeSizeUnzipped: new(int64(maxUnzipped)), CodeSizeZipped: new(int64(maxZipped)),
			ConcurrentExecutions: new(int32(accountLimit)), UnreservedConcurrentExecutions: &unreserved,
		},
		AccountUsage: &AccountUsage{FunctionCount: &count, TotalCodeSize: &size},
	}, nil
}

// number is the text of a version's number.
func number(n int) string { return strconv.Itoa(n) }
