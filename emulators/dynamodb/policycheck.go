package dynamodb

import (
	"slices"
	"strings"
)

// The actions that a policy of a table and of a stream may name. Those of other kinds of resource, such as backups, and those
// of the whole account are left out.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-iam-actions.html
var (
	policyActions = []string{"DeleteResourcePolicy", "GetResourcePolicy", "PutResourcePolicy"}
	streamActions = append([]string{"DescribeStream", "GetRecords", "GetShardIterator"}, policyActions...)
	tableActions  = append([]string{
		"BatchGetItem", "BatchWriteItem", "ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "TransactGetItems",
		"TransactWriteItems", "UpdateItem",
		"PartiQLDelete", "PartiQLInsert", "PartiQLSelect", "PartiQLUpdate",
		"CreateBackup", "DeleteTable", "DescribeContinuousBackups", "DescribeContributorInsights", "DescribeExport",
		"DescribeKinesisStreamingDestination", "DescribeTable", "DescribeTableReplicaAutoScaling", "DescribeTimeToLive",
		"DisableKinesisStreamingDestination", "EnableKinesisStreamingDestination", "ExportTableToPointInTime", "ListTagsOfResource",
		"RestoreTableFromBackup", "RestoreTableToPointInTime", "TagResource", "UntagResource", "UpdateContinuousBackups",
		"UpdateContributorInsights", "UpdateKinesisStreamingDestination", "UpdateTable", "UpdateTableReplicaAutoScaling",
		"UpdateTimeToLive", "AssociateTableReplica", "CreateTableReplica", "DeleteTableReplica", "ReadDataForReplication",
		"ReplicateSettings", "WriteDataForReplication",
	}, policyActions...)
)

// check checks the statements against each other and against what the policy is for.
func (d *policyDocument) check(stream bool) error {
	var sids []string
	for _, s := range d.statements {
		if s.sid == "" {
			continue
		}
		if slices.Contains(sids, s.sid) {
			return badPolicy(msgPolicySids)
		}
		sids = append(sids, s.sid)
	}
	for _, s := range d.statements {
		for _, resource := range s.resources {
			if err := checkPolicyResource(resource, stream); err != nil {
				return err
			}
		}
		if err := s.checkActions(stream); err != nil {
			return err
		}
	}
	for _, s := range d.statements {
		if s.effect == "Allow" && s.principalIsPublic && !s.conditional { // that conditions bound it enough is a guess
			return errValidation(msgPolicyPublic)
		}
	}
	return nil
}

func (s *policyStatement) checkActions(stream bool) error {
	known := tableActions
	if stream {
		known = streamActions
	}
	var wrong []string
	for _, a := range s.actions {
		if !slices.ContainsFunc(known, func(name string) bool { return matchesAction(a, "dynamodb:"+name) }) {
			wrong = append(wrong, `"`+a+`"`)
		}
	}
	if wrong != nil {
		return badPolicy(msgPolicyActions, strings.Join(wrong, ", "))
	}
	return nil
}

// checkPolicyResource checks that a resource is "*" or of the kind that the policy is for. It may be another table, or an index.
func checkPolicyResource(resource string, stream bool) error {
	if resource == "*" {
		return nil
	}
	parts := strings.SplitN(resource, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return badPolicy(msgPolicyResource, resource)
	}
	if parts[5] != "*" && (!strings.HasPrefix(parts[5], "table/") || strings.Contains(parts[5], "/stream/") != stream) {
		return badPolicy(msgPolicyRelative, parts[5], resource)
	}
	return nil
}

// matchesAction tells whether an action with wildcards stands for another. Case does not matter.
func matchesAction(pattern, action string) bool {
	pattern, action = strings.ToLower(pattern), strings.ToLower(action)
	p, star, from := 0, -1, 0 // star: the last * of the pattern, which stands for what is between from and here
	for i := 0; i < len(action); {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == action[i]):
			p++
			i++
		case star >= 0:
			from++
			p, i = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
