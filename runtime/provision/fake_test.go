package provision

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"devstack/runtime/config"
)

// awsError is an answer of the fake, as the emulators' errors look from here.
type awsError struct{ code, message string }

func (e *awsError) Error() string        { return e.code + ": " + e.message }
func (e *awsError) ErrorCode() string    { return e.code }
func (e *awsError) ErrorMessage() string { return e.message }

// fakeAWS keeps what it is told to, as plain JSON, and writes down every call.
type fakeAWS struct {
	calls  strings.Builder
	things map[string]map[string]any // by kind and name: "table orders"
	made   int
	label  string // of streams
	broken map[string]*awsError
}

func newFake() *fakeAWS {
	return &fakeAWS{things: map[string]map[string]any{}, label: "2000-01-01T00:00:00.000", broken: map[string]*awsError{}}
}

// reading are operations that change nothing; the golden files leave them out.
func reading(operation string) bool {
	return strings.HasPrefix(operation, "Describe") || strings.HasPrefix(operation, "Get") || strings.HasPrefix(operation, "List")
}

func (f *fakeAWS) Call(_ context.Context, service, operation string, in, out any) error {
	encoded, err := json.Marshal(in)
	if err != nil {
		return err
	}
	var input map[string]any
	if err := json.Unmarshal(encoded, &input); err != nil {
		return err
	}
	if !reading(operation) {
		sorted, _ := json.Marshal(input)
		fmt.Fprintf(&f.calls, "%s.%s %s\n", service, operation, sorted)
	}
	if e := f.broken[operation]; e != nil {
		return e
	}
	var result any
	switch service {
	case "dynamodb":
		result, err = f.dynamodb(operation, input)
	case "elasticache":
		result, err = f.elasticache(operation, input)
	case "lambda":
		result, err = f.lambda(operation, input)
	case "stepfunctions":
		result, err = f.stepfunctions(operation, input)
	case "apigateway":
		result, err = f.apigateway(operation, input)
	case "iam":
		result, err = f.iam(operation, input)
	case "logs":
		if operation == "DescribeLogGroups" {
			result = map[string]any{"logGroups": f.all("group " + text(input, "logGroupNamePrefix"))}
		} else {
			result, err = f.create("group "+text(input, "logGroupName"), input, "ResourceAlreadyExistsException")
		}
	}
	if err != nil || out == nil {
		return err
	}
	answer, err := json.Marshal(result)
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, out)
}

func text(m map[string]any, key string) string { s, _ := m[key].(string); return s }

func (f *fakeAWS) get(key, code string) (map[string]any, error) {
	if t := f.things[key]; t != nil {
		return t, nil
	}
	return nil, &awsError{code, "there is no " + key}
}

func (f *fakeAWS) create(key string, thing map[string]any, code string) (map[string]any, error) {
	if f.things[key] != nil {
		return nil, &awsError{code, "there is a " + key}
	}
	f.things[key] = thing
	return thing, nil
}

// all returns the things whose key begins so, in the order of the keys.
func (f *fakeAWS) all(prefix string) []map[string]any {
	list := []map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(f.things)) {
		if strings.HasPrefix(key, prefix) {
			list = append(list, f.things[key])
		}
	}
	return list
}

