//! Events and output, each over as many calls as it takes.

use std::collections::HashSet;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use crate::Result;
use crate::progress::{EventProgress, OutputProgress};
use crate::reader::Reader;
use crate::v1::{JobEvent, ReadOutputRequest, ReadOutputResponse, StreamRequest, StreamResponse};

/// What happens to jobs, event by event: a [`Stream`] that outlives reconnects and restarts of the service, with no gap
/// and no duplicate.
///
/// The call begins when it is first polled, and ends when it is dropped. By itself it ends only when it was asked for by
/// job ids and all of those are terminal or deleted, or after an error that trying again won't cure: a cursor that is
/// too old (OUT_OF_RANGE, reason CURSOR_EXPIRED: list the jobs, then stream from that list's cursor), say.
///
/// Until the first cursor has come, so within the first snapshot, a cut means that the snapshot is taken again: jobs that
/// did not change since are not handed out twice, and [`vanished`](EventStream::vanished) names those that are gone since.
#[derive(Debug)]
#[must_use = "nothing is asked for until it is read"]
pub struct EventStream {
    reader: Reader<StreamRequest, StreamResponse>,
    progress: EventProgress,
}

impl EventStream {
    pub(crate) fn new(reader: Reader<StreamRequest, StreamResponse>, request: StreamRequest) -> Self {
        Self { reader, progress: EventProgress::new(request) }
    }

    /// The next event; None at the end. Cancelling the future loses none.
    ///
    /// # Errors
    ///
    /// [`Error`](crate::Error) that trying again won't cure.
    #[allow(clippy::should_implement_trait, reason = "as the extension traits of Stream call it")]
    pub async fn next(&mut self) -> Option<Result<JobEvent>> {
        poll_fn(|cx| self.poll_event(cx)).await
    }

    /// The next whole message, heartbeats and `synced` included, which comes again after each reconnect; of a message
    /// that [`next`](EventStream::next) began to hand out, the rest. Cancelling the future loses none.
    ///
    /// # Errors
    ///
    /// [`Error`](crate::Error) that trying again won't cure.
    pub async fn next_message(&mut self) -> Option<Result<StreamResponse>> {
        poll_fn(|cx| self.poll_message(cx)).await
    }

    /// The position after what has been handed out, from which another stream can go on; empty before there is one. It
    /// moves when the last event of a message has been handed out: to go on from it never skips one.
    pub fn cursor(&self) -> &str {
        &self.progress.cursor
    }

    /// The revision up to which everything that matches has been handed out; 0 before there is one.
    pub fn revision(&self) -> i64 {
        self.progress.revision
    }

    /// Whether the first snapshot, or what had happened since the cursor, has been handed out whole.
    pub fn synced(&self) -> bool {
        self.progress.synced
    }

