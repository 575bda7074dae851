package io.slotd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import io.slotd.v1.GetResponse;
import io.slotd.v1.Job;
import io.slotd.v1.JobSpec;
import io.slotd.v1.ListRequest;
import io.slotd.v1.ListResponse;
import io.slotd.v1.RetryRequest;
import io.slotd.v1.SubmitBatchRequest;
import io.slotd.v1.SubmitBatchResponse;
import io.slotd.v1.SubmitRequest;
import io.slotd.v1.SubmitResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class SlotdClientTest {
  private static final JobSpec SPEC = JobSpec.newBuilder().setKind("noop").build();

  private final FakeService service = new FakeService();
  private final SlotdClient client = service.client();

  SlotdClientTest() throws IOException {}

  @AfterEach
  void stop() {
    client.close();
    service.close();
  }

  @Test
  void a_submit_is_repeated_with_the_request_id_that_it_was_given() {
    service
        .then(FakeService.fail(Status.UNAVAILABLE))
        .then(FakeService.fail(Status.UNKNOWN))
        .then(FakeService.answer(SubmitResponse.newBuilder().setCursor("c").build()));
    assertEquals("c", client.submit(SPEC).getCursor());
    List<SubmitRequest> requests = service.requests(SubmitRequest.class);
    assertEquals(3, requests.size());
    assertFalse(requests.get(0).getRequestId().isEmpty());
    assertEquals(Set.of(requests.get(0)), Set.copyOf(requests));
  }

  @Test
  void a_request_id_of_the_callers_own_stays() {
    service.then(FakeService.answer(SubmitResponse.getDefaultInstance()));
    client.submit(SubmitRequest.newBuilder().setSpec(SPEC).setRequestId("mine").build());
    assertEquals("mine", service.requests(SubmitRequest.class).get(0).getRequestId());
  }

  @Test
  void each_job_of_a_batch_gets_a_request_id() {
    service.then(FakeService.answer(SubmitBatchResponse.getDefaultInstance()));
    client.submitBatch(List.of(SPEC, SPEC));
    List<SubmitRequest> jobs = service.requests(SubmitBatchRequest.class).get(0).getRequestsList();
    assertFalse(jobs.get(0).getRequestId().isEmpty());
    assertNotEquals(jobs.get(0).getRequestId(), jobs.get(1).getRequestId());
    assertEquals(SPEC, jobs.get(1).getSpec());
  }

  @Test
  void a_retry_is_not_repeated() {
    service.then(FakeService.fail(Status.UNAVAILABLE));
    SlotdException error = assertThrows(SlotdException.class, () -> client.retry("job"));
    assertEquals(Status.Code.UNAVAILABLE, error.code());
    assertEquals(1, service.requests(RetryRequest.class).size());
  }

  @Test
  void list_goes_over_all_pages_each_when_it_is_needed() {
    service
        .then(FakeService.answer(page("next", "a", "b")))
        .then(FakeService.answer(page("", "c")));
    ListRequest request = ListRequest.newBuilder().setPageSize(2).build();
    assertEquals("a", client.list(request).iterator().next().getId());
    assertEquals(1, service.requests(ListRequest.class).size());
    service.then(FakeService.answer(page("", "d")));
    assertEquals(List.of("c"), client.list(request).stream().map(Job::getId).toList());
  }

  @Test
  void list_asks_for_the_page_after_with_its_token() {
    service
        .then(FakeService.answer(page("next", "a", "b")))
        .then(FakeService.answer(page("", "c")));
    ListRequest request = ListRequest.newBuilder().setPageSize(2).build();
    assertEquals(List.of("a", "b", "c"), client.list(request).stream().map(Job::getId).toList());
    assertEquals(
        List.of(request, request.toBuilder().setPageToken("next").build()),
        service.requests(ListRequest.class));
  }

  @Test
  void a_call_has_the_clients_deadline_unless_it_says_otherwise() {
    for (int i = 0; i < 3; i++) {
      service.then(FakeService.answer(GetResponse.getDefaultInstance()));
    }
    client.get("job");
    long byDefault = service.deadline().timeRemaining(TimeUnit.SECONDS);
    assertTrue(byDefault > 20 && byDefault <= 30, "seconds: " + byDefault);
    client.withTimeout(Duration.ofHours(2)).get("job");
    assertTrue(service.deadline().timeRemaining(TimeUnit.MINUTES) > 100);
    client.withTimeout(null).get("job");
    assertNull(service.deadline());
  }

  @Test
  void a_call_that_gets_no_answer_ends_with_its_deadline() {
    SlotdClient hurried = client.withTimeout(Duration.ofMillis(50));
    SlotdException error = assertThrows(SlotdException.class, () -> hurried.get("job"));
    assertEquals(Status.Code.DEADLINE_EXCEEDED, error.code());
  }

  @Test
  void a_future_fails_with_the_same_exception_as_the_call_that_blocks() throws Exception {
    service.then(FakeService.fail(Status.NOT_FOUND.withDescription("no such job")));
    Throwable failure =
        client.getAsync("job").handle((job, error) -> error).get(30, TimeUnit.SECONDS);
    assertEquals(Status.Code.NOT_FOUND, ((SlotdException) failure).code());
  }

  @Test
  void cancelling_a_future_cancels_its_call() throws InterruptedException {
    CompletableFuture<Job> future = client.getAsync("job");
    service.awaitCall();
    future.cancel(true);
    service.awaitCancellation();
  }

  @Test
  void a_closed_client_takes_no_calls() throws Exception {
    client.close();
    SlotdException error = assertThrows(SlotdException.class, () -> client.get("job"));
    assertEquals(Status.Code.CANCELLED, error.code());
    assertTrue(client.getAsync("job").isCompletedExceptionally());
    assertTrue(client.awaitAsync("job").isCompletedExceptionally());
  }

  @Test
  void a_url_is_no_address() {
    assertThrows(IllegalArgumentException.class, () -> SlotdClient.create("http://127.0.0.1:7433"));
    assertThrows(IllegalArgumentException.class, () -> SlotdClient.create(" 127.0.0.1:7433"));
    assertThrows(IllegalArgumentException.class, () -> SlotdClient.create(""));
  }

  private static ListResponse page(String next, String... ids) {
    ListResponse.Builder page = ListResponse.newBuilder().setNextPageToken(next);
    for (String id : ids) {
      page.addJobsBuilder().setId(id);
    }
    return page.build();
  }
}
