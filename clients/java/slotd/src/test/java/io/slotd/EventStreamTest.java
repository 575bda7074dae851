package io.slotd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Context;
import io.grpc.Status;
import io.slotd.v1.EventType;
import io.slotd.v1.Job;
import io.slotd.v1.JobEvent;
import io.slotd.v1.StreamRequest;
import io.slotd.v1.StreamResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
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
class EventStreamTest {
  private static final Duration LONG = Duration.ofHours(1);
  private static final StreamRequest ALL = StreamRequest.getDefaultInstance();
  private static final StreamRequest FROM_C0 = StreamRequest.newBuilder().setCursor("c0").build();

  private final FakeService service = new FakeService();
  private final SlotdClient client = service.client();

  EventStreamTest() throws IOException {}

  @AfterEach
  void stop() {
    client.close();
    service.close();
  }

  @Test
  void a_cut_stream_goes_on_from_its_last_cursor() {
    service
        .then(FakeService.fail(Status.UNAVAILABLE, message("c2", changed("a", 1), changed("b", 2))))
        // By a server that stops before it has begun with the call.
        .then(FakeService.fail(Status.CANCELLED))
        .then(FakeService.answer(message("c3", changed("c", 3))));
    try (EventStream stream = client.stream(FROM_C0)) {
      assertEquals(List.of(1L, 2L, 3L), stream.stream().map(JobEvent::getRevision).toList());
      assertEquals("c3", stream.cursor());
    }
    assertEquals(List.of("c0", "c2", "c2"), cursorsAskedFor());
  }

  @Test
  void a_snapshot_that_was_cut_is_taken_again_without_what_was_handed_out() {
    service
        .then(
            FakeService.fail(
                Status.UNAVAILABLE,
                message("", snapshot("same", 1), snapshot("changes", 2), snapshot("goes", 3))))
        .then(
            FakeService.answer(
                message("", snapshot("same", 1), snapshot("changes", 9), snapshot("new", 8)),
                synced("c1")));
    try (EventStream stream = client.stream(ALL)) {
      assertEquals(
          List.of("same", "changes", "goes", "changes", "new"),
          stream.stream().map(event -> event.getJob().getId()).toList());
      assertEquals(Set.of("goes"), stream.vanished());
      assertTrue(stream.synced());
    }
    assertEquals(List.of("", ""), cursorsAskedFor());
  }

  @Test
  void the_cursor_moves_when_the_last_event_of_a_message_is_handed_out() {
    service.then(FakeService.answer(message("c2", changed("a", 1), changed("b", 2))));
    try (EventStream stream = client.stream(FROM_C0)) {
      Iterator<JobEvent> events = stream.iterator();
      assertTrue(events.hasNext());
      events.next();
      assertTrue(events.hasNext());
      assertEquals("c0", stream.cursor());
      events.next();
      assertEquals("c2", stream.cursor());
      assertEquals(2, stream.revision());
    }
  }

  @Test
  void a_service_that_says_it_is_going_is_come_back_to_and_a_refusal_is_thrown() {
    service
        .then(FakeService.fail(Status.UNAVAILABLE.withDescription("draining")))
        .then(FakeService.fail(Status.OUT_OF_RANGE.withDescription("too old")));
    try (EventStream stream = client.stream(FROM_C0)) {
      Iterator<JobEvent> events = stream.iterator();
      SlotdException refused = assertThrows(SlotdException.class, events::hasNext);
      assertEquals(Status.Code.OUT_OF_RANGE, refused.code());
      assertTrue(stream.ended());
      assertFalse(events.hasNext());
    }
  }

  @Test
  void a_service_that_was_never_there_is_thrown_at_the_caller() {
    // Nothing listens on this port.
    try (SlotdClient alone =
            SlotdClient.builder()
                .address("127.0.0.1:1")
                .reconnect(new Backoff(Duration.ZERO, Duration.ZERO, 1, 0, null))
                .build();
        EventStream stream = alone.stream(ALL)) {
      SlotdException error = assertThrows(SlotdException.class, () -> stream.poll(LONG));
      assertEquals(Status.Code.UNAVAILABLE, error.code());
      assertFalse(error.connected());
      assertEquals("no service at 127.0.0.1:1", error.description());
    }
  }

