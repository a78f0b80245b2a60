package lambda

import (
	"context"
	"net/http"

	"devstack/emulators/proxyevent"
)

// urlAuthorizer is who calls a URL by signing.
//
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-request-payload
type urlAuthorizer struct {
	IAM urlIdentity `json:"iam"`
}

type urlIdentity struct {
	AccessKey       string  `json:"accessKey"`
	AccountID       string  `json:"accountId"`
	CallerID        string  `json:"callerId"`
	CognitoIdentity *string `json:"cognitoIdentity"` // function URLs have none
	PrincipalOrgID  *string `json:"principalOrgId"`  // devstack has no organisations
	UserARN         string  `json:"userArn"`
	UserID          string  `json:"userId"`
}

// The placeholders that function URLs have in place of what API Gateway has there.
const (
	defaultRoute = "$default"
	anonymous    = "anonymous" // seen: https://github.com/localstack/localstack/pull/6342, review of 2022-08-03
)

// newURLEvent describes a request.
func (x *urlExchange) newURLEvent(ctx context.Context, r *http.Request, body []byte) *proxyevent.Event {
	ev := proxyevent.New(ctx, r, body, x.s.Clock.Now())
	ev.RouteKey = defaultRoute
	c := &ev.RequestContext
	c.AccountID, c.APIID, c.DomainPrefix, c.RequestID, c.RouteKey, c.Stage = anonymous, x.url.ID, x.url.ID, x.id, defaultRoute, defaultRoute
	if x.caller != nil {
		c.AccountID, c.Authorizer = x.caller.AccountID, &urlAuthorizer{*x.caller}
	}
	return ev
}
