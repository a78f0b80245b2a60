package dynamodb

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// linearKeys is how many items the clients fight for. A state is the number in each, 0 where there is no item.
const linearKeys = 3

type linearState [linearKeys]int

// linearCall is one call: what it does to one or two items. Each client writes numbers that nobody else writes, so that a read
// tells which write it has seen.
type linearCall struct {
	kind          linearKind
	a, b          int // items; a < b
	expected, new int // of a; of b in a transaction, the new number is new+1
}

type linearKind string

const (
	linearGet      linearKind = "GetItem"
	linearPut      linearKind = "PutItem"
	linearUpdate   linearKind = "UpdateItem"
	linearDelete   linearKind = "DeleteItem"
	linearTransact linearKind = "TransactWriteItems"
	linearBoth     linearKind = "TransactGetItems"
)

// linearAnswer is what a client learned: whether the condition held, or what it read.
type linearAnswer struct {
	ok   bool
	a, b int
}

// linearModel says what a single copy of the items would answer that does one call after the other.
var linearModel = porcupine.Model{
	Init: func() any { return linearState{} },
	Step: func(state, input, output any) (bool, any) {
		s, in, out := state.(linearState), input.(linearCall), output.(linearAnswer)
		switch in.kind {
		case linearGet:
			return out.a == s[in.a], s
		case linearBoth:
			return out.a == s[in.a] && out.b == s[in.b], s
		}
		holds := s[in.a] == in.expected
		if holds {
			s[in.a] = in.new
			if in.kind == linearTransact {
				s[in.b] = in.new + 1
			}
		}
		return out.ok == holds, s
	},
}

// linearClient carries out calls on the emulator, as it should or in a way that is broken.
type linearClient func(c *cloud, in linearCall) linearAnswer

// condition is that an item holds a number, or that it is not there.
func condition(expected int) string {
	if expected == 0 {
		return `"ConditionExpression":"attribute_not_exists(pk)"`
	}
	return fmt.Sprintf(`"ConditionExpression":"n = :old","ExpressionAttributeValues":{":old":{"N":"%d"}}`, expected)
}

func linearKey(n int) string { return fmt.Sprintf(`"pk":{"S":"item"},"sk":{"N":"%d"}`, n) }

func linearAt(n int) string { return `"TableName":"things","Key":{` + linearKey(n) + `}` }

func linearItem(n, number int) string {
	return fmt.Sprintf(`"TableName":"things","Item":{%s,"n":{"N":"%d"}}`, linearKey(n), number)
}

// straight does what the call says.
func straight(c *cloud, in linearCall) linearAnswer {
	switch in.kind {
	case linearGet:
		return linearAnswer{a: readNumber(c.call("GetItem", `{`+linearAt(in.a)+`,"ConsistentRead":true}`))}
	case linearBoth:
		var out struct{ Responses [2]json.RawMessage }
		json.Unmarshal([]byte(c.call("TransactGetItems", `{"TransactItems":[{"Get":{`+linearAt(in.a)+`}},{"Get":{`+linearAt(in.b)+`}}]}`)), &out)
		return linearAnswer{a: readNumber(string(out.Responses[0])), b: readNumber(string(out.Responses[1]))}
	case linearPut:
		return wrote(c.call("PutItem", `{`+linearItem(in.a, in.new)+`,`+condition(in.expected)+`}`))
	case linearDelete:
		return wrote(c.call("DeleteItem", `{`+linearAt(in.a)+`,`+condition(in.expected)+`}`))
	case linearUpdate:
		values := fmt.Sprintf(`{":new":{"N":"%d"}`, in.new)
		with := strings.Replace(condition(in.expected), `{`, values+`,`, 1)
		if in.expected == 0 {
			with += `,"ExpressionAttributeValues":` + values + `}`
		}
		return wrote(c.call("UpdateItem", `{`+linearAt(in.a)+`,"UpdateExpression":"SET n = :new",`+with+`}`))
	}
	return wrote(c.call("TransactWriteItems", `{"TransactItems":[{"Put":{`+linearItem(in.a, in.new)+`,`+condition(in.expected)+`}},{"Put":{`+linearItem(in.b, in.new+1)+`}}]}`))
}

// readNumber is the number in an answer's item.
func readNumber(out string) (n int) {
	var v struct {
		Item struct{ N struct{ N string } }
	}
	json.Unmarshal([]byte(out), &v)
	fmt.Sscan(v.Item.N.N, &n)
	return n
}

