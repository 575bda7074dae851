//! When a cut call is tried again, and after how long.

use std::time::Duration;

use tokio::time::Instant;
use tonic::Code;

use crate::Error;

/// How often a service that has never answered is tried before the caller hears that there is none.
const FIRST_TRIES: u32 = 4;

/// How streams and waits try again after a cut.
#[derive(Clone, Debug, PartialEq)]
pub struct Backoff {
    /// The wait before the first new try.
    pub initial: Duration,
    /// No wait is longer, unless the service asks for more.
    pub maximum: Duration,
    /// Each wait is the one before times this.
    pub multiplier: f64,
    /// Each wait is changed at random by up to this share of itself, so that many readers don't come at once; 0 to 1.
    pub jitter: f64,
    /// How long without any answer until the error is handed out; None goes on for ever.
    pub give_up: Option<Duration>,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            initial: Duration::from_millis(100),
            maximum: Duration::from_secs(10),
            multiplier: 2.0,
            jitter: 0.5,
            give_up: None,
        }
    }
}

impl Backoff {
    /// The wait after so many failures in a row, from 1; `chance` is from 0 to 1.
    pub(crate) fn delay(&self, failures: u32, chance: f64) -> Duration {
        let growth = self.multiplier.powf(f64::from(failures) - 1.0);
        let plain = (self.initial.as_secs_f64() * growth).min(self.maximum.as_secs_f64());
        Duration::try_from_secs_f64(plain * (1.0 + self.jitter * (2.0 * chance - 1.0))).unwrap_or_default()
    }
}

/// One reader's failures in a row.
#[derive(Debug)]
pub(crate) struct Outage {
    backoff: Backoff,
    // The service has answered before, so that its being away is taken for a restart.
    reached: bool,
    failures: u32,
    since: Instant,
}

impl Outage {
    pub(crate) fn new(backoff: Backoff, reached: bool) -> Self {
        Self { backoff, reached, failures: 0, since: Instant::now() }
    }

    /// The service answered: the next failure is a first one.
    pub(crate) fn answered(&mut self) {
        self.reached = true;
        self.failures = 0;
    }

    /// Returns the wait before the next try; None when the error is the caller's to know.
    pub(crate) fn failed(&mut self, error: &Error) -> Option<Duration> {
        if !self.passes(error) {
            return None;
        }
        if self.failures == 0 {
            self.since = Instant::now();
        }
        self.failures += 1;
        if error.code() != Code::DeadlineExceeded && error.connected() {
            // A connection that broke, or a service that says it is going: there was one.
            self.reached = true;
        }
        if !self.reached && self.failures >= FIRST_TRIES {
            return None;
        }
        if self.backoff.give_up.is_some_and(|longest| self.since.elapsed() >= longest) {
            return None;
        }
        let delay = self.backoff.delay(self.failures, fastrand::f64());
        Some(delay.max(error.retry_delay().unwrap_or_default()))
    }

    fn passes(&self, error: &Error) -> bool {
        match error.code() {
            // CANCELLED: a server that stops cancels the calls that it has accepted but not begun. Nobody else says so:
            // who cancels a call here drops it, with its reader.
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => true,
            // The service may still count the stream that was cut, until it notices. A message that is too large has
            // no RetryInfo, and would be too large again.
            Code::ResourceExhausted => self.reached && error.retry_delay().is_some(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use tonic::{ConnectError, Status};
    use tonic_types::{ErrorDetails, StatusExt};

    use super::*;

    const STEADY: Backoff = Backoff {
        initial: Duration::from_secs(1),
        maximum: Duration::from_secs(3),
        multiplier: 2.0,
        jitter: 0.0,
        give_up: None,
    };

    fn away() -> Error {
        let mut status = Status::unavailable("");
        status.set_source(std::sync::Arc::new(ConnectError("refused".into())));
        Error::from(status)
    }

    fn full(retry_delay: Option<Duration>) -> Error {
        let details = ErrorDetails::with_retry_info(retry_delay);
        Error::from(Status::with_error_details(Code::ResourceExhausted, "too many streams", details))
    }

    #[test]
    fn waits_grow_up_to_the_maximum() {
        let waits: Vec<_> = [1, 2, 3, 1000].map(|failures| STEADY.delay(failures, 0.5)).into();
        assert_eq!(waits, [1, 2, 3, 3].map(Duration::from_secs));
    }

    #[test]
    fn jitter_is_a_share_of_the_wait_up_or_down() {
        let backoff = Backoff { jitter: 0.5, ..STEADY };
        assert_eq!(backoff.delay(1, 0.0), Duration::from_millis(500));
        assert_eq!(backoff.delay(1, 1.0), Duration::from_millis(1500));
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_never_answered_is_tried_four_times() {
        let mut outage = Outage::new(STEADY, false);
        let tries = [(); 4].map(|()| outage.failed(&away()).is_some());
        assert_eq!(tries, [true, true, true, false]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_answered_before_is_waited_for() {
        let mut outage = Outage::new(STEADY, true);
        assert!((0..100).all(|_| outage.failed(&away()).is_some()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_stops_and_cancels_what_it_has_not_begun_was_there() {
        let mut outage = Outage::new(STEADY, false);
        assert_eq!(outage.failed(&Error::new(Code::Cancelled, "")), Some(Duration::from_secs(1)));
        assert!((0..100).all(|_| outage.failed(&away()).is_some()));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_starts_the_count_anew() {
        let mut outage = Outage::new(STEADY, true);
        outage.failed(&away());
        outage.answered();
        assert_eq!(outage.failed(&away()), Some(Duration::from_secs(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn give_up_counts_from_the_first_failure() {
        let give_up = Some(Duration::from_secs(5));
        let mut outage = Outage::new(Backoff { give_up, ..STEADY }, true);
        assert!(outage.failed(&away()).is_some());
        tokio::time::advance(Duration::from_secs(4)).await;
        assert!(outage.failed(&away()).is_some());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(outage.failed(&away()).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn the_service_may_ask_for_a_longer_wait() {
        let asked = Duration::from_secs(30);
        let mut outage = Outage::new(STEADY, true);
        assert_eq!(outage.failed(&full(Some(asked))), Some(asked));
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_that_trying_again_does_not_cure_is_handed_out() {
        let mut outage = Outage::new(STEADY, true);
        assert_eq!(outage.failed(&full(None)), None);
        assert_eq!(outage.failed(&Error::new(Code::NotFound, "")), None);
    }
}
