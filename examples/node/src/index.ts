import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { answer } from "./answer";

const db = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const TableName = process.env.TABLE;

interface Event {
  routeKey: string;
  pathParameters: { id: string };
  body?: string;
  isBase64Encoded: boolean;
}

export const handler = async (event: Event) => {
  const { id } = event.pathParameters;
  if (event.routeKey.startsWith("PUT")) {
    const text = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8").toString();
    await db.send(new PutCommand({ TableName, Item: { id, text } }));
    console.log("kept note", id);
    return answer(204);
  }
  const { Item } = await db.send(new GetCommand({ TableName, Key: { id } }));
  return Item ? answer(200, Item) : answer(404, { message: `there is no note ${id}` });
};
