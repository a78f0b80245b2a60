// Reserves one line of an order in Redis. There are a hundred of everything.
import { createClient } from "redis";

const redis = createClient({ url: process.env.REDIS_URL });
const connected = redis.connect();

class OutOfStock extends Error {
  name = "OutOfStock";
}

export async function handler(line: { product: string; count: number }) {
  await connected;
  const reserved = await redis.incrBy(`reserved:${line.product}`, line.count);
  if (reserved > 100) {
    await redis.incrBy(`reserved:${line.product}`, -line.count);
    throw new OutOfStock(`only ${100 - (reserved - line.count)} of ${line.product} are left`);
  }
  return { ...line, reserved };
}
