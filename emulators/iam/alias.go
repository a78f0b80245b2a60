package iam

import (
	"context"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// aliases are the accounts' aliases: one an account, and no two accounts have the same.
var (
	aliases  = store.NewTable[string]("aliases")  // by account
	accounts = store.NewTable[string]("accounts") // by alias
)

// Messages in the service's words, where they are not guesses.
const (
	msgAliasExists = "The account alias %s already exists."  // https://github.com/trussworks/terraform-aws-bootstrap/issues/118
	msgNoAlias     = "The account alias %s cannot be found." // a guess
)

// CreateAccountAlias gives the account another name, in place of the one that it has. EntityAlreadyExists if an account has it.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccountAlias.html
func (s *service) CreateAccountAlias(ctx context.Context, in *CreateAccountAliasInput) (*CreateAccountAliasOutput, error) {
	account := wire.From(ctx).Account
	return &CreateAccountAliasOutput{}, s.Store.Update(func(tx *store.Tx) error {
		if _, taken := accounts.Get(tx, *in.AccountAlias); taken {
			return errEntityAlreadyExistsException(msgAliasExists, *in.AccountAlias)
		}
		if old, ok := aliases.Get(tx, account); ok {
			accounts.Delete(tx, old)
		}
		aliases.Put(tx, *in.AccountAlias, account)
		accounts.Put(tx, account, *in.AccountAlias)
		return nil
	})
}

// ListAccountAliases returns the account's alias, if it has one.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccountAliases.html
func (s *service) ListAccountAliases(ctx context.Context, in *ListAccountAliasesInput) (*ListAccountAliasesOutput, error) {
	var all []string
	err := s.Store.View(func(tx *store.Tx) error {
		all = nil
		if a, ok := aliases.Get(tx, wire.From(ctx).Account); ok {
			all = append(all, a)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	part, truncated, next, err := page(all, func(s *string) string { return *s }, in.Marker, in.MaxItems)
	return &ListAccountAliasesOutput{AccountAliases: part, IsTruncated: truncated, Marker: next}, err
}

// DeleteAccountAlias removes the account's alias. NoSuchEntity if it has another or none.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteAccountAlias.html
func (s *service) DeleteAccountAlias(ctx context.Context, in *DeleteAccountAliasInput) (*DeleteAccountAliasOutput, error) {
	account := wire.From(ctx).Account
	return &DeleteAccountAliasOutput{}, s.Store.Update(func(tx *store.Tx) error {
		if a, _ := aliases.Get(tx, account); a != *in.AccountAlias {
			return errNoSuchEntityException(msgNoAlias, *in.AccountAlias)
		}
		aliases.Delete(tx, account)
		accounts.Delete(tx, *in.AccountAlias)
		return nil
	})
}
