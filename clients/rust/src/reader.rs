//! Reads one server-streaming method, and calls it again when it was cut.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use tokio::time::{Sleep, sleep};
use tonic::Status;

use crate::client::Peer;
use crate::outage::Outage;
use crate::{Error, Result};

/// What a call answers.
pub(crate) type Messages<A> = Pin<Box<dyn Stream<Item = Result<A, Status>> + Send>>;
type Opening<A> = Pin<Box<dyn Future<Output = Result<Messages<A>, Status>> + Send>>;

/// Begins a call.
pub(crate) type Open<Q, A> = Box<dyn Fn(Q) -> Opening<A> + Send>;

pub(crate) struct Reader<Q, A> {
    open: Open<Q, A>,
    peer: Arc<Peer>,
    outage: Outage,
    state: State<A>,
}

enum State<A> {
    Closed,
    Opening(Opening<A>),
    Reading(Messages<A>),
    Resting(Pin<Box<Sleep>>),
    Ended,
}

impl<Q, A> Reader<Q, A> {
    pub(crate) fn new(open: Open<Q, A>, peer: Arc<Peer>, outage: Outage) -> Self {
        Self { open, peer, outage, state: State::Closed }
    }

    /// The next message; None at the end, and after an error. `request` is what a new call asks for.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        mut request: impl FnMut() -> Q,
    ) -> Poll<Option<Result<A>>> {
        loop {
            match &mut self.state {
                State::Closed => self.state = State::Opening((self.open)(request())),
                State::Opening(call) => match ready!(call.as_mut().poll(cx)) {
                    Ok(messages) => self.state = State::Reading(messages),
                    Err(status) => self.rest(status)?,
                },
                State::Reading(messages) => match ready!(messages.as_mut().poll_next(cx)) {
                    Some(Ok(message)) => {
                        self.peer.answered();
                        self.outage.answered();
                        return Poll::Ready(Some(Ok(message)));
                    }
                    Some(Err(status)) => self.rest(status)?,
                    None => self.end(),
                },
                State::Resting(delay) => {
                    ready!(delay.as_mut().poll(cx));
                    self.state = State::Closed;
                }
                State::Ended => return Poll::Ready(None),
            }
        }
    }

    /// Ends the call.
    pub(crate) fn end(&mut self) {
        self.state = State::Ended;
    }

    /// A call was cut: waits before the next one, unless the error is the caller's to know.
    fn rest(&mut self, status: Status) -> Result<()> {
        let error: Error = self.peer.refused(status);
        match self.outage.failed(&error) {
            Some(delay) => {
                self.state = State::Resting(Box::pin(sleep(delay)));
                Ok(())
            }
            None => {
                self.end();
                Err(error)
            }
        }
    }
}

impl<Q, A> fmt::Debug for Reader<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Closed => "closed",
            State::Opening(_) => "opening",
            State::Reading(_) => "reading",
            State::Resting(_) => "resting",
            State::Ended => "ended",
        };
        f.debug_struct("Reader").field("state", &state).finish_non_exhaustive()
    }
}
