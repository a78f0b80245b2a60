package config

func functionSchema() *blockSchema {
	return &blockSchema{
		name: "function", label: "NAME", resource: true,
		doc: "A Lambda function. It is built and started again as its files are saved.",
		example: `function "create_order" {
  runtime     = "js"
  source      = "functions/create_order.ts"
  environment = { TABLE = table.orders.name }
}`,
		attributes: []attribute{
			{name: "name", early: true, doc: "Function name. Defaults to the label."},
			{name: "runtime", doc: "Required unless `image` or `build` is given. " + runtimesDoc()},
			{name: "source", doc: "File of the handler or folder with it, relative to the stack. Required unless the function is an image."},
			{name: "handler", doc: "`module.export` as in AWS. Not given, the runtime's default."},
			{name: "image", doc: "Container image that speaks the Lambda Runtime API."},
			{name: "build", doc: "Folder with the Dockerfile of such an image."},
			{name: "description", doc: "At most 256 characters."},
			{name: "environment", kind: textMap, doc: "Environment variables, 4 KB in all. Those that Lambda reserves are refused."},
			envFileAttribute(),
			{name: "timeout", kind: integer, fallback: "3", min: 1, max: 900, doc: "Seconds that one event may take."},
			{name: "memory", kind: integer, fallback: "128", min: 128, max: 10240, doc: "MiB."},
			{name: "concurrency", kind: integer, min: 0, max: 1000, doc: "Reserved concurrency: how many events it may work on at once; further ones are answered 429. 0 turns the function off. Not given, no limit of its own."},
			{name: "provisioned_concurrency", kind: integer, fallback: "0", min: 0, max: 1000, doc: "How many execution environments are kept started ahead of calls."},
			{name: "layers", kind: texts, doc: "Folders or zip archives whose contents are under `/opt`, relative to the stack; a later one over an earlier. At most 5. A change of one reloads the function."},
			{name: "ephemeral_storage", kind: integer, fallback: "512", min: 512, max: 10240, doc: "MiB of `/tmp`."},
			{name: "log_format", fallback: "Text", oneOf: []string{"Text", "JSON"}, doc: "How Lambda writes its own log lines, and the runtime the function's."},
			{name: "application_log_level", oneOf: []string{"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"}, doc: "With `JSON` only: the least level of the function's own lines. Defaults to `INFO`."},
			{name: "system_log_level", oneOf: []string{"DEBUG", "INFO", "WARN"}, doc: "With `JSON` only: the least level of Lambda's lines. Defaults to `INFO`."},
			{name: "tracing", fallback: "PassThrough", oneOf: []string{"PassThrough", "Active"}, doc: "`Active` has Lambda's lines name the trace of each invocation, as on AWS. `devstack trace` shows all of them anyway."},
			{name: "log_group", doc: "CloudWatch log group. Defaults to `/aws/lambda/` and the function's name."},
			{name: "entry_point", kind: texts, doc: "Of an image: program and first arguments, instead of the image's `ENTRYPOINT`."},
			{name: "command", kind: texts, doc: "Of an image: arguments, instead of the image's `CMD`."},
			{name: "working_directory", doc: "Of an image: where the program starts, instead of the image's `WORKDIR`."},
			{name: "dead_letter", doc: "ARN of a queue or topic for events that failed. Neither service is emulated yet, so that it is refused."},
			{name: "tags", kind: textMap, doc: "Tags."},
		},
		blocks: []*blockSchema{{
			name: "url", once: true, doc: "An address of the function's own, at which it is called over HTTP: `function.NAME.url`.",
			attributes: []attribute{
				{name: "auth", fallback: "NONE", oneOf: []string{"NONE", "AWS_IAM"}, doc: "Who may call it: anybody, or who signs."},
				{name: "stream", kind: boolean, fallback: "false", doc: "Streams responses (the invoke mode `RESPONSE_STREAM`)."},
			},
			blocks: []*blockSchema{corsSchema("Cross-origin access: the URL answers preflight requests by itself.")},
		}, {
			name: "async", once: true, doc: "What becomes of events that nobody waits for.",
			attributes: []attribute{
				{name: "max_retries", kind: integer, min: 0, max: 2, doc: "How often an event is tried again that the function failed at. Defaults to 2."},
				{name: "max_age", kind: integer, min: 60, max: 21600, doc: "Seconds after which an event is given up. Defaults to 21600."},
				{name: "on_success", doc: "ARN of the function that is told of an event's success: `function.NAME.arn`. Queues, topics and event buses come with their services."},
				{name: "on_failure", doc: "ARN of the function that is told of an event that was given up, as `on_success`."},
			},
		}, {
			name: "on", label: "TYPE", doc: "An event source. TYPE is `stream`: a table's stream.",
			attributes: []attribute{
				{name: "source", required: true, doc: "ARN of the source: `table.NAME.stream_arn`."},
				{name: "batch_size", kind: integer, fallback: "100", min: 1, max: 10000, doc: "Most records in one event."},
				{name: "starting_position", fallback: "TRIM_HORIZON", oneOf: []string{"TRIM_HORIZON", "LATEST"}, doc: "Where in the stream to begin when the mapping is new."},
				{name: "filters", kind: documents, doc: "Event patterns; a record that matches none is left out. At most 10."},
				{name: "batch_window", kind: integer, fallback: "0", min: 0, max: 300, doc: "Seconds that records are gathered for a batch."},
				{name: "max_retries", kind: integer, fallback: "-1", min: -1, max: 10000, doc: "How often a batch is tried again that failed; -1 until its records are too old."},
				{name: "max_age", kind: integer, fallback: "-1", min: -1, max: 604800, doc: "Seconds, at least 60, after which a record is left out; -1 never."},
				{name: "bisect", kind: boolean, fallback: "false", doc: "Splits a batch that failed in two and tries each."},
				{name: "report_item_failures", kind: boolean, fallback: "false", doc: "The function answers which records failed (`batchItemFailures`), and only those from the first on are tried again."},
				{name: "parallelization", kind: integer, fallback: "1", min: 1, max: 10, doc: "Batches of one shard that are handled at once."},
				{name: "tumbling_window", kind: integer, fallback: "0", min: 0, max: 900, doc: "Seconds over which the function keeps a state."},
				{name: "on_failure", doc: "ARN of a queue, topic or bucket for batches that are given up. None of these services is emulated yet, so that it is refused."},
				{name: "enabled", kind: boolean, fallback: "true", doc: "Whether records are delivered."},
			},
		}},
		exports: []export{{"name", "Function name."}, {"arn", "ARN of the function."}, {"url", "URL of the function; only with a `url` block."}},
	}
}

