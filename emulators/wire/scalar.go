package wire

import (
	"encoding/base64"
	"io"
	"reflect"
	"strconv"
	"time"
)

// setText sets a scalar from its text in a header, a query parameter, a label, a form field or an element.
func setText(f *field, v reflect.Value, s string, times Format) error {
	k := f.plan.kind
	switch k {
	case String, BigInteger, BigDecimal:
		v.SetString(s)
		return nil
	case Boolean:
		switch s {
		case "true":
			v.SetBool(true)
		case "false":
			v.SetBool(false)
		default:
			return errText(s, k)
		}
		return nil
	case Timestamp:
		t, ok := parseTime(s, f.format(times))
		if !ok {
			return errText(s, k)
		}
		v.Set(reflect.ValueOf(t))
		return nil
	case Float, Double:
		x, ok := specialFloat(s)
		if !ok {
			var err error
			if x, err = strconv.ParseFloat(s, 64); err != nil {
				return errText(s, k)
			}
		}
		v.SetFloat(x)
		return nil
	case Blob:
		b, err := decodeBase64([]byte(s))
		if err != nil {
			return err
		}
		if f.plan.typ == readerType {
			v.Set(reflect.ValueOf(io.Reader(&bytesReader{all: b})))
			return nil
		}
		v.SetBytes(b)
		return nil
	case Document:
		d := jsonDecoder{b: []byte(s)}
		x, err := d.document()
		if err == nil && x != nil {
			v.Set(reflect.ValueOf(x))
		}
		return err
	case Byte, Short, Integer, Long:
		x, err := parseInt(s)
		if err != nil || v.OverflowInt(x) {
			return errText(s, k)
		}
		v.SetInt(x)
		return nil
	}
	return errText(s, k)
}

// errText is for a parameter that is not of its type. The words are ours: AWS's differ by service.
func errText(s string, k Kind) *Error {
	return errSerialization("%.100q can not be converted to %s", s, javaName(k))
}

// appendText writes a scalar as headers, labels and elements have it. Strings are not escaped here.
func appendText(b []byte, f *field, v reflect.Value, times Format) []byte {
	switch k := f.plan.kind; k {
	case String, BigInteger, BigDecimal:
		return append(b, v.String()...)
	case Boolean:
		return strconv.AppendBool(b, v.Bool())
	case Timestamp:
		return appendTime(b, v.Interface().(time.Time), f.format(times))
	case Float, Double:
		if s := floatName(v.Float()); s != "" {
			return append(b, s...)
		}
		return appendFloat(b, v.Float(), k)
	case Blob:
		return base64.StdEncoding.AppendEncode(b, v.Bytes())
	case Document:
		return appendDocument(b, v.Interface())
	}
	return strconv.AppendInt(b, v.Int(), 10)
}
