package wire

import (
	"bytes"
	"mime"
	"net/http"
	"slices"
	"strings"
)

// scope is what a signature says of a request, be it in the Authorization header or in a presigned URL.
type scope struct{ accessKey, region, service string }

// signature finds a request's SigV4 credential: AKID/20260101/us-east-1/dynamodb/aws4_request.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-signing-elements.html
func signature(r *http.Request, query []formField) scope {
	credential := ""
	if auth := r.Header["Authorization"]; len(auth) > 0 && strings.HasPrefix(auth[0], "AWS4-") {
		if _, rest, ok := strings.Cut(auth[0], "Credential="); ok {
			credential, _, _ = strings.Cut(rest, ",")
		}
	}
	if credential == "" {
		credential = formValue(query, "X-Amz-Credential")
	}
	if credential == "" {
		return scope{}
	}
	key, rest, _ := strings.Cut(credential, "/")
	_, rest, _ = strings.Cut(rest, "/") // the date
	region, rest, more := strings.Cut(rest, "/")
	name, tail, _ := strings.Cut(rest, "/")
	if more && tail == "" { // SigV4A has no region: AKID/20260101/s3/aws4_request
		return scope{accessKey: key, service: region}
	}
	return scope{key, region, name}
}

// route finds the operation that a request means, and the protocol that it speaks.
func (x *exchange) route() error {
	r := x.r
	if r.URL.RawQuery != "" {
		q, err := parseForm(r.URL.RawQuery)
		if err != nil {
			return err
		}
		x.query = q
	}
	x.scope = signature(r, x.query)
	x.identify()
	x.rawPath = r.URL.EscapedPath()
	if done, err := x.routeRPC(); done || err != nil {
		return err
	}
	if target := r.Header["X-Amz-Target"]; len(target) > 0 {
		return x.routeTarget(target[0])
	}
	candidates := x.server.bySigning[x.scope.service]
	if len(candidates) == 0 || x.scope.service == "" {
		candidates = x.byHost()
	}
	if done, err := x.routeQuery(candidates); done || err != nil {
		return err
	}
	return x.routeREST(candidates)
}

// identify finds out whose request it is.
func (x *exchange) identify() {
	x.request.Account, x.request.Region = x.server.Account, x.server.Region
	x.request.AccessKey, x.request.Host = x.scope.accessKey, x.r.Host
	if isAccount(x.scope.accessKey) {
		x.request.Account = x.scope.accessKey
	}
	if x.scope.region != "" && x.scope.region != "*" {
		x.request.Region = x.scope.region
	}
}

func isAccount(key string) bool {
	if len(key) != 12 {
		return false
	}
	for i := range len(key) {
		if key[i]-'0' > 9 {
			return false
		}
	}
	return true
}

// routeRPC routes RPC-v2: /service/NAME/operation/NAME, whatever stands before it.
// https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
func (x *exchange) routeRPC() (bool, error) {
	if h := x.r.Header["Smithy-Protocol"]; len(h) == 0 || h[0] != "rpc-v2-cbor" {
		return false, nil
	}
	x.protocol = RPCv2CBOR
	_, rest, ok := strings.Cut(x.rawPath, "/service/")
	name, op, ok2 := strings.Cut(rest, "/operation/")
	if !ok || !ok2 {
		return true, Errorf("UnknownOperationException", 404, "The path %s is not /service/NAME/operation/NAME", x.rawPath)
	}
	svc := x.server.byTarget[name[strings.LastIndexByte(name, '.')+1:]]
	if svc == nil {
		return true, errNoService("the RPC service " + name)
	}
	return true, x.choose(svc, op)
}

// routeTarget routes the JSON protocols: X-Amz-Target: DynamoDB_20120810.PutItem.
func (x *exchange) routeTarget(target string) error {
	dot := strings.LastIndexByte(target, '.')
	if dot < 0 {
		dot = len(target)
	}
	x.protocol = AWSJSON11
	svc := x.server.byTarget[target[:dot]]
	if svc == nil {
		return errNoService("the target " + target)
	}
	if svc.speaks(AWSJSON10) {
		x.protocol = AWSJSON10
	}
	return x.choose(svc, strings.TrimPrefix(target[dot:], "."))
}

// byHost finds the services whose endpoint the client called: dynamodb.us-east-1.amazonaws.com, streams.dynamodb.….
func (x *exchange) byHost() []*service {
	var found []*service
	host := x.r.Host
	for _, s := range x.server.services {
		if p := s.Model.EndpointPrefix; p != "" && len(host) > len(p) && host[len(p)] == '.' && host[:len(p)] == p {
			found = append(found, s)
		}
	}
	return found
}