    /// Ids of jobs handed out by a snapshot that was cut, and missing from the one that came through.
    pub fn vanished(&self) -> &HashSet<String> {
        &self.progress.vanished
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<JobEvent>>> {
        loop {
            if let Some(event) = self.progress.next_event() {
                return Poll::Ready(Some(Ok(event)));
            }
            match ready!(self.poll_read(cx)) {
                Some(Ok(())) => {}
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }

    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<StreamResponse>>> {
        loop {
            if let Some(message) = self.progress.next_message() {
                return Poll::Ready(Some(Ok(message)));
            }
            match ready!(self.poll_read(cx)) {
                Some(Ok(())) => {}
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<()>>> {
        let message = ready!(self.reader.poll_read(cx, || self.progress.request()));
        Poll::Ready(message.map(|message| message.map(|message| self.progress.receive(message))))
    }
}

impl Stream for EventStream {
    type Item = Result<JobEvent>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_event(cx)
    }
}

/// What a job wrote: a [`Stream`] of pieces of bytes. One that was cut goes on from the byte where it was cut. It ends
/// after an error.
#[derive(Debug)]
#[must_use = "nothing is asked for until it is read"]
pub struct OutputStream {
    reader: Reader<ReadOutputRequest, ReadOutputResponse>,
    progress: OutputProgress,
}

impl OutputStream {
    pub(crate) fn new(reader: Reader<ReadOutputRequest, ReadOutputResponse>, request: ReadOutputRequest) -> Self {
        Self { reader, progress: OutputProgress::new(request) }
    }

    /// The next piece, which is not empty; None at the end. Cancelling the future loses none.
    ///
    /// # Errors
    ///
    /// [`Error`](crate::Error) that trying again won't cure.
    #[allow(clippy::should_implement_trait, reason = "as the extension traits of Stream call it")]
    pub async fn next(&mut self) -> Option<Result<Vec<u8>>> {
        poll_fn(|cx| self.poll_piece(cx)).await
    }

    /// The byte after what has been handed out.
    pub fn offset(&self) -> i64 {
        self.progress.offset()
    }

    /// The job wrote more than is kept; known at the end.
    pub fn truncated(&self) -> bool {
        self.progress.truncated
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Vec<u8>>>> {
        while !self.progress.ended {
            let message = match ready!(self.reader.poll_read(cx, || self.progress.request())) {
                Some(Ok(message)) => message,
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            };
            let data = self.progress.receive(message);
            if !data.is_empty() {
                return Poll::Ready(Some(Ok(data)));
            }
        }
        self.reader.end();
        Poll::Ready(None)
    }
}

impl Stream for OutputStream {
    type Item = Result<Vec<u8>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_piece(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use tokio::time::timeout;
    use tonic::{Code, Status};

    use super::*;
    use crate::client::Peer;
    use crate::outage::{Backoff, Outage};
    use crate::reader::{Messages, Open};
    use crate::v1;

    /// What one call answers, message by message; then it is cut, or ends.
    struct Answer<A>(VecDeque<Result<A, Status>>);

    impl<A: Unpin> Stream for Answer<A> {
        type Item = Result<A, Status>;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            Poll::Ready(self.0.pop_front())
        }
    }

    /// The messages of a call, or why there is none.
    type Call<A> = Result<Vec<Result<A, Status>>, Status>;

    /// A service whose calls answer in turn as they are told; `requests` are those that it got.
    struct Service<Q, A> {
        calls: Mutex<VecDeque<Call<A>>>,
        requests: Mutex<Vec<Q>>,
    }

    impl<Q: Send + 'static, A: Send + Unpin + 'static> Service<Q, A> {
        fn new(calls: impl IntoIterator<Item = Call<A>>) -> Arc<Self> {
            let calls = Mutex::new(calls.into_iter().collect());
            Arc::new(Self { calls, requests: Mutex::default() })
        }

        fn reader(self: &Arc<Self>) -> Reader<Q, A> {
            let service = Arc::clone(self);
            let open: Open<Q, A> = Box::new(move |request| {
                service.requests.lock().unwrap().push(request);
                let call = service.calls.lock().unwrap().pop_front().expect("a call too many");
                Box::pin(async { call.map(|call| Box::pin(Answer(call.into())) as Messages<A>) })
            });
            let steady = Backoff { initial: Duration::from_secs(1), jitter: 0.0, ..Default::default() };
            Reader::new(open, Arc::new(Peer::new("127.0.0.1:1")), Outage::new(steady, true))
        }
    }

    fn message(revisions: &[i64], cursor: &str) -> Result<StreamResponse, Status> {
        let events = revisions.iter().map(|&revision| JobEvent { revision, ..Default::default() });
        Ok(StreamResponse { events: events.collect(), cursor: cursor.into(), ..Default::default() })
    }

    fn cut<T>() -> Result<T, Status> {
        Err(Status::unavailable("the service stops"))
    }

    /// What becomes of a call that a server has accepted but not begun when it stops.
    fn stopped<T>() -> Result<T, Status> {
        Err(Status::cancelled("CANCELLED"))
    }

    async fn revisions(stream: &mut EventStream) -> Vec<Result<i64, Code>> {
        let mut revisions = vec![];
        while let Some(event) = stream.next().await {
            revisions.push(event.map(|event| event.revision).map_err(|error| error.code()));
        }
        revisions
    }

    #[tokio::test(start_paused = true)]
    async fn a_cut_stream_goes_on_from_its_cursor_without_gap_or_double() {
        let service = Service::new([
            Ok(vec![message(&[1, 2], "c2"), message(&[], "c3"), cut()]),
            stopped(),
            Ok(vec![message(&[4], "c4"), cut()]),
            Ok(vec![message(&[5], "c5")]),
        ]);
        let mut stream = EventStream::new(service.reader(), v1::StreamRequest::default());
        assert_eq!(revisions(&mut stream).await, [1, 2, 4, 5].map(Ok));
        assert_eq!(stream.cursor(), "c5");
        let requests = service.requests.lock().unwrap();
        let cursors: Vec<_> = requests.iter().map(|request| &*request.cursor).collect();
        assert_eq!(cursors, ["", "c3", "c3", "c4"]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_that_trying_again_does_not_cure_is_told_once() {
        let expired = Err(Status::out_of_range("the cursor is too old"));
        let service = Service::new([Ok(vec![message(&[1], "c1"), expired])]);
        let mut stream = EventStream::new(service.reader(), v1::StreamRequest::default());
        assert_eq!(revisions(&mut stream).await, [Ok(1), Err(Code::OutOfRange)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_next_loses_nothing() {
        let service = Service::new([Ok(vec![message(&[1], "c1"), cut()]), Ok(vec![message(&[2], "c2")])]);
        let mut stream = EventStream::new(service.reader(), v1::StreamRequest::default());
        assert!(stream.next().await.unwrap().is_ok());
        timeout(Duration::from_millis(500), stream.next()).await.expect_err("it rests for a second");
        assert_eq!(revisions(&mut stream).await, [Ok(2)]);
    }

    #[tokio::test(start_paused = true)]
    async fn messages_come_whole_and_tell_that_the_stream_is_synced() {
        let synced = StreamResponse { synced: true, cursor: "c2".into(), ..Default::default() };
        let service = Service::new([Ok(vec![message(&[1, 2], ""), Ok(synced)])]);
        let mut stream = EventStream::new(service.reader(), v1::StreamRequest::default());
        assert_eq!(stream.next_message().await.unwrap().unwrap().events.len(), 2);
        assert!(!stream.synced());
        assert!(stream.next_message().await.unwrap().unwrap().synced);
        assert!(stream.synced());
        assert!(stream.next_message().await.is_none());
    }

    fn piece(offset: i64, data: &[u8], eof: bool) -> Result<ReadOutputResponse, Status> {
        Ok(ReadOutputResponse { offset, data: data.into(), eof, truncated: eof })
    }

    #[tokio::test(start_paused = true)]
    async fn output_goes_on_where_it_was_cut_and_ends_with_eof() {
        let service = Service::new([
            Ok(vec![piece(0, b"ab", false), cut()]),
            stopped(),
            Ok(vec![piece(2, b"c", false), piece(3, b"", true), piece(3, b"never", false)]),
        ]);
        let mut stream = OutputStream::new(service.reader(), v1::ReadOutputRequest::default());
        let mut pieces = vec![];
        while let Some(piece) = stream.next().await {
            pieces.push(piece.unwrap());
        }
        assert_eq!(pieces, [b"ab".to_vec(), b"c".to_vec()]);
        assert_eq!((stream.offset(), stream.truncated()), (3, true));
        let offsets: Vec<_> = service.requests.lock().unwrap().iter().map(|request| request.offset).collect();
        assert_eq!(offsets, [0, 2, 2]);
    }
}
