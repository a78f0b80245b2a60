package dynamodb

import (
	"strings"
	"testing"
)

const createIndexed = `{"TableName":"jobs","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"state","AttributeType":"S"}],
	"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],"BillingMode":"PAY_PER_REQUEST",
	"GlobalSecondaryIndexes":[{"IndexName":"by_state","KeySchema":[{"AttributeName":"state","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}]}`

// TestWhatCancelsATransaction has the two ways in which a transaction is refused: as a whole, or with a reason for each action.
func TestWhatCancelsATransaction(t *testing.T) {
	c := open(t)
	c.must(t, "CreateTable", createIndexed)
	const validation = "ValidationException: "
	const cancelled = "TransactionCanceledException: Transaction cancelled, please refer cancellation reasons for specific reasons [ValidationError]"
	const emptyKey = validation + "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"
	update := func(expression, value string) string {
		return `"Update":{"TableName":"jobs","Key":{"pk":{"S":"a"}},"UpdateExpression":"` + expression + `","ExpressionAttributeValues":{":v":` + value + `}}`
	}
	for _, tt := range []struct{ name, action, want string }{
		// https://github.com/nubo-db/dynoxide/issues/95 and https://github.com/nubo-db/dynoxide/issues/98
		{"an empty key of an item", `"Put":{"TableName":"jobs","Item":{"pk":{"S":""}}}`, emptyKey},
		{"an empty key", `"Delete":{"TableName":"jobs","Key":{"pk":{"S":""}}}`, emptyKey},
		{"an empty index key", `"Put":{"TableName":"jobs","Item":{"pk":{"S":"a"},"state":{"S":""}}}`,
			validation + "One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty string value. IndexName: by_state, IndexKey: state"},
		{"an index key made empty", update("SET #s = :v", `{"S":""}`)[:len(update("SET #s = :v", `{"S":""}`))-1] + `,"ExpressionAttributeNames":{"#s":"state"}}`,
			validation + "The update expression attempted to update a secondary index key to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty string value."},
		{"a key of the wrong type", `"Put":{"TableName":"jobs","Item":{"pk":{"N":"1"}}}`, cancelled},
		// https://github.com/ExtendDB/extenddb/pull/211
		{"a key that is too long", `"Delete":{"TableName":"jobs","Key":{"pk":{"S":"` + strings.Repeat("k", 2049) + `"}}}`, cancelled},
		// https://github.com/aws/aws-sdk-net/issues/1292
		{"an attribute that is not there", update("SET a = b + :v", `{"N":"1"}`), cancelled},
		// https://github.com/ExtendDB/extenddb/pull/216
		{"an operand of the wrong type", `"ConditionCheck":{"TableName":"jobs","Key":{"pk":{"S":"a"}},"ConditionExpression":"a < :v","ExpressionAttributeValues":{":v":{"BOOL":true}}}`,
			validation + "Invalid ConditionExpression: Incorrect operand type for operator or function; operator or function: <, operand type: BOOL"},
		// https://github.com/ExtendDB/extenddb/issues/79
		{"a name without its sign", `"ConditionCheck":{"TableName":"jobs","Key":{"pk":{"S":"a"}},"ConditionExpression":"attribute_exists(a)","ExpressionAttributeNames":{"a":"b"}}`,
			validation + `ExpressionAttributeNames contains invalid key: Syntax error; key: "a"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.want(t, "TransactWriteItems", `{"TransactItems":[{`+tt.action+`}]}`, tt.want)
		})
	}
	// https://github.com/architect/dynalite/issues/35
	c.want(t, "PutItem", `{"TableName":"jobs","Item":{"pk":{"S":"a"},"state":{"S":"`+strings.Repeat("s", 2049)+`"}}}`,
		validation+"One or more parameter values were invalid: Size limit exceeded for Index Key state Actual Size: 2049 bytes Max Size: 2048 bytes IndexName: by_state")
	// https://github.com/ExtendDB/extenddb/pull/169: names and values for nothing are accepted
	c.want(t, "TransactWriteItems", `{"TransactItems":[{"Delete":{"TableName":"jobs","Key":{"pk":{"S":"a"}},"ExpressionAttributeNames":{"#a":"a"},"ExpressionAttributeValues":{":a":{"S":"a"}}}}]}`, `{}`)
	c.want(t, "TransactGetItems", `{"TransactItems":[{"Get":{"TableName":"jobs","Key":{"pk":{"S":"a"}},"ExpressionAttributeNames":{"#a":"a"}}}]}`, `{"Responses":[{}]}`)
	// https://github.com/nubo-db/dynoxide/issues/19 and https://github.com/nubo-db/dynoxide/issues/39
	c.want(t, "TransactGetItems", `{"TransactItems":[{"Get":{"TableName":"jobs","Key":{"id":{"S":"a"}}}}]}`, cancelled)
	c.must(t, "PutItem", `{"TableName":"jobs","Item":{"pk":{"S":"a"},"b":{"S":"x"}}}`)
	c.want(t, "TransactGetItems", `{"TransactItems":[{"Get":{"TableName":"jobs","Key":{"pk":{"S":"a"}},"ProjectionExpression":"z"}}]}`, `{"Responses":[{}]}`)
	c.want(t, "GetItem", `{"TableName":"jobs","Key":{"pk":{"S":"a"}},"ProjectionExpression":"z"}`, `{"Item":{}}`)
}

// TestCostsOfTransactions: only the table's part costs twice, and a repetition reads what the first has written.
//
// https://github.com/nubo-db/dynoxide/issues/178
func TestCostsOfTransactions(t *testing.T) {
	c := open(t)
	c.must(t, "CreateTable", createIndexed)
	c.must(t, "PutItem", `{"TableName":"jobs","Item":{"pk":{"S":"large"},"b":{"S":"`+strings.Repeat("x", 9000)+`"}}}`)
	put := `{"TransactItems":[{"Put":{"TableName":"jobs","Item":{"pk":{"S":"a"},"state":{"S":"new"}}}}],"ReturnConsumedCapacity":"INDEXES"}`
	c.want(t, "TransactWriteItems", put, `{"ConsumedCapacity":[{"TableName":"jobs","CapacityUnits":3,"WriteCapacityUnits":3,"Table":{"WriteCapacityUnits":2,"CapacityUnits":2},`+
		`"GlobalSecondaryIndexes":{"by_state":{"WriteCapacityUnits":1,"CapacityUnits":1}}}]}`)
	remove := `{"ClientRequestToken":"t","TransactItems":[{"Delete":{"TableName":"jobs","Key":{"pk":{"S":"large"}}}}],"ReturnConsumedCapacity":"TOTAL"}`
	c.want(t, "TransactWriteItems", remove, `{"ConsumedCapacity":[{"TableName":"jobs","CapacityUnits":18,"WriteCapacityUnits":18}]}`)
	c.want(t, "TransactWriteItems", remove, `{"ConsumedCapacity":[{"TableName":"jobs","CapacityUnits":6,"ReadCapacityUnits":6}]}`)
	checked := `{"TransactItems":[{"ConditionCheck":{"TableName":"jobs","Key":{"pk":{"S":"a"}},"ConditionExpression":"attribute_exists(pk)"}}],"ReturnConsumedCapacity":"INDEXES"}`
	c.want(t, "TransactWriteItems", checked, `{"ConsumedCapacity":[{"TableName":"jobs","CapacityUnits":2,"WriteCapacityUnits":2,"Table":{"WriteCapacityUnits":2,"CapacityUnits":2}}]}`)
}

// TestCostsOfIndexes is about what an index sees of a write: https://github.com/nubo-db/dynoxide/issues/176
func TestCostsOfIndexes(t *testing.T) {
	c := open(t)
	c.must(t, "CreateTable", createIndexed)
	for _, tt := range []struct {
		name, operation, input string
		index                  string // its units; none if it is not charged
	}{
		{"an item comes", "PutItem", `"Item":{"pk":{"S":"a"},"state":{"S":"new"},"tags":{"SS":["x","y"]}}`, "1"},
		{"it is put again", "PutItem", `"Item":{"pk":{"S":"a"},"state":{"S":"new"},"tags":{"SS":["x","y"]}}`, ""},
		{"a set's order is another", "PutItem", `"Item":{"pk":{"S":"a"},"state":{"S":"new"},"tags":{"SS":["y","x"]}}`, ""},
		{"it moves", "UpdateItem", `"Key":{"pk":{"S":"a"}},"UpdateExpression":"SET #s = :s","ExpressionAttributeNames":{"#s":"state"},"ExpressionAttributeValues":{":s":{"S":"old"}}`, "2"},
		{"it leaves", "UpdateItem", `"Key":{"pk":{"S":"a"}},"UpdateExpression":"REMOVE #s","ExpressionAttributeNames":{"#s":"state"}`, "1"},
		{"what the index does not have is deleted", "DeleteItem", `"Key":{"pk":{"S":"a"}}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out := c.must(t, tt.operation, `{"TableName":"jobs",`+tt.input+`,"ReturnConsumedCapacity":"INDEXES"}`)
			want := `"Table":{"CapacityUnits":1}}}`
			if tt.index != "" {
				want = `"Table":{"CapacityUnits":1},"GlobalSecondaryIndexes":{"by_state":{"CapacityUnits":` + tt.index + `}}}}`
			}
			if !strings.HasSuffix(out, want) {
				t.Errorf("%s, want %s", out, want)
			}
		})
	}
}

