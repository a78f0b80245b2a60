// Package wire speaks AWS's protocols: it finds out which operation of which service a request means, decodes and checks
// its input, and encodes the answer. It knows no service by name: all that it knows comes from a Model, which apigen
// generates from what AWS publishes.
package wire

// Protocol is one of AWS's wire protocols. The request chooses it, not the service: SQS answers JSON, Query and CBOR alike.
type Protocol uint8

// The protocols, by the names of their Smithy traits.
const (
	AWSJSON10 Protocol = iota + 1
	AWSJSON11
	AWSQuery
	EC2Query
	RestJSON1
	RestXML
	RPCv2CBOR
)

// Model is what AWS publishes of one service, as far as the wire needs it.
type Model struct {
	Service        string     // our package's name: "dynamodb"
	Name           string     // the Smithy service shape's name: "DynamoDB_20120810", prefix of X-Amz-Target
	Namespace      string     // of its shapes: "com.amazonaws.dynamodb", prefix of __type in errors
	Version        string     // "2012-08-10", Query's Version parameter
	SigningName    string     // the service in a SigV4 credential scope: "dynamodb"
	EndpointPrefix string     // first label of its host name: "streams.dynamodb"
	Protocols      []Protocol // the first is the one it answers by default
	XMLNamespace   string     // of Query's and RestXML's answers
	QueryCompat    bool       // answers the x-amzn-query-error header (awsQueryCompatible)
	UnwrappedError bool       // RestXML: an error is the root element, as in S3
	ErrorNamespace string     // before the '#' of __type in errors; "" for services that answer the bare code
	ValidationCode string     // of violated constraints, where it is not ValidationException (ValidationError in Query)
	CheckPrefix    string     // in paths of violated constraints, after the operation: API Gateway's "Input" in createRestApiInput.name
	HideValues     bool       // violated constraints show neither values nor enumerations, as IAM's do
	CRC32          bool       // answers X-Amz-Crc32, which DynamoDB's clients check
	Operations     []Operation
	Shapes         []Shape // Operations and Members refer to them by index
}

// Operation is one operation of a service, whether we do it or not.
type Operation struct {
	Name   string
	Method string // REST: "GET"
	URI    string // REST: "/v2/apis/{ApiId}/routes", with ?constant=query and {greedy+}
	Status int    // REST: of a success
	Input  int    // index of its structure in Shapes; -1: none, or an operation that we do not do
	Output int    // the same
	Errors []int  // the structures of its errors
	Flags  OpFlags
}

// OpFlags are an operation's peculiarities.
type OpFlags uint8

// What an operation may have of its own.
const (
	OpImplemented  OpFlags = 1 << iota // listed in operations.txt
	OpUnwrappedXML                     // S3's GetBucketLocation: the one member's element is the root
	OpNewChecks                        // violated constraints show no values, and members by the model's names; see checkInput
	OpFirstEnum                        // besides, of several wrong enumerations the first alone is reported
)

// Kind is a shape's type.
type Kind uint8

// The kinds, by Smithy's names.
const (
	Structure Kind = iota + 1
	Union
	List
	Map
	String
	Blob
	Boolean
	Byte
	Short
	Integer
	Long
	Float
	Double
	BigInteger
	BigDecimal
	Timestamp
	Document
)

// Shape is a type of the model. In Go a structure or union is a struct, a list a slice, a map a map[string]; scalars are
// pointers in a struct (nil: not given) and values in lists and maps, where a sparse one has pointers. A blob is a []byte,
// a streaming one an io.Reader (read it once), a streaming union an iter.Seq2[Union, error]; a timestamp is a time.Time, a document
// an any as JSON decodes it.
type Shape struct {
	Name    string
	Kind    Kind
	Members []Member // structure, union; list: one, "member"; map: two, "key" and "value"
	Flags   ShapeFlags

	// Constraints.
	Bounds  *Bounds  // length of a string, blob, list or map, or range of a number
	Pattern string   // of a string
	Enum    []string // a string's values in the model's order

	TimestampFormat Format // of a timestamp
	XMLName         string // of the element where the shape is a root
	XMLNamespace    string
	XMLPrefix       string // of the namespace

	// Errors.
	ErrorCode   string // what the service calls it on the wire, where that differs from Name (awsQueryError, xmlName)
	ErrorStatus int    // HTTP status; 0: not an error
}

// Bounds are the limits of a length or a number, both inclusive.
type Bounds struct {
	Min, Max       float64
	HasMin, HasMax bool
}

// ShapeFlags are a shape's peculiarities.
type ShapeFlags uint8

// What a shape may be besides its kind.
const (
	Sparse      ShapeFlags = 1 << iota // a list or map that may hold nulls
	Sensitive                          // not shown in constraint messages
	Flattened                          // a list or map whose every member is flattened, as botocore's models have it
	BoundsFirst                        // its length is reported before its pattern
	LastFirst                          // a structure whose members are checked from the last to the first
)

// Member is a structure's field, a list's element, a map's key or value.
type Member struct {
	Name     string // the model's name, which is also the Go field's but for its first letter's case
	Shape    int    // index in Model.Shapes
	WireName string // jsonName, header or query parameter, or EC2's query name; empty: Name
	XMLName  string // of its element, or of its part of a Query name; empty: Name
	Location Location
	Flags    MemberFlags

	Bounds          *Bounds // over its shape's
	Pattern         string  // over its shape's
	TimestampFormat Format  // over its shape's
	XMLNamespace    string
	XMLPrefix       string
}

// MemberFlags are a member's peculiarities.
type MemberFlags uint8

// What a member may be.
const (
	Required         MemberFlags = 1 << iota
	FlattenedMember              // xmlFlattened
	XMLAttribute                 // an attribute of its structure's element
	IdempotencyToken             // filled in by clients that do not give one, so by Call too
	JSONValue                    // a string or blob that is JSON (mediaType application/json); a header has it in base64
	EventHeader                  // a header of its event's message
	EventPayload                 // the payload of its event's message
)

// Location is where in an HTTP message a member travels.
type Location uint8

// The places. In RPC protocols every member is in the body.
const (
	InBody Location = iota
	InURI
	InQuery
	InQueryParams // a map of all other query parameters
	InHeader
	InPrefixHeaders
	InPayload // the member is the whole body
	InStatus  // the response code
)

// Format is how a timestamp is written.
type Format uint8

// The formats. DefaultFormat depends on the protocol and the location.
const (
	DefaultFormat Format = iota
	EpochSeconds
	DateTime
	HTTPDate
)
