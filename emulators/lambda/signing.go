package lambda

import (
	"context"
	"strings"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// signings are the code signing configurations, by account, region and id.
//
// Nothing signs code here. So a function whose configuration enforces signatures takes no code at all, as on AWS it takes none that is
// not signed; one whose configuration warns takes all.
var signings = store.NewTable[signing]("signings")

// signing is a code signing configuration.
type signing struct {
	ID, ARN, Description string
	Publishers           []string // ARNs of signing profile versions
	Policy               string   // "Warn", "Enforce"
	Modified             time.Time
	Tags                 map[string]string
}

// Messages in the service's words.
const (
	msgNoSigning  = "The code signing configuration cannot be found. Check that the provided configuration is not deleted: %s." // a guess
	msgSigningUse = "Cannot delete the CodeSigningConfig because it is being used by a function."                               // a guess
	// https://github.com/aws/aws-cdk/issues/29474
	msgUnsigned = "Lambda cannot deploy the function. The function or layer might be signed using a signature that the client is not configured to accept. Check the provided signature for %s."
)

// CreateCodeSigningConfig makes a code signing configuration. Without policies code that is not signed is taken with a warning.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateCodeSigningConfig.html
func (s *Service) CreateCodeSigningConfig(ctx context.Context, in *CreateCodeSigningConfigInput) (*CreateCodeSigningConfigOutput, error) {
	if len(in.Tags) > maxTags {
		return nil, byUser(errInvalidParameterValueException(msgTooManyTags))
	}
	req := wire.From(ctx)
	c := signing{
		ID: "csc-" + s.IDs.From("0123456789abcdefghijklmnopqrstuvwxyz", 17), Description: deref(in.Description),
		Publishers: in.AllowedPublishers.SigningProfileVersionArns, Policy: CodeSigningPolicyWarn, Modified: s.Clock.Now(), Tags: in.Tags,
	}
	c.ARN = req.ARN("lambda", "code-signing-config:"+c.ID)
	if in.CodeSigningPolicies != nil {
		assign(&c.Policy, in.CodeSigningPolicies.UntrustedArtifactOnDeployment)
	}
	err := s.Store.Update(func(tx *store.Tx) error {
		signings.Put(tx, c, req.Account, req.Region, c.ID)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &CreateCodeSigningConfigOutput{CodeSigningConfig: c.describe()}, nil
}

// describe is a code signing configuration as the API shows it.
func (c *signing) describe() *CodeSigningConfig {
	return &CodeSigningConfig{
		CodeSigningConfigId: &c.ID, CodeSigningConfigArn: &c.ARN, Description: given(c.Description),
		AllowedPublishers:   &AllowedPublishers{SigningProfileVersionArns: c.Publishers},
		CodeSigningPolicies: &CodeSigningPolicies{UntrustedArtifactOnDeployment: &c.Policy}, LastModified: new(stamp(c.Modified)),
	}
}

// signingOf returns a code signing configuration by its ARN, and its key.
func signingOf(tx *store.Tx, arn string) (signing, []any, error) {
	parts := strings.Split(arn, ":") // the model's pattern has seven
	key := []any{parts[4], parts[3], parts[6]}
	c, there := signings.Get(tx, key...)
	if !there {
		return c, key, byUser(errResourceNotFoundException(msgNoSigning, arn))
	}
	return c, key, nil
}

// GetCodeSigningConfig returns a code signing configuration.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_GetCodeSigningConfig.html
func (s *Service) GetCodeSigningConfig(_ context.Context, in *GetCodeSigningConfigInput) (*GetCodeSigningConfigOutput, error) {
	out := &GetCodeSigningConfigOutput{}
	return out, s.Store.View(func(tx *store.Tx) error {
		c, _, err := signingOf(tx, *in.CodeSigningConfigArn)
		out.CodeSigningConfig = c.describe()
		return err
	})
}

// UpdateCodeSigningConfig changes what is given. It counts for what is deployed from then on.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateCodeSigningConfig.html
func (s *Service) UpdateCodeSigningConfig(_ context.Context, in *UpdateCodeSigningConfigInput) (*UpdateCodeSigningConfigOutput, error) {
	out := &UpdateCodeSigningConfigOutput{}
	now := s.Clock.Now()
	return out, s.Store.Update(func(tx *store.Tx) error {
		c, key, err := signingOf(tx, *in.CodeSigningConfigArn)
		if err != nil {
			return err
		}
		assign(&c.Description, in.Description)
		if in.AllowedPublishers != nil {
			c.Publishers = in.AllowedPublishers.SigningProfileVersionArns
		}
		if in.CodeSigningPolicies != nil {
			assign(&c.Policy, in.CodeSigningPolicies.UntrustedArtifactOnDeployment)
		}
		c.Modified = now
		signings.Put(tx, c, key...)
		out.CodeSigningConfig = c.describe()
		return nil
	})
}

// DeleteCodeSigningConfig removes a configuration that no function has.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteCodeSigningConfig.html
func (s *Service) DeleteCodeSigningConfig(_ context.Context, in *DeleteCodeSigningConfigInput) (*DeleteCodeSigningConfigOutput, error) {
	return &DeleteCodeSigningConfigOutput{}, s.Store.Update(func(tx *store.Tx) error {
		c, key, err := signingOf(tx, *in.CodeSigningConfigArn)
		if err != nil {
			return err
		}
		for f := range functions.All(tx, key[0], key[1]) {
			if f.Signing == c.ARN {
				return byUser(errResourceConflictException(msgSigningUse))
			}
		}
		signings.Delete(tx, key...)
		return nil
	})
}

// ListCodeSigningConfigs returns the configurations by id, MaxItems (at most 50) at a time.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_ListCodeSigningConfigs.html
func (s *Service) ListCodeSigningConfigs(ctx context.Context, in *ListCodeSigningConfigsInput) (*ListCodeSigningConfigsOutput, error) {
	req := wire.From(ctx)
	out := &ListCodeSigningConfigsOutput{}
	return out, s.Store.View(func(tx *store.Tx) error {
		*out = ListCodeSigningConfigsOutput{CodeSigningConfigs: []CodeSigningConfig{}}
		page := signings.All(tx, req.Account, req.Region)
		if in.Marker != nil {
			page = signings.After(tx, []any{*in.Marker}, req.Account, req.Region)
		}
		for c := range page {
			if n := len(out.CodeSigningConfigs); n == pageSize(in.MaxItems) {
				out.NextMarker = out.CodeSigningConfigs[n-1].CodeSigningConfigId
				return nil
			}
			out.CodeSigningConfigs = append(out.CodeSigningConfigs, *c.describe())
		}
		return nil
	})
}

// PutFunctionCodeSigningConfig gives a function a code signing configuration. It counts for what is deployed from then on.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionCodeSigningConfig.html
func (s *Service) PutFunctionCodeSigningConfig(ctx context.Context, in *PutFunctionCodeSigningConfigInput) (*PutFunctionCodeSigningConfigOutput, error) {
	t, err := parse(ctx, *in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	err = s.setSigning(t, *in.CodeSigningConfigArn)
	if err != nil {
		return nil, err
	}
	return &PutFunctionCodeSigningConfigOutput{CodeSigningConfigArn: in.CodeSigningConfigArn, FunctionName: &t.Name}, nil
}

// DeleteFunctionCodeSigningConfig takes a function's code signing configuration away.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunctionCodeSigningConfig.html
func (s *Service) DeleteFunctionCodeSigningConfig(ctx context.Context, in *DeleteFunctionCodeSigningConfigInput) (*DeleteFunctionCodeSigningConfigOutput, error) {
	t, err := parse(ctx, *in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	return &DeleteFunctionCodeSigningConfigOutput{}, s.setSigning(t, "")
}

// setSigning gives a function a code signing configuration by its ARN, "" for none. The code of a function of the stack is not deployed,
// so none would count for it.
func (s *Service) setSigning(t target, arn string) error {
	return s.Store.Update(func(tx *store.Tx) error {
		f, there := s.record(tx, t)
		if !there {
			return byUser(errResourceNotFoundException(msgNotFound, t.function()))
		}
		if arn != "" {
			if f.Latest == nil {
				return byUser(errInvalidParameterValueException(msgDeclaredCode, t.Name))
			}
			if _, _, err := signingOf(tx, arn); err != nil {
				return err
			}
		}
		f.Signing = arn
		functions.Put(tx, f, t.key()...)
		return nil
	})
}

// GetFunctionCodeSigningConfig returns the ARN of a function's code signing configuration; without one it is left out.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionCodeSigningConfig.html
func (s *Service) GetFunctionCodeSigningConfig(ctx context.Context, in *GetFunctionCodeSigningConfigInput) (*GetFunctionCodeSigningConfigOutput, error) {
	t, err := parse(ctx, *in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	out := &GetFunctionCodeSigningConfigOutput{FunctionName: &t.Name}
	return out, s.Store.View(func(tx *store.Tx) error {
		f, there := s.record(tx, t)
		if !there {
			return byUser(errResourceNotFoundException(msgNotFound, t.function()))
		}
		out.CodeSigningConfigArn = given(f.Signing)
		return nil
	})
}

// ListFunctionsByCodeSigningConfig returns the functions that have a configuration, MaxItems (at most 50) at a time.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctionsByCodeSigningConfig.html
func (s *Service) ListFunctionsByCodeSigningConfig(_ context.Context, in *ListFunctionsByCodeSigningConfigInput) (*ListFunctionsByCodeSigningConfigOutput, error) {
	out := &ListFunctionsByCodeSigningConfigOutput{}
	return out, s.Store.View(func(tx *store.Tx) error {
		*out = ListFunctionsByCodeSigningConfigOutput{FunctionArns: []string{}}
		c, key, err := signingOf(tx, *in.CodeSigningConfigArn)
		if err != nil {
			return err
		}
		page := functions.All(tx, key[0], key[1])
		if in.Marker != nil {
			page = functions.After(tx, []any{*in.Marker}, key[0], key[1])
		}
		last := ""
		for f := range page {
			if f.Signing != c.ARN {
				continue
			}
			if len(out.FunctionArns) == pageSize(in.MaxItems) {
				out.NextMarker = &last
				return nil
			}
			last = f.Name
			out.FunctionArns = append(out.FunctionArns, target{Account: f.Account, Region: f.Region, Name: f.Name}.function())
		}
		return nil
	})
}

// checkSignature refuses code where signatures are enforced: none is signed here.
func checkSignature(tx *store.Tx, f *function) error {
	if f.Signing == "" || f.Latest.Package == PackageTypeImage {
		return nil
	}
	c, _, err := signingOf(tx, f.Signing)
	if err != nil {
		return err
	}
	if c.Policy == CodeSigningPolicyEnforce {
		return byUser(errCodeVerificationFailedException(msgUnsigned, f.Name))
	}
	return nil
}
