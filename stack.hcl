# The shop: an order-taking application that shows what a stack is made of. `make up` runs it.
# Every block is described in docs/stack-file.md; README.md walks through this one.

stack "shop" {
  port = var.aws_port
}

# Another value: devstack up --var port=9090
variable "port" { default = 8080 }
variable "aws_port" { default = 4566 }

# Orders by customer, and by status through an index. The stream feeds `tally`.
table "orders" {
  hash_key  = "customer"
  range_key = "id"
  stream    = "NEW_AND_OLD_IMAGES"

  index "by_status" {
    hash_key  = "status"
    range_key = "placed_at"
  }
}

# How much of each product was ordered.
table "totals" {
  hash_key = "product"
}

# Prices, so that the catalog is not asked for each order.
cache "prices" {}

service "catalog" {
  command = ["go", "run", "./examples/shop/catalog"]
  watch   = ["examples/shop/catalog"]
  health  = "/healthz"
}

function "create_order" {
  runtime = "js"
  source  = "examples/shop/functions/create_order.ts"
  timeout = 5
  environment = {
    TABLE       = table.orders.name
    REDIS_URL   = cache.prices.url
    CATALOG_URL = service.catalog.url
  }
}

function "list_orders" {
  runtime     = "js"
  source      = "examples/shop/functions/list_orders.ts"
  environment = { TABLE = table.orders.name }
}

function "tally" {
  runtime     = "js"
  source      = "examples/shop/functions/tally.ts"
  environment = { TABLE = table.totals.name }

  on "stream" { source = table.orders.stream_arn }
}

function "reserve" {
  runtime     = "js"
  source      = "examples/shop/functions/reserve.ts"
  environment = { REDIS_URL = cache.prices.url }
}

function "charge" {
  runtime = "js"
  source  = "examples/shop/functions/charge.ts"
}

# Pays for an order: reserves its lines and charges the customer side by side, then marks the order.
state_machine "checkout" {
  type       = "EXPRESS" # the API waits for the result
  definition = file("examples/shop/checkout.asl.json")
  substitutions = {
    OrdersTable     = table.orders.name
    ReserveFunction = function.reserve.arn
    ChargeFunction  = function.charge.arn
  }
}

api "shop" {
  port = var.port

  route "POST /orders"           { function = function.create_order }
  route "GET /orders"            { function = function.list_orders }
  route "GET /orders/{customer}" { function = function.list_orders }
  route "POST /checkout"         { state_machine = state_machine.checkout }
  route "ANY /catalog/{proxy+}"  { service = service.catalog }
}
