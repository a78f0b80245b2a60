package lambda

import (
	"context"
	"regexp"
	"strings"

	"devstack/emulators/wire"
)

// latest is the version that runs: there are no published ones yet.
const latest = "$LATEST"

// Messages in the service's words, all of them recorded answers.
const (
	msgNotFound = "Function not found: %s"
	msgRegion   = "Functions from '%s' are not reachable in this region ('%s')"
	msgMismatch = "The derived qualifier from the function name does not match the specified qualifier."
)

// byUser says whose fault an error is, as every error of Lambda's own does. Recorded answers: "Type": "User".
func byUser(e *wire.Error) *wire.Error { return e.With("Type", "User") }

// reference takes a function's name apart as the API accepts it: NAME, ACCOUNT:function:NAME or an ARN, each with an optional
// version or alias behind it.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html (FunctionName)
var reference = regexp.MustCompile(`^(?:arn:aws[a-zA-Z-]*:lambda:)?(?:([a-z]{2}(?:-[a-z]+)+-\d):)?(?:(\d{12}):)?(?:function:)?([a-zA-Z0-9-_.]+)(?::(\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9-_]+))?$`)

// find returns the function that a request names. qualifier may be nil.
func (s *Service) find(ctx context.Context, ref string, qualifier *string) (*Function, error) {
	return s.findVersion(ctx, ref, qualifier, "")
}

// findVersion is find for an operation that means a certain version where the request names none, and says so in its errors.
func (s *Service) findVersion(ctx context.Context, ref string, qualifier *string, unnamed string) (*Function, error) {
	req := wire.From(ctx)
	m := reference.FindStringSubmatch(ref)
	if m == nil { // the model's pattern is not stricter than ours
		return nil, byUser(errResourceNotFoundException(msgNotFound, ref))
	}
	region, name, version := m[1], m[3], m[4]
	if region != "" && region != req.Region {
		return nil, byUser(errResourceNotFoundException(msgRegion, region, req.Region))
	}
	if qualifier != nil {
		if version != "" && version != *qualifier {
			return nil, byUser(errInvalidParameterValueException(msgMismatch))
		}
		version = *qualifier
	}
	if version == "" {
		version = unnamed
	}
	arn := req.ARN("lambda", "function:"+name)
	if version != "" {
		arn += ":" + version
	}
	f, ok := s.functions.Get(name)
	if !ok || version != "" && version != latest {
		return nil, byUser(errResourceNotFoundException(msgNotFound, arn))
	}
	return &f, nil
}

// GetFunction returns a function's configuration and where its code is.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html
func (s *Service) GetFunction(ctx context.Context, in *GetFunctionInput) (*GetFunctionOutput, error) {
	f, err := s.find(ctx, *in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return &GetFunctionOutput{Configuration: configuration(ctx, f, in.Qualifier)}, nil
}

// GetFunctionConfiguration returns a function's configuration.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html
func (s *Service) GetFunctionConfiguration(ctx context.Context, in *GetFunctionConfigurationInput) (*GetFunctionConfigurationOutput, error) {
	f, err := s.find(ctx, *in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	c := GetFunctionConfigurationOutput(*configuration(ctx, f, in.Qualifier))
	return &c, nil
}

// ListFunctions returns the functions by name, MaxItems (1 to 10000, at most 50 are answered) at a time.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html
func (s *Service) ListFunctions(ctx context.Context, in *ListFunctionsInput) (*ListFunctionsOutput, error) {
	const mostAtOnce = 50
	limit := mostAtOnce
	if in.MaxItems != nil {
		limit = min(limit, int(*in.MaxItems))
	}
	out := &ListFunctionsOutput{Functions: []FunctionConfiguration{}}
	for _, f := range s.functions.List() {
		if in.Marker != nil && f.Name <= *in.Marker {
			continue
		}
		if len(out.Functions) == limit {
			out.NextMarker = out.Functions[limit-1].FunctionName
			break
		}
		out.Functions = append(out.Functions, *configuration(ctx, &f, nil))
	}
	return out, nil
}

// configuration is a function as the API shows it.
func configuration(ctx context.Context, f *Function, qualifier *string) *FunctionConfiguration {
	arn := wire.From(ctx).ARN("lambda", "function:"+f.Name)
	if qualifier != nil {
		arn += ":" + *qualifier
	}
	sum, size := f.Code()
	c := &FunctionConfiguration{
		FunctionName: &f.Name, FunctionArn: &arn, Description: &f.Description, Role: &f.Role, Timeout: &f.Timeout, MemorySize: &f.Memory,
		CodeSha256: &sum, CodeSize: &size, LastModified: new(f.LastModified.UTC().Format("2006-01-02T15:04:05.000+0000")),
		Version: new(latest), RevisionId: new(revision(f, sum)), PackageType: new(PackageTypeZip), Architectures: []string{f.Architecture},
		EphemeralStorage: &EphemeralStorage{Size: new(int32(512))}, TracingConfig: &TracingConfigResponse{Mode: new(TracingModePassThrough)},
		SnapStart:     &SnapStartResponse{ApplyOn: new(SnapStartApplyOnNone), OptimizationStatus: new(SnapStartOptimizationStatusOff)},
		LoggingConfig: &LoggingConfig{LogFormat: new(LogFormatText), LogGroup: new("/aws/lambda/" + f.Name)},
		State:         new(StateActive), LastUpdateStatus: new(LastUpdateStatusSuccessful),
	}
	if len(f.Environment) > 0 {
		c.Environment = &EnvironmentResponse{Variables: f.Environment}
	}
	if f.Image {
		c.PackageType = new(PackageTypeImage)
	} else {
		c.Runtime, c.Handler = &f.Runtime, &f.Handler
	}
	if !f.Active {
		c.State, c.StateReason = new(StateFailed), &f.StateReason
		c.LastUpdateStatus, c.LastUpdateStatusReason = new(LastUpdateStatusFailed), &f.StateReason
	}
	return c
}

// revision changes whenever the function does: it is made of its code's hash and the instant of its last change.
func revision(f *Function, sum string) string {
	h := strings.ToLower(strings.Map(func(r rune) rune {
		if strings.ContainsRune("0123456789abcdefABCDEF", r) {
			return r
		}
		return -1
	}, sum+f.LastModified.UTC().Format("20060102150405.000000000"))) + strings.Repeat("0", 32)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:32]
}

// GetAccountSettings returns the account's quotas, AWS's defaults, and how much of them the functions take.
//
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
func (s *Service) GetAccountSettings(context.Context, *GetAccountSettingsInput) (*GetAccountSettingsOutput, error) {
	all := s.functions.List()
	size := int64(0)
	for _, f := range all {
		_, n := f.Code()
		size += n
	}
	return &GetAccountSettingsOutput{
		AccountLimit: &AccountLimit{
			TotalCodeSize: new(int64(80 << 30)), CodeSizeUnzipped: new(int64(250 << 20)), CodeSizeZipped: new(int64(50 << 20)),
			ConcurrentExecutions: new(int32(1000)), UnreservedConcurrentExecutions: new(int32(1000)),
		},
		AccountUsage: &AccountUsage{FunctionCount: new(int64(len(all))), TotalCodeSize: &size},
	}, nil
}
