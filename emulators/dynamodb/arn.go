package dynamodb

import (
	"strings"

	"devstack/emulators/wire"
)

// partARN names something that belongs to a table: arn:aws:dynamodb:REGION:ACCOUNT:table/TABLE/KIND/ID.
type partARN struct{ region, account, table, id string }

// parseARN reads the ARN of a table's backup, export or import. It reports false if it is none.
func parseARN(arn, kind string) (a partARN, ok bool) {
	parts := strings.Split(arn, ":")
	if len(parts) < 6 || parts[0] != "arn" || parts[1] != "aws" || parts[2] != "dynamodb" {
		return a, false
	}
	path := strings.Split(strings.Join(parts[5:], ":"), "/") // a stream's label has colons
	if len(path) != 4 || path[0] != "table" || path[1] == "" || path[2] != kind || path[3] == "" {
		return a, false
	}
	return partARN{region: parts[3], account: parts[4], table: path[1], id: path[3]}, true
}

// msgNoTable is what the operations of backups and exports say of a table that is not there (observed, ack-api-quirks,
// DDB-TABLE-014).
const msgNoTable = "Table not found: %s"

// errAccessDenied is the answer to an ARN of another account (observed, ack-api-quirks, DDB-BACKUP-012).
func errAccessDenied() error { return wire.Errorf("AccessDeniedException", 400, "Access is denied") }
