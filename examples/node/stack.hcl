# An unmodified Node Lambda: TypeScript, the real AWS SDK v3 from npm. Needs Node 18 or later; `npm ci` first.

variable "port" { default = 8080 }
variable "aws_port" { default = 4566 }

stack "node" {
  port = var.aws_port
}

table "notes" {
  hash_key = "id"
}

function "notes" {
  runtime     = "nodejs22.x"
  source      = "src"
  handler     = "index.handler"
  environment = { TABLE = table.notes.name }
}

api "notes" {
  port = var.port

  route "PUT /notes/{id}" { function = function.notes }
  route "GET /notes/{id}" { function = function.notes }
}
