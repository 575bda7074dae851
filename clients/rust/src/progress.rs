//! How far a reader has come, over all the calls that it takes: what to ask for next, and what is new of the answer.
//!
//! Nothing here does input or output.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use crate::Error;
use crate::outage::Outage;
use crate::v1::{
    EventType, Job, JobEvent, ReadOutputRequest, ReadOutputResponse, StreamRequest, StreamResponse, WaitRequest,
};

/// One Wait asks for this much time; its call is given some more to answer.
const WAIT: Duration = Duration::from_secs(20);
const WAIT_MARGIN: Duration = Duration::from_secs(10);

/// How far a stream of events has come.
///
/// Once the service has sent a cursor, a cut stream goes on from the last one, without gap or duplicate. Before that,
/// within the first snapshot, there is nothing to go on from: the snapshot is asked for again, and of it only those jobs
/// are handed out that are new or of a higher revision than before. Jobs that were handed out before the cut and are
/// missing from the snapshot that came through are listed in `vanished`.
#[derive(Debug)]
pub(crate) struct EventProgress {
    request: StreamRequest,
    received: String,
    told: HashMap<String, i64>,
    present: HashSet<String>,
    pending: VecDeque<JobEvent>,
    // The message, less its events, that `pending` is of.
    settling: Option<StreamResponse>,
    pub(crate) cursor: String,
    pub(crate) revision: i64,
    pub(crate) synced: bool,
    pub(crate) vanished: HashSet<String>,
}

impl EventProgress {
    pub(crate) fn new(request: StreamRequest) -> Self {
        Self {
            received: request.cursor.clone(),
            cursor: request.cursor.clone(),
            request,
            told: HashMap::new(),
            present: HashSet::new(),
            pending: VecDeque::new(),
            settling: None,
            revision: 0,
            synced: false,
            vanished: HashSet::new(),
        }
    }

    /// What the next call asks for.
    pub(crate) fn request(&mut self) -> StreamRequest {
        self.present.clear();
        StreamRequest { cursor: self.received.clone(), ..self.request.clone() }
    }

    /// Takes in a message: lines up its events, less those that were handed out before. None may be waiting.
    pub(crate) fn receive(&mut self, mut message: StreamResponse) {
        let mut events = std::mem::take(&mut message.events);
        if self.received.is_empty() {
            events.retain(|event| self.is_new(event));
        }
        if !message.cursor.is_empty() {
            self.received.clone_from(&message.cursor);
        }
        if message.synced && !self.told.is_empty() {
            let missing = self.told.keys().filter(|id| !self.present.contains(*id));
            self.vanished = missing.cloned().collect();
        }
        if !self.received.is_empty() {
            self.told.clear();
            self.present.clear();
        }
        self.pending = events.into();
        self.settling = Some(message);
    }

    /// The next event in line; None when a message is needed.
    pub(crate) fn next_event(&mut self) -> Option<JobEvent> {
        let event = self.pending.pop_front();
        if self.pending.is_empty() {
            self.settle();
        }
        event
    }

    /// What is left of the last message; None when another is needed.
    pub(crate) fn next_message(&mut self) -> Option<StreamResponse> {
        let events = std::mem::take(&mut self.pending).into();
        let message = self.settle()?;
        Some(StreamResponse { events, ..message })
    }

    /// All events of a message have been handed out: the position moves behind it.
    fn settle(&mut self) -> Option<StreamResponse> {
        let message = self.settling.take()?;
        if !message.cursor.is_empty() {
            self.cursor.clone_from(&message.cursor);
        }
        self.revision = self.revision.max(message.revision);
        self.synced |= message.synced;
        Some(message)
    }

    fn is_new(&mut self, event: &JobEvent) -> bool {
        let Some(job) = &event.job else { return true };
        if event.r#type() != EventType::Snapshot {
            return true;
        }
        self.present.insert(job.id.clone());
        if self.told.get(&job.id).is_some_and(|&revision| job.revision <= revision) {
            return false;
        }
        self.told.insert(job.id.clone(), job.revision);
        true
    }
}

/// How far a job's output has been read.
#[derive(Debug)]
pub(crate) struct OutputProgress {
    request: ReadOutputRequest,
    pub(crate) truncated: bool,
    pub(crate) ended: bool,
}

impl OutputProgress {
    pub(crate) fn new(request: ReadOutputRequest) -> Self {
        Self { request, truncated: false, ended: false }
    }

    /// The byte after what has been handed out.
    pub(crate) fn offset(&self) -> i64 {
        self.request.offset
    }

    /// What the next call asks for.
    pub(crate) fn request(&self) -> ReadOutputRequest {
        self.request.clone()
    }

