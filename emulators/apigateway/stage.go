package apigateway

import (
	"context"

	"devstack/emulators/store"
)

// defaultStage is the stage that is not part of the URL.
const defaultStage = "$default"

// CreateStage publishes an API: "$default" at the root of its URL, another stage below /NAME. Deployments are not emulated, so a
// stage has AutoDeploy: it always shows the API as it is.
//
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages.html
func (s *Service) CreateStage(ctx context.Context, in *CreateStageInput) (out *CreateStageOutput, err error) {
	if err := refuseUnsupportedStage("CreateStage", in.AutoDeploy == nil || !*in.AutoDeploy, &UpdateStageInput{
		AccessLogSettings: in.AccessLogSettings, ClientCertificateId: in.ClientCertificateId, DefaultRouteSettings: in.DefaultRouteSettings,
		DeploymentId: in.DeploymentId, RouteSettings: in.RouteSettings,
	}); err != nil {
		return nil, err
	}
	now := s.now()
	st := Stage{
		StageName: in.StageName, AutoDeploy: new(true), CreatedDate: &now, LastUpdatedDate: &now, Description: in.Description,
		StageVariables: in.StageVariables, Tags: in.Tags, DefaultRouteSettings: &RouteSettings{DetailedMetricsEnabled: new(false)},
		RouteSettings: map[string]RouteSettings{},
	}
	err = s.update(ctx, in.ApiId, func(tx *store.Tx, k scope, _ *Api) error {
		if _, taken := stages.Get(tx, k.account, k.region, k.api, *in.StageName); taken {
			return errConflictException(msgStageExists)
		}
		stages.Put(tx, st, k.account, k.region, k.api, *in.StageName)
		out = new(CreateStageOutput(st))
		return nil
	})
	return out, err
}

func refuseUnsupportedStage(operation string, manual bool, in *UpdateStageInput) error {
	return unsupported(operation, []parameter{
		{"a stage without AutoDeploy (deployments)", manual}, {"DeploymentId", in.DeploymentId != nil}, {"AccessLogSettings", in.AccessLogSettings != nil},
		{"ClientCertificateId", in.ClientCertificateId != nil}, {"DefaultRouteSettings", in.DefaultRouteSettings != nil}, {"RouteSettings", len(in.RouteSettings) > 0},
	})
}

// GetStage returns a stage.
//
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages-stagename.html
func (s *Service) GetStage(ctx context.Context, in *GetStageInput) (out *GetStageOutput, err error) {
	err = s.view(ctx, in.ApiId, func(tx *store.Tx, k scope, _ *Api) error {
		st, err := find(tx, stages, k, in.StageName, errNotFoundException(msgNoStage))
		if err != nil {
			return err
		}
		out = new(GetStageOutput(*st))
		return nil
	})
	return out, err
}

// GetStages lists an API's stages.
//
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages.html
func (s *Service) GetStages(ctx context.Context, in *GetStagesInput) (out *GetStagesOutput, err error) {
	err = s.view(ctx, in.ApiId, func(tx *store.Tx, k scope, _ *Api) (err error) {
		out = &GetStagesOutput{}
		out.Items, out.NextToken, err = page(tx, stages, k, in.MaxResults, in.NextToken, func(st *Stage) *string { return st.StageName })
		return err
	})
	return out, err
}

// UpdateStage changes a stage's description and variables.
//
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages-stagename.html
func (s *Service) UpdateStage(ctx context.Context, in *UpdateStageInput) (out *UpdateStageOutput, err error) {
	if err := refuseUnsupportedStage("UpdateStage", in.AutoDeploy != nil && !*in.AutoDeploy, in); err != nil {
		return nil, err
	}
	err = s.update(ctx, in.ApiId, func(tx *store.Tx, k scope, _ *Api) error {
		st, err := find(tx, stages, k, in.StageName, errNotFoundException(msgNoStage))
		if err != nil {
			return err
		}
		set(&st.Description, in.Description)
		if in.StageVariables != nil {
			st.StageVariables = in.StageVariables
		}
		st.LastUpdatedDate = new(s.now())
		stages.Put(tx, *st, k.account, k.region, k.api, *in.StageName)
		out = new(UpdateStageOutput(*st))
		return nil
	})
	return out, err
}

// DeleteStage takes a stage off the air.
//
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages-stagename.html
func (s *Service) DeleteStage(ctx context.Context, in *DeleteStageInput) (*DeleteStageOutput, error) {
	return &DeleteStageOutput{}, s.update(ctx, in.ApiId, func(tx *store.Tx, k scope, _ *Api) error {
		if !stages.Delete(tx, k.account, k.region, k.api, *in.StageName) {
			return errNotFoundException(msgNoStage)
		}
		return nil
	})
}
