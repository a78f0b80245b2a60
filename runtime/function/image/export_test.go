package image

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
