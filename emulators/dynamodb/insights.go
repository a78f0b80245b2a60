package dynamodb

import (
	"context"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// Contributor Insights are rules in CloudWatch, whose reports are all that they are good for. There is no CloudWatch here, and
// a status of ENABLED would be a promise that nothing keeps: so they cannot be enabled, and are truthfully DISABLED.

// msgInsightsIndex is AWS's, as observed for an index that is not there, and for a local one (ack-api-quirks, DDB-TABLE-094).
const msgInsightsIndex = "Requested resource not found: Index: %s not found for table: %s"

// insighted finds the name of the table whose insights are asked for, and checks that it has the index.
func (s *service) insighted(ctx context.Context, nameOrARN string, indexName *string) (*string, error) {
	r := wire.From(ctx)
	if indexName != nil {
		if err := checkPlainName("IndexName", "indexName", *indexName); err != nil {
			return nil, err
		}
	}
	var name string
	err := s.Store.View(func(tx *store.Tx) error {
		t, err := s.tableToUse(tx, r, nameOrARN)
		if err != nil {
			return err
		}
		name = t.Name
		if indexName == nil {
			return nil
		}
		if x, ok := t.index(*indexName); !ok || !x.Global {
			return errResourceNotFoundException(msgInsightsIndex, *indexName, t.Name)
		}
		return nil
	})
	return &name, err
}

// UpdateContributorInsights disables what is disabled already. To enable is refused: there is no CloudWatch.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateContributorInsights.html
func (s *service) UpdateContributorInsights(ctx context.Context, in *UpdateContributorInsightsInput) (*UpdateContributorInsightsOutput, error) {
	name, err := s.insighted(ctx, *in.TableName, in.IndexName)
	switch {
	case err != nil:
		return nil, err
	case *in.ContributorInsightsAction == ContributorInsightsActionEnable:
		return nil, wire.NotImplemented("devstack does not implement UpdateContributorInsights with the action ENABLE: there is no Amazon CloudWatch here to hold its rules")
	}
	return &UpdateContributorInsightsOutput{TableName: name, IndexName: in.IndexName, ContributorInsightsStatus: new(ContributorInsightsStatusDisabled)}, nil
}

// DescribeContributorInsights tells that they are disabled (recorded answer).
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeContributorInsights.html
func (s *service) DescribeContributorInsights(ctx context.Context, in *DescribeContributorInsightsInput) (*DescribeContributorInsightsOutput, error) {
	name, err := s.insighted(ctx, *in.TableName, in.IndexName)
	if err != nil {
		return nil, err
	}
	return &DescribeContributorInsightsOutput{TableName: name, IndexName: in.IndexName, ContributorInsightsStatus: new(ContributorInsightsStatusDisabled)}, nil
}

// ListContributorInsights lists nothing: AWS leaves out what is disabled (observed, ack-api-quirks, DDB-TABLE-095).
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListContributorInsights.html
func (s *service) ListContributorInsights(ctx context.Context, in *ListContributorInsightsInput) (*ListContributorInsightsOutput, error) {
	if in.TableName != nil {
		if _, err := s.insighted(ctx, *in.TableName, nil); err != nil {
			return nil, err
		}
	}
	return &ListContributorInsightsOutput{ContributorInsightsSummaries: []ContributorInsightsSummary{}}, nil
}
