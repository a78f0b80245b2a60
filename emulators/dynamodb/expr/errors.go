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

// invalid makes an error of an expression: "Invalid FilterExpression: …".
func invalid(kind Kind, format string, args ...any) error {
	return item.Error("Invalid " + string(kind) + ": " + fmt.Sprintf(format, args...))
}

// The texts are AWS's words. Beside each is the issue on github.com in which a user quotes AWS's answer; a text without one
// is what users of AWS know it by, could not be traced to an answer, and counts as a guess.

// What is wrong with the text of an expression.
const (
	msgEmpty       = "The expression can not be empty;"                                           // ExtendDB/extenddb/pull/20
	msgSyntax      = `Syntax error; token: "%s", near: "%s"`                                      // aws/aws-cdk/issues/7591, truora/minidyn/issues/21
	msgTooLong     = "Expression size has exceeded the maximum allowed size;"                     // floci-io/floci/pull/3447
	msgTooLongSize = "Expression size has exceeded the maximum allowed size; expression size: %d" // of a Scan's filter: the same
	msgRedundant   = "The expression has redundant parentheses;"                                  // floci-io/floci/pull/1442
	msgReserved    = "Attribute name is a reserved keyword; reserved keyword: %s"                 // truora/minidyn/issues/61
	msgOperators   = "The expression contains too many operators; operator count: %d"             // aws/aws-sdk-js/issues/3721
	msgPathDepth   = "The document path has too many nesting levels; nesting levels: %d"          // quoted in Alternator's notes on projections
	msgListIndex   = "List index is not within the allowable range; index: [%s]"                  // scylladb/scylladb/pull/25951
	msgInOperands  = "The IN operator is provided with too many operands; number of operands: %d" // reapit/foundations/issues/8255
	msgSection     = `The "%s" section can only be used once in an update expression;`
)

// What is wrong with its placeholders, functions and operands.
const (
	msgNoName        = "An expression attribute name used in the document path is not defined; attribute name: %s" // neoeinstein/modyne/issues/3
	msgNoValue       = "An expression attribute value used in expression is not defined; attribute value: %s"      // nubo-db/dynoxide/issues/13
	msgFunction      = "Invalid function name; function: %s"
	msgNotInContext  = "The function is not allowed in %s expression; function: %s"
	msgNotThisWay    = "The function is not allowed to be used this way in an expression; function: %s"
	msgOperandCount  = "Incorrect number of operands for operator or function; operator or function: %s, number of operands: %d"
	msgOperandType   = "Incorrect operand type for operator or function; operator or function: %s, operand type: %s"                         // aws/aws-sdk-js-v3/issues/7171
	msgUpdateOperand = "Incorrect operand type for operator or function; operator: %s, operand type: %s, typeSet: ALLOWED_FOR_%[1]s_OPERAND" // baseprime/dynamodb/issues/51 before the typeSet was added
	msgNeedsPath     = "Operator or function requires a document path; operator or function: %s"
	msgDistinct      = "The first operand must be distinct from the remaining operands for this operator or function; operator: %s, first operand: %s" // floci-io/floci/pull/1442
	msgTypeName      = "Invalid attribute type name found; type: %s, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"                                      // the types' order is not always this one
	msgBoundTypes    = "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: %s, upper bound operand: AttributeValue: %s"
	msgBoundOrder    = "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: %s, upper bound operand: AttributeValue: %s"
	msgOverlap       = "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: %s, path two: %s" // getmoto/moto/issues/8582
	msgConflict      = "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: %s, path two: %s"
)

// What is wrong with a key condition. AWS used to answer these without naming the expression in front; that it does so of
// all of them now is a guess by the first two, which are quoted so since 2026.
const (
	msgNestedKey    = "KeyConditionExpressions cannot have conditions on nested attributes" // ExtendDB/extenddb/pull/195
	msgOnePerKey    = "KeyConditionExpressions must only contain one condition per key"     // aws-amplify/amplify-category-api/pull/3531
	msgKeyOperator  = "Invalid operator used in KeyConditionExpression: %s"                 // awslabs/aws-athena-query-federation/issues/746
	msgNestedOp     = "KeyConditionExpressions cannot contain nested operations"
	msgNoKey        = "Invalid condition in KeyConditionExpression: No key attribute specified"
	msgManyKeys     = "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition"
	msgKeyNotFirst  = "Invalid condition in KeyConditionExpression: %s operator must have the key attribute as its first operand"
	msgKeysNotFound = "Query condition missed key schema element: %s"
)

// What AWS says of a key condition that the key schema does not allow, and of an update that the item does not allow.
const (
	errNotIndexable   = item.Error("Attempted conditional constraint is not an indexable operation") // of KeyConditions, from memory of AWS's answers
	errKeyUnsupported = item.Error("Query key condition not supported")
	errKeyType        = item.Error("One or more parameter values were invalid: Condition parameter type does not match schema type")
	errConditions     = item.Error("Conditions can be of length 1 or 2 only")

	errNoAttribute = item.Error("The provided expression refers to an attribute that does not exist in the item")
	errOperandType = item.Error("An operand in the update expression has an incorrect data type")
	errUpdateType  = item.Error("Type mismatch for attribute to update") // of AttributeUpdates: aws/aws-sdk-java/issues/905
	errUpdatePath  = item.Error("The document path provided in the update expression is invalid for update")
)

// What AWS says of the placeholders of a request.
const (
	msgNamesEmpty   = "ExpressionAttributeNames must not be empty"
	msgValuesEmpty  = "ExpressionAttributeValues must not be empty"
	msgNameKey      = `ExpressionAttributeNames contains invalid key: Syntax error; key: "%s"`
	msgValueKey     = `ExpressionAttributeValues contains invalid key: Syntax error; key: "%s"`
	msgLongName     = `ExpressionAttributeNames contains invalid key: The key is too long; key: "%s"`    // the words are a guess
	msgLongValue    = `ExpressionAttributeValues contains invalid key: The key is too long; key: "%s"`   // the words are a guess
	msgEmptyName    = "ExpressionAttributeNames contains invalid value: Empty attribute name for key %s" // the words are a guess
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
	return "[" + strings.Join(shownSteps(p, names), ", ") + "]"
}

func shownSteps(p path, names []string) []string {
	parts := make([]string, len(p))
	for i, e := range p {
		if e.isIndex {
			parts[i] = "[" + strconv.Itoa(e.index) + "]"
		} else {
			parts[i] = e.nameIn(names)
		}
	}
	return parts
}
