package dynamodb

import (
	"maps"
	"slices"
)

// Capacity units are counted in 4 KB read and 1 KB written, each begun one whole. An eventually consistent read costs half,
// a transaction twice.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
const (
	readUnit  = 4 << 10
	writeUnit = 1 << 10
)

// writeUnitsFor is what it costs to write so many bytes. Writing nothing costs one unit too.
func writeUnitsFor(size int) float64 { return float64(max(1, (size+writeUnit-1)/writeUnit)) }

// readUnitsFor is what it costs to read so many bytes. Reading nothing costs as much as reading 4 KB.
func readUnitsFor(size int, consistent bool) float64 {
	units := float64(max(1, (size+readUnit-1)/readUnit))
	if !consistent {
		units /= 2
	}
	return units
}

// writeUnits is what one change has cost.
type writeUnits struct {
	table   float64
	indexes []float64 // in the order of the table's; nil for none
}

// usage adds up what a call has consumed of one table.
type usage struct {
	t             *table
	table         float64
	indexes       map[string]float64
	reads, writes float64 // of a transaction, which reports them beside their sum
}

func newUsage(t *table) *usage { return &usage{t: t, indexes: map[string]float64{}} }

// write adds a change; factor is 2 in a transaction, but for indexes: https://github.com/nubo-db/dynoxide/issues/178
func (u *usage) write(w writeUnits, factor float64) {
	u.table += w.table * factor
	for i, units := range w.indexes {
		if units > 0 {
			u.indexes[u.t.Indexes[i].Name] += units
		}
	}
}

// report makes the answer to ReturnConsumedCapacity; nil if nobody asked for it.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ConsumedCapacity.html
func (u *usage) report(asked *string) *ConsumedCapacity {
	if asked == nil || *asked == ReturnConsumedCapacityNone {
		return nil
	}
	total := u.table
	for _, units := range u.indexes {
		total += units
	}
	c := &ConsumedCapacity{TableName: new(u.t.Name), CapacityUnits: &total}
	if u.reads > 0 {
		c.ReadCapacityUnits = new(total)
	}
	if u.writes > 0 {
		c.WriteCapacityUnits = new(total)
	}
	if *asked != ReturnConsumedCapacityIndexes {
		return c
	}
	c.Table = u.capacity(u.table)
	for name, units := range u.indexes {
		x, _ := u.t.index(name)
		if x.Global {
			set(&c.GlobalSecondaryIndexes, name, *u.capacity(units))
		} else {
			set(&c.LocalSecondaryIndexes, name, *u.capacity(units))
		}
	}
	return c
}

func (u *usage) capacity(units float64) *Capacity {
	c := &Capacity{CapacityUnits: &units}
	if u.reads > 0 {
		c.ReadCapacityUnits = &units
	}
	if u.writes > 0 {
		c.WriteCapacityUnits = &units
	}
	return c
}

func set[V any](m *map[string]V, key string, v V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[key] = v
}

// usages adds up what a call has consumed of several tables.
type usages map[string]*usage

func (us usages) of(t *table) *usage {
	u := us[t.Name]
	if u == nil {
		u = newUsage(t)
		us[t.Name] = u
	}
	return u
}

// report lists them by the names of their tables; nil if nobody asked for it.
func (us usages) report(asked *string) []ConsumedCapacity {
	var out []ConsumedCapacity
	for _, name := range slices.Sorted(maps.Keys(us)) {
		if c := us[name].report(asked); c != nil {
			out = append(out, *c)
		}
	}
	return out
}
