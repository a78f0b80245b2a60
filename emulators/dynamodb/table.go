package dynamodb

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// labelFormat is how AWS writes the instant of a stream's creation (recorded stream ARNs).
const labelFormat = "2006-01-02T15:04:05.000"

// table is what is kept of a table besides its items. One that was read from the store is shared: change a copy.
type table struct {
	Account, Region, Name string

	ID         string // TableId, which names the table's buckets
	Created    time.Time
	Attributes []AttributeDefinition
	Key        keySchema
	Indexes    []index

	Billing      string     // BillingMode
	OnDemandFrom *time.Time // when it last changed to PAY_PER_REQUEST
	Throughput   throughput
	Class        string     // TableClass, "" if nobody has said it
	ClassFrom    *time.Time // when it last changed
	Protected    bool       // DeletionProtectionEnabled
	EncryptedBy  string     // the KMS key's ARN; "": AWS's own, of which nothing is said

	Transitions  []transition // that are under way
	ClassChanges []time.Time  // of the last 30 days
	KeyChanges   []time.Time  // of EncryptedBy, in the last 24 hours
	ProtectedAt  *time.Time   // when Protected last changed

	View      string    // StreamViewType of the stream that is enabled, "" for none
	Label     string    // of the latest stream
	StreamARN string    // of the latest stream
	Streaming time.Time // when the latest stream was created

	Global       *globalTable // the group of tables in several regions that it belongs to, nil for none
	SettingsMode string       // GlobalTableSettingsReplicationMode, "" if nobody has said it

	TTL  string // the attribute of expiry, "" for none
	Tags []Tag

	Recovery *recovery // to a point in time; nil: off

	Copied    *reach     `json:",omitempty"` // its items, if they are those of a table or a backup from which they are still being copied
	Listed    *reach     `json:",omitempty"` // the list of expiries
	Copies    []string   `json:",omitempty"` // regions with a replica to which its items are still being copied
	Snapshots []snapshot `json:",omitempty"` // that are being made of it
}

// throughput is what a table or an index was given to work with. Nothing is throttled; it is reported.
type throughput struct {
	Read, Write                 int64      // capacity units; 0 in PAY_PER_REQUEST
	Increased, Decreased        *time.Time //
	Decreases                   int64      // on the day of Decreased
	OnDemandRead, OnDemandWrite *int64     // MaxReadRequestUnits, MaxWriteRequestUnits
	WarmRead, WarmWrite         int64      // units a second, 0: not said
}

// index is a secondary index.
type index struct {
	Name       string
	Global     bool
	Key        keySchema
	Projection string   // ProjectionType
	Include    []string // NonKeyAttributes
	Throughput throughput
	Filled     *reach `json:",omitempty"`
}

// keySchema is the attributes of a primary or an index key: the partition key's, then the sort key's. A table and a local
// index have one of each at most, a global index four.
type keySchema []keyAttribute

// keyAttribute is one attribute of a key.
type keyAttribute struct {
	Name string
	Type string // S, N or B
	Sort bool   // RANGE
}

func (k keySchema) has(attribute string) bool {
	return slices.ContainsFunc(k, func(a keyAttribute) bool { return a.Name == attribute })
}

// parts returns the partition key's attributes and the sort key's.
func (k keySchema) parts() (hash, sortKey keySchema) {
	i := slices.IndexFunc(k, func(a keyAttribute) bool { return a.Sort })
	if i < 0 {
		return k, nil
	}
	return k[:i], k[i:]
}

// sorted tells whether there is a sort key.
func (k keySchema) sorted() bool { return k[len(k)-1].Sort }

// wire returns the schema as the API writes it.
func (k keySchema) wire() []KeySchemaElement {
	out := make([]KeySchemaElement, len(k))
	for i, a := range k {
		out[i] = KeySchemaElement{AttributeName: new(a.Name), KeyType: new(KeyTypeHash)}
		if a.Sort {
			out[i].KeyType = new(KeyTypeRange)
		}
	}
	return out
}

func (t *table) arn() string {
	return "arn:aws:dynamodb:" + t.Region + ":" + t.Account + ":table/" + t.Name
}

