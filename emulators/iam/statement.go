package iam

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// checkResources: trust policies have no resources, the others must.
func checkResources(o object, u use) string {
	if u == trustPolicy {
		for _, field := range []string{"Resource", "NotResource"} {
			if _, ok := o.member(field); ok {
				return fmt.Sprintf(msgProhibited, field)
			}
		}
		return ""
	}
	resources, ok := o.oneOf("Resource", "NotResource")
	if !ok {
		return msgSyntax
	}
	if len(resources) == 0 {
		return msgNoResources
	}
	for _, r := range resources {
		if msg := checkResource(r); msg != "" {
			return msg
		}
	}
	return ""
}

// checkResource checks a resource: "*", or an ARN of AWS's usual partition, in which wildcards may stand for segments.
func checkResource(r string) string {
	if r == "*" {
		return ""
	}
	parts := strings.SplitN(r, ":", 6)
	switch {
	case parts[0] != "arn" && parts[0] != "*" || len(parts) < 2:
		return fmt.Sprintf(msgNoARN, r)
	case parts[1] != "aws" && !strings.ContainsAny(parts[1], "*?"):
		return fmt.Sprintf(msgPartition, parts[1], r)
	case len(parts) < 6 && !strings.HasSuffix(r, "*"):
		return msgLegacy
	case len(parts) == 6 && parts[2] == "iam" && parts[3] != "":
		return fmt.Sprintf(msgIAMRegion, r)
	}
	return ""
}

// checkPrincipals: trust policies must name principals, the others must not.
func checkPrincipals(o object, u use) string {
	p, ok := o.member("Principal")
	not, hasNot := o.member("NotPrincipal")
	switch {
	case u != trustPolicy && (ok || hasNot):
		return msgPrincipal
	case u != trustPolicy:
		return ""
	case ok && hasNot:
		return msgSyntax
	case hasNot:
		p = not
	case !ok:
		return msgNoPrincipal
	}
	if p == "*" {
		return ""
	}
	kinds, ok := p.(object)
	if !ok {
		return msgSyntax
	}
	if len(kinds) == 0 {
		return msgNoPrincipal
	}
	for _, m := range kinds {
		form := principalForms()[m.name]
		names, ok := texts(m.value)
		if form == nil || !ok || len(names) == 0 {
			return msgSyntax
		}
		for _, n := range names {
			if !form.MatchString(n) {
				return fmt.Sprintf(msgBadPrincipal, strings.ToUpper(m.name), n)
			}
		}
	}
	return ""
}

// principalForms are what principals look like, by their kind. That accounts, users, roles and services exist is not checked.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
var principalForms = sync.OnceValue(func() map[string]*regexp.Regexp {
	return map[string]*regexp.Regexp{
		"AWS":           regexp.MustCompile(`^(\*|\d{12}|A[A-Z]{3}[A-Z0-9]{12,}|arn:aws:iam::\d{12}:(root|(user|role)/.+)|arn:aws:sts::\d{12}:(assumed-role|federated-user|self)(/.+)?)$`),
		"Service":       regexp.MustCompile(`^[A-Za-z0-9.-]+\.(amazonaws\.com|amazonaws\.com\.cn|amazon\.com|aws\.internal)$`),
		"Federated":     regexp.MustCompile(`^(\*|[A-Za-z0-9.-]+\.[A-Za-z]+(/.*)?|arn:aws:iam::\d{12}:(saml-provider|oidc-provider)/.+)$`),
		"CanonicalUser": regexp.MustCompile(`^[0-9a-f]{64}$`),
	}
})

// conditionOperators are the operators without the suffix IfExists and the prefixes of set operators.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
var conditionOperators = []string{
	"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike",
	"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals",
	"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals",
	"Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike",
}

// validCondition checks a condition block: operators with keys with values. Operators do not differ by case (a guess, from
// documents that are seen to work).
func validCondition(v any) bool {
	block, ok := v.(object)
	if !ok {
		return false
	}
	for _, operator := range block {
		keys, ok := operator.value.(object)
		if !ok || !knownOperator(operator.name) {
			return false
		}
		for _, key := range keys {
			if !validValues(key.value) {
				return false
			}
		}
	}
	return true
}

func knownOperator(name string) bool {
	for _, prefix := range []string{"ForAllValues:", "ForAnyValue:"} {
		if len(name) > len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) {
			name = name[len(prefix):]
			break
		}
	}
	const suffix = "IfExists"
	if strings.EqualFold(name, "Null") {
		return true
	}
	if cut := len(name) - len(suffix); cut > 0 && strings.EqualFold(name[cut:], suffix) {
		name = name[:cut]
	}
	return slices.ContainsFunc(conditionOperators, func(o string) bool { return strings.EqualFold(o, name) })
}

// validValues: a string, number or boolean, or a list of them.
func validValues(v any) bool {
	switch v := v.(type) {
	case string, bool, json.Number:
		return true
	case []any:
		return !slices.ContainsFunc(v, func(item any) bool {
			_, list := item.([]any)
			return list || !validValues(item)
		})
	}
	return false
}
