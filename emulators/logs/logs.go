// Package logs emulates CloudWatch Logs: log groups and streams, events in and out, filter patterns, retention by the clock.
package logs

import (
	"devstack/emulators/kit"
	"devstack/emulators/store"
	"devstack/emulators/wire"
)

//go:generate go run ../wire/apigen -service logs -model cloudwatch-logs -operations operations.txt

// An event stands twice: by its stream, for GetLogEvents, and by its group in the order of time, for FilterLogEvents.
var (
	groups  = store.NewTable[group]("groups")   // by account, region and name
	streams = store.NewTable[stream]("streams") // by account, region, group and name
	events  = store.NewTable[event]("events")   // by account, region, group, stream, timestamp and number
	times   = store.NewTable[event]("times")    // by account, region, group, timestamp and number
)

// Messages in the service's words, recorded answers.
const (
	msgNoGroup      = "The specified log group does not exist."
	msgNoStream     = "The specified log stream does not exist."
	msgGroupExists  = "The specified log group already exists"
	msgStreamExists = "The specified log stream already exists"
	msgBadToken     = "The specified nextToken is invalid."
	msgPrefixOrElse = "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."
)

// group is a log group as it is stored.
type group struct {
	Name          string
	Created       int64 // milliseconds since 1970, as all times here
	RetentionDays int32 // 0: forever
	Class         string
	KMSKey        *string
	Protected     bool
	Tags          map[string]string
	Bytes         int64
	Next          int64 // number of the next event
}

// stream is a log stream as it is stored.
type stream struct {
	Name         string
	Created      int64
	First, Last  int64 // timestamps of events, 0: there are none
	LastIngested int64
}

// event is a log event as it is stored.
type event struct {
	Stream    string
	Timestamp int64
	Number    int64 // in the group, in the order of arrival
	Ingested  int64
	Message   string
}

// service implements the generated api interface.
type service struct{ kit.Env }

// New returns the CloudWatch Logs emulator.
func New(env kit.Env) *wire.Service { return register(&service{env}) }

// place is whose groups a request is about.
type place struct{ account, region string }

func placeOf(r *wire.Request) place { return place{r.Account, r.Region} }

// group returns a log group, by name or by ARN.
func (p place) group(tx *store.Tx, ref string) (*group, error) {
	name, err := groupName(ref)
	if err != nil {
		return nil, err
	}
	g, ok := groups.Get(tx, p.account, p.region, name)
	if !ok {
		return nil, errResourceNotFoundException(msgNoGroup)
	}
	return &g, nil
}

// stream returns a log stream of a group.
func (p place) stream(tx *store.Tx, group, name string) (*stream, error) {
	st, ok := streams.Get(tx, p.account, p.region, group, name)
	if !ok {
		return nil, errResourceNotFoundException(msgNoStream)
	}
	return &st, nil
}

func (p place) putGroup(tx *store.Tx, g *group) { groups.Put(tx, *g, p.account, p.region, g.Name) }
