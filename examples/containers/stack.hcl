# The shop's catalog as a Docker image, two containers of it behind one address. The image is FROM scratch and holds one
# static binary: `go build` puts it beside the Dockerfile first (see README.md in this folder).

variable "port" { default = 8080 }
variable "aws_port" { default = 4566 }

stack "containers" {
  port = var.aws_port
}

service "catalog" {
  build       = "catalog"
  port        = 8080
  health      = "/healthz"
  replicas    = 2
  environment = { HOST = "0.0.0.0" } # inside the container; outside it is reached on loopback only
}

api "shop" {
  port = var.port

  route "ANY /catalog/{proxy+}" { service = service.catalog }
}
