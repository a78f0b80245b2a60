package debug

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// adapt passes messages of the Debug Adapter Protocol on. When the sandbox ends, or is not the latest any more, the client is told to
// restart the session, which it does by attaching to the same port again; unless the client ended the session itself.
//
// https://microsoft.github.io/debug-adapter-protocol/specification#Events_Terminated
func (p *Port) adapt(s *session) {
	var leaving atomic.Bool
	var up sync.WaitGroup
	up.Go(func() {
		defer s.sandbox.Close()
		for {
			m, err := readMessage(s.said)
			if err != nil {
				return
			}
			var said struct{ Type, Command string }
			if json.Unmarshal(m, &said) == nil && said.Type == "request" && (said.Command == "disconnect" || said.Command == "terminate") {
				leaving.Store(true)
			}
			if writeMessage(s.sandbox, m) != nil && leaving.Load() {
				return
			}
		}
	})
	defer up.Wait()
	defer s.client.Close()
	r := bufio.NewReader(s.sandbox)
	for {
		m, err := readMessage(r)
		if err != nil {
			break
		}
		var said struct{ Type, Event string }
		if json.Unmarshal(m, &said) == nil && said.Type == "event" && (said.Event == "terminated" || said.Event == "exited") && !leaving.Load() {
			break
		}
		if writeMessage(s.client, m) != nil {
			return
		}
	}
	if leaving.Load() {
		return
	}
	if writeMessage(s.client, []byte(`{"seq":0,"type":"event","event":"terminated","body":{"restart":true}}`)) != nil {
		return
	}
	s.sandbox.Close()
	// It disconnects by itself: what it asks meanwhile gets no answer. A client that does not is cut off.
	s.client.SetReadDeadline(time.Now().Add(5 * time.Second))
	up.Wait()
}

// longest bounds one message.
const longest = 64 << 20

// readMessage reads the next message's body.
func readMessage(r *bufio.Reader) ([]byte, error) {
	length := -1
	for lines := 0; ; lines++ {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		text := strings.TrimRight(string(line), "\r\n")
		if text == "" {
			break
		}
		name, value, _ := strings.Cut(text, ":")
		if strings.EqualFold(name, "Content-Length") {
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil || length < 0 || length > longest {
				return nil, fmt.Errorf("a message of %.20q bytes", value)
			}
		}
		if lines > 20 {
			return nil, fmt.Errorf("a message with more than 20 headers")
		}
	}
	if length < 0 {
		return nil, fmt.Errorf("a message without its length")
	}
	m := make([]byte, length)
	_, err := io.ReadFull(r, m)
	return m, err
}

func writeMessage(w io.Writer, m []byte) error {
	_, err := w.Write(append(fmt.Appendf(nil, "Content-Length: %d\r\n\r\n", len(m)), m...))
	return err
}
