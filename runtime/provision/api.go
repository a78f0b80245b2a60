package provision

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"devstack/runtime/config"
)

// apiTag is the tag by which the APIs of a stack are known: its value is the block's name.
const apiTag = "devstack:api"

// api is an API as GetApis has it.
type api struct {
	ApiId             string
	Name              string
	CorsConfiguration *cors
	Tags              map[string]string
}

// cors is an API's cross-origin configuration. What is empty is not sent.
type cors struct {
	AllowOrigins     []string `json:",omitempty"`
	AllowMethods     []string `json:",omitempty"`
	AllowHeaders     []string `json:",omitempty"`
	ExposeHeaders    []string `json:",omitempty"`
	AllowCredentials bool
	MaxAge           int
}

// integration is what a route calls. Its ID is "" for one that is wanted.
type integration struct {
	IntegrationId        string `json:",omitempty"`
	IntegrationType      string
	IntegrationSubtype   string            `json:",omitempty"`
	IntegrationMethod    string            `json:",omitempty"`
	IntegrationUri       string            `json:",omitempty"`
	PayloadFormatVersion string            `json:",omitempty"`
	CredentialsArn       string            `json:",omitempty"`
	RequestParameters    map[string]string `json:",omitempty"`
	TimeoutInMillis      int
}

// same reports whether two integrations do the same.
func (i integration) same(other integration) bool {
	i.IntegrationId, other.IntegrationId = "", ""
	if len(i.RequestParameters)+len(other.RequestParameters) == 0 {
		i.RequestParameters, other.RequestParameters = nil, nil
	}
	return reflect.DeepEqual(i, other)
}

type route struct{ RouteId, RouteKey, Target string }

// APIID returns the ID of the stack's API of a name in AWS. There being none is an error.
func (p *Provisioner) APIID(ctx context.Context, name string) (string, error) {
	a, err := p.findAPI(ctx, func(a api) bool { return a.Name == name })
	if err != nil {
		return "", err
	}
	if a == nil {
		return "", fmt.Errorf("there is no API %q", name)
	}
	return a.ApiId, nil
}

// findAPI returns the first API of a stack that is wanted, nil if there is none.
func (p *Provisioner) findAPI(ctx context.Context, wanted func(api) bool) (*api, error) {
	apis, err := items[api](ctx, p, "GetApis", object{})
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(apis, func(a api) bool { return a.Tags[apiTag] != "" && wanted(a) })
	if i < 0 {
		return nil, nil
	}
	return &apis[i], nil
}

// items returns all pages of a listing.
func items[T any](ctx context.Context, p *Provisioner, operation string, in object) ([]T, error) {
	var all []T
	for {
		var out struct {
			Items     []T
			NextToken string
		}
		if err := p.call(ctx, "apigateway", operation, in, &out); err != nil {
			return nil, err
		}
		all = append(all, out.Items...)
		if out.NextToken == "" {
			return all, nil
		}
		in["NextToken"] = out.NextToken
	}
}

// applyAPI creates an API or brings it to what is declared. New routes and integrations are there before old ones go.
func (p *Provisioner) applyAPI(ctx context.Context, a *config.API) error {
	have, err := p.findAPI(ctx, func(x api) bool { return x.Tags[apiTag] == a.ID.Name })
	if err == nil && have == nil { // the block may have got another label: names are the stack's once
		have, err = p.findAPI(ctx, func(x api) bool { return x.Name == a.Name })
	}
	if err != nil {
		return err
	}
	if have == nil {
		if have, err = p.createAPI(ctx, a); err != nil {
			return err
		}
	} else if err := p.changeAPI(ctx, a, have); err != nil {
		return err
	}
	if err := p.changeRoutes(ctx, a, have.ApiId); err != nil {
		return err
	}
	return p.deployStage(ctx, have.ApiId)
}

// apiTags returns the declared tags and ours.
func apiTags(a *config.API) map[string]string {
	tags := map[string]string{apiTag: a.ID.Name}
	maps.Copy(tags, a.Tags)
	return tags
}

