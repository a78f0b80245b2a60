package expr

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"devstack/emulators/dynamodb/item"
)

// answer makes an error of a request.
func answer(format string, args ...any) error { return item.Error(fmt.Sprintf(format, args...)) }

// The texts are AWS's, as quoted word for word in public reports of its answers. Where no report could be found the text is
// a guess, and says so.

// invalid makes an error of an expression as a whole: "Invalid FilterExpression: …".
func invalid(kind Kind, format string, args ...any) error {
	return item.Error("Invalid " + string(kind) + ": " + fmt.Sprintf(format, args...))
}

const (
	msgEmpty      = "The expression can not be empty;"
	msgSyntax     = `Syntax error; token: "%s", near: "%s"`
	msgRedundant  = "The expression has redundant parentheses;"
	msgReserved   = "Attribute name is a reserved keyword; reserved keyword: %s"
	msgNoName     = "An expression attribute name used in the document path is not defined; attribute name: %s"
	msgNoValue    = "An expression attribute value used in expression is not defined; attribute value: %s"
	msgTooLong    = "Expression size has exceeded the maximum allowed size; expression size: %d"
	msgOperators  = "The expression contains too many operators; operator count: %d"
	msgPathDepth  = "The document path has too many nesting elements; nesting elements count: %d" // a guess
	msgListIndex  = "List index is not within the allowable range; index: [%s]"
	msgInOperands = "The IN operator is provided with too many operands; number of operands: %d"

	msgFunction      = "Invalid function name; function: %s"
	msgNotInContext  = "The function is not allowed in %s expression; function: %s"
	msgNotThisWay    = "The function is not allowed to be used this way in an expression; function: %s"
	msgOperandCount  = "Incorrect number of operands for operator or function; operator or function: %s, number of operands: %d"
	msgOperandType   = "Incorrect operand type for operator or function; operator or function: %s, operand type: %s"
	msgUpdateOperand = "Incorrect operand type for operator or function; operator: %s, operand type: %s, typeSet: ALLOWED_FOR_%[1]s_OPERAND"
	msgNeedsPath     = "Operator or function requires a document path; operator or function: %s"
	msgDistinct      = "The first operand must be distinct from the remaining operands for this operator or function; operator: %s, first operand: %s"
	msgTypeName      = "Invalid attribute type name found; type: %s, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"
	msgBoundTypes    = "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: %s, upper bound operand: AttributeValue: %s"
	msgBoundOrder    = "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: %s, upper bound operand: AttributeValue: %s"

	msgOverlap  = "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: %s, path two: %s"
	msgConflict = "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: %s, path two: %s"
	msgSection  = `The "%s" section can only be used once in an update expression;`

	msgNestedKey    = "KeyConditionExpressions cannot have conditions on nested attributes"
	msgNestedOp     = "KeyConditionExpressions cannot contain nested operations"
	msgOnePerKey    = "KeyConditionExpressions must only contain one condition per key"
	msgKeyOperator  = "Invalid operator used in KeyConditionExpression: %s"
	msgNoKey        = "Invalid condition in KeyConditionExpression: No key attribute specified"
	msgManyKeys     = "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition"
	msgKeyNotFirst  = "Invalid condition in KeyConditionExpression: %s operator must have the key attribute as its first operand"
	msgKeysNotFound = "Query condition missed key schema element: %s"
)

// What AWS says of a key condition that the key schema does not allow, and of an update that the item does not allow.
const (
	errKeyUnsupported = item.Error("Query key condition not supported")
	errKeyType        = item.Error("One or more parameter values were invalid: Condition parameter type does not match schema type")
	errConditions     = item.Error("Conditions can be of length 1 or 2 only")

	errNoAttribute = item.Error("The provided expression refers to an attribute that does not exist in the item")
	errOperandType = item.Error("An operand in the update expression has an incorrect data type")
	errUpdatePath  = item.Error("The document path provided in the update expression is invalid for update")
)

// What AWS says of the placeholders of a request.
const (
	msgNamesEmpty   = "ExpressionAttributeNames must not be empty"
	msgValuesEmpty  = "ExpressionAttributeValues must not be empty"
	msgNameKey      = `ExpressionAttributeNames contains invalid key: Syntax error; key: "%s"`
	msgValueKey     = `ExpressionAttributeValues contains invalid key: Syntax error; key: "%s"`
	msgNamesUnused  = "Value provided in ExpressionAttributeNames unused in expressions: keys: {%s}"
	msgValuesUnused = "Value provided in ExpressionAttributeValues unused in expressions: keys: {%s}"
)

// anyType is how AWS shows the type of an operand that is a path, and so may be of any. The order is a guess.
const anyType = "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}"

// longNames are the types as the messages about ADD and DELETE name them.
var longNames = map[item.Kind]string{
	item.S: "STRING", item.N: "NUMBER", item.B: "BINARY", item.SS: "STRING_SET", item.NS: "NUMBER_SET", item.BS: "BINARY_SET",
	item.M: "MAP", item.L: "LIST", item.NULL: "NULL", item.BOOL: "BOOLEAN",
}

// show renders a scalar as the messages do: {S:abc}.
func show(v item.Value) string {
	text := v.Text()
	if v.Kind() == item.B {
		text = base64.StdEncoding.EncodeToString([]byte(text))
	}
	return "{" + v.Kind().String() + ":" + text + "}"
}

// showPath renders a path as the messages do: [a, [1], b].
func showPath(p path, names []string) string {
	parts := make([]string, len(p))
	for i, e := range p {
		if e.isIndex {
			parts[i] = "[" + strconv.Itoa(e.index) + "]"
		} else {
			parts[i] = e.nameIn(names)
		}
	}
	return "[" + strings.Join(parts, ", ") + "]"
}
