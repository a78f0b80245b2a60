package wire

import "reflect"

// Compact is implemented by (a pointer to) a service's own type that stands for a shape, in place of the one that apigen would
// write: it takes its value out of JSON, and writes it, without a tree of Go values in between. For all that is rare there is
// the plain type, which is what apigen would have written. A service whose protocols are not JSON cannot have any.
type Compact interface {
	// TakeJSON takes the JSON value that b begins with, and returns its length. It takes what is right in every respect,
	// the model's constraints too, and returns 0 for anything else: that comes by SetPlain, once it is decoded. The value
	// shares nothing with b.
	TakeJSON(b []byte) int
	AppendJSON(b []byte) []byte

	SetPlain(plain any)
	Plain() any // of the zero value too

	// Checked tells whether the value came by TakeJSON, so that no constraint is left to check.
	Checked() bool
}

var compactType = reflect.TypeFor[Compact]()

// compactOf is a value of a type of the service's own as what it can do.
func compactOf(v reflect.Value) Compact {
	if !v.CanAddr() {
		p := reflect.New(v.Type())
		p.Elem().Set(v)
		v = p.Elem()
	}
	return v.Addr().Interface().(Compact)
}

// plainOf is the plain value of one of a type of the service's own.
func plainOf(v reflect.Value) reflect.Value { return reflect.ValueOf(compactOf(v).Plain()) }

// compact decodes a value of a type of the service's own.
func (d *jsonDecoder) compact(p *plan, v reflect.Value) error {
	c := compactOf(v)
	if n := c.TakeJSON(d.b[d.i:]); n > 0 {
		d.i += n
		return nil
	}
	plain := reflect.New(p.plain.typ).Elem()
	if err := d.value(&field{plan: p.plain}, plain); err != nil {
		return err
	}
	c.SetPlain(plain.Interface())
	return nil
}
