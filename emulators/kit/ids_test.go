package kit

import (
	"regexp"
	"testing"
)

func TestIDs(t *testing.T) {
	ids := SeededIDs(1)
	for name, tt := range map[string]struct{ got, want string }{
		"UUID": {ids.UUID(), `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`},
		"fast": {QuickIDs().UUID(), `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`},
		"Hex":  {ids.Hex(7), `^[0-9a-f]{7}$`},
		"From": {ids.From("ab", 20), `^[ab]{20}$`},
	} {
		if !regexp.MustCompile(tt.want).MatchString(tt.got) {
			t.Errorf("%s: %s", name, tt.got)
		}
	}
	if a, b := SeededIDs(1).UUID(), SeededIDs(1).UUID(); a != b {
		t.Errorf("the same seed makes %s and %s", a, b)
	}
}
