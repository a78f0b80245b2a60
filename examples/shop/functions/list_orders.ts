// GET /orders/{customer}, or GET /orders?status=PLACED through the index.
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, QueryCommand } from "@aws-sdk/lib-dynamodb";

const db = DynamoDBDocumentClient.from(new DynamoDBClient({}));

interface Request {
  pathParameters?: { customer?: string };
  queryStringParameters?: { status?: string };
}

export async function handler(event: Request) {
  const customer = event.pathParameters?.customer;
  const status = event.queryStringParameters?.status ?? "PLACED";
  const { Items } = await db.send(
    new QueryCommand(
      customer
        ? { TableName: process.env.TABLE, KeyConditionExpression: "customer = :c", ExpressionAttributeValues: { ":c": customer } }
        : {
            TableName: process.env.TABLE,
            IndexName: "by_status",
            KeyConditionExpression: "#s = :s",
            ExpressionAttributeNames: { "#s": "status" },
            ExpressionAttributeValues: { ":s": status },
          },
    ),
  );
  return { orders: Items };
}
