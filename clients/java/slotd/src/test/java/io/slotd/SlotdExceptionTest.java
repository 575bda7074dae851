package io.slotd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.PreconditionFailure;
import com.google.rpc.QuotaFailure;
import com.google.rpc.ResourceInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.net.ConnectException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class SlotdExceptionTest {
  private static final Metadata.Key<byte[]> DETAILS =
      Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);

  @Test
  void all_details_are_found() {
    BadRequest.FieldViolation field =
        BadRequest.FieldViolation.newBuilder().setField("spec.kind").setDescription("bad").build();
    PreconditionFailure.Violation state =
        PreconditionFailure.Violation.newBuilder().setSubject("job").build();
    QuotaFailure.Violation quota = QuotaFailure.Violation.newBuilder().setSubject("queue").build();
    ResourceInfo resource = ResourceInfo.newBuilder().setResourceName("id").build();
    SlotdException error =
        SlotdException.from(
            refused(
                ErrorInfo.newBuilder().setReason("WHY").putMetadata("k", "v").build(),
                BadRequest.newBuilder().addFieldViolations(field).build(),
                PreconditionFailure.newBuilder().addViolations(state).build(),
                QuotaFailure.newBuilder().addViolations(quota).build(),
                resource,
                retryAfter(1, 500_000_000)));
    assertEquals(Status.Code.INVALID_ARGUMENT, error.code());
    assertEquals("words", error.description());
    assertEquals("words (WHY)", error.getMessage());
    assertEquals("WHY", error.reason());
    assertEquals(Map.of("k", "v"), error.metadata());
    assertEquals(List.of(field), error.fieldViolations());
    assertEquals(List.of(state), error.preconditionViolations());
    assertEquals(List.of(quota), error.quotaViolations());
    assertEquals(Optional.of(resource), error.resource());
    assertEquals(Optional.of(Duration.ofMillis(1500)), error.retryDelay());
    assertTrue(error.connected());
  }

  @Test
  void without_details_there_are_none() {
    SlotdException error =
        SlotdException.from(Status.NOT_FOUND.withDescription("gone").asRuntimeException());
    assertEquals("gone (NOT_FOUND)", error.getMessage());
    assertEquals("", error.reason());
    assertEquals(List.of(), error.fieldViolations());
    assertEquals(Optional.empty(), error.retryDelay());
  }

  @Test
  void mangled_details_leave_code_and_words() {
    Metadata trailers = new Metadata();
    trailers.put(DETAILS, new byte[] {(byte) 0xff, 1, 2});
    SlotdException error =
        SlotdException.from(
            new StatusRuntimeException(Status.ABORTED.withDescription("words"), trailers));
    assertEquals("words (ABORTED)", error.getMessage());
  }

  @Test
  void a_negative_delay_is_none_at_all() {
    assertEquals(
        Optional.of(Duration.ZERO), SlotdException.from(refused(retryAfter(-5, 0))).retryDelay());
  }

  @Test
  void a_connection_that_could_not_be_made_is_told_from_one_that_broke() {
    Status unavailable = Status.UNAVAILABLE.withDescription("io exception");
    assertFalse(
        SlotdException.from(
                unavailable.withCause(new ConnectException("refused")).asRuntimeException())
            .connected());
    assertTrue(SlotdException.from(unavailable.asRuntimeException()).connected());
  }

  @Test
  void a_connection_that_broke_under_a_call_is_unavailable() {
    Status broken =
        Status.UNKNOWN.withDescription("channel closed").withCause(new ClosedChannelException());
    assertEquals(Status.Code.UNAVAILABLE, SlotdException.from(broken.asRuntimeException()).code());
  }

  @Test
  void anything_else_is_of_unknown_code() {
    assertEquals(Status.Code.UNKNOWN, SlotdException.from(new RuntimeException("oh")).code());
  }

  private static RetryInfo retryAfter(long seconds, int nanos) {
    return RetryInfo.newBuilder()
        .setRetryDelay(
            com.google.protobuf.Duration.newBuilder().setSeconds(seconds).setNanos(nanos))
        .build();
  }

  private static StatusRuntimeException refused(Message... details) {
    com.google.rpc.Status.Builder status = com.google.rpc.Status.newBuilder();
    for (Message detail : details) {
      status.addDetails(Any.pack(detail));
    }
    Metadata trailers = new Metadata();
    trailers.put(DETAILS, status.build().toByteArray());
    return new StatusRuntimeException(Status.INVALID_ARGUMENT.withDescription("words"), trailers);
  }
}