    /// Takes in a message; returns its bytes, less those that were handed out before.
    pub(crate) fn receive(&mut self, message: ReadOutputResponse) -> Vec<u8> {
        let mut data = message.data;
        let end = message.offset + i64::try_from(data.len()).unwrap_or(i64::MAX);
        let known = usize::try_from(self.request.offset - message.offset).unwrap_or(0);
        data.drain(..known.min(data.len()));
        self.request.offset = self.request.offset.max(end);
        self.truncated |= message.truncated;
        self.ended |= message.eof;
        data
    }
}

/// A wait of any length as a row of bounded Waits, none of which hangs for ever on a service that has gone.
#[derive(Debug)]
pub(crate) struct WaitProgress {
    request: WaitRequest,
    end: Option<Instant>,
    outage: Outage,
}

impl WaitProgress {
    pub(crate) fn new(request: WaitRequest, outage: Outage) -> Self {
        // A timeout below zero is over at once.
        let timeout = request.timeout.map(|span| Duration::try_from(span).unwrap_or_default());
        let end = timeout.and_then(|span| Instant::now().checked_add(span));
        Self { request, end, outage }
    }

    /// The next Wait, and the timeout of its call.
    pub(crate) fn request(&self) -> (WaitRequest, Duration) {
        let slice = self.left().map_or(WAIT, |left| left.min(WAIT));
        // A slice is short enough for any type.
        let timeout = slice.try_into().ok();
        (WaitRequest { timeout, ..self.request.clone() }, slice + WAIT_MARGIN)
    }

    /// Says whether this is the answer: the job is terminal, or the time is over.
    pub(crate) fn answered(&mut self, job: &Job) -> bool {
        self.outage.answered();
        job.state().is_terminal() || self.left().is_some_and(|left| left.is_zero())
    }

    /// Returns how long to wait before the next Wait; None when the error is the caller's to know.
    pub(crate) fn failed(&mut self, error: &Error) -> Option<Duration> {
        let delay = self.outage.failed(error)?;
        match self.left() {
            Some(left) if left.is_zero() => None,
            Some(left) => Some(delay.min(left)),
            None => Some(delay),
        }
    }

    fn left(&self) -> Option<Duration> {
        self.end.map(|end| end.saturating_duration_since(Instant::now()))
    }
}

#[cfg(test)]
mod tests {
    use tonic::{Code, Status};

    use super::*;
    use crate::outage::Backoff;
    use crate::v1::JobState;

