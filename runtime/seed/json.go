package seed

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
)

// readJSON reads a list of items, or items one after the other, which may stand in lines. Each may be wrapped as DynamoDB's
// tools do: {"Item": …} in exports, {"Items": […]} of aws dynamodb scan, {"table": [{"PutRequest": {"Item": …}}]} for aws
// dynamodb batch-write-item.
func readJSON(content []byte) ([]located, error) {
	d := json.NewDecoder(bytes.NewReader(content))
	var found []located
	for {
		var value json.RawMessage
		err := d.Decode(&value)
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, jsonFault(content, d, err)
		}
		f := finder{content: content, found: found}
		if err := f.value(value, d.InputOffset()-int64(len(value))); err != nil {
			return nil, err
		}
		found = f.found
	}
}

// jsonFault is a syntax error with its line.
func jsonFault(content []byte, d *json.Decoder, err error) error {
	offset := d.InputOffset()
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = max(syntax.Offset-1, 0)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		offset = int64(len(bytes.TrimRight(content, " \t\r\n")))
	}
	return faultAt(lineAt(content, offset), "%v", err)
}

// finder looks for the items in a JSON value.
type finder struct {
	content []byte
	found   []located
}

// value takes the items of a value that begins at an offset of the content.
func (f *finder) value(value json.RawMessage, offset int64) error {
	if len(value) > 0 && value[0] == '[' {
		return f.list(value, offset, f.value)
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(value, &object) != nil {
		return faultAt(lineAt(f.content, offset), "an item is an object: {\"id\": …}")
	}
	if len(object) == 1 && len(object["Item"]) > 0 && object["Item"][0] == '{' && isTypedItem(object["Item"]) {
		return f.item(object["Item"], offset)
	}
	if list := object["Items"]; len(list) > 0 && list[0] == '[' && object["Count"] != nil {
		return f.list(list, offset+int64(bytes.Index(value, list)), f.item)
	}
	if tables, ok := batchOf(object); ok {
		for _, name := range slices.Sorted(maps.Keys(tables)) {
			for _, i := range tables[name] {
				if err := f.item(i, offset+int64(bytes.Index(value, i))); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return f.item(value, offset)
}

// list hands the elements of a list over.
func (f *finder) list(value json.RawMessage, offset int64, each func(json.RawMessage, int64) error) error {
	d := json.NewDecoder(bytes.NewReader(value))
	d.Token() // the bracket
	for d.More() {
		var element json.RawMessage
		if err := d.Decode(&element); err != nil {
			return faultAt(lineAt(f.content, offset+d.InputOffset()), "%v", err)
		}
		if err := each(element, offset+d.InputOffset()-int64(len(element))); err != nil {
			return err
		}
	}
	return nil
}

// batchOf reads the request items of a batch-write-item file; false if the object is none.
func batchOf(object map[string]json.RawMessage) (map[string][]json.RawMessage, bool) {
	tables := map[string][]json.RawMessage{}
	for name, list := range object {
		var requests []struct {
			PutRequest *struct{ Item json.RawMessage }
		}
		if json.Unmarshal(list, &requests) != nil || len(requests) == 0 {
			return nil, false
		}
		for _, r := range requests {
			if r.PutRequest == nil || r.PutRequest.Item == nil {
				return nil, false
			}
			tables[name] = append(tables[name], r.PutRequest.Item)
		}
	}
	return tables, len(tables) > 0
}

// item takes one item, plain or in DynamoDB's JSON.
func (f *finder) item(value json.RawMessage, offset int64) error {
	line := lineAt(f.content, offset)
	var object map[string]json.RawMessage
	if err := json.Unmarshal(value, &object); err != nil || object == nil {
		return faultAt(line, "an item is an object: {\"id\": …}")
	}
	if isTypedItem(value) {
		f.found = append(f.found, located{object, line})
		return nil
	}
	i := Item{}
	for name, v := range object {
		i[name] = attribute(v)
	}
	f.found = append(f.found, located{i, line})
	return nil
}

// attribute makes DynamoDB's JSON of plain JSON.
func attribute(value json.RawMessage) json.RawMessage {
	switch value[0] {
	case '"':
		return typed("S", value)
	case 't', 'f':
		return typed("BOOL", value)
	case 'n':
		return typed("NULL", true)
	case '[':
		var list []json.RawMessage
		_ = json.Unmarshal(value, &list) // it was decoded before
		out := make([]json.RawMessage, len(list))
		for n, e := range list {
			out[n] = attribute(e)
		}
		return typed("L", out)
	case '{':
		var object map[string]json.RawMessage
		_ = json.Unmarshal(value, &object)
		out := make(map[string]json.RawMessage, len(object))
		for name, e := range object {
			out[name] = attribute(e)
		}
		return typed("M", out)
	}
	return typed("N", string(value))
}

// types are the names of DynamoDB's types, and the JSON that a value of each begins with.
var types = map[string]string{
	"S": `"`, "N": `"`, "B": `"`, "SS": "[", "NS": "[", "BS": "[", "L": "[", "M": "{", "BOOL": "tf", "NULL": "tf",
}

// isTypedItem tells whether an object is an item in DynamoDB's JSON: all its attributes name their types.
func isTypedItem(value json.RawMessage) bool {
	var object map[string]json.RawMessage
	if json.Unmarshal(value, &object) != nil || len(object) == 0 {
		return false
	}
	for _, v := range object {
		var one map[string]json.RawMessage
		if json.Unmarshal(v, &one) != nil || len(one) != 1 {
			return false
		}
		for typ, inner := range one {
			begin, known := types[typ]
			if !known || len(inner) == 0 || !bytes.ContainsAny(inner[:1], begin) {
				return false
			}
		}
	}
	return true
}
