package dynamodb

import (
	"encoding/binary"
	"errors"
	"slices"

	"devstack/emulators/dynamodb/item"
)

// The limits of key values, in bytes.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-partition-sort-keys
const (
	maxHashKey = 2048
	maxSortKey = 1024
)

// What AWS says of keys, from memory of its answers; the blank that is missing in the first is its own.
const (
	msgHashKeySize   = "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of%d bytes"
	msgSortKeySize   = "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of %d bytes"
	msgKeySchema     = "The provided key element does not match the schema"
	msgMissingKey    = "One or more parameter values were invalid: Missing the key %s in the item"
	msgKeyType       = "One or more parameter values were invalid: Type mismatch for key %s expected: %s actual: %s"
	msgEmptyKey      = "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s"
	msgIndexKeyType  = "One or more parameter values were invalid: Type mismatch for Index Key %s Expected: %s Actual: %s IndexName: %s"
	msgIndexKeySize  = "One or more parameter values were invalid: Size limit exceeded for Index Key %s Actual Size: %d bytes Max Size: %d bytes IndexName: %s"
	msgIndexKeyEmpty = "One or more parameter values are not valid. A value specified for a secondary index key is not supported. " +
		"The AttributeValue for a key attribute cannot contain an empty %s value. IndexName: %s, IndexKey: %s"
)

// hashSize is the length of the hash that a stored key begins with. It spreads the partition keys over the segments of a
// Scan, and puts items into an order that, as on AWS, means nothing.
const hashSize = 4

// appendKey appends the stored key of what has these attributes: the hash, then each part of the key in its order. It
// reports false if an attribute is missing or of another type, as an index key's may.
func (k keySchema) appendKey(dst []byte, from record) ([]byte, bool) {
	start := len(dst)
	dst = append(dst, make([]byte, hashSize)...)
	for i, a := range k {
		v, ok := from.peek(a.Name)
		if !ok || v.Kind() != a.kind() || v.Text() == "" {
			return dst[:start], false
		}
		dst = item.AppendKey(dst, v)
		if !a.Sort && (i+1 == len(k) || k[i+1].Sort) {
			binary.BigEndian.PutUint32(dst[start:], hash(dst[start+hashSize:]))
		}
	}
	return dst, true
}

// prefix is what the stored keys of one partition begin with.
func (k keySchema) prefix(hashKey []item.Value) []byte {
	key := make([]byte, hashSize, 64)
	for _, v := range hashKey {
		key = item.AppendKey(key, v)
	}
	binary.BigEndian.PutUint32(key, hash(key[hashSize:]))
	return key
}

// hash is FNV-1a with a last mix, so that its high bits, which segments go by, differ for keys like "1" and "2".
func hash(b []byte) uint32 {
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	return uint32(h >> 32)
}

// checkKey checks a Key parameter: exactly the key's attributes, of its types.
func (k keySchema) checkKey(key record) error {
	if key.encoded().Len() != len(k) {
		return errValidation(msgKeySchema)
	}
	for _, a := range k {
		v, ok := key.peek(a.Name)
		if !ok || v.Kind() != a.kind() {
			return errValidation(msgKeySchema)
		}
		if err := a.checkValue(v); err != nil {
			return err
		}
	}
	return nil
}

// checkItem checks that an item to be put has the key's attributes, of its types.
func (k keySchema) checkItem(i record) error {
	for _, a := range k {
		v, ok := i.peek(a.Name)
		if !ok {
			return errValidation(msgMissingKey, a.Name)
		}
		if v.Kind() != a.kind() {
			return errValidation(msgKeyType, a.Name, a.Type, v.Kind())
		}
		if err := a.checkValue(v); err != nil {
			return err
		}
	}
	return nil
}

// typed tells whether an item has the key's attributes, of its types. In a batch an item without them is refused in the words
// for a key: https://github.com/nubo-db/dynoxide/issues/97; of one that lacks an attribute that is a guess.
func (k keySchema) typed(i record) bool {
	return !slices.ContainsFunc(k, func(a keyAttribute) bool {
		v, _ := i.peek(a.Name)
		return v.Kind() != a.kind()
	})
}

// checkValue checks the length of a key attribute's value.
func (a keyAttribute) checkValue(v item.Value) error {
	switch {
	case v.Text() == "":
		return refusal{errValidation(msgEmptyKey, emptyWord(v), a.Name)}
	case !a.Sort && len(v.Text()) > maxHashKey || a.Sort && len(v.Text()) > maxSortKey:
		return a.sizeError()
	}
	return nil
}

