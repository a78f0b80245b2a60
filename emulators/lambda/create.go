package lambda

import (
	"context"
	"net/http"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// What a function has that names nothing else.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
const (
	defaultTimeout = 3   // seconds
	defaultMemory  = 128 // MiB
	defaultStorage = 512 // MiB
	maxName        = 64  // characters
)

// Messages in the service's words. Recorded answers, unless a line says otherwise.
const (
	msgLongName   = "1 validation error detected: Value '%s' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to 64"
	msgExists     = "Function already exist: %s"                                                                        // https://github.com/hashicorp/terraform/issues/15929
	msgNoRuntime  = "Runtime and Handler are mandatory parameters for functions created with deployment packages."      // https://github.com/pipe-cd/pipecd/issues/1400
	msgImageParts = "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image." // a guess
	msgNoCode     = "Please provide a source for function code."                                                        // a guess
	msgNoImage    = "Please provide ImageUri when creating a function with packageType %s."                             // after the recorded one of updates, a guess
	msgImageOfZip = "Please don't provide ImageUri when %s a function with packageType %s."                             // a guess
)

// CreateFunction makes a function of an archive of code, which comes with the request in ZipFile, or of a container image.
//
// The function is Pending at first and Active once it can be invoked. Timeout is in seconds (1 to 900, default 3), MemorySize in MiB
// (128 to 10240, default 128), EphemeralStorage.Size in MiB (512 to 10240, default 512). With Publish the function's version 1 is made too.
// An archive has at most 50 MiB, and 250 MiB when it is unpacked, layers included; environment variables 4 KiB as JSON.
//
// ResourceConflictException for a name that is taken.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
func (s *Service) CreateFunction(ctx context.Context, in *CreateFunctionInput) (*CreateFunctionOutput, error) {
	t, err := creating(ctx, *in.FunctionName)
	if err != nil {
		return nil, err
	}
	v, err := s.newVersion(t, in)
	if err != nil {
		return nil, err
	}
	if err := s.checkDeadLetter(ctx, in.DeadLetterConfig); err != nil {
		return nil, err
	}
	if len(in.Tags) > maxTags {
		return nil, byUser(errInvalidParameterValueException(msgTooManyTags))
	}
	release, err := s.takeCode(v, in.Code)
	if err != nil {
		return nil, err
	}
	created := false
	defer func() {
		release()
		if !created {
			s.sweepLater() // of code that is not used after all
		}
	}()
	v.LastModified, v.Revision = s.Clock.Now(), s.IDs.UUID()
	v.State, v.StateReason, v.StateCode = StatePending, reasonCreate, StateReasonCodeCreating
	published := s.IDs.UUID()
	out := CreateFunctionOutput{}
	err = s.Store.Update(func(tx *store.Tx) error {
		if _, there := s.record(tx, t); there {
			return byUser(errResourceConflictException(msgExists, t.Name))
		}
		f := function{Account: t.Account, Region: t.Region, Name: t.Name, Latest: v, Tags: in.Tags, Signing: deref(in.CodeSigningConfigArn)}
		if err := checkSignature(tx, &f); err != nil {
			return err
		}
		if err := s.attach(ctx, tx, v); err != nil {
			return err
		}
		forget(tx, t) // what an earlier function of the name has left: it had been declared by a stack
		shown := *v
		if in.Publish != nil && *in.Publish {
			shown = s.publish(tx, t, &f, v, nil, published)
		}
		functions.Put(tx, f, t.key()...)
		out = CreateFunctionOutput(*s.configuration(tx, t, t.function(), &shown)) // without the version, as recorded
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := s.concurrency.reload(s, t); err != nil { // nor has it the other's concurrency
		return nil, err
	}
	created = true
	s.settle(ctx, t, *v, func() {})
	return &out, nil
}

// creating is the target of a function that is to be made.
func creating(ctx context.Context, ref string) (target, error) {
	req := wire.From(ctx)
	m := reference().FindStringSubmatch(ref)
	if m != nil && m[2] != "" && m[2] != req.Account {
		return target{}, wire.Errorf("AccessDeniedException", http.StatusForbidden, "") // recorded, without a message
	}
	t, err := parse(ctx, ref, nil)
	if err != nil {
		return t, err
	}
	if len(t.Name) > maxName {
		return t, byUser(errInvalidParameterValueException(msgLongName, t.Name))
	}
	return t.at(""), nil
}

// newVersion is $LATEST of a new function, without its code.
func (s *Service) newVersion(t target, in *CreateFunctionInput) (*version, error) {
	if err := refuseUnsupportedFunction(in); err != nil {
		return nil, err
	}
	v := &version{Number: latest, settings: settings{
		Role: *in.Role, Timeout: defaultTimeout, Memory: defaultMemory, Storage: defaultStorage, Architecture: ArchitectureX8664,
		Package: PackageTypeZip, Log: textLog(t.Name), Tracing: TracingModePassThrough, SnapStart: SnapStartApplyOnNone,
	}}
	assign(&v.Package, in.PackageType)
	if len(in.Architectures) > 0 {
		v.Architecture = in.Architectures[0]
	}
	switch image := v.Package == PackageTypeImage; {
	case !image && (in.Runtime == nil || in.Handler == nil):
		return nil, byUser(errInvalidParameterValueException(msgNoRuntime))
	case image && (in.Runtime != nil || in.Handler != nil || len(in.Layers) > 0):
		return nil, byUser(errInvalidParameterValueException(msgImageParts))
	}
	return v, v.change(t, &UpdateFunctionConfigurationInput{
		Handler: in.Handler, Description: in.Description, Timeout: in.Timeout, MemorySize: in.MemorySize, VpcConfig: in.VpcConfig,
		Environment: in.Environment, Runtime: in.Runtime, DeadLetterConfig: in.DeadLetterConfig, KMSKeyArn: in.KMSKeyArn, TracingConfig: in.TracingConfig,
		Layers: in.Layers, ImageConfig: in.ImageConfig, EphemeralStorage: in.EphemeralStorage, SnapStart: in.SnapStart, LoggingConfig: in.LoggingConfig,
	})
}

// refuseUnsupportedFunction names the first parameter that would have been stored and not acted on.
func refuseUnsupportedFunction(in *CreateFunctionInput) error {
	for _, p := range []struct {
		name  string
		given bool
	}{
		{"FileSystemConfigs", len(in.FileSystemConfigs) > 0}, {"TenancyConfig", in.TenancyConfig != nil}, {"DurableConfig", in.DurableConfig != nil},
		{"CapacityProviderConfig", in.CapacityProviderConfig != nil}, {"PublishTo", in.PublishTo != nil},
	} {
		if p.given {
			return wire.NotImplemented("lambda: the function's %s is not emulated", p.name)
		}
	}
	return nil
}

// takeCode gives a version of a new function its code. release is to be called once the version is stored.
func (s *Service) takeCode(v *version, in *FunctionCode) (release func(), err error) {
	if v.Package == PackageTypeImage {
		if in.ImageUri == nil {
			return nil, byUser(errInvalidParameterValueException(msgNoImage, v.Package))
		}
		v.Code = imageCode(*in.ImageUri)
		return func() {}, nil
	}
	if in.ImageUri != nil {
		return nil, byUser(errInvalidParameterValueException(msgImageOfZip, "creating", v.Package))
	}
	v.Code, release, err = s.takeArchive(in.ZipFile, in.S3Bucket)
	v.Code.KMSKey = deref(in.SourceKMSKeyArn)
	return release, err
}
