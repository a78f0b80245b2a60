package lambda

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"devstack/emulators/store"
)

// configuration is a version as the API shows it. arn is the function's, with a qualifier if the request has named one.
func (s *Service) configuration(tx *store.Tx, t target, arn string, v *version) *FunctionConfiguration {
	c := &FunctionConfiguration{
		FunctionName: &t.Name, FunctionArn: &arn, Description: &v.Description, Role: &v.Role, Timeout: &v.Timeout, MemorySize: &v.Memory,
		LastModified: new(stamp(v.LastModified)), Version: &v.Number, PackageType: &v.Package,
		Architectures: []string{v.Architecture}, EphemeralStorage: &EphemeralStorage{Size: &v.Storage},
		TracingConfig: &TracingConfigResponse{Mode: &v.Tracing}, SnapStart: v.snapStart(), LoggingConfig: &v.Log,
		VpcConfig: v.VPC, DeadLetterConfig: v.DeadLetter, RevisionId: &v.Revision, State: &v.State,
		StateReason: given(v.StateReason), StateReasonCode: given(v.StateCode), LastUpdateStatus: given(v.Update),
		LastUpdateStatusReason: given(v.UpdateReason), LastUpdateStatusReasonCode: given(v.UpdateCode), KMSKeyArn: given(v.KMSKey),
	}
	sum, size := v.sum()
	c.CodeSha256, c.CodeSize = &sum, &size
	if v.declared != nil {
		c.RevisionId = new(revision(v.declared, sum))
		if f, ok := functions.Get(tx, t.key()...); ok && f.Revision != "" {
			c.RevisionId = new(mix(*c.RevisionId, f.Revision))
		}
	}
	for _, l := range v.Layers {
		c.Layers = append(c.Layers, Layer{Arn: &l.ARN, CodeSize: &l.Code.Size})
	}
	if v.Environment != nil {
		c.Environment = &EnvironmentResponse{Variables: v.Environment}
	}
	if v.Package == PackageTypeImage {
		if v.ImageConfig != nil {
			c.ImageConfigResponse = &ImageConfigResponse{ImageConfig: v.ImageConfig}
		}
	} else {
		c.Runtime, c.Handler = &v.Runtime, &v.Handler
		c.RuntimeVersionConfig = runtimeVersion(t.Region, v.Runtime)
	}
	return c
}

// sum is the SHA-256 of a version's code in base64, and its size in bytes.
func (v *version) sum() (string, int64) {
	if v.declared != nil {
		return v.declared.Code()
	}
	return v.Code.Sum, v.Code.Size
}

// snapStart shows SnapStart, which makes published versions start sooner and nothing else.
func (v *version) snapStart() *SnapStartResponse {
	status := SnapStartOptimizationStatusOff
	if v.Number != latest && v.SnapStart == SnapStartApplyOnPublishedVersions {
		status = SnapStartOptimizationStatusOn
	}
	return &SnapStartResponse{ApplyOn: &v.SnapStart, OptimizationStatus: &status}
}

// runtimeVersion names the version of a managed runtime. AWS's is a hash that says which patches it has; ours has no versions but the
// one that is installed here, so it is made of the runtime's name.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtime-management-identify.html
func runtimeVersion(region, runtime string) *RuntimeVersionConfig {
	if !known(runtime) {
		return nil
	}
	sum := sha256.Sum256([]byte(runtime))
	return &RuntimeVersionConfig{RuntimeVersionArn: new("arn:aws:lambda:" + region + "::runtime:" + hex.EncodeToString(sum[:]))}
}

// fingerprint distinguishes a version's code and configuration from another's.
func (v *version) fingerprint() string {
	sum, _ := v.sum()
	b, err := json.Marshal(v.settings)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	h := sha256.Sum256(append(b, sum...))
	return base64.StdEncoding.EncodeToString(h[:])
}

// version is a declared function as $LATEST.
func (f *Function) version() *version {
	v := &version{
		Number: latest, LastModified: f.LastModified, State: StateActive, Update: LastUpdateStatusSuccessful, declared: f,
		settings: settings{
			Description: f.Description, Role: f.Role, Runtime: f.Runtime, Handler: f.Handler, Timeout: f.Timeout, Memory: f.Memory, Storage: defaultStorage,
			Architecture: f.Architecture, Package: PackageTypeZip, Log: textLog(f.Name), Tracing: TracingModePassThrough, SnapStart: SnapStartApplyOnNone,
		},
	}
	if len(f.Environment) > 0 {
		v.Environment = f.Environment
	}
	if f.Storage > 0 {
		v.Storage = f.Storage
	}
	if f.Log != nil {
		v.Log = *f.Log
	}
	if f.Tracing != "" {
		v.Tracing = f.Tracing
	}
	if v.ImageConfig = f.ImageConfig; f.Image {
		v.Package = PackageTypeImage
	}
	if !f.Active {
		v.State, v.StateReason, v.Update, v.UpdateReason = StateFailed, f.StateReason, LastUpdateStatusFailed, f.StateReason
	}
	return v
}

// revision changes whenever a declared function does: it is made of its code's hash and the instant of its last change.
func revision(f *Function, sum string) string {
	return uuid(sum + f.LastModified.UTC().Format(time.RFC3339Nano))
}

// mix makes another identifier of two.
func mix(a, b string) string { return uuid(a + b) }

// uuid makes an identifier of a text, always the same one.
func uuid(text string) string {
	sum := sha256.Sum256([]byte(text))
	h := strings.ToLower(hex.EncodeToString(sum[:16]))
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// given is a member that is left out where it is empty.
func given(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
