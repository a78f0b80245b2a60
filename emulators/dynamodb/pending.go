package dynamodb

// The operations that are being written. The file goes away with the last of them.

import (
	"context"

	"devstack/emulators/wire"
)

func (s *service) BatchExecuteStatement(context.Context, *BatchExecuteStatementInput) (*BatchExecuteStatementOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation BatchExecuteStatement of the service dynamodb")
}

func (s *service) ExecuteStatement(context.Context, *ExecuteStatementInput) (*ExecuteStatementOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation ExecuteStatement of the service dynamodb")
}

func (s *service) ExecuteTransaction(context.Context, *ExecuteTransactionInput) (*ExecuteTransactionOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation ExecuteTransaction of the service dynamodb")
}
