package lambda

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"

	"devstack/emulators/store"
)

// maxEnvironment bounds the environment variables as JSON, in bytes.
//
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const maxEnvironment = 4096

// Messages in the service's words. Recorded answers, unless a line says otherwise.
const (
	msgRuntime     = "Value %s at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [%s] or be a valid ARN"
	msgOldRuntime  = "The runtime parameter of %s is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions." // a guess
	msgEnvironment = "Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: %s"
	msgReserved    = "Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: %s" // https://github.com/cds-snc/notification-terraform/pull/419
	msgLayerCount  = "Cannot reference more than 5 layers."
	msgSnapStart   = "%s is not supported for SnapStart enabled functions." // https://github.com/aws-samples/bedrock-chat/issues/617
	msgLogLevels   = "To use log levels, specify LogFormat as JSON."        // a guess
)

// runtimes are those that functions can be created with, in the order of the recorded message.
var runtimes = []string{
	"nodejs20.x", "python3.14", "provided.al2023", "python3.12", "python3.13", "nodejs24.x", "nodejs22.x", "java25", "python3.10", "python3.11",
	"java21", "ruby3.3", "ruby3.4", "ruby3.2", "python3.8", "python3.9", "java17", "nodejs16.x", "dotnet10", "dotnet8", "java11", "dotnet6",
	"nodejs18.x", "provided.al2", "java8.al2",
}

// retired are those that can be read of only, in functions that were made long ago.
//
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html#runtimes-deprecated
var retired = []string{
	"nodejs", "nodejs4.3", "nodejs4.3-edge", "nodejs6.10", "nodejs8.10", "nodejs10.x", "nodejs12.x", "nodejs14.x", "java8", "python2.7", "python3.6",
	"python3.7", "dotnetcore1.0", "dotnetcore2.0", "dotnetcore2.1", "dotnetcore3.1", "go1.x", "ruby2.5", "ruby2.7", "provided",
}

// known reports whether AWS has a runtime of that name.
func known(runtime string) bool {
	return slices.Contains(runtimes, runtime) || newer().MatchString(runtime)
}

// newer matches runtimes of languages that AWS has, for which the recorded list is too old: the model has more than it.
var newer = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^ruby4\.0$`) })

// ours are runtimes that exist here only: JavaScript inside devstack, and WebAssembly.
var ours = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(js|wasm)$`) })

