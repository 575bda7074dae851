//! Messages from JSON through the crate's own types and back.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use prost::{DecodeError, Message};
use prost_types::{Any, Duration, FieldMask, ListValue, Struct, Timestamp};
use serde_json::{Value, json};
use slotd::prost_types;
use slotd::v1::*;

use crate::answer::Failure;
use crate::messages::{parse_dynamic, print_binary};

/// Reads a message, writes it in binary by the crate's type of that name, and shows both.
pub fn message(name: &str, given: &Value) -> Result<Value, Failure> {
    let (_, recode) = [WELL_KNOWN, OURS]
        .concat()
        .into_iter()
        .find(|(full_name, _)| *full_name == name)
        .ok_or_else(|| Failure::cannot(format!("no message type {name}")))?;
    let binary = recode(&parse_dynamic(name, given)?.encode_to_vec()).map_err(Failure::unreadable)?;
    Ok(json!({"json": print_binary(name, &binary)?, "binary": BASE64_STANDARD.encode(binary)}))
}

type Recode = fn(&[u8]) -> Result<Vec<u8>, DecodeError>;

fn recode<M: Message + Default>(binary: &[u8]) -> Result<Vec<u8>, DecodeError> {
    M::decode(binary).map(|message| message.encode_to_vec())
}

/// prost maps the wrappers and Empty to Rust's own types.
const WELL_KNOWN: &[(&str, Recode)] = &[
    ("google.protobuf.Any", recode::<Any>),
    ("google.protobuf.BoolValue", recode::<bool>),
    ("google.protobuf.BytesValue", recode::<Vec<u8>>),
    ("google.protobuf.DoubleValue", recode::<f64>),
    ("google.protobuf.Duration", recode::<Duration>),
    ("google.protobuf.Empty", recode::<()>),
    ("google.protobuf.FieldMask", recode::<FieldMask>),
    ("google.protobuf.FloatValue", recode::<f32>),
    ("google.protobuf.Int32Value", recode::<i32>),
    ("google.protobuf.Int64Value", recode::<i64>),
    ("google.protobuf.ListValue", recode::<ListValue>),
    ("google.protobuf.StringValue", recode::<String>),
    ("google.protobuf.Struct", recode::<Struct>),
    ("google.protobuf.Timestamp", recode::<Timestamp>),
    ("google.protobuf.UInt32Value", recode::<u32>),
    ("google.protobuf.UInt64Value", recode::<u64>),
    ("google.protobuf.Value", recode::<prost_types::Value>),
];

macro_rules! ours {
    ($($message:ident)*) => {
        &[$((concat!("slotd.v1.", stringify!($message)), recode::<$message>)),*]
    };
}

/// What JobService and QueueService speak in.
#[rustfmt::skip]
const OURS: &[(&str, Recode)] = ours! {
    Attempt BulkCancelRequest BulkCancelResponse BulkDeleteRequest BulkDeleteResponse BulkRetryRequest
    BulkRetryResponse CancelGroupRequest CancelGroupResponse CancelRequest CancelResponse Counters
    DeleteRequest DeleteResponse Dependency GetGroupRequest GetGroupResponse GetQueueRequest GetQueueResponse
    GetRequest GetResponse GetStatsRequest GetStatsResponse Group Job JobEvent JobFilter JobSpec
    ListQueuesRequest ListQueuesResponse ListRequest ListResponse ListServersRequest ListServersResponse
    ListSlotsRequest ListSlotsResponse Payload PoolSlots Progress PurgeRequest PurgeResponse Queue
    QueueDefaults QueueSlots RateLimit ReadOutputRequest ReadOutputResponse ResourceClaim RetryPolicy
    RetryRequest RetryResponse Server SlotHolder StreamRequest StreamResponse SubmitBatchRequest
    SubmitBatchResponse SubmitRequest SubmitResponse UpdateQueueRequest UpdateQueueResponse UpdateRequest
    UpdateResponse UpdateSlotsRequest UpdateSlotsResponse WaitRequest WaitResponse
};
