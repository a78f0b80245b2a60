package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"devstack/runtime/config"
)

// endpointURL is where the stack's AWS answers.
func endpointURL(stack *config.Stack) string { return fmt.Sprintf("http://127.0.0.1:%d", stack.Port) }

// childEnv is awsEnv for what the stack itself runs.
func childEnv(stack *config.Stack) map[string]string {
	return awsEnv(endpointURL(stack), stack.Region, stack.Account)
}

// awsEnv is what makes an AWS SDK, the CLI or Terraform speak to the stack: the endpoint, the region, credentials that are worth
// nothing anywhere else, and no way to the real ones.
//
// https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html#EVarSettings
func awsEnv(endpoint, region, account string) map[string]string {
	return map[string]string{
		"AWS_ENDPOINT_URL":            endpoint,
		"AWS_REGION":                  region,
		"AWS_DEFAULT_REGION":          region,
		"AWS_ACCESS_KEY_ID":           account, // twelve digits are the account that requests land in
		"AWS_SECRET_ACCESS_KEY":       "devstack",
		"AWS_CONFIG_FILE":             os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"AWS_EC2_METADATA_DISABLED":   "true",

		// Or StartSyncExecution goes to sync-127.0.0.1, which no resolver knows.
		// https://docs.aws.amazon.com/sdkref/latest/guide/feature-host-prefix.html
		"AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
	}
}

// withoutAWS is the caller's environment without anything that could lead to a real account.
func withoutAWS(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(v string) bool { return strings.HasPrefix(v, "AWS_") })
}

// sortedEnv returns NAME=value, sorted.
func sortedEnv(env map[string]string) []string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(env)) {
		out = append(out, k+"="+env[k])
	}
	return out
}
