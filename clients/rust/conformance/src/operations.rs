//! The calls that run beside each other.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use slotd::v1::{
    DeleteRequest, GetRequest, JobView, ListRequest, ListResponse, ReadOutputRequest, SubmitRequest, SubmitResponse,
    WaitRequest,
};
use slotd::{Client, Content};
use tokio::time::timeout;

use crate::answer::Failure;
use crate::messages::{enum_value, parse, print};
use crate::{echo, measure, seconds, text};

type Answer = Result<Value, Failure>;

/// Makes one call.
pub async fn run(client: &Client, call: &Value) -> Answer {
    match call["op"].as_str().unwrap_or_default() {
        "submit" => submit(client, call).await,
        "submit_batch" => submit_batch(client, call).await,
        "get" => get(client, call).await,
        "list" => list(client, call).await,
        "list_page" => print(&client.list_page(parse::<ListRequest>(&call["request"])?).await?),
        "wait" => wait(client, call).await,
        "cancel" => print(&client.cancel(text(call, "job_id")?).await?),
        "retry" => print(&client.retry(text(call, "job_id")?).await?),
        "delete" => delete(client, call).await,
        "output" => output(client, call).await,
        "payload" => payload(client, call).await,
        "measure" => measure::run(client, call).await,
        "echo_message" => echo::message(text(call, "type")?, &call["json"]),
        other => Err(Failure::cannot(format!("no operation {other:?}"))),
    }
}

async fn submit(client: &Client, call: &Value) -> Answer {
    let client = client.clone().with_traceparent(call["traceparent"].as_str().unwrap_or_default());
    let submitted = client.submit(parse::<SubmitRequest>(&call["request"])?).await?;
    print(&SubmitResponse { job: Some(submitted.job), cursor: submitted.cursor })
}

async fn submit_batch(client: &Client, call: &Value) -> Answer {
    let requests = call["requests"].as_array().map_or(&[][..], Vec::as_slice);
    let requests = requests.iter().map(parse::<SubmitRequest>).collect::<Result<Vec<_>, _>>()?;
    print(&client.submit_batch(requests).await?)
}

async fn get(client: &Client, call: &Value) -> Answer {
    let id = text(call, "job_id")?.to_owned();
    let view = enum_value(&call["view"], JobView::from_str_name)?;
    print(&client.get(GetRequest { id, view }).await?)
}

async fn list(client: &Client, call: &Value) -> Answer {
    let mut found = client.list(parse::<ListRequest>(&call["request"])?);
    let mut jobs = vec![];
    while let Some(job) = found.next().await {
        jobs.push(job?);
    }
    let printed = print(&ListResponse { jobs, ..ListResponse::default() })?;
    Ok(json!({"jobs": printed.get("jobs").unwrap_or(&json!([]))}))
}

async fn wait(client: &Client, call: &Value) -> Answer {
    let mut request = WaitRequest::from(text(call, "job_id")?);
    if let Some(timeout) = seconds(call, "timeout")? {
        request.timeout = Some(timeout.try_into().map_err(Failure::argument)?);
    }
    print(&client.wait(request).await?)
}

async fn delete(client: &Client, call: &Value) -> Answer {
    let id = text(call, "job_id")?.to_owned();
    let force = call["force"].as_bool().unwrap_or_default();
    client.delete(DeleteRequest { id, force }).await?;
    Ok(json!({}))
}

async fn output(client: &Client, call: &Value) -> Answer {
    let mut stream = client.read_output(ReadOutputRequest {
        id: text(call, "job_id")?.to_owned(),
        offset: call["offset"].as_i64().unwrap_or_default(),
        follow: call["follow"].as_bool().unwrap_or_default(),
    });
    let read = async {
        let mut data = vec![];
        while let Some(piece) = stream.next().await {
            data.extend(piece?);
        }
        Ok::<_, slotd::Error>(data)
    };
    let data = match seconds(call, "timeout")? {
        None => read.await?,
        Some(limit) => timeout(limit, read).await.map_err(|_| Failure::too_late())??,
    };
    Ok(json!({"data": BASE64_STANDARD.encode(data), "truncated": stream.truncated()}))
}

async fn payload(client: &Client, call: &Value) -> Answer {
    let result = client.get(text(call, "job_id")?).await?.result.unwrap_or_default();
    let value = match result.decode().map_err(Failure::unreadable)? {
        Content::Empty => Value::Null,
        Content::Json(value) => value,
        Content::Text(text) => text.into(),
        Content::Bytes(data) => BASE64_STANDARD.encode(data).into(),
    };
    Ok(json!({"content_type": result.content_type, "value": value}))
}
