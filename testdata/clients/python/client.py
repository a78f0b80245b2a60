"""A function on AWS's runtime client for Python: it does what the event asks for."""

import os

if os.environ.get("MODE") == "init":
    raise ValueError("bad init")


def handler(event, context):
    if event["do"] == "throw":
        raise ValueError("boom")
    if event["do"] == "context":
        return {
            "request": context.aws_request_id,
            "arn": context.invoked_function_arn,
            "client": context.client_context.custom,
            "identity": context.identity.cognito_identity_id,
            "tenant": context.tenant_id,
        }
    return event["value"]
