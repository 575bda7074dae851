//! Values to [`Payload`]s and back, by media type.

use std::string::FromUtf8Error;

use prost::{DecodeError, Message, Name};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::v1::Payload;

const JSON: &str = "application/json";
const TEXT: &str = "text/plain";
const BYTES: &str = "application/octet-stream";
const PROTOBUF: [&str; 2] = ["application/protobuf", "application/x-protobuf"];

/// What a payload holds, by its content type.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Nothing: no bytes, of no type or of one that is not known here.
    Empty,
    /// `application/json`.
    Json(serde_json::Value),
    /// `text/plain`.
    Text(String),
    /// Anything else, protobuf messages included: see [`Payload::decode_message`].
    Bytes(Vec<u8>),
}

/// A value and a content type that do not go together.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// The value has no JSON form, or the bytes are not JSON, or not that of the wanted type.
    #[error("not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The bytes are not UTF-8.
    #[error("not utf-8 text: {0}")]
    Text(#[from] FromUtf8Error),
    /// The bytes are not such a message.
    #[error("not a protobuf message: {0}")]
    Protobuf(#[from] DecodeError),
    /// It holds something else.
    #[error("wanted {wanted}, got {got:?}")]
    ContentType {
        /// What was asked for.
        wanted: String,
        /// The payload's content type.
        got: String,
    },
}

impl Payload {
    /// A value as `application/json`: what most handlers take.
    ///
    /// # Errors
    ///
    /// [`PayloadError::Json`] for a value that has no JSON form, such as a map with keys that are no strings.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Self, PayloadError> {
        Ok(Self { content_type: JSON.into(), data: serde_json::to_vec(value)? })
    }

    /// Text as `text/plain`.
    pub fn text(text: impl Into<String>) -> Self {
        Self { content_type: TEXT.into(), data: text.into().into_bytes() }
    }

    /// Bytes as `application/octet-stream`.
    pub fn bytes(data: impl Into<Vec<u8>>) -> Self {
        Self { content_type: BYTES.into(), data: data.into() }
    }

    /// A message as `application/protobuf; type=FULL.NAME`.
    pub fn protobuf<M: Message + Name>(message: &M) -> Self {
        let content_type = format!("{}; type={}", PROTOBUF[0], M::full_name());
        Self { content_type, data: message.encode_to_vec() }
    }

    /// Returns what the payload holds.
    ///
    /// A job in the BASIC view has no data in its payload and result: get it in full first.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] where the data are not what the content type says.
    pub fn decode(&self) -> Result<Content, PayloadError> {
        let (media_type, _) = parse(&self.content_type);
        match &*media_type {
            JSON => Ok(Content::Json(serde_json::from_slice(&self.data)?)),
            TEXT => Ok(Content::Text(self.decode_text()?)),
            BYTES => Ok(Content::Bytes(self.data.clone())),
            other if self.data.is_empty() && !PROTOBUF.contains(&other) => Ok(Content::Empty),
            _ => Ok(Content::Bytes(self.data.clone())),
        }
    }

    /// Reads `application/json` into a value of yours.
    ///
    /// # Errors
    ///
    /// [`PayloadError::ContentType`] for a payload of another type, [`PayloadError::Json`] for one that does not fit.
    pub fn decode_json<T: DeserializeOwned>(&self) -> Result<T, PayloadError> {
        if parse(&self.content_type).0 != JSON {
            return Err(self.unwanted(JSON));
        }
        Ok(serde_json::from_slice(&self.data)?)
    }

    /// Reads `application/protobuf` into a message.
    ///
    /// # Errors
    ///
    /// [`PayloadError::ContentType`] for a payload of another type or message, [`PayloadError::Protobuf`] for bytes that
    /// are none.
    pub fn decode_message<M: Message + Name + Default>(&self) -> Result<M, PayloadError> {
        let (media_type, parameters) = parse(&self.content_type);
        let named = parameters.iter().find(|(name, _)| name == "type");
        if !PROTOBUF.contains(&&*media_type) || named.is_some_and(|(_, name)| *name != M::full_name()) {
            return Err(self.unwanted(&M::full_name()));
        }
        Ok(M::decode(&*self.data)?)
    }

    fn decode_text(&self) -> Result<String, PayloadError> {
        let (_, parameters) = parse(&self.content_type);
        let charset = parameters.iter().find(|(name, _)| name == "charset");
        let known = charset
            .is_none_or(|(_, name)| ["utf-8", "utf8", "us-ascii"].iter().any(|known| name.eq_ignore_ascii_case(known)));
        if !known {
            return Err(self.unwanted("text in utf-8"));
        }
        Ok(String::from_utf8(self.data.clone())?)
    }

    fn unwanted(&self, wanted: &str) -> PayloadError {
        PayloadError::ContentType { wanted: wanted.into(), got: self.content_type.clone() }
    }
}

