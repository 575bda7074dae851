//! The client: the methods of JobService, with deadlines, repeats, and readers that outlive a cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};
use tonic::metadata::MetadataMap;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status, Streaming, TimeoutExpired};

use crate::channel::{self, AddressError, DEFAULT_ADDRESS, MESSAGE_BYTES};
use crate::outage::{Backoff, Outage};
use crate::pages::JobPages;
use crate::progress::WaitProgress;
use crate::queues::Queues;
use crate::reader::{Messages, Open, Reader};
use crate::streams::{EventStream, OutputStream};
use crate::v1::job_service_client::JobServiceClient;
use crate::v1::queue_service_client::QueueServiceClient;
use crate::v1::schedule_service_client::ScheduleServiceClient;
use crate::v1::{
    CancelRequest, DeleteRequest, GetRequest, Job, ListRequest, ListResponse, ReadOutputRequest, RetryRequest,
    StreamRequest, SubmitBatchRequest, SubmitBatchResponse, SubmitRequest, WaitRequest,
};
use crate::{Error, Result};

/// The longest that one unary call may take, its repeats included, unless the client is told otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// How often a call that is safe to repeat is made in all.
const TRIES: u32 = 5;
const REPEATS: Backoff = Backoff {
    initial: Duration::from_millis(100),
    maximum: Duration::from_secs(2),
    multiplier: 2.0,
    jitter: 0.2,
    give_up: None,
};

/// A connection to one slotd service. Clones are cheap, and share it.
///
/// It connects with the first call, and by itself again after a cut. Calls that are safe to repeat are repeated on
/// UNAVAILABLE, up to five times within some two seconds; [`retry`](Client::retry) and [`delete`](Client::delete) are
/// not, whose answer could be wrong then. No call waits for a service that is not there: it fails with UNAVAILABLE.
///
/// Every method fails with an [`Error`] that has the service's code, reason and details.
#[derive(Clone, Debug)]
pub struct Client {
    channel: Channel,
    peer: Arc<Peer>,
    timeout: Option<Duration>,
    reconnect: Backoff,
    metadata: MetadataMap,
}

/// A job that was taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Submitted {
    /// The job, as it was when it was taken.
    pub job: Job,
    /// Where a stream starts that misses nothing of this job.
    pub cursor: String,
}

