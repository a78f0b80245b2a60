"""Takes scores and shows totals."""

import base64
import json
import os

import boto3

dynamodb = boto3.resource("dynamodb")
scores = dynamodb.Table(os.environ["SCORES"])
totals = dynamodb.Table(os.environ["TOTALS"])


def handler(event, context):
    if event["routeKey"] == "POST /scores":
        body = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"]
        score = json.loads(body)
        scores.put_item(Item={"player": score["player"], "game": score["game"], "points": int(score["points"])})
        print("score of", score["player"])
        return {"statusCode": 201, "body": json.dumps(score)}
    item = totals.get_item(Key={"player": event["pathParameters"]["player"]}).get("Item")
    return {"player": item["player"], "points": int(item["points"])} if item else {"statusCode": 404}
