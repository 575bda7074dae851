//! Streams that stay open from one line to the next.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use futures_core::Stream as _;
use serde_json::{Value, json};
use slotd::EventStream;
use slotd::v1::JobEvent;
use tokio::select;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use crate::answer::{Failure, write};
use crate::{messages, seconds};

/// An open stream; dropping this closes it.
pub struct Events(UnboundedSender<Read>);

/// What a reader wants: so many events, or all up to a point.
struct Read {
    id: Value,
    until: Until,
    timeout: Duration,
}

#[derive(Clone, Copy)]
enum Until {
    Count(usize),
    Synced(Option<usize>),
    End(Option<usize>),
}

impl Events {
    /// Reads a stream from now on.
    pub fn read(stream: EventStream) -> Self {
        let (sender, reads) = unbounded_channel();
        let (ahead, taken) = (VecDeque::new(), Vec::new());
        let reader = Reader { told: Position::of(&stream), stream, ahead, taken, end: None };
        tokio::spawn(reader.run(reads));
        Self(sender)
    }

    /// Lines up a read, which will be answered when it is done.
    pub fn ask(&self, call: &Value) -> Result<(), Failure> {
        let count = call["count"].as_u64().and_then(|count| usize::try_from(count).ok());
        let until = match call["until"].as_str() {
            None => Until::Count(count.unwrap_or(1)),
            Some("synced") => Until::Synced(count),
            Some("end") => Until::End(count),
            Some(other) => return Err(Failure::argument(format!("until {other:?}"))),
        };
        let timeout = seconds(call, "timeout")?.unwrap_or(Duration::from_secs(30));
        let read = Read { id: call["id"].clone(), until, timeout };
        self.0.send(read).map_err(|_| Failure::argument("the stream is closed"))
    }
}

impl Until {
    fn count(self) -> Option<usize> {
        match self {
            Self::Count(count) => Some(count),
            Self::Synced(count) | Self::End(count) => count,
        }
    }
}

/// Where the stream is once an event has been handed out.
#[derive(Clone)]
struct Position {
    cursor: String,
    synced: bool,
}

impl Position {
    fn of(stream: &EventStream) -> Self {
        Self { cursor: stream.cursor().to_owned(), synced: stream.synced() }
    }
}

struct Reader {
    stream: EventStream,
    told: Position,
    // Events that came before they were asked for.
    ahead: VecDeque<(JobEvent, Position)>,
    // Those of the read under way.
    taken: Vec<(JobEvent, Position)>,
    end: Option<Result<(), slotd::Error>>,
}

impl Reader {
    async fn run(mut self, mut reads: UnboundedReceiver<Read>) {
        loop {
            select! {
                read = reads.recv() => match read {
                    Some(read) => self.answer(read).await,
                    None => return,
                },
                // Without it the call would begin with the first read.
                () = self.fetch(false), if self.ahead.is_empty() && self.end.is_none() => {}
            }
        }
    }

    async fn answer(&mut self, read: Read) {
        let answer = match timeout(read.timeout, self.take(read.until)).await {
            Ok(Ok(())) => self.hand_out(),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(Failure::too_late()),
        };
        for kept in self.taken.drain(..).rev() {
            self.ahead.push_front(kept);
        }
        write(&read.id, answer);
    }

    /// Collects the events that are asked for in `taken`.
    async fn take(&mut self, until: Until) -> Result<(), slotd::Error> {
        loop {
            let enough = until.count().is_some_and(|count| self.taken.len() >= count);
            if enough || (matches!(until, Until::Synced(_)) && self.position().synced) {
                return Ok(());
            }
            if let Some(event) = self.ahead.pop_front() {
                self.taken.push(event);
            } else if let Some(end) = &self.end {
                return end.clone();
            } else {
                self.fetch(matches!(until, Until::Synced(_))).await;
            }
        }
    }

    fn hand_out(&mut self) -> Result<Value, Failure> {
        self.told = self.position();
        let events: Result<Value, _> = self.taken.drain(..).map(|(event, _)| messages::print(&event)).collect();
        let ended = self.end.is_some() && self.ahead.is_empty();
        Ok(json!({"events": events?, "synced": self.told.synced, "cursor": self.told.cursor, "ended": ended}))
    }

    /// Where the stream is once what is taken has been handed out.
    fn position(&self) -> Position {
        if self.ahead.is_empty() {
            return Position::of(&self.stream);
        }
        self.taken.last().map_or_else(|| self.told.clone(), |(_, position)| position.clone())
    }

    /// Waits for an event or, if told so, until the stream is synced, which comes with no event. Cancelling it loses
    /// none.
    async fn fetch(&mut self, or_synced: bool) {
        let stream = &mut self.stream;
        let event = poll_fn(|cx| match Pin::new(&mut *stream).poll_next(cx) {
            Poll::Pending if or_synced && stream.synced() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
            Poll::Ready(event) => Poll::Ready(Some(event)),
        });
        match event.await {
            None => {}
            Some(Some(Ok(event))) => self.ahead.push_back((event, Position::of(&self.stream))),
            Some(Some(Err(error))) => self.end = Some(Err(error)),
            Some(None) => self.end = Some(Ok(())),
        }
    }
}
