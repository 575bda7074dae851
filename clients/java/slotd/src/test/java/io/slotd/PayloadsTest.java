package io.slotd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.ByteString;
import com.google.protobuf.Duration;
import io.slotd.v1.Job;
import io.slotd.v1.JobSpec;
import io.slotd.v1.Payload;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class PayloadsTest {
  record Greeting(String name, int times) {}

  @Test
  void json_comes_back_as_it_went() {
    Map<String, Object> value =
        Map.of("text", "<ünï 🎉>", "list", List.of(1L, 2.5, true), "empty", Map.of());
    Payload payload = Payloads.json(value);
    assertEquals("application/json", payload.getContentType());
    assertEquals(value, Payloads.decode(payload));
  }

  @Test
  void nulls_are_kept() {
    List<Object> value = new ArrayList<>(Arrays.asList(1L, null));
    assertEquals("[1,null]", Payloads.json(value).getData().toStringUtf8());
    assertEquals(value, Payloads.decode(Payloads.json(value)));
    assertNull(Payloads.decode(Payloads.json(null)));
  }

  @Test
  void whole_numbers_lose_nothing() {
    assertEquals(Long.MAX_VALUE, Payloads.decode(json("9223372036854775807")));
    assertEquals(
        new BigInteger("12345678901234567890"), Payloads.decode(json("12345678901234567890")));
    assertEquals(1.5e3, Payloads.decode(json("1.5e3")));
  }

  @Test
  void records_go_as_json() {
    Greeting greeting = new Greeting("Ada", 2);
    Payload payload = Payloads.json(greeting);
    assertEquals("{\"name\":\"Ada\",\"times\":2}", payload.getData().toStringUtf8());
    assertEquals(greeting, Payloads.decode(payload, Greeting.class));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "{", "{'a': 1}", "NaN", "[1,]", "1 2", "// no\n1"})
  void what_is_no_json_is_refused(String text) {
    assertThrows(PayloadException.class, () -> Payloads.decode(json(text)));
  }

  @Test
  void what_has_no_json_form_is_refused() {
    assertThrows(PayloadException.class, () -> Payloads.json(Double.NaN));
    assertThrows(PayloadException.class, () -> Payloads.json("\ud800"));
  }

  @Test
  void text_is_utf_8_or_what_its_charset_says() {
    assertEquals("ünï 🎉", Payloads.decode(Payloads.text("ünï 🎉")));
    Payload latin = payload("Text/Plain; charset=\"iso-8859-1\"", new byte[] {(byte) 0xfc});
    assertEquals("ü", Payloads.decode(latin));
    Payload broken = payload("text/plain", new byte[] {(byte) 0xfc});
    assertThrows(PayloadException.class, () -> Payloads.decode(broken));
    Payload odd = payload("text/plain; charset=none-such", new byte[] {1});
    assertThrows(PayloadException.class, () -> Payloads.decode(odd));
  }

  @Test
  void anything_else_is_bytes_and_nothing_of_no_type_is_null() {
    byte[] bytes = {0, (byte) 0xff};
    assertEquals(ByteString.copyFrom(bytes), Payloads.decode(Payloads.bytes(bytes)));
    assertEquals(ByteString.copyFrom(bytes), Payloads.decode(payload("image/png", bytes)));
    assertEquals(ByteString.EMPTY, Payloads.decode(Payloads.bytes(new byte[0])));
    assertNull(Payloads.decode(Payload.getDefaultInstance()));
  }

  @Test
  void messages_go_as_protobuf_or_as_their_own_json() {
    JobSpec spec = JobSpec.newBuilder().setKind("noop").putLabels("a", "b").build();
    Payload binary = Payloads.protobuf(spec);
    assertEquals("application/protobuf; type=slotd.v1.JobSpec", binary.getContentType());
    assertEquals(spec, Payloads.decode(binary, JobSpec.class));
    assertEquals(spec, Payloads.decode(Payloads.json(spec), JobSpec.class));
    Duration duration = Duration.newBuilder().setSeconds(2).build();
    assertEquals("\"2s\"", Payloads.json(duration).getData().toStringUtf8());
  }

  @Test
  void a_message_of_another_type_is_refused() {
    Payload spec = Payloads.protobuf(JobSpec.newBuilder().setKind("noop").build());
    assertThrows(PayloadException.class, () -> Payloads.decode(spec, Job.class));
    assertThrows(PayloadException.class, () -> Payloads.decode(Payloads.text("x"), Job.class));
    assertThrows(PayloadException.class, () -> Payloads.decode(Payloads.text("x"), Integer.class));
  }

  private static Payload json(String text) {
    return Payload.newBuilder()
        .setContentType("application/json")
        .setData(ByteString.copyFromUtf8(text))
        .build();
  }

  private static Payload payload(String contentType, byte[] data) {
    return Payload.newBuilder()
        .setContentType(contentType)
        .setData(ByteString.copyFrom(data))
        .build();
  }
}
