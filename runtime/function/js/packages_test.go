package js

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"devstack/internal/clock"
)

// packagesDir has the packages that TestPackages is about, in node_modules.
func packagesDir(t testing.TB) string {
	dir, err := filepath.Abs("testdata/packages")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("the packages are not installed: testdata/prepare.sh does it")
	}
	return dir
}

// Packages that handlers use, unmodified, each by what it is known for. A handler answers true.
func TestPackages(t *testing.T) {
	dir := packagesDir(t)
	for _, tt := range []struct{ name, source string }{
		{"zod", `import { z } from "zod"; const S = z.object({ id: z.string().uuid(), n: z.number().int().positive().default(3), e: z.string().email().optional(), d: z.coerce.date() });
export const handler = async () => { const r = S.safeParse({ id: "x", d: "2026-01-02" }); const ok = S.parse({ id: "11111111-2222-4333-8444-555555555555", d: "2026-01-02" }); return !r.success && r.error.issues[0].path[0] === "id" && ok.n === 3 && ok.d.getUTCFullYear() === 2026 }`},
		{"lodash", `import _ from "lodash"; export const handler = async () => _.chunk([1, 2, 3], 2).length === 2 && _.get({ a: [{ b: 1 }] }, "a[0].b") === 1 && _.camelCase("foo bar") === "fooBar" && _.isEqual(_.merge({ a: { b: 1 } }, { a: { c: 2 } }), { a: { b: 1, c: 2 } }) && _.template("x<%= a %>")({ a: 1 }) === "x1"`},
		{"lodash-es", `import { groupBy, debounce, deburr } from "lodash-es"; export const handler = async () => groupBy([1, 2], (x) => x % 2)[1][0] === 1 && deburr("é") === "e" && typeof debounce(() => {}) === "function"`},
		{"date-fns", `import { addDays, format, parseISO, differenceInHours, formatDistance } from "date-fns"; export const handler = async () => format(addDays(parseISO("2026-01-30T10:00:00Z"), 2), "yyyy-MM-dd HH:mm EEE") === "2026-02-01 10:00 Sun" && differenceInHours(new Date(7200000), new Date(0)) === 2 && formatDistance(0, 86400000) === "1 day"`},
		{"dayjs", `import dayjs from "dayjs"; import utc from "dayjs/plugin/utc.js"; import relativeTime from "dayjs/plugin/relativeTime.js"; dayjs.extend(utc); dayjs.extend(relativeTime); export const handler = async () => dayjs.utc("2026-01-31").add(1, "month").format("YYYY-MM-DD") === "2026-02-28" && dayjs(0).from(dayjs(3600000)) === "an hour ago"`},
		{"dayjs with time zones", `import dayjs from "dayjs"; import utc from "dayjs/plugin/utc"; import timezone from "dayjs/plugin/timezone"; dayjs.extend(utc); dayjs.extend(timezone); export const handler = async () => dayjs.utc("2026-07-01T12:00:00Z").tz("America/New_York").format("YYYY-MM-DD HH:mm") === "2026-07-01 08:00" && dayjs.tz("2026-01-01 00:00", "Europe/Berlin").toISOString() === "2025-12-31T23:00:00.000Z"`},
		{"date-fns-tz", `import { formatInTimeZone, fromZonedTime } from "date-fns-tz"; export const handler = async () => formatInTimeZone(new Date("2026-07-01T12:00:00Z"), "America/New_York", "yyyy-MM-dd HH:mm zzz") === "2026-07-01 08:00 EDT" && fromZonedTime("2026-01-01 00:00", "Europe/Berlin").toISOString() === "2025-12-31T23:00:00.000Z"`},
		{"luxon", `import { DateTime, Interval } from "luxon"; export const handler = async () => DateTime.fromISO("2026-07-01T12:00:00Z", { zone: "America/New_York" }).toFormat("yyyy-LL-dd HH:mm ZZZZ") === "2026-07-01 08:00 EDT" && DateTime.utc(2026, 1, 31).plus({ months: 1 }).toISODate() === "2026-02-28" && DateTime.utc(2026, 1, 2).toLocaleString(DateTime.DATE_MED) === "Jan 2, 2026"`},
		{"uuid", `import { v4, v5, v7, validate } from "uuid"; export const handler = async () => validate(v4()) && validate(v7()) && v5("a", v5.URL) === v5("a", v5.URL)`},
		{"nanoid", `import { nanoid, customAlphabet } from "nanoid"; export const handler = async () => nanoid().length === 21 && /^[ab]{5}$/.test(customAlphabet("ab", 5)())`},
		{"ulid", `import { ulid, decodeTime } from "ulid"; export const handler = async () => decodeTime(ulid(1469918176385)) === 1469918176385`},
		{"ajv", `import Ajv from "ajv"; import addFormats from "ajv-formats"; const ajv = new Ajv({ allErrors: true }); addFormats(ajv); const v = ajv.compile({ type: "object", required: ["a"], properties: { a: { type: "integer", minimum: 1 }, e: { type: "string", format: "email" } }, additionalProperties: false }); export const handler = async () => v({ a: 1, e: "a@b.cd" }) && !v({ a: 0, e: "x", z: 1 }) && v.errors!.length === 3`},
		{"jose", `import { SignJWT, jwtVerify, generateKeyPair, exportJWK, importJWK, createLocalJWKSet, EncryptJWT, jwtDecrypt } from "jose"; export const handler = async () => { const secret = new TextEncoder().encode("k".repeat(32)); const t = await new SignJWT({ a: 1 }).setProtectedHeader({ alg: "HS256" }).setExpirationTime("1h").sign(secret); const { payload } = await jwtVerify(t, secret); const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true }); const e = await new SignJWT({ b: 2 }).setProtectedHeader({ alg: "ES256", kid: "1" }).sign(privateKey); const keys = createLocalJWKSet({ keys: [{ ...await exportJWK(publicKey), kid: "1", alg: "ES256" }] }); const enc = await new EncryptJWT({ c: 3 }).setProtectedHeader({ alg: "dir", enc: "A256GCM" }).encrypt(secret); try { await jwtVerify(t + "x", secret); return false } catch (err: any) { return payload.a === 1 && (await jwtVerify(e, keys)).payload.b === 2 && (await jwtDecrypt(enc, secret)).payload.c === 3 && err.code === "ERR_JWS_SIGNATURE_VERIFICATION_FAILED" } }`},
		{"jsonwebtoken", `import jwt from "jsonwebtoken"; import { generateKeyPairSync } from "crypto"; const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048, publicKeyEncoding: { type: "spki", format: "pem" }, privateKeyEncoding: { type: "pkcs8", format: "pem" } }); const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }); export const handler = async () => { const a: any = jwt.verify(jwt.sign({ x: 1 }, "secret", { expiresIn: "1h" }), "secret"); const b: any = jwt.verify(jwt.sign({ x: 2 }, privateKey, { algorithm: "RS256" }), publicKey); const c: any = jwt.verify(jwt.sign({ x: 3 }, ec.privateKey, { algorithm: "ES256" }), ec.publicKey); const d: any = jwt.verify(jwt.sign({ x: 4 }, privateKey, { algorithm: "PS256" }), publicKey); try { jwt.verify(jwt.sign({}, "a"), "b") } catch (e: any) { return a.x + b.x + c.x + d.x === 10 && e.message === "invalid signature" } }`},
		{"aws-jwt-verify", `import { CognitoJwtVerifier } from "aws-jwt-verify"; const v = CognitoJwtVerifier.create({ userPoolId: "us-east-1_abcdefghi", tokenUse: "access", clientId: "c" }); export const handler = async () => { try { await v.verify("a.b.c") } catch (e: any) { return /Invalid JWT/.test(e.message) } }`},
		{"middy", `import middy from "@middy/core"; import body from "@middy/http-json-body-parser"; export const handler = middy().use(body()).use({ after: (r) => { r.response.extra = 1 }, onError: (r) => { r.response = "failed" } }).handler(async (e: any) => { return { ok: true, n: e.body.n } })
`},
		{"powertools logger", `import { Logger } from "@aws-lambda-powertools/logger"; const logger = new Logger({ serviceName: "s" }); export const handler = async (e: any, c: any) => { logger.addContext(c); logger.appendKeys({ k: 1 }); logger.info("hello", { extra: 2 }); logger.error("bad", new Error("boom")); return true }`},
		{"powertools metrics", `import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics"; const m = new Metrics({ namespace: "n", serviceName: "s" }); export const handler = async () => { m.addMetric("a", MetricUnit.Count, 1); m.publishStoredMetrics(); return true }`},
		{"powertools tracer", `import { Tracer } from "@aws-lambda-powertools/tracer"; const t = new Tracer({ serviceName: "s", enabled: false }); export const handler = async () => { t.putAnnotation("a", 1); return t.isTracingEnabled() === false }`},
		{"joi", `import Joi from "joi"; const s = Joi.object({ a: Joi.number().min(1).required(), e: Joi.string().email() }); export const handler = async () => s.validate({ a: "2" }).value.a === 2 && s.validate({ e: "x" }, { abortEarly: false }).error!.details.length === 2`},
		{"yup", `import * as yup from "yup"; const s = yup.object({ a: yup.number().required().positive(), e: yup.string().email() }); export const handler = async () => (await s.validate({ a: "3" })).a === 3 && !(await s.isValid({ e: "x" }))`},
		{"valibot", `import * as v from "valibot"; const S = v.object({ e: v.pipe(v.string(), v.email()) }); export const handler = async () => v.parse(S, { e: "a@b.cd" }).e === "a@b.cd" && !v.safeParse(S, { e: "x" }).success`},
		{"class-validator", `import "reflect-metadata"; import { IsInt, IsEmail, validate } from "class-validator"; import { plainToInstance } from "class-transformer"; class D { a: any; e: any } IsInt()(D.prototype, "a"); IsEmail()(D.prototype, "e"); export const handler = async () => (await validate(plainToInstance(D, { a: 1, e: "x" }))).length === 1`},
		{"immer", `import { produce } from "immer"; export const handler = async () => { const a = { b: [1], c: {} }; const n = produce(a, (d) => { d.b.push(2) }); return n.b.length === 2 && a.b.length === 1 && n.c === a.c }`},
		{"ramda", `import * as R from "ramda"; export const handler = async () => R.pipe(R.map((x: number) => x * 2), R.sum)([1, 2]) === 6 && R.path(["a", "b"], { a: { b: 1 } }) === 1`},
		{"rxjs", `import { from, firstValueFrom, toArray, mergeMap, timer, map } from "rxjs"; export const handler = async () => (await firstValueFrom(from([1, 2]).pipe(mergeMap((x) => timer(1).pipe(map(() => x * 2))), toArray()))).sort().join() === "2,4"`},
		{"mathjs", `import { evaluate, matrix, multiply } from "mathjs"; export const handler = async () => evaluate("sqrt(16) + 2^3") === 12 && (multiply(matrix([[1, 2]]), matrix([[3], [4]])) as any).get([0, 0]) === 11`},
		{"decimal.js", `import Decimal from "decimal.js"; export const handler = async () => new Decimal("0.1").plus("0.2").eq("0.3") && Decimal.sqrt(2).toFixed(5) === "1.41421"`},
		{"fast-xml-parser", `import { XMLParser, XMLBuilder } from "fast-xml-parser"; export const handler = async () => new XMLParser({ ignoreAttributes: false }).parse("<a x='1'><b>2</b></a>").a["@_x"] === "1" && new XMLBuilder().build({ a: { b: 2 } }) === "<a><b>2</b></a>"`},
		{"handlebars", `import Handlebars from "handlebars"; Handlebars.registerHelper("up", (s) => s.toUpperCase()); const t = Handlebars.compile("Hi {{up name}}{{#each l}} {{this}}{{/each}}"); export const handler = async () => t({ name: "a", l: [1, 2] }) === "Hi A 1 2"`},
		{"mustache", `import Mustache from "mustache"; export const handler = async () => Mustache.render("{{#l}}<{{.}}>{{/l}}{{{h}}}", { l: [1, 2], h: "<b>" }) === "<1><2><b>"`},
		{"hono", `import { Hono } from "hono"; import { handle } from "hono/aws-lambda"; import { cors } from "hono/cors"; const app = new Hono(); app.use(cors()); app.post("/a/:id", async (c) => c.json({ id: c.req.param("id"), b: (await c.req.json()).x }, 201)); const h = handle(app); export const handler = async (e: any, c: any) => { const r: any = await h({ version: "2.0", routeKey: "$default", rawPath: "/a/7", rawQueryString: "", headers: { "content-type": "application/json", host: "h" }, requestContext: { http: { method: "POST", path: "/a/7" }, domainName: "h" }, body: '{"x":1}', isBase64Encoded: false } as any, c); return r.statusCode === 201 && JSON.parse(r.body).id === "7" && r.headers["access-control-allow-origin"] === "*" }`},
		{"express by serverless-http", `import express from "express"; import serverless from "serverless-http"; const app = express(); app.use(express.json()); app.post("/a/:id", (q, r) => { r.status(201).json({ id: q.params.id, b: q.body.x, q: q.query.y }) }); const h = serverless(app); export const handler = async (e: any, c: any) => { const r: any = await h({ httpMethod: "POST", path: "/a/7", headers: { "content-type": "application/json" }, queryStringParameters: { y: "2" }, body: '{"x":1}', requestContext: {} }, c); return r.statusCode === 201 && r.body === '{"id":"7","b":1,"q":"2"}' || r }`},
		{"fastify", `import Fastify from "fastify"; import lambda from "@fastify/aws-lambda"; const app = Fastify(); app.get("/a/:id", async (r: any) => ({ id: r.params.id, q: r.query.x })); const h = lambda(app); export const handler = async (e: any, c: any) => { const r: any = await h({ version: "2.0", routeKey: "$default", rawPath: "/a/7", rawQueryString: "x=1", queryStringParameters: { x: "1" }, headers: { host: "h" }, requestContext: { http: { method: "GET", path: "/a/7" }, stage: "$default" }, isBase64Encoded: false } as any, c); return r.statusCode === 200 && r.body === '{"id":"7","q":"1"}' || r }`},
		{"koa", `import Koa from "koa"; import { IncomingMessage, ServerResponse } from "http"; const app = new Koa(); app.use(async (ctx: any) => { ctx.status = 201; ctx.body = { path: ctx.path } }); export const handler = async () => { const q: any = new IncomingMessage({} as any); q.url = "/a"; q.method = "GET"; const r: any = new ServerResponse(q); const done = new Promise((ok) => r.on("finish", ok)); app.callback()(q, r); await done; return r.statusCode === 201 && r.getHeader("content-type") === "application/json; charset=utf-8" || [r.statusCode, r.getHeaders()] }`},
		{"express by @codegenie/serverless-express", `import express from "express"; import serverless from "@codegenie/serverless-express"; const app = express(); app.use(express.json()); app.post("/a", (q, r) => { r.json({ got: q.body.n, cookie: q.headers.cookie }) }); const h: any = serverless({ app }); export const handler = async (e: any, c: any) => { const r: any = await h({ version: "2.0", routeKey: "$default", rawPath: "/a", rawQueryString: "", headers: { "content-type": "application/json", host: "h" }, requestContext: { http: { method: "POST", path: "/a" }, stage: "$default" }, body: '{"n":5}', isBase64Encoded: false }, c); return r.body === '{"got":5}' || r }`},
		{"cheerio", `import * as cheerio from "cheerio"; export const handler = async () => cheerio.load("<p class=a>x</p>")(".a").text() === "x"`},
		{"effect", `import { Effect, Schedule } from "effect"; export const handler = async () => (await Effect.runPromise(Effect.all([Effect.succeed(1), Effect.promise(async () => 2)], { concurrency: 2 })))[1] === 2 && Schedule !== undefined`},
		{"powertools idempotency", `import { makeIdempotent, IdempotencyConfig } from "@aws-lambda-powertools/idempotency"; import { DynamoDBPersistenceLayer } from "@aws-lambda-powertools/idempotency/dynamodb"; let runs = 0; const pay = makeIdempotent(async (e: any) => ({ paid: e.n, runs: ++runs }), { persistenceStore: new DynamoDBPersistenceLayer({ tableName: "t" }), config: new IdempotencyConfig({}) }); export const handler = async () => { const r: any = await pay({ n: 3 }); return r.paid === 3 && r.runs === 1 }`},
		{"axios", `import axios from "axios"; export const handler = async () => { try { await axios.get("http://127.0.0.1:1/x", { timeout: 100 }) } catch (e: any) { return e.code === "ECONNREFUSED" && axios.isAxiosError(e) || [e.code, e.message] } }`},
		{"bcryptjs", `import bcrypt from "bcryptjs"; export const handler = async () => bcrypt.compareSync("a", bcrypt.hashSync("a", 4)) && (await bcrypt.hash("a", 4)).length === 60`},
		{"qs", `import qs from "qs"; export const handler = async () => qs.stringify({ a: { b: [1, 2] } }, { encode: false }) === "a[b][0]=1&a[b][1]=2" && qs.parse("a[b]=1").a.b === "1"`},
		{"superjson", `import superjson from "superjson"; export const handler = async () => superjson.parse<any>(superjson.stringify({ d: new Date(0), m: new Map([[1, 2]]) })).m.get(1) === 2`},
		{"pino", `import pino from "pino"; const log = pino({ level: "info" }); export const handler = async () => { log.info({ a: 1 }, "hello"); return true }`},
		{"csv-parse", `import { parse } from "csv-parse/sync"; import { parse as stream } from "csv-parse"; import { Readable } from "stream"; export const handler = async () => { const rows: any[] = []; for await (const r of Readable.from(["a,b\n", "1,2\n"]).pipe(stream({ columns: true }))) rows.push(r); return parse("a,b\n1,2", { columns: true })[0].b === "2" && rows[0].a === "1" }`},
		{"js-yaml", `import * as yaml from "js-yaml"; export const handler = async () => (yaml.load("a: [1, {b: x}]\nd: 2026-01-02") as any).a[1].b === "x"`},
		{"graphql", `import { graphql, buildSchema } from "graphql"; export const handler = async () => (await graphql({ schema: buildSchema("type Query { a(x: Int): Int }"), source: "{ a(x: 2) }", rootValue: { a: ({ x }) => x + 1 } })).data!.a === 3`},
		{"electrodb", `import { Entity } from "electrodb"; import { DynamoDBClient } from "@aws-sdk/client-dynamodb"; const E = new Entity({ model: { entity: "e", version: "1", service: "s" }, attributes: { id: { type: "string" }, n: { type: "number" } }, indexes: { p: { pk: { field: "pk", composite: ["id"] }, sk: { field: "sk", composite: [] } } } }, { table: "t", client: new DynamoDBClient({}) }); export const handler = async () => { await E.put({ id: "1", n: 2 }).go(); return true }`},
		{"dynamodb-toolbox", `import { Table, Entity, item, string, number, PutItemCommand } from "dynamodb-toolbox"; import { DynamoDBClient } from "@aws-sdk/client-dynamodb"; import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb"; const T = new Table({ name: "t", partitionKey: { name: "pk", type: "string" }, documentClient: DynamoDBDocumentClient.from(new DynamoDBClient({})) }); const E = new Entity({ name: "E", table: T, schema: item({ pk: string().key(), n: number() }) }); export const handler = async () => { await E.build(PutItemCommand).item({ pk: "1", n: 2 }).send(); return true }`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			source, err := os.MkdirTemp(dir, "fn-")
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(source)
			w := newWorld(t, Options{AWS: quietAWS{}, Schema: testSchema{}, Clock: clock.System()}, map[string]string{})
			w.fn.Source = filepath.Join(source, "index.ts")
			w.engine.opts.Dir = dir
			w.env = []string{"AWS_REGION=us-east-1", "AWS_LAMBDA_FUNCTION_NAME=test", "AWS_EXECUTION_ENV=AWS_Lambda_nodejs22.x"}
			if err := os.WriteFile(w.fn.Source, []byte(tt.source), 0o644); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			s, err := w.start()
			if err != nil {
				t.Fatal(err)
			}
			got, err := call(t, s, `{"headers":{"Content-Type":"application/json"},"body":"{\"n\":1}"}`)
			if err != nil || got != "true" && got != `{"ok":true,"n":1,"extra":1}` {
				t.Errorf("got %s, %v\n%s", got, err, w.lines())
			}
			t.Log(time.Since(began))
		})
	}
}
