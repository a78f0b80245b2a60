# An unmodified Python Lambda with boto3, fed by a table's stream as well. Needs Python 3.9 or later; what
# requirements.txt names is installed when the stack first starts.

variable "port" { default = 8080 }
variable "aws_port" { default = 4566 }

stack "python" {
  port = var.aws_port
}

table "scores" {
  hash_key  = "player"
  range_key = "game"
  stream    = "NEW_IMAGE"
}

table "totals" {
  hash_key = "player"
}

function "scores" {
  runtime     = "python3.12"
  source      = "scores"
  handler     = "app.handler"
  environment = { SCORES = table.scores.name, TOTALS = table.totals.name }
}

function "total" {
  runtime     = "python3.12"
  source      = "scores"
  handler     = "total.handler"
  environment = { TOTALS = table.totals.name }

  on "stream" { source = table.scores.stream_arn }
}

api "scores" {
  port = var.port

  route "POST /scores"         { function = function.scores }
  route "GET /totals/{player}" { function = function.scores }
}
