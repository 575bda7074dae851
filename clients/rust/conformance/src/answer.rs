//! The lines that the driver writes.

use std::fmt::Display;
use std::io::{Write, stdout};

use serde_json::{Value, json};
use slotd::Code;

/// Why a call has no result, in the form in which it is written.
pub struct Failure(Value);

impl Failure {
    /// The call itself makes no sense.
    pub fn argument(message: impl Display) -> Self {
        Self::own("INVALID_ARGUMENT", "DRIVER_ARGUMENT", message)
    }

    /// The library does not do that.
    pub fn cannot(message: impl Display) -> Self {
        Self::own("UNIMPLEMENTED", "DRIVER_CANNOT", message)
    }

    /// The time that the call gave is over.
    pub fn too_late() -> Self {
        Self::own("DEADLINE_EXCEEDED", "", "not within the timeout")
    }

    /// The library does not read what the service sent.
    pub fn unreadable(message: impl Display) -> Self {
        Self::own("DATA_LOSS", "", message)
    }

    fn own(code: &str, reason: &str, message: impl Display) -> Self {
        Self(json!({
            "code": code, "reason": reason, "message": message.to_string(), "metadata": {}, "violations": [],
            "preconditions": [], "quotas": [], "resource": null, "retry_seconds": null,
        }))
    }
}

impl From<slotd::Error> for Failure {
    fn from(error: slotd::Error) -> Self {
        Self::from(&error)
    }
}

impl From<&slotd::Error> for Failure {
    fn from(error: &slotd::Error) -> Self {
        let violations = error.field_violations().iter();
        let preconditions = error.precondition_violations().iter();
        let quotas = error.quota_violations().iter();
        Self(json!({
            "code": name(error.code()),
            "reason": error.reason(),
            "message": error.message(),
            "metadata": error.metadata(),
            "violations": violations
                .map(|found| json!({"field": found.field, "description": found.description}))
                .collect::<Value>(),
            "preconditions": preconditions
                .map(|found| json!({"type": found.r#type, "subject": found.subject, "description": found.description}))
                .collect::<Value>(),
            "quotas": quotas
                .map(|found| json!({"subject": found.subject, "description": found.description}))
                .collect::<Value>(),
            "resource": error.resource().map(|found| json!({"type": found.resource_type, "name": found.resource_name})),
            "retry_seconds": error.retry_delay().map(|delay| delay.as_secs_f64()),
        }))
    }
}

/// Writes the answer to a call, as one line.
pub fn write(id: &Value, answer: Result<Value, Failure>) {
    let line = match answer {
        Ok(result) => json!({"id": id, "ok": result}),
        Err(Failure(error)) => json!({"id": id, "error": error}),
    };
    let mut out = stdout().lock();
    // Who no longer reads has closed stdin too, which ends the driver.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
