package wire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
)

// chunkReader reads a body in AWS's own chunks: each is a line with its size in hexadecimal and maybe a signature, then its
// bytes; the last is empty and may have trailers. Signatures are not verified: any credentials are accepted.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
type chunkReader struct {
	r       *bufio.Reader
	left    int64 // of the chunk
	total   int64 // so far
	decoded int64 // that the client promised; -1: nothing said
	err     error
}

// Bounds of a chunk's line and of the trailers.
const (
	maxChunkLine = 4096
	maxTrailers  = 32
)

func newChunkReader(r io.Reader, decodedLength string) *chunkReader {
	c := &chunkReader{r: bufio.NewReaderSize(r, maxChunkLine), decoded: -1}
	if decodedLength != "" {
		n, err := strconv.ParseInt(decodedLength, 10, 64)
		if err != nil || n < 0 {
			c.err = Errorf("InvalidArgument", 400, "Invalid x-amz-decoded-content-length: %.40q", decodedLength)
		}
		c.decoded = n
	}
	return c
}

// errIncompleteBody has S3's code and words: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
func errIncompleteBody() *Error {
	return Errorf("IncompleteBody", 400, "You did not provide the number of bytes specified by the Content-Length HTTP header")
}

func (c *chunkReader) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	if c.left == 0 {
		if c.err = c.next(); c.err != nil {
			return 0, c.err
		}
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	c.total += int64(n)
	switch {
	case err != nil:
		c.err = errIncompleteBody()
	case c.left == 0:
		c.err = c.lineEnd()
	}
	if n > 0 {
		return n, nil // an error comes with the next call
	}
	return n, c.err
}

// next reads the line of the next chunk; io.EOF after the last.
func (c *chunkReader) next() error {
	line, err := c.line()
	if err != nil {
		return err
	}
	size, _, _ := bytes.Cut(line, []byte(";"))
	n, err := strconv.ParseInt(string(bytes.TrimSpace(size)), 16, 64)
	if err != nil || n < 0 {
		return errIncompleteBody()
	}
	if n > 0 {
		if c.left = n; c.decoded >= 0 && n > c.decoded-c.total {
			return errIncompleteBody()
		}
		return nil
	}
	if c.decoded >= 0 && c.total != c.decoded {
		return errIncompleteBody()
	}
	for range maxTrailers {
		line, err := c.line()
		if errors.Is(err, io.EOF) || err == nil && len(line) == 0 {
			return io.EOF
		}
		if err != nil {
			return err
		}
	}
	return errIncompleteBody()
}

func (c *chunkReader) lineEnd() error {
	line, err := c.line()
	if err != nil || len(line) != 0 {
		return errIncompleteBody()
	}
	return nil
}

func (c *chunkReader) line() ([]byte, error) {
	line, err := c.r.ReadSlice('\n')
	switch {
	case errors.Is(err, io.EOF) && len(line) == 0 && c.left == 0 && c.decoded == c.total:
		return nil, io.EOF
	case err != nil:
		return nil, errIncompleteBody()
	}
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r")), nil
}
