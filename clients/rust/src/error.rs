//! What the client fails with: the status code, with the reason and the details that the service sent.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use tonic::{Code, ConnectError, Status, TimeoutExpired};
use tonic_types::{ErrorDetails, FieldViolation, PreconditionViolation, QuotaViolation, ResourceInfo, StatusExt};

/// A call that the service refused, or that did not reach it.
///
/// Decide by [`code`](Error::code) and, where that is too coarse, by [`reason`](Error::reason).
#[derive(Clone)]
pub struct Error(Box<Refusal>);

#[derive(Clone)]
struct Refusal {
    code: Code,
    message: String,
    connected: bool,
    reason: String,
    metadata: HashMap<String, String>,
    details: ErrorDetails,
    status: Option<Status>,
}

impl Error {
    /// The gRPC status code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// What happened, in words.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// UPPER_SNAKE, from `google.rpc.ErrorInfo`: `CURSOR_EXPIRED`, `UNIQUE_KEY_TAKEN` and so on; empty where none was
    /// sent.
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// What ErrorInfo holds beside the reason; of ALREADY_EXISTS the `job_id` of the job that is there.
    pub fn metadata(&self) -> &HashMap<String, String> {
        &self.0.metadata
    }

    /// What is wrong with the request, by field path (`spec.kind`).
    pub fn field_violations(&self) -> &[FieldViolation] {
        let found = self.0.details.bad_request();
        found.map_or(&[], |request| &request.field_violations)
    }

    /// What stands in the way of a FAILED_PRECONDITION.
    pub fn precondition_violations(&self) -> &[PreconditionViolation] {
        let found = self.0.details.precondition_failure();
        found.map_or(&[], |failure| &failure.violations)
    }

    /// What was exceeded, of a RESOURCE_EXHAUSTED.
    pub fn quota_violations(&self) -> &[QuotaViolation] {
        let found = self.0.details.quota_failure();
        found.map_or(&[], |failure| &failure.violations)
    }

    /// What is not there, or is there already.
    pub fn resource(&self) -> Option<&ResourceInfo> {
        self.0.details.resource_info()
    }

    /// After how long the service says that another try makes sense; None where it does not say.
    pub fn retry_delay(&self) -> Option<Duration> {
        self.0.details.retry_info()?.retry_delay
    }

    /// False when no connection could be made: nothing was asked, nothing was done.
    pub fn connected(&self) -> bool {
        self.0.connected
    }

    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Refusal {
            code,
            message: message.into(),
            connected: true,
            reason: String::new(),
            metadata: HashMap::new(),
            details: ErrorDetails::new(),
            status: None,
        }))
    }

    /// Translates what tonic gave; `address` is what the caller knows the service by.
    pub(crate) fn from_status(status: Status, address: &str) -> Self {
        let mut error = match Origin::of(&status) {
            Origin::Service => return Self::sent(status),
            Origin::Deadline => Self::new(Code::DeadlineExceeded, "no answer within the call's timeout"),
            Origin::NoConnection => {
                let mut error = Self::new(Code::Unavailable, format!("no service at {address}"));
                error.0.connected = false;
                error
            }
            Origin::Connection => {
                Self::new(Code::Unavailable, format!("the connection to {address} broke: {}", status.message()))
            }
        };
        error.0.status = Some(status);
        error
    }

    fn sent(status: Status) -> Self {
        let mut error = Self::new(status.code(), status.message());
        error.0.details = status.get_error_details();
        if let Some(info) = error.0.details.error_info() {
            (error.0.reason, error.0.metadata) = (info.reason.clone(), info.metadata.clone());
        }
        error.0.status = Some(status);
        error
    }
}

/// Who made a status: tonic makes one too where none came.
enum Origin {
    Service,
    Deadline,
    NoConnection,
    Connection,
}

