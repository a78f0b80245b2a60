// POST /orders {"customer":"ada","lines":[{"product":"tea","count":2}]}: prices the lines and takes the order.
import { randomUUID } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, PutCommand } from "@aws-sdk/lib-dynamodb";
import { createClient } from "redis";

const db = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const redis = createClient({ url: process.env.REDIS_URL });
const connected = redis.connect();

interface Line {
  product: string;
  count: number;
}

interface Request {
  body?: string;
  isBase64Encoded: boolean; // as for `curl -d`, whose content type API Gateway does not take for text
}

export async function handler({ body = "{}", isBase64Encoded }: Request) {
  const text = isBase64Encoded ? Buffer.from(body, "base64").toString() : body;
  const { customer, lines } = JSON.parse(text) as { customer?: string; lines?: Line[] };
  if (!customer || !lines?.length || lines.some((l) => !l.product || !(l.count > 0))) {
    return answer(400, { message: "want a customer and lines of product and count" });
  }
  let total = 0;
  for (const line of lines) {
    const price = await priceOf(line.product);
    if (price === undefined) return answer(404, { message: `the catalog has no ${line.product}` });
    total += price * line.count;
  }
  const order = { customer, id: randomUUID(), status: "PLACED", placed_at: new Date().toISOString(), lines, total };
  await db.send(new PutCommand({ TableName: process.env.TABLE, Item: order }));
  return answer(201, order);
}

// priceOf asks the cache first, then the catalog. Prices are in cents and kept for a minute.
async function priceOf(product: string): Promise<number | undefined> {
  await connected;
  const cached = await redis.get(`price:${product}`);
  if (cached !== null) return Number(cached);
  const res = await fetch(`${process.env.CATALOG_URL}/catalog/products/${encodeURIComponent(product)}`);
  if (!res.ok) return undefined;
  const { price } = (await res.json()) as { price: number };
  await redis.set(`price:${product}`, String(price), { EX: 60 });
  return price;
}

const answer = (statusCode: number, body: unknown) => ({
  statusCode,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});
