// Command bare is what the benchmark holds devstack against: the least that a Go HTTP server can be.
//
//	bare PORT [ANSWERS]
//
// It reads each request's body and answers 200. In the folder ANSWERS there is, for a request whose X-Amz-Target is T, a file T
// with the whole HTTP response to give (the file "none" for requests without one), so that it sends the very bytes that
// devstack sends.
package main

import (
	"bufio"
	"bytes"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
)

type reply struct {
	header http.Header
	body   []byte
}

func main() {
	replies := map[string]reply{}
	if len(os.Args) > 2 {
		var err error
		if replies, err = load(os.Args[2]); err != nil {
			log.Fatal(err)
		}
	}
	handler := func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		answer := replies[r.Header.Get("X-Amz-Target")]
		h := w.Header()
		for k, v := range answer.header {
			h[k] = v
		}
		w.Write(answer.body)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], http.HandlerFunc(handler)))
}

func load(dir string) (map[string]reply, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	replies := map[string]reply{}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		res, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(b)), nil)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			return nil, err
		}
		target := e.Name()
		if target == "none" {
			target = ""
		}
		res.Header.Del("Date") // net/http writes its own
		replies[target] = reply{res.Header, body}
	}
	return replies, nil
}