// index finds a secondary index by name.
func (t *table) index(name string) (*index, bool) {
	i := slices.IndexFunc(t.Indexes, func(x index) bool { return x.Name == name })
	if i < 0 {
		return nil, false
	}
	return &t.Indexes[i], true
}

// The buckets of a table. Its id and not its name is in theirs, so that a new table of an old name begins empty.
func (t *table) items() string           { return "items/" + t.ID }
func (t *table) entries(x *index) string { return "index/" + t.ID + "/" + x.Name }
func (t *table) expiries() string        { return "expiry/" + t.ID }
func (t *table) put(tx *store.Tx)        { tables.Put(tx, *t, t.Account, t.Region, t.Name) }
func (t *table) countKey(x *index) []byte {
	if x == nil {
		return store.Key(t.ID)
	}
	return store.Key(t.ID, x.Name)
}

// tableCache keeps decoded tables as long as their bytes stay the same, so that a call does not decode its table.
type tableCache struct {
	mu sync.RWMutex
	m  map[tableID]*cachedTable
}

type tableID struct{ account, region, name string }

func (id tableID) key() []byte { return store.Key(id.account, id.region, id.name) }

type cachedTable struct {
	key     []byte
	raw     []byte
	table   *table
	version atomic.Int64 // of the store in which its bytes were compared last
}

