package partiql

import (
	"strings"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokenEOF    tokenKind = iota
	tokenName             // an identifier that is no keyword
	tokenQuoted           // "an identifier"
	tokenKeyword
	tokenString
	tokenNumber
	tokenSymbol // ( ) [ ] { } << >> , . : ; ? or an operator
)

// token is a piece of the statement. text is a keyword in lower case, or what stands between quotation marks.
type token struct {
	kind tokenKind
	text string
	at   Span
}

// lexer cuts a statement into tokens.
type lexer struct {
	rest         string
	line, column int // of what comes next
}

// next returns the next token. The error is of a character or literal that no token is made of.
func (l *lexer) next() (token, error) {
	if err := l.skip(); err != nil {
		return token{}, err
	}
	at := Span{l.line, l.column, 1}
	if l.rest == "" {
		return token{tokenEOF, "", at}, nil
	}
	switch c := l.rest[0]; {
	case isNameStart(c):
		return l.word(at), nil
	case isDigit(c), c == '.' && len(l.rest) > 1 && isDigit(l.rest[1]):
		return l.number(at)
	case c == '\'':
		return l.quoted(tokenString, at)
	case c == '"':
		return l.quoted(tokenQuoted, at)
	}
	for _, symbol := range symbols {
		if strings.HasPrefix(l.rest, symbol) {
			return l.take(tokenSymbol, len(symbol), at), nil
		}
	}
	return token{}, malformed(msgCharacter, at)
}

// symbols are those of several characters before those that they begin with. Some are PartiQL's and not DynamoDB's.
var symbols = []string{"<<", ">>", "<=", ">=", "<>", "!=", "||",
	"(", ")", "[", "]", "{", "}", ",", ".", ":", ";", "?", "=", "<", ">", "+", "-", "*", "/", "%", "@"}

// skip moves past white space and comments.
func (l *lexer) skip() error {
	for l.rest != "" {
		switch {
		case strings.IndexByte(" \t\n\r\v\f", l.rest[0]) >= 0:
			l.move(1)
		case strings.HasPrefix(l.rest, "--"):
			end := strings.IndexAny(l.rest, "\r\n")
			if end < 0 {
				end = len(l.rest)
			}
			l.move(end)
		case strings.HasPrefix(l.rest, "/*"):
			end := strings.Index(l.rest[2:], "*/")
			if end < 0 {
				return malformed(msgCharacter, Span{l.line, l.column, 1})
			}
			l.move(end + 4)
		default:
			return nil
		}
	}
	return nil
}

// move goes on by so many bytes.
func (l *lexer) move(n int) {
	for _, r := range l.rest[:n] {
		l.column++
		if r == '\n' {
			l.line, l.column = l.line+1, 1
		}
	}
	l.rest = l.rest[n:]
}

func (l *lexer) take(kind tokenKind, n int, at Span) token {
	text := l.rest[:n]
	at.Length = utf8.RuneCountInString(text)
	l.move(n)
	return token{kind, text, at}
}

func (l *lexer) word(at Span) token {
	n := 1
	for n < len(l.rest) && (isNameStart(l.rest[n]) || isDigit(l.rest[n])) {
		n++
	}
	t := l.take(tokenName, n, at)
	if lower := strings.ToLower(t.text); keywords()[lower] {
		t.kind, t.text = tokenKeyword, lower
	}
	return t
}

// number reads digits with an optional point and an optional exponent.
func (l *lexer) number(at Span) (token, error) {
	n := digits(l.rest, 0)
	if n < len(l.rest) && l.rest[n] == '.' {
		n = digits(l.rest, n+1)
	}
	if n < len(l.rest) && l.rest[n]|0x20 == 'e' {
		from := n + 1
		if from < len(l.rest) && (l.rest[from] == '+' || l.rest[from] == '-') {
			from++
		}
		if n = digits(l.rest, from); n == from {
			return token{}, malformed(msgLiteral, at)
		}
	}
	if n < len(l.rest) && isNameStart(l.rest[n]) {
		return token{}, malformed(msgLiteral, at)
	}
	return l.take(tokenNumber, n, at), nil
}

func digits(text string, from int) int {
	for from < len(text) && isDigit(text[from]) {
		from++
	}
	return from
}

// quoted reads what stands between quotation marks, in which a doubled one is one.
func (l *lexer) quoted(kind tokenKind, at Span) (token, error) {
	mark := l.rest[:1]
	end := 1
	for {
		i := strings.Index(l.rest[end:], mark)
		if i < 0 {
			return token{}, malformed(msgCharacter, at)
		}
		end += i + 1
		if !strings.HasPrefix(l.rest[end:], mark) {
			break
		}
		end++
	}
	t := l.take(kind, end, at)
	t.text = strings.ReplaceAll(t.text[1:len(t.text)-1], mark+mark, mark)
	return t, nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isNameStart(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' || c == '$' }
