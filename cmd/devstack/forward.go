package main

import (
	"io"
	"net"
	"net/http"
	"sync/atomic"
)

// forward carries every connection of a listener to an address, until the listener is closed.
func forward(l net.Listener, to string) {
	for {
		in, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer in.Close()
			out, err := net.Dial("tcp", to)
			if err != nil {
				return
			}
			defer out.Close()
			go copyHalf(out, in)
			copyHalf(in, out)
		}()
	}
}

// copyHalf carries one direction and passes its end on.
func copyHalf(to, from net.Conn) {
	_, _ = io.Copy(to, from) // a connection that breaks ends, on both sides
	if c, ok := to.(*net.TCPConn); ok {
		c.CloseWrite()
	}
}

// swappable is a handler that can be replaced while it serves.
type swappable struct{ current atomic.Pointer[http.Handler] }

func (s *swappable) set(h http.Handler) { s.current.Store(&h) }

// ServeHTTP hands the request to the handler of the moment.
func (s *swappable) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	(*s.current.Load()).ServeHTTP(w, r)
}
