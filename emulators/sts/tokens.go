package sts

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// Messages in the service's words.
const (
	msgInvalidARN = "%s is invalid" // recorded answer for a malformed RoleArn
	// The model gives DurationSeconds no bounds that differ by operation in words of its own: these are the constraint
	// checker's, with the numbers of the API reference.
	msgTooShort = "1 validation error detected: Value '%d' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to %d"
	msgTooLong  = "1 validation error detected: Value '%d' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to %d"
	msgOverRole = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
	msgChained  = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining." // https://github.com/prowler-cloud/prowler/issues/7721
	// https://github.com/aws/aws-sdk-net/issues/1704 and https://github.com/fwdcloudsec/granted/issues/151
	msgTemporary = "Cannot call %s with session credentials"
)

// AssumeRole returns temporary credentials for a role's session.
//
// DurationSeconds is 900 to the role's own maximum (at most 43200, and 3600 for who is a role's session himself), 3600 if not given. The role need not exist: nothing here
// is enforced, so that an application can assume the roles that only its real account has. ValidationError for an ARN that is
// none.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
func (s *service) AssumeRole(ctx context.Context, in *AssumeRoleInput) (*AssumeRoleOutput, error) {
	account, name, ok := roleOf(*in.RoleArn)
	if !ok {
		return nil, wire.Errorf("ValidationError", 400, msgInvalidARN, *in.RoleArn)
	}
	seconds, err := duration(in.DurationSeconds, usualOfRole, longestOfRole)
	if err != nil {
		return nil, err
	}
	if seconds > longestOfChain && isTemporary(wire.From(ctx).AccessKey) {
		return nil, wire.Errorf("ValidationError", 400, msgChained)
	}
	id, limit := s.role(ctx, account, name)
	if limit != 0 && seconds > limit {
		return nil, wire.Errorf("ValidationError", 400, msgOverRole)
	}
	who := session{
		Account: account, ARN: "arn:aws:sts::" + account + ":assumed-role/" + name + "/" + *in.RoleSessionName,
		UserID: id + ":" + *in.RoleSessionName,
	}
	c, err := s.issue(who, seconds)
	if err != nil {
		return nil, err
	}
	return &AssumeRoleOutput{
		Credentials: c, SourceIdentity: in.SourceIdentity, PackedPolicySize: packed(in.Policy),
		AssumedRoleUser: &AssumedRoleUser{Arn: &who.ARN, AssumedRoleId: &who.UserID},
	}, nil
}

// role returns the id of an account's role and the longest duration of its sessions in seconds. A role that IAM does not know has no
// such limit, and an id that follows from its name, so that it is the same each time.
func (s *service) role(ctx context.Context, account, name string) (id string, longest int32) {
	var found struct {
		Role struct {
			RoleId             string
			MaxSessionDuration int32
		}
	}
	r := *wire.From(ctx)
	r.Account = account
	if err := s.AWS.Call(wire.WithRequest(ctx, &r), "iam", "GetRole", map[string]any{"RoleName": name}, &found); err == nil {
		return found.Role.RoleId, found.Role.MaxSessionDuration
	}
	sum := sha256.Sum256([]byte(account + "/" + name))
	return "AROA" + base32.StdEncoding.EncodeToString(sum[:])[:17], 0
}

// isTemporary reports whether an access key came from this service.
func isTemporary(accessKey string) bool { return strings.HasPrefix(accessKey, "ASIA") }

// GetSessionToken returns temporary credentials of the caller's own identity. DurationSeconds is 900 to 129600, 43200 if not
// given.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
func (s *service) GetSessionToken(ctx context.Context, in *GetSessionTokenInput) (*GetSessionTokenOutput, error) {
	seconds, err := duration(in.DurationSeconds, usualOfUser, longest)
	if err != nil {
		return nil, err
	}
	if isTemporary(wire.From(ctx).AccessKey) {
		return nil, wire.Errorf("AccessDenied", 403, msgTemporary, "GetSessionToken")
	}
	who, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	c, err := s.issue(who, seconds)
	if err != nil {
		return nil, err
	}
	return &GetSessionTokenOutput{Credentials: c}, nil
}

// GetFederationToken returns temporary credentials for a user whom the caller vouches for by name. DurationSeconds is 900 to
// 129600, 43200 if not given.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
func (s *service) GetFederationToken(ctx context.Context, in *GetFederationTokenInput) (*GetFederationTokenOutput, error) {
	seconds, err := duration(in.DurationSeconds, usualOfUser, longest)
	if err != nil {
		return nil, err
	}
	if isTemporary(wire.From(ctx).AccessKey) {
		return nil, wire.Errorf("AccessDenied", 403, msgTemporary, "GetFederationToken")
	}
	account := wire.From(ctx).Account
	who := session{Account: account, ARN: "arn:aws:sts::" + account + ":federated-user/" + *in.Name, UserID: account + ":" + *in.Name}
	c, err := s.issue(who, seconds)
	if err != nil {
		return nil, err
	}
	return &GetFederationTokenOutput{
		Credentials: c, FederatedUser: &FederatedUser{Arn: &who.ARN, FederatedUserId: &who.UserID}, PackedPolicySize: new(packedSize(in.Policy)),
	}, nil
}

// issue makes credentials and remembers whose they are until they expire.
func (s *service) issue(who session, seconds int32) (*Credentials, error) {
	now := s.Clock.Now()
	who.Expires = now.Add(time.Duration(seconds) * time.Second).Truncate(time.Second)
	key := "ASIA" + s.IDs.From(alphabetOfKeys, 16)
	err := s.Store.Update(func(tx *store.Tx) error {
		sessions.Put(tx, who, key)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &Credentials{
		AccessKeyId: &key, SecretAccessKey: new(s.IDs.From(alphabetOfToken, 40)),
		SessionToken: new(s.IDs.From(alphabetOfToken, 356)), Expiration: &who.Expires,
	}, nil
}

// duration checks DurationSeconds, or fills it in.
func duration(given *int32, usual, most int32) (int32, error) {
	switch {
	case given == nil:
		return usual, nil
	case *given < shortest:
		return 0, wire.Errorf("ValidationError", 400, msgTooShort, *given, shortest)
	case *given > most:
		return 0, wire.Errorf("ValidationError", 400, msgTooLong, *given, most)
	}
	return *given, nil
}

// packed is packedSize, nil without a policy.
func packed(policy *string) *int32 {
	if policy == nil {
		return nil
	}
	return new(packedSize(policy))
}

// packedSize is the share of the policy size limit that a session policy takes, in percent.
func packedSize(policy *string) int32 {
	const limit = 2048 // characters
	if policy == nil {
		return 0
	}
	return int32(min(100, (len(*policy)*100+limit-1)/limit))
}

// roleOf takes a role's ARN apart: arn:PARTITION:iam::ACCOUNT:role/PATH/NAME. What is not an ARN at all is not ok; of an ARN of
// another kind the last part is taken for the name.
func roleOf(arn string) (account, name string, ok bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || parts[1] == "" || parts[2] == "" || parts[5] == "" {
		return "", "", false
	}
	return parts[4], parts[5][strings.LastIndexByte(parts[5], '/')+1:], true
}
