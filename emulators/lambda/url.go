package lambda

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"net"
	"strconv"
	"strings"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// urls are the function URLs, by account, region, function and qualifier ("" for none); urlTargets what each is of, by its id.
var (
	urls       = store.NewTable[functionURL]("urls")
	urlTargets = store.NewTable[target]("urltargets")
)

// functionURL is the configuration of a function's URL.
type functionURL struct {
	ID                string
	Of                target
	Auth, Mode        string
	CORS              *Cors
	Created, Modified time.Time
}

// Messages in the service's words.
const (
	msgURLExists     = "Failed to create function url config for [functionArn = %s]. Error message:  FunctionUrlConfig exists for this Lambda function" // https://github.com/serverless/serverless/issues/11003
	msgNothing       = "The resource you requested does not exist."                                                                                     // recorded
	msgNoURLFunction = "Function does not exist"                                                                                                        // a guess, after event source mappings
)

// urlID is the part of a URL that stands for the function or alias: made of its ARN, so that it is the same whenever a function of the
// name has a URL, and can be known ahead. Lambda's own is made of such things too, by a rule that is not published.
//
// https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html
func urlID(arn string) string {
	sum := sha256.Sum256([]byte(arn))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:20]))
}

// ListensOn tells the port at which function URLs answer, for callers in process; those over HTTP get the port that they called.
func (s *Service) ListensOn(port int) { s.port.Store(int64(port)) }

// address is where a URL answers. Names below localhost are this machine, whatever a resolver is configured to.
func (s *Service) address(ctx context.Context, u *functionURL) string {
	port := ""
	if _, p, err := net.SplitHostPort(wire.From(ctx).Host); err == nil && p != "" {
		port = ":" + p
	} else if p := s.port.Load(); p != 0 {
		port = ":" + strconv.FormatInt(p, 10)
	}
	return "http://" + u.ID + ".lambda-url." + u.Of.Region + ".localhost" + port + "/"
}

// urlTarget returns what a request about a URL means: a function, or an alias of it.
func (s *Service) urlTarget(ctx context.Context, ref string, qualifier *string, missing *wire.Error) (target, error) {
	t, err := parse(ctx, ref, qualifier)
	if err != nil {
		return t, err
	}
	if t.Qualifier == latest {
		t.Qualifier = ""
	}
	if s.exists(t) != nil {
		return t, byUser(missing)
	}
	return t, nil
}

func urlKey(t target) []any { return t.key(t.Qualifier) }

// CreateFunctionUrlConfig gives a function, or an alias of it, an address of its own, at which it is called over HTTP. AuthType is NONE
// (anybody) or AWS_IAM (who signs), InvokeMode BUFFERED (the default) or RESPONSE_STREAM. What Cors has is answered to browsers by the
// URL itself.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunctionUrlConfig.html
func (s *Service) CreateFunctionUrlConfig(ctx context.Context, in *CreateFunctionUrlConfigInput) (*CreateFunctionUrlConfigOutput, error) {
	t, err := s.urlTarget(ctx, *in.FunctionName, in.Qualifier, errResourceNotFoundException(msgNoURLFunction))
	if err != nil {
		return nil, err
	}
	now := s.Clock.Now()
	u := functionURL{ID: urlID(t.arn()), Of: t, Auth: *in.AuthType, Mode: InvokeModeBuffered, CORS: in.Cors, Created: now, Modified: now}
	assign(&u.Mode, in.InvokeMode)
	if err := s.Store.Update(func(tx *store.Tx) error {
		if _, there := urls.Get(tx, urlKey(t)...); there {
			return byUser(errResourceConflictException(msgURLExists, t.arn()))
		}
		urls.Put(tx, u, urlKey(t)...)
		urlTargets.Put(tx, t, u.ID)
		return nil
	}); err != nil {
		return nil, err
	}
	c := s.describeURL(ctx, &u)
	return &CreateFunctionUrlConfigOutput{
		FunctionUrl: c.FunctionUrl, FunctionArn: c.FunctionArn, AuthType: c.AuthType, Cors: c.Cors, CreationTime: c.CreationTime, InvokeMode: c.InvokeMode,
	}, nil
}

// UpdateFunctionUrlConfig changes what is given of a URL; its address stays.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionUrlConfig.html
func (s *Service) UpdateFunctionUrlConfig(ctx context.Context, in *UpdateFunctionUrlConfigInput) (*UpdateFunctionUrlConfigOutput, error) {
	t, err := s.urlTarget(ctx, *in.FunctionName, in.Qualifier, errResourceNotFoundException(msgNothing))
	if err != nil {
		return nil, err
	}
	var u functionURL
	if err := s.Store.Update(func(tx *store.Tx) error {
		var ok bool
		if u, ok = urls.Get(tx, urlKey(t)...); !ok {
			return byUser(errResourceNotFoundException(msgNothing))
		}
		assign(&u.Auth, in.AuthType)
		assign(&u.Mode, in.InvokeMode)
		if in.Cors != nil {
			u.CORS = in.Cors
		}
		u.Modified = s.Clock.Now()
		urls.Put(tx, u, urlKey(t)...)
		return nil
	}); err != nil {
		return nil, err
	}
	out := UpdateFunctionUrlConfigOutput(*s.describeURL(ctx, &u).asGet())
	return &out, nil
}

