//! The generated messages and stubs of `slotd.v1`, usable without the rest of this crate.
//!
//! Stubs are in the `*_client` modules:
//! `job_service_client::JobServiceClient::new(channel)` takes any tonic channel. They repeat
//! nothing, set no deadline, and fail with a [`tonic::Status`], which converts into a
//! [`slotd::Error`](crate::Error).

#![allow(missing_docs, clippy::all, rustdoc::broken_intra_doc_links)]

include!("generated/slotd.v1.rs");
