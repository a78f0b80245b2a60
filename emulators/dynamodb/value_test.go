package dynamodb

import (
	"strings"
	"testing"
)

func TestValuesComeBackAsTheyWere(t *testing.T) {
	c := open(t)
	c.must(t, "CreateTable", createPK)
	for _, tt := range []struct{ name, value, want string }{
		{"a text", `{"S":"x\u0000é"}`, ""},
		{"an empty text", `{"S":""}`, ""},
		{"a number loses what it does not need", `{"N":"+001.50E1"}`, `{"N":"15"}`},
		{"bytes", `{"B":"AP8="}`, ""},
		{"no bytes", `{"B":""}`, ""},
		{"a set of texts", `{"SS":["b","a"]}`, ""},
		{"a set of numbers", `{"NS":["1","2.5"]}`, ""},
		{"a set of bytes", `{"BS":["AQ==","AA=="]}`, ""},
		{"a list", `{"L":[{"S":"a"},{"L":[]},{"M":{}}]}`, ""},
		{"a map", `{"M":{"a":{"BOOL":false},"b":{"NULL":true}}}`, ""},
		{"true", `{"BOOL":true}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.want == "" {
				tt.want = tt.value
			}
			c.must(t, "PutItem", `{"TableName":"things","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"v":`+tt.value+`}}`)
			c.want(t, "GetItem", `{"TableName":"things","Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"ProjectionExpression":"v"}`, `{"Item":{"v":`+tt.want+`}}`)
		})
	}
}

func TestValuesThatAreNone(t *testing.T) {
	c := open(t)
	c.must(t, "CreateTable", createPK)
	for _, tt := range []struct{ name, value, want string }{
		{"two at once", `{"S":"a","N":"1"}`, "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"},
		{"NULL that is false", `{"NULL":false}`, "One or more parameter values were invalid: Null attribute value types must have the value of true"},
		{"a set with a member twice", `{"NS":["1","1.0"]}`, "Input collection contains duplicates"},
		{"nothing inside of a list", `{"L":[{}]}`, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
		{"a number of 39 digits", `{"N":"` + strings.Repeat("1", 39) + `"}`, "Attempting to store more than 38 significant digits in a Number"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.want(t, "PutItem", `{"TableName":"things","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"v":`+tt.value+`}}`, "ValidationException: "+tt.want)
		})
	}
}
