//! The jobs of a List, over all its pages.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use crate::Result;
use crate::v1::{Job, ListRequest, ListResponse};

type Fetching = Pin<Box<dyn Future<Output = Result<ListResponse>> + Send>>;

/// Gets one page.
pub(crate) type Fetch = Box<dyn Fn(ListRequest) -> Fetching + Send>;

/// The jobs of [`Client::list`](crate::Client::list), over all pages: a [`Stream`] that asks for a page when the one
/// before has been handed out. It ends after an error.
#[must_use = "nothing is asked for until it is read"]
pub struct JobPages {
    fetch: Fetch,
    // What to ask for next; None after the last page.
    request: Option<ListRequest>,
    fetching: Option<Fetching>,
    jobs: VecDeque<Job>,
    cursor: String,
}

impl JobPages {
    pub(crate) fn new(fetch: Fetch, request: ListRequest) -> Self {
        let (jobs, cursor) = (VecDeque::new(), String::new());
        Self { fetch, request: Some(request), fetching: None, jobs, cursor }
    }

    /// The next job; None after the last one. Cancelling the future loses none.
    ///
    /// # Errors
    ///
    /// [`Error`](crate::Error) of the page that could not be had.
    #[allow(clippy::should_implement_trait, reason = "as the extension traits of Stream call it")]
    pub async fn next(&mut self) -> Option<Result<Job>> {
        poll_fn(|cx| self.poll_job(cx)).await
    }

    /// Where a stream starts that misses nothing since the first page; empty before that has come.
    pub fn cursor(&self) -> &str {
        &self.cursor
    }

    fn poll_job(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Job>>> {
        loop {
            if let Some(job) = self.jobs.pop_front() {
                return Poll::Ready(Some(Ok(job)));
            }
            let Some(request) = &self.request else {
                return Poll::Ready(None);
            };
            let page = self.fetching.get_or_insert_with(|| (self.fetch)(request.clone()));
            let answer = ready!(page.as_mut().poll(cx));
            self.fetching = None;
            let request = self.request.take();
            let page = answer?;
            self.jobs = page.jobs.into();
            self.cursor = page.cursor;
            if !page.next_page_token.is_empty() {
                let page_token = page.next_page_token;
                self.request = request.map(|request| ListRequest { page_token, ..request });
            }
        }
    }
}

impl Stream for JobPages {
    type Item = Result<Job>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_job(cx)
    }
}

impl fmt::Debug for JobPages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobPages").field("request", &self.request).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;
    use crate::Error;

    fn page(ids: &[&str], next_page_token: &str) -> ListResponse {
        let jobs = ids.iter().map(|id| Job { id: (*id).into(), ..Job::default() }).collect();
        let cursor = format!("after {ids:?}");
        ListResponse { jobs, next_page_token: next_page_token.into(), cursor }
    }

    fn pages(answer: fn(ListRequest) -> Result<ListResponse>) -> JobPages {
        let fetch: Fetch = Box::new(move |request| Box::pin(async move { answer(request) }));
        JobPages::new(fetch, ListRequest { page_size: 2, ..Default::default() })
    }

    async fn ids(mut pages: JobPages) -> Vec<Result<String, Code>> {
        let mut ids = vec![];
        while let Some(job) = pages.next().await {
            ids.push(job.map(|job| job.id).map_err(|error| error.code()));
        }
        ids
    }

    #[tokio::test]
    async fn jobs_come_from_all_pages_also_past_an_empty_one() {
        let found = pages(|request| {
            assert_eq!(request.page_size, 2);
            Ok(match &*request.page_token {
                "" => page(&["a", "b"], "2"),
                "2" => page(&[], "3"),
                "3" => page(&["c"], ""),
                other => panic!("no page {other}"),
            })
        });
        assert_eq!(ids(found).await, ["a", "b", "c"].map(|id| Ok(id.to_owned())));
    }

    #[tokio::test]
    async fn an_error_is_told_once_and_ends_it() {
        let found = pages(|request| match &*request.page_token {
            "" => Ok(page(&["a"], "2")),
            _ => Err(Error::new(Code::InvalidArgument, "a bad token")),
        });
        assert_eq!(ids(found).await, [Ok("a".to_owned()), Err(Code::InvalidArgument)]);
    }

    #[tokio::test]
    async fn the_cursor_is_that_of_the_page() {
        let mut found = pages(|_| Ok(page(&["a"], "")));
        assert_eq!(found.cursor(), "");
        found.next().await;
        assert_eq!(found.cursor(), "after [\"a\"]");
    }
}
