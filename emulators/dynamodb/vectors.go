package dynamodb

import (
	"context"

	"devstack/emulators/wire"
)

// SearchVectors is refused by name: there are no vector indexes here, as CreateTable and UpdateTable say.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_SearchVectors.html
func (s *service) SearchVectors(context.Context, *SearchVectorsInput) (*SearchVectorsOutput, error) {
	return nil, wire.NotImplemented("devstack does not implement the operation SearchVectors of the service dynamodb")
}
