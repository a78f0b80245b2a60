package config

import (
	"maps"
	"regexp"
	"slices"
	"sync"
)

// naming is AWS's rule for the names of a kind of resource.
type naming struct {
	pattern func() *regexp.Regexp
	rule    string // in words
}

// lazy returns a pattern that is compiled when it is first used: most processes of devstack read no stack.
func lazy(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

// Rules of names, from the published models but where said otherwise.
var (
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
	tableNaming = naming{lazy(`^[a-zA-Z0-9_.-]{3,255}$`), "3 to 255 of a-z, A-Z, 0-9, _, - and ."}
	// https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateCacheCluster.html
	cacheNaming = naming{lazy(`^[a-zA-Z](-?[a-zA-Z0-9])*$`), "1 to 50 letters, digits and single hyphens, beginning with a letter and not ending with a hyphen"}
	// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
	functionNaming = naming{lazy(`^[a-zA-Z0-9_-]{1,64}$`), "1 to 64 of a-z, A-Z, 0-9, _ and -"}
	// https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html
	machineNaming = naming{lazy("^[^\\s<>{}\\[\\]?*\"#%\\\\^|~`$&,;:/\\x00-\\x1f\\x7f-\\x{9f}]{1,80}$"), "1 to 80 characters without spaces, brackets, wildcards and any of \"#%\\^|~`$&,;:/"}
	// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html
	apiNaming = naming{lazy(`^.{1,128}$`), "1 to 128 characters"}
	// Ours: it becomes part of container names and host names.
	serviceNaming = naming{lazy(`^[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}$`), "1 to 63 of a-z, A-Z, 0-9, _ and -, beginning with a letter or digit"}
)

// checkName reports a name that AWS would not take. One that could not be evaluated is empty and has been reported.
func (l *loader) checkName(i *instance, rule naming) string {
	name := i.name()
	if i.fields.broken("name") {
		return name
	}
	if !rule.pattern().MatchString(name) {
		l.add(i.fields.rangeOf("name"), "Invalid name", "%q is not a name of a %s: it must be %s", name, i.schema.name, rule.rule)
	}
	return name
}

// tags returns the block's tags and reports those that AWS would not take.
// https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html
func (l *loader) tags(f *fields, most int) map[string]string {
	tags := f.textMap("tags")
	fail := func(key, what string) {
		l.add(f.rangeOfItem("tags", key), "Invalid tags", "the key %q %s", key, what)
	}
	if len(tags) > most {
		l.add(f.rangeOf("tags"), "Invalid tags", "there may be %d tags, not %d", most, len(tags))
	}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		switch {
		case key == "" || len([]rune(key)) > 128:
			fail(key, "must have 1 to 128 characters")
		case len([]rune(tags[key])) > 256:
			fail(key, "has a value of more than 256 characters")
		case reservedTag().MatchString(key):
			fail(key, "is reserved")
		}
	}
	return tags
}

// reservedTag are the keys that AWS keeps for itself, and ours.
var reservedTag = lazy(`^(?i:aws|devstack):`)

func (l *loader) cache(i *instance) *Cache {
	c := &Cache{
		Block: i.base(), Name: l.checkName(i, cacheNaming), Engine: i.fields.text("engine"),
		Port: i.exportedPort(), URL: i.exportedText("url"),
	}
	if len(c.Name) > 50 {
		l.add(i.fields.rangeOf("name"), "Invalid name", "%q is not a name of a cache: it must be %s", c.Name, cacheNaming.rule)
	}
	return c
}
