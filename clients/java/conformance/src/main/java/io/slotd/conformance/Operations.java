package io.slotd.conformance;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.protobuf.ByteString;
import io.slotd.JobOutput;
import io.slotd.Payloads;
import io.slotd.SlotdClient;
import io.slotd.conformance.Errors.Failure;
import io.slotd.v1.DeleteRequest;
import io.slotd.v1.JobView;
import io.slotd.v1.ListRequest;
import io.slotd.v1.Payload;
import io.slotd.v1.ReadOutputRequest;
import io.slotd.v1.StreamRequest;
import io.slotd.v1.SubmitBatchRequest;
import io.slotd.v1.SubmitRequest;
import java.io.IOException;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** What the driver can be asked to do, each by the client's own method for it. */
final class Operations implements AutoCloseable {
  private final Map<String, OpenStream> streams = new ConcurrentHashMap<>();
  private volatile SlotdClient client;

  JsonElement call(String operation, JsonObject arguments) throws IOException {
    if (client == null && !operation.equals("connect")) {
      throw new IllegalArgumentException("connect comes first");
    }
    return switch (operation) {
      case "connect" -> connect(arguments);
      case "call_timeout" -> callTimeout(arguments);
      case "submit" -> submit(arguments);
      case "submit_batch" -> submitBatch(arguments);
      case "get" -> Messages.toJson(client.get(jobId(arguments), view(arguments)));
      case "list" -> list(arguments);
      case "list_page" ->
          Messages.toJson(client.listPage(request(arguments, ListRequest.getDefaultInstance())));
      case "wait" -> await(arguments);
      case "cancel" -> Messages.toJson(client.cancel(jobId(arguments)));
      case "retry" -> Messages.toJson(client.retry(jobId(arguments)));
      case "delete" -> delete(arguments);
      case "stream_open" -> streamOpen(arguments);
      case "stream_read" -> streamRead(arguments);
      case "stream_close" -> streamClose(arguments);
      case "output" -> output(arguments);
      case "payload" -> payload(client.get(jobId(arguments)).getResult());
      case "measure" -> Measurements.measure(client, arguments);
      case "echo_message" ->
          Messages.echo(arguments.get("type").getAsString(), arguments.get("json"));
      default ->
          throw new Failure("UNIMPLEMENTED", "DRIVER_CANNOT", "this client has no " + operation);
    };
  }

  @Override
  public void close() {
    if (client != null) {
      client.close();
    }
  }

  private JsonElement connect(JsonObject arguments) {
    close();
    streams.clear();
    client = SlotdClient.create(arguments.get("address").getAsString());
    JsonObject json = new JsonObject();
    json.addProperty("language", "java");
    json.addProperty("version", SlotdClient.class.getPackage().getImplementationVersion());
    return json;
  }

  private JsonElement callTimeout(JsonObject arguments) {
    client = client.withTimeout(seconds(arguments, SlotdClient.DEFAULT_TIMEOUT, "seconds"));
    return new JsonObject();
  }

  private JsonElement submit(JsonObject arguments) {
    JsonElement traceparent = arguments.get("traceparent");
    SlotdClient submitting =
        traceparent == null ? client : client.withTraceparent(traceparent.getAsString());
    return Messages.toJson(
        submitting.submit(request(arguments, SubmitRequest.getDefaultInstance())));
  }

  private JsonElement submitBatch(JsonObject arguments) {
    SubmitBatchRequest.Builder batch = SubmitBatchRequest.newBuilder();
    for (JsonElement one : arguments.getAsJsonArray("requests")) {
      batch.addRequests(Messages.fromJson(one, SubmitRequest.getDefaultInstance()));
    }
    return Messages.toJson(client.submitBatch(batch.build()));
  }

  private JsonElement list(JsonObject arguments) {
    JsonArray jobs = new JsonArray();
    client
        .list(request(arguments, ListRequest.getDefaultInstance()))
        .forEach(job -> jobs.add(Messages.toJson(job)));
    JsonObject json = new JsonObject();
    json.add("jobs", jobs);
    return json;
  }

