package io.slotd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.util.Durations;
import io.grpc.Context;
import io.grpc.Status;
import io.slotd.v1.Job;
import io.slotd.v1.JobState;
import io.slotd.v1.WaitRequest;
import io.slotd.v1.WaitResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class JobWaitTest {
  private final FakeService service = new FakeService();
  private final SlotdClient client = service.client();

  JobWaitTest() throws IOException {}

  @AfterEach
  void stop() {
    client.close();
    service.close();
  }

  @Test
  void it_asks_again_until_the_job_is_terminal() {
    service
        .then(FakeService.answer(job(JobState.JOB_STATE_QUEUED)))
        .then(FakeService.answer(job(JobState.JOB_STATE_RUNNING)))
        .then(FakeService.answer(job(JobState.JOB_STATE_FAILED)));
    assertEquals(JobState.JOB_STATE_FAILED, client.await("job").getState());
    assertEquals(
        List.of(20L, 20L, 20L),
        service.requests(WaitRequest.class).stream()
            .map(request -> Durations.toSeconds(request.getTimeout()))
            .toList());
    assertTrue(service.deadline().timeRemaining(TimeUnit.SECONDS) <= 30);
  }

  @Test
  void it_goes_on_over_an_outage_and_a_call_that_hung() {
    service
        .then(FakeService.fail(Status.UNAVAILABLE))
        .then(FakeService.fail(Status.DEADLINE_EXCEEDED))
        // By a server that stops before it has begun with the call.
        .then(FakeService.fail(Status.CANCELLED))
        .then(FakeService.answer(job(JobState.JOB_STATE_SUCCEEDED)));
    assertEquals(JobState.JOB_STATE_SUCCEEDED, client.await("job").getState());
  }

  @Test
  void it_returns_the_job_as_it_is_when_the_time_is_over() {
    service.then(FakeService.answer(job(JobState.JOB_STATE_RUNNING)));
    Job job = client.await("job", Duration.ZERO);
    assertEquals(JobState.JOB_STATE_RUNNING, job.getState());
    assertEquals(0, Durations.toNanos(service.requests(WaitRequest.class).get(0).getTimeout()));
  }

  @Test
  void a_refusal_is_thrown() {
    service.then(FakeService.fail(Status.NOT_FOUND));
    SlotdException error = assertThrows(SlotdException.class, () -> client.await("job"));
    assertEquals(Status.Code.NOT_FOUND, error.code());
  }

  @Test
  void cancelling_the_future_cancels_the_call() throws InterruptedException {
    CompletableFuture<Job> future = client.awaitAsync("job");
    service.awaitCall();
    future.cancel(true);
    service.awaitCancellation();
  }

  @Test
  void a_context_that_is_cancelled_fails_the_future() throws Exception {
    Context.CancellableContext context = Context.current().withCancellation();
    CompletableFuture<Job> future = context.call(() -> client.awaitAsync("job"));
    service.awaitCall();
    context.cancel(null);
    SlotdException error =
        (SlotdException) future.handle((job, failure) -> failure).get(20, TimeUnit.SECONDS);
    assertEquals(Status.Code.CANCELLED, error.code());
    assertEquals(1, service.requests(WaitRequest.class).size());
  }

  @Test
  void closing_the_client_fails_the_future() throws Exception {
    try (SlotdClient alone = SlotdClient.create("127.0.0.1:1")) {
      CompletableFuture<Job> future = alone.awaitAsync("job");
      alone.close();
      SlotdException error =
          (SlotdException) future.handle((job, failure) -> failure).get(30, TimeUnit.SECONDS);
      assertEquals(Status.Code.CANCELLED, error.code());
    }
  }

  private static WaitResponse job(JobState state) {
    return WaitResponse.newBuilder().setJob(Job.newBuilder().setId("job").setState(state)).build();
  }
}
