package iam

import (
	"context"
	"strings"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// msgNoCaller is what a role's session is told that asks about "the caller" where only users can be meant.
const msgNoCaller = "Must specify userName when calling with non-User credentials" // https://github.com/aws/aws-sdk-java/issues/1304

// named is the user that an operation is about: the one that the request names, or else the caller. Empty is the account's root.
func (s *service) named(ctx context.Context, name *string) (string, error) {
	if name != nil {
		return *name, nil
	}
	if strings.HasPrefix(wire.From(ctx).AccessKey, "ASIA") {
		return s.ofSession(ctx)
	}
	var user string
	err := s.Store.View(func(tx *store.Tx) error {
		if k, ok := keys.Get(tx, wire.From(ctx).AccessKey); ok && k.Account == wire.From(ctx).Account {
			user = k.User
		}
		return nil
	})
	return user, err
}

// ofSession is the user behind temporary credentials, whom STS knows.
func (s *service) ofSession(ctx context.Context) (string, error) {
	var who struct{ Arn string }
	if err := s.AWS.Call(ctx, "sts", "GetCallerIdentity", nil, &who); err != nil {
		return "", err
	}
	_, resource, _ := strings.Cut(who.Arn, "::"+wire.From(ctx).Account+":")
	switch kind, rest, _ := strings.Cut(resource, "/"); kind {
	case "root":
		return "", nil
	case "user":
		return rest[strings.LastIndexByte(rest, '/')+1:], nil
	}
	return "", errValidation(msgNoCaller)
}
