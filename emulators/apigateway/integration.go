package apigateway

import (
	"context"
	"regexp"
	"sync"

	"devstack/emulators/store"
)

// Integration types, methods and timeouts.
//
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-integrations.html
const (
	defaultTimeout  = 30000 // milliseconds
	stepFunctions   = "StepFunctions-"
	startExecution  = stepFunctions + "StartExecution"
	startSync       = stepFunctions + "StartSyncExecution"
	stopExecution   = stepFunctions + "StopExecution"
	payloadVersion2 = "2.0"
)

// functionARN finds a function's ARN in an integration's URI: the ARN itself, or API Gateway's path to it.
var functionARN = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[a-zA-Z0-9-_]+(?::[a-zA-Z0-9-_$]+)?`)
})

// CreateIntegration declares what a route calls: a function (AWS_PROXY with its ARN, payload format 2.0), an HTTP server
// (HTTP_PROXY with its URL), or Step Functions (AWS_PROXY with a subtype). TimeoutInMillis is 50 to 30000, the default.
// Anything else is refused by name.
//
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-integrations.html
func (s *Service) CreateIntegration(ctx context.Context, in *CreateIntegrationInput) (out *CreateIntegrationOutput, err error) {
	i := Integration{
		IntegrationId: new(s.IDs.From(alphabet, 7)), IntegrationType: in.IntegrationType, IntegrationUri: in.IntegrationUri,
		IntegrationMethod: in.IntegrationMethod, IntegrationSubtype: in.IntegrationSubtype, PayloadFormatVersion: in.PayloadFormatVersion,
		RequestParameters: in.RequestParameters, TimeoutInMillis: in.TimeoutInMillis, Description: in.Description,
		CredentialsArn: in.CredentialsArn, ConnectionType: in.ConnectionType, ConnectionId: in.ConnectionId,
		ResponseParameters: in.ResponseParameters, RequestTemplates: in.RequestTemplates, ContentHandlingStrategy: in.ContentHandlingStrategy,
		PassthroughBehavior: in.PassthroughBehavior, TemplateSelectionExpression: in.TemplateSelectionExpression,
	}
	if in.TlsConfig != nil {
		i.TlsConfig = &TlsConfig{ServerNameToVerify: in.TlsConfig.ServerNameToVerify}
	}
	if err := i.check("CreateIntegration"); err != nil {
		return nil, err
	}
	err = s.update(ctx, in.ApiId, func(tx *store.Tx, k scope, _ *Api) error {
		integrations.Put(tx, i, k.account, k.region, k.api, *i.IntegrationId)
		out = new(CreateIntegrationOutput(i))
		return nil
	})
	return out, err
}

// check completes an integration by its defaults and refuses what the data plane would not do.
func (i *Integration) check(operation string) error {
	if err := unsupported(operation, []parameter{
		{"ConnectionType VPC_LINK", i.ConnectionType != nil && *i.ConnectionType != ConnectionTypeInternet}, {"TlsConfig", i.TlsConfig != nil},
		{"ResponseParameters", len(i.ResponseParameters) > 0}, {"RequestTemplates", len(i.RequestTemplates) > 0},
		{"ContentHandlingStrategy", i.ContentHandlingStrategy != nil}, {"PassthroughBehavior", i.PassthroughBehavior != nil},
		{"TemplateSelectionExpression", i.TemplateSelectionExpression != nil},
	}); err != nil {
		return err
	}
	if i.TimeoutInMillis == nil {
		i.TimeoutInMillis = new(int32(defaultTimeout))
	}
	if i.ConnectionType == nil {
		i.ConnectionType = new(ConnectionTypeInternet)
	}
	switch {
	case i.IntegrationSubtype != nil:
		return i.checkSubtype(operation)
	case *i.IntegrationType == IntegrationTypeAwsProxy:
		return i.checkFunction(operation)
	case *i.IntegrationType == IntegrationTypeHttpProxy:
		return i.checkHTTP(operation)
	}
	return errBadRequestException("Only AWS_PROXY and HTTP_PROXY integration types are supported for HTTP protocol Apis") // a guess
}

func (i *Integration) checkSubtype(operation string) error {
	switch *i.IntegrationSubtype {
	case startExecution, startSync, stopExecution:
	default:
		return unsupported(operation, []parameter{{"IntegrationSubtype " + *i.IntegrationSubtype, true}})
	}
	i.PayloadFormatVersion = new("1.0")
	return nil
}

func (i *Integration) checkFunction(operation string) error {
	if i.IntegrationUri == nil || functionARN().FindString(*i.IntegrationUri) == "" {
		return errBadRequestException("Invalid function ARN or invalid uri") // a guess
	}
	if i.PayloadFormatVersion == nil {
		return errBadRequestException("PayloadFormatVersion is a required parameter for integration") // https://repost.aws (as answered by the CLI)
	}
	return unsupported(operation, []parameter{
		{"PayloadFormatVersion " + *i.PayloadFormatVersion, *i.PayloadFormatVersion != payloadVersion2},
		{"RequestParameters of a function", len(i.RequestParameters) > 0},
	})
}

func (i *Integration) checkHTTP(operation string) error {
	if i.IntegrationUri == nil {
		return errBadRequestException("HTTP integration must have a URI") // a guess
	}
	if i.IntegrationMethod == nil {
		return errBadRequestException("HttpMethod must be set for HTTP_PROXY integration") // a guess
	}
	i.PayloadFormatVersion = new("1.0")
	return unsupported(operation, []parameter{{"RequestParameters of an HTTP integration", len(i.RequestParameters) > 0}})
}

// GetIntegration returns an integration.
//
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-integrations-integrationid.html
func (s *Service) GetIntegration(ctx context.Context, in *GetIntegrationInput) (out *GetIntegrationOutput, err error) {
	err = s.view(ctx, in.ApiId, func(tx *store.Tx, k scope, _ *Api) error {
		i, err := find(tx, integrations, k, in.IntegrationId, errNotFoundException(msgNoIntegration, *in.IntegrationId))
		if err != nil {
			return err
		}
		out = new(GetIntegrationOutput(*i))
		return nil
	})
	return out, err
}

// GetIntegrations lists an API's integrations.
//
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-integrations.html
func (s *Service) GetIntegrations(ctx context.Context, in *GetIntegrationsInput) (out *GetIntegrationsOutput, err error) {
	err = s.view(ctx, in.ApiId, func(tx *store.Tx, k scope, _ *Api) (err error) {
		out = &GetIntegrationsOutput{}
		out.Items, out.NextToken, err = page(tx, integrations, k, in.MaxResults, in.NextToken, func(i *Integration) *string { return i.IntegrationId })
		return err
	})
	return out, err
}

// UpdateIntegration changes what is given of an integration.
//
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-integrations-integrationid.html
func (s *Service) UpdateIntegration(ctx context.Context, in *UpdateIntegrationInput) (out *UpdateIntegrationOutput, err error) {
	err = s.update(ctx, in.ApiId, func(tx *store.Tx, k scope, _ *Api) error {
		i, err := find(tx, integrations, k, in.IntegrationId, errNotFoundException(msgNoIntegration, *in.IntegrationId))
		if err != nil {
			return err
		}
		set(&i.IntegrationType, in.IntegrationType)
		set(&i.IntegrationUri, in.IntegrationUri)
		set(&i.IntegrationMethod, in.IntegrationMethod)
		set(&i.IntegrationSubtype, in.IntegrationSubtype)
		set(&i.PayloadFormatVersion, in.PayloadFormatVersion)
		set(&i.TimeoutInMillis, in.TimeoutInMillis)
		set(&i.Description, in.Description)
		set(&i.CredentialsArn, in.CredentialsArn)
		set(&i.ConnectionType, in.ConnectionType)
		set(&i.ContentHandlingStrategy, in.ContentHandlingStrategy)
		set(&i.PassthroughBehavior, in.PassthroughBehavior)
		set(&i.TemplateSelectionExpression, in.TemplateSelectionExpression)
		if in.RequestParameters != nil {
			i.RequestParameters = in.RequestParameters
		}
		if in.TlsConfig != nil {
			i.TlsConfig = &TlsConfig{ServerNameToVerify: in.TlsConfig.ServerNameToVerify}
		}
		i.ResponseParameters, i.RequestTemplates = in.ResponseParameters, in.RequestTemplates
		if err := i.check("UpdateIntegration"); err != nil {
			return err
		}
		integrations.Put(tx, *i, k.account, k.region, k.api, *i.IntegrationId)
		out = new(UpdateIntegrationOutput(*i))
		return nil
	})
	return out, err
}

// DeleteIntegration removes an integration. ConflictException while a route has it for its target.
//
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-integrations-integrationid.html
func (s *Service) DeleteIntegration(ctx context.Context, in *DeleteIntegrationInput) (*DeleteIntegrationOutput, error) {
	return &DeleteIntegrationOutput{}, s.update(ctx, in.ApiId, func(tx *store.Tx, k scope, _ *Api) error {
		for r := range routes.All(tx, k.account, k.region, k.api) {
			if r.Target != nil && *r.Target == targetPrefix+*in.IntegrationId {
				return errConflictException("Cannot delete Integration %s. It is referenced by Route %s.", *in.IntegrationId, *r.RouteId) // a guess
			}
		}
		if !integrations.Delete(tx, k.account, k.region, k.api, *in.IntegrationId) {
			return errNotFoundException(msgNoIntegration, *in.IntegrationId)
		}
		return nil
	})
}
