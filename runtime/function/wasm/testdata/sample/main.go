// Command sample is the function of the tests, compiled for WASI. Its version is in the file version beside it.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

type event struct {
	Do, Name, Line string
	Value          json.RawMessage
}

func main() {
	in, err := io.ReadAll(os.Stdin)
	if err != nil {
		panic(err)
	}
	var e event
	if err := json.Unmarshal(in, &e); err != nil {
		panic(err)
	}
	answer, err := handle(e)
	if err != nil {
		json.NewEncoder(os.Stdout).Encode(map[string]string{"errorType": "Error", "errorMessage": err.Error()})
		os.Exit(1)
	}
	json.NewEncoder(os.Stdout).Encode(answer)
}

func handle(e event) (any, error) {
	switch e.Do {
	case "version", "read":
		if e.Name == "" {
			e.Name = "version" // in the working directory
		}
		content, err := os.ReadFile(e.Name)
		for err == nil && len(content) == 0 { // it is just being written
			content, err = os.ReadFile(e.Name)
		}
		return string(content), err
	case "write":
		return nil, os.WriteFile(e.Name, []byte(e.Line), 0o644)
	case "echo":
		return e.Value, nil
	case "throw":
		return nil, fmt.Errorf("boom")
	case "sleep":
		time.Sleep(time.Minute)
	case "now":
		return time.Now().UTC(), nil
	case "exit":
		os.Exit(1)
	case "env":
		return os.Getenv(e.Name), nil
	case "environ":
		return os.Environ(), nil
	case "log":
		fmt.Fprintln(os.Stderr, e.Line)
	case "print":
		_, err := os.Stdout.WriteString(strings.Repeat("x", 7<<20))
		return nil, err
	case "devour":
		var held [][]byte
		for {
			held = append(held, make([]byte, 1<<20))
		}
	}
	return nil, nil
}
