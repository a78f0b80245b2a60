import base64
import hashlib
import io
import json
import urllib.request
import zipfile

import boto3

from stack import ACCOUNT, REGION, Case

functions = boto3.client("lambda")
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"


def archive(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as z:
        for name, content in files.items():
            z.writestr(zipfile.ZipInfo(name), content)  # always of the same time
    return buffer.getvalue()


def code(word):
    return archive(
        {
            "app.py": f"""
import os
def handler(event, context):
    print("called with", event)
    return {{"word": "{word}", "event": event, "env": os.environ.get("WORD"), "version": context.function_version, "arn": context.invoked_function_arn}}
"""
        }
    )


class Functions(Case):
    def function(self, name, word, **more):
        """A function that is there until the test ends."""
        parameters = {"Runtime": "python3.12", "Handler": "app.handler", "Role": ROLE, "Code": {"ZipFile": code(word)}, **more}
        made = functions.create_function(FunctionName=name, **parameters)
        self.addCleanup(self.gone, name)
        functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        return made

    def gone(self, name):
        try:
            functions.delete_function(FunctionName=name)
        except functions.exceptions.ResourceNotFoundException:
            pass

    def answer(self, name, event=None, **more):
        answer = functions.invoke(FunctionName=name, Payload=json.dumps(event), **more)
        self.assertNotIn("FunctionError", answer)
        return json.load(answer["Payload"])

    def test_a_function_is_created_changed_and_deleted(self):
        made = self.function("py-made", "one", Environment={"Variables": {"WORD": "hi"}}, Tags={"team": "py"})
        self.assertEqual(("Pending", "Creating"), (made["State"], made["StateReasonCode"]))
        self.assertEqual(base64.b64encode(hashlib.sha256(code("one")).digest()).decode(), made["CodeSha256"])
        self.assertEqual({"word": "one", "event": {"a": 1}, "env": "hi", "version": "$LATEST", "arn": ARN + "py-made"}, self.answer("py-made", {"a": 1}))
        functions.update_function_code(FunctionName="py-made", ZipFile=code("two"))
        functions.get_waiter("function_updated_v2").wait(FunctionName="py-made", WaiterConfig={"Delay": 1})
        self.assertEqual("two", self.answer("py-made")["word"])
        got = functions.get_function(FunctionName="py-made")
        self.assertEqual({"team": "py"}, got["Tags"])
        with urllib.request.urlopen(got["Code"]["Location"]) as stored:
            self.assertEqual(code("two"), stored.read())
        functions.delete_function(FunctionName="py-made")
        self.fails("ResourceNotFoundException", f"Function not found: {ARN}py-made", functions.get_function, FunctionName="py-made")

    def test_a_version_stays_as_it_was_and_an_alias_leads_to_it(self):
        self.function("py-versions", "one", Publish=True)
        functions.update_function_code(FunctionName="py-versions", ZipFile=code("two"))
        functions.get_waiter("function_updated_v2").wait(FunctionName="py-versions", WaiterConfig={"Delay": 1})
        functions.get_waiter("published_version_active").wait(FunctionName="py-versions", Qualifier="1")
        functions.create_alias(FunctionName="py-versions", Name="live", FunctionVersion="1")
        self.assertEqual(("two", "$LATEST"), tuple(self.answer("py-versions")[k] for k in ("word", "version")))
        self.assertEqual(("one", "1", ARN + "py-versions:live"), tuple(self.answer("py-versions", Qualifier="live")[k] for k in ("word", "version", "arn")))
        self.assertEqual(["live"], [a["Name"] for a in functions.list_aliases(FunctionName="py-versions")["Aliases"]])

    def test_a_layer_is_found_in_opt(self):
        layer = functions.publish_layer_version(LayerName="py-layer", Content={"ZipFile": archive({"python/word.py": "WORD = 'layered'"})}, CompatibleRuntimes=["python3.12"])
        self.addCleanup(functions.delete_layer_version, LayerName="py-layer", VersionNumber=layer["Version"])
        layered = archive({"app.py": "import word\ndef handler(event, context):\n    return word.WORD\n"})
        self.function("py-layered", "", Code={"ZipFile": layered}, Layers=[layer["LayerVersionArn"]])
        self.assertEqual("layered", self.answer("py-layered"))
        self.assertEqual([layer["LayerVersionArn"]], [x["Arn"] for x in functions.get_function_configuration(FunctionName="py-layered")["Layers"]])
        self.assertEqual("py-layer", functions.list_layers()["Layers"][-1]["LayerName"])

    def test_a_function_of_another_region_is_another_function(self):
        elsewhere = boto3.client("lambda", region_name="eu-west-1")
        self.function("py-here", "here")
        self.fails("ResourceNotFoundException", "Function not found", elsewhere.get_function, FunctionName="py-here")
        self.fails("ResourceNotFoundException", "are not reachable in this region ('eu-west-1')", elsewhere.get_function, FunctionName=ARN + "py-here")
        elsewhere.create_function(FunctionName="py-here", Runtime="python3.12", Handler="app.handler", Role=ROLE, Code={"ZipFile": code("elsewhere")})
        self.addCleanup(elsewhere.delete_function, FunctionName="py-here")
        elsewhere.get_waiter("function_active_v2").wait(FunctionName="py-here", WaiterConfig={"Delay": 1})
        self.assertEqual("elsewhere", json.load(elsewhere.invoke(FunctionName="py-here")["Payload"])["word"])
        self.assertEqual("here", self.answer("py-here")["word"])

    def test_what_is_wrong_with_a_function_is_said(self):
        make = functions.create_function
        parameters = {"FunctionName": "py-wrong", "Runtime": "python3.12", "Handler": "app.handler", "Role": ROLE}
        self.fails("InvalidParameterValueException", "Could not unzip uploaded file.", make, **parameters, Code={"ZipFile": b"not an archive"})
        self.fails("InvalidParameterValueException", "Value python9 at 'runtime' failed to satisfy constraint", make, **{**parameters, "Runtime": "python9"}, Code={"ZipFile": code("x")})
        self.fails("NotImplemented", "s3 is not", make, **parameters, Code={"S3Bucket": "bucket", "S3Key": "key"})
        self.fails("InvalidParameterValueException", "is declared in the stack's files", functions.delete_function, FunctionName="tally")