// refusal is an error that refuses a transaction as a whole, where others are the reason that one of its actions cannot be
// done: DynamoDB finds it in the request. Keys that are empty, of the table and of indexes, are of this sort
// (https://github.com/nubo-db/dynoxide/issues/98); those that are too long are not
// (https://github.com/ExtendDB/extenddb/pull/211).
type refusal struct{ error }

// Unwrap returns the error.
func (r refusal) Unwrap() error { return r.error }

func (a keyAttribute) sizeError() error {
	if a.Sort {
		return errValidation(msgSortKeySize, maxSortKey)
	}
	return errValidation(msgHashKeySize, maxHashKey)
}

func emptyWord(v item.Value) string {
	if v.Kind() == item.B {
		return "binary"
	}
	return "string"
}

// errIndexKey marks what is wrong with an index key, for UpdateItem, which says it in other words.
var (
	errIndexKeyType  = errors.New("type")
	errIndexKeyEmpty = errors.New("empty")
	errIndexKeySize  = errors.New("size")
)

// tooLong tells whether an index key's attributes, as far as the item has them, exceed the limits of a hash and a sort key.
// That the limits hold for all attributes of a part together is a guess by the words of the message.
func (k keySchema) tooLong(i record) (keyAttribute, bool) {
	var hash, sortKey int
	for _, a := range k {
		v, ok := i.peek(a.Name)
		switch {
		case !ok:
		case a.Sort:
			sortKey += len(v.Text())
		default:
			hash += len(v.Text())
		}
		if hash > maxHashKey || sortKey > maxSortKey {
			return a, true
		}
	}
	return keyAttribute{}, false
}

// checkIndexKeys checks those attributes of an item that are keys of an index. They may be missing. It returns the index and
// the attribute that are wrong, and how. What was so in the old item, of an update, is not held against the new one.
func (t *table) checkIndexKeys(i, old record) (*index, keyAttribute, error) {
	for n := range t.Indexes {
		x := &t.Indexes[n]
		for _, a := range x.Key {
			v, ok := i.peek(a.Name)
			was, _ := old.peek(a.Name)
			switch {
			case !ok || was.Equal(v):
			case v.Kind() != a.kind():
				return x, a, errIndexKeyType
			case v.Text() == "":
				return x, a, errIndexKeyEmpty
			}
		}
		if a, ok := x.Key.tooLong(i); ok {
			return x, a, errIndexKeySize
		}
	}
	return nil, keyAttribute{}, nil
}

// checkPut checks a whole item against the table's schema and those of its indexes, and its size.
func (t *table) checkPut(i record) error {
	if err := t.Key.checkItem(i); err != nil {
		return err
	}
	if x, a, wrong := t.checkIndexKeys(i, nil); x != nil {
		return x.keyError(a, i, wrong)
	}
	return checkItemSize(i.size())
}

// keyError is the answer to an item with an index key that is wrong.
func (x *index) keyError(a keyAttribute, i record, wrong error) error {
	v, _ := i.peek(a.Name)
	switch wrong {
	case errIndexKeyType:
		return errValidation(msgIndexKeyType, a.Name, a.Type, v.Kind(), x.Name)
	case errIndexKeyEmpty:
		return refusal{errValidation(msgIndexKeyEmpty, emptyWord(v), x.Name, a.Name)}
	}
	// Of hash keys: https://github.com/architect/dynalite/issues/35, https://github.com/wellcomecollection/platform/issues/2285;
	// that sort keys are like them is a guess.
	limit := maxHashKey
	if a.Sort {
		limit = maxSortKey
	}
	return errValidation(msgIndexKeySize, a.Name, len(v.Text()), limit, x.Name)
}

// checkItemSize checks the size of an item to be put. Of one that came over the wire it is checked before the table is looked
// for: https://github.com/ExtendDB/extenddb/pull/201
func checkItemSize(size int) error {
	if size > maxItemSize {
		return errValidation("Item size has exceeded the maximum allowed size")
	}
	return nil
}

// maxItemSize is how large an item may be, names and values together, in bytes.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-items-size
const maxItemSize = 400 << 10

// keyNames are the attributes of the table's key, and those of an index's if one is given.
func (t *table) keyNames(x *index) []string {
	names := make([]string, 0, 12)
	for _, a := range t.Key {
		names = append(names, a.Name)
	}
	if x == nil {
		return names
	}
	for _, a := range x.Key {
		if !t.Key.has(a.Name) {
			names = append(names, a.Name)
		}
	}
	return names
}

// keyOf returns the key attributes of an item: those of the table, and those of an index if one is given.
func (t *table) keyOf(from record, x *index) record { return from.only(t.keyNames(x)) }
