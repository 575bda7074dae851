//! What the benchmark has the library do, and how long that takes.

use std::time::Instant;

use serde_json::{Value, json};
use slotd::v1::{JobSpec, StreamRequest};
use slotd::{Client, Error};
use tokio::task::JoinSet;

use crate::answer::Failure;
use crate::text;

/// Submits jobs or reads events, as the call says.
pub async fn run(client: &Client, call: &Value) -> Result<Value, Failure> {
    match text(call, "what")? {
        "submit" => submits(client, number(call, "calls")?, number(call, "callers")?).await,
        "stream" => stream(client, number(call, "events")?, text(call, "cursor")?).await,
        other => Err(Failure::cannot(format!("it can't measure {other:?}"))),
    }
}

/// So many in all, by so many callers at once, each with its next call when the last is answered.
async fn submits(client: &Client, calls: u64, callers: u64) -> Result<Value, Failure> {
    let began = Instant::now();
    let mut running = JoinSet::new();
    for _ in 0..callers {
        let client = client.clone();
        running.spawn(async move {
            for _ in 0..calls / callers {
                let spec = JobSpec { kind: "noop".to_owned(), ..JobSpec::default() };
                client.submit(spec).await?;
            }
            Ok::<_, Error>(())
        });
    }
    while let Some(ended) = running.join_next().await {
        ended.map_err(Failure::argument)??;
    }
    Ok(json!({"seconds": began.elapsed().as_secs_f64()}))
}

/// So many events, or those that there are, from a cursor on.
async fn stream(client: &Client, events: u64, cursor: &str) -> Result<Value, Failure> {
    let began = Instant::now();
    let mut stream = client.stream(StreamRequest { cursor: cursor.to_owned(), ..StreamRequest::default() });
    let mut count = 0;
    while count < events && stream.next().await.transpose()?.is_some() {
        count += 1;
    }
    Ok(json!({"seconds": began.elapsed().as_secs_f64(), "events": count}))
}

fn number(call: &Value, name: &str) -> Result<u64, Failure> {
    call[name].as_u64().ok_or_else(|| Failure::argument(format!("{name} is missing")))
}
