package stepfunctions

import (
	"regexp"
	"strings"
	"sync"

	"devstack/emulators/wire"
)

// arnPlace returns the account and the region of an ARN.
func arnPlace(arn string) (account, region string) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return wire.DefaultAccount, wire.DefaultRegion
	}
	return parts[4], parts[3]
}

// arnName returns the name at the end of a state machine's ARN.
func arnName(arn string) string { return arn[strings.LastIndexByte(arn, ':')+1:] }

var arnPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^arn:aws[a-z-]*:states:[a-z0-9-]+:[0-9]{12}:([a-zA-Z]+):.+$`)
})

// checkARN refuses what is not an ARN of one of the given types of resources. (The messages: recorded answers.)
func checkARN(arn string, types ...string) error {
	if !strings.HasPrefix(arn, "arn:") {
		return errInvalidArn("Invalid Arn: 'Invalid ARN prefix: %s'", arn)
	}
	m := arnPattern().FindStringSubmatch(arn)
	if m == nil {
		return errInvalidArn("Invalid Arn: '%s'", arn) // the words are a guess
	}
	for _, t := range types {
		if m[1] == t {
			return nil
		}
	}
	return errInvalidArn("Invalid Arn: 'Resource type not valid in this context: %s'", m[1])
}

// checkName refuses the names that AWS refuses: with white space, brackets, wildcards, special or control characters.
//
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html#StepFunctions-CreateStateMachine-request-name
func checkName(name string) error {
	bad := strings.ContainsFunc(name, func(r rune) bool {
		return r <= 0x20 || r >= 0x7f && r <= 0xa0 || r >= 0xd800 && r <= 0xdfff || r == 0xfffe || r == 0xffff || r == 0xfffd || r == 0x10ffff ||
			strings.ContainsRune("<>{}[]?*\"#%\\^|~`$&,;:/", r)
	})
	if bad || name == "" {
		return errInvalidName("Invalid Name: '%s'", name)
	}
	return nil
}
