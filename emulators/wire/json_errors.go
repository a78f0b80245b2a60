package wire

import (
	"fmt"
	"strings"
)

// Errors of requests that cannot be decoded. Code and words are those of AWS's framework, as DynamoDB answers them; other
// services answer the same code, mostly without words.
const codeSerialization = "SerializationException"

func errSerialization(format string, args ...any) *Error {
	return Errorf(codeSerialization, 400, format, args...)
}

// errMalformed is for what is not JSON (or CBOR, or XML) at all. DynamoDB gives no words.
func errMalformed() *Error { return errSerialization("") }

// errTooDeep: AWS bounds the nesting too; its words are not published, so these are ours.
func errTooDeep() *Error {
	return errSerialization("The request is nested more than %d levels deep", maxDepth)
}

// errBase64 says what is wrong with a text that is not base64; the words, and the slip in the last, are from memory of
// DynamoDB's answers.
func errBase64(s []byte) *Error {
	if len(s)%4 != 0 {
		return errSerialization("Base64 encoded length is expected a multiple of 4 bytes but found: %d", len(s))
	}
	text := strings.TrimRight(string(s), "=")
	for _, c := range text {
		if !strings.ContainsRune(base64Alphabet, c) {
			return errSerialization("Invalid Base64 character: '%c'", c)
		}
	}
	return errSerialization("Invalid last non-pad Base64 character dectected")
}

const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// errNullElement and the rest have words of ours: AWS's cannot be observed.
func errNullElement() *Error { return errSerialization("Unexpected null in a list") }

func errTimestamp(s string) *Error { return errSerialization("Invalid timestamp: %.40q", s) }

func errNumber(s string, k Kind) *Error {
	return errSerialization("%.40s is not a valid %s", s, javaName(k))
}

// mismatch words a value of the wrong type as DynamoDB does: by the token that came and the type that was wanted.
// "NUMBER_VALUE cannot be converted to String": https://github.com/localstack/localstack/issues/9412, a recorded answer;
// "Start of structure or map found where not expected": https://github.com/aws-amplify/amplify-js/issues/13265;
// "Unrecognized collection type class java.lang.String": https://github.com/pynamodb/PynamoDB/issues/945. The words for a list
// in place of a structure or map are by analogy, those for a Boolean, a Blob and "Unexpected field type" from memory.
func (d *jsonDecoder) mismatch(want string) error {
	composite := want == "structure" || want == "list" || want == "map"
	token := ""
	switch c := d.peek(); {
	case c == '{':
		return errSerialization("Start of structure or map found where not expected")
	case c == '[' && composite:
		return errSerialization("Start of list found where not expected")
	case c == '[':
		return errSerialization("Unrecognized collection type class %s", javaClass(want))
	case want == "Blob":
		return errSerialization("only base-64-encoded strings are convertible to bytes")
	case want == "Boolean" && c == '"':
		return errSerialization("Unexpected token received from parser")
	case c == '"':
		token = "STRING_VALUE"
	case c == '-' || c >= '0' && c <= '9':
		token = "NUMBER_VALUE"
		n, err := d.number()
		if err != nil {
			return errMalformed()
		}
		for _, c := range n {
			if c == '.' || c == 'e' || c == 'E' {
				token = "DECIMAL_VALUE"
			}
		}
	case d.literal("true"):
		token = "TRUE_VALUE"
	case d.literal("false"):
		token = "FALSE_VALUE"
	default:
		return errMalformed()
	}
	if composite {
		return errSerialization("Unexpected field type")
	}
	return errSerialization("%s cannot be converted to %s", token, want)
}

// javaClass is the class of what javaName names.
func javaClass(name string) string {
	switch name {
	case "Blob":
		return "java.nio.ByteBuffer"
	case "Timestamp":
		return "java.util.Date"
	case "BigDecimal":
		return "java.math.BigDecimal"
	}
	return "java.lang." + name
}

// javaName is what AWS's messages call a kind.
func javaName(k Kind) string {
	switch k {
	case Structure, Union:
		return "structure"
	case List:
		return "list"
	case Map, Document:
		return "map"
	case String:
		return "String"
	case Blob:
		return "Blob"
	case Boolean:
		return "Boolean"
	case Byte:
		return "Byte"
	case Short:
		return "Short"
	case Integer:
		return "Integer"
	case Long:
		return "Long"
	case Float:
		return "Float"
	case Double:
		return "Double"
	case Timestamp:
		return "Timestamp"
	case BigInteger, BigDecimal:
		return "BigDecimal"
	}
	return fmt.Sprintf("Kind(%d)", k)
}
