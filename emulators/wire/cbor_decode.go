package wire

import (
	"io"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"time"
)

// cborDecoder reads CBOR (RFC 8949) straight into Go values by a plan, as jsonDecoder reads JSON.
type cborDecoder struct {
	b     []byte
	i     int
	depth int
}

// CBOR's major types, and what a simple value says.
const (
	cborUint   = 0
	cborNegint = 1
	cborBytes  = 2
	cborText   = 3
	cborArray  = 4
	cborMap    = 5
	cborTag    = 6
	cborSimple = 7

	cborFalse      = 20
	cborTrue       = 21
	cborNull       = 22
	cborUndefined  = 23
	cborHalf       = 25
	cborFloat      = 26
	cborDouble     = 27
	cborBreak      = 31
	cborIndefinite = 31
)

func decodeCBOR(b []byte, p *plan, v reflect.Value) error {
	d := cborDecoder{b: b}
	if !d.null() {
		if err := d.value(&field{plan: p}, v); err != nil {
			return err
		}
	}
	if d.i != len(b) {
		return errMalformed()
	}
	return nil
}

// head is the first bytes of an item: its type, the five bits beside it, and its number.
type head struct {
	major, info byte
	n           uint64
}

func (h head) indefinite() bool { return h.info == cborIndefinite }

func (d *cborDecoder) head() (head, error) {
	if d.i >= len(d.b) {
		return head{}, errMalformed()
	}
	h := head{major: d.b[d.i] >> 5, info: d.b[d.i] & 31}
	d.i++
	switch {
	case h.info < 24:
		h.n = uint64(h.info)
	case h.info < 28:
		size := 1 << (h.info - 24)
		if len(d.b)-d.i < size {
			return h, errMalformed()
		}
		for _, c := range d.b[d.i : d.i+size] {
			h.n = h.n<<8 | uint64(c)
		}
		d.i += size
	case h.info != cborIndefinite || h.major < cborBytes || h.major == cborTag:
		return h, errMalformed()
	}
	return h, nil
}

// null reads a null, or an undefined, if one comes.
func (d *cborDecoder) null() bool {
	if d.i < len(d.b) && (d.b[d.i] == cborSimple<<5|cborNull || d.b[d.i] == cborSimple<<5|cborUndefined) {
		d.i++
		return true
	}
	return false
}

// ends reports whether an array or map is over, after n of its items.
func (d *cborDecoder) ends(h head, n uint64) bool {
	if !h.indefinite() {
		return n >= h.n
	}
	if d.i < len(d.b) && d.b[d.i] == cborSimple<<5|cborBreak {
		d.i++
		return true
	}
	return false
}

func (d *cborDecoder) want(major byte, what string) (head, error) {
	at := d.i
	h, err := d.head()
	if err == nil && h.major != major {
		d.i = at
		err = d.mismatch(h, what)
	}
	return h, err
}

func (d *cborDecoder) mismatch(h head, want string) error {
	names := [...]string{"NUMBER_VALUE", "NUMBER_VALUE", "BYTES_VALUE", "STRING_VALUE", "list", "structure or map", "TAG", "SIMPLE_VALUE"}
	if h.major == cborArray || h.major == cborMap {
		return errSerialization("Start of %s found where not expected", names[h.major])
	}
	return errSerialization("%s cannot be converted to %s", names[h.major], want)
}

func (d *cborDecoder) enter() error {
	if d.depth++; d.depth > maxDepth {
		return errTooDeep()
	}
	return nil
}

func (d *cborDecoder) value(f *field, v reflect.Value) error {
	p := f.plan
	switch p.kind {
	case Structure, Union:
		return d.structure(p, v)
	case List:
		return d.list(p, v)
	case Map:
		return d.mapping(p, v)
	case String:
		s, err := d.str(cborText, "String")
		v.SetString(string(s))
		return err
	case Blob:
		s, err := d.str(cborBytes, "Blob")
		if p.typ == readerType {
			v.Set(reflect.ValueOf(io.Reader(&bytesReader{all: append([]byte{}, s...)})))
		} else {
			v.SetBytes(append([]byte{}, s...))
		}
		return err
	case Boolean:
		h, err := d.want(cborSimple, "Boolean")
		if err == nil && h.info != cborTrue && h.info != cborFalse {
			err = d.mismatch(h, "Boolean")
		}
		v.SetBool(h.info == cborTrue)
		return err
	case Timestamp:
		t, err := d.timestamp()
		v.Set(reflect.ValueOf(t))
		return err
	case Float, Double:
		x, err := d.float()
		v.SetFloat(x)
		return err
	case BigInteger, BigDecimal:
		s, err := d.bignum()
		v.SetString(s)
		return err
	case Document:
		return errSerialization("Documents are not supported in CBOR") // the protocol has none
	}
	return d.integer(p.kind, v)
}