  private JsonElement await(JsonObject arguments) {
    Duration timeout = seconds(arguments, null, "timeout");
    String id = jobId(arguments);
    return Messages.toJson(timeout == null ? client.await(id) : client.await(id, timeout));
  }

  private JsonElement delete(JsonObject arguments) {
    boolean force = has(arguments, "force") && arguments.get("force").getAsBoolean();
    client.delete(DeleteRequest.newBuilder().setId(jobId(arguments)).setForce(force).build());
    return new JsonObject();
  }

  private JsonElement streamOpen(JsonObject arguments) {
    StreamRequest request = request(arguments, StreamRequest.getDefaultInstance());
    OpenStream opened = new OpenStream(client.stream(request));
    OpenStream before = streams.put(arguments.get("stream").getAsString(), opened);
    if (before != null) {
      before.close();
    }
    return new JsonObject();
  }

  private JsonElement streamRead(JsonObject arguments) {
    int count = has(arguments, "count") ? arguments.get("count").getAsInt() : Integer.MAX_VALUE;
    String until = has(arguments, "until") ? arguments.get("until").getAsString() : null;
    return stream(arguments).read(count, until, seconds(arguments, null, "timeout"));
  }

  private JsonElement streamClose(JsonObject arguments) {
    stream(arguments).close();
    streams.remove(arguments.get("stream").getAsString());
    return new JsonObject();
  }

  private OpenStream stream(JsonObject arguments) {
    String name = arguments.get("stream").getAsString();
    OpenStream open = streams.get(name);
    if (open == null) {
      throw new IllegalArgumentException("no such stream: " + name);
    }
    return open;
  }

  private JsonElement output(JsonObject arguments) throws IOException {
    ReadOutputRequest.Builder request = ReadOutputRequest.newBuilder().setId(jobId(arguments));
    if (has(arguments, "offset")) {
      request.setOffset(arguments.get("offset").getAsLong());
    }
    request.setFollow(has(arguments, "follow") && arguments.get("follow").getAsBoolean());
    Duration timeout = seconds(arguments, SlotdClient.DEFAULT_TIMEOUT, "timeout");
    AtomicBoolean late = new AtomicBoolean();
    try (JobOutput output = client.readOutput(request.build())) {
      CompletableFuture.delayedExecutor(timeout.toNanos(), TimeUnit.NANOSECONDS)
          .execute(
              () -> {
                late.set(true);
                output.close();
              });
      byte[] data = output.readAllBytes();
      if (late.get()) {
        throw new Failure("DEADLINE_EXCEEDED", "", data.length + " bytes within " + timeout);
      }
      JsonObject json = new JsonObject();
      json.addProperty("data", Base64.getEncoder().encodeToString(data));
      json.addProperty("truncated", output.truncated());
      return json;
    }
  }

  private static JsonElement payload(Payload payload) {
    Object value = Payloads.decode(payload);
    JsonObject json = new JsonObject();
    json.addProperty("content_type", payload.getContentType());
    json.add(
        "value",
        value instanceof ByteString bytes
            ? Messages.GSON.toJsonTree(Base64.getEncoder().encodeToString(bytes.toByteArray()))
            : Messages.GSON.toJsonTree(value));
    return json;
  }

  private static <M extends com.google.protobuf.Message> M request(JsonObject arguments, M empty) {
    return Messages.fromJson(arguments.get("request"), empty);
  }

  private static String jobId(JsonObject arguments) {
    return arguments.get("job_id").getAsString();
  }

  private static JobView view(JsonObject arguments) {
    return has(arguments, "view")
        ? JobView.valueOf(arguments.get("view").getAsString())
        : JobView.JOB_VIEW_UNSPECIFIED;
  }

  private static Duration seconds(JsonObject arguments, Duration otherwise, String name) {
    return has(arguments, name)
        ? Duration.ofNanos((long) (arguments.get(name).getAsDouble() * 1e9))
        : otherwise;
  }

  private static boolean has(JsonObject arguments, String name) {
    return arguments.has(name) && !arguments.get(name).isJsonNull();
  }
}