impl Client {
    /// A client of the service at HOST:PORT or unix:PATH, in plain text.
    ///
    /// # Errors
    ///
    /// [`AddressError`] for anything else.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn new(address: &str) -> Result<Self, AddressError> {
        Ok(Self::over(channel::open(address)?, address))
    }

    /// A client of the service at the address in the environment variable `SLOTD_ADDRESS`, if that is set and not empty, else at
    /// [`DEFAULT_ADDRESS`].
    ///
    /// # Errors
    ///
    /// As [`new`](Client::new).
    ///
    /// # Panics
    ///
    /// As [`new`](Client::new).
    pub fn from_env() -> Result<Self, AddressError> {
        let address = std::env::var("SLOTD_ADDRESS").ok().filter(|address| !address.is_empty());
        Self::new(address.as_deref().unwrap_or(DEFAULT_ADDRESS))
    }

    /// A client over a channel of yours: one with TLS, say.
    pub fn from_channel(channel: Channel) -> Self {
        Self::over(channel, "its address")
    }

    fn over(channel: Channel, address: &str) -> Self {
        Self {
            channel,
            peer: Arc::new(Peer::new(address)),
            timeout: Some(DEFAULT_TIMEOUT),
            reconnect: Backoff::default(),
            metadata: MetadataMap::new(),
        }
    }

    /// Sets the longest that one unary call may take, its repeats included; None for no limit. For one call only:
    /// `client.clone().with_timeout(…).get(…)`.
    #[must_use]
    pub fn with_timeout(self, timeout: impl Into<Option<Duration>>) -> Self {
        Self { timeout: timeout.into(), ..self }
    }

    /// Sets how streams and waits try again after a cut.
    #[must_use]
    pub fn with_reconnect(self, reconnect: Backoff) -> Self {
        Self { reconnect, ..self }
    }

    /// Sets what is sent with every call.
    #[must_use]
    pub fn with_metadata(self, metadata: MetadataMap) -> Self {
        Self { metadata, ..self }
    }

    /// Says which span the calls belong to, as W3C Trace Context has it: jobs that they submit go on in that trace. Empty, or
    /// what can't be sent, changes nothing. For one call only: `client.clone().with_traceparent(…).submit(…)`.
    #[must_use]
    pub fn with_traceparent(mut self, traceparent: &str) -> Self {
        if let (false, Ok(value)) = (traceparent.is_empty(), traceparent.parse()) {
            self.metadata.insert("traceparent", value);
        }
        self
    }

    /// Submits a job, durably once this returns. A [`JobSpec`](crate::v1::JobSpec) will do; a request without a
    /// `request_id` gets a new one, so that repeating the call makes no second job.
    pub async fn submit(&self, request: impl Into<SubmitRequest>) -> Result<Submitted> {
        let request = request.into().identified();
        let answer = self
            .call(Repeat::Safe, self.jobs(), request, |mut jobs, request| async move { jobs.submit(request).await })
            .await?;
        Ok(Submitted { job: whole(answer.job)?, cursor: answer.cursor })
    }

    /// Submits jobs in order, all or none, in one call: 1,000 jobs and 16 MiB at most. They come back without their
    /// payloads where these are more than 2 MiB.
    pub async fn submit_batch<R: Into<SubmitRequest>>(
        &self,
        requests: impl IntoIterator<Item = R>,
    ) -> Result<SubmitBatchResponse> {
        let requests = requests.into_iter().map(|request| request.into().identified());
        let request = SubmitBatchRequest { requests: requests.collect() };
        self.call(
            Repeat::Safe,
            self.jobs(),
            request,
            |mut jobs, request| async move { jobs.submit_batch(request).await },
        )
        .await
    }

    /// Tells how a job is, in full by default.
    pub async fn get(&self, job: impl Into<GetRequest>) -> Result<Job> {
        let answer = self
            .call(Repeat::Safe, self.jobs(), job.into(), |mut jobs, request| async move { jobs.get(request).await })
            .await?;
        whole(answer.job)
    }

    /// The jobs that match, newest first, over all pages; without payloads and results by default.
    pub fn list(&self, request: impl Into<ListRequest>) -> JobPages {
        let client = self.clone();
        let fetch = move |request| {
            let client = client.clone();
            Box::pin(async move { client.list_page(request).await }) as _
        };
        JobPages::new(Box::new(fetch), request.into())
    }

    /// One page of [`list`](Client::list), with the token of the next one, and the cursor to stream from.
    pub async fn list_page(&self, request: impl Into<ListRequest>) -> Result<ListResponse> {
        self.call(
            Repeat::Safe,
            self.jobs(),
            request.into(),
            |mut jobs, request| async move { jobs.list(request).await },
        )
        .await
    }

    /// Waits until a job is terminal; with a `timeout` in the request no longer than that, and then returns it as it is:
    /// look at its state.
    ///
    /// It goes on over reconnects and restarts of the service, and the client's timeout does not bound it. Fails with
    /// NOT_FOUND also when the job is deleted meanwhile.
    pub async fn wait(&self, job: impl Into<WaitRequest>) -> Result<Job> {
        let mut progress = WaitProgress::new(job.into(), self.outage());
        loop {
            let (request, timeout) = progress.request();
            let deadline = Instant::now().checked_add(timeout);
            let answer =
                self.attempt(self.jobs(), request, deadline, &|mut jobs: Jobs, request| async move {
                    jobs.wait(request).await
                })
                .await;
            match answer {
                Ok(answer) => {
                    let job = whole(answer.job)?;
                    if progress.answered(&job) {
                        return Ok(job);
                    }
                }
                Err(error) => match progress.failed(&error) {
                    Some(delay) => sleep(delay).await,
                    None => return Err(error),
                },
            }
        }
    }

    /// Streams what happens to the jobs that match, from this moment on or from the request's cursor. Without a cursor
    /// the matching jobs come first, as they are; without payloads and results by default.
    pub fn stream(&self, request: impl Into<StreamRequest>) -> EventStream {
        let reader = self.reader(|mut jobs, request| async move { jobs.stream(request).await });
        EventStream::new(reader, request.into())
    }

    /// Reads what a job wrote, from the request's `offset`; with its `follow` until the job is terminal.
    pub fn read_output(&self, job: impl Into<ReadOutputRequest>) -> OutputStream {
        let reader = self.reader(|mut jobs, request| async move { jobs.read_output(request).await });
        OutputStream::new(reader, job.into())
    }

    /// Cancels a job: a waiting one is CANCELLED at once, a running one has `cancel_requested` until it stops.
    pub async fn cancel(&self, job: impl Into<CancelRequest>) -> Result<Job> {
        let answer = self
            .call(Repeat::Safe, self.jobs(), job.into(), |mut jobs, request| async move { jobs.cancel(request).await })
            .await?;
        whole(answer.job)
    }

    /// Puts a FAILED or CANCELLED job back, with fresh attempts; with `dependents` those too that failed for it.
    pub async fn retry(&self, job: impl Into<RetryRequest>) -> Result<Job> {
        let answer = self
            .call(Repeat::Never, self.jobs(), job.into(), |mut jobs, request| async move { jobs.retry(request).await })
            .await?;
        whole(answer.job)
    }

    /// Deletes a terminal job; with `force` any, which is cancelled first.
    pub async fn delete(&self, job: impl Into<DeleteRequest>) -> Result<()> {
        self.call(
            Repeat::Never,
            self.jobs(),
            job.into(),
            |mut jobs, request| async move { jobs.delete(request).await },
        )
        .await?;
        Ok(())
    }

    /// Queues, slots, counters and servers.
    pub fn queues(&self) -> Queues {
        Queues::new(self.clone())
    }

    /// The raw stub of JobService on this connection: all its methods, with neither repeats nor deadlines nor metadata.
    pub fn jobs(&self) -> JobServiceClient<Channel> {
        JobServiceClient::new(self.channel.clone())
            .max_decoding_message_size(MESSAGE_BYTES)
            .max_encoding_message_size(MESSAGE_BYTES)
    }

    /// The raw stub of QueueService, as [`jobs`](Client::jobs).
    pub fn queues_stub(&self) -> QueueServiceClient<Channel> {
        QueueServiceClient::new(self.channel.clone())
            .max_decoding_message_size(MESSAGE_BYTES)
            .max_encoding_message_size(MESSAGE_BYTES)
    }

    /// The raw stub of ScheduleService, as [`jobs`](Client::jobs).
    pub fn schedules(&self) -> ScheduleServiceClient<Channel> {
        ScheduleServiceClient::new(self.channel.clone())
            .max_decoding_message_size(MESSAGE_BYTES)
            .max_encoding_message_size(MESSAGE_BYTES)
    }

    /// Makes a unary call, within the client's timeout.
    pub(crate) async fn call<S, Q, A, F, R>(&self, repeat: Repeat, stub: S, request: Q, method: F) -> Result<A>
    where
        S: Clone,
        Q: Clone,
        F: Fn(S, Request<Q>) -> R,
        R: Future<Output = Result<Response<A>, Status>>,
    {
        let deadline = self.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        for tries in 1.. {
            let error = match self.attempt(stub.clone(), request.clone(), deadline, &method).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let delay = REPEATS.delay(tries, fastrand::f64());
            let in_time = deadline.is_none_or(|end| Instant::now() + delay < end);
            let may_pass = error.code() == Code::Unavailable && repeat == Repeat::Safe;
            if !may_pass || tries == TRIES || !in_time {
                return Err(error);
            }
            sleep(delay).await;
        }
        unreachable!("the last try returns")
    }

    async fn attempt<S, Q, A, F, R>(&self, stub: S, request: Q, deadline: Option<Instant>, method: &F) -> Result<A>
    where
        F: Fn(S, Request<Q>) -> R,
        R: Future<Output = Result<Response<A>, Status>>,
    {
        let mut request = with_metadata(request, self.metadata.clone());
        let answer = match deadline {
            None => method(stub, request).await,
            Some(deadline) => {
                // The service is told, too.
                request.set_timeout(deadline.saturating_duration_since(Instant::now()));
                timeout_at(deadline, method(stub, request))
                    .await
                    .unwrap_or_else(|_| Err(Status::from_error(TimeoutExpired(()).into())))
            }
        };
        match answer {
            Ok(answer) => {
                self.peer.answered();
                Ok(answer.into_inner())
            }
            Err(status) => Err(self.peer.refused(status)),
        }
    }

    fn reader<Q, A, F, R>(&self, method: F) -> Reader<Q, A>
    where
        A: Send + 'static,
        F: Fn(Jobs, Request<Q>) -> R + Send + 'static,
        R: Future<Output = Result<Response<Streaming<A>>, Status>> + Send + 'static,
    {
        let (jobs, metadata) = (self.jobs(), self.metadata.clone());
        let open: Open<Q, A> = Box::new(move |request| {
            let call = method(jobs.clone(), with_metadata(request, metadata.clone()));
            Box::pin(async move {
                let messages: Messages<A> = Box::pin(call.await?.into_inner());
                Ok(messages)
            })
        });
        Reader::new(open, Arc::clone(&self.peer), self.outage())
    }

    fn outage(&self) -> Outage {
        Outage::new(self.reconnect.clone(), self.peer.reached.load(Ordering::Relaxed))
    }
}