  @Test
  void poll_gives_up_when_its_time_is_over_and_the_stream_goes_on() throws Exception {
    CompletableFuture<Void> later = new CompletableFuture<>();
    service.then(
        answers ->
            later.thenRun(() -> FakeService.answer(message("c1", changed("a", 1))).take(answers)));
    try (EventStream stream = client.stream(FROM_C0)) {
      assertEquals(Optional.empty(), stream.poll(Duration.ofMillis(1)));
      assertFalse(stream.ended());
      later.complete(null);
      assertEquals(1, stream.poll(LONG).orElseThrow().getRevision());
      assertEquals(Optional.empty(), stream.poll(LONG));
      assertTrue(stream.ended());
    }
  }

  @Test
  void poll_returns_as_soon_as_the_stream_is_synced() {
    service.then(FakeService.hang(synced("c1")));
    try (EventStream stream = client.stream(ALL)) {
      assertEquals(Optional.empty(), stream.poll(LONG));
      assertTrue(stream.synced());
      assertFalse(stream.ended());
    }
  }

  @Test
  void closing_ends_a_reader_in_another_thread_and_the_call() throws Exception {
    EventStream stream = client.stream(ALL);
    CompletableFuture<Boolean> reader =
        CompletableFuture.supplyAsync(() -> stream.iterator().hasNext());
    service.awaitCall();
    stream.close();
    assertFalse(reader.get(30, TimeUnit.SECONDS));
    service.awaitCancellation();
  }

  @Test
  void a_context_that_is_cancelled_ends_its_streams() throws Exception {
    Context.CancellableContext context = Context.current().withCancellation();
    try (EventStream stream = context.call(() -> client.stream(ALL))) {
      service.awaitCall();
      context.cancel(null);
      SlotdException error = assertThrows(SlotdException.class, () -> stream.poll(LONG));
      assertEquals(Status.Code.CANCELLED, error.code());
      assertTrue(stream.ended());
    }
    assertEquals(List.of(""), cursorsAskedFor());
  }

  @Test
  void closing_the_client_closes_its_streams() throws Exception {
    try (EventStream stream = client.stream(ALL)) {
      service.awaitCall();
      client.close();
      assertTrue(stream.ended());
    }
    SlotdException error = assertThrows(SlotdException.class, () -> client.stream(ALL));
    assertEquals(Status.Code.CANCELLED, error.code());
  }

  @Test
  void an_interrupt_is_thrown_and_leaves_the_stream_open() {
    service.then(FakeService.answer(message("c1", changed("a", 1))));
    try (EventStream stream = client.stream(FROM_C0)) {
      Thread.currentThread().interrupt();
      SlotdException error = assertThrows(SlotdException.class, () -> stream.poll(LONG));
      assertEquals(Status.Code.CANCELLED, error.code());
      assertTrue(Thread.interrupted());
      assertEquals(1, stream.poll(LONG).orElseThrow().getRevision());
    }
  }

  private List<String> cursorsAskedFor() {
    return service.requests(StreamRequest.class).stream().map(StreamRequest::getCursor).toList();
  }

  private static StreamResponse message(String cursor, JobEvent... events) {
    return StreamResponse.newBuilder()
        .setCursor(cursor)
        .addAllEvents(List.of(events))
        .setRevision(events[events.length - 1].getRevision())
        .build();
  }

  private static StreamResponse synced(String cursor) {
    return StreamResponse.newBuilder().setCursor(cursor).setSynced(true).build();
  }

  private static JobEvent changed(String id, long revision) {
    return event(EventType.EVENT_TYPE_CHANGED, id, revision);
  }

  private static JobEvent snapshot(String id, long revision) {
    return event(EventType.EVENT_TYPE_SNAPSHOT, id, revision);
  }

  private static JobEvent event(EventType type, String id, long revision) {
    return JobEvent.newBuilder()
        .setType(type)
        .setRevision(revision)
        .setJob(Job.newBuilder().setId(id).setRevision(revision))
        .build();
  }
}
