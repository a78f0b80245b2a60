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
			{name: "timeout", kind: integer, fallback: "3", min: 1, max: 900, doc: "Seconds that one event may take."},
			{name: "memory", kind: integer, fallback: "128", min: 128, max: 10240, doc: "MiB."},
			{name: "concurrency", kind: integer, min: 0, max: 1000, doc: "Reserved concurrency: how many events it may work on at once; further ones are answered 429. 0 turns the function off. Not given, no limit of its own."},
		},
		blocks: []*blockSchema{{
			name: "on", label: "TYPE", doc: "An event source. TYPE is `stream`: a table's stream.",
			attributes: []attribute{
				{name: "source", required: true, doc: "ARN of the source: `table.NAME.stream_arn`."},
				{name: "batch_size", kind: integer, fallback: "100", min: 1, max: 10000, doc: "Most records in one event."},
				{name: "starting_position", fallback: "TRIM_HORIZON", oneOf: []string{"TRIM_HORIZON", "LATEST"}, doc: "Where in the stream to begin when the mapping is new."},
				{name: "filters", kind: documents, doc: "Event patterns; a record that matches none is left out. At most 10."},
			},
		}},
		exports: []export{{"name", "Function name."}, {"arn", "ARN of the function."}},
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
			{name: "command", kind: texts, doc: "Program and arguments of a process. Beside `image` or `build` it replaces the image's command."},
			{name: "dir", doc: "Working directory of a process, relative to the stack. Defaults to the stack's folder."},
			{name: "port", kind: integer, min: 1, max: 65535, doc: "Port on which the program listens; it is told so in `PORT`. A container must say it; a process is told a free one if it does not."},
			{name: "health", doc: "Path that answers 2xx when an instance is healthy. Not given, an instance is healthy when it accepts connections."},
			{name: "replicas", kind: integer, fallback: "1", min: 1, max: 100, doc: "Instances that run at once."},
			{name: "environment", kind: textMap, doc: "Environment variables."},
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
			{
				name: "cors", once: true, doc: "Cross-origin access: the API answers preflight requests by itself.",
				attributes: []attribute{
					{name: "allow_origins", kind: texts, required: true, doc: "Origins, or `*`."},
					{name: "allow_methods", kind: texts, doc: "Methods, or `*`."},
					{name: "allow_headers", kind: texts, doc: "Request headers, or `*`."},
					{name: "expose_headers", kind: texts, doc: "Response headers that a page may read."},
					{name: "allow_credentials", kind: boolean, fallback: "false", doc: "Lets cookies and the like pass; not with the origin `*`."},
					{name: "max_age", kind: integer, min: 0, max: 86400, fallback: "0", doc: "Seconds that a browser may keep a preflight's answer."},
				},
			},
		},
		exports: []export{{"name", "API name."}, {"url", "`http://127.0.0.1:PORT`."}, {"port", "Its port."}},
	}
}