// find returns the table, nil if there is none.
func (c *tableCache) find(tx *store.Tx, account, region, name string) (*table, error) {
	id, version := tableID{account, region, name}, int64(tx.Version())
	c.mu.RLock()
	hit := c.m[id]
	c.mu.RUnlock()
	if hit == nil {
		hit = &cachedTable{key: id.key()}
	} else if version != 0 && hit.version.Load() == version {
		return hit.table, nil
	}
	raw := tx.Bucket("tables").Get(hit.key)
	if raw == nil {
		return nil, nil
	}
	if bytes.Equal(hit.raw, raw) {
		if version != 0 {
			hit.version.Store(version)
		}
		return hit.table, nil
	}
	t := new(table)
	if err := json.Unmarshal(raw, t); err != nil {
		return nil, fmt.Errorf("dynamodb: table %s: %w", name, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.m == nil {
		c.m = map[tableID]*cachedTable{}
	}
	c.m[id] = &cachedTable{key: hit.key, raw: bytes.Clone(raw), table: t}
	return t, nil
}

// forget drops a table that is gone.
func (c *tableCache) forget(account, region, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.m, tableID{account, region, name})
}

// msgNotFound is what operations on items say; operations on tables name the table (both are recorded answers).
const (
	msgNotFound      = "Requested resource not found"
	msgTableNotFound = "Requested resource not found: Table: %s not found"
)

// table finds the table of an operation on items, by name or ARN.
func (s *service) table(tx *store.Tx, r *wire.Request, nameOrARN string) (*table, error) {
	t, _, err := s.lookup(tx, r, nameOrARN)
	if err == nil && (t == nil || t.Transitions != nil && t.under(creating) != nil) {
		err = errResourceNotFoundException(msgNotFound)
	}
	return t, err
}

// tableToChange returns a copy of the table of an operation on tables.
func (s *service) tableToChange(tx *store.Tx, r *wire.Request, nameOrARN string) (*table, error) {
	t, name, err := s.lookup(tx, r, nameOrARN)
	if err != nil {
		return nil, err
	}
	if t == nil {
		return nil, errResourceNotFoundException(msgTableNotFound, name)
	}
	c := *t
	c.Indexes, c.Attributes, c.Tags = slices.Clone(t.Indexes), slices.Clone(t.Attributes), slices.Clone(t.Tags)
	return &c, nil
}

// tableToUse is tableToChange for what a table does not have yet that is being restored or created as a replica (observed,
// ack-api-quirks, DDB-TABLE-217, 298).
func (s *service) tableToUse(tx *store.Tx, r *wire.Request, nameOrARN string) (*table, error) {
	t, err := s.tableToChange(tx, r, nameOrARN)
	if now := s.Clock.Now(); err == nil && (t.restoring(now) != nil || t.Global != nil && t.status() == TableStatusCreating) {
		err = errResourceNotFoundException(msgTableNotFound, t.Name)
	}
	return t, err
}

// lookup finds a table of the request's account and region.
func (s *service) lookup(tx *store.Tx, r *wire.Request, nameOrARN string) (t *table, name string, err error) {
	name, err = ownTableName(r, nameOrARN)
	if err != nil {
		return nil, name, err
	}
	t, err = s.cache.find(tx, r.Account, r.Region, name)
	if t != nil && t.Transitions != nil {
		t = t.settle(s.Clock.Now())
	}
	return t, name, err
}

// tableName is the name in a TableName parameter, which may be an ARN too.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
func tableName(nameOrARN string) (string, error) {
	if !strings.HasPrefix(nameOrARN, "arn:") {
		return nameOrARN, checkName(nameOrARN)
	}
	parts := strings.SplitN(nameOrARN, ":", 6)
	if len(parts) < 6 || parts[2] != "dynamodb" || !strings.HasPrefix(parts[5], "table/") {
		return "", errValidation(msgInvalidTableARN)
	}
	name, more, _ := strings.Cut(strings.TrimPrefix(parts[5], "table/"), "/")
	if more != "" {
		return "", errValidation(msgARNType, nameOrARN)
	}
	return name, checkName(name)
}

// ownTableName is the name of a table of the request's account and region: another's is refused.
func ownTableName(r *wire.Request, nameOrARN string) (string, error) {
	name, err := tableName(nameOrARN)
	if err != nil || name == nameOrARN || strings.HasPrefix(nameOrARN, r.ARN("dynamodb", "table/")) {
		return name, err
	}
	switch parts := strings.Split(nameOrARN, ":"); {
	case parts[1] != "aws":
		return "", errValidation(msgARNPartition, nameOrARN)
	case parts[3] != r.Region:
		return "", errValidation(msgARNRegion, nameOrARN)
	}
	return "", errAccessDenied()
}

// What AWS says of ARNs of tables (observed, ack-api-quirks, DDB-TABLE-011, 442). Which words are whose is known of the region
// alone; the last is a guess by analogy with those of other operations.
const (
	msgARNPartition    = "1 validation error detected: Invalid AWS partition in '%s'"
	msgARNRegion       = "1 validation error detected: Invalid AWS region in '%s'"
	msgARNType         = "1 validation error detected: Invalid resource type in '%s'"
	msgInvalidTableARN = "Invalid table ARN"
)

// checkName checks what the model says of the shape TableName. Since tables may be named by ARN the operations' inputs use
// the shape TableArn, which is looser. The words are those of the constraint (observed, ack-api-quirks, DDB-TABLE-457).
func checkName(name string) error { return checkNameAt("tableName", name) }

// checkNameAt checks the name that a member has.
func checkNameAt(member, name string) error {
	var wrong []string
	add := func(constraint string) {
		wrong = append(wrong, fmt.Sprintf("Value '%s' at '%s' failed to satisfy constraint: %s", name, member, constraint))
	}
	if len(name) < 3 {
		add("Member must have length greater than or equal to 3")
	} else if len(name) > 255 {
		add("Member must have length less than or equal to 255")
	}
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return !nameRune(r) }) {
		add("Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+")
	}
	switch len(wrong) {
	case 0:
		return nil
	case 1:
		return errValidation("%s", "1 validation error detected: "+wrong[0])
	}
	return errValidation("%s", fmt.Sprintf("%d validation errors detected: ", len(wrong))+strings.Join(wrong, "; "))
}

// checkPlainName checks a name in the words of the operations on global tables of old, on insights and on restores, of which
// those about its length are their own (observed, ack-api-quirks, DDB-TABLE-100, 457).
func checkPlainName(what, member, name string) error {
	if len(name) < 3 || len(name) > 255 {
		return errValidation("%s must be at least 3 characters long and at most 255 characters long", what)
	}
	return checkNameAt(member, name)
}

func nameRune(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("_.-", r)
}
