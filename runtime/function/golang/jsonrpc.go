package golang

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
)

// rpc is a connection to Delve, which speaks JSON-RPC 1.0. The standard library has a client of it, with which comes a codec of Go's own
// that takes time whenever the daemon starts.
//
// https://github.com/go-delve/delve/blob/master/Documentation/api/json-rpc/README.md
type rpc struct {
	conn net.Conn

	mu   sync.Mutex // held during a call: one at a time
	in   *json.Decoder
	last int // number of a call
}

func dialRPC(address string) (*rpc, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return &rpc{conn: conn, in: json.NewDecoder(conn)}, nil
}

// call calls a method, and returns what it refuses with as an error of its own words. It ends with the connection.
func (r *rpc) call(method string, in, out any) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	question, err := json.Marshal(map[string]any{"method": method, "params": []any{in}, "id": r.last})
	if err != nil {
		return err
	}
	if _, err := r.conn.Write(question); err != nil {
		return err
	}
	var answer struct {
		ID     int
		Result json.RawMessage
		Error  any
	}
	if err := r.in.Decode(&answer); err != nil {
		return err
	}
	switch {
	case answer.ID != r.last:
		return fmt.Errorf("%s: the answer is to call %d, and not to %d", method, answer.ID, r.last)
	case answer.Error != nil:
		return errors.New(fmt.Sprint(answer.Error))
	}
	return json.Unmarshal(answer.Result, out)
}

func (r *rpc) close() error { return r.conn.Close() }