func (d *cborDecoder) structure(p *plan, v reflect.Value) error {
	h, err := d.want(cborMap, "structure")
	if err != nil {
		return err
	}
	if err := d.enter(); err != nil {
		return err
	}
	for n := uint64(0); !d.ends(h, n); n++ {
		name, err := d.str(cborText, "String")
		if err != nil {
			return err
		}
		i := p.byOwnName(name)
		switch {
		case i < 0:
			err = d.skip()
		case d.null():
		default:
			f := &p.fields[i]
			err = d.value(f, f.target(v.Field(f.index)))
		}
		if err != nil {
			return err
		}
	}
	d.depth--
	return nil
}

// byOwnName finds a field by the model's name; CBOR has no other.
func (p *plan) byOwnName(name []byte) int {
	for i := range p.fields {
		if p.fields[i].Name == string(name) {
			return i
		}
	}
	return -1
}

func (d *cborDecoder) list(p *plan, v reflect.Value) error {
	h, err := d.want(cborArray, "list")
	if err != nil {
		return err
	}
	if err := d.enter(); err != nil {
		return err
	}
	el := p.element()
	v.Set(reflect.MakeSlice(p.typ, 0, 0))
	for n := 0; !d.ends(h, uint64(n)); n++ {
		if n == v.Cap() {
			v.Grow(max(4, n))
		}
		v.SetLen(n + 1)
		v.Index(n).SetZero()
		if d.null() {
			if !el.sparse && el.plan.scalar() {
				return errNullElement()
			}
			continue
		}
		if err := d.value(el, el.target(v.Index(n))); err != nil {
			return err
		}
	}
	d.depth--
	return nil
}

func (d *cborDecoder) mapping(p *plan, v reflect.Value) error {
	h, err := d.want(cborMap, "map")
	if err != nil {
		return err
	}
	if err := d.enter(); err != nil {
		return err
	}
	f := &p.fields[1]
	v.Set(reflect.MakeMap(p.typ))
	key, val := reflect.New(p.typ.Key()).Elem(), reflect.New(p.typ.Elem()).Elem()
	for n := uint64(0); !d.ends(h, n); n++ {
		name, err := d.str(cborText, "String")
		if err != nil {
			return err
		}
		key.SetString(string(name))
		val.SetZero()
		if d.null() {
			if f.sparse {
				v.SetMapIndex(key, val)
			}
			continue
		}
		if err := d.value(f, f.target(val)); err != nil {
			return err
		}
		v.SetMapIndex(key, val)
	}
	d.depth--
	return nil
}

// str reads a text or byte string, also one in pieces.
func (d *cborDecoder) str(major byte, what string) ([]byte, error) {
	h, err := d.want(major, what)
	if err != nil {
		return nil, err
	}
	if !h.indefinite() {
		if uint64(len(d.b)-d.i) < h.n {
			return nil, errMalformed()
		}
		s := d.b[d.i : d.i+int(h.n)]
		d.i += int(h.n)
		return s, nil
	}
	var all []byte
	for !d.ends(h, 0) {
		if d.i >= len(d.b) || d.b[d.i]>>5 != major || d.b[d.i]&31 == cborIndefinite {
			return nil, errMalformed()
		}
		s, err := d.str(major, what)
		if err != nil {
			return nil, err
		}
		all = append(all, s...)
	}
	return all, nil
}

func (d *cborDecoder) integer(k Kind, v reflect.Value) error {
	at := d.i
	h, err := d.head()
	if err != nil {
		return err
	}
	var x int64
	switch {
	case h.major == cborUint && h.n <= math.MaxInt64:
		x = int64(h.n)
	case h.major == cborNegint && h.n <= math.MaxInt64:
		x = -1 - int64(h.n)
	case h.major == cborSimple && h.info >= cborHalf && h.info <= cborDouble:
		f := floatOf(h)
		if f != math.Trunc(f) || math.Abs(f) > 1<<53 {
			return errNumber(strconv.FormatFloat(f, 'g', -1, 64), k)
		}
		x = int64(f)
	case h.major == cborUint || h.major == cborNegint:
		return errNumber(strconv.FormatUint(h.n, 10), k)
	default:
		d.i = at
		return d.mismatch(h, javaName(k))
	}
	if v.OverflowInt(x) {
		return errNumber(strconv.FormatInt(x, 10), k)
	}
	v.SetInt(x)
	return nil
}

