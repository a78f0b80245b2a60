package dynamodb

import (
	"fmt"
	"strings"
	"testing"
)

// TestRefusals has a line for each message about items, keys and parameters.
func TestRefusals(t *testing.T) {
	c := open(t)
	c.must(t, "CreateTable", createPK)
	c.must(t, "PutItem", `{"TableName":"things","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"word":{"S":"w"}}}`)
	const validation = "ValidationException: "
	const invalid = validation + "One or more parameter values were invalid: "
	const violated = validation + "1 validation error detected: "
	big := strings.Repeat("x", 400<<10)
	deep := strings.Repeat(`{"L":[`, 32) + `{"S":"x"}` + strings.Repeat("]}", 32)
	for _, tt := range []struct{ name, operation, input, want string }{
		{"a key without its sort key", "GetItem", `"Key":{"pk":{"S":"a"}}`, validation + msgKeySchema},
		{"a key of the wrong type", "GetItem", `"Key":{"pk":{"S":"a"},"sk":{"S":"1"}}`, validation + msgKeySchema},
		{"a key of other attributes", "DeleteItem", `"Key":{"pk":{"S":"a"},"id":{"N":"1"}}`, validation + msgKeySchema},
		{"a key with more than the key", "UpdateItem", `"Key":{"pk":{"S":"a"},"sk":{"N":"1"},"word":{"S":"w"}}`, validation + msgKeySchema},
		{"an empty key", "GetItem", `"Key":{"pk":{"S":""},"sk":{"N":"1"}}`,
			validation + "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"},
		{"a key that is too long", "GetItem", `"Key":{"pk":{"S":"` + strings.Repeat("k", 2049) + `"},"sk":{"N":"1"}}`,
			invalid + "Size of hashkey has exceeded the maximum size limit of2048 bytes"},
		{"an item without its key", "PutItem", `"Item":{"sk":{"N":"1"}}`, invalid + "Missing the key pk in the item"},
		{"an item with a key of the wrong type", "PutItem", `"Item":{"pk":{"N":"1"},"sk":{"N":"1"}}`, invalid + "Type mismatch for key pk expected: S actual: N"},
		{"an item that is too large", "PutItem", `"Item":{"pk":{"S":"a"},"sk":{"N":"1"},"b":{"S":"` + big + `"}}`, validation + "Item size has exceeded the maximum allowed size"},
		{"an update that makes it too large", "UpdateItem", `"Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"UpdateExpression":"SET b = :b","ExpressionAttributeValues":{":b":{"S":"` + big + `"}}`,
			validation + "Item size to update has exceeded the maximum allowed size"},
		{"a value that is none", "PutItem", `"Item":{"pk":{"S":"a"},"sk":{"N":"1"},"b":{}}`, validation + "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
		{"a number that is none", "PutItem", `"Item":{"pk":{"S":"a"},"sk":{"N":"one"}}`, validation + "The parameter cannot be converted to a numeric value: one"},
		{"a set that is empty", "PutItem", `"Item":{"pk":{"S":"a"},"sk":{"N":"1"},"b":{"SS":[]}}`, violated + "One or more parameter values were invalid: An string set  may not be empty"},
		{"lists that are too deep", "PutItem", `"Item":{"pk":{"S":"a"},"sk":{"N":"1"},"b":` + deep + `}`,
			validation + "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"},
		{"an update of the key", "UpdateItem", `"Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"UpdateExpression":"SET sk = :b","ExpressionAttributeValues":{":b":{"N":"2"}}`,
			invalid + "Cannot update attribute sk. This attribute is part of the key"},
		{"an update of what is not there", "UpdateItem", `"Key":{"pk":{"S":"z"},"sk":{"N":"1"}},"UpdateExpression":"SET a = b"`,
			validation + "The provided expression refers to an attribute that does not exist in the item"},
		{"a value that no expression uses", "PutItem", `"Item":{"pk":{"S":"a"},"sk":{"N":"1"}},"ExpressionAttributeValues":{":b":{"N":"2"}}`,
			violated + "ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is null"},
		{"a name without an expression", "GetItem", `"Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"ExpressionAttributeNames":{"#b":"b"}`,
			validation + "ExpressionAttributeNames can only be specified when using expressions"},
		{"a value that is unused", "Query", `"KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"a"},":q":{"S":"a"}}`,
			validation + "Value provided in ExpressionAttributeValues unused in expressions: keys: {:q}"},
		{"a value in an expression that is wrong", "PutItem", `"Item":{"pk":{"S":"a"},"sk":{"N":"1"}},"ConditionExpression":"a = :b","ExpressionAttributeValues":{":b":{"N":"x"}}`,
			validation + "ExpressionAttributeValues contains invalid value: The parameter cannot be converted to a numeric value: x for key :b"},
		{"return values of a put", "PutItem", `"Item":{"pk":{"S":"a"},"sk":{"N":"1"}},"ReturnValues":"ALL_NEW"`, violated + "ReturnValues can only be ALL_OLD or NONE"},
		{"a condition that fails", "DeleteItem", `"Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"ConditionExpression":"attribute_not_exists(pk)"`,
			"ConditionalCheckFailedException: The conditional request failed"},
		{"a query without a condition", "Query", `"Limit":1`, validation + "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."},
		{"a filter on the key", "Query", `"KeyConditionExpression":"pk = :p","FilterExpression":"sk > :q","ExpressionAttributeValues":{":p":{"S":"a"},":q":{"N":"1"}}`,
			validation + "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk"},
		{"a start that is no key", "Scan", `"ExclusiveStartKey":{"pk":{"S":"a"}}`, validation + msgStartSchema},
		{"a start in another partition", "Query", `"KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"a"}},"ExclusiveStartKey":{"pk":{"S":"b"},"sk":{"N":"1"}}`,
			validation + msgStartOutside},
		{"a start outside the condition", "Query", `"KeyConditionExpression":"pk = :p AND sk > :s","ExpressionAttributeValues":{":p":{"S":"a"},":s":{"N":"5"}},"ExclusiveStartKey":{"pk":{"S":"a"},"sk":{"N":"1"}}`,
			validation + msgStartPredicate},
		{"a segment without a total", "Scan", `"Segment":1`, validation + "The TotalSegments parameter is required but was not present in the request when Segment parameter is present"},
		{"a segment that there is not", "Scan", `"Segment":2,"TotalSegments":2`,
			validation + "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 2 is not less than TotalSegments: 2"},
		{"a projection where only a count is wanted", "Scan", `"Select":"COUNT","ProjectionExpression":"pk"`, validation + "Cannot specify the ProjectionExpression when choosing to get only the Count"},
		{"specific attributes that are not named", "Scan", `"Select":"SPECIFIC_ATTRIBUTES"`,
			validation + "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"},
	} {
		t.Run(tt.name, func(t *testing.T) { c.want(t, tt.operation, `{"TableName":"things",`+tt.input+`}`, tt.want) })
	}
	c.want(t, "Scan", `{"TableName":"things"}`, `{"Items":[{"pk":{"S":"a"},"sk":{"N":"1"},"word":{"S":"w"}}],"Count":1,"ScannedCount":1}`)
}

func TestReturnValues(t *testing.T) {
	for _, tt := range []struct{ returned, want string }{
		{"NONE", `{}`},
		{"ALL_OLD", `{"Attributes":{"n":{"N":"1"},"pk":{"S":"a"},"sk":{"N":"1"},"w":{"S":"x"}}}`},
		{"UPDATED_OLD", `{"Attributes":{"n":{"N":"1"}}}`},
		{"ALL_NEW", `{"Attributes":{"n":{"N":"3"},"new":{"BOOL":true},"pk":{"S":"a"},"sk":{"N":"1"},"w":{"S":"x"}}}`},
		{"UPDATED_NEW", `{"Attributes":{"n":{"N":"3"},"new":{"BOOL":true}}}`},
	} {
		t.Run(tt.returned, func(t *testing.T) {
			c := open(t)
			c.must(t, "CreateTable", createPK)
			c.must(t, "PutItem", `{"TableName":"things","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"n":{"N":"1"},"w":{"S":"x"}}}`)
			c.want(t, "UpdateItem", `{"TableName":"things","Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"UpdateExpression":"ADD n :two SET #new = :yes",
				"ExpressionAttributeNames":{"#new":"new"},"ExpressionAttributeValues":{":two":{"N":"2"},":yes":{"BOOL":true}},"ReturnValues":"`+tt.returned+`"}`, tt.want)
		})
	}
}

func TestBatches(t *testing.T) {
	c := open(t)
	c.must(t, "CreateTable", createPK)
	put := func(n int) string {
		return fmt.Sprintf(`{"PutRequest":{"Item":{"pk":{"S":"a"},"sk":{"N":"%d"}}}}`, n)
	}
	key := func(n int) string { return fmt.Sprintf(`{"pk":{"S":"a"},"sk":{"N":"%d"}}`, n) }
	list := func(n int, f func(int) string) string {
		var all []string
		for i := range n {
			all = append(all, f(i))
		}
		return strings.Join(all, ",")
	}
	write := func(requests string) string { return `{"RequestItems":{"things":[` + requests + `]}}` }
	get := func(keys string) string { return `{"RequestItems":{"things":{"Keys":[` + keys + `]}}}` }

	c.want(t, "BatchWriteItem", write(put(1)+","+put(1)), "ValidationException: Provided list of item keys contains duplicates")
	c.want(t, "BatchWriteItem", write(put(1)+","+`{"DeleteRequest":{"Key":{"pk":{"S":"a"}}}}`), "ValidationException: "+msgKeySchema)
	c.want(t, "BatchWriteItem", `{"RequestItems":{"nothing":[`+put(1)+`]}}`, "ResourceNotFoundException: Requested resource not found")
	c.want(t, "Scan", `{"TableName":"things","Select":"COUNT"}`, `{"Count":0,"ScannedCount":0}`)

	c.want(t, "BatchWriteItem", write(list(25, put)), `{"UnprocessedItems":{}}`)
	c.want(t, "BatchGetItem", get(key(3)+","+key(99)), `{"Responses":{"things":[{"pk":{"S":"a"},"sk":{"N":"3"}}]},"UnprocessedKeys":{}}`)
	c.want(t, "BatchGetItem", get(key(3)+","+key(3)), "ValidationException: Provided list of item keys contains duplicates")
	c.want(t, "BatchWriteItem", write(`{"DeleteRequest":{"Key":`+key(3)+`}},`+put(30)), `{"UnprocessedItems":{}}`)
	c.want(t, "BatchGetItem", get(key(3)), `{"Responses":{"things":[]},"UnprocessedKeys":{}}`)
	c.want(t, "Scan", `{"TableName":"things","Select":"COUNT"}`, `{"Count":25,"ScannedCount":25}`)

	large := strings.Repeat("x", 390<<10)
	for n := range 50 {
		c.must(t, "PutItem", fmt.Sprintf(`{"TableName":"things","Item":{"pk":{"S":"a"},"sk":{"N":"%d"},"b":{"S":"%s"}}}`, n, large))
	}
	a := decode[struct {
		Responses       map[string][]any
		UnprocessedKeys map[string]struct{ Keys []any }
	}](t, c.must(t, "BatchGetItem", get(list(50, key))))
	if got, rest := len(a.Responses["things"]), len(a.UnprocessedKeys["things"].Keys); got != 42 || rest != 8 {
		t.Errorf("of 50 items of 390 KB, 16 MB are %d items, %d left; want 42 and 8", got, rest)
	}
}
