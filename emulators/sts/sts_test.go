package sts

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"devstack/emulators/kit"
	"devstack/emulators/store"
	"devstack/emulators/wire"
	"devstack/internal/clock"
	"devstack/internal/golden"
)

// iam knows the role short of account 111111111111, whose sessions last an hour, and the user ada behind one access key.
type iam struct{}

func (iam) Call(ctx context.Context, _, operation string, in, out any) error {
	p := in.(map[string]any)
	var answer string
	switch {
	case operation == "GetRole" && p["RoleName"] == "short" && wire.From(ctx).Account == "111111111111":
		answer = `{"Role":{"RoleId":"AROASHORTSHORTSHORT01","MaxSessionDuration":3600}}`
	case operation == "GetAccessKeyLastUsed" && p["AccessKeyId"] == "AKIAADAADAADAADAADA0":
		answer = `{"UserName":"ada"}`
	case operation == "GetUser" && p["UserName"] == "ada":
		answer = `{"User":{"Arn":"arn:aws:iam::000000000000:user/ada","UserId":"AIDAADAADAADAADAADAA0"}}`
	default:
		return wire.Errorf("NoSuchEntity", 404, "no")
	}
	return json.Unmarshal([]byte(answer), out)
}

func open(t *testing.T) *service {
	t.Helper()
	st := store.New("", store.Options{Ephemeral: true})
	t.Cleanup(func() { st.Close() })
	at := clock.Fixed(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	return &service{kit.Env{Store: st, Clock: at, AWS: iam{}, Log: slog.New(slog.DiscardHandler), IDs: kit.SeededIDs(1)}}
}

func TestConversations(t *testing.T) {
	golden.Run(t, func(t *testing.T) golden.Stage {
		s := open(t)
		return golden.Stage{Handler: wire.NewServer(wire.Config{Services: []*wire.Service{register(s)}, NewID: kit.SeededIDs(2).UUID, Now: s.Clock.Now})}
	})
}

// signed is a request with an access key.
func signed(t *testing.T, key string) context.Context {
	return wire.WithRequest(t.Context(), &wire.Request{Account: wire.DefaultAccount, Region: wire.DefaultRegion, AccessKey: key})
}

func TestASessionIsWhoItsKeySays(t *testing.T) {
	s := open(t)
	out, err := s.AssumeRole(signed(t, "test"), &AssumeRoleInput{RoleArn: new("arn:aws:iam::111111111111:role/team/short"), RoleSessionName: new("me")})
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		*out.Credentials.AccessKeyId: "arn:aws:sts::111111111111:assumed-role/short/me AROASHORTSHORTSHORT01:me",
		"AKIAADAADAADAADAADA0":       "arn:aws:iam::000000000000:user/ada AIDAADAADAADAADAADAA0",
		"AKIANOBODYNOBODYNOBO":       "arn:aws:iam::000000000000:root 000000000000",
		"ASIANOBODYNOBODYNOBO":       "arn:aws:iam::000000000000:root 000000000000",
		"test":                       "arn:aws:iam::000000000000:root 000000000000",
	} {
		who, err := s.GetCallerIdentity(signed(t, key), &GetCallerIdentityInput{})
		if err != nil || *who.Arn+" "+*who.UserId != want {
			t.Errorf("%s is %v %v, want %s", key, who, err, want)
		}
	}
}

func TestDurations(t *testing.T) {
	s := open(t)
	assume := func(key, role string, seconds int32) error {
		_, err := s.AssumeRole(signed(t, key), &AssumeRoleInput{RoleArn: &role, RoleSessionName: new("me"), DurationSeconds: &seconds})
		return err
	}
	const short, unknown = "arn:aws:iam::111111111111:role/short", "arn:aws:iam::000000000000:role/unknown"
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"as long as the role allows", assume("test", short, 3600), ""},
		{"longer than the role allows", assume("test", short, 3601), "ValidationError: " + msgOverRole},
		{"twelve hours of a role that is not known", assume("test", unknown, 43200), ""},
		{"longer than any role", assume("test", unknown, 43201), "ValidationError: " + fmt.Sprintf(msgTooLong, 43201, 43200)},
		{"too short", assume("test", unknown, 899), "ValidationError: " + fmt.Sprintf(msgTooShort, 899, 900)},
		{"an hour from a session", assume("ASIAXXXXXXXXXXXXXXXX", unknown, 3600), ""},
		{"longer from a session", assume("ASIAXXXXXXXXXXXXXXXX", unknown, 3601), "ValidationError: " + msgChained},
	} {
		if got := fmt.Sprint(tt.err); got != tt.want && (tt.err != nil || tt.want != "") {
			t.Errorf("%s: %v, want %s", tt.name, tt.err, tt.want)
		}
	}
}

func TestAnUnknownRoleKeepsItsID(t *testing.T) {
	s := open(t)
	id := func(arn string) string {
		out, err := s.AssumeRole(signed(t, "test"), &AssumeRoleInput{RoleArn: &arn, RoleSessionName: new("me")})
		if err != nil {
			t.Fatal(err)
		}
		return *out.AssumedRoleUser.AssumedRoleId
	}
	one := id("arn:aws:iam::000000000000:role/a")
	if again := id("arn:aws:iam::000000000000:role/a"); again != one || len(one) != len("AROA")+17+len(":me") {
		t.Errorf("%s, then %s", one, again)
	}
	if other := id("arn:aws:iam::000000000000:role/b"); other == one {
		t.Errorf("two roles share %s", one)
	}
}