func (d *cborDecoder) float() (float64, error) {
	h, err := d.head()
	switch {
	case err != nil:
		return 0, err
	case h.major == cborUint:
		return float64(h.n), nil
	case h.major == cborNegint:
		return -1 - float64(h.n), nil
	case h.major == cborSimple && h.info >= cborHalf && h.info <= cborDouble:
		return floatOf(h), nil
	}
	return 0, d.mismatch(h, "Double")
}

// floatOf widens a float of 2, 4 or 8 bytes.
func floatOf(h head) float64 {
	switch h.info {
	case cborHalf:
		return halfFloat(uint16(h.n))
	case cborFloat:
		return float64(math.Float32frombits(uint32(h.n)))
	}
	return math.Float64frombits(h.n)
}

// halfFloat widens a float of 2 bytes: RFC 8949, appendix D.
func halfFloat(h uint16) float64 {
	exp, mant := int(h>>10)&31, float64(h&1023)
	var x float64
	switch exp {
	case 0:
		x = math.Ldexp(mant, -24)
	case 31:
		if x = math.Inf(1); mant != 0 {
			x = math.NaN()
		}
	default:
		x = math.Ldexp(mant+1024, exp-25)
	}
	if h&0x8000 != 0 {
		x = -x
	}
	return x
}

// timestamp reads tag 1 with seconds since 1970, whole or not.
func (d *cborDecoder) timestamp() (time.Time, error) {
	h, err := d.want(cborTag, "Timestamp")
	if err != nil {
		return time.Time{}, err
	}
	if h.n != 1 {
		return time.Time{}, d.mismatch(h, "Timestamp")
	}
	x, err := d.float()
	if err != nil {
		return time.Time{}, err
	}
	if math.IsNaN(x) || math.Abs(x) > 1e12 {
		return time.Time{}, errTimestamp(strconv.FormatFloat(x, 'g', -1, 64))
	}
	t := epoch(x)
	if !inYears(t) {
		return t, errTimestamp(strconv.FormatFloat(x, 'g', -1, 64))
	}
	return t, nil
}

// bignum reads an integer of any size (tags 2 and 3) or a decimal fraction (tag 4) as its digits.
func (d *cborDecoder) bignum() (string, error) {
	h, err := d.head()
	if err != nil {
		return "", err
	}
	switch {
	case h.major == cborUint:
		return strconv.FormatUint(h.n, 10), nil
	case h.major == cborNegint:
		n := new(big.Int).SetUint64(h.n)
		return n.Not(n).String(), nil
	case h.major == cborTag && (h.n == 2 || h.n == 3):
		s, err := d.str(cborBytes, "BigInteger")
		if err != nil || len(s) > 1024 {
			return "", errMalformed()
		}
		n := new(big.Int).SetBytes(s)
		if h.n == 3 {
			n.Not(n)
		}
		return n.String(), nil
	case h.major == cborTag && h.n == 4:
		return d.decimal()
	case h.major == cborSimple && h.info >= cborHalf && h.info <= cborDouble:
		return strconv.FormatFloat(floatOf(h), 'g', -1, 64), nil
	}
	return "", d.mismatch(h, "BigDecimal")
}

// decimal reads the two numbers of a decimal fraction: an exponent of ten and a mantissa.
func (d *cborDecoder) decimal() (string, error) {
	h, err := d.want(cborArray, "BigDecimal")
	if err != nil || h.n != 2 || h.indefinite() {
		return "", errMalformed()
	}
	var parts [2]string
	for i := range parts {
		if d.i < len(d.b) && d.b[d.i]>>5 == cborTag && d.b[d.i]&31 == 4 {
			return "", errMalformed() // a fraction in a fraction
		}
		if parts[i], err = d.bignum(); err != nil {
			return "", err
		}
	}
	return parts[1] + "E" + parts[0], nil
}

// skip reads over an item that the model does not know.
func (d *cborDecoder) skip() error {
	if err := d.enter(); err != nil {
		return err
	}
	h, err := d.head()
	if err != nil {
		return err
	}
	switch h.major {
	case cborBytes, cborText:
		d.i -= headSize(h)
		_, err = d.str(h.major, "")
	case cborArray, cborMap:
		for n := uint64(0); err == nil && !d.ends(h, n); n++ {
			if err = d.skip(); err == nil && h.major == cborMap {
				err = d.skip()
			}
		}
	case cborTag:
		err = d.skip()
	case cborSimple:
		if h.indefinite() {
			err = errMalformed()
		}
	}
	d.depth--
	return err
}

// headSize is how many bytes a head takes.
func headSize(h head) int {
	if h.info >= 24 && h.info < 28 {
		return 1 + 1<<(h.info-24)
	}
	return 1
}
