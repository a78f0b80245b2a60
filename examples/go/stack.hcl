# A Go Lambda as aws-lambda-go wants it, on provided.al2023. devstack builds it, and builds it again when it is saved.

variable "port" { default = 8080 }
variable "aws_port" { default = 4566 }

stack "go" {
  port = var.aws_port
}

function "greet" {
  runtime     = "go"
  source      = "greet"
  environment = { GREETING = "Hello" }
}

api "site" {
  port = var.port

  route "GET /greet/{name}" { function = function.greet }
}