// snapped matches the runtimes that have SnapStart.
//
// https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html#snapstart-runtimes
var snapped = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(java(11|17|21|25)|python3\.1[2-9]|dotnet(8|10))$`)
})

// checkRuntime refuses a runtime that functions cannot be made with.
func checkRuntime(runtime string) error {
	switch {
	case known(runtime), ours().MatchString(runtime):
		return nil
	case slices.Contains(retired, runtime):
		return byUser(errInvalidParameterValueException(msgOldRuntime, runtime))
	}
	return byUser(errInvalidParameterValueException(msgRuntime, runtime, strings.Join(runtimes, ", ")))
}

// reserved are the environment variables that Lambda sets itself.
//
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
var reserved = []string{
	"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
	"AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY",
	"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
}

// checkEnvironment refuses variables that Lambda sets itself, and too many of them.
func checkEnvironment(vars map[string]string) error {
	var taken []string
	for _, name := range reserved {
		if _, given := vars[name]; given {
			taken = append(taken, name)
		}
	}
	if taken != nil {
		return byUser(errInvalidParameterValueException(msgReserved, strings.Join(taken, ", ")))
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(vars); err != nil {
		return err
	}
	if text := strings.TrimSuffix(b.String(), "\n"); len(text) > maxEnvironment {
		return byUser(errInvalidParameterValueException(msgEnvironment, text))
	}
	return nil
}

// UpdateFunctionConfiguration changes the settings of $LATEST that are given; a structure or list that is given replaces the one before,
// besides LoggingConfig, of which each member stays as it is if it is not given. LastUpdateStatus is InProgress until it is so.
//
// What a function of the stack has is in the stack's files, so it is refused for those.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html
func (s *Service) UpdateFunctionConfiguration(ctx context.Context, in *UpdateFunctionConfigurationInput) (*UpdateFunctionConfigurationOutput, error) {
	t, v, err := s.find(ctx, *in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	if err := refuseUnsupportedFunction(&CreateFunctionInput{FileSystemConfigs: in.FileSystemConfigs, DurableConfig: in.DurableConfig, CapacityProviderConfig: in.CapacityProviderConfig}); err != nil {
		return nil, err
	}
	if v.declared != nil {
		return nil, refuseDeclared(t, in)
	}
	if err := s.checkDeadLetter(ctx, in.DeadLetterConfig); err != nil {
		return nil, err
	}
	c, err := s.update(ctx, t, in.RevisionId, false, false, func() {}, func(_ *store.Tx, f *function) error { return f.Latest.change(t, in) })
	if err != nil {
		return nil, err
	}
	out := UpdateFunctionConfigurationOutput(*c)
	return &out, nil
}

// refuseDeclared names what an update would change of a function of the stack, by the names that the stack's files have for it.
func refuseDeclared(t target, in *UpdateFunctionConfigurationInput) error {
	var names []string
	for _, p := range []struct {
		name  string
		given bool
	}{
		{"role", in.Role != nil}, {"handler", in.Handler != nil}, {"description", in.Description != nil}, {"timeout", in.Timeout != nil},
		{"memory", in.MemorySize != nil}, {"environment", in.Environment != nil}, {"runtime", in.Runtime != nil}, {"layers", in.Layers != nil},
		{"VpcConfig", in.VpcConfig != nil}, {"DeadLetterConfig", in.DeadLetterConfig != nil}, {"KMSKeyArn", in.KMSKeyArn != nil},
		{"TracingConfig", in.TracingConfig != nil}, {"ImageConfig", in.ImageConfig != nil}, {"EphemeralStorage", in.EphemeralStorage != nil},
		{"SnapStart", in.SnapStart != nil}, {"LoggingConfig", in.LoggingConfig != nil},
	} {
		if p.given {
			names = append(names, p.name)
		}
	}
	return byUser(errInvalidParameterValueException("Function %s is declared in the stack's files, where its configuration is changed (here: %s).", t.Name, strings.Join(names, ", ")))
}

// change sets what is given of a version's settings.
func (v *version) change(t target, in *UpdateFunctionConfigurationInput) error {
	if in.Runtime != nil {
		if err := checkRuntime(*in.Runtime); err != nil {
			return err
		}
	}
	if v.Package == PackageTypeImage && (in.Runtime != nil || in.Handler != nil || len(in.Layers) > 0) {
		return byUser(errInvalidParameterValueException(msgImageParts))
	}
	if v.Package == PackageTypeZip && in.ImageConfig != nil && !emptyImageConfig(in.ImageConfig) {
		return byUser(errInvalidParameterValueException("Please don't provide ImageConfig when using Zip packages.")) // a guess
	}
	assign(&v.Runtime, in.Runtime)
	assign(&v.Role, in.Role)
	assign(&v.Handler, in.Handler)
	assign(&v.Description, in.Description)
	assign(&v.Timeout, in.Timeout)
	assign(&v.Memory, in.MemorySize)
	assign(&v.KMSKey, in.KMSKeyArn)
	if in.Environment != nil {
		if err := checkEnvironment(in.Environment.Variables); err != nil {
			return err
		}
		v.Environment = in.Environment.Variables
		if v.Environment == nil {
			v.Environment = map[string]string{}
		}
	}
	if in.Layers != nil {
		if len(in.Layers) > maxLayers {
			return byUser(errInvalidParameterValueException(msgLayerCount))
		}
		v.Layers = attachments(in.Layers)
	}
	if in.EphemeralStorage != nil {
		v.Storage = *in.EphemeralStorage.Size
	}
	if in.TracingConfig != nil {
		assign(&v.Tracing, in.TracingConfig.Mode)
	}
	if in.SnapStart != nil {
		assign(&v.SnapStart, in.SnapStart.ApplyOn)
	}
	if v.SnapStart == SnapStartApplyOnPublishedVersions && v.Package == PackageTypeZip && !snapped().MatchString(v.Runtime) {
		return byUser(errInvalidParameterValueException(msgSnapStart, v.Runtime))
	}
	if in.VpcConfig != nil {
		v.VPC = inNetwork(in.VpcConfig)
	}
	if in.DeadLetterConfig != nil {
		if v.DeadLetter = in.DeadLetterConfig; deref(v.DeadLetter.TargetArn) == "" {
			v.DeadLetter = nil
		}
	}
	if in.ImageConfig != nil {
		if v.ImageConfig = in.ImageConfig; emptyImageConfig(in.ImageConfig) {
			v.ImageConfig = nil
		}
	}
	return v.changeLog(in.LoggingConfig)
}

func emptyImageConfig(c *ImageConfig) bool {
	return len(c.EntryPoint) == 0 && len(c.Command) == 0 && deref(c.WorkingDirectory) == ""
}

// inNetwork is a function's place in a VPC. Networks are not emulated, and a function reaches everything from where it is; so it is
// shown, and which VPC the subnets belong to is not known.
func inNetwork(in *VpcConfig) *VpcConfigResponse {
	out := &VpcConfigResponse{SubnetIds: in.SubnetIds, SecurityGroupIds: in.SecurityGroupIds, VpcId: new(""), Ipv6AllowedForDualStack: in.Ipv6AllowedForDualStack}
	if out.Ipv6AllowedForDualStack == nil {
		out.Ipv6AllowedForDualStack = new(false)
	}
	if out.SubnetIds == nil {
		out.SubnetIds = []string{}
	}
	if out.SecurityGroupIds == nil {
		out.SecurityGroupIds = []string{}
	}
	return out
}

// textLog is the LoggingConfig of a function that names none.
func textLog(name string) LoggingConfig {
	return LoggingConfig{LogFormat: new(LogFormatText), LogGroup: new("/aws/lambda/" + name)}
}

// changeLog sets what is given of the LoggingConfig. Levels are of JSON alone, where both are INFO unless they are given. Recorded answers.
func (v *version) changeLog(in *LoggingConfig) error {
	if in == nil {
		return nil
	}
	log := v.Log
	if in.LogFormat != nil {
		log.LogFormat = in.LogFormat
	}
	if in.LogGroup != nil {
		log.LogGroup = in.LogGroup
	}
	if *log.LogFormat == LogFormatText {
		if in.ApplicationLogLevel != nil || in.SystemLogLevel != nil {
			return byUser(errInvalidParameterValueException(msgLogLevels))
		}
		log.ApplicationLogLevel, log.SystemLogLevel = nil, nil
		v.Log = log
		return nil
	}
	if in.ApplicationLogLevel != nil {
		log.ApplicationLogLevel = in.ApplicationLogLevel
	}
	if in.SystemLogLevel != nil {
		log.SystemLogLevel = in.SystemLogLevel
	}
	if log.ApplicationLogLevel == nil {
		log.ApplicationLogLevel = new(ApplicationLogLevelInfo)
	}
	if log.SystemLogLevel == nil {
		log.SystemLogLevel = new(SystemLogLevelInfo)
	}
	v.Log = log
	return nil
}
