package config

import "sync"

// kind is what an attribute's value must be.
type kind int

const (
	text      kind = iota // a string; numbers and bools become one
	integer               // a whole number
	boolean               // true or false
	texts                 // a list of strings
	oneOrMore             // a string or a list of strings, which it becomes
	textMap               // a map of strings; numbers and bools become strings
	document              // a string that holds JSON, or an object that becomes it
	documents             // a list of documents
	target                // another resource as a whole: function.charge
)

// String names the kind as the reference and messages do.
func (k kind) String() string {
	switch k {
	case integer:
		return "whole number"
	case boolean:
		return "true or false"
	case texts:
		return "list of strings"
	case oneOrMore:
		return "string or list of strings"
	case textMap:
		return "map of strings"
	case document:
		return "JSON or object"
	case documents:
		return "list of JSON or objects"
	case target:
		return "resource"
	default:
		return "string"
	}
}

// attribute describes one argument of a block. The table of them decodes the file, checks it, suggests near names and
// is the reference in docs.
type attribute struct {
	name     string
	kind     kind
	doc      string
	required bool
	fallback string   // the value if it is not given, as text
	oneOf    []string // of a text: what it may be
	min, max int      // of an integer; both zero: any
	of       string   // of a target: its block type
	early    bool     // what the block can be referred by depends on it, so it is evaluated before other attributes
}

// export is something of a resource that other blocks can refer to.
type export struct{ name, doc string }

// blockSchema describes a block.
type blockSchema struct {
	name       string
	label      string // what its label is, "" for a block without
	doc        string
	example    string
	attributes []attribute
	blocks     []*blockSchema
	exports    []export
	once       bool // at most one in its parent
	resource   bool // becomes a Resource; takes for_each
}

// attribute returns the attribute of a name, nil if there is none.
func (s *blockSchema) attribute(name string) *attribute {
	for i := range s.attributes {
		if s.attributes[i].name == name {
			return &s.attributes[i]
		}
	}
	return nil
}

// block returns the nested block of a name, nil if there is none.
func (s *blockSchema) block(name string) *blockSchema {
	for _, b := range s.blocks {
		if b.name == name {
			return b
		}
	}
	return nil
}

// exported reports whether the block can be referred to by the name.
func (s *blockSchema) exported(name string) bool {
	for _, e := range s.exports {
		if e.name == name {
			return true
		}
	}
	return false
}

// language returns the schema of every block of a stack file, in the order of the reference.
var language = sync.OnceValue(func() []*blockSchema {
	return []*blockSchema{
		stackSchema(), variableSchema(), localsSchema(), tableSchema(), cacheSchema(), functionSchema(), serviceSchema(),
		stateMachineSchema(), apiSchema(),
	}
})

// schemaOf returns the schema of a top-level block, nil if there is none.
func schemaOf(name string) *blockSchema {
	for _, s := range language() {
		if s.name == name {
			return s
		}
	}
	return nil
}

func stackSchema() *blockSchema {
	return &blockSchema{
		name: "stack", label: "NAME", once: true,
		doc: "Names the stack. There is exactly one.",
		example: `stack "shop" {
  region = "eu-central-1"
}`,
		attributes: []attribute{
			{name: "region", fallback: "us-east-1", doc: "AWS region that ARNs and signatures name."},
			{name: "account", fallback: "000000000000", doc: "AWS account, 12 digits in quotes."},
			{name: "port", kind: integer, fallback: "4566", min: 1, max: 65535, doc: "Port of the AWS endpoint on 127.0.0.1."},
			{name: "durability", fallback: "background", oneOf: []string{"background", "fsync"},
				doc: "When an acknowledged write is forced to the disk: `background` within a second (it survives a crash of devstack, not one of the machine), `fsync` before it is acknowledged."},
			{name: "table_delay", kind: integer, fallback: "0", min: 0, max: 3600,
				doc: "Seconds that a DynamoDB table stays `CREATING`, `UPDATING` or `DELETING`, as it would on AWS."},
		},
		exports: []export{
			{"name", "The stack's name."}, {"region", "Its region."}, {"account", "Its account."},
			{"endpoint", "URL of the AWS endpoint."},
		},
	}
}

