package dynamodb

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"reflect"
	"strings"
	"sync"
	"testing"

	"devstack/emulators/dynamodb/item"
	"devstack/emulators/dynamodb/partiql"
)

// twoLanguages is a condition that is written both in PartiQL and as an expression.
type twoLanguages struct{ partiQL, expression string }

// conditions makes random conditions on the attributes a to d, whose values are few, so that each holds now and then.
type conditions struct {
	*rand.Rand
	parameters []any          // of the statement, in order
	values     map[string]any // of the expression
}

// value writes a value in both languages, as a parameter or written out.
func (c *conditions) value(v any) twoLanguages {
	name := fmt.Sprintf(":v%d", len(c.values))
	c.values[name] = v
	if c.Intn(2) == 0 {
		c.parameters = append(c.parameters, v)
		return twoLanguages{"?", name}
	}
	return twoLanguages{literalOf(v), name}
}

// literalOf writes a value in the API's form as a PartiQL literal.
func literalOf(v any) string {
	for kind, of := range v.(map[string]any) {
		switch kind {
		case "S":
			return "'" + strings.ReplaceAll(of.(string), "'", "''") + "'"
		case "N":
			return of.(string)
		case "SS":
			return "<<'" + strings.Join(of.([]string), "', '") + "'>>"
		case "L":
			var parts []string
			for _, e := range of.([]any) {
				parts = append(parts, literalOf(e))
			}
			return "[" + strings.Join(parts, ", ") + "]"
		case "BOOL":
			return fmt.Sprint(of)
		}
	}
	return "NULL"
}

func str(s string) any { return map[string]any{"S": s} }

func (c *conditions) scalar() any {
	switch c.Intn(4) {
	case 0:
		return str([]string{"", "x", "xy", "it's"}[c.Intn(4)])
	case 1:
		return map[string]any{"BOOL": c.Intn(2) == 0}
	}
	return map[string]any{"N": fmt.Sprint(c.Intn(5) - 1)}
}

func (c *conditions) any() any {
	switch c.Intn(6) {
	case 0:
		return map[string]any{"SS": [][]string{{"x"}, {"x", "y"}}[c.Intn(2)]}
	case 1:
		return map[string]any{"L": []any{c.scalar(), c.scalar()}}
	case 2:
		return map[string]any{"NULL": true}
	}
	return c.scalar()
}

func (c *conditions) attribute() string {
	return []string{"a", "b", "c", "d[0]", "d[1]", "e.f"}[c.Intn(6)]
}

func (c *conditions) term() twoLanguages {
	a := c.attribute()
	number := func() any { return map[string]any{"N": fmt.Sprint(c.Intn(5))} }
	switch c.Intn(8) {
	case 0:
		low, high := c.value(map[string]any{"N": "0"}), c.value(number())
		return twoLanguages{fmt.Sprintf("%s BETWEEN %s AND %s", a, low.partiQL, high.partiQL), fmt.Sprintf("%s BETWEEN %s AND %s", a, low.expression, high.expression)}
	case 1:
		v, w := c.value(c.any()), c.value(c.any())
		return twoLanguages{fmt.Sprintf("%s IN [%s, %s]", a, v.partiQL, w.partiQL), fmt.Sprintf("%s IN (%s, %s)", a, v.expression, w.expression)}
	case 2:
		v := c.value(str([]string{"x", "it"}[c.Intn(2)]))
		return twoLanguages{fmt.Sprintf("begins_with(%s, %s)", a, v.partiQL), fmt.Sprintf("begins_with(%s, %s)", a, v.expression)}
	case 3:
		v := c.value(c.scalar())
		return twoLanguages{fmt.Sprintf("contains(%s, %s)", a, v.partiQL), fmt.Sprintf("contains(%s, %s)", a, v.expression)}
	case 4:
		v := c.value(number())
		return twoLanguages{fmt.Sprintf("size(%s) >= %s", a, v.partiQL), fmt.Sprintf("size(%s) >= %s", a, v.expression)}
	case 5:
		return twoLanguages{a + " IS MISSING", "attribute_not_exists(" + a + ")"}
	case 6:
		v := c.value(number())
		return twoLanguages{fmt.Sprintf("%s < %s", v.partiQL, a), fmt.Sprintf("%s < %s", v.expression, a)}
	}
	v, op := c.value(c.any()), []string{"=", "<>"}[c.Intn(2)]
	return twoLanguages{fmt.Sprintf("%s %s %s", a, op, v.partiQL), fmt.Sprintf("%s %s %s", a, op, v.expression)}
}

