import json

import boto3

from stack import ACCOUNT, Case

iam = boto3.client("iam")

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
READ = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}


class IAM(Case):
    def role(self, name, **more):
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST), **more)["Role"]
        self.addCleanup(iam.delete_role, RoleName=name)
        return role

    def test_a_role_is_there_for_its_waiter_and_keeps_its_trust_policy(self):
        made = self.role("py-role", Path="/jobs/", Description="runs jobs", Tags=[{"Key": "team", "Value": "a"}])
        self.assertEqual(f"arn:aws:iam::{ACCOUNT}:role/jobs/py-role", made["Arn"])
        iam.get_waiter("role_exists").wait(RoleName="py-role")
        role = iam.get_role(RoleName="py-role")["Role"]
        self.assertEqual(TRUST, role["AssumeRolePolicyDocument"])
        self.assertEqual([{"Key": "team", "Value": "a"}], role["Tags"])
        self.assertEqual(3600, role["MaxSessionDuration"])

    def test_a_role_is_made_once_and_found_only_while_it_is_there(self):
        self.role("py-once")
        self.fails(
            "EntityAlreadyExists",
            "Role with name py-once already exists.",
            iam.create_role,
            RoleName="py-once",
            AssumeRolePolicyDocument=json.dumps(TRUST),
        )
        missing = self.fails("NoSuchEntity", "The role with name py-never cannot be found.", iam.get_role, RoleName="py-never")
        self.assertEqual(404, missing.response["ResponseMetadata"]["HTTPStatusCode"])

    def test_a_trust_policy_that_is_none_is_refused(self):
        self.fails(
            "MalformedPolicyDocument",
            "This policy contains invalid Json",
            iam.create_role,
            RoleName="py-bad",
            AssumeRolePolicyDocument="{",
        )

    def test_inline_and_attached_policies_hold_a_role_until_they_are_gone(self):
        self.role("py-held")
        iam.put_role_policy(RoleName="py-held", PolicyName="read", PolicyDocument=json.dumps(READ))
        self.assertEqual(READ, iam.get_role_policy(RoleName="py-held", PolicyName="read")["PolicyDocument"])
        managed = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
        iam.attach_role_policy(RoleName="py-held", PolicyArn=managed)
        attached = iam.list_attached_role_policies(RoleName="py-held")["AttachedPolicies"]
        self.assertEqual([{"PolicyName": "AWSLambdaBasicExecutionRole", "PolicyArn": managed}], attached)
        self.fails("DeleteConflict", "must detach all policies first", iam.delete_role, RoleName="py-held")
        iam.detach_role_policy(RoleName="py-held", PolicyArn=managed)
        self.fails("DeleteConflict", "must delete policies first", iam.delete_role, RoleName="py-held")
        iam.delete_role_policy(RoleName="py-held", PolicyName="read")

    def test_roles_are_listed_page_by_page(self):
        names = [f"py-page-{i}" for i in range(5)]
        for name in names:
            self.role(name, Path="/paged/")
        pages = list(iam.get_paginator("list_roles").paginate(PathPrefix="/paged/", PaginationConfig={"PageSize": 2}))
        self.assertEqual([2, 2, 1], [len(p["Roles"]) for p in pages])
        self.assertEqual(names, [r["RoleName"] for p in pages for r in p["Roles"]])

    def test_a_user_s_key_signs_as_the_user_until_it_is_deleted(self):
        user = iam.create_user(UserName="py-user", Tags=[{"Key": "team", "Value": "a"}])["User"]
        self.assertEqual(f"arn:aws:iam::{ACCOUNT}:user/py-user", user["Arn"])
        iam.get_waiter("user_exists").wait(UserName="py-user")
        key = iam.create_access_key(UserName="py-user")["AccessKey"]
        own = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
        self.assertEqual(user["Arn"], boto3.client("sts", **own).get_caller_identity()["Arn"])
        self.assertEqual("py-user", boto3.client("iam", **own).get_user()["User"]["UserName"])
        self.fails("DeleteConflict", "must delete access keys first", iam.delete_user, UserName="py-user")
        iam.delete_access_key(UserName="py-user", AccessKeyId=key["AccessKeyId"])
        iam.delete_user(UserName="py-user")