    fn event(r#type: EventType, id: &str, revision: i64) -> JobEvent {
        let job = Job { id: id.into(), revision, ..Job::default() };
        JobEvent { revision, r#type: r#type.into(), job: Some(job), ..JobEvent::default() }
    }

    fn snapshot(jobs: &[(&str, i64)]) -> StreamResponse {
        let events = jobs.iter().map(|(id, revision)| event(EventType::Snapshot, id, *revision));
        StreamResponse { events: events.collect(), ..StreamResponse::default() }
    }

    fn live(revisions: &[i64], cursor: &str) -> StreamResponse {
        let events = revisions.iter().map(|revision| event(EventType::Changed, "a", *revision));
        let revision = revisions.last().copied().unwrap_or_default();
        let (events, cursor) = (events.collect(), cursor.into());
        StreamResponse { events, cursor, revision, ..StreamResponse::default() }
    }

    fn synced(cursor: &str) -> StreamResponse {
        StreamResponse { synced: true, ..live(&[], cursor) }
    }

    fn revisions(progress: &mut EventProgress) -> Vec<i64> {
        std::iter::from_fn(|| progress.next_event()).map(|event| event.revision).collect()
    }

    fn told(progress: &mut EventProgress, message: StreamResponse) -> Vec<i64> {
        progress.receive(message);
        revisions(progress)
    }

    #[test]
    fn the_cursor_moves_when_the_last_event_of_a_message_is_handed_out() {
        let mut progress = EventProgress::new(StreamRequest::default());
        progress.receive(live(&[1, 2], "c2"));
        assert_eq!(progress.next_event().map(|event| event.revision), Some(1));
        assert_eq!((&*progress.cursor, progress.revision), ("", 0));
        assert_eq!(progress.next_event().map(|event| event.revision), Some(2));
        assert_eq!((&*progress.cursor, progress.revision), ("c2", 2));
    }

    #[test]
    fn a_cut_stream_asks_from_the_last_cursor_that_came() {
        let mut progress = EventProgress::new(StreamRequest { cursor: "c0".into(), ..Default::default() });
        assert_eq!(progress.request().cursor, "c0");
        progress.receive(live(&[1, 2], "c2"));
        assert_eq!(progress.request().cursor, "c2");
        assert_eq!(revisions(&mut progress), [1, 2]);
    }

    #[test]
    fn a_snapshot_that_was_cut_is_not_told_twice() {
        let mut progress = EventProgress::new(StreamRequest::default());
        assert_eq!(told(&mut progress, snapshot(&[("a", 1), ("b", 2), ("gone", 3)])), [1, 2, 3]);
        assert_eq!(progress.request().cursor, "");
        assert_eq!(told(&mut progress, snapshot(&[("a", 1), ("b", 4), ("c", 5)])), [4, 5]);
        assert!(told(&mut progress, synced("c5")).is_empty());
        assert!(progress.synced);
        assert_eq!(progress.vanished, HashSet::from(["gone".to_owned()]));
        assert_eq!(progress.request().cursor, "c5");
    }

    #[test]
    fn after_the_snapshot_everything_is_told() {
        let mut progress = EventProgress::new(StreamRequest::default());
        told(&mut progress, snapshot(&[("a", 7)]));
        told(&mut progress, synced("c7"));
        assert_eq!(told(&mut progress, snapshot(&[("a", 7)])), [7]);
        told(&mut progress, synced("c8"));
        assert!(progress.vanished.is_empty());
    }

    #[test]
    fn a_message_is_what_no_event_was_taken_of() {
        let mut progress = EventProgress::new(StreamRequest::default());
        progress.receive(live(&[1, 2], "c2"));
        progress.next_event();
        let message = progress.next_message().unwrap();
        assert_eq!((message.events.len(), &*message.cursor), (1, "c2"));
        assert_eq!(progress.cursor, "c2");
        assert!(progress.next_message().is_none());
        progress.receive(synced("c3"));
        assert!(progress.next_message().unwrap().synced);
        assert!(progress.synced);
    }

    fn piece(offset: i64, data: &[u8]) -> ReadOutputResponse {
        ReadOutputResponse { offset, data: data.into(), ..Default::default() }
    }

    #[test]
    fn output_goes_on_from_the_byte_where_it_was_cut() {
        let mut progress = OutputProgress::new(ReadOutputRequest { offset: 2, ..Default::default() });
        assert_eq!(progress.receive(piece(2, b"cde")), b"cde");
        assert_eq!(progress.request().offset, 5);
        assert_eq!(progress.receive(piece(2, b"cdefg")), b"fg");
        assert_eq!(progress.receive(piece(3, b"de")), b"");
        assert_eq!(progress.offset(), 7);
    }

    #[test]
    fn output_ends_with_eof_and_says_whether_it_is_whole() {
        let mut progress = OutputProgress::new(ReadOutputRequest::default());
        progress.receive(piece(0, b"ab"));
        assert!(!progress.ended);
        let last = ReadOutputResponse { eof: true, truncated: true, ..piece(2, b"") };
        assert_eq!(progress.receive(last), b"");
        assert!(progress.ended && progress.truncated);
    }

    fn wait(timeout: Option<u64>) -> WaitProgress {
        let timeout = timeout.map(|seconds| Duration::from_secs(seconds).try_into().unwrap());
        let request = WaitRequest { id: "a".into(), timeout, ..Default::default() };
        WaitProgress::new(request, Outage::new(Backoff::default(), true))
    }

    fn seconds(progress: &WaitProgress) -> (i64, u64) {
        let (request, timeout) = progress.request();
        (request.timeout.unwrap().seconds, timeout.as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_without_end_is_a_row_of_short_ones() {
        let mut progress = wait(None);
        assert_eq!(seconds(&progress), (20, 30));
        assert!(!progress.answered(&Job::default()));
        assert!(progress.answered(&Job { state: JobState::Failed.into(), ..Job::default() }));
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_wait_is_as_long_as_what_is_left() {
        let mut progress = wait(Some(25));
        assert_eq!(seconds(&progress), (20, 30));
        tokio::time::advance(Duration::from_secs(20)).await;
        assert_eq!(seconds(&progress), (5, 15));
        assert!(!progress.answered(&Job::default()));
        tokio::time::advance(Duration::from_secs(5)).await;
        assert!(progress.answered(&Job::default()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_is_over_tells_why_it_could_not_ask() {
        let away = Error::new(Code::Unavailable, "");
        let mut progress = wait(Some(1));
        assert!(progress.failed(&away).is_some());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(progress.failed(&away).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_goes_on_over_a_server_that_stops_and_cancels_what_it_has_not_begun() {
        assert!(wait(None).failed(&Status::cancelled("CANCELLED").into()).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_does_not_try_again_what_trying_does_not_cure() {
        assert!(wait(None).failed(&Status::not_found("").into()).is_none());
    }
}
