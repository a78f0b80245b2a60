package iam

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
	"time"
)

//go:embed managed.txt
var managedText string

// awsManaged are the managed policies of AWS that can be attached here, by ARN: the ones that tools and templates name most.
var awsManaged = sync.OnceValue(func() map[string]*policy { return readManaged(managedText) })

// readManaged reads the list of AWS's policies.
func readManaged(text string) map[string]*policy {
	all := map[string]*policy{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.SplitN(line, " ", 4)
		cut := strings.LastIndexByte(f[0], '/') + 1
		p := &policy{Account: "aws", Path: f[0][:cut], Name: f[0][cut:]}
		if len(f) == 4 {
			date, err := time.Parse(time.RFC3339, f[2])
			if err != nil {
				panic(fmt.Sprintf("iam: managed.txt: %s: %v", p.Name, err)) // a mistake in our own file
			}
			p.Default, p.Updated = f[1], date
			p.Versions = []version{{ID: f[1], Document: f[3], Created: date}}
		}
		all[p.arn()] = p
	}
	return all
}
