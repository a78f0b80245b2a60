import io
import json
import urllib.error
import urllib.request
import zipfile
from urllib.parse import urlsplit

import boto3

from stack import ACCOUNT, ENDPOINT, REGION, Case

functions = boto3.client("lambda")

STREAM = """
export const handler = awslambda.streamifyResponse(async (event, out) => {
  const piece = (text) => { out.write(text); return new Promise((later) => setTimeout(later, 50)); };
  if (event.requestContext) out = awslambda.HttpResponseStream.from(out, { statusCode: 201, headers: { "X-Kind": "stream" }, cookies: ["a=b"] });
  await piece("one,");
  if (event.fail) throw new Error("on the way");
  await piece("two");
  out.end();
});
"""

EVENT = """
export const handler = async (event) => {
  if (event.fail) throw new Error("it fails");
  return event;
};
"""


def call(url, **more):
    """A request to a function URL. Not every resolver knows that names below localhost are this machine's."""
    parts = urlsplit(url)
    request = urllib.request.Request(ENDPOINT + (parts.path or "/") + more.pop("path", ""), headers={"Host": parts.netloc} | more.pop("headers", {}), **more)
    try:
        return urllib.request.urlopen(request)
    except urllib.error.HTTPError as error:
        return error


class Calls(Case):
    def function(self, name, source):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as z:
            z.writestr("index.mjs", source)
        functions.create_function(
            FunctionName=name,
            Runtime="nodejs22.x",
            Handler="index.handler",
            Role=f"arn:aws:iam::{ACCOUNT}:role/{name}",
            Code={"ZipFile": archive.getvalue()},
        )
        self.addCleanup(functions.delete_function, FunctionName=name)
        functions.get_waiter("function_active_v2").wait(FunctionName=name)

    def test_a_response_is_streamed(self):
        self.function("py-stream", STREAM)
        answer = functions.invoke_with_response_stream(FunctionName="py-stream", LogType="Tail")
        self.assertEqual((200, "$LATEST"), (answer["StatusCode"], answer["ExecutedVersion"]))
        *pieces, end = answer["EventStream"]
        self.assertEqual([b"one,", b"two"], [p["PayloadChunk"]["Payload"] for p in pieces])
        self.assertIn("LogResult", end["InvokeComplete"])

    def test_a_stream_that_breaks_off_says_so(self):
        self.function("py-broken", STREAM)
        *pieces, end = functions.invoke_with_response_stream(FunctionName="py-broken", Payload=b'{"fail":true}')["EventStream"]
        self.assertEqual(b"one,", b"".join(p["PayloadChunk"]["Payload"] for p in pieces))
        self.assertIn("ErrorCode", end["InvokeComplete"])
        self.assertIn("on the way", end["InvokeComplete"]["ErrorDetails"])

    def test_what_does_not_stream_is_one_piece(self):
        piece, end = functions.invoke_with_response_stream(FunctionName="charge", Payload=b'{"customer":"py","amount":1}')["EventStream"]
        self.assertIn("customer", json.loads(piece["PayloadChunk"]["Payload"]))
        self.assertEqual({}, end["InvokeComplete"])

    def test_a_function_has_a_url(self):
        self.function("py-url", EVENT)
        made = functions.create_function_url_config(FunctionName="py-url", AuthType="NONE", Cors={"AllowOrigins": ["https://shop.example"]})
        with call(made["FunctionUrl"], path="a/b?x=1&x=2", data=b"text", headers={"Content-Type": "text/plain", "Cookie": "c=d"}) as answer:
            event = json.load(answer)
        self.assertEqual(("/a/b", {"x": "1,2"}, "text", ["c=d"]), (event["rawPath"], event["queryStringParameters"], event["body"], event["cookies"]))
        self.assertEqual(answer.headers["x-amzn-RequestId"], event["requestContext"]["requestId"])
        with call(made["FunctionUrl"], headers={"Origin": "https://shop.example"}) as answer:
            self.assertEqual("https://shop.example", answer.headers["Access-Control-Allow-Origin"])
        with call(made["FunctionUrl"], headers={"Origin": "https://elsewhere.example"}) as answer:
            self.assertEqual(403, answer.status)
        functions.update_function_url_config(FunctionName="py-url", AuthType="AWS_IAM")
        with call(made["FunctionUrl"]) as answer:
            self.assertEqual((403, "AccessDeniedException"), (answer.status, answer.headers["x-amzn-ErrorType"]))
        listed = functions.list_function_url_configs(FunctionName="py-url")["FunctionUrlConfigs"]
        self.assertEqual([("AWS_IAM", made["FunctionUrl"])], [(u["AuthType"], u["FunctionUrl"]) for u in listed])
        functions.delete_function_url_config(FunctionName="py-url")
        with call(made["FunctionUrl"]) as answer:
            self.assertEqual(404, answer.status)

    def test_a_url_streams(self):
        self.function("py-url-stream", STREAM)
        made = functions.create_function_url_config(FunctionName="py-url-stream", AuthType="NONE", InvokeMode="RESPONSE_STREAM")
        with call(made["FunctionUrl"]) as answer:
            self.assertEqual((201, "stream", "a=b"), (answer.status, answer.headers["X-Kind"], answer.headers["Set-Cookie"]))
            self.assertEqual(b"one,two", answer.read())

    def test_what_became_of_an_event_is_told(self):
        self.function("py-fails", EVENT)
        self.function("py-hears", EVENT)
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:py-hears"
        functions.put_function_event_invoke_config(
            FunctionName="py-fails",
            MaximumRetryAttempts=0,
            DestinationConfig={"OnFailure": {"Destination": arn}, "OnSuccess": {"Destination": arn}},
        )
        logs = boto3.client("logs")

        def heard(times):
            try:
                found = logs.filter_log_events(logGroupName="/aws/lambda/py-hears", filterPattern="START")["events"]
            except logs.exceptions.ResourceNotFoundException:
                return False  # it has not been called yet
            return len(found) >= times

        functions.invoke(FunctionName="py-fails", InvocationType="Event", Payload=b'{"fail":true}')
        self.eventually("record of the failure", lambda: heard(1))
        functions.invoke(FunctionName="py-fails", InvocationType="Event", Payload=b"{}")
        self.eventually("record of the success", lambda: heard(2))
        config = functions.get_function_event_invoke_config(FunctionName="py-fails")
        self.assertEqual((0, arn), (config["MaximumRetryAttempts"], config["DestinationConfig"]["OnFailure"]["Destination"]))
        self.fails(
            "NotImplemented",
            "devstack does not emulate the service sqs",
            functions.put_function_event_invoke_config,
            FunctionName="py-fails",
            DestinationConfig={"OnFailure": {"Destination": f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"}},
        )

    def test_reserved_concurrency_turns_callers_away(self):
        self.function("py-reserved", EVENT)
        functions.put_function_concurrency(FunctionName="py-reserved", ReservedConcurrentExecutions=0)
        self.assertEqual(0, functions.get_function_concurrency(FunctionName="py-reserved")["ReservedConcurrentExecutions"])
        once = boto3.client("lambda", config=boto3.session.Config(retries={"max_attempts": 0}))
        refused = self.fails("TooManyRequestsException", "Rate Exceeded.", once.invoke, FunctionName="py-reserved").response
        self.assertEqual((429, "ReservedFunctionConcurrentInvocationLimitExceeded"), (refused["ResponseMetadata"]["HTTPStatusCode"], refused["Reason"]))
        functions.delete_function_concurrency(FunctionName="py-reserved")
        answer = functions.invoke(FunctionName="py-reserved")
        self.assertEqual(200, answer["StatusCode"])
        self.assertRegex(answer["ResponseMetadata"]["HTTPHeaders"]["x-amzn-trace-id"], "^Root=1-")
