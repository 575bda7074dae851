//! Shorthands for the messages of `slotd.v1`.

use uuid::Uuid;

use crate::v1::{
    CancelRequest, DeleteRequest, GetRequest, Job, JobFilter, JobSpec, JobState, ListRequest, Payload,
    ReadOutputRequest, RetryRequest, StreamRequest, SubmitRequest, WaitRequest,
};

impl JobSpec {
    /// A job of a kind; what its other fields leave out comes from the handler's declaration, then from the queue, then
    /// from the service's defaults.
    pub fn new(kind: impl Into<String>) -> Self {
        Self { kind: kind.into(), ..Self::default() }
    }

    /// Sets the handler's argument.
    pub fn with_payload(self, payload: Payload) -> Self {
        Self { payload: Some(payload), ..self }
    }
}

impl JobState {
    /// SUCCEEDED, FAILED or CANCELLED.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

impl SubmitRequest {
    /// Gives the request an id where it has none: without, repeating it could make a second job.
    pub(crate) fn identified(mut self) -> Self {
        if self.request_id.is_empty() {
            self.request_id = Uuid::new_v4().to_string();
        }
        self
    }
}

impl From<JobSpec> for SubmitRequest {
    fn from(spec: JobSpec) -> Self {
        Self { spec: Some(spec), ..Self::default() }
    }
}

impl From<JobFilter> for ListRequest {
    fn from(filter: JobFilter) -> Self {
        Self { filter: Some(filter), ..Self::default() }
    }
}

impl From<JobFilter> for StreamRequest {
    fn from(filter: JobFilter) -> Self {
        Self { filter: Some(filter), ..Self::default() }
    }
}

/// Requests about one job: an id will do, or the job.
macro_rules! about_one_job {
    ($($request:ty),*) => {$(
        impl From<String> for $request {
            fn from(id: String) -> Self {
                Self { id, ..Self::default() }
            }
        }

        impl From<&String> for $request {
            fn from(id: &String) -> Self {
                id.clone().into()
            }
        }

        impl From<&str> for $request {
            fn from(id: &str) -> Self {
                id.to_owned().into()
            }
        }

        impl From<&Job> for $request {
            fn from(job: &Job) -> Self {
                job.id.clone().into()
            }
        }
    )*};
}

// CancelRequest has but its id.
#[allow(clippy::needless_update)]
mod about_one_job {
    use super::*;

    about_one_job!(GetRequest, WaitRequest, ReadOutputRequest, CancelRequest, RetryRequest, DeleteRequest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_gets_an_id_of_its_own() {
        let request = || SubmitRequest::from(JobSpec::new("noop")).identified();
        assert_eq!(request().request_id.len(), 36);
        assert_ne!(request().request_id, request().request_id);
    }

    #[test]
    fn a_request_keeps_the_id_that_it_has() {
        let request = SubmitRequest { request_id: "mine".into(), ..SubmitRequest::default() };
        assert_eq!(request.identified().request_id, "mine");
    }
}
