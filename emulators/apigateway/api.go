package apigateway

import (
	"context"
	"maps"
	"strings"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// CreateApi declares an HTTP API. With Target it also makes what "quick create" makes: an integration with the target (a
// function's ARN or a URL), a route ($default unless RouteKey says otherwise) and the stage $default. WebSocket APIs are not
// emulated.
//
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html
func (s *Service) CreateApi(ctx context.Context, in *CreateApiInput) (*CreateApiOutput, error) {
	if err := unsupported("CreateApi", []parameter{
		{"ProtocolType WEBSOCKET", *in.ProtocolType != ProtocolTypeHttp}, {"DisableExecuteApiEndpoint", in.DisableExecuteApiEndpoint != nil && *in.DisableExecuteApiEndpoint},
		{"IpAddressType dualstack", in.IpAddressType != nil && *in.IpAddressType != IpAddressTypeIpv4},
		{"CredentialsArn", in.CredentialsArn != nil}, {"RouteSelectionExpression", in.RouteSelectionExpression != nil && *in.RouteSelectionExpression != defaultSelection},
	}); err != nil {
		return nil, err
	}
	if err := checkCORS(in.CorsConfiguration); err != nil {
		return nil, err
	}
	req := wire.From(ctx)
	a := Api{
		ApiId: new(s.IDs.From(alphabet, 10)), Name: in.Name, Description: in.Description, ProtocolType: in.ProtocolType, Version: in.Version,
		CorsConfiguration: in.CorsConfiguration, Tags: in.Tags, CreatedDate: new(s.now()), RouteSelectionExpression: new(defaultSelection),
		ApiKeySelectionExpression: new("$request.header.x-api-key"), DisableExecuteApiEndpoint: new(false), IpAddressType: new(IpAddressTypeIpv4),
	}
	if a.Tags == nil {
		a.Tags = map[string]string{}
	}
	a.ApiEndpoint = new("https://" + *a.ApiId + ".execute-api." + req.Region + ".amazonaws.com")
	k := scoped(ctx, *a.ApiId)
	if err := s.Store.Update(func(tx *store.Tx) error {
		apis.Put(tx, a, k.account, k.region, k.api)
		return nil
	}); err != nil {
		return nil, err
	}
	if in.Target != nil {
		if err := s.quickCreate(ctx, &a, in); err != nil {
			return nil, err
		}
	}
	out := CreateApiOutput(a)
	return &out, nil
}

// defaultSelection is how an HTTP API selects routes; there is no other way.
const defaultSelection = "${request.method} ${request.path}"

// quickCreate makes an API's integration, route and stage from a target.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop.html#apigateway-http-api-create
func (s *Service) quickCreate(ctx context.Context, a *Api, in *CreateApiInput) error {
	integration := &CreateIntegrationInput{ApiId: a.ApiId, IntegrationUri: in.Target}
	if strings.HasPrefix(*in.Target, "arn:") {
		integration.IntegrationType, integration.PayloadFormatVersion = new(IntegrationTypeAwsProxy), new("2.0")
	} else {
		integration.IntegrationType, integration.IntegrationMethod = new(IntegrationTypeHttpProxy), new("ANY")
		integration.PayloadFormatVersion = new("1.0")
	}
	made, err := s.CreateIntegration(ctx, integration)
	if err != nil {
		return err
	}
	key := in.RouteKey
	if key == nil {
		key = new(defaultRoute)
	}
	if _, err := s.CreateRoute(ctx, &CreateRouteInput{ApiId: a.ApiId, RouteKey: key, Target: new(targetPrefix + *made.IntegrationId)}); err != nil {
		return err
	}
	_, err = s.CreateStage(ctx, &CreateStageInput{ApiId: a.ApiId, StageName: new(defaultStage), AutoDeploy: new(true)})
	return err
}

// GetApi returns an API.
//
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid.html
func (s *Service) GetApi(ctx context.Context, in *GetApiInput) (out *GetApiOutput, err error) {
	err = s.view(ctx, in.ApiId, func(_ *store.Tx, _ scope, a *Api) error {
		out = new(GetApiOutput(*a))
		return nil
	})
	return out, err
}

// GetApis lists the APIs of the account and region.
//
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html
func (s *Service) GetApis(ctx context.Context, in *GetApisInput) (out *GetApisOutput, err error) {
	err = s.Store.View(func(tx *store.Tx) error {
		out = &GetApisOutput{}
		out.Items, out.NextToken, err = page(tx, apis, scoped(ctx, ""), in.MaxResults, in.NextToken, func(a *Api) *string { return a.ApiId })
		return err
	})
	return out, err
}

// UpdateApi changes what is given of an API.
//
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid.html
func (s *Service) UpdateApi(ctx context.Context, in *UpdateApiInput) (out *UpdateApiOutput, err error) {
	if err := unsupported("UpdateApi", []parameter{
		{"Target", in.Target != nil}, {"RouteKey", in.RouteKey != nil}, {"CredentialsArn", in.CredentialsArn != nil},
		{"DisableExecuteApiEndpoint", in.DisableExecuteApiEndpoint != nil && *in.DisableExecuteApiEndpoint},
		{"IpAddressType dualstack", in.IpAddressType != nil && *in.IpAddressType != IpAddressTypeIpv4},
		{"RouteSelectionExpression", in.RouteSelectionExpression != nil && *in.RouteSelectionExpression != defaultSelection},
	}); err != nil {
		return nil, err
	}
	if err := checkCORS(in.CorsConfiguration); err != nil {
		return nil, err
	}
	err = s.update(ctx, in.ApiId, func(tx *store.Tx, k scope, a *Api) error {
		set(&a.Name, in.Name)
		set(&a.Description, in.Description)
		set(&a.Version, in.Version)
		set(&a.CorsConfiguration, in.CorsConfiguration)
		apis.Put(tx, *a, k.account, k.region, k.api)
		out = new(UpdateApiOutput(*a))
		return nil
	})
	return out, err
}

// DeleteCorsConfiguration takes an API's CORS configuration away: from then on its integrations answer preflight requests.
//
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-cors.html
func (s *Service) DeleteCorsConfiguration(ctx context.Context, in *DeleteCorsConfigurationInput) (*DeleteCorsConfigurationOutput, error) {
	return &DeleteCorsConfigurationOutput{}, s.update(ctx, in.ApiId, func(tx *store.Tx, k scope, a *Api) error {
		a.CorsConfiguration = nil
		apis.Put(tx, *a, k.account, k.region, k.api)
		return nil
	})
}

// DeleteApi removes an API with all that belongs to it.
//
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid.html
func (s *Service) DeleteApi(ctx context.Context, in *DeleteApiInput) (*DeleteApiOutput, error) {
	return &DeleteApiOutput{}, s.update(ctx, in.ApiId, func(tx *store.Tx, k scope, _ *Api) error {
		apis.Delete(tx, k.account, k.region, k.api)
		routes.Clear(tx, k.account, k.region, k.api)
		integrations.Clear(tx, k.account, k.region, k.api)
		stages.Clear(tx, k.account, k.region, k.api)
		return nil
	})
}

// GetTags returns the tags of an API, by ARN (arn:aws:apigateway:REGION::/apis/ID). So do TagResource and UntagResource change
// them; stages cannot be tagged here.
//
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/tags-resource-arn.html
func (s *Service) GetTags(ctx context.Context, in *GetTagsInput) (out *GetTagsOutput, err error) {
	id, err := taggedAPI(*in.ResourceArn)
	if err != nil {
		return nil, err
	}
	err = s.view(ctx, id, func(_ *store.Tx, _ scope, a *Api) error {
		out = &GetTagsOutput{Tags: a.Tags}
		return nil
	})
	return out, err
}

// TagResource sets tags of an API. See GetTags.
//
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/tags-resource-arn.html
func (s *Service) TagResource(ctx context.Context, in *TagResourceInput) (*TagResourceOutput, error) {
	return &TagResourceOutput{}, s.changeTags(ctx, *in.ResourceArn, func(tags map[string]string) { maps.Copy(tags, in.Tags) })
}

// UntagResource removes tags of an API. See GetTags.
//
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/tags-resource-arn.html
func (s *Service) UntagResource(ctx context.Context, in *UntagResourceInput) (*UntagResourceOutput, error) {
	return &UntagResourceOutput{}, s.changeTags(ctx, *in.ResourceArn, func(tags map[string]string) {
		for _, k := range in.TagKeys {
			delete(tags, k)
		}
	})
}

func (s *Service) changeTags(ctx context.Context, arn string, change func(map[string]string)) error {
	id, err := taggedAPI(arn)
	if err != nil {
		return err
	}
	return s.update(ctx, id, func(tx *store.Tx, k scope, a *Api) error {
		change(a.Tags)
		apis.Put(tx, *a, k.account, k.region, k.api)
		return nil
	})
}

// taggedAPI returns the API's id in an ARN.
func taggedAPI(arn string) (*string, error) {
	_, id, ok := strings.Cut(arn, "/apis/")
	if !ok {
		return nil, errNotFoundException(msgBadResource)
	}
	if strings.Contains(id, "/") {
		return nil, wire.NotImplemented("apigateway: only APIs can be tagged, not %s", arn)
	}
	return &id, nil
}
