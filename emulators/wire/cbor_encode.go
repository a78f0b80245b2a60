package wire

import (
	"encoding/binary"
	"math"
	"math/big"
	"reflect"
	"strings"
	"time"
)

// appendCBOR writes a structure as RPC-v2 has it: definite lengths, the model's names, timestamps as tag 1.
func appendCBOR(b []byte, p *plan, v reflect.Value) []byte {
	n := 0
	for i := range p.fields {
		if _, ok := p.fields[i].given(v.Field(p.fields[i].index)); ok {
			n++
		}
	}
	b = appendHead(b, cborMap, uint64(n))
	for i := range p.fields {
		f := &p.fields[i]
		if x, ok := f.given(v.Field(f.index)); ok {
			b = appendCBORValue(appendCBORText(b, f.Name), f, x)
		}
	}
	return b
}

func appendHead(b []byte, major byte, n uint64) []byte {
	major <<= 5
	switch {
	case n < 24:
		return append(b, major|byte(n))
	case n <= math.MaxUint8:
		return append(b, major|24, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, major|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, major|27), n)
}

func appendCBORText(b []byte, s string) []byte {
	s = strings.ToValidUTF8(s, "\ufffd")
	return append(appendHead(b, cborText, uint64(len(s))), s...)
}

func appendCBORInt(b []byte, n int64) []byte {
	if n < 0 {
		return appendHead(b, cborNegint, uint64(-1-n))
	}
	return appendHead(b, cborUint, uint64(n))
}

func appendCBORFloat(b []byte, x float64) []byte {
	return binary.BigEndian.AppendUint64(append(b, cborSimple<<5|cborDouble), math.Float64bits(x))
}

func appendCBORValue(b []byte, f *field, v reflect.Value) []byte {
	p := f.plan
	switch p.kind {
	case Structure, Union:
		return appendCBOR(b, p, v)
	case List:
		b = appendHead(b, cborArray, uint64(v.Len()))
		for i := range v.Len() {
			b = appendCBORElement(b, p.element(), v.Index(i))
		}
		return b
	case Map:
		b = appendHead(b, cborMap, uint64(v.Len()))
		for _, k := range sortedKeys(v) {
			b = appendCBORElement(appendCBORText(b, k.String()), &p.fields[1], v.MapIndex(k))
		}
		return b
	case String:
		return appendCBORText(b, v.String())
	case Blob:
		return append(appendHead(b, cborBytes, uint64(v.Len())), v.Bytes()...)
	case Boolean:
		if v.Bool() {
			return append(b, cborSimple<<5|cborTrue)
		}
		return append(b, cborSimple<<5|cborFalse)
	case Float:
		return binary.BigEndian.AppendUint32(append(b, cborSimple<<5|cborFloat), math.Float32bits(float32(v.Float())))
	case Double:
		return appendCBORFloat(b, v.Float())
	case Timestamp:
		ms := v.Interface().(time.Time).UnixMilli()
		b = append(b, cborTag<<5|1)
		if ms%1000 == 0 {
			return appendCBORInt(b, ms/1000)
		}
		return appendCBORFloat(b, float64(ms)/1000)
	case BigInteger, BigDecimal:
		return appendBignum(b, v.String())
	case Document:
		panic("wire: CBOR has no documents")
	}
	return appendCBORInt(b, v.Int())
}

func appendCBORElement(b []byte, f *field, v reflect.Value) []byte {
	if f.ptr || f.sparse {
		x, ok := f.given(v)
		if !ok {
			return append(b, cborSimple<<5|cborNull)
		}
		v = x
	}
	return appendCBORValue(b, f, v)
}

// appendBignum writes digits as a big integer (tags 2 and 3), or as a decimal fraction (tag 4) if they have a point.
func appendBignum(b []byte, digits string) []byte {
	whole, frac, isFraction := strings.Cut(digits, ".")
	n, ok := new(big.Int).SetString(whole+frac, 10)
	if !ok {
		return appendCBORText(b, digits)
	}
	if isFraction {
		b = appendHead(b, cborTag, 4)
		b = appendHead(b, cborArray, 2)
		b = appendCBORInt(b, -int64(len(frac)))
	}
	switch {
	case n.IsInt64():
		return appendCBORInt(b, n.Int64())
	case n.Sign() < 0:
		s := n.Not(n).Bytes()
		return append(appendHead(appendHead(b, cborTag, 3), cborBytes, uint64(len(s))), s...)
	}
	s := n.Bytes()
	return append(appendHead(appendHead(b, cborTag, 2), cborBytes, uint64(len(s))), s...)
}

// appendCBORError writes an error as RPC-v2 has it: __type in full, the message, the further members.
func (x *exchange) appendCBORError(b []byte, e *Error) []byte {
	message, more := x.errorMembers(e, func(f *field) string { return f.Name })
	typ := e.Code
	if x.errorShape(e) != nil {
		typ = x.service.Model.Namespace + "#" + e.Code
	} else {
		message = "message"
	}
	if message == "" {
		message = "message"
	}
	n := uint64(1 + len(more))
	if e.Message != "" {
		n++
	}
	b = appendHead(b, cborMap, n)
	b = appendCBORText(appendCBORText(b, "__type"), typ)
	if e.Message != "" {
		b = appendCBORText(appendCBORText(b, message), e.Message)
	}
	for _, m := range more {
		b = appendCBORValue(appendCBORText(b, m.name), m.field, m.value)
	}
	return b
}
