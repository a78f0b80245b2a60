// Package sts emulates the Security Token Service: who the caller is, and temporary credentials.
//
// Any credentials are accepted, so a token is never checked; but an access key that AssumeRole handed out is remembered,
// and whoever signs with it is told that he is that role's session.
package sts

import (
	"context"
	"strings"
	"time"

	"devstack/emulators/kit"
	"devstack/emulators/store"
	"devstack/emulators/wire"
)

//go:generate go run ../wire/apigen -service sts -operations operations.txt

// sessions are the identities behind temporary access keys, by access key id.
var sessions = store.NewTable[session]("sessions")

// Durations of temporary credentials in seconds, by whom they are for.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_getsessiontoken.html
const (
	shortest        = 900
	longest         = 129600 // 36 hours, for users
	longestOfRole   = 43200  // 12 hours
	longestOfChain  = 3600   // of a role that a role's session assumes
	usualOfRole     = 3600
	usualOfUser     = 43200
	alphabetOfKeys  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	alphabetOfToken = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
)

// session is who signs with a temporary access key.
type session struct {
	Account, ARN, UserID string
	Expires              time.Time
}

// service implements the generated api interface.
type service struct{ kit.Env }

// New returns the STS emulator.
func New(env kit.Env) *wire.Service { return register(&service{env}) }

// GetCallerIdentity says whose credentials signed the request: a role's session, an IAM user, or else the account's root.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
func (s *service) GetCallerIdentity(ctx context.Context, _ *GetCallerIdentityInput) (*GetCallerIdentityOutput, error) {
	who, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	return &GetCallerIdentityOutput{Account: &who.Account, Arn: &who.ARN, UserId: &who.UserID}, nil
}

// caller returns the identity behind the request's access key.
func (s *service) caller(ctx context.Context) (session, error) {
	req := wire.From(ctx)
	root := session{Account: req.Account, ARN: "arn:aws:iam::" + req.Account + ":root", UserID: req.Account}
	switch {
	case isTemporary(req.AccessKey):
		who := root
		err := s.Store.View(func(tx *store.Tx) error {
			if found, ok := sessions.Get(tx, req.AccessKey); ok {
				who = found
			}
			return nil
		})
		return who, err
	case strings.HasPrefix(req.AccessKey, "AKIA"):
		return s.user(ctx, root), nil
	}
	return root, nil
}

// user returns the IAM user whose long-term access key signed the request, or otherwise if IAM does not know the key.
func (s *service) user(ctx context.Context, otherwise session) session {
	var key struct{ UserName string }
	if err := s.AWS.Call(ctx, "iam", "GetAccessKeyLastUsed", map[string]any{"AccessKeyId": wire.From(ctx).AccessKey}, &key); err != nil {
		return otherwise
	}
	var found struct{ User struct{ Arn, UserId string } }
	if err := s.AWS.Call(ctx, "iam", "GetUser", map[string]any{"UserName": key.UserName}, &found); err != nil {
		return otherwise
	}
	return session{Account: otherwise.Account, ARN: found.User.Arn, UserID: found.User.UserId}
}

// GetAccessKeyInfo says to which account an access key belongs. As we accept any key, it is the caller's own.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetAccessKeyInfo.html
func (s *service) GetAccessKeyInfo(ctx context.Context, in *GetAccessKeyInfoInput) (*GetAccessKeyInfoOutput, error) {
	account := wire.From(ctx).Account
	if len(*in.AccessKeyId) == 12 && strings.Trim(*in.AccessKeyId, "0123456789") == "" {
		account = *in.AccessKeyId
	}
	return &GetAccessKeyInfoOutput{Account: &account}, nil
}
