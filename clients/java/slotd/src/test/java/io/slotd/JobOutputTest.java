package io.slotd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.slotd.v1.ReadOutputRequest;
import io.slotd.v1.ReadOutputResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class JobOutputTest {
  private final FakeService service = new FakeService();
  private final SlotdClient client = service.client();

  JobOutputTest() throws IOException {}

  @AfterEach
  void stop() {
    client.close();
    service.close();
  }

  @Test
  void a_cut_reading_goes_on_at_the_byte_where_it_was_cut() throws IOException {
    service
        .then(FakeService.fail(Status.UNAVAILABLE, piece(0, "ab"), piece(2, "cd")))
        // By a server that stops before it has begun with the call.
        .then(FakeService.fail(Status.CANCELLED))
        .then(FakeService.answer(piece(4, "ef"), end(6)));
    try (JobOutput output = client.followOutput("job")) {
      assertEquals("abcdef", text(output.readAllBytes()));
      assertFalse(output.truncated());
    }
    assertEquals(
        List.of(0L, 4L, 4L),
        service.requests(ReadOutputRequest.class).stream()
            .map(ReadOutputRequest::getOffset)
            .toList());
  }

  @Test
  void bytes_that_come_twice_are_handed_out_once() throws IOException {
    service.then(FakeService.answer(piece(0, "abc"), piece(1, "bcd"), piece(0, "ab"), end(4)));
    try (JobOutput output = client.readOutput("job")) {
      assertEquals("abcd", text(output.readAllBytes()));
    }
  }

  @Test
  void the_offset_is_behind_what_was_read_not_what_has_come() throws IOException {
    service.then(FakeService.answer(piece(0, "abc"), end(3)));
    try (JobOutput output = client.readOutput("job")) {
      assertEquals('a', output.read());
      assertEquals(1, output.offset());
      assertEquals(2, output.available());
      assertEquals("bc", text(output.readNBytes(2)));
      assertEquals(3, output.offset());
      assertEquals(-1, output.read());
    }
  }

  @Test
  void the_end_says_that_the_job_wrote_more_than_is_kept() throws IOException {
    service.then(FakeService.answer(end(0).toBuilder().setTruncated(true).build()));
    try (JobOutput output = client.readOutput("job")) {
      assertEquals(0, output.readAllBytes().length);
      assertTrue(output.truncated());
    }
  }

  @Test
  void a_refusal_is_thrown() {
    service.then(FakeService.fail(Status.NOT_FOUND));
    try (JobOutput output = client.readOutput("job")) {
      SlotdException error = assertThrows(SlotdException.class, output::read);
      assertEquals(Status.Code.NOT_FOUND, error.code());
    }
  }

  private static ReadOutputResponse piece(long offset, String text) {
    return ReadOutputResponse.newBuilder()
        .setOffset(offset)
        .setData(ByteString.copyFromUtf8(text))
        .build();
  }

  private static ReadOutputResponse end(long offset) {
    return ReadOutputResponse.newBuilder().setOffset(offset).setEof(true).build();
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
