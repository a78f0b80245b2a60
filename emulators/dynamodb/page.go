package dynamodb

import (
	"bytes"
	"iter"
	"slices"

	"devstack/emulators/dynamodb/expr"
	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// maxPage is how many bytes a Query or Scan reads before it stops. The item that goes beyond it is still part of the page:
// items of 1042 bytes make pages that cost 128.5 units, which is 1007 of them and not 1006.
//
// https://www.dbi-services.com/blog/dynamodb-scan-pagination/
const maxPage = 1 << 20

// What AWS says of Query's and Scan's parameters: those of indexes as quoted in
// https://github.com/localstack/localstack/issues/478 and https://github.com/localstack/localstack/issues/805, the others
// from memory of its answers, not yet held against a recording.
const (
	msgNoIndex         = "The table does not have the specified index: %s"
	msgConsistentIndex = "Consistent reads are not supported on global secondary indexes"
	msgAllOfIndex      = "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index %s because its projection type is not ALL"
	msgNotProjected    = "One or more parameter values were invalid: Global secondary index %s does not project %s"
	msgFilterProjected = "One or more parameter values were invalid: Secondary index %s does not project one or more filter attributes: %s" // https://github.com/sensedeep/dynamodb-onetable/issues/377
	msgAllProjected    = "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"                                       // https://github.com/nubo-db/dynoxide/pull/100
	msgSpecific        = "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"                // https://github.com/nubo-db/dynoxide/issues/121
	msgProjectionCount = "Cannot specify the %s when choosing to get only the Count"
	msgProjectionAll   = "Cannot specify the %s when choosing to get %s"
	msgFilterKey       = "%s can only contain non-primary key attributes: Primary key attribute: %s" // of a QueryFilter: https://github.com/pynamodb/PynamoDB/issues/25
	msgStartKey        = "The provided starting key is invalid"
	msgStartSchema     = msgStartKey + ": " + msgKeySchema // of a Scan of a table: https://github.com/ExtendDB/extenddb/pull/86
	msgStartOutside    = "The provided starting key is outside query boundaries based on provided conditions"
	msgStartPredicate  = "The provided starting key does not match the range key predicate"
)

// reading is what Query and Scan have in common.
type reading struct {
	t *table
	x *index // nil: the table itself

	request *wire.Request // that the page answers, nil if it is for somebody else

	expressions
	consistent bool
	limit      int  // 0: none
	count      bool // Select is COUNT
	all        bool // Select is ALL_ATTRIBUTES
	whole      bool // a local index's entries do not suffice: the items themselves are read too
}

// request is what a Query and a Scan say alike.
type request struct {
	indexName, selected, projection *string
	consistent                      *bool
	limit                           *int32
	attributes                      []string // AttributesToGet
}

// projectedBy is the parameter that says which attributes are wanted, or empty.
func (in request) projectedBy() string {
	switch {
	case in.projection != nil:
		return "ProjectionExpression"
	case in.attributes != nil:
		return "AttributesToGet"
	}
	return ""
}

// newReading checks what the request says against the table.
func newReading(t *table, in request, e expressions) (*reading, error) {
	rd := &reading{t: t, expressions: e, consistent: yes(in.consistent)}
	if in.limit != nil {
		rd.limit = int(*in.limit)
	}
	if in.indexName != nil {
		x, ok := t.index(*in.indexName)
		switch {
		case !ok:
			return nil, errValidation(msgNoIndex, *in.indexName)
		case x.Global && rd.consistent:
			return nil, errValidation(msgConsistentIndex)
		}
		if err := t.readable(x); err != nil {
			return nil, err
		}
		rd.x = x
	}
	return rd, rd.choose(in)
}

// checkSelect checks Select by itself.
func checkSelect(in request) error {
	by := in.projectedBy()
	switch {
	case in.selected == nil:
	case *in.selected == SelectAllProjectedAttributes && in.indexName == nil:
		return errValidation(msgAllProjected)
	case *in.selected == SelectSpecificAttributes && by == "":
		return errValidation(msgSpecific)
	case *in.selected == SelectCount && by != "":
		return errValidation(msgProjectionCount, by)
	case *in.selected != SelectSpecificAttributes && by != "":
		return errValidation(msgProjectionAll, by, *in.selected)
	}
	return nil
}

// choose decides which attributes are read.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html#DDB-Query-request-Select
func (rd *reading) choose(in request) error {
	rd.count, rd.all = is(in.selected, SelectCount), is(in.selected, SelectAllAttributes)
	if rd.x == nil || rd.x.Projection == ProjectionTypeAll {
		return nil
	}
	var missing, unfiltered []string
	if rd.projection != nil {
		missing = rd.lacks(rd.projection.Names())
	}
	if rd.filter != nil {
		unfiltered = rd.lacks(rd.filter.Names())
	}
	switch {
	case !rd.x.Global:
		rd.whole = rd.all || missing != nil || unfiltered != nil
	case rd.all:
		return errValidation(msgAllOfIndex, rd.x.Name)
	case missing != nil:
		return errValidation(msgNotProjected, rd.x.Name, bracketed(missing))
	case unfiltered != nil:
		return errValidation(msgFilterProjected, rd.x.Name, bracketed(unfiltered))
	}
	return nil
}

// lacks returns those of the attributes that the index does not have; nil if it has all.
func (rd *reading) lacks(names []string) (missing []string) {
	for _, name := range names {
		if !rd.projects(name) {
			missing = append(missing, name)
		}
	}
	return missing
}

// projects tells whether the index has an attribute.
func (rd *reading) projects(name string) bool {
	return rd.t.Key.has(name) || rd.x.Key.has(name) || slices.Contains(rd.x.Include, name)
}

// key is the schema of what is read.
func (rd *reading) key() keySchema {
	if rd.x != nil {
		return rd.x.Key
	}
	return rd.t.Key
}

// span is the stored keys from low to before high.
type span struct{ low, high []byte }

// after is the first key that sorts after all that begin with the prefix; nil if there is none.
func after(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != 0xff {
			b := bytes.Clone(prefix[:i+1])
			b[i]++
			return b
		}
	}
	return nil
}

