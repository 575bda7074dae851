//! Client of [slotd](https://github.com/slotd/slotd), a service that runs jobs.
//!
//! ```no_run
//! use slotd::v1::JobSpec;
//! use slotd::{Client, Payload};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new("127.0.0.1:7433")?;
//! let payload = Payload::json(&serde_json::json!({"seconds": 1}))?;
//! let submitted = client.submit(JobSpec::new("sleep").with_payload(payload)).await?;
//! let job = client.wait(&submitted.job).await?;
//! println!("{:?}", job.state());
//! # Ok(())
//! # }
//! ```
//!
//! [`Client`] has the methods; requests and answers are the messages of [`v1`]. Everything runs on
//! tokio.

mod channel;
mod client;
mod error;
mod messages;
mod outage;
mod pages;
mod payload;
mod progress;
mod queues;
mod reader;
mod streams;
pub mod v1;

pub use prost_types;
pub use tonic;

pub use channel::{AddressError, DEFAULT_ADDRESS};
pub use client::{Client, DEFAULT_TIMEOUT, Submitted};
pub use error::Error;
pub use outage::Backoff;
pub use pages::JobPages;
pub use payload::{Content, PayloadError};
pub use queues::Queues;
pub use streams::{EventStream, OutputStream};
pub use tonic::Code;
pub use tonic_types::{FieldViolation, PreconditionViolation, QuotaViolation, ResourceInfo};
pub use v1::Payload;

/// What every fallible call of this crate's clients returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The README's examples compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