// wrote tells whether a condition held. Anything else that may go wrong breaks the model.
func wrote(out string) linearAnswer {
	switch {
	case out == "{}":
		return linearAnswer{ok: true}
	case strings.HasPrefix(out, "ConditionalCheckFailedException"), strings.HasPrefix(out, "TransactionCanceledException") && strings.Contains(out, "ConditionalCheckFailed"):
		return linearAnswer{}
	}
	return linearAnswer{ok: true, a: -1}
}

// checkThenPut looks at the condition by itself and then writes: between the two somebody else may write.
func checkThenPut(c *cloud, in linearCall) linearAnswer {
	if in.kind != linearPut {
		return straight(c, in)
	}
	if straight(c, linearCall{kind: linearGet, a: in.a}).a != in.expected {
		return linearAnswer{}
	}
	runtime.Gosched()
	return wrote(c.call("PutItem", `{`+linearItem(in.a, in.new)+`}`))
}

// inTwoSteps writes the two items of a transaction one after the other.
func inTwoSteps(c *cloud, in linearCall) linearAnswer {
	if in.kind != linearTransact {
		return straight(c, in)
	}
	out := straight(c, linearCall{kind: linearPut, a: in.a, expected: in.expected, new: in.new})
	runtime.Gosched()
	if out.ok {
		c.call("PutItem", `{`+linearItem(in.b, in.new+1)+`}`)
	}
	return out
}

// fromACache answers reads by what was read the time before.
func fromACache() linearClient {
	var mu sync.Mutex
	seen := map[int]int{}
	return func(c *cloud, in linearCall) linearAnswer {
		if in.kind != linearGet {
			return straight(c, in)
		}
		fresh := straight(c, in).a
		mu.Lock()
		defer mu.Unlock()
		old, ok := seen[in.a]
		if seen[in.a] = fresh; ok {
			return linearAnswer{a: old}
		}
		return linearAnswer{a: fresh}
	}
}

func TestConditionalWritesAndTransactionsAreLinearizable(t *testing.T) {
	for _, tt := range []struct {
		name   string
		client func() linearClient
		want   porcupine.CheckResult // of all histories; Illegal: of one of them
	}{
		{"as it is", func() linearClient { return straight }, porcupine.Ok},
		{"unless conditions are checked before the write", func() linearClient { return checkThenPut }, porcupine.Illegal},
		{"unless transactions are made in two steps", func() linearClient { return inTwoSteps }, porcupine.Illegal},
		{"unless reads come from a cache", fromACache, porcupine.Illegal},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for round := range 40 {
				c := open(t)
				c.must(t, "CreateTable", createPK)
				history := linearHistory(c, tt.client(), uint64(round))
				switch got := porcupine.CheckOperationsTimeout(linearModel, history, 20*time.Second); {
				case got == porcupine.Illegal && tt.want == porcupine.Illegal:
					return
				case got != porcupine.Ok:
					t.Fatalf("history %d of %d calls is %s", round, len(history), got)
				}
				c.store.Close()
			}
			if tt.want == porcupine.Illegal {
				t.Error("what is broken was not noticed")
			}
		})
	}
}

// linearHistory has clients call at the same time, and returns who called what when and learned what.
func linearHistory(c *cloud, do linearClient, seed uint64) (history []porcupine.Operation) {
	const clients, calls = 6, 40
	var mu sync.Mutex
	var group sync.WaitGroup
	began := time.Now()
	for client := range clients {
		random := rand.New(rand.NewPCG(seed, uint64(client)))
		group.Go(func() {
			var seen linearState // what this client has last seen in each item, which is what its conditions expect
			for n := range calls {
				in := linearCall{a: random.IntN(linearKeys - 1), expected: -1, new: 2 * (1 + client + clients*n)}
				in.b = in.a + 1 + random.IntN(linearKeys-1-in.a)
				in.kind = []linearKind{linearGet, linearPut, linearUpdate, linearDelete, linearTransact, linearTransact, linearBoth}[random.IntN(7)]
				if in.expected = seen[in.a]; in.kind == linearDelete {
					in.new = 0
				}
				call := time.Since(began)
				out := do(c, in)
				back := time.Since(began)
				switch {
				case in.kind == linearGet:
					seen[in.a] = out.a
				case in.kind == linearBoth:
					seen[in.a], seen[in.b] = out.a, out.b
				case out.ok:
					if seen[in.a] = in.new; in.kind == linearTransact {
						seen[in.b] = in.new + 1
					}
				default:
					seen[in.a] = straight(c, linearCall{kind: linearGet, a: in.a}).a // a hint for the next time, no part of the history
				}
				mu.Lock()
				history = append(history, porcupine.Operation{ClientId: client, Input: in, Call: int64(call), Output: out, Return: int64(back)})
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return history
}