func (f *fakeAWS) dynamodb(operation string, in map[string]any) (any, error) {
	name := text(in, "TableName")
	if arn := text(in, "ResourceArn"); arn != "" {
		name = arn[strings.LastIndexByte(arn, '/')+1:]
	}
	if operation == "BatchWriteItem" {
		return nil, nil
	}
	if operation == "CreateTable" {
		t := maps.Clone(in)
		t["TableClassSummary"] = map[string]any{"TableClass": in["TableClass"]}
		t["TableStatus"], t["Tags"] = "ACTIVE", tagsOf(in["Tags"])
		t["BillingModeSummary"] = map[string]any{"BillingMode": in["BillingMode"]}
		f.stream(t, name)
		return f.create("table "+name, t, "ResourceInUseException")
	}
	t, err := f.get("table "+name, "ResourceNotFoundException")
	if err != nil {
		return nil, err
	}
	switch operation {
	case "DescribeTable":
		return map[string]any{"Table": t}, nil
	case "UpdateTable":
		f.updateTable(t, in)
	case "DeleteTable":
		delete(f.things, "table "+name)
	case "DescribeContinuousBackups":
		return map[string]any{"ContinuousBackupsDescription": map[string]any{"PointInTimeRecoveryDescription": t["recovery"]}}, nil
	case "UpdateContinuousBackups":
		spec := in["PointInTimeRecoverySpecification"].(map[string]any)
		status := map[bool]string{true: "ENABLED", false: "DISABLED"}[spec["PointInTimeRecoveryEnabled"].(bool)]
		t["recovery"] = map[string]any{"PointInTimeRecoveryStatus": status, "RecoveryPeriodInDays": spec["RecoveryPeriodInDays"]}
	case "DescribeTimeToLive":
		return map[string]any{"TimeToLiveDescription": t["ttl"]}, nil
	case "UpdateTimeToLive":
		spec := in["TimeToLiveSpecification"].(map[string]any)
		status := map[bool]string{true: "ENABLED", false: "DISABLED"}[spec["Enabled"].(bool)]
		t["ttl"] = map[string]any{"TimeToLiveStatus": status, "AttributeName": spec["AttributeName"]}
	case "ListTagsOfResource":
		return map[string]any{"Tags": tagsOut(t, "Key", "Value")}, nil
	case "TagResource":
		maps.Copy(t["Tags"].(map[string]any), tagsOf(in["Tags"]))
	case "UntagResource":
		untag(t, in["TagKeys"])
	}
	return nil, nil
}

// updateTable does what DynamoDB does with the parts of a change.
func (f *fakeAWS) updateTable(t, in map[string]any) {
	for _, key := range []string{
		"DeletionProtectionEnabled", "ProvisionedThroughput", "StreamSpecification", "AttributeDefinitions", "OnDemandThroughput", "WarmThroughput",
	} {
		if in[key] != nil {
			t[key] = in[key]
		}
	}
	if in["BillingMode"] != nil {
		t["BillingModeSummary"] = map[string]any{"BillingMode": in["BillingMode"]}
	}
	if in["StreamSpecification"] != nil {
		f.stream(t, text(in, "TableName"))
	}
	if in["TableClass"] != nil {
		t["TableClassSummary"] = map[string]any{"TableClass": in["TableClass"]}
	}
	if updates, ok := in["ReplicaUpdates"].([]any); ok {
		f.replicas(t, updates[0].(map[string]any))
	}
	updates, _ := in["GlobalSecondaryIndexUpdates"].([]any)
	for _, u := range updates {
		for action, x := range u.(map[string]any) {
			index := x.(map[string]any)
			have, _ := t["GlobalSecondaryIndexes"].([]any)
			i := slices.IndexFunc(have, func(h any) bool { return h.(map[string]any)["IndexName"] == index["IndexName"] })
			switch action {
			case "Create":
				have = append(have, index)
			case "Delete":
				have = slices.Delete(have, i, i+1)
			case "Update":
				maps.Copy(have[i].(map[string]any), index)
			}
			t["GlobalSecondaryIndexes"] = have
		}
	}
}

// replicas makes or deletes a replica. The table's own region is among those that are described, as on AWS.
func (f *fakeAWS) replicas(t, update map[string]any) {
	have, _ := t["Replicas"].([]any)
	if have == nil {
		have = []any{map[string]any{"RegionName": "us-east-1"}}
	}
	if create, ok := update["Create"].(map[string]any); ok {
		t["Replicas"] = append(have, create)
		return
	}
	gone := update["Delete"].(map[string]any)["RegionName"]
	t["Replicas"] = slices.DeleteFunc(have, func(r any) bool { return r.(map[string]any)["RegionName"] == gone })
}

// stream gives a table whose stream is on its ARN.
func (f *fakeAWS) stream(t map[string]any, name string) {
	if spec, ok := t["StreamSpecification"].(map[string]any); ok && spec["StreamEnabled"] == true {
		t["LatestStreamArn"] = "arn:aws:dynamodb:us-east-1:000000000000:table/" + name + "/stream/" + f.label
	}
}

