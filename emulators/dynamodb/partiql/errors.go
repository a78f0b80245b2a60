package partiql

import (
	"fmt"

	"devstack/emulators/dynamodb/item"
)

// What AWS says of a text that is no statement. The first is quoted by
// https://github.com/awsdocs/aws-sdk-for-javascript-v3/issues/98 and https://github.com/passren/PyDynamoDB/issues/26, each
// with one of the details.
const (
	msgMalformed = "Statement wasn't well formed, can't be processed: "

	// What follows it is the reference parser's: see the package's comment.
	msgExpectedDML     = "Expected data manipulation"
	msgKeyword         = "Unexpected keyword"
	msgTerm            = "Unexpected term"
	msgOperator        = "Unexpected operator"
	msgExpected        = "Expected %s"
	msgExpectedKeyword = "Expected %s keyword"
	msgRightSide       = "Missing right-hand side expression of infix operator"
	msgAfterAnd        = "Expected expression after AND"
	msgTypeName        = "Expected type name"
	msgSimplePath      = "Expected identifier for simple path"
	msgPathComponent   = "Invalid path dot component"
	msgCallStar        = "%s(*) is not allowed"
	msgDeleteFrom      = "Expected FROM after DELETE"
	msgSelectFrom      = "Expected FROM after SELECT list"
	msgStarAlone       = "Other expressions may not be present in the select list when '*' is used without dot notation."
	msgAssignment      = "Expected '='"
	msgReturning       = "Expected ( MODIFIED | ALL ) ( NEW | OLD ) in each returning element."
	msgRowValues       = "Expected LEFT_PAREN for row value constructor"
	msgSemicolon       = "Unexpected token after semicolon. (Only one query is allowed.)"
	msgTrailing        = "Unexpected token after expression"

	// Guesses: the reference parser's texts for these are not known to reach an answer.
	msgCharacter    = "Invalid character at %s"
	msgLiteral      = "Invalid literal at %s"
	msgNesting      = "Statement is nested too deeply at %s"
	msgTermOfInsert = "Unsupported insert of other than one value at %s"
)

// What AWS says of a statement that PartiQL has and DynamoDB has not: from memory of its answers, like "Unexpected path
// component at 1:8:5" for SELECT COUNT(*).
const (
	msgUnsupportedClause = "Unsupported clause: %s at %s"
	msgUnsupportedOp     = "Unsupported operator: %s at %s"
	msgFromSource        = "Unexpected from source at %s"

	// MsgPath is also what package dynamodb says where an expression should be a path.
	MsgPath = "Unexpected path component at %s"
)

func malformed(format string, args ...any) error {
	return item.Error(msgMalformed + fmt.Sprintf(format, args...))
}

func unsupported(format string, args ...any) error { return item.Error(fmt.Sprintf(format, args...)) }