// routeQuery routes Query and EC2 requests: Action and Version in a form, or in the URL of a GET.
func (x *exchange) routeQuery(candidates []*service) (bool, error) {
	form := x.query
	if isForm(x.r.Header["Content-Type"]) {
		b, err := x.body()
		if err != nil {
			return true, err
		}
		// curl says of any body that it is a form; one without an Action is left to REST.
		inBody := bytes.HasPrefix(b, []byte("Action=")) || bytes.Contains(b, []byte("&Action="))
		if inBody || formValue(x.query, "Action") != "" {
			if form, err = parseForm(string(b)); err != nil {
				return true, err
			}
			if !inBody {
				form = append(form, x.query...)
			}
		}
	}
	action := formValue(form, "Action")
	if action == "" {
		return false, nil
	}
	version := formValue(form, "Version")
	x.form = form
	if len(candidates) == 0 {
		candidates = x.server.services
	} else if !slices.ContainsFunc(candidates, (*service).speaksQuery) {
		return false, nil // a REST service may have a parameter of that name
	}
	svc := queryService(candidates, action, version)
	if svc == nil {
		x.protocol = AWSQuery
		if len(candidates) == 1 {
			x.service = candidates[0]
			return true, x.unknownOperation(action)
		}
		return true, errNoService("the action " + action + " of version " + version)
	}
	x.protocol = AWSQuery
	if svc.speaks(EC2Query) {
		x.protocol = EC2Query
	}
	return true, x.choose(svc, action)
}

func isForm(contentType []string) bool {
	if len(contentType) == 0 {
		return false
	}
	const form = "application/x-www-form-urlencoded"
	if strings.HasPrefix(contentType[0], form) {
		return true
	}
	t, _, err := mime.ParseMediaType(contentType[0])
	return err == nil && t == form
}

// queryService finds the service that an action of a version belongs to; failing that, one of the version.
func queryService(services []*service, action, version string) *service {
	var first *service
	for _, s := range services {
		if !s.speaksQuery() || version != "" && version != s.Model.Version {
			continue
		}
		if s.lookups().operations[action] != nil {
			return s
		}
		if first == nil && version != "" {
			first = s
		}
	}
	return first
}

func (s *service) speaksQuery() bool { return s.speaks(AWSQuery) || s.speaks(EC2Query) }

func (s *service) speaks(p Protocol) bool {
	return slices.Contains(s.Model.Protocols, p)
}

// routeREST routes by method and URI.
func (x *exchange) routeREST(candidates []*service) error {
	if len(candidates) == 0 {
		if x.scope.service != "" {
			return errNoService("the service " + x.scope.service + " of the request's signature")
		}
		candidates = x.server.services
	}
	var best *operation
	for _, s := range candidates {
		for _, op := range s.lookups().rest {
			if best != nil && op.uri.weight() <= best.uri.weight() {
				break
			}
			if labels, ok := op.uri.match(x.r.Method, x.rawPath, x.query, x.labelBuf[:]); ok {
				best = op
				x.labels = append([]uriLabel(nil), labels...)
				break
			}
		}
	}
	if best != nil {
		x.service, x.op = best.service, best
		x.protocol = best.service.restProtocol()
		return nil
	}
	if x.scope.service == "" && len(candidates) == len(x.server.services) {
		return errNoService(x.r.Method + " " + x.rawPath)
	}
	x.service = candidates[0]
	x.protocol = x.service.restProtocol()
	if x.protocol == AWSQuery || x.protocol == EC2Query {
		// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonErrors.html
		return Errorf("MissingAction", 400, "The request is missing an action or a required parameter.")
	}
	return x.unknownOperation(x.r.Method + " " + x.rawPath)
}

func (s *service) restProtocol() Protocol {
	if s.speaks(RestXML) {
		return RestXML
	}
	if s.speaks(RestJSON1) {
		return RestJSON1
	}
	return s.Model.Protocols[0]
}

func (x *exchange) choose(svc *service, op string) error {
	x.service = svc
	x.op = svc.lookups().operations[op]
	if x.op == nil {
		return x.unknownOperation(op)
	}
	return nil
}

// unknownOperation words an operation that the service does not have, as its protocol does.
func (x *exchange) unknownOperation(op string) error {
	x.service.unknown.add(op)
	switch x.protocol {
	case AWSQuery, EC2Query:
		// IAM and STS, to an action that they do not have: "Could not find operation X for version Y".
		return Errorf("InvalidAction", 400, "Could not find operation %s for version %s", op, formValue(x.form, "Version"))
	case RestXML:
		return Errorf("MethodNotAllowed", 405, "The specified method is not allowed against this resource.")
	case RestJSON1:
		// API Gateway's front end, which all REST services of that kind share, answers 404 with this header and no words.
		return Errorf("UnknownOperationException", 404, "")
	}
	return Errorf("UnknownOperationException", 400, "")
}

// errNoService answers a request that belongs to no service of ours, and names what was asked for.
func errNoService(what string) *Error {
	return Errorf("UnknownService", 404, "devstack emulates no service for %s", what)
}
