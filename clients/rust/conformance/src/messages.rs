//! The crate's messages in their JSON form, which prost itself has not.

use std::sync::LazyLock;

use prost::{Message, Name};
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, ReflectMessage};
use serde_json::Value;

use crate::answer::Failure;

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(&include_bytes!("descriptors.bin")[..]).expect("the descriptors are whole")
});

/// Reads a message; one that is not given is empty.
pub fn parse<M: Message + Name + Default>(json: &Value) -> Result<M, Failure> {
    if json.is_null() {
        return Ok(M::default());
    }
    parse_dynamic(&M::full_name(), json)?.transcode_to().map_err(Failure::argument)
}

/// Reads a message of a type that is known by its full name.
pub fn parse_dynamic(name: &str, json: &Value) -> Result<DynamicMessage, Failure> {
    DynamicMessage::deserialize(descriptor(name)?, json).map_err(Failure::argument)
}

/// A message in its JSON form.
pub fn print<M: Message + Name>(message: &M) -> Result<Value, Failure> {
    print_binary(&M::full_name(), &message.encode_to_vec())
}

/// A message of a type that is known by its full name, in its JSON form.
pub fn print_binary(name: &str, binary: &[u8]) -> Result<Value, Failure> {
    let message = DynamicMessage::decode(descriptor(name)?, binary).map_err(Failure::unreadable)?;
    match not_finite(&message) {
        Some(text) => Ok(text.into()),
        None => serde_json::to_value(message).map_err(Failure::unreadable),
    }
}

/// The form of a DoubleValue or FloatValue that is no number, for which prost-reflect has none.
fn not_finite(message: &DynamicMessage) -> Option<&'static str> {
    let wrappers = ["google.protobuf.DoubleValue", "google.protobuf.FloatValue"];
    let value = wrappers.contains(&message.descriptor().full_name()).then(|| message.get_field_by_number(1))??;
    let number = value.as_f64().or_else(|| value.as_f32().map(f64::from)).filter(|number| !number.is_finite())?;
    Some(match number {
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        _ => "NaN",
    })
}

/// An enum's value by its name in the protos; 0 where there is none.
pub fn enum_value<E: TryFrom<i32> + Into<i32>>(json: &Value, from_name: fn(&str) -> Option<E>) -> Result<i32, Failure> {
    match json.as_str() {
        None => Ok(0),
        Some(name) => from_name(name).map(Into::into).ok_or_else(|| Failure::argument(format!("no {name}"))),
    }
}

fn descriptor(name: &str) -> Result<MessageDescriptor, Failure> {
    POOL.get_message_by_name(name).ok_or_else(|| Failure::cannot(format!("no message type {name}")))
}
