package wire

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"
)

// Bounds of a request's body, in bytes, after decompression. AWS bounds JSON services at a few megabytes each (DynamoDB: 16)
// and leaves the finer limits to the service; Lambda takes 50 MB archives in base64.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
const (
	maxBody     = 17 << 20
	maxRestBody = 100 << 20
)

// maxDrain is how much of a body that nobody read is read for the connection's sake; beyond, the connection is closed.
const maxDrain = 256 << 10

// errTooLarge is what AWS's framework answers to a body over its bound.
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html has it as RequestEntityTooLargeException, 413.
func errTooLarge(limit int64) *Error {
	return Errorf("RequestEntityTooLargeException", 413, "The request body is larger than %d bytes", limit)
}

// body reads the request's body once, whole, decompressed and freed of its chunk signatures. The bytes are good until the
// answer is sent.
func (x *exchange) body() ([]byte, error) {
	if x.read {
		if x.buf == nil {
			return nil, x.bodyErr
		}
		return *x.buf, x.bodyErr
	}
	x.read = true
	limit := int64(maxBody)
	if x.protocol == RestJSON1 || x.protocol == RestXML {
		limit = maxRestBody
	}
	if x.r.ContentLength == 0 {
		return nil, nil
	}
	if x.r.ContentLength > limit {
		x.bodyErr = errTooLarge(limit)
		return nil, x.bodyErr
	}
	x.buf = buffers.Get().(*[]byte)
	var b []byte
	b, x.bodyErr = readAll((*x.buf)[:0], x.decompressed(x.content()), x.r.ContentLength, limit)
	*x.buf = b
	return b, x.bodyErr
}

// stream is the body for an operation that reads it itself. It is not decompressed: the encoding is the object's own.
func (x *exchange) stream() io.Reader {
	x.read = true
	return x.content()
}

// content is the body without AWS's own chunks.
func (x *exchange) content() io.Reader {
	h := x.r.Header
	if sha := h["X-Amz-Content-Sha256"]; len(sha) > 0 && strings.HasPrefix(sha[0], "STREAMING-") {
		return newChunkReader(x.r.Body, h.Get("X-Amz-Decoded-Content-Length"))
	}
	return x.r.Body
}

// decompressed undoes a client's compression of a request.
// https://smithy.io/2.0/spec/behavior-traits.html#requestcompression-trait
func (x *exchange) decompressed(r io.Reader) io.Reader {
	if enc := x.r.Header["Content-Encoding"]; len(enc) > 0 {
		for e := range strings.SplitSeq(enc[0], ",") {
			if strings.EqualFold(strings.TrimSpace(e), "gzip") {
				r = &gunzip{src: r}
			}
		}
	}
	return r
}

// readAll reads r into b, growing it as the bytes come, so that a false Content-Length costs no memory.
func readAll(b []byte, r io.Reader, expect, limit int64) ([]byte, error) {
	if expect > 0 && expect <= 64<<10 && int64(cap(b)) < expect+1 {
		b = make([]byte, 0, expect+1)
	}
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if int64(len(b)) > limit {
			return b, errTooLarge(limit)
		}
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return b, bodyError(err)
		}
	}
}

// bodyError words a body that cannot be read.
func bodyError(err error) error {
	if we, ok := errors.AsType[*Error](err); ok {
		return we
	}
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return errTooLarge(tooLarge.Limit)
	}
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errSerialization("The request body is incomplete or not what its Content-Encoding says")
	}
	return errSerialization("The request body could not be read")
}

// gunzip decompresses; the header is read with the first byte, not before.
type gunzip struct {
	src io.Reader
	z   *gzip.Reader
}

func (g *gunzip) Read(p []byte) (int, error) {
	if g.z == nil {
		z, err := gzip.NewReader(g.src)
		if err != nil {
			return 0, err
		}
		g.z = z
	}
	return g.z.Read(p)
}

// drain reads what is left of a body, so that the connection can carry the next request.
func (x *exchange) drain() {
	if x.r.ContentLength == 0 || x.read && x.bodyErr == nil && x.buf != nil && x.r.ContentLength == int64(len(*x.buf)) {
		return
	}
	if n, _ := io.CopyN(io.Discard, x.r.Body, maxDrain); n == maxDrain {
		x.w.Header()["Connection"] = []string{"close"}
	}
}
