package spawn

import (
	"os"
	"os/exec"
)

// Adoption is a process that somebody else has started, in a process group of its own.
type Adoption struct {
	Pid    int
	Output *os.File      // the reading end of its standard output and error; the Process closes it
	Line   func(string)  // see Spec
	Keep   Keeper        // see Spec
	Ended  <-chan string // how it ended, as Process.Status says it
}

// Adopt returns a Process that is not our child. Its parent says on Ended when it is gone.
func Adopt(a Adoption) (*Process, error) {
	p := &Process{
		cmd:    &exec.Cmd{Process: &os.Process{Pid: a.Pid}},
		output: newOutput(a.Output, a.Line), forget: func() {}, done: make(chan struct{}),
	}
	if a.Keep != nil {
		forget, err := a.Keep.AddGroup(a.Pid)
		if err != nil {
			p.signal()
			a.Output.Close()
			return nil, err
		}
		p.forget = forget
	}
	go p.output.read()
	go func() {
		status := <-a.Ended
		p.signal() // what is left of its group
		p.forget()
		p.output.flush()
		p.output.close()
		p.status = status
		p.memory.gauge.close()
		close(p.done)
	}()
	return p, nil
}