// startKey turns an ExclusiveStartKey into a stored key.
func (rd *reading) startKey(start record) ([]byte, error) {
	key, ok := rd.key().appendKey(nil, start)
	own, ok2 := rd.t.Key.appendKey(nil, start)
	if !ok || !ok2 || start.encoded().Len() != len(rd.t.keyNames(rd.x)) {
		if rd.x == nil && rd.keyCondition == nil {
			return nil, errValidation(msgStartSchema)
		}
		return nil, errValidation(msgStartKey)
	}
	if rd.x != nil {
		key = append(key, own[hashSize:]...)
	}
	return key, nil
}

// from leaves out of a span what lies before the start key, and that itself.
func (s span) from(key []byte, forward bool) span {
	if forward {
		s.low = append(key, 0) // no stored key is the beginning of another
	} else {
		s.high = key
	}
	return s
}

// holds tells whether a key lies in the span.
func (s span) holds(key []byte) bool {
	return bytes.Compare(key, s.low) >= 0 && (s.high == nil || bytes.Compare(key, s.high) < 0)
}

// walk yields what is stored in a span.
func (s span) walk(b store.Bucket, forward bool) iter.Seq2[[]byte, []byte] {
	return func(yield func(k, v []byte) bool) {
		if forward {
			for k, v := range b.Ascend(s.low) {
				if s.high != nil && bytes.Compare(k, s.high) >= 0 || !yield(k, v) {
					return
				}
			}
			return
		}
		for k, v := range b.Descend(s.high) {
			if bytes.Compare(k, s.low) < 0 || !yield(k, v) {
				return
			}
		}
	}
}

// page is what one Query or Scan returns.
type page struct {
	items         Items
	found, passed int // Count, ScannedCount
	size          int // bytes read
	last          Attributes
	used          *usage
}

// read reads a page of the span.
func (rd *reading) read(tx *store.Tx, s span, forward bool) (*page, error) {
	p := &page{used: newUsage(rd.t)}
	if !rd.count {
		p.items = newItems(rd.request)
	}
	bucket := tx.Bucket(rd.t.items())
	if rd.x != nil {
		bucket = tx.Bucket(rd.t.entries(rd.x))
	}
	for _, value := range s.walk(bucket, forward) {
		stored := record(value)
		p.size += stored.size()
		p.passed++
		if err := rd.take(tx, p, stored); err != nil {
			return nil, err
		}
		if p.passed == rd.limit || p.size > maxPage {
			p.last = Attributes(rd.t.keyOf(stored, rd.x))
			break
		}
	}
	units := readUnitsFor(p.size, rd.consistent)
	if rd.x == nil {
		p.used.table += units
	} else {
		p.used.indexes[rd.x.Name] = units
	}
	return p, nil
}

// take takes one entry into the page, unless the filter refuses it.
func (rd *reading) take(tx *store.Tx, p *page, entry record) error {
	whole := entry
	if rd.whole {
		_, whole = rd.t.find(tx, entry)
		p.used.table += readUnitsFor(whole.size(), rd.consistent)
	}
	if rd.filter != nil && !rd.filter.Match(peeked(whole)) {
		return nil
	}
	p.found++
	if rd.count {
		return nil
	}
	if rd.all || rd.projection != nil {
		entry = whole
	}
	p.items = p.items.add(entry, rd.projection)
	return nil
}

// expr describes key attributes to package expr.
func (k keySchema) expr() []expr.Key {
	out := make([]expr.Key, len(k))
	for i, a := range k {
		out[i] = expr.Key{Name: a.Name, Kind: a.kind()}
	}
	return out
}
