import json
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import boto3

from stack import ACCOUNT, ENDPOINT, REGION, Case

gateway = boto3.client("apigatewayv2")


class APIGateway(Case):
    def api(self, name, **more):
        api = gateway.create_api(Name=name, ProtocolType="HTTP", **more)
        self.addCleanup(gateway.delete_api, ApiId=api["ApiId"])
        return api

    def to_function(self, api, function):
        return gateway.create_integration(
            ApiId=api,
            IntegrationType="AWS_PROXY",
            IntegrationUri=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}",
            PayloadFormatVersion="2.0",
        )["IntegrationId"]

    def call(self, api, method, path, body=None):
        """Calls an API by its own host name, which leads to AWS's port."""
        request = urllib.request.Request(
            ENDPOINT + path, method=method, data=body, headers={"Host": f"{api}.execute-api.localhost:{urlsplit(ENDPOINT).port}"}
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as answer:
            return answer.code, json.load(answer)

    def test_an_api_made_with_the_sdk_answers_by_its_host_name(self):
        api = self.api("py-api")["ApiId"]
        target = "integrations/" + self.to_function(api, "list_orders")
        gateway.create_route(ApiId=api, RouteKey="GET /of/{customer}", Target=target)
        self.assertEqual((404, {"message": "Not Found"}), self.call(api, "GET", "/of/nobody"))
        gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
        self.assertEqual((200, {"orders": []}), self.call(api, "GET", "/of/nobody"))
        self.assertEqual((404, {"message": "Not Found"}), self.call(api, "POST", "/of/nobody", b"{}"))

    def test_a_named_stage_is_the_first_part_of_the_path(self):
        api = self.api("py-staged")["ApiId"]
        target = "integrations/" + self.to_function(api, "list_orders")
        gateway.create_route(ApiId=api, RouteKey="ANY /{proxy+}", Target=target)
        gateway.create_stage(ApiId=api, StageName="beta", AutoDeploy=True)
        self.assertEqual(404, self.call(api, "GET", "/x")[0])
        self.assertEqual(200, self.call(api, "GET", "/beta/x/y?status=py")[0])

    def test_what_is_made_is_listed_and_goes_with_its_api(self):
        made = self.api("py-listed", Description="a test", Tags={"team": "a"})
        api = made["ApiId"]
        self.assertEqual(f"https://{api}.execute-api.{REGION}.amazonaws.com", made["ApiEndpoint"])
        integration = self.to_function(api, "list_orders")
        keys = ["GET /a", "GET /b", "GET /c"]
        for key in keys:
            gateway.create_route(ApiId=api, RouteKey=key, Target="integrations/" + integration)
        pages = list(gateway.get_paginator("get_routes").paginate(ApiId=api, PaginationConfig={"PageSize": 2}))
        self.assertEqual(keys, sorted(r["RouteKey"] for p in pages for r in p["Items"]))
        self.assertEqual(2, len(pages))
        self.assertEqual({"team": "a"}, gateway.get_api(ApiId=api)["Tags"])
        self.fails("ConflictException", "Route with key GET /a already exists for this API", gateway.create_route, ApiId=api, RouteKey="GET /a")
        self.fails("ConflictException", integration, gateway.delete_integration, ApiId=api, IntegrationId=integration)

    def test_an_api_that_is_not_there_is_not_found(self):
        missing = self.fails("NotFoundException", "Invalid API identifier specified", gateway.get_api, ApiId="py00000000")
        self.assertEqual(404, missing.response["ResponseMetadata"]["HTTPStatusCode"])
        self.assertEqual((404, {"message": "Not Found"}), self.call("py00000000", "GET", "/"))

    def test_what_would_not_be_acted_on_is_refused_by_name(self):
        self.fails("NotImplemented", "WEBSOCKET", gateway.create_api, Name="py-socket", ProtocolType="WEBSOCKET", RouteSelectionExpression="$x")
