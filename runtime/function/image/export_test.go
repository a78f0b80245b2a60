package image

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
)

// BuildOf is what Build returns.
type BuildOf = build

// Inputs is inputs.
func Inputs(dir string) []string { return inputs(dir) }

// NewOutput is newOutput, with the request that its lines belong to.
func NewOutput(request string, log func(requestID, line string)) *output {
	o := newOutput(log)
	o.request.Store(&request)
	return o
}

// Hear has a daemon read what an init says, with a program that has not been started yet, and waits for the end of both.
func Hear(said []byte) {
	theirs, ours := net.Pipe()
	theirs.Close()
	i := newInside(func() string { return "signal: killed" })
	i.conn = ours
	p := &program{inside: i, id: 1, line: func(string) {}, started: make(chan error, 1), done: make(chan struct{})}
	i.programs[1] = p
	i.read(bufio.NewReader(bytes.NewReader(said)))
	<-i.lost
	p.Flush()
	select {
	case <-p.done:
	case <-p.started: // it was refused
	}
}

// Door returns what an init's door opens to, and its handler.
func Door() (secret string, handler http.Handler) {
	i := newInside(func() string { return "" })
	mux := http.NewServeMux()
	i.handle(mux)
	return i.secret, mux
}

// RunsAnywhere is runsAnywhere.
func RunsAnywhere(path string) error { return runsAnywhere(path) }
