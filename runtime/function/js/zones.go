package js

import (
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // for machines that have no time zones

	"github.com/dop251/goja"
)

// zones are the time zones asked for so far, by the name given; nil for what is none.
var zones sync.Map

// zoneOf finds a time zone by its name, whatever its case, or by an offset such as "+05:30".
func zoneOf(name string) *time.Location {
	if z, ok := zones.Load(name); ok {
		return z.(*time.Location)
	}
	var found *time.Location
	if at, err := time.Parse("-07:00", name); err == nil {
		_, offset := at.Zone()
		found = time.FixedZone(name, offset)
	}
	for _, spelled := range []string{name, strings.ToUpper(name), titled(name)} {
		if z, err := time.LoadLocation(spelled); found == nil && err == nil && name != "" && spelled != "Local" {
			found = z
		}
	}
	if len(name) < 64 { // no longer one is
		zones.Store(name, found)
	}
	return found
}

// titled writes a zone's name as the database does: America/New_York, America/Port-au-Prince.
func titled(name string) string {
	b := []byte(strings.ToLower(name))
	up := true
	for i, c := range b {
		rest := string(b[i:])
		small := strings.HasPrefix(rest, "of_") || strings.HasPrefix(rest, "es_") || strings.HasPrefix(rest, "au-")
		if up && 'a' <= c && c <= 'z' && !small {
			b[i] -= 'a' - 'A'
		}
		up = c == '/' || c == '_' || c == '-'
	}
	return string(b)
}

// hostZone implements host.zone(name, milliseconds) → [offset in seconds, abbreviation, name], or null for what is no time zone.
func (s *sandbox) hostZone(call goja.FunctionCall) goja.Value {
	z := zoneOf(call.Argument(0).String())
	if z == nil {
		return goja.Null()
	}
	name, offset := time.UnixMilli(call.Argument(1).ToInteger()).In(z).Zone()
	return s.rt.NewArray(offset, name, z.String())
}
