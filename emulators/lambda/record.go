package lambda

import (
	"strconv"
	"time"

	"devstack/emulators/store"
)

// What is stored of functions. Everything of a function is under its account, region and name.
var (
	functions = store.NewTable[function]("functions")
	versions  = store.NewTable[version]("versions") // by number, as sortable makes it: published ones
	aliases   = store.NewTable[alias]("aliases")    // by name
)

// function is what a function is beside its versions. One that the stack declares has a record as well once something of it is kept
// that is not in the stack.
type function struct {
	Account, Region, Name string
	Latest                *version // nil: the stack declares it
	Published             int      // number of the latest published version; numbers are not used again
	Tags                  map[string]string
	Signing               string // ARN of its code signing configuration, "" for none
	Revision              string // of $LATEST of a declared function, once it has been published
}

// version is $LATEST or a published version.
type version struct {
	Number string // "$LATEST", "3"
	settings
	Code         code
	LastModified time.Time
	Revision     string
	Of           string // of a published version: what distinguished $LATEST then, see fingerprint

	State, StateReason, StateCode    string // "Pending", "Active", "Failed"
	Update, UpdateReason, UpdateCode string // "InProgress", "Successful", "Failed"; "" while it is created

	declared *Function // of the stack: it runs from where its files are edited
}

// settings are a version's configuration.
type settings struct {
	Description, Role, Runtime, Handler string
	Timeout                             int32             // seconds
	Memory                              int32             // MiB
	Storage                             int32             // MiB of /tmp
	Environment                         map[string]string // nil: none was ever given, and none is shown
	Layers                              []attached
	Architecture                        string
	Package                             string       // "Zip", "Image"
	ImageConfig                         *ImageConfig // nil: the image's own
	Log                                 LoggingConfig
	Tracing                             string // "PassThrough", "Active"
	SnapStart                           string // "None", "PublishedVersions"
	KMSKey                              string
	VPC                                 *VpcConfigResponse
	DeadLetter                          *DeadLetterConfig
}

// code is what a version runs.
type code struct {
	Sum      string   // SHA-256 of the archive, in base64
	Size     int64    // bytes of the archive
	Unzipped int64    // bytes of its files
	Archive  string   // name among the kept archives; "" for an image
	KMSKey   string   // by which its owner wants it encrypted: nothing is, here
	Image    string   // reference of a container image
	Source   string   // of a frozen function of the stack: its file or folder within the archive; "" is all of it
	Edited   string   // of a frozen function of the stack: CodeSha256 of the files that were copied
	Layers   []string // of a frozen function of the stack: folders within the archive
}

// busy reports whether a change of the version is under way.
func (v *version) busy() bool {
	return v.State == StatePending || v.Update == LastUpdateStatusInProgress
}

// sortable is a version's number as a key: numbers of different lengths sort by their value.
func sortable(number string) int {
	n, _ := strconv.Atoi(number) // too large a number is 0, which is no version
	return n
}

// alias is a name that leads to a version, or to two of them.
type alias struct {
	Name, Version, Description, Revision string
	Weights                              map[string]float64 // how much of the calls goes to another version instead
}

// record returns what is stored of a function beside its versions, and whether there is such a function at all.
func (s *Service) record(tx *store.Tx, t target) (function, bool) {
	f, stored := functions.Get(tx, t.key()...)
	if s.declared(t) != nil {
		f.Account, f.Region, f.Name = t.Account, t.Region, t.Name
		return f, true
	}
	return f, stored && f.Latest != nil
}
