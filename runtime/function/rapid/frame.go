package rapid

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Kinds of frames. ID is the number of a program, which the daemon makes up when it starts one.
//
// To the init go
//
//	S  path, dir, arguments, environment    start a program; answered by O or X. "" as dir is the container's working directory, and
//	                                        a path without a slash is looked up in the container's PATH
//	T                                       ask it to end, by SIGTERM
//	K                                       kill its process group
//	D  number                               deliver what all programs have printed by now; answered by Z
//
// and from it come
//
//	H  version, environment, extensions     once, at first: what the container has in its environment and below /opt/extensions
//	O                                       started
//	X  how, what, error number, words       not started
//	L  text                                 a line that it printed
//	Z  number, memory                       the number of a D, after all lines; and the most memory that the program has held, in bytes
//	E  status                               it has ended, after all its lines; see spawn.Process.Status
const (
	Start     = 'S'
	Terminate = 'T'
	Kill      = 'K'
	Drain     = 'D'
	Hello     = 'H'
	Started   = 'O'
	Refused   = 'X'
	Line      = 'L'
	Drained   = 'Z'
	Ended     = 'E'
)

// Version is what the first text of a Hello is: both ends are one program, unless its file was replaced meanwhile.
const Version = "1"

// Frame is one message: a byte that says what it is, four for the ID, four for the length of the body, high byte first, and the body.
type Frame struct {
	Kind byte
	ID   uint32
	Body []byte
}

const header = 9

// longest bounds what one frame may make its reader hold: a line has a mebibyte at most, an environment less than this.
const longest = 4 << 20

// Write writes a frame with one call.
func Write(w io.Writer, f Frame) error {
	b := make([]byte, 0, header+len(f.Body))
	b = append(b, f.Kind)
	b = binary.BigEndian.AppendUint32(b, f.ID)
	b = binary.BigEndian.AppendUint32(b, uint32(len(f.Body)))
	_, err := w.Write(append(b, f.Body...))
	return err
}

// Read reads a frame.
func Read(r *bufio.Reader) (Frame, error) {
	var h [header]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return Frame{}, err
	}
	f := Frame{Kind: h[0], ID: binary.BigEndian.Uint32(h[1:])}
	n := binary.BigEndian.Uint32(h[5:])
	if n > longest {
		return Frame{}, fmt.Errorf("a frame of %d bytes", n)
	}
	f.Body = make([]byte, n)
	_, err := io.ReadFull(r, f.Body)
	return f, err
}

// Texts makes a body of texts, and Split takes one apart.
func Texts(all ...string) []byte {
	var b []byte
	for _, text := range all {
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	return b
}

var errTorn = errors.New("a torn frame")

// Split takes a body apart: each text has its length before it.
func Split(b []byte) ([]string, error) {
	var all []string
	for len(b) > 0 {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)-size) {
			return nil, errTorn
		}
		b = b[size:]
		all = append(all, string(b[:n]))
		b = b[n:]
	}
	return all, nil
}

// SplitN is Split for a body that must have n texts.
func SplitN(b []byte, n int) ([]string, error) {
	all, err := Split(b)
	if err == nil && len(all) != n {
		err = errTorn
	}
	return all, err
}
