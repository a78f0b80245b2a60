// A function on AWS's runtime client for Node: it does what the event asks for.
if (process.env.MODE === 'init') throw new TypeError('bad init');

const whole = async (event, context) => {
  if (event.do === 'throw') throw new TypeError('boom');
  if (event.do === 'context') {
    return {
      request: context.awsRequestId,
      arn: context.invokedFunctionArn,
      client: context.clientContext.custom ?? context.clientContext.Custom,
      identity: context.identity.cognitoIdentityId ?? context.identity.cognito_identity_id,
      tenant: context.tenantId,
    };
  }
  return event.value;
};

const streamed = async (event, stream) => {
  if (event.do === 'prelude') {
    stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201 });
  }
  stream.setContentType?.('text/plain');
  for (const piece of ['one', 'two', 'three']) stream.write(piece);
  if (event.do === 'throw') throw new TypeError('boom');
  stream.end();
  await stream.finished?.();
};

export const handler = process.env.MODE === 'stream' ? awslambda.streamifyResponse(streamed) : whole;