func variableSchema() *blockSchema {
	return &blockSchema{
		name: "variable", label: "NAME",
		doc: "A value from outside, referred to as `var.NAME`: from the command line, else from the environment variable `DEVSTACK_VAR_NAME`, else `default`.",
		example: `variable "stage" {
  type    = string
  default = "dev"
}`,
		attributes: []attribute{
			{name: "type", doc: "Type constraint: `string`, `number`, `bool`, `list(string)`, `map(number)`, `object({…})`, … Not given, it is the type of a plain default, else `string`."},
			{name: "default", doc: "Value if none is given. A variable without default must be given. It may call functions but refer to nothing."},
			{name: "description", doc: "What it is for; part of the message when it is missing."},
		},
	}
}

func localsSchema() *blockSchema {
	return &blockSchema{
		name: "locals",
		doc:  "Names for values, each referred to as `local.NAME`. There may be several blocks. A local may refer to anything, other locals included.",
		example: `locals {
  prefix = "shop-${var.stage}"
}`,
	}
}

func tableSchema() *blockSchema {
	return &blockSchema{
		name: "table", label: "NAME", resource: true,
		doc: "A DynamoDB table. Keys and local indexes of an existing table cannot be changed; everything else is changed in place.",
		example: `table "orders" {
  hash_key  = "customer"
  range_key = "id"
  stream    = "NEW_AND_OLD_IMAGES"
  index "by_status" { hash_key = "status" }
}`,
		attributes: []attribute{
			{name: "name", early: true, doc: "Table name. Defaults to the label."},
			{name: "hash_key", required: true, doc: "Attribute that is the partition key."},
			{name: "range_key", doc: "Attribute that is the sort key."},
			{name: "attributes", kind: textMap, doc: "Types of key attributes, `S`, `N` or `B`. Those not named are strings."},
			{name: "stream", early: true, oneOf: []string{"NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES", "KEYS_ONLY"}, doc: "Turns the stream on; what its records hold."},
			{name: "ttl", doc: "Attribute with the second since 1970 at which an item expires."},
			{name: "billing_mode", fallback: "PAY_PER_REQUEST", oneOf: []string{"PAY_PER_REQUEST", "PROVISIONED"}, doc: "How throughput is given."},
			{name: "read_capacity", kind: integer, min: 1, max: 1 << 40, doc: "Read units a second; with `PROVISIONED` only, and then required."},
			{name: "write_capacity", kind: integer, min: 1, max: 1 << 40, doc: "Write units a second; with `PROVISIONED` only, and then required."},
			{name: "max_read_units", kind: integer, min: 1, max: 1 << 40, doc: "Most read units a second with `PAY_PER_REQUEST`. It is reported; nothing is throttled."},
			{name: "max_write_units", kind: integer, min: 1, max: 1 << 40, doc: "Most write units a second with `PAY_PER_REQUEST`."},
			{name: "warm_read_units", kind: integer, min: 1, max: 1 << 40, doc: "Read units a second of the warm throughput, which AWS can only raise."},
			{name: "warm_write_units", kind: integer, min: 1, max: 1 << 40, doc: "Write units a second of the warm throughput."},
			{name: "table_class", fallback: "STANDARD", oneOf: []string{"STANDARD", "STANDARD_INFREQUENT_ACCESS"}, doc: "Table class."},
			{name: "recovery_period_in_days", kind: integer, min: 1, max: 35, doc: "Turns point-in-time recovery on: to how many days back the table can be restored."},
			{name: "replicas", kind: texts, doc: "Other regions that have a replica of the table (a global table); needs `stream = \"NEW_AND_OLD_IMAGES\"`."},
			{name: "seed", kind: texts, doc: "Files of items that are put when the table is created, and again when a file has changed; other items stay. `.csv` (the first line names the attributes), `.json` and `.jsonl`, plain or in DynamoDB's JSON as `aws dynamodb scan`, `batch-write-item` and exports have it; each may be packed (`.gz`)."},
			{name: "deletion_protection", kind: boolean, fallback: "false", doc: "Refuses to delete the table."},
			{name: "tags", kind: textMap, doc: "Tags."},
		},
		blocks: []*blockSchema{{
			name: "index", label: "NAME", doc: "A secondary index: global, or local if it says so.",
			attributes: []attribute{
				{name: "hash_key", doc: "Partition key; required but for a local index, whose partition key is the table's."},
				{name: "range_key", doc: "Sort key; required for a local index."},
				{name: "hash_keys", kind: texts, doc: "Instead of `hash_key`: a partition key of up to four attributes, of a global index."},
				{name: "range_keys", kind: texts, doc: "Instead of `range_key`: a sort key of up to four attributes, of a global index."},
				{name: "local", kind: boolean, fallback: "false", doc: "Makes it a local secondary index."},
				{name: "projection", fallback: "ALL", oneOf: []string{"ALL", "KEYS_ONLY", "INCLUDE"}, doc: "Which attributes the index holds."},
				{name: "non_key_attributes", kind: texts, doc: "With `INCLUDE`: which besides the keys."},
				{name: "read_capacity", kind: integer, min: 1, max: 1 << 40, doc: "Of a global index with `PROVISIONED`; defaults to the table's."},
				{name: "write_capacity", kind: integer, min: 1, max: 1 << 40, doc: "Of a global index with `PROVISIONED`; defaults to the table's."},
				{name: "max_read_units", kind: integer, min: 1, max: 1 << 40, doc: "Of a global index with `PAY_PER_REQUEST`, as the table's."},
				{name: "max_write_units", kind: integer, min: 1, max: 1 << 40, doc: "Of a global index with `PAY_PER_REQUEST`, as the table's."},
				{name: "warm_read_units", kind: integer, min: 1, max: 1 << 40, doc: "Of a global index, as the table's."},
				{name: "warm_write_units", kind: integer, min: 1, max: 1 << 40, doc: "Of a global index, as the table's."},
			},
		}},
		exports: []export{
			{"name", "Table name."}, {"arn", "ARN of the table."}, {"stream_arn", "ARN of its stream; only with `stream`."},
		},
	}
}