// tagsOf makes a map of a list of tags.
func tagsOf(list any) map[string]any {
	m := map[string]any{}
	all, _ := list.([]any)
	for _, t := range all {
		tag := t.(map[string]any)
		if key, ok := tag["Key"]; ok {
			m[key.(string)] = tag["Value"]
		} else {
			m[tag["key"].(string)] = tag["value"]
		}
	}
	return m
}

func tagsOut(t map[string]any, key, value string) []any {
	list := []any{}
	for _, k := range slices.Sorted(maps.Keys(t["Tags"].(map[string]any))) {
		list = append(list, map[string]any{key: k, value: t["Tags"].(map[string]any)[k]})
	}
	return list
}

func untag(t map[string]any, keys any) {
	for _, k := range keys.([]any) {
		delete(t["Tags"].(map[string]any), k.(string))
	}
}

func (f *fakeAWS) elasticache(operation string, in map[string]any) (any, error) {
	key := "cluster " + text(in, "CacheClusterId")
	if operation == "CreateCacheCluster" {
		in["CacheClusterStatus"] = "available"
		in["CacheNodes"] = []any{map[string]any{"Endpoint": map[string]any{"Port": in["Port"]}}}
		return f.create(key, in, "CacheClusterAlreadyExistsFault")
	}
	c, err := f.get(key, "CacheClusterNotFoundFault")
	if err != nil {
		return nil, err
	}
	if operation == "DeleteCacheCluster" {
		delete(f.things, key)
	}
	return map[string]any{"CacheClusters": []any{c}}, nil
}

func (f *fakeAWS) lambda(operation string, in map[string]any) (any, error) {
	name := text(in, "FunctionName")
	switch operation {
	case "DeleteFunction":
		for key := range f.things {
			if strings.HasPrefix(key, "setting ") && strings.HasSuffix(key, " "+name) {
				delete(f.things, key)
			}
		}
		return nil, &awsError{"ResourceNotFoundException", "Function not found: " + name}
	case "ListTags":
		return map[string]any{"Tags": f.things["setting tags "+afterColon(text(in, "Resource"))]}, nil
	case "TagResource", "UntagResource":
		key := "setting tags " + afterColon(text(in, "Resource"))
		if f.things[key] == nil {
			f.things[key] = map[string]any{}
		}
		if set, ok := in["Tags"].(map[string]any); ok {
			maps.Copy(f.things[key], set)
		}
		if keys, ok := in["TagKeys"].([]any); ok {
			for _, k := range keys {
				delete(f.things[key], k.(string))
			}
		}
		return nil, nil
	case "GetFunctionConcurrency", "GetFunctionEventInvokeConfig", "GetFunctionUrlConfig":
		return f.get("setting "+strings.TrimPrefix(operation, "Get")+" "+name, "ResourceNotFoundException")
	case "DeleteFunctionConcurrency", "DeleteFunctionEventInvokeConfig", "DeleteFunctionUrlConfig":
		delete(f.things, "setting "+strings.TrimPrefix(operation, "Delete")+" "+name)
		return nil, nil
	case "PutFunctionConcurrency", "PutFunctionEventInvokeConfig":
		f.things["setting "+strings.TrimPrefix(operation, "Put")+" "+name] = in
		return in, nil
	case "CreateFunctionUrlConfig":
		in["FunctionUrl"] = "http://" + config.FunctionURLID("arn:aws:lambda:us-east-1:000000000000:function:"+name) + ".lambda-url.us-east-1.localhost:4566/"
		return f.create("setting FunctionUrlConfig "+name, in, "ResourceConflictException")
	case "UpdateFunctionUrlConfig":
		u, err := f.get("setting FunctionUrlConfig "+name, "ResourceNotFoundException")
		if err == nil {
			maps.Copy(u, in)
		}
		return u, err
	case "ListEventSourceMappings":
		var list []map[string]any
		for _, m := range f.all("mapping ") {
			if m["FunctionName"] == in["FunctionName"] {
				list = append(list, m)
			}
		}
		return map[string]any{"EventSourceMappings": list}, nil
	case "CreateEventSourceMapping":
		in["UUID"], in["State"] = f.id("mapping"), state(in)
		return f.create("mapping "+text(in, "UUID"), in, "ResourceConflictException")
	}
	m, err := f.get("mapping "+text(in, "UUID"), "ResourceNotFoundException")
	if err != nil {
		return nil, err
	}
	if operation == "DeleteEventSourceMapping" {
		delete(f.things, "mapping "+text(in, "UUID"))
		return m, nil
	}
	maps.Copy(m, in)
	if _, given := in["Enabled"]; given {
		m["State"] = state(in)
	}
	return m, nil
}

