package iam

import (
	"cmp"
	"context"
	"slices"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// keys are the users' access keys. Ids are unique over all accounts, as AWS's are.
var keys = store.NewTable[accessKey]("keys") // by id

// accessKey is a user's long-term credentials. The secret is not kept: nobody checks it, and AWS does not show it twice either.
type accessKey struct {
	ID, Account, User string
	Status            string // "Active" or "Inactive"
	Created           time.Time
}

// maxKeys is how many access keys a user may have.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entities
const maxKeys = 2

// alphabetOfSecrets are the characters of secret access keys.
const alphabetOfSecrets = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// Messages in the service's words, where they are not guesses.
const (
	msgTooManyKeys = "Cannot exceed quota for AccessKeysPerUser: %d" // https://github.com/simonw/s3-credentials/issues/64
	msgNoKey       = "The Access Key with id %s cannot be found."    // a guess at the words
)

// keysOf are a user's access keys, the oldest first.
func keysOf(tx *store.Tx, u *identity) []accessKey {
	owned := slices.DeleteFunc(slices.Collect(keys.All(tx)), func(k accessKey) bool { return k.Account != u.Account || k.User != u.Name })
	slices.SortFunc(owned, func(a, b accessKey) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID)) })
	return owned
}

// owner is the name of the user whose keys an operation is about. Keys of the account's root are not emulated.
func (s *service) owner(ctx context.Context, name *string) (string, error) {
	user, err := s.named(ctx, name)
	if err == nil && user == "" {
		err = wire.NotImplemented("iam.%s: access keys of the account's root are not emulated; name a user", wire.From(ctx).Operation)
	}
	return user, err
}

// CreateAccessKey makes an access key of a user, the caller if none is named. LimitExceeded above two. Requests that are signed
// with it are the user's for sts.GetCallerIdentity and for GetUser.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html
func (s *service) CreateAccessKey(ctx context.Context, in *CreateAccessKeyInput) (*CreateAccessKeyOutput, error) {
	user, err := s.owner(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	k := accessKey{
		ID: "AKIA" + s.IDs.From(alphabetOfIDs, 16), Account: wire.From(ctx).Account, Status: StatusTypeActive, Created: s.now(),
	}
	err = s.Store.Update(func(tx *store.Tx) error {
		u, err := find(tx, k.Account, kindUser, user)
		if err != nil {
			return err
		}
		if len(keysOf(tx, u)) >= maxKeys {
			return errLimitExceededException(msgTooManyKeys, maxKeys)
		}
		k.User = u.Name
		keys.Put(tx, k, k.ID)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &CreateAccessKeyOutput{AccessKey: &AccessKey{
		UserName: &k.User, AccessKeyId: &k.ID, Status: &k.Status, CreateDate: &k.Created, SecretAccessKey: new(s.IDs.From(alphabetOfSecrets, 40)),
	}}, nil
}

// ListAccessKeys lists the access keys of a user, the caller if none is named. The account's root has none.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccessKeys.html
func (s *service) ListAccessKeys(ctx context.Context, in *ListAccessKeysInput) (*ListAccessKeysOutput, error) {
	user, err := s.named(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	var owned []accessKey
	err = s.Store.View(func(tx *store.Tx) error {
		if user == "" {
			return nil
		}
		u, err := find(tx, wire.From(ctx).Account, kindUser, user)
		if err == nil {
			owned = keysOf(tx, u)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	place := func(k *accessKey) string { return k.Created.Format(time.RFC3339) + k.ID }
	part, truncated, next, err := page(owned, place, in.Marker, in.MaxItems)
	out := &ListAccessKeysOutput{AccessKeyMetadata: []AccessKeyMetadata{}, IsTruncated: truncated, Marker: next}
	for _, k := range part {
		out.AccessKeyMetadata = append(out.AccessKeyMetadata, AccessKeyMetadata{
			UserName: &k.User, AccessKeyId: &k.ID, Status: &k.Status, CreateDate: &k.Created,
		})
	}
	return out, err
}

// changeKey lets f change or delete an access key of a user, the caller if none is named.
func (s *service) changeKey(ctx context.Context, name *string, id string, f func(tx *store.Tx, k accessKey)) error {
	user, err := s.owner(ctx, name)
	if err != nil {
		return err
	}
	return s.Store.Update(func(tx *store.Tx) error {
		u, err := find(tx, wire.From(ctx).Account, kindUser, user)
		if err != nil {
			return err
		}
		k, ok := keys.Get(tx, id)
		if !ok || k.Account != u.Account || k.User != u.Name {
			return errNoSuchEntityException(msgNoKey, id)
		}
		f(tx, k)
		return nil
	})
}

// UpdateAccessKey makes an access key active or inactive. That is kept and shown; an inactive key signs as well as any other here.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html
func (s *service) UpdateAccessKey(ctx context.Context, in *UpdateAccessKeyInput) (*UpdateAccessKeyOutput, error) {
	if *in.Status == StatusTypeExpired {
		return nil, wire.NotImplemented("iam.UpdateAccessKey: access keys do not expire")
	}
	return &UpdateAccessKeyOutput{}, s.changeKey(ctx, in.UserName, *in.AccessKeyId, func(tx *store.Tx, k accessKey) {
		k.Status = *in.Status
		keys.Put(tx, k, k.ID)
	})
}

// DeleteAccessKey deletes an access key of a user, the caller if none is named.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteAccessKey.html
func (s *service) DeleteAccessKey(ctx context.Context, in *DeleteAccessKeyInput) (*DeleteAccessKeyOutput, error) {
	return &DeleteAccessKeyOutput{}, s.changeKey(ctx, in.UserName, *in.AccessKeyId, func(tx *store.Tx, k accessKey) { keys.Delete(tx, k.ID) })
}

// GetAccessKeyLastUsed says whose an access key is. When it was used is not noted here, so the answer is AWS's for a key that was
// never used: "N/A" for service and region.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccessKeyLastUsed.html
func (s *service) GetAccessKeyLastUsed(ctx context.Context, in *GetAccessKeyLastUsedInput) (*GetAccessKeyLastUsedOutput, error) {
	var k accessKey
	err := s.Store.View(func(tx *store.Tx) error {
		var ok bool
		if k, ok = keys.Get(tx, *in.AccessKeyId); !ok || k.Account != wire.From(ctx).Account {
			return errNoSuchEntityException(msgNoKey, *in.AccessKeyId)
		}
		return nil
	})
	return &GetAccessKeyLastUsedOutput{
		UserName: &k.User, AccessKeyLastUsed: &AccessKeyLastUsed{ServiceName: new("N/A"), Region: new("N/A")},
	}, err
}