func corsInput(c *config.CORS) *cors {
	if c == nil {
		return nil
	}
	return &cors{c.AllowOrigins, c.AllowMethods, c.AllowHeaders, c.ExposeHeaders, c.AllowCredentials, c.MaxAge}
}

func (p *Provisioner) createAPI(ctx context.Context, a *config.API) (*api, error) {
	in := object{"Name": a.Name, "ProtocolType": "HTTP", "Tags": apiTags(a)}
	if c := corsInput(a.CORS); c != nil {
		in["CorsConfiguration"] = c
	}
	var out api
	return &out, p.call(ctx, "apigateway", "CreateApi", in, &out)
}

// changeAPI changes name, cross-origin configuration and tags.
func (p *Provisioner) changeAPI(ctx context.Context, a *config.API, have *api) error {
	change := object{}
	if have.Name != a.Name {
		change["Name"] = a.Name
	}
	want := corsInput(a.CORS)
	switch {
	case want != nil && (have.CorsConfiguration == nil || !sameCORS(*want, *have.CorsConfiguration)):
		change["CorsConfiguration"] = want
	case want == nil && have.CorsConfiguration != nil:
		if err := p.call(ctx, "apigateway", "DeleteCorsConfiguration", object{"ApiId": have.ApiId}, nil); err != nil {
			return err
		}
	}
	if len(change) > 0 {
		change["ApiId"] = have.ApiId
		if err := p.call(ctx, "apigateway", "UpdateApi", change, nil); err != nil {
			return err
		}
	}
	// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagementv2.html
	arn := "arn:aws:apigateway:" + p.region + "::/apis/" + have.ApiId
	set, remove := tagChanges(have.Tags, apiTags(a))
	if len(remove) > 0 {
		if err := p.call(ctx, "apigateway", "UntagResource", object{"ResourceArn": arn, "TagKeys": remove}, nil); err != nil {
			return err
		}
	}
	if len(set) == 0 {
		return nil
	}
	return p.call(ctx, "apigateway", "TagResource", object{"ResourceArn": arn, "Tags": set}, nil)
}

func sameCORS(a, b cors) bool {
	return slices.Equal(a.AllowOrigins, b.AllowOrigins) && slices.Equal(a.AllowMethods, b.AllowMethods) &&
		slices.Equal(a.AllowHeaders, b.AllowHeaders) && slices.Equal(a.ExposeHeaders, b.ExposeHeaders) &&
		a.AllowCredentials == b.AllowCredentials && a.MaxAge == b.MaxAge
}

// changeRoutes makes the API's routes the declared ones. Routes that call the same share an integration.
func (p *Provisioner) changeRoutes(ctx context.Context, a *config.API, id string) error {
	integrations, err := items[integration](ctx, p, "GetIntegrations", object{"ApiId": id})
	if err != nil {
		return err
	}
	routes, err := items[route](ctx, p, "GetRoutes", object{"ApiId": id})
	if err != nil {
		return err
	}
	used := map[string]bool{} // integrations by ID
	for _, r := range a.Routes {
		want, err := p.integration(ctx, a, r)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(integrations, want.same)
		if i < 0 {
			made, err := p.createIntegration(ctx, id, want)
			if err != nil {
				return fmt.Errorf("route %q: %w", r.Key, err)
			}
			i, integrations = len(integrations), append(integrations, made)
		}
		used[integrations[i].IntegrationId] = true
		if err := p.pointRoute(ctx, id, r.Key, integrations[i].IntegrationId, routes); err != nil {
			return fmt.Errorf("route %q: %w", r.Key, err)
		}
	}
	return p.sweep(ctx, a, id, routes, integrations, used)
}

func (p *Provisioner) createIntegration(ctx context.Context, id string, want integration) (integration, error) {
	in := struct {
		ApiId string
		integration
	}{id, want}
	var out struct{ IntegrationId string }
	err := p.call(ctx, "apigateway", "CreateIntegration", in, &out)
	want.IntegrationId = out.IntegrationId
	return want, err
}

