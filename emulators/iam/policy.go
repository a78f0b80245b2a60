package iam

import (
	"strings"
	"time"

	"devstack/emulators/store"
)

// policies are the customer managed policies.
var policies = store.NewTable[policy]("policies") // by account and lower-case name

// policy is a managed policy with its versions.
type policy struct {
	Name, Path, ID   string
	Account          string // "aws" for AWS's own
	Created, Updated time.Time
	Description      *string   `json:",omitempty"`
	Versions         []version // the oldest first
	Default          string    // "v1"
	Last             int       // the number of the newest version ever
	Tags             []Tag     `json:",omitempty"` // by key
}

// version is one of a policy's at most five.
type version struct {
	ID       string
	Document string // as it was sent
	Created  time.Time
}

func (p *policy) arn() string { return arn(p.Account, "policy"+p.Path+p.Name) }

// findPolicy returns the account's or AWS's policy of an ARN.
func findPolicy(tx *store.Tx, account, arn string) (*policy, bool) {
	if p, ok := awsManaged(arn); ok {
		return p, true
	}
	_, name := pathAndName(arn)
	p, ok := policies.Get(tx, account, strings.ToLower(name))
	return &p, ok && p.arn() == arn
}
