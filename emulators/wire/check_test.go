package wire

import (
	"reflect"
	"testing"
	"time"
)

// checkedInput and checkedModel have one of each constraint of which AWS's words were recorded.
type (
	checkedInput struct {
		RoutingConfig *checkedRouting
		Entries       []checkedEntry
		VpcConfig     *checkedVPC
		ByTable       map[string][]checkedEntry
		Plaintext     []byte
		NumberOfBytes *int32
	}
	checkedRouting struct{ AdditionalVersionWeights map[string]float64 }
	checkedEntry   struct {
		Time   *time.Time
		Source *string
		Weight *int32
		Data   []byte
	}
	checkedVPC struct{ SecurityGroupIds []string }
)

func checkedModel() *Model {
	length := func(from, to float64) *Bounds { return &Bounds{Min: from, Max: to, HasMin: true, HasMax: true} }
	return &Model{
		Protocols: []Protocol{AWSJSON11},
		Shapes: []Shape{
			0: {Name: "Input", Kind: Structure, Members: []Member{
				{Name: "RoutingConfig", Shape: 1}, {Name: "Entries", Shape: 5}, {Name: "VpcConfig", Shape: 11},
				{Name: "ByTable", Shape: 14}, {Name: "Plaintext", Shape: 15}, {Name: "NumberOfBytes", Shape: 16}}},
			1:  {Name: "Routing", Kind: Structure, Members: []Member{{Name: "AdditionalVersionWeights", Shape: 2}}},
			2:  {Name: "Weights", Kind: Map, Members: []Member{{Name: "key", Shape: 3}, {Name: "value", Shape: 4}}},
			3:  {Name: "Version", Kind: String, Pattern: "[0-9]+", Bounds: length(1, 1024)},
			4:  {Name: "Weight", Kind: Double, Bounds: length(0, 1)},
			5:  {Name: "Entries", Kind: List, Bounds: length(1, 2), Members: []Member{{Name: "member", Shape: 6}}},
			6:  {Name: "Entry", Kind: Structure, Members: []Member{{Name: "Time", Shape: 7}, {Name: "Source", Shape: 8}, {Name: "Weight", Shape: 9}, {Name: "Data", Shape: 10}}},
			7:  {Name: "Time", Kind: Timestamp},
			8:  {Name: "Source", Kind: String, Bounds: length(1, 4)},
			9:  {Name: "Percent", Kind: Integer, Bounds: length(0, 100)},
			10: {Name: "Data", Kind: Blob, Bounds: length(0, 2)},
			11: {Name: "VPC", Kind: Structure, Members: []Member{{Name: "SecurityGroupIds", Shape: 12}}},
			12: {Name: "Groups", Kind: List, Members: []Member{{Name: "member", Shape: 13}}},
			13: {Name: "Group", Kind: String, Pattern: "sg-[0-9a-zA-Z]*", Bounds: length(0, 1024)},
			14: {Name: "ByTable", Kind: Map, Members: []Member{{Name: "key", Shape: 8}, {Name: "value", Shape: 5}}},
			15: {Name: "Plaintext", Kind: Blob, Flags: Sensitive, Bounds: length(1, 3)},
			16: {Name: "Number", Kind: Integer, Bounds: length(1, 1024)},
		},
	}
}

