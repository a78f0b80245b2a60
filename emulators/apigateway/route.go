package apigateway

import (
	"context"
	"regexp"
	"strings"
	"sync"

	"devstack/emulators/store"
)

const (
	defaultRoute = "$default"
	targetPrefix = "integrations/"
)

// routeKey is a method, ANY included, and a path whose variables are whole segments, the last one possibly greedy.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
var routeKey = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(ANY|GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (/(?:(?:[^/{}]+|\{[a-zA-Z0-9._-]+\})/)*(?:[^/{}]*|\{[a-zA-Z0-9._-]+\+?\}))$`)
})

// CreateRoute declares which requests go to which integration. RouteKey is "METHOD /path/{variable}/{greedy+}" or "$default",
// Target "integrations/ID". ConflictException if the API has a route of that key. Authorizers are not emulated.
//
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-routes.html
func (s *Service) CreateRoute(ctx context.Context, in *CreateRouteInput) (out *CreateRouteOutput, err error) {
	r := Route{
		RouteId: new(s.IDs.From(alphabet, 7)), RouteKey: in.RouteKey, Target: in.Target, OperationName: in.OperationName,
		ApiKeyRequired: new(false), AuthorizationType: new(AuthorizationTypeNone),
	}
	if err := refuseUnsupportedRoute("CreateRoute", &UpdateRouteInput{
		ApiKeyRequired: in.ApiKeyRequired, AuthorizationType: in.AuthorizationType, AuthorizerId: in.AuthorizerId, RequestParameters: in.RequestParameters,
		RequestModels: in.RequestModels, ModelSelectionExpression: in.ModelSelectionExpression, RouteResponseSelectionExpression: in.RouteResponseSelectionExpression,
	}); err != nil {
		return nil, err
	}
	err = s.update(ctx, in.ApiId, func(tx *store.Tx, k scope, _ *Api) error {
		if err := r.check(tx, k); err != nil {
			return err
		}
		routes.Put(tx, r, k.account, k.region, k.api, *r.RouteId)
		out = new(CreateRouteOutput(r))
		return nil
	})
	return out, err
}

func refuseUnsupportedRoute(operation string, in *UpdateRouteInput) error {
	return unsupported(operation, []parameter{
		{"AuthorizationType other than NONE", in.AuthorizationType != nil && *in.AuthorizationType != AuthorizationTypeNone}, {"AuthorizerId", in.AuthorizerId != nil},
		{"ApiKeyRequired", in.ApiKeyRequired != nil && *in.ApiKeyRequired}, {"RequestParameters", len(in.RequestParameters) > 0}, {"RequestModels", len(in.RequestModels) > 0},
		{"ModelSelectionExpression", in.ModelSelectionExpression != nil}, {"RouteResponseSelectionExpression", in.RouteResponseSelectionExpression != nil},
	})
}

// check holds a route against its API: its key is well-formed and its own, its target exists.
func (r *Route) check(tx *store.Tx, k scope) error {
	if *r.RouteKey != defaultRoute && !routeKey().MatchString(*r.RouteKey) {
		return errBadRequestException("The provided route key is not formatted properly for HTTP protocol. Format should be \"<HTTP METHOD> /<RESOURCE PATH>\" or \"$default\"") // as answered by the console
	}
	for other := range routes.All(tx, k.account, k.region, k.api) {
		if *other.RouteKey == *r.RouteKey && *other.RouteId != *r.RouteId {
			return errConflictException(msgRouteExists, *r.RouteKey)
		}
	}
	if r.Target == nil {
		return nil // it answers 500 until it has one
	}
	id, ok := strings.CutPrefix(*r.Target, targetPrefix)
	if !ok {
		return errBadRequestException("Invalid target %s. Format should be integrations/<integration-id>", *r.Target) // a guess
	}
	_, err := find(tx, integrations, k, &id, errNotFoundException(msgNoIntegration, id))
	return err
}

// GetRoute returns a route.
//
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-routes-routeid.html
func (s *Service) GetRoute(ctx context.Context, in *GetRouteInput) (out *GetRouteOutput, err error) {
	err = s.view(ctx, in.ApiId, func(tx *store.Tx, k scope, _ *Api) error {
		r, err := find(tx, routes, k, in.RouteId, errNotFoundException(msgNoRoute, *in.RouteId))
		if err != nil {
			return err
		}
		out = new(GetRouteOutput(*r))
		return nil
	})
	return out, err
}

// GetRoutes lists an API's routes.
//
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-routes.html
func (s *Service) GetRoutes(ctx context.Context, in *GetRoutesInput) (out *GetRoutesOutput, err error) {
	err = s.view(ctx, in.ApiId, func(tx *store.Tx, k scope, _ *Api) (err error) {
		out = &GetRoutesOutput{}
		out.Items, out.NextToken, err = page(tx, routes, k, in.MaxResults, in.NextToken, func(r *Route) *string { return r.RouteId })
		return err
	})
	return out, err
}

// UpdateRoute changes what is given of a route.
//
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-routes-routeid.html
func (s *Service) UpdateRoute(ctx context.Context, in *UpdateRouteInput) (out *UpdateRouteOutput, err error) {
	if err := refuseUnsupportedRoute("UpdateRoute", in); err != nil {
		return nil, err
	}
	err = s.update(ctx, in.ApiId, func(tx *store.Tx, k scope, _ *Api) error {
		r, err := find(tx, routes, k, in.RouteId, errNotFoundException(msgNoRoute, *in.RouteId))
		if err != nil {
			return err
		}
		set(&r.RouteKey, in.RouteKey)
		set(&r.Target, in.Target)
		set(&r.OperationName, in.OperationName)
		if err := r.check(tx, k); err != nil {
			return err
		}
		routes.Put(tx, *r, k.account, k.region, k.api, *r.RouteId)
		out = new(UpdateRouteOutput(*r))
		return nil
	})
	return out, err
}

// DeleteRoute removes a route.
//
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-routes-routeid.html
func (s *Service) DeleteRoute(ctx context.Context, in *DeleteRouteInput) (*DeleteRouteOutput, error) {
	return &DeleteRouteOutput{}, s.update(ctx, in.ApiId, func(tx *store.Tx, k scope, _ *Api) error {
		if !routes.Delete(tx, k.account, k.region, k.api, *in.RouteId) {
			return errNotFoundException(msgNoRoute, *in.RouteId)
		}
		return nil
	})
}