// GetFunctionUrlConfig returns the URL of a function or of an alias.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionUrlConfig.html
func (s *Service) GetFunctionUrlConfig(ctx context.Context, in *GetFunctionUrlConfigInput) (*GetFunctionUrlConfigOutput, error) {
	t, err := s.urlTarget(ctx, *in.FunctionName, in.Qualifier, errResourceNotFoundException(msgNothing))
	if err != nil {
		return nil, err
	}
	u, err := s.url(t)
	if err != nil {
		return nil, err
	}
	return s.describeURL(ctx, u).asGet(), nil
}

// url returns a target's URL, or the error that it has none.
func (s *Service) url(t target) (*functionURL, error) {
	var u functionURL
	var ok bool
	err := s.Store.View(func(tx *store.Tx) error { u, ok = urls.Get(tx, urlKey(t)...); return nil })
	if err == nil && !ok {
		err = byUser(errResourceNotFoundException(msgNothing))
	}
	return &u, err
}

// DeleteFunctionUrlConfig takes a URL away. A new one will have the same address, which on AWS it will not.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunctionUrlConfig.html
func (s *Service) DeleteFunctionUrlConfig(ctx context.Context, in *DeleteFunctionUrlConfigInput) (*DeleteFunctionUrlConfigOutput, error) {
	t, err := s.urlTarget(ctx, *in.FunctionName, in.Qualifier, errResourceNotFoundException(msgNothing))
	if err != nil {
		return nil, err
	}
	return nil, s.Store.Update(func(tx *store.Tx) error {
		u, ok := urls.Get(tx, urlKey(t)...)
		if !ok {
			return byUser(errResourceNotFoundException(msgNothing))
		}
		urls.Delete(tx, urlKey(t)...)
		urlTargets.Delete(tx, u.ID)
		return nil
	})
}

// ListFunctionUrlConfigs returns the URLs of a function and its aliases, MaxItems (1 to 50) at a time.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctionUrlConfigs.html
func (s *Service) ListFunctionUrlConfigs(ctx context.Context, in *ListFunctionUrlConfigsInput) (*ListFunctionUrlConfigsOutput, error) {
	t, err := s.urlTarget(ctx, *in.FunctionName, nil, errResourceNotFoundException(msgNoURLFunction))
	if err != nil {
		return nil, err
	}
	var out *ListFunctionUrlConfigsOutput
	const mostAtOnce = 50
	err = s.Store.View(func(tx *store.Tx) error {
		out = &ListFunctionUrlConfigsOutput{FunctionUrlConfigs: []FunctionUrlConfig{}}
		page := urls.All(tx, t.key()...)
		if in.Marker != nil {
			page = urls.After(tx, []any{qualifierOf(*in.Marker)}, t.key()...)
		}
		last := ""
		for u := range page {
			if len(out.FunctionUrlConfigs) == atMost(in.MaxItems, mostAtOnce) {
				out.NextMarker = &last
				return nil
			}
			if last = u.Of.Qualifier; last == "" {
				last = latest // a marker is never empty
			}
			out.FunctionUrlConfigs = append(out.FunctionUrlConfigs, *s.describeURL(ctx, &u))
		}
		return nil
	})
	return out, err
}

// qualifierOf is the qualifier that a marker stands for.
func qualifierOf(marker string) string {
	if marker == latest {
		return ""
	}
	return marker
}

// describeURL is a URL as the API shows it.
func (s *Service) describeURL(ctx context.Context, u *functionURL) *FunctionUrlConfig {
	const instant = "2006-01-02T15:04:05.000000Z"
	return &FunctionUrlConfig{
		FunctionUrl: new(s.address(ctx, u)), FunctionArn: new(u.Of.arn()), AuthType: &u.Auth, InvokeMode: &u.Mode, Cors: u.CORS,
		CreationTime: new(u.Created.UTC().Format(instant)), LastModifiedTime: new(u.Modified.UTC().Format(instant)),
	}
}

// asGet is the same with the members in the order that two answers have.
func (c *FunctionUrlConfig) asGet() *GetFunctionUrlConfigOutput {
	return &GetFunctionUrlConfigOutput{
		FunctionUrl: c.FunctionUrl, FunctionArn: c.FunctionArn, AuthType: c.AuthType, Cors: c.Cors,
		CreationTime: c.CreationTime, LastModifiedTime: c.LastModifiedTime, InvokeMode: c.InvokeMode,
	}
}
