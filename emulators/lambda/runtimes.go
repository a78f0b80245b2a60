package lambda

import (
	"context"

	"devstack/emulators/store"
)

// managements are how functions get newer versions of their runtimes, by account, region, name and version.
var managements = store.NewTable[management]("managements")

// management is a runtime management configuration. There is one version of each runtime here, the one that is installed, so the ways to
// get newer ones are all the same.
type management struct {
	Mode string  // "Auto", "FunctionUpdate", "Manual"
	ARN  *string // of the runtime's version, with Manual
}

func init() {
	forgetting = append(forgetting, func(tx *store.Tx, t target) {
		if t.Qualifier == "" {
			managements.Clear(tx, t.key()...)
			return
		}
		managements.Delete(tx, t.key(t.Qualifier)...)
	})
}

const (
	msgManual         = "You must provide the runtime version ARN when the update mode is Manual." // a guess
	msgNotManual      = "The runtime version ARN can only be used when the update mode is Manual." // a guess
	msgRuntimeVersion = "The runtime version %s is not available here; functions run with %s."     // ours
)

// PutRuntimeManagementConfig says when a version of a function gets a newer version of its runtime. RuntimeVersionArn is that of the
// one that there is, and goes with Manual.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_PutRuntimeManagementConfig.html
func (s *Service) PutRuntimeManagementConfig(ctx context.Context, in *PutRuntimeManagementConfigInput) (*PutRuntimeManagementConfigOutput, error) {
	t, v, err := s.find(ctx, *in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	manual := *in.UpdateRuntimeOn == UpdateRuntimeOnManual
	switch own := runtimeVersion(t.Region, v.Runtime); {
	case manual && in.RuntimeVersionArn == nil:
		return nil, byUser(errInvalidParameterValueException(msgManual))
	case !manual && in.RuntimeVersionArn != nil:
		return nil, byUser(errInvalidParameterValueException(msgNotManual))
	case manual && (own == nil || *own.RuntimeVersionArn != *in.RuntimeVersionArn):
		has := "one that has no ARN"
		if own != nil {
			has = *own.RuntimeVersionArn
		}
		return nil, byUser(errInvalidParameterValueException(msgRuntimeVersion, *in.RuntimeVersionArn, has))
	}
	m := management{*in.UpdateRuntimeOn, in.RuntimeVersionArn}
	err = s.Store.Update(func(tx *store.Tx) error {
		s.touch(tx, t)
		managements.Put(tx, m, t.key(v.Number)...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &PutRuntimeManagementConfigOutput{FunctionArn: new(t.arn()), UpdateRuntimeOn: &m.Mode, RuntimeVersionArn: m.ARN}, nil
}

// GetRuntimeManagementConfig returns what PutRuntimeManagementConfig has set, Auto if it was not called.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_GetRuntimeManagementConfig.html
func (s *Service) GetRuntimeManagementConfig(ctx context.Context, in *GetRuntimeManagementConfigInput) (*GetRuntimeManagementConfigOutput, error) {
	t, v, err := s.find(ctx, *in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	m := management{Mode: UpdateRuntimeOnAuto}
	err = s.Store.View(func(tx *store.Tx) error {
		if kept, there := managements.Get(tx, t.key(v.Number)...); there {
			m = kept
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &GetRuntimeManagementConfigOutput{FunctionArn: new(t.arn()), UpdateRuntimeOn: &m.Mode, RuntimeVersionArn: m.ARN}, nil
}