func (c *conditions) condition(depth int) twoLanguages {
	if depth == 0 || c.Intn(3) == 0 {
		return c.term()
	}
	x := c.condition(depth - 1)
	if c.Intn(4) == 0 {
		return twoLanguages{"NOT (" + x.partiQL + ")", "NOT (" + x.expression + ")"}
	}
	y, op := c.condition(depth-1), []string{" AND ", " OR "}[c.Intn(2)]
	return twoLanguages{"(" + x.partiQL + op + y.partiQL + ")", "((" + x.expression + ")" + op + "(" + y.expression + "))"}
}

func (c *conditions) item(pk string, sk int) map[string]any {
	i := map[string]any{"pk": str(pk), "sk": map[string]any{"N": fmt.Sprint(sk)}}
	for _, name := range []string{"a", "b", "c"} {
		if c.Intn(3) > 0 {
			i[name] = c.any()
		}
	}
	if c.Intn(2) == 0 {
		i["d"] = map[string]any{"L": []any{c.scalar(), c.any()}}
		i["e"] = map[string]any{"M": map[string]any{"f": c.any()}}
	}
	return i
}

func newConditions(random *rand.Rand) *conditions {
	return &conditions{Rand: random, values: map[string]any{}}
}

func asText(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// twins makes tables with the same key.
func twins(t testing.TB, c *cloud, names ...string) {
	for _, name := range names {
		c.must(t, "CreateTable", `{"TableName":"`+name+`","BillingMode":"PAY_PER_REQUEST",
			"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"}],
			"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}]}`)
	}
}

type statementPage struct {
	Items            []any
	LastEvaluatedKey any
	NextToken        string
}

// TestASelectReadsWhatQueryAndScanRead compares statements, page by page, with the operations that they stand for.
func TestASelectReadsWhatQueryAndScanRead(t *testing.T) {
	c, random := open(t), rand.New(rand.NewSource(1))
	twins(t, c, "one")
	for n := range 60 {
		c.must(t, "PutItem", asText(t, map[string]any{"TableName": "one", "Item": newConditions(random).item(fmt.Sprintf("p%d", n%3), n)}))
	}
	for range 400 {
		g := newConditions(random)
		native, operation := map[string]any{"TableName": "one", "Limit": 1 + random.Intn(30)}, "Scan"
		where := ""
		if random.Intn(2) == 0 {
			operation = "Query"
			pk, sk := g.value(str(fmt.Sprintf("p%d", random.Intn(4)))), g.value(map[string]any{"N": fmt.Sprint(random.Intn(60))})
			where = "pk = " + pk.partiQL + " AND sk >= " + sk.partiQL + " AND "
			native["KeyConditionExpression"] = "pk = " + pk.expression + " AND sk >= " + sk.expression
		}
		cond := g.condition(3)
		native["FilterExpression"], native["ExpressionAttributeValues"] = cond.expression, g.values
		if len(g.values) == 0 {
			delete(native, "ExpressionAttributeValues")
		}
		statement := map[string]any{"Statement": "SELECT * FROM one WHERE " + where + cond.partiQL, "Limit": native["Limit"]}
		if g.parameters != nil {
			statement["Parameters"] = g.parameters
		}
		if operation == "Query" && random.Intn(2) == 0 {
			native["ScanIndexForward"] = false
			statement["Statement"] = statement["Statement"].(string) + " ORDER BY sk DESC"
		}
		samePages(t, c, statement, operation, native)
	}
}

func samePages(t *testing.T, c *cloud, statement map[string]any, operation string, native map[string]any) {
	t.Helper()
	for {
		got := c.call("ExecuteStatement", asText(t, statement))
		want := c.call(operation, asText(t, native))
		if !strings.HasPrefix(got, "{") || !strings.HasPrefix(want, "{") {
			if strings.Contains(got, "redundant") || strings.Contains(want, "redundant") {
				return // parentheses that expressions refuse
			}
			if got != want {
				t.Fatalf("%s: %s\n%s %s: %s", statement, got, operation, native, want)
			}
			return
		}
		a, b := decode[statementPage](t, got), decode[statementPage](t, want)
		if !reflect.DeepEqual(a.Items, b.Items) || !reflect.DeepEqual(a.LastEvaluatedKey, b.LastEvaluatedKey) {
			t.Fatalf("%s: %s\n%s %s: %s", statement, got, operation, native, want)
		}
		if (a.NextToken == "") != (a.LastEvaluatedKey == nil) {
			t.Fatalf("%s: the token is %q", statement, a.NextToken)
		}
		if a.LastEvaluatedKey == nil {
			return
		}
		statement["NextToken"], native["ExclusiveStartKey"] = a.NextToken, b.LastEvaluatedKey
	}
}

// twofoldWrite is one write in both languages.
type twofoldWrite struct {
	statement string
	operation string
	input     map[string]any // of the operation
	condition string         // of the operation; empty is none
}

// insert writes an item.
func (c *conditions) insert(item map[string]any) twofoldWrite {
	var fields []string
	for name, v := range item {
		m, isMap := v.(map[string]any)["M"]
		if isMap {
			v = m.(map[string]any)["f"]
		}
		text := c.value(v).partiQL
		if isMap {
			text = "{'f': " + text + "}"
		}
		fields = append(fields, "'"+name+"': "+text)
	}
	clear(c.values) // the item itself is the operation's parameter
	return twofoldWrite{"INSERT INTO one VALUE {" + strings.Join(fields, ", ") + "}", "PutItem", map[string]any{"Item": item}, "attribute_not_exists(pk)"}
}

// update writes one of several updates.
func (c *conditions) update(key map[string]any) twofoldWrite {
	n, v, l := c.value(map[string]any{"N": "1"}), c.value(c.any()), c.value(map[string]any{"L": []any{c.scalar()}})
	fill := func(format string) twoLanguages {
		return twoLanguages{fmt.Sprintf(format, n.partiQL, v.partiQL, l.partiQL), fmt.Sprintf(format, n.expression, v.expression, l.expression)}
	}
	var text twoLanguages
	switch c.Intn(4) {
	case 0:
		text = fill("SET a = a + %s, b = %s, d = list_append(d, %s)")
	case 1:
		text = fill("SET a = %s - a, b = %s, d[7] = %s")
		text.partiQL, text.expression = text.partiQL+" REMOVE c REMOVE e.f", text.expression+" REMOVE c, e.f"
	case 2:
		text = fill("SET a = %s, b = %s, d[0] = %s")
		set := c.value(map[string]any{"SS": []string{"y"}})
		text.partiQL, text.expression = text.partiQL+" SET c = set_add(c, "+set.partiQL+")", text.expression+" ADD c "+set.expression
	case 3:
		text = fill("SET a = %s, b = %s, d[0] = %s")
		set := c.value(map[string]any{"SS": []string{"y"}})
		text.partiQL, text.expression = text.partiQL+" SET c = set_delete(c, "+set.partiQL+")", text.expression+" DELETE c "+set.expression
	}
	return twofoldWrite{"UPDATE one " + text.partiQL, "UpdateItem", map[string]any{"Key": key, "UpdateExpression": text.expression}, "attribute_exists(pk)"}
}

// write writes something, perhaps on a condition.
func (c *conditions) write() twofoldWrite {
	pk, sk := fmt.Sprintf("p%d", c.Intn(2)), c.Intn(4)
	item := c.item(pk, sk)
	key := map[string]any{"pk": item["pk"], "sk": item["sk"]}
	var w twofoldWrite
	switch c.Intn(4) {
	case 0:
		return c.insert(item)
	case 1:
		w = twofoldWrite{statement: "DELETE FROM one", operation: "DeleteItem", input: map[string]any{"Key": key}}
	default:
		w = c.update(key)
	}
	w.statement += fmt.Sprintf(" WHERE pk = '%s' AND sk = %d", pk, sk)
	if c.Intn(2) == 0 {
		return w
	}
	cond := c.condition(2)
	w.statement += " AND " + cond.partiQL
	if w.condition == "" {
		w.condition = "attribute_not_exists(pk) OR " + cond.expression
	} else {
		w.condition += " AND " + cond.expression
	}
	return w
}

// TestStatementsWriteWhatTheOperationsWrite lets both write the same to two tables.
func TestStatementsWriteWhatTheOperationsWrite(t *testing.T) {
	c, random := open(t), rand.New(rand.NewSource(2))
	twins(t, c, "one", "two")
	for range 600 {
		g := newConditions(random)
		w := g.write()
		w.input["TableName"] = "two"
		if w.condition != "" {
			w.input["ConditionExpression"] = w.condition
		}
		if len(g.values) > 0 {
			w.input["ExpressionAttributeValues"] = g.values
		}
		statement := map[string]any{"Statement": w.statement}
		if g.parameters != nil {
			statement["Parameters"] = g.parameters
		}
		want := c.call(w.operation, asText(t, w.input))
		switch {
		case strings.Contains(want, "redundant parentheses"):
			continue
		case want == "{}":
			want = `{"Items":[]}`
		case w.operation == "PutItem" && strings.HasPrefix(want, "ConditionalCheckFailedException"):
			want = "DuplicateItemException: " + msgDuplicateItem
		}
		if got := c.call("ExecuteStatement", asText(t, statement)); got != want {
			t.Fatalf("%s: %s\n%s %s: %s", statement, got, w.operation, asText(t, w.input), want)
		}
	}
	if a, b := c.must(t, "Scan", `{"TableName":"one"}`), c.must(t, "Scan", `{"TableName":"two"}`); a != b {
		t.Errorf("the statements made %s\nthe operations %s", a, b)
	}
}

func TestINReadsTenValuesAPage(t *testing.T) {
	c := open(t)
	twins(t, c, "one")
	var values []string
	for n := range 23 {
		c.must(t, "PutItem", fmt.Sprintf(`{"TableName":"one","Item":{"pk":{"S":"p%d"},"sk":{"N":"1"}}}`, n))
		values = append(values, fmt.Sprintf("'p%d'", n))
	}
	statement := map[string]any{"Statement": "SELECT * FROM one WHERE pk IN [" + strings.Join(values, ", ") + "]"}
	for _, want := range []int{10, 10, 3} {
		p := decode[statementPage](t, c.must(t, "ExecuteStatement", asText(t, statement)))
		if len(p.Items) != want || p.LastEvaluatedKey != nil || (p.NextToken == "") != (want == 3) {
			t.Fatalf("%d items, token %q, want %d", len(p.Items), p.NextToken, want)
		}
		statement["NextToken"] = p.NextToken
	}
}

func TestPagesOverSeveralPartitionsJoinToTheWhole(t *testing.T) {
	c := open(t)
	twins(t, c, "one")
	for n := range 12 {
		c.must(t, "PutItem", fmt.Sprintf(`{"TableName":"one","Item":{"pk":{"S":"p%d"},"sk":{"N":"%d"}}}`, n%3, n))
	}
	for _, where := range []string{"pk IN ['p2', 'p0', 'none', 'p1'] AND sk <> 4", "pk = 'p1' OR pk = 'p0' ORDER BY pk, sk DESC", "sk > 2"} {
		text := "SELECT * FROM one WHERE " + where
		whole := decode[statementPage](t, c.must(t, "ExecuteStatement", asText(t, map[string]any{"Statement": text}))).Items
		for limit := 1; limit <= 13; limit++ {
			statement := map[string]any{"Statement": text, "Limit": limit}
			var joined []any
			for {
				p := decode[statementPage](t, c.must(t, "ExecuteStatement", asText(t, statement)))
				if joined = append(joined, p.Items...); len(p.Items) > limit || p.NextToken == "" {
					break
				}
				statement["NextToken"] = p.NextToken
			}
			if !reflect.DeepEqual(joined, whole) {
				t.Errorf("%s in pages of %d: %s, want %s", where, limit, joined, whole)
			}
		}
	}
}

func TestAPageOfSeveralPartitionsEndsBehindOneMegabyte(t *testing.T) {
	c := open(t)
	twins(t, c, "one")
	body := strings.Repeat("x", 300<<10)
	for n := range 6 {
		c.must(t, "PutItem", fmt.Sprintf(`{"TableName":"one","Item":{"pk":{"S":"p%d"},"sk":{"N":"%d"},"body":{"S":"%s"}}}`, n/2, n, body))
	}
	statement := map[string]any{"Statement": "SELECT sk FROM one WHERE pk IN ['p0', 'p1', 'p2'] ORDER BY pk DESC, sk DESC"}
	for _, want := range []string{`[{"sk":{"N":"5"}},{"sk":{"N":"4"}},{"sk":{"N":"3"}},{"sk":{"N":"2"}}]`, `[{"sk":{"N":"1"}},{"sk":{"N":"0"}}]`} {
		p := decode[statementPage](t, c.must(t, "ExecuteStatement", asText(t, statement)))
		if got := asText(t, p.Items); got != want {
			t.Fatalf("got %s\nwant %s", got, want)
		}
		statement["NextToken"] = p.NextToken
	}
}

func TestASelectGivesAllOfAKeyOfSeveralAttributes(t *testing.T) {
	c := open(t)
	var attributes, key []string
	for _, name := range []string{"id", "a", "b", "x", "y"} {
		attributes = append(attributes, `{"AttributeName":"`+name+`","AttributeType":"S"}`)
		if name != "id" {
			key = append(key, `{"AttributeName":"`+name+`","KeyType":"`+map[bool]string{true: "HASH", false: "RANGE"}[name < "c"]+`"}`)
		}
	}
	c.must(t, "CreateTable", `{"TableName":"one","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],
		"AttributeDefinitions":[`+strings.Join(attributes, ",")+`],"GlobalSecondaryIndexes":[{"IndexName":"many","KeySchema":[`+strings.Join(key, ",")+`],"Projection":{"ProjectionType":"ALL"}}]}`)
	for n := range 16 {
		c.must(t, "ExecuteStatement", fmt.Sprintf(`{"Statement":"INSERT INTO one VALUE {'id': '%d', 'a': '%d', 'b': '%d', 'x': '%d', 'y': '%d'}"}`, n, n>>3, n>>2&1, n>>1&1, n&1))
	}
	for _, tt := range []struct {
		where string
		want  string
		units float64 // half a unit for each partition that is read; 0.5 for all
	}{
		{"a = '1' AND b = '0' ORDER BY x DESC, y DESC", "11 10 9 8", 0.5},
		{"a = '1' AND b IN ['1', '0'] AND x = '1' ORDER BY b, x, y", "10 11 14 15", 1},
		{"a IN ['0', '1'] AND b IN ['0', '1'] AND x = '1' AND y > '0' ORDER BY a, b DESC", "7 3 15 11", 2},
		{"a = '0' AND b = '1' AND y = '1'", "5 7", 0.5}, // y is a filter
	} {
		out := c.must(t, "ExecuteStatement", asText(t, map[string]any{"Statement": `SELECT id FROM one."many" WHERE ` + tt.where, "ReturnConsumedCapacity": "TOTAL"}))
		a := decode[struct {
			Items            []struct{ ID struct{ S string } }
			ConsumedCapacity struct{ CapacityUnits float64 }
		}](t, out)
		var ids []string
		for _, i := range a.Items {
			ids = append(ids, i.ID.S)
		}
		if got := strings.Join(ids, " "); got != tt.want || a.ConsumedCapacity.CapacityUnits != tt.units {
			t.Errorf("%s: %s for %v units, want %s for %v", tt.where, got, a.ConsumedCapacity.CapacityUnits, tt.want, tt.units)
		}
	}
}

func TestStatementsAtOnceLoseNoUpdate(t *testing.T) {
	c := open(t)
	twins(t, c, "one")
	c.must(t, "ExecuteStatement", `{"Statement":"INSERT INTO one VALUE {'pk': 'a', 'sk': 1, 'n': 0}"}`)
	const add = `{"Statement":"UPDATE one SET n = n + 1 WHERE pk = 'a' AND sk = 1"}`
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 10 {
				c.want(t, "ExecuteStatement", add, `{"Items":[]}`)
				c.want(t, "ExecuteTransaction", `{"TransactStatements":[`+add+`]}`, `{}`)
				c.want(t, "BatchExecuteStatement", `{"Statements":[`+add+`]}`, `{"Responses":[{"TableName":"one"}]}`)
			}
		})
	}
	all.Wait()
	c.want(t, "ExecuteStatement", `{"Statement":"SELECT n FROM one WHERE pk = 'a'"}`, `{"Items":[{"n":{"N":"120"}}]}`)
}

func FuzzNextToken(f *testing.F) {
	t := &table{Name: "one", Key: keySchema{{Name: "pk", Type: "S"}, {Name: "sk", Type: "N", Sort: true}}}
	st, err := newStatement(new("SELECT * FROM one WHERE pk IN ['a', 'b']"), nil, nil)
	if err != nil {
		f.Fatal(err)
	}
	sel, err := newSelection(t, st, st.tree.(*partiql.Select))
	if err != nil {
		f.Fatal(err)
	}
	key := item.Item{"pk": item.String("a"), "sk": item.Num(item.Number{})}
	f.Add("")
	f.Add((&bookmark{part: 1}).encode(st))
	f.Add((&bookmark{last: wireItem(key)}).encode(st))
	f.Fuzz(func(t *testing.T, token string) {
		at, err := sel.start(st, &token)
		if err == nil && at.part > maxStatementParts {
			t.Errorf("%q points to part %d", token, at.part)
		}
	})
}
