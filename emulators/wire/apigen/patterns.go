package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// AWS publishes each pattern twice. Botocore's models have it as the services themselves do: the whole value must match, and
// messages show it so ("[\w+=,.@-]*" in STS's recorded answer). Smithy's are for finding, so anchors were added to most of
// them ("^[\w+=,.@-]*$") and taken from others. The wire wants the former.

// usePatterns puts the services' own patterns in place of Smithy's. dir is the folder of botocore's models.
func usePatterns(m *model, dir string) error {
	var api struct{ SdkID string }
	m.Shapes[m.service].Traits.into("aws.api#service", &api)
	own, err := readPatterns(dir, api.SdkID)
	if err != nil {
		return err
	}
	for id, s := range m.Shapes {
		p := s.Traits.text("smithy.api#pattern")
		if p == "" {
			continue
		}
		replacement, ok := own[name(id)]
		if !ok {
			replacement = wholePattern(p)
		}
		raw, err := json.Marshal(replacement)
		if err != nil {
			return err
		}
		s.Traits["smithy.api#pattern"] = raw
	}
	return nil
}

// wholePattern makes a pattern for finding one that the whole value must match.
func wholePattern(p string) string {
	head, tail := ".*", ".*"
	if rest, ok := strings.CutPrefix(p, "^"); ok {
		p, head = rest, ""
	}
	if rest, ok := strings.CutSuffix(p, "$"); ok && !strings.HasSuffix(rest, `\`) {
		p, tail = rest, ""
	}
	if head+tail != "" && strings.Contains(p, "|") {
		p = "(" + p + ")"
	}
	return head + p + tail
}

// readPatterns returns the patterns of botocore's newest model of a service, by shape.
func readPatterns(dir, sdkID string) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*", "*", "service-2.json"))
	if err != nil {
		return nil, err
	}
	serviceID := regexp.MustCompile(`"serviceId": *"` + regexp.QuoteMeta(sdkID) + `"`)
	var newest []byte
	for _, f := range files { // in the order of their dates
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		if serviceID.Match(b[:min(len(b), 4096)]) {
			newest = b
		}
	}
	if newest == nil {
		return nil, fmt.Errorf("%s: no model of botocore's has the serviceId %q; its patterns are the ones that messages show", dir, sdkID)
	}
	var botocore struct {
		Shapes map[string]struct{ Pattern string }
	}
	if err := json.Unmarshal(newest, &botocore); err != nil {
		return nil, err
	}
	own := map[string]string{}
	for n, s := range botocore.Shapes {
		if s.Pattern != "" {
			own[n] = s.Pattern
		}
	}
	return own, nil
}