/// Splits a content type into its media type, in small letters, and its parameters, quotes removed.
fn parse(content_type: &str) -> (String, Vec<(String, String)>) {
    let mut pieces = content_type.split(';');
    let media_type = pieces.next().unwrap_or_default().trim().to_lowercase();
    let parameters = pieces
        .map(|piece| {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            (name.trim().to_lowercase(), value.trim().trim_matches('"').to_owned())
        })
        .collect();
    (media_type, parameters)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn payload(content_type: &str, data: &[u8]) -> Payload {
        Payload { content_type: content_type.into(), data: data.into() }
    }

    #[test]
    fn what_was_encoded_comes_back() {
        let value = json!({"naïve": [1, 2.5, null, "日本 🎉"]});
        assert_eq!(Payload::json(&value).unwrap().decode().unwrap(), Content::Json(value.clone()));
        assert_eq!(Payload::text("ß").decode().unwrap(), Content::Text("ß".into()));
        assert_eq!(Payload::bytes([0, 255]).decode().unwrap(), Content::Bytes(vec![0, 255]));
    }

    #[test]
    fn a_message_names_its_type_and_is_read_as_no_other() {
        let duration = prost_types::Duration { seconds: 3, nanos: 0 };
        let payload = Payload::protobuf(&duration);
        assert_eq!(payload.content_type, "application/protobuf; type=google.protobuf.Duration");
        assert_eq!(payload.decode_message::<prost_types::Duration>().unwrap(), duration);
        let other = payload.decode_message::<prost_types::Timestamp>();
        assert!(matches!(other, Err(PayloadError::ContentType { .. })));
    }

    #[test]
    fn content_types_may_have_parameters_quotes_and_capitals() {
        let text = payload("Text/Plain; Charset=\"UTF-8\"", b"a");
        assert_eq!(text.decode().unwrap(), Content::Text("a".into()));
        let json = payload("application/JSON; charset=utf-8", b"[1]");
        assert_eq!(json.decode_json::<Vec<u8>>().unwrap(), [1]);
    }

    #[test]
    fn data_that_are_not_what_their_type_says_are_refused() {
        assert!(matches!(payload(JSON, b"NaN").decode(), Err(PayloadError::Json(_))));
        assert!(matches!(payload(JSON, b"").decode(), Err(PayloadError::Json(_))));
        assert!(matches!(payload(TEXT, b"\xff").decode(), Err(PayloadError::Text(_))));
        let foreign = payload("text/plain; charset=utf-16", b"a\0").decode();
        assert!(matches!(foreign, Err(PayloadError::ContentType { .. })));
    }

    #[test]
    fn no_bytes_of_no_known_type_are_nothing() {
        assert_eq!(Payload::default().decode().unwrap(), Content::Empty);
        assert_eq!(payload("image/png", b"").decode().unwrap(), Content::Empty);
        assert_eq!(payload(TEXT, b"").decode().unwrap(), Content::Text(String::new()));
        assert_eq!(payload(BYTES, b"").decode().unwrap(), Content::Bytes(vec![]));
        assert_eq!(payload(PROTOBUF[0], b"").decode().unwrap(), Content::Bytes(vec![]));
    }
}