// TestStartsAndOperands has what a Query or Scan cannot begin at or look for.
func TestStartsAndOperands(t *testing.T) {
	c := open(t)
	c.must(t, "CreateTable", createIndexed)
	const invalid = "ValidationException: The provided starting key is invalid"
	query := func(index, value, more string) string {
		return `{"TableName":"jobs",` + index + `"KeyConditionExpression":"#k = :v","ExpressionAttributeValues":{":v":{"S":"` + value + `"}}` + more + `}`
	}
	const ofIndex = `"IndexName":"by_state","ExpressionAttributeNames":{"#k":"state"},`
	const ofTable = `"ExpressionAttributeNames":{"#k":"pk"},`
	for _, tt := range []struct{ name, operation, input, want string }{
		// https://github.com/ExtendDB/extenddb/issues/59 and https://github.com/ExtendDB/extenddb/pull/86
		{"a Scan of the table", "Scan", `{"TableName":"jobs","ExclusiveStartKey":{"bad":{"S":"p"}}}`, invalid + ": The provided key element does not match the schema"},
		{"a Scan of the table with a key of the wrong type", "Scan", `{"TableName":"jobs","ExclusiveStartKey":{"pk":{"N":"1"}}}`, invalid + ": The provided key element does not match the schema"},
		{"a Scan of an index", "Scan", `{"TableName":"jobs","IndexName":"by_state","ExclusiveStartKey":{"pk":{"S":"p"}}}`, invalid},
		{"a Query of the table", "Query", query(ofTable, "a", `,"ExclusiveStartKey":{"pk":{"S":"a"},"x":{"S":"x"}}`), invalid},
		{"a Query of an index", "Query", query(ofIndex, "a", `,"ExclusiveStartKey":{"pk":{"S":"a"}}`), invalid},
		// From memory of AWS's answers.
		{"a start that is none", "Scan", `{"TableName":"jobs","ExclusiveStartKey":{"pk":{}}}`, invalid + ": Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
		// https://github.com/ministackorg/ministack/pull/1067 and https://github.com/praetorian-inc/chariot-ui/issues/353
		{"an empty key", "Query", query(ofTable, "", ""), "ValidationException: One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"},
		{"an empty key of an index", "Query", query(ofIndex, "", ""),
			"ValidationException: One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty string value. IndexName: by_state, IndexKey: state"},
	} {
		t.Run(tt.name, func(t *testing.T) { c.want(t, tt.operation, tt.input, tt.want) })
	}
}