// state is what a mapping's Enabled comes to.
func state(in map[string]any) string {
	if in["Enabled"] == false {
		return "Disabled"
	}
	return "Enabled"
}

func afterColon(arn string) string { return arn[strings.LastIndexByte(arn, ':')+1:] }

func (f *fakeAWS) id(kind string) string {
	f.made++
	return fmt.Sprintf("%s%d", kind, f.made)
}

func (f *fakeAWS) iam(operation string, in map[string]any) (any, error) {
	key := "role " + text(in, "RoleName")
	if operation == "CreateRole" {
		in["Arn"] = "arn:aws:iam::000000000000:role/" + text(in, "RoleName")
		if _, err := f.create(key, in, "EntityAlreadyExistsException"); err != nil {
			return nil, err
		}
	}
	r, err := f.get(key, "NoSuchEntityException")
	return map[string]any{"Role": r}, err
}

func (f *fakeAWS) stepfunctions(operation string, in map[string]any) (any, error) {
	if operation == "CreateStateMachine" {
		in["Tags"] = tagsOf(in["tags"])
		return f.create("machine arn:aws:states:us-east-1:000000000000:stateMachine:"+text(in, "name"), in, "StateMachineAlreadyExists")
	}
	key := "machine " + text(in, "stateMachineArn") + text(in, "resourceArn")
	m, err := f.get(key, "StateMachineDoesNotExist")
	if err != nil {
		return nil, err
	}
	switch operation {
	case "UpdateStateMachine":
		m["definition"] = in["definition"]
	case "DeleteStateMachine":
		delete(f.things, key)
	case "ListTagsForResource":
		return map[string]any{"tags": tagsOut(m, "key", "value")}, nil
	case "TagResource":
		maps.Copy(m["Tags"].(map[string]any), tagsOf(in["tags"]))
	case "UntagResource":
		untag(m, in["tagKeys"])
	}
	return map[string]any{"definition": m["definition"], "type": m["type"]}, nil
}

func (f *fakeAWS) apigateway(operation string, in map[string]any) (any, error) {
	if operation == "GetApis" {
		return map[string]any{"Items": f.all("api ")}, nil
	}
	id := text(in, "ApiId")
	if arn := text(in, "ResourceArn"); arn != "" {
		id = arn[strings.LastIndexByte(arn, '/')+1:]
	}
	for _, kind := range []string{"Api", "Integration", "Route", "Stage"} {
		idName := map[string]string{"Api": "ApiId", "Integration": "IntegrationId", "Route": "RouteId", "Stage": "StageName"}[kind]
		key := strings.ToLower(kind) + " " + id + " "
		switch operation {
		case "Create" + kind:
			if in[idName] == nil {
				in[idName] = f.id(strings.ToLower(kind))
			}
			if kind == "Api" {
				key = "api " + text(in, idName) + " "
			}
			return f.create(key+text(in, idName), in, "ConflictException")
		case "Get" + kind + "s":
			return map[string]any{"Items": f.all(key)}, nil
		case "Get" + kind, "Update" + kind, "Delete" + kind:
			t, err := f.get(key+text(in, idName), "NotFoundException")
			if operation == "Delete"+kind {
				delete(f.things, key+text(in, idName))
			}
			if err == nil && operation == "Update"+kind {
				maps.Copy(t, in)
			}
			return t, err
		}
	}
	t, err := f.get("api "+id+" "+id, "NotFoundException")
	if err != nil {
		return nil, err
	}
	switch operation {
	case "DeleteCorsConfiguration":
		delete(t, "CorsConfiguration")
	case "TagResource":
		maps.Copy(t["Tags"].(map[string]any), in["Tags"].(map[string]any))
	case "UntagResource":
		untag(t, in["TagKeys"])
	}
	return t, nil
}