func serviceSchema() *blockSchema {
	return &blockSchema{
		name: "service", label: "NAME", resource: true,
		doc: "A long-running program: a container (`image` or `build`) or a process (`command`), behind an address that stays the same while instances come and go.",
		example: `service "catalog" {
  command     = ["go", "run", "."]
  dir         = "services/catalog"
  health      = "/healthz"
  environment = { TABLE = table.orders.name }
}`,
		attributes: []attribute{
			{name: "name", early: true, doc: "Defaults to the label."},
			{name: "image", doc: "Container image."},
			{name: "build", doc: "Folder with a Dockerfile, relative to the stack."},
			{name: "command", kind: texts, doc: "Program and arguments of a process. Beside `image` or `build` it replaces the image's command. A process has a `GOTMPDIR` of its own, which is removed with it: what `go run` builds does not stay behind."},
			{name: "dir", doc: "Working directory of a process, relative to the stack. Defaults to the stack's folder."},
			{name: "port", kind: integer, min: 1, max: 65535, doc: "Port on which the program listens; it is told so in `PORT`. A container must say it; a process is told a free one if it does not."},
			{name: "health", doc: "Path that answers 2xx when an instance is healthy. Not given, an instance is healthy when it accepts connections."},
			{name: "replicas", kind: integer, fallback: "1", min: 1, max: 100, doc: "Instances that run at once."},
			{name: "environment", kind: textMap, doc: "Environment variables."},
			envFileAttribute(),
			{name: "watch", kind: texts, doc: "Files and folders whose change restarts it, relative to the stack. Defaults to `dir` or `build`, without the stack's own files, functions' sources and the folders of other services. Inside a folder, what programs write does not count: logs, databases and temporary files (`.log`, `.db`, `.sqlite`, `.tmp`, `.pid`, …), `tmp`, `log`, `logs`, `target`, `coverage`, `venv`, `node_modules`, and folders that begin with a dot; nor does a save that leaves the content as it was. A file that is named here always counts."},
		},
		exports: []export{
			{"name", "The service's name."}, {"url", "`http://127.0.0.1:PORT` of the proxy in front of its instances."},
			{"host", "`127.0.0.1`."}, {"port", "Port of that proxy."},
		},
	}
}