// The words are those of recorded answers of Lambda, EventBridge, KMS and Step Functions; the path of a list in a map is DynamoDB's.
func TestConstraintWords(t *testing.T) {
	m := checkedModel()
	op := &operation{Operation: &Operation{Name: "CreateIt"}, service: &service{Service: NewService(m, nil)}}
	op.in = newPlanner(m).plan(0, reflect.TypeFor[checkedInput]())
	weights := func(w map[string]float64) checkedInput { return checkedInput{RoutingConfig: &checkedRouting{w}} }
	for _, tt := range []struct {
		name string
		in   checkedInput
		want string
	}{
		{"a value of a map", weights(map[string]float64{"2": 2}),
			"Value '{2=2.0}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]"},
		{"a key of a map", weights(map[string]float64{"$LATEST": 0.5}),
			"Value '{$LATEST=0.5}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+]"},
		{"an element of a list", checkedInput{VpcConfig: &checkedVPC{[]string{"x"}}},
			"Value '[x]' at 'vpcConfig.securityGroupIds' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: sg-[0-9a-zA-Z]*]"},
		{"a list of structures", checkedInput{Entries: []checkedEntry{{Source: ptr("a"), Data: []byte("x")}, {Weight: ptr(int32(5))}, {Time: ptr(time.Unix(0, 0))}}},
			"Value '[Entry(time=null, source=a, weight=null, data=java.nio.HeapByteBuffer[pos=0 lim=1 cap=1]), Entry(time=null, source=null, weight=5, data=null), Entry(time=Thu Jan 01 00:00:00 UTC 1970, source=null, weight=null, data=null)]' at 'entries' failed to satisfy constraint: Member must have length less than or equal to 2"},
		{"a member of a structure in a list", checkedInput{Entries: []checkedEntry{{Weight: ptr(int32(101))}}},
			"Value '101' at 'entries.1.member.weight' failed to satisfy constraint: Member must have value less than or equal to 100"},
		{"a structure in a list in a map", checkedInput{ByTable: map[string][]checkedEntry{"t": {{Source: ptr("")}}}},
			"Value '' at 'byTable.t.member.1.member.source' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"a list that is too long in a map", checkedInput{ByTable: map[string][]checkedEntry{"t": {}}}, // https://github.com/elegantdevelopment/aws-cdk-dynamodb-seeder/issues/3
			"Value '{t=[]}' at 'byTable' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 2, Member must have length greater than or equal to 1]"},
		{"what is sensitive", checkedInput{Plaintext: []byte("four")},
			"Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 3"},
		{"a length is counted in UTF-16", checkedInput{Entries: []checkedEntry{{Source: ptr("😹😹")}}}, ""},
		{"one unit more", checkedInput{Entries: []checkedEntry{{Source: ptr("😹😹é")}}},
			"Value '😹😹é' at 'entries.1.member.source' failed to satisfy constraint: Member must have length less than or equal to 4"},
		{"nothing given, nothing violated", checkedInput{}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := ""
			if tt.want != "" {
				want = "ValidationException: 1 validation error detected: " + tt.want
			}
			got := ""
			if err := op.checkInput(reflect.ValueOf(&tt.in).Elem()); err != nil {
				got = err.Error()
			}
			if got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// Services word and name violations in their own ways.
func TestConstraintWordsDifferByService(t *testing.T) {
	in := checkedInput{NumberOfBytes: ptr(int32(0))}
	const rest = " failed to satisfy constraint: Member must have value greater than or equal to 1"
	for _, tt := range []struct {
		name string
		set  func(*Model)
		want string
	}{
		{"Query", func(m *Model) { m.Protocols = []Protocol{AWSQuery} }, "ValidationError: 1 validation error detected: Value '0' at 'numberOfBytes'" + rest},
		{"CloudWatch Logs", func(m *Model) { m.ValidationCode = "InvalidParameterException" }, "InvalidParameterException: 1 validation error detected: Value '0' at 'numberOfBytes'" + rest},
		{"IAM", func(m *Model) { m.HideValues = true }, "ValidationException: 1 validation error detected: Value at 'numberOfBytes'" + rest},
		{"API Gateway", func(m *Model) { m.CheckPrefix = "Input" }, "ValidationException: 1 validation error detected: Value '0' at 'createItInput.numberOfBytes'" + rest},
	} {
		m := checkedModel()
		tt.set(m)
		op := &operation{Operation: &Operation{Name: "CreateIt"}, service: &service{Service: NewService(m, nil)}}
		op.in = newPlanner(m).plan(0, reflect.TypeFor[checkedInput]())
		if err := op.checkInput(reflect.ValueOf(&in).Elem()); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v\nwant %s", tt.name, err, tt.want)
		}
	}
}

// DynamoDB's newer operations show no values, spell members as the model does and report wrong enumerations last. That more
// than one violation is worded like this is a guess.
func TestNewerChecks(t *testing.T) {
	m := &Model{Protocols: []Protocol{AWSJSON10}, Shapes: []Shape{
		0: {Name: "Input", Kind: Structure, Members: []Member{{Name: "Returned", Shape: 2}, {Name: "TableName", Shape: 1, Flags: Required}, {Name: "Capacity", Shape: 2}}},
		1: {Name: "TableName", Kind: String, Bounds: &Bounds{Min: 1, HasMin: true}},
		2: {Name: "Enum", Kind: String, Enum: []string{"A", "B"}},
	}}
	type input struct{ Returned, TableName, Capacity *string }
	wrong := ptr("x")
	const enum = " failed to satisfy constraint: Member must satisfy enum value set: [A, B]"
	for _, tt := range []struct {
		name  string
		flags OpFlags
		in    input
		want  string
	}{
		{"a name before enumerations", OpNewChecks, input{wrong, ptr(""), wrong}, "1 validation error detected: Value at 'TableName' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"no name", OpNewChecks, input{wrong, nil, wrong}, "1 validation error detected: Value at 'TableName' failed to satisfy constraint: Member must not be null"},
		{"all enumerations", OpNewChecks, input{wrong, ptr("t"), wrong}, "2 validation errors detected: Value at 'Returned'" + enum + "; Value at 'Capacity'" + enum},
		{"the first of them", OpNewChecks | OpFirstEnum, input{wrong, ptr("t"), wrong}, "1 validation error detected: Value at 'Returned'" + enum},
	} {
		op := &operation{Operation: &Operation{Name: "PutIt", Flags: tt.flags}, service: &service{Service: NewService(m, nil)}}
		op.in = newPlanner(m).plan(0, reflect.TypeFor[input]())
		if err := op.checkInput(reflect.ValueOf(&tt.in).Elem()); err == nil || err.Error() != "ValidationException: "+tt.want {
			t.Errorf("%s: got %v\nwant %s", tt.name, err, tt.want)
		}
	}
}
