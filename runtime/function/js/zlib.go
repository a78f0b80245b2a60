package js

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/dop251/goja"
)

func (s *sandbox) zlibFunctions() map[string]any {
	return map[string]any{"zlib": s.hostZlib, "zlibLater": s.hostZlibLater, "crc32": s.hostCRC32}
}

// hostZlib implements host.zlib(kind, bytes, level) → ArrayBuffer; kind is the name of Node's function without Sync.
func (s *sandbox) hostZlib(call goja.FunctionCall) goja.Value {
	out, err := recode(call.Argument(0).String(), s.bytes(call.Argument(1)), int(call.Argument(2).ToInteger()), int(s.memoryLimit()))
	if err != nil {
		panic(s.zlibError(err))
	}
	return s.arrayBuffer(out)
}

// hostZlibLater is hostZlib as a promise.
func (s *sandbox) hostZlibLater(call goja.FunctionCall) goja.Value {
	kind, in, level := call.Argument(0).String(), bytes.Clone(s.bytes(call.Argument(1))), int(call.Argument(2).ToInteger())
	return s.async(func(context.Context) (func() goja.Value, error) {
		out, err := recode(kind, in, level, int(s.memoryLimit()))
		return func() goja.Value { return s.arrayBuffer(out) }, err
	})
}

// hostCRC32 implements host.crc32(bytes, before).
func (s *sandbox) hostCRC32(call goja.FunctionCall) goja.Value {
	return s.rt.ToValue(crc32.Update(uint32(call.Argument(1).ToInteger()), crc32.IEEETable, s.bytes(call.Argument(0))))
}

// zlibFailure is what Node says of data that it cannot decompress.
type zlibFailure struct {
	code   string
	number int
	words  string
}

// Error returns the words.
func (f *zlibFailure) Error() string { return f.words }

// zlibError is an error as Node's zlib throws it.
func (s *sandbox) zlibError(err error) goja.Value {
	v := s.hostError(err)
	var f *zlibFailure
	if obj, ok := v.(*goja.Object); ok && errors.As(err, &f) {
		_ = obj.Set("code", f.code)
		_ = obj.Set("errno", f.number)
	}
	return v
}

// recode compresses or decompresses. What it makes may have limit bytes.
//
// https://nodejs.org/api/zlib.html
func recode(kind string, in []byte, level, limit int) ([]byte, error) {
	var out bytes.Buffer
	var w io.WriteCloser
	var err error
	switch kind {
	case "gzip":
		w, err = gzip.NewWriterLevel(&out, level)
	case "deflate":
		w, err = zlib.NewWriterLevel(&out, level)
	case "deflateRaw":
		w, err = flate.NewWriter(&out, level)
	case "brotliCompress":
		w = brotli.NewWriterLevel(&out, min(max(level, 0), brotli.BestCompression))
	default:
		return decompress(kind, in, limit)
	}
	if err != nil {
		return nil, err
	}
	if _, err = w.Write(in); err == nil {
		err = w.Close()
	}
	return out.Bytes(), err
}

func decompress(kind string, in []byte, limit int) ([]byte, error) {
	var r io.Reader
	var err error
	src := bytes.NewReader(in)
	if kind == "unzip" { // whichever of the two it is
		kind = "inflate"
		if len(in) > 1 && in[0] == 0x1f && in[1] == 0x8b {
			kind = "gunzip"
		}
	}
	switch kind {
	case "gunzip":
		if r, err = gzip.NewReader(src); err != nil && len(in) > 0 && !bytes.HasPrefix([]byte("\x1f\x8b"), in[:min(2, len(in))]) {
			err = gzip.ErrHeader // and not that it ends too early
		}
	case "inflate":
		r, err = zlib.NewReader(src)
	case "inflateRaw":
		r = flate.NewReader(src)
	case "brotliDecompress":
		r = brotli.NewReader(src)
	default:
		return nil, fmt.Errorf("the js runtime does not provide zlib.%s", kind)
	}
	var out []byte
	if err == nil {
		out, err = io.ReadAll(io.LimitReader(r, int64(limit)+1))
	}
	switch {
	case err == nil && len(out) > limit:
		return nil, fmt.Errorf("what is decompressed is larger than the function's memory, %d bytes", limit)
	case err == nil:
		return out, nil
	case kind == "brotliDecompress":
		return nil, &zlibFailure{"ERR__ERROR_FORMAT_PADDING_1", -2, "Decompression failed"}
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return nil, &zlibFailure{"Z_BUF_ERROR", -5, "unexpected end of file"}
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, zlib.ErrHeader):
		return nil, &zlibFailure{"Z_DATA_ERROR", -3, "incorrect header check"}
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, zlib.ErrChecksum):
		return nil, &zlibFailure{"Z_DATA_ERROR", -3, "incorrect data check"}
	}
	return nil, &zlibFailure{"Z_DATA_ERROR", -3, "invalid stored block lengths"}
}
