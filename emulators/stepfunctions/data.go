package stepfunctions

import (
	"sync"

	"devstack/emulators/stepfunctions/value"
)

// maxData is how many bytes a state's input or output may have.
//
// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
const maxData = 256 << 10

// data is a JSON value as it is passed from state to state: by its text, which a state that changes nothing passes on as it
// is, blanks and all (recorded answers). It is read only where a path looks into it.
type data struct {
	text string
	read func() any
}

// textData makes data of valid JSON.
func textData(text string) *data {
	return &data{text, sync.OnceValue(func() any {
		v, err := value.DecodeOwn(text)
		if err != nil {
			panic("stepfunctions: data is not JSON: " + err.Error()) // it was checked where it came in
		}
		return v
	})}
}

// valueData makes data of a value.
func valueData(v any) *data { return &data{value.Encode(v), func() any { return v }} }

// value returns the data's value, which must not be changed.
func (d *data) value() any { return d.read() }

// listData joins data into a list by their texts.
func listData(items []*data) *data {
	n := 2
	for _, d := range items {
		n += len(d.text) + 1
	}
	b := append(make([]byte, 0, n), '[')
	for i, d := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, d.text...)
	}
	return textData(string(append(b, ']')))
}
