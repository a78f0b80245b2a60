"""Adds up new scores as the table's stream tells of them."""

import os

import boto3

totals = boto3.resource("dynamodb").Table(os.environ["TOTALS"])


def handler(event, context):
    for record in event["Records"]:
        if record["eventName"] != "INSERT":
            continue
        image = record["dynamodb"]["NewImage"]
        totals.update_item(
            Key={"player": image["player"]["S"]},
            UpdateExpression="ADD points :p",
            ExpressionAttributeValues={":p": int(image["points"]["N"])},
        )
