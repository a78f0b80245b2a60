import boto3
from botocore.config import Config

from stack import ACCOUNT, Case

sts = boto3.client("sts")


class STS(Case):
    def test_the_caller_is_the_stack_s_account(self):
        answer = sts.get_caller_identity()
        self.assertEqual(ACCOUNT, answer["Account"])
        self.assertRegex(answer["Arn"], rf"^arn:aws:iam::{ACCOUNT}:")
        self.assertRegex(answer["ResponseMetadata"]["RequestId"], r"^[0-9a-f-]{36}$")

    def test_an_assumed_role_s_credentials_are_that_role(self):
        role = f"arn:aws:iam::{ACCOUNT}:role/py-deployer"
        answer = sts.assume_role(RoleArn=role, RoleSessionName="py", DurationSeconds=900)
        self.assertEqual(f"arn:aws:sts::{ACCOUNT}:assumed-role/py-deployer/py", answer["AssumedRoleUser"]["Arn"])
        keys = answer["Credentials"]
        assumed = boto3.client(
            "sts",
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )
        self.assertEqual(answer["AssumedRoleUser"]["Arn"], assumed.get_caller_identity()["Arn"])

    def test_a_role_is_not_assumed_for_a_minute_only(self):
        self.fails(
            "ValidationError",
            "Member must have value greater than or equal to 900",
            boto3.client("sts", config=Config(parameter_validation=False)).assume_role,
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role/py-deployer",
            RoleSessionName="py",
            DurationSeconds=60,
        )
