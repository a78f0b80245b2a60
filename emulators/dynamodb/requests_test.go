package dynamodb

import (
	"strings"
	"testing"
)

// TestChecksBeforeTheTable has what DynamoDB refuses although the table does not exist, with the source of each fact.
func TestChecksBeforeTheTable(t *testing.T) {
	c := open(t)
	const validation = "ValidationException: "
	const violated = validation + "1 validation error detected: "
	const absent = "ResourceNotFoundException: Requested resource not found"
	key := `"Key":{"pk":{"S":"a"}}`
	value := `"ExpressionAttributeValues":{":v":{"S":"v"}}`
	deep := strings.Repeat(`{"L":[`, 32) + `{"S":"x"}` + strings.Repeat("]}", 32)
	const tooDeep = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
	for _, tt := range []struct{ name, operation, input, want string }{
		// https://github.com/ExtendDB/extenddb/pull/192
		{"a condition's syntax", "DeleteItem", key + `,"ConditionExpression":"a >> b"`, validation + `Invalid ConditionExpression: Syntax error; token: ">", near: ">> b"`},
		{"a reserved word", "GetItem", key + `,"ProjectionExpression":"name"`, validation + "Invalid ProjectionExpression: Attribute name is a reserved keyword; reserved keyword: name"},
		{"a filter's undefined name", "Scan", `"FilterExpression":"#f = :v",` + value, validation + "Invalid FilterExpression: An expression attribute name used in the document path is not defined; attribute name: #f"},
		// Captured from AWS in the pull request above for expressions in general; of key conditions it is a guess by that.
		{"a key condition's form", "Query", `"KeyConditionExpression":"pk.a = :v",` + value, validation + "Invalid KeyConditionExpression: KeyConditionExpressions cannot have conditions on nested attributes"},
		{"a value that no expression uses", "Query", `"KeyConditionExpression":"pk = :v","ExpressionAttributeValues":{":v":{"S":"v"},":w":{"S":"w"}}`,
			validation + "Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}"},
		// https://github.com/ExtendDB/extenddb/pull/201
		{"an item that is too large", "PutItem", `"Item":{"pk":{"S":"` + strings.Repeat("x", 400<<10) + `"}}`, validation + "Item size has exceeded the maximum allowed size"},
		{"placeholders before values", "DeleteItem", key + `,"ConditionExpression":"a = :v","ExpressionAttributeValues":{":v":{"N":"x"},"w":{"S":"w"}}`,
			validation + `ExpressionAttributeValues contains invalid key: Syntax error; key: "w"`},
		{"a value that is none", "DeleteItem", key + `,"ConditionExpression":"a = :v","ExpressionAttributeValues":{":v":{"N":"x"}}`,
			validation + "ExpressionAttributeValues contains invalid value: The parameter cannot be converted to a numeric value: x for key :v"},
		// https://github.com/nubo-db/dynoxide/issues/110
		{"a value that is too deep", "DeleteItem", key + `,"ConditionExpression":"a = :v","ExpressionAttributeValues":{":v":` + deep + `}`, validation + tooDeep},
		{"an item that is too deep", "PutItem", `"Item":{"pk":{"S":"a"},"d":` + deep + `}`, validation + tooDeep},
		// https://github.com/floci-io/floci/pull/3447
		{"a Scan's filter that is too long", "Scan", `"FilterExpression":"` + strings.Repeat("a", 4097) + `"`, validation + "Invalid FilterExpression: Expression size has exceeded the maximum allowed size; expression size: 4097"},
		{"a Query's filter that is too long", "Query", `"KeyConditionExpression":"pk = :v","FilterExpression":"` + strings.Repeat("a", 4097) + `",` + value, validation + "Invalid FilterExpression: Expression size has exceeded the maximum allowed size;"},
		{"an update that is too long", "UpdateItem", key + `,"UpdateExpression":"SET ` + strings.Repeat("a", 4097) + ` = :v",` + value, violated + "Invalid UpdateExpression: Expression size has exceeded the maximum allowed size;"},
		// https://github.com/ExtendDB/extenddb/issues/365
		{"a name that is too long", "PutItem", `"Item":{"pk":{"S":"a"},"m":{"M":{"` + strings.Repeat("n", 65536) + `":{"S":"x"}}}}`, violated + "Attribute name is too large, must be less than 65536 bytes"},
		{"a name in a value that is too long", "UpdateItem", key + `,"UpdateExpression":"SET b = :v","ExpressionAttributeValues":{":v":{"M":{"` + strings.Repeat("n", 65536) + `":{"S":"x"}}}}`,
			violated + "Attribute name is too large, must be less than 65536 bytes"},
		{"a name in an expression that is too long", "UpdateItem", key + `,"UpdateExpression":"SET #n = :v","ExpressionAttributeNames":{"#n":"` + strings.Repeat("n", 65536) + `"},` + value,
			violated + "Attribute name is too large, must be less than 65536 bytes"},
		// https://github.com/ExtendDB/extenddb/issues/64
		{"a put's condition", "PutItem", `"Item":{"pk":{"S":"a"}},"ConditionExpression":"((a = :v))",` + value,
			violated + "Invalid ConditionExpression: The expression has redundant parentheses;"},
		// https://github.com/ExtendDB/extenddb/issues/65
		{"an update's condition", "UpdateItem", key + `,"UpdateExpression":"SET b = :v","ConditionExpression":"begins_with(a, :n)","ExpressionAttributeValues":{":v":{"S":"v"},":n":{"N":"1"}}`,
			violated + "Invalid ConditionExpression: Incorrect operand type for operator or function; operator or function: begins_with, operand type: N"},
		// https://github.com/ministackorg/ministack/issues/1038
		{"an update's empty set", "UpdateItem", key + `,"UpdateExpression":"SET b = :v","ExpressionAttributeValues":{":v":{"SS":[]}}`,
			violated + "One or more parameter values were invalid: An string set  may not be empty"},
		// https://github.com/nubo-db/dynoxide/pull/152: values that are none are worded as ever
		{"a put of nothing", "PutItem", `"Item":{"pk":{"S":"a"},"b":{}}`, validation + "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
		{"a put's ReturnValues", "PutItem", `"Item":{"pk":{"S":"a"}},"ReturnValues":"ALL_NEW"`, violated + "ReturnValues can only be ALL_OLD or NONE"},
		{"a deletion's ReturnValues", "DeleteItem", key + `,"ReturnValues":"ALL_NEW"`, validation + "ReturnValues can only be ALL_OLD or NONE"},
		// https://github.com/nubo-db/dynoxide/issues/121
		{"a Query's Select", "Query", `"KeyConditionExpression":"pk = :v","Select":"SPECIFIC_ATTRIBUTES",` + value,
			violated + "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"},
		{"a Scan's Select", "Scan", `"Select":"SPECIFIC_ATTRIBUTES"`, validation + "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"},
		// https://github.com/nubo-db/dynoxide/issues/15
		{"a Query's Limit", "Query", `"KeyConditionExpression":"pk = :v","Limit":0,` + value, violated + "Value at 'Limit' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{"a Scan's Limit", "Scan", `"Limit":0`, violated + "Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{"values, and only a projection", "Scan", `"ProjectionExpression":"a",` + value, validation + "ExpressionAttributeValues can only be specified when using expressions: FilterExpression is null"}, // from memory of AWS's answers
		{"nothing of the kind", "GetItem", `"Key":{"id":{"N":"1"}}`, absent},
	} {
		t.Run(tt.name, func(t *testing.T) { c.want(t, tt.operation, `{"TableName":"nowhere",`+tt.input+`}`, tt.want) })
	}
}

// TestChecksOfBatches has what DynamoDB says of whole batches.
func TestChecksOfBatches(t *testing.T) {
	c := open(t)
	c.must(t, "CreateTable", createPK)
	const validation = "ValidationException: "
	key := `{"pk":{"S":"a"},"sk":{"N":"1"}}`
	for _, tt := range []struct{ name, operation, input, want string }{
		// https://github.com/nubo-db/dynoxide/pull/198
		{"no tables to read", "BatchGetItem", `{}`, validation + "1 validation error detected: Value at 'RequestItems' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"no tables to write", "BatchWriteItem", `{}`, validation + "The requestItems parameter is required for BatchWriteItem"},
		// https://github.com/elegantdevelopment/aws-cdk-dynamodb-seeder/issues/3
		{"no writes", "BatchWriteItem", `{"things":[]}`,
			validation + "1 validation error detected: Value '{things=[]}' at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 25, Member must have length greater than or equal to 1]"},
		// https://github.com/ExtendDB/extenddb/pull/16
		{"too many keys", "BatchGetItem", `{"things":{"Keys":[` + key + strings.Repeat(","+key, 100) + `]}}`,
			validation + "1 validation error detected: Value at 'RequestItems.things.member.Keys' failed to satisfy constraint: Member must have length less than or equal to 100"},
		// https://github.com/ExtendDB/extenddb/pull/192
		{"a key twice, of a table that there is not", "BatchGetItem", `{"nowhere":{"Keys":[` + key + "," + key + `]}}`, validation + "Provided list of item keys contains duplicates"},
		// https://github.com/nubo-db/dynoxide/issues/97
		{"a put with a key of the wrong type", "BatchWriteItem", `{"things":[{"PutRequest":{"Item":{"pk":{"N":"1"},"sk":{"N":"1"}}}}]}`, validation + "The provided key element does not match the schema"},
		{"an empty key", "BatchWriteItem", `{"things":[{"PutRequest":{"Item":{"pk":{"S":""},"sk":{"N":"1"}}}}]}`,
			validation + "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"},
		// From memory of AWS's answers.
		{"a request that is none", "BatchWriteItem", `{"things":[{}]}`, validation + "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
		{"a request that is two", "BatchWriteItem", `{"things":[{"PutRequest":{"Item":` + key + `},"DeleteRequest":{"Key":` + key + `}}]}`,
			validation + "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"},
	} {
		t.Run(tt.name, func(t *testing.T) { c.want(t, tt.operation, `{"RequestItems":`+tt.input+`}`, tt.want) })
	}
}

// TestLargestUpdate has the size up to which an item may be updated: https://github.com/nubo-db/dynoxide/issues/187
func TestLargestUpdate(t *testing.T) {
	c := open(t)
	c.must(t, "CreateTable", createPK)
	key := `{"pk":{"S":"a"},"sk":{"N":"1"}}` // 3 and 4 bytes, which an update does not count
	const most = 400<<10 - len("b") - 3 - 19
	set := func(size int) string {
		return `{"TableName":"things","Key":` + key + `,"UpdateExpression":"SET b = :b","ExpressionAttributeValues":{":b":{"S":"` + strings.Repeat("x", size) + `"}}}`
	}
	c.want(t, "UpdateItem", set(most), `{}`)
	c.want(t, "UpdateItem", set(most+1), "ValidationException: Item size to update has exceeded the maximum allowed size")
	put := func(size int) string {
		return `{"TableName":"things","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"b":{"S":"` + strings.Repeat("x", size) + `"}}}`
	}
	c.want(t, "PutItem", put(400<<10-len("b")-3-4), `{}`)
	c.want(t, "PutItem", put(400<<10-len("b")-3-4+1), "ValidationException: Item size has exceeded the maximum allowed size")
}

// TestTypesOfJSON has what DynamoDB's framework says of JSON of the wrong type; see wire/json_errors.go for the sources.
func TestTypesOfJSON(t *testing.T) {
	c := open(t)
	const serialization = "SerializationException: "
	for _, tt := range []struct{ name, input, want string }{
		{"a number for a text", `"TableName":23`, "NUMBER_VALUE cannot be converted to String"},
		{"a decimal for a text", `"TableName":2.5`, "DECIMAL_VALUE cannot be converted to String"},
		{"a Boolean for a text", `"TableName":true`, "TRUE_VALUE cannot be converted to String"},
		{"a list for a text", `"TableName":["a"]`, "Unrecognized collection type class java.lang.String"},
		{"a map for a text", `"TableName":{"a":1}`, "Start of structure or map found where not expected"},
		{"a number for a number's text", `"TableName":"t","Item":{"a":{"N":1}}`, "NUMBER_VALUE cannot be converted to String"},
		{"a list for a number's text", `"TableName":"t","Item":{"a":{"N":[]}}`, "Unrecognized collection type class java.lang.String"},
		{"a text for a Boolean", `"TableName":"t","Item":{"a":{"BOOL":"true"}}`, "Unexpected token received from parser"},
		{"a number for a Boolean", `"TableName":"t","Item":{"a":{"BOOL":1}}`, "NUMBER_VALUE cannot be converted to Boolean"},
		{"a list for a Boolean", `"TableName":"t","Item":{"a":{"NULL":[]}}`, "Unrecognized collection type class java.lang.Boolean"},
		{"a number for bytes", `"TableName":"t","Item":{"a":{"B":1}}`, "only base-64-encoded strings are convertible to bytes"},
		{"a list for bytes", `"TableName":"t","Item":{"a":{"B":[]}}`, "Unrecognized collection type class java.nio.ByteBuffer"},
		{"bytes of another length", `"TableName":"t","Item":{"a":{"B":"abc"}}`, "Base64 encoded length is expected a multiple of 4 bytes but found: 3"},
		{"bytes with a character that is none", `"TableName":"t","Item":{"a":{"B":"a?cd"}}`, "Invalid Base64 character: '?'"},
		{"a text for a list", `"TableName":"t","Item":{"a":{"SS":"x"}}`, "Unexpected field type"},
		{"a text for a map", `"TableName":"t","Item":"x"`, "Unexpected field type"},
	} {
		t.Run(tt.name, func(t *testing.T) { c.want(t, "PutItem", `{`+tt.input+`}`, serialization+tt.want) })
	}
}