type Jobs = JobServiceClient<Channel>;

/// Whether answering a call a second time does no harm and says the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Repeat {
    Safe,
    Never,
}

/// The service as one client and its clones see it.
#[derive(Debug)]
pub(crate) struct Peer {
    address: String,
    reached: AtomicBool,
}

impl Peer {
    pub(crate) fn new(address: &str) -> Self {
        Self { address: address.to_owned(), reached: AtomicBool::new(false) }
    }

    /// A call came through.
    pub(crate) fn answered(&self) {
        self.reached.store(true, Ordering::Relaxed);
    }

    /// A call failed: returns what to tell the caller.
    pub(crate) fn refused(&self, status: Status) -> Error {
        let error = Error::from_status(status, &self.address);
        if error.code() != Code::Unavailable || error.connected() {
            self.answered();
        }
        error
    }
}

fn with_metadata<Q>(request: Q, metadata: MetadataMap) -> Request<Q> {
    let mut request = Request::new(request);
    *request.metadata_mut() = metadata;
    request
}

/// Every answer about a job has one.
pub(crate) fn whole<T>(part: Option<T>) -> Result<T> {
    part.ok_or_else(|| Error::new(Code::Internal, "the answer lacks what was asked for"))
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::error::Error as _;
    use std::future::{pending, ready};

    use tokio::net::TcpListener;

    use super::*;

    fn client() -> Client {
        Client::new(DEFAULT_ADDRESS).unwrap()
    }

    /// Makes calls that all end alike; returns the last code, and how many there were.
    async fn calls(client: Client, repeat: Repeat, status: Status) -> (Code, u32) {
        let calls = Cell::new(0);
        let method = |(), _: Request<()>| {
            calls.set(calls.get() + 1);
            ready(Err::<Response<()>, _>(status.clone()))
        };
        let error = client.call(repeat, (), (), method).await.unwrap_err();
        (error.code(), calls.get())
    }

    #[tokio::test(start_paused = true)]
    async fn a_safe_call_is_made_five_times_within_two_seconds() {
        let start = Instant::now();
        let away = Status::unavailable("draining");
        assert_eq!(calls(client(), Repeat::Safe, away).await, (Code::Unavailable, 5));
        assert!(start.elapsed() > Duration::from_secs(1) && start.elapsed() < Duration::from_secs(2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_not_safe_is_made_once() {
        let away = Status::unavailable("draining");
        assert_eq!(calls(client(), Repeat::Never, away).await, (Code::Unavailable, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_final() {
        let refused = Status::resource_exhausted("full");
        assert_eq!(calls(client(), Repeat::Safe, refused).await, (Code::ResourceExhausted, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn repeats_end_with_the_timeout() {
        let client = client().with_timeout(Duration::from_millis(200));
        let away = Status::unavailable("draining");
        assert_eq!(calls(client, Repeat::Safe, away).await, (Code::Unavailable, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_without_answer_ends_with_the_timeout() {
        let (start, client) = (Instant::now(), client());
        let method = |(), _: Request<()>| pending::<Result<Response<()>, Status>>();
        let error = client.call(Repeat::Safe, (), (), method).await.unwrap_err();
        assert_eq!(error.code(), Code::DeadlineExceeded);
        assert_eq!(start.elapsed(), DEFAULT_TIMEOUT);
    }

    #[tokio::test(start_paused = true)]
    async fn the_service_is_told_the_timeout_and_the_metadata() {
        let told = RefCell::new(MetadataMap::new());
        let method = |(), request: Request<()>| {
            *told.borrow_mut() = request.metadata().clone();
            ready(Ok(Response::new(())))
        };
        let mut metadata = MetadataMap::new();
        metadata.insert("tenant", "a".parse().unwrap());
        let client = client().with_timeout(Duration::from_secs(7)).with_metadata(metadata);
        client.call(Repeat::Safe, (), (), &method).await.unwrap();
        assert_eq!(told.borrow().get("grpc-timeout").unwrap(), "7000000u");
        assert_eq!(told.borrow().get("tenant").unwrap(), "a");
        assert!(told.borrow().get("traceparent").is_none());
        let traced = client
            .clone()
            .with_traceparent("00-1")
            .with_traceparent("00-2")
            .with_traceparent("")
            .with_traceparent("\n");
        traced.call(Repeat::Safe, (), (), &method).await.unwrap();
        assert_eq!(told.borrow().get_all("traceparent").iter().collect::<Vec<_>>(), ["00-2"]);
        client.with_timeout(None).call(Repeat::Safe, (), (), &method).await.unwrap();
        assert!(told.borrow().get("grpc-timeout").is_none());
    }

    #[tokio::test]
    async fn nobody_there_is_no_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let error = Client::new(&address).unwrap().delete("a").await.unwrap_err();
        assert_eq!((error.code(), error.connected()), (Code::Unavailable, false));
        assert_eq!(error.message(), format!("no service at {address}"));
        assert!(error.source().is_some());
    }

    #[tokio::test]
    async fn a_peer_that_hangs_up_is_a_broken_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client::new(&listener.local_addr().unwrap().to_string()).unwrap();
        let hang_up = async {
            let accepted = listener.accept().await.unwrap();
            // Its greeting has come: the call is on its way.
            accepted.0.readable().await.unwrap();
        };
        let (answer, ()) = tokio::join!(client.delete("a"), hang_up);
        let error = answer.unwrap_err();
        assert_eq!((error.code(), error.connected()), (Code::Unavailable, true));
    }
}
