package dynamodb

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"devstack/emulators/wire"
)

func TestAccountsAndRegionsDoNotMeet(t *testing.T) {
	c := open(t)
	places := []*wire.Request{
		{Account: "111111111111", Region: "us-east-1"}, {Account: "111111111111", Region: "eu-west-1"}, {Account: "222222222222", Region: "us-east-1"},
	}
	call := func(at *wire.Request, operation, input string) string {
		var out json.RawMessage
		if err := c.Call(wire.WithRequest(context.Background(), at), "dynamodb", operation, json.RawMessage(input), &out); err != nil {
			return err.Error()
		}
		return string(out)
	}
	for i, p := range places {
		if out := call(p, "ListTables", `{}`); out != `{"TableNames":[]}` {
			t.Errorf("%v begins with %s", p, out)
		}
		if out := call(p, "CreateTable", createPK); !strings.Contains(out, p.ARN("dynamodb", "table/things")) {
			t.Error(out)
		}
		call(p, "PutItem", fmt.Sprintf(`{"TableName":"things","Item":{"pk":{"S":"a"},"sk":{"N":"%d"}}}`, i))
	}
	for i, p := range places {
		if out := call(p, "Scan", `{"TableName":"things"}`); out != fmt.Sprintf(`{"Items":[{"pk":{"S":"a"},"sk":{"N":"%d"}}],"Count":1,"ScannedCount":1}`, i) {
			t.Errorf("%v has %s", p, out)
		}
	}
	foreign := `{"TableName":"` + places[1].ARN("dynamodb", "table/things") + `","Select":"COUNT"}`
	if out := call(places[0], "Scan", foreign); out != "ValidationException: 1 validation error detected: Invalid AWS region in '"+places[1].ARN("dynamodb", "table/things")+"'" {
		t.Errorf("a table of another region by its ARN: %s", out)
	}
	foreign = `{"TableName":"` + places[2].ARN("dynamodb", "table/things") + `","Select":"COUNT"}`
	if out := call(places[0], "Scan", foreign); out != "AccessDeniedException: Access is denied" {
		t.Errorf("a table of another account by its ARN: %s", out)
	}
}

func TestListTablesPages(t *testing.T) {
	c := open(t)
	for _, name := range []string{"ccc", "aaa", "bbb"} {
		c.must(t, "CreateTable", strings.Replace(createPK, "things", name, 1))
	}
	c.want(t, "ListTables", `{"Limit":2}`, `{"TableNames":["aaa","bbb"],"LastEvaluatedTableName":"bbb"}`)
	c.want(t, "ListTables", `{"Limit":2,"ExclusiveStartTableName":"bbb"}`, `{"TableNames":["ccc"]}`)
	c.want(t, "ListTables", `{"ExclusiveStartTableName":"abc"}`, `{"TableNames":["bbb","ccc"]}`)
}

func TestNewTableOfAnOldNameIsEmpty(t *testing.T) {
	c := open(t)
	for range 2 {
		c.must(t, "CreateTable", createPK)
		c.want(t, "Scan", `{"TableName":"things"}`, `{"Items":[],"Count":0,"ScannedCount":0}`)
		c.must(t, "PutItem", `{"TableName":"things","Item":{"pk":{"S":"a"},"sk":{"N":"1"}}}`)
		c.want(t, "GetItem", `{"TableName":"things","Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"ProjectionExpression":"nothing"}`, `{"Item":{}}`)
		c.must(t, "DeleteTable", `{"TableName":"things"}`)
		c.want(t, "Scan", `{"TableName":"things"}`, "ResourceNotFoundException: Requested resource not found")
	}
}

