package expr

// tokenKind is what a token is. Words are told apart by the parser: what is a keyword depends on the place.
type tokenKind uint8

const (
	tokenEOF     tokenKind = iota
	tokenWord              // a letter, then letters, digits and underscores
	tokenName              // #name
	tokenValue             // :value
	tokenNumber            // digits
	tokenSymbol            // one of ( ) [ ] . , + - = < >, or <= >= <>
	tokenInvalid           // a character that no token begins with
)

// token is a piece of the expression's text.
type token struct {
	kind       tokenKind
	start, end int
}

// lex returns the token at or after a position; at the end it is an empty tokenEOF.
func lex(text string, at int) token {
	for at < len(text) && isSpace(text[at]) {
		at++
	}
	if at == len(text) {
		return token{tokenEOF, at, at}
	}
	switch c := text[at]; {
	case isLetter(c):
		return token{tokenWord, at, wordEnd(text, at+1)}
	case isDigit(c):
		end := at + 1
		for end < len(text) && isDigit(text[end]) {
			end++
		}
		return token{tokenNumber, at, end}
	case c == '#' || c == ':':
		return lexPlaceholder(text, at)
	case c == '<' && at+1 < len(text) && (text[at+1] == '=' || text[at+1] == '>'), c == '>' && at+1 < len(text) && text[at+1] == '=':
		return token{tokenSymbol, at, at + 2}
	}
	switch text[at] {
	case '(', ')', '[', ']', '.', ',', '+', '-', '=', '<', '>':
		return token{tokenSymbol, at, at + 1}
	}
	return token{tokenInvalid, at, runeEnd(text, at)}
}

// lexPlaceholder reads #name or :value. The sign alone is no token: DynamoDB calls it the wrong one.
func lexPlaceholder(text string, at int) token {
	end := wordEnd(text, at+1)
	switch {
	case end == at+1:
		return token{tokenInvalid, at, end}
	case text[at] == '#':
		return token{tokenName, at, end}
	}
	return token{tokenValue, at, end}
}

func wordEnd(text string, at int) int {
	for at < len(text) && (isLetter(text[at]) || isDigit(text[at]) || text[at] == '_') {
		at++
	}
	return at
}

// runeEnd returns the end of the UTF-8 sequence that begins at a position, so that a message does not cut it apart.
func runeEnd(text string, at int) int {
	end := at + 1
	for end < len(text) && text[end]&0xc0 == 0x80 {
		end++
	}
	return end
}

func isSpace(c byte) bool  { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// isPlaceholder tells whether a key of ExpressionAttributeNames or ExpressionAttributeValues can occur in an expression.
func isPlaceholder(key string, sign byte) bool {
	return len(key) > 1 && key[0] == sign && wordEnd(key, 1) == len(key)
}
