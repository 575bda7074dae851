//! The methods of QueueService.

use tonic::transport::Channel;
use tonic::{Request, Response, Status};

use crate::Result;
use crate::client::{Client, Repeat, whole};
use crate::v1::queue_service_client::QueueServiceClient;
use crate::v1::{
    GetQueueRequest, GetStatsRequest, GetStatsResponse, ListQueuesRequest, ListQueuesResponse, ListServersRequest,
    ListSlotsRequest, ListSlotsResponse, Queue, Server, UpdateQueueRequest, UpdateSlotsRequest,
};

type Stub = QueueServiceClient<Channel>;

/// Queues, slots, counters and servers; from [`Client::queues`]. All of it is safe to repeat, and is on UNAVAILABLE.
#[derive(Clone, Debug)]
pub struct Queues {
    client: Client,
}

impl Queues {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Tells of a queue; NOT_FOUND for one that no job and no update has named yet.
    pub async fn get(&self, name: impl Into<String>) -> Result<Queue> {
        let request = GetQueueRequest { name: name.into() };
        let answer = self.call(request, |mut queues, request| async move { queues.get_queue(request).await }).await?;
        whole(answer.queue)
    }

    /// One page of all queues, by name.
    pub async fn list_page(&self, request: ListQueuesRequest) -> Result<ListQueuesResponse> {
        self.call(request, |mut queues, request| async move { queues.list_queues(request).await }).await
    }

    /// Changes the fields of a queue that the mask names or, without one, those that are set; a queue that is not there
    /// yet is made.
    pub async fn update(&self, request: UpdateQueueRequest) -> Result<Queue> {
        let answer =
            self.call(request, |mut queues, request| async move { queues.update_queue(request).await }).await?;
        whole(answer.queue)
    }

    /// The ledger of the server that answers: how many slots there are, and who holds each.
    pub async fn list_slots(&self) -> Result<ListSlotsResponse> {
        self.call(ListSlotsRequest {}, |mut queues, request| async move { queues.list_slots(request).await }).await
    }

    /// Resizes that server's own pool, 0 to 10,000; returns the size from now on. 0 pauses.
    pub async fn update_slots(&self, slots: i32) -> Result<i32> {
        let request = UpdateSlotsRequest { slots: Some(slots) };
        let answer =
            self.call(request, |mut queues, request| async move { queues.update_slots(request).await }).await?;
        Ok(answer.slots)
    }

    /// The counters, all at one revision.
    pub async fn stats(&self) -> Result<GetStatsResponse> {
        self.call(GetStatsRequest {}, |mut queues, request| async move { queues.get_stats(request).await }).await
    }

    /// The servers that share the store, longest there first.
    pub async fn servers(&self) -> Result<Vec<Server>> {
        let answer = self
            .call(ListServersRequest {}, |mut queues, request| async move { queues.list_servers(request).await })
            .await?;
        Ok(answer.servers)
    }

    async fn call<Q, A, F, R>(&self, request: Q, method: F) -> Result<A>
    where
        Q: Clone,
        F: Fn(Stub, Request<Q>) -> R,
        R: Future<Output = Result<Response<A>, Status>>,
    {
        self.client.call(Repeat::Safe, self.client.queues_stub(), request, method).await
    }
}
