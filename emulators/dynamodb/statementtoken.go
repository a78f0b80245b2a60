package dynamodb

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"

	"devstack/emulators/dynamodb/item"
)

// bookmark is where a page of a SELECT ended: in which of its partitions, and behind which item; nil before the first.
type bookmark struct {
	part int
	last Attributes
	key  []byte // of the item, once it has been found right
}

// bindingSize is how many bytes of a token tell whose it is.
const bindingSize = 16

// binding tells statements apart: their texts as they mean the same, and their parameters.
func (st *statement) binding() []byte {
	h := sha256.New()
	h.Write([]byte(st.tree.String()))
	h.Write([]byte{0})
	h.Write(item.Encode(item.Item{"parameters": item.List(st.values)}))
	return h.Sum(nil)[:bindingSize]
}

// encode makes a NextToken. What it says is the emulator's own affair.
func (p *bookmark) encode(st *statement) string {
	b := binary.AppendUvarint(st.binding(), uint64(p.part))
	return base64.StdEncoding.EncodeToString(append(b, p.last...))
}

// decodeBookmark reads a NextToken of the statement, and reports whether it is one.
func (st *statement) decodeBookmark(token string) (p bookmark, ok bool) {
	b, err := base64.StdEncoding.DecodeString(token)
	if err != nil || len(b) < bindingSize || !bytes.Equal(b[:bindingSize], st.binding()) {
		return p, false
	}
	part, n := binary.Uvarint(b[bindingSize:])
	if n <= 0 || part > maxStatementParts {
		return p, false
	}
	p.part = int(part)
	if rest := b[bindingSize+n:]; len(rest) > 0 {
		p.last = rest
	}
	return p, true
}

// start finds where a NextToken points; the beginning without one.
func (sel *selection) start(st *statement, token *string) (bookmark, error) {
	if token == nil {
		return bookmark{}, nil
	}
	p, ok := st.decodeBookmark(*token)
	if !ok {
		return p, errValidation(msgTokenMismatch)
	}
	if p.last == nil {
		return p, nil
	}
	last, err := decodeKey(p.last)
	if err != nil {
		return p, errValidation(msgTokenMismatch)
	}
	key, err := sel.rd.startKey(newRecord(last))
	if err != nil {
		return p, errValidation(msgTokenMismatch)
	}
	p.key = key
	return p, nil
}

// errNoKey is what is wrong with a token whose end is too short for a key.
var errNoKey = errors.New("no key")

// decodeKey reads the key that a token ends with.
func decodeKey(b []byte) (item.Item, error) {
	if len(b) <= sizeBytes {
		return nil, errNoKey
	}
	return record(b).decode()
}
