package provision

import (
	"context"
	"fmt"

	"devstack/runtime/config"
)

// rolePrefix begins the names of the roles that are made here.
const rolePrefix = "devstack-"

// trust lets functions, state machines and APIs take on the role. They may have the same name, so they share it.
const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["lambda.amazonaws.com","states.amazonaws.com","apigateway.amazonaws.com"]},"Action":"sts:AssumeRole"}]}`

// RoleName is the name of the role of a function, a state machine or an API.
func RoleName(name string) string {
	const longest = 64 // that IAM takes
	name = rolePrefix + name
	return name[:min(len(name), longest)]
}

// role returns the ARN of the role devstack-NAME, which it creates if there is none. It stays when its user goes: it
// costs nothing and another may share it.
func (p *Provisioner) role(ctx context.Context, name string) (string, error) {
	name = RoleName(name)
	var out struct{ Role struct{ Arn string } }
	err := p.call(ctx, "iam", "GetRole", object{"RoleName": name}, &out)
	if is(err, "NoSuchEntity") {
		err = p.call(ctx, "iam", "CreateRole", object{
			"RoleName": name, "AssumeRolePolicyDocument": trust, "Description": "Made by devstack",
		}, &out)
		if is(err, "EntityAlreadyExists") { // another resource of the name was faster
			err = p.call(ctx, "iam", "GetRole", object{"RoleName": name}, &out)
		}
	}
	return out.Role.Arn, err
}

// applyStateMachine creates a state machine or updates its definition and tags.
func (p *Provisioner) applyStateMachine(ctx context.Context, m *config.StateMachine) error {
	var have struct{ Definition, Type string }
	err := p.call(ctx, "stepfunctions", "DescribeStateMachine", object{"stateMachineArn": m.ARN}, &have)
	if is(err, "StateMachineDoesNotExist") {
		return p.createStateMachine(ctx, m)
	}
	if err != nil {
		return err
	}
	if have.Type != m.Type {
		return fmt.Errorf("the type of state machine %s is %s and cannot be changed to %s: keep it, or give the block another name", m.Name, have.Type, m.Type)
	}
	if have.Definition != m.Definition {
		in := object{"stateMachineArn": m.ARN, "definition": m.Definition}
		if err := p.call(ctx, "stepfunctions", "UpdateStateMachine", in, nil); err != nil {
			return err
		}
	}
	return p.changeMachineTags(ctx, m)
}

func (p *Provisioner) createStateMachine(ctx context.Context, m *config.StateMachine) error {
	role, err := p.role(ctx, m.Name)
	if err != nil {
		return err
	}
	in := object{"name": m.Name, "type": m.Type, "definition": m.Definition, "roleArn": role}
	if len(m.Tags) > 0 {
		in["tags"] = tagList(m.Tags, "key", "value")
	}
	return p.call(ctx, "stepfunctions", "CreateStateMachine", in, nil)
}

func (p *Provisioner) changeMachineTags(ctx context.Context, m *config.StateMachine) error {
	var out struct{ Tags []tag }
	if err := p.call(ctx, "stepfunctions", "ListTagsForResource", object{"resourceArn": m.ARN}, &out); err != nil {
		return err
	}
	set, remove := tagChanges(tagMap(out.Tags), m.Tags)
	if len(remove) > 0 {
		if err := p.call(ctx, "stepfunctions", "UntagResource", object{"resourceArn": m.ARN, "tagKeys": remove}, nil); err != nil {
			return err
		}
	}
	if len(set) == 0 {
		return nil
	}
	return p.call(ctx, "stepfunctions", "TagResource", object{"resourceArn": m.ARN, "tags": tagList(set, "key", "value")}, nil)
}