// pointRoute makes a route call an integration.
func (p *Provisioner) pointRoute(ctx context.Context, id, key, integrationID string, routes []route) error {
	target := "integrations/" + integrationID
	i := slices.IndexFunc(routes, func(r route) bool { return r.RouteKey == key })
	switch {
	case i < 0:
		return p.call(ctx, "apigateway", "CreateRoute", object{"ApiId": id, "RouteKey": key, "Target": target}, nil)
	case routes[i].Target != target:
		return p.call(ctx, "apigateway", "UpdateRoute", object{"ApiId": id, "RouteId": routes[i].RouteId, "Target": target}, nil)
	}
	return nil
}

// sweep deletes routes that are not declared, then integrations that no route calls.
func (p *Provisioner) sweep(ctx context.Context, a *config.API, id string, routes []route, integrations []integration, used map[string]bool) error {
	for _, r := range routes {
		if slices.ContainsFunc(a.Routes, func(want config.Route) bool { return want.Key == r.RouteKey }) {
			continue
		}
		if err := p.call(ctx, "apigateway", "DeleteRoute", object{"ApiId": id, "RouteId": r.RouteId}, nil); err != nil {
			return err
		}
	}
	for _, i := range integrations {
		if used[i.IntegrationId] {
			continue
		}
		in := object{"ApiId": id, "IntegrationId": i.IntegrationId}
		if err := p.call(ctx, "apigateway", "DeleteIntegration", in, nil); err != nil {
			return err
		}
	}
	return nil
}

// integration returns what a route is to call.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations.html
func (p *Provisioner) integration(ctx context.Context, a *config.API, r config.Route) (integration, error) {
	i := integration{IntegrationType: "AWS_PROXY", TimeoutInMillis: r.TimeoutMS}
	switch {
	case r.Function != nil:
		i.IntegrationUri, i.PayloadFormatVersion = r.ARN, "2.0"
	case r.StateMachine != nil:
		role, err := p.role(ctx, a.Name)
		if err != nil {
			return i, err
		}
		i.IntegrationSubtype = "StepFunctions-StartExecution"
		if r.Express {
			i.IntegrationSubtype = "StepFunctions-StartSyncExecution"
		}
		i.PayloadFormatVersion, i.CredentialsArn = "1.0", role
		i.RequestParameters = map[string]string{"StateMachineArn": r.ARN, "Input": "$request.body"}
	default:
		i.IntegrationType, i.IntegrationMethod, i.PayloadFormatVersion = "HTTP_PROXY", "ANY", "1.0"
		i.IntegrationUri = upstream(r)
	}
	return i, nil
}

// upstream returns the URI of an HTTP integration: the server with the route's path, in which {name+} becomes {name}.
// A URL that says itself where the parts of the path go stays as it is. API Gateway adds the path of a request to
// $default by itself (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html).
func upstream(r config.Route) string {
	if r.Key == "$default" || strings.Contains(r.Upstream, "{") {
		return r.Upstream
	}
	_, path, _ := strings.Cut(r.Key, " ")
	return strings.TrimSuffix(r.Upstream, "/") + strings.ReplaceAll(path, "+}", "}")
}

// deployStage sees to the stage $default, which every change is deployed to at once.
func (p *Provisioner) deployStage(ctx context.Context, id string) error {
	const name = "$default"
	var have struct{ AutoDeploy bool }
	err := p.call(ctx, "apigateway", "GetStage", object{"ApiId": id, "StageName": name}, &have)
	stage := object{"ApiId": id, "StageName": name, "AutoDeploy": true}
	switch {
	case is(err, "NotFoundException"):
		return p.call(ctx, "apigateway", "CreateStage", stage, nil)
	case err == nil && !have.AutoDeploy:
		return p.call(ctx, "apigateway", "UpdateStage", stage, nil)
	}
	return err
}

func (p *Provisioner) removeAPI(ctx context.Context, a *config.API) error {
	have, err := p.findAPI(ctx, func(x api) bool { return x.Tags[apiTag] == a.ID.Name })
	if err != nil || have == nil {
		return err
	}
	return ignore(p.call(ctx, "apigateway", "DeleteApi", object{"ApiId": have.ApiId}, nil), "NotFoundException")
}
