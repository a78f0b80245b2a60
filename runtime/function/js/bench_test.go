package js

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"devstack/runtime/function"
)

// A proxy event as API Gateway sends it.
const proxyEvent = `{"version":"2.0","routeKey":"POST /orders","rawPath":"/orders","rawQueryString":"","headers":{"accept":"*/*","content-type":"application/json","host":"127.0.0.1:8080","user-agent":"curl/8"},"requestContext":{"accountId":"000000000000","apiId":"abc","domainName":"x","http":{"method":"POST","path":"/orders","protocol":"HTTP/1.1","sourceIp":"127.0.0.1","userAgent":"curl/8"},"requestId":"r","routeKey":"POST /orders","stage":"$default","time":"02/Jan/2026:03:04:05 +0000","timeEpoch":1767323045678},"body":"{\"a\":1}","isBase64Encoded":false}`

const handlerSource = `import { DynamoDBClient } from "@aws-sdk/client-dynamodb"
import { DynamoDBDocumentClient, PutCommand } from "@aws-sdk/lib-dynamodb"
const doc = DynamoDBDocumentClient.from(new DynamoDBClient({}))
export const handler = async (e: any) => {
  if (e.put) await doc.send(new PutCommand({ TableName: "t", Item: { id: "1", n: 2, tags: ["a", "b"] } }))
  return { statusCode: 200, headers: { "content-type": "application/json" }, body: JSON.stringify({ ok: true, path: e.rawPath }) }
}`

func BenchmarkInvoke(b *testing.B) {
	aws := quietAWS{}
	for _, tt := range []struct{ name, event string }{{"proxy event", proxyEvent}, {"put item", `{"put":true}`}} {
		b.Run(tt.name, func(b *testing.B) {
			s := newWorld(b, Options{AWS: aws, Schema: testSchema{}}, map[string]string{"index.ts": handlerSource}).mustStart()
			ev := event(tt.event)
			for b.Loop() {
				if _, err := s.Invoke(b.Context(), ev); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkStart(b *testing.B) {
	w := newWorld(b, Options{AWS: quietAWS{}, Schema: testSchema{}}, map[string]string{"index.ts": handlerSource})
	build, err := w.engine.Build(b.Context(), w.fn, nil)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s, err := w.engine.Start(b.Context(), w.fn, build, nil, w.log)
		if err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}

// BenchmarkSaveToAnswer is build, start and first answer after an edit.
func BenchmarkSaveToAnswer(b *testing.B) {
	w := newWorld(b, Options{AWS: quietAWS{}, Schema: testSchema{}}, map[string]string{"index.ts": handlerSource})
	var build function.Build
	for i := 0; b.Loop(); i++ {
		w.write("index.ts", fmt.Sprintf("%s\n// %d", handlerSource, i))
		next, err := w.engine.Build(b.Context(), w.fn, build)
		if err != nil {
			b.Fatal(err)
		}
		build = next
		s, err := w.engine.Start(b.Context(), w.fn, build, nil, w.log)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Invoke(b.Context(), event(`{}`)); err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}

// quietAWS answers everything with nothing and remembers nothing.
type quietAWS struct{}

func (quietAWS) Call(_ context.Context, _, _ string, _, out any) error {
	*out.(*json.RawMessage) = json.RawMessage(`{}`)
	return nil
}
