package main

import "time"

// restless tells files that a program writes from those that a person saves: a service that writes into the folder that it is
// watched in, or `devstack up > up.log` there, would otherwise restart the service for ever.
type restless map[string]*changes

// changes of one file without a rest in between.
type changes struct {
	last  time.Time
	count int
}

// Nobody saves a file so many times with no more than so long in between.
const (
	manySaves = 20
	noRest    = 3 * time.Second
)

// loud reports whether a file that has just changed changes too often, and whether that has become so now.
func (r restless) loud(path string, now time.Time) (loud, first bool) {
	c := r[path]
	if c == nil || now.Sub(c.last) > noRest {
		c = &changes{}
		r[path] = c
	}
	c.last = now
	c.count++
	return c.count > manySaves, c.count == manySaves+1
}
