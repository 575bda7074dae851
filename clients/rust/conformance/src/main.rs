//! Drives the slotd crate: a call per line of JSON on stdin, an answer per line on stdout, in the order in which they are
//! there. At the end of stdin it closes everything.

mod answer;
mod echo;
mod events;
mod measure;
mod messages;
mod operations;

use std::collections::HashMap;
use std::error::Error;

use serde_json::{Value, json};
use slotd::{Client, DEFAULT_TIMEOUT};
use tokio::io::{AsyncBufReadExt, BufReader, stdin};

use crate::answer::{Failure, write};
use crate::events::Events;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut driver = Driver::default();
    let mut lines = BufReader::new(stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let call: Value = serde_json::from_str(&line)?;
        match driver.take(&call) {
            Ok(Some(answer)) => write(&call["id"], Ok(answer)),
            Ok(None) => {}
            Err(failure) => write(&call["id"], Err(failure)),
        }
    }
    Ok(())
}

#[derive(Default)]
struct Driver {
    client: Option<Client>,
    streams: HashMap<String, Events>,
}

impl Driver {
    /// Answers what changes the driver itself at once, since later lines build on it; the rest runs beside.
    fn take(&mut self, call: &Value) -> Result<Option<Value>, Failure> {
        let operation = call["op"].as_str().unwrap_or_default();
        if operation == "connect" {
            self.client = Some(Client::new(text(call, "address")?).map_err(Failure::argument)?);
            return Ok(Some(json!({"language": "rust", "version": env!("CARGO_PKG_VERSION")})));
        }
        let client = self.client.clone().ok_or_else(|| Failure::argument("connect first"))?;
        match operation {
            "call_timeout" => {
                let timeout = seconds(call, "seconds")?.unwrap_or(DEFAULT_TIMEOUT);
                self.client = Some(client.with_timeout(timeout));
            }
            "stream_open" => {
                let stream = client.stream(messages::parse::<slotd::v1::StreamRequest>(&call["request"])?);
                self.streams.insert(text(call, "stream")?.to_owned(), Events::read(stream));
            }
            "stream_read" => {
                let stream = self.streams.get(text(call, "stream")?);
                let stream = stream.ok_or_else(|| Failure::argument("no such stream"))?;
                stream.ask(call)?;
                return Ok(None);
            }
            "stream_close" => {
                self.streams.remove(text(call, "stream")?);
            }
            _ => {
                let call = call.clone();
                tokio::spawn(async move { write(&call["id"], operations::run(&client, &call).await) });
                return Ok(None);
            }
        }
        Ok(Some(json!({})))
    }
}

/// A text that the call must have.
fn text<'a>(call: &'a Value, name: &str) -> Result<&'a str, Failure> {
    call[name].as_str().ok_or_else(|| Failure::argument(format!("{name} is missing")))
}

/// A time that the call may have, given in seconds.
fn seconds(call: &Value, name: &str) -> Result<Option<std::time::Duration>, Failure> {
    let Some(given) = call[name].as_f64() else { return Ok(None) };
    std::time::Duration::try_from_secs_f64(given).map(Some).map_err(Failure::argument)
}
