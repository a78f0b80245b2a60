package expr

import (
	"maps"
	"strings"
	"sync"
	"testing"

	"devstack/emulators/dynamodb/item"
)

// checkParsed requires of every text that is accepted that it means the same with blanks around it, and that nothing it is
// applied to makes it panic. Of every text that is refused it wants an error that names the expression.
func checkParsed(t *testing.T, kind Kind, text string, err error) bool {
	t.Helper()
	if err == nil {
		return true
	}
	if err == errKeyUnsupported || err == errKeyType || err == errConditions {
		return false
	}
	if !strings.HasPrefix(err.Error(), "Invalid "+string(kind)+": ") && !strings.HasPrefix(err.Error(), "Query condition missed") {
		t.Errorf("%q: %v", text, err)
	}
	return false
}

func FuzzCondition(f *testing.F) {
	f.Add("NOT (a = :1 AND b BETWEEN :1 AND :2) OR size(m.l[0].x) IN (:1, #n)")
	f.Add("begins_with(#n, :s) AND attribute_type(a, :S)")
	f.Add("((a)) = ((")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseCondition(FilterExpression, text, params(t))
		if !checkParsed(t, FilterExpression, text, err) {
			return
		}
		again, err := ParseCondition(FilterExpression, "("+text+"\n)", params(t))
		if err != nil {
			return // now too long, or the parentheses are redundant
		}
		if c.Match(sample()) != again.Match(item.Encode(sample())) || c.Match(item.Item{}) != again.Match(item.Item{}) {
			t.Errorf("%q is another in parentheses", text)
		}
		c.Names()
	})
}

func FuzzKeyCondition(f *testing.F) {
	f.Add("pk = :a AND sk BETWEEN :1 AND :2")
	f.Add("(begins_with(sk, :s)) AND :a = #pk")
	f.Fuzz(func(t *testing.T, text string) {
		k, err := fitted(text, params(t), []Key{hashKey}, []Key{sortKey})
		if checkParsed(t, KeyConditionExpression, text, err) && k.Hash[0].Kind() != item.S {
			t.Errorf("%q has no hash key", text)
		} else if err == nil {
			k.Match(num("2"))
		}
	})
}

func FuzzProjection(f *testing.F) {
	f.Add("a, m.deep.#n, l[1], l[2][0]")
	f.Add("m.l[0].x,m.l[1]")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParseProjection(text, params(t))
		if !checkParsed(t, ProjectionExpression, text, err) {
			return
		}
		if a, b := p.Apply(sample()), p.Apply(item.Encode(sample())); !maps.EqualFunc(a, b, item.Value.Equal) {
			t.Errorf("%q is %s, and %s of the stored item", text, renderItem(a), renderItem(b))
		}
	})
}

func FuzzUpdate(f *testing.F) {
	f.Add("SET a = if_not_exists(b, :0) + :1, l[9] = list_append(l, :l) REMOVE m.l[0].x, l[0] ADD ns :ns DELETE ss :a1")
	f.Add("SET a = (a - (:1)) REMOVE #n")
	f.Fuzz(func(t *testing.T, text string) {
		u, err := ParseUpdate(text, params(t))
		if !checkParsed(t, UpdateExpression, text, err) {
			return
		}
		old := before()
		updated, err := u.Apply(old)
		if changed := difference(before(), old); changed != "" {
			t.Errorf("%q changed the old item: %s", text, changed)
		}
		if err != nil {
			return
		}
		if _, err := item.Decode(item.Encode(updated)); err != nil {
			t.Errorf("%q made %s: %v", text, renderItem(updated), err)
		}
		u.Touched(before())
		u.Written(updated)
	})
}

func TestTheCacheIsSharedAndBounded(t *testing.T) {
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for n := range cacheSize + 10 {
				c, err := ParseCondition(ConditionExpression, "a = :1"+strings.Repeat(" ", n), params(t))
				if err != nil || !c.Match(sample()) {
					t.Errorf("with %d blanks: %v", n, err)
				}
			}
		})
	}
	all.Wait()
	if n := len(cache.parsed); n > cacheSize {
		t.Errorf("%d expressions are kept", n)
	}
}