func cacheSchema() *blockSchema {
	return &blockSchema{
		name: "cache", label: "NAME", resource: true,
		doc:     "An ElastiCache cluster: a Redis server on a port of its own.",
		example: `cache "sessions" {}`,
		attributes: []attribute{
			{name: "name", early: true, doc: "Cluster id. Defaults to the label in lower case, with `-` for `_`."},
			{name: "engine", fallback: "redis", oneOf: []string{"redis", "valkey"}, doc: "What the cluster says that it runs; one server does both."},
			{name: "port", kind: integer, early: true, min: 1, max: 65535, doc: "Port on 127.0.0.1. Not given, a free one that stays the same."},
		},
		exports: []export{
			{"name", "Cluster id."}, {"url", "`redis://127.0.0.1:PORT`."}, {"host", "`127.0.0.1`."}, {"port", "Its port."},
		},
	}
}

func stateMachineSchema() *blockSchema {
	return &blockSchema{
		name: "state_machine", label: "NAME", resource: true,
		doc: "A Step Functions state machine.",
		example: `state_machine "checkout" {
  definition    = file("checkout.asl.json")
  substitutions = { ChargeFunction = function.charge.arn }
}`,
		attributes: []attribute{
			{name: "name", early: true, doc: "State machine name. Defaults to the label."},
			{name: "type", early: true, fallback: "STANDARD", oneOf: []string{"STANDARD", "EXPRESS"}, doc: "Kind of workflow."},
			{name: "definition", kind: document, required: true, doc: "Amazon States Language: JSON text, mostly by `file(…)`, or an object."},
			{name: "substitutions", kind: textMap, doc: "What `${NAME}` in the definition stands for. `$${NAME}` stays as `${NAME}`."},
			{name: "tags", kind: textMap, doc: "Tags."},
		},
		exports: []export{{"name", "State machine name."}, {"arn", "ARN of the state machine."}},
	}
}