impl Origin {
    /// A status that came over the wire has no source. tonic's codes for the others are of no use: a connection that
    /// broke is UNKNOWN, INTERNAL or CANCELLED by how it broke, and a deadline that passed is CANCELLED.
    fn of(status: &Status) -> Self {
        let mut cause = status.source();
        let mut origin = if cause.is_some() { Self::Connection } else { Self::Service };
        while let Some(error) = cause {
            if error.is::<TimeoutExpired>() {
                origin = Self::Deadline;
            } else if error.is::<ConnectError>() {
                origin = Self::NoConnection;
            }
            cause = error.source();
        }
        origin
    }
}

impl From<Status> for Error {
    /// For calls made by the stubs of [`v1`](crate::v1).
    fn from(status: Status) -> Self {
        Self::from_status(status, "its address")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Refusal { code, message, reason, .. } = &*self.0;
        if !message.is_empty() {
            write!(f, "{message} ")?;
        }
        if reason.is_empty() { write!(f, "({code:?})") } else { write!(f, "({reason})") }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("code", &self.0.code)
            .field("message", &self.0.message)
            .field("reason", &self.0.reason)
            .field("metadata", &self.0.metadata)
            .field("details", &self.0.details)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    /// How the connection broke, where it did.
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.status.as_ref()?.source()
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use super::*;

    fn refused() -> Status {
        let mut details = ErrorDetails::new();
        details
            .set_error_info("QUEUE_FULL", "slotd", [("queue".into(), "slow".into())])
            .set_retry_info(Some(Duration::from_millis(1500)))
            .add_quota_failure_violation("queues/slow", "at most 3 jobs wait")
            .add_precondition_failure_violation("STATE", "jobs/1", "it is RUNNING")
            .add_bad_request_violation("spec.kind", "is empty")
            .set_resource_info("job", "jobs/1", "", "");
        Status::with_error_details(Code::ResourceExhausted, "the queue is full", details)
    }

    fn local(source: impl StdError + Send + Sync + 'static) -> Status {
        let mut status = Status::unknown("transport error");
        status.set_source(Arc::new(source));
        status
    }

    #[test]
    fn details_of_a_refusal_are_unpacked() {
        let error = Error::from(refused());
        assert_eq!(error.code(), Code::ResourceExhausted);
        assert_eq!(error.reason(), "QUEUE_FULL");
        assert_eq!(error.metadata()["queue"], "slow");
        assert_eq!(error.retry_delay(), Some(Duration::from_millis(1500)));
        assert_eq!(error.quota_violations()[0].subject, "queues/slow");
        assert_eq!(error.precondition_violations()[0].description, "it is RUNNING");
        assert_eq!(error.field_violations()[0].field, "spec.kind");
        assert_eq!(error.resource().map(|found| &*found.resource_name), Some("jobs/1"));
        assert_eq!(error.to_string(), "the queue is full (QUEUE_FULL)");
        assert!(error.connected());
    }

    #[test]
    fn unreadable_details_leave_code_and_message() {
        let error = Error::from(Status::with_details(Code::NotFound, "no such job", b"\xff\xff".as_slice().into()));
        assert_eq!(error.code(), Code::NotFound);
        assert_eq!(error.to_string(), "no such job (NotFound)");
        assert!(error.field_violations().is_empty());
        assert!(error.retry_delay().is_none());
    }

    #[test]
    fn a_connection_that_broke_is_unavailable() {
        let broken = io::Error::from(io::ErrorKind::ConnectionReset);
        let error = Error::from_status(local(broken), "host:1");
        assert_eq!(error.code(), Code::Unavailable);
        assert!(error.connected());
        assert!(error.source().is_some());
    }

    #[test]
    fn no_connection_is_unavailable_and_says_so() {
        let refused = ConnectError(Box::new(io::Error::from(io::ErrorKind::ConnectionRefused)));
        let error = Error::from_status(local(refused), "host:1");
        assert_eq!(error.code(), Code::Unavailable);
        assert!(!error.connected());
        assert_eq!(error.message(), "no service at host:1");
    }

    #[test]
    fn a_deadline_that_passed_here_is_a_deadline_exceeded() {
        let error = Error::from(local(TimeoutExpired(())));
        assert_eq!(error.code(), Code::DeadlineExceeded);
    }
}
