// Hears of every new order through the table's stream and adds up what was ordered.
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";

const db = DynamoDBDocumentClient.from(new DynamoDBClient({}));

interface Record {
  eventName: string;
  dynamodb: { NewImage?: any };
}

export async function handler(event: { Records: Record[] }) {
  for (const record of event.Records) {
    if (record.eventName !== "INSERT") continue;
    const order = unmarshall(record.dynamodb.NewImage);
    for (const { product, count } of order.lines) {
      await db.send(
        new UpdateCommand({
          TableName: process.env.TABLE,
          Key: { product },
          UpdateExpression: "ADD ordered :n",
          ExpressionAttributeValues: { ":n": count },
        }),
      );
    }
    console.log(`counted order ${order.id} of ${order.customer}`);
  }
}
