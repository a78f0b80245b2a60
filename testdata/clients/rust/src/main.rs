// A function on AWS's runtime client for Rust: it does what the event asks for.
use lambda_runtime::streaming::{channel, Body, Response};
use lambda_runtime::{service_fn, Error, LambdaEvent};
use serde_json::{json, Value};

async fn whole(event: LambdaEvent<Value>) -> Result<Value, Error> {
    match event.payload["do"].as_str() {
        Some("throw") => Err("boom".into()),
        Some("context") => Ok(json!({
            "request": event.context.request_id,
            "arn": event.context.invoked_function_arn,
            "client": event.context.client_context.map(|c| c.custom),
            "identity": event.context.identity.map(|i| i.identity_id),
            "tenant": event.context.tenant_id,
        })),
        _ => Ok(event.payload["value"].clone()),
    }
}

async fn streamed(_: LambdaEvent<Value>) -> Result<Response<Body>, Error> {
    let (mut tx, rx) = channel();
    tokio::spawn(async move {
        for piece in ["one", "two", "three"] {
            if tx.send_data(piece.into()).await.is_err() {
                return;
            }
        }
    });
    Ok(Response::from(rx))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    match std::env::var("MODE").as_deref() {
        Ok("init") => panic!("bad init"),
        Ok("stream") => lambda_runtime::run(service_fn(streamed)).await,
        _ => lambda_runtime::run(service_fn(whole)).await,
    }
}