func apiSchema() *blockSchema {
	return &blockSchema{
		name: "api", label: "NAME", resource: true,
		doc: "An API Gateway HTTP API on a port of its own.",
		example: `api "shop" {
  port = 8080
  route "POST /orders"          { function      = function.create_order }
  route "POST /checkout"        { state_machine = state_machine.checkout }
  route "ANY /catalog/{proxy+}" { service       = service.catalog }
}`,
		attributes: []attribute{
			{name: "name", early: true, doc: "API name. Defaults to the label."},
			{name: "port", kind: integer, early: true, min: 1, max: 65535, doc: "Port on 127.0.0.1. Not given, a free one that stays the same."},
			{name: "tags", kind: textMap, doc: "Tags."},
		},
		blocks: []*blockSchema{
			{
				name: "route", label: "KEY",
				doc: "A route and the one target that answers it. KEY is `METHOD /path` or `$default`; METHOD may be `ANY`, a part of the path `{name}`, the last part `{name+}`.",
				attributes: []attribute{
					{name: "function", kind: target, of: "function", doc: "Function that gets the request as an event of format 2.0."},
					{name: "state_machine", kind: target, of: "state_machine", doc: "State machine that is started with the request's body. An `EXPRESS` one answers with its result, a `STANDARD` one with its execution's ARN."},
					{name: "service", kind: target, of: "service", doc: "Service that gets the request, path included."},
					{name: "url", doc: "HTTP server that gets the request: the route's path is added, unless the URL has a `{name}` of its own."},
					{name: "timeout_ms", kind: integer, fallback: "30000", min: 50, max: 30000, doc: "Milliseconds until the API answers 504 by itself."},
				},
			},
			corsSchema("Cross-origin access: the API answers preflight requests by itself."),
		},
		exports: []export{{"name", "API name."}, {"url", "`http://127.0.0.1:PORT`."}, {"port", "Its port."}},
	}
}

func corsSchema(doc string) *blockSchema {
	return &blockSchema{
		name: "cors", once: true, doc: doc,
		attributes: []attribute{
			{name: "allow_origins", kind: texts, required: true, doc: "Origins, or `*`."},
			{name: "allow_methods", kind: texts, doc: "Methods, or `*`."},
			{name: "allow_headers", kind: texts, doc: "Request headers, or `*`."},
			{name: "expose_headers", kind: texts, doc: "Response headers that a page may read."},
			{name: "allow_credentials", kind: boolean, fallback: "false", doc: "Lets cookies and the like pass; not with the origin `*`."},
			{name: "max_age", kind: integer, min: 0, max: 86400, fallback: "0", doc: "Seconds that a browser may keep a preflight's answer."},
		},
	}
}

func envFileAttribute() attribute {
	return attribute{name: "env_file", kind: oneOrMore, doc: "Files of environment variables (`.env`), relative to the stack, a later one over an earlier; `environment` is over both. A line is `NAME=value`, with `export` before it or not; a value may be in quotes, over several lines too; `#` begins a comment. Nothing is substituted. A save is applied as one of the stack file is."}
}
