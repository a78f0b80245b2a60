package seed

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
)

// readCSV reads a file whose first line names the attributes. Keys have the types that the table gives them, all others are
// strings, as in DynamoDB's own import; an empty cell is no attribute.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataImport.Format.html#S3DataImport.Requesting.Formats.CSV
func readCSV(content []byte, keys Keys) ([]located, error) {
	r := csv.NewReader(bytes.NewReader(content))
	r.ReuseRecord = true
	header, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, faultAt(1, "the first line names the attributes; the file is empty")
	}
	if err != nil {
		return nil, csvFault(err)
	}
	names := append([]string(nil), header...)
	seen := map[string]bool{}
	for _, name := range names {
		if name == "" || seen[name] {
			return nil, faultAt(1, "the first line names the attributes; it has %q twice, or a column without a name", name)
		}
		seen[name] = true
	}
	var found []located
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, csvFault(err)
		}
		line, _ := r.FieldPos(0)
		i := Item{}
		for n, cell := range cells {
			if cell == "" {
				continue
			}
			typ := keys.Types[names[n]]
			if typ == "" {
				typ = "S"
			}
			i[names[n]] = typed(typ, cell)
		}
		found = append(found, located{i, line})
	}
}

// csvFault is a syntax error with its line.
func csvFault(err error) error {
	if syntax, ok := errors.AsType[*csv.ParseError](err); ok {
		return faultAt(syntax.Line, "%v", syntax.Err)
	}
	return err
}