func TestIndexDefinitions(t *testing.T) {
	const create = `{"TableName":"things","BillingMode":"PAY_PER_REQUEST",
		"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"},{"AttributeName":"g","AttributeType":"S"}],
		"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],`
	index := func(name, hash, sort, projection string) string {
		key := `{"AttributeName":"` + hash + `","KeyType":"HASH"}`
		if sort != "" {
			key += `,{"AttributeName":"` + sort + `","KeyType":"RANGE"}`
		}
		return `{"IndexName":"` + name + `","KeySchema":[` + key + `],"Projection":{` + projection + `}}`
	}
	const all, invalid = `"ProjectionType":"ALL"`, "ValidationException: One or more parameter values were invalid: "
	var many []string
	for n := range 21 {
		many = append(many, index(fmt.Sprintf("index%d", n), "g", "", all))
	}
	for _, tt := range []struct{ name, indexes, want string }{
		{"a local index without a sort key", `"LocalSecondaryIndexes":[` + index("local", "pk", "", all) + `],"GlobalSecondaryIndexes":[` + index("idx", "g", "", all) + `]`, invalid + "Index KeySchema does not have a range key for index: local"},
		{"a local index of another partition key", `"LocalSecondaryIndexes":[` + index("local", "g", "sk", all) + `]`,
			invalid + "Index KeySchema does not have the same leading hash key as table KeySchema for index: local. index hash key: g, table hash key: pk"},
		{"two indexes of one name", `"GlobalSecondaryIndexes":[` + index("same", "g", "", all) + "," + index("same", "g", "sk", all) + `]`, invalid + "Duplicate index name: same"},
		{"an undefined key", `"GlobalSecondaryIndexes":[` + index("idx", "x", "", all) + `]`,
			invalid + "Some index key attributes are not defined in AttributeDefinitions. Keys: [x], AttributeDefinitions: [sk, pk, g]"},
		{"INCLUDE of nothing", `"GlobalSecondaryIndexes":[` + index("idx", "g", "", `"ProjectionType":"INCLUDE"`) + `]`, invalid + "ProjectionType is INCLUDE, but NonKeyAttributes is not specified"},
		{"ALL of something", `"GlobalSecondaryIndexes":[` + index("idx", "g", "", all+`,"NonKeyAttributes":["x"]`) + `]`, invalid + "ProjectionType is ALL, but NonKeyAttributes is specified"},
		{"no projection", `"GlobalSecondaryIndexes":[` + index("idx", "g", "", "") + `]`, invalid + "Unknown ProjectionType: null"},
		{"too many indexes", `"GlobalSecondaryIndexes":[` + strings.Join(many, ",") + `]`, invalid + "GlobalSecondaryIndex count exceeds the per-table limit of 20"},
		{"no indexes", `"GlobalSecondaryIndexes":[]`, invalid + "List of GlobalSecondaryIndexes is empty"},
	} {
		t.Run(tt.name, func(t *testing.T) { open(t).want(t, "CreateTable", create+tt.indexes+"}", tt.want) })
	}
}

func TestReadsOfWhatAnIndexDoesNotHave(t *testing.T) {
	c := open(t)
	c.must(t, "CreateTable", `{"TableName":"things","BillingMode":"PAY_PER_REQUEST",
		"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"},{"AttributeName":"g","AttributeType":"S"}],
		"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
		"LocalSecondaryIndexes":[{"IndexName":"local","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"g","KeyType":"RANGE"}],"Projection":{"ProjectionType":"KEYS_ONLY"}}],
		"GlobalSecondaryIndexes":[{"IndexName":"global","KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],"Projection":{"ProjectionType":"KEYS_ONLY"}}]}`)
	c.must(t, "PutItem", `{"TableName":"things","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"g":{"S":"x"},"v":{"N":"7"}}}`)
	for _, tt := range []struct{ name, rest, want string }{
		{"a local index fetches what a filter asks for", `"IndexName":"local","FilterExpression":"v = :v","ExpressionAttributeValues":{":v":{"N":"7"}}`,
			`{"Items":[{"g":{"S":"x"},"pk":{"S":"a"},"sk":{"N":"1"}}],"Count":1,"ScannedCount":1}`},
		{"a local index fetches what a projection names", `"IndexName":"local","ProjectionExpression":"v"`, `{"Items":[{"v":{"N":"7"}}],"Count":1,"ScannedCount":1}`},
		{"a local index fetches everything", `"IndexName":"local","Select":"ALL_ATTRIBUTES"`,
			`{"Items":[{"g":{"S":"x"},"pk":{"S":"a"},"sk":{"N":"1"},"v":{"N":"7"}}],"Count":1,"ScannedCount":1}`},
		{"a local index shows what it has", `"IndexName":"local"`, `{"Items":[{"g":{"S":"x"},"pk":{"S":"a"},"sk":{"N":"1"}}],"Count":1,"ScannedCount":1}`},
		{"a global index refuses the projection", `"IndexName":"global","ProjectionExpression":"g, v"`,
			"ValidationException: One or more parameter values were invalid: Global secondary index global does not project [v]"},
		{"a global index refuses the filter", `"IndexName":"global","FilterExpression":"v = :v","ExpressionAttributeValues":{":v":{"N":"7"}}`,
			"ValidationException: One or more parameter values were invalid: Secondary index global does not project one or more filter attributes: [v]"},
	} {
		t.Run(tt.name, func(t *testing.T) { c.want(t, "Scan", `{"TableName":"things",`+tt.rest+`}`, tt.want) })
	}
}
