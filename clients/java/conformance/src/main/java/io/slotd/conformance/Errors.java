package io.slotd.conformance;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import com.google.rpc.ResourceInfo;
import io.slotd.SlotdException;
import java.time.Duration;

/** What went wrong, as the driver tells it. */
final class Errors {
  private Errors() {}

  /** An error of the driver's own. */
  static final class Failure extends RuntimeException {
    private final String code;
    private final String reason;

    Failure(String code, String reason, String message) {
      super(message);
      this.code = code;
      this.reason = reason;
    }
  }

  static JsonObject toJson(Exception error) {
    if (error instanceof SlotdException refused) {
      return refused(refused);
    }
    if (error instanceof Failure failure) {
      return plain(failure.code, failure.reason, failure.getMessage());
    }
    String code = error instanceof IllegalArgumentException ? "INVALID_ARGUMENT" : "UNKNOWN";
    return plain(code, "", error.toString());
  }

  private static JsonObject refused(SlotdException error) {
    JsonObject json = plain(error.code().name(), error.reason(), error.description());
    json.add("metadata", Messages.GSON.toJsonTree(error.metadata()));
    JsonArray violations = json.getAsJsonArray("violations");
    error.fieldViolations().forEach(one -> violations.add(Messages.toJson(one)));
    JsonArray preconditions = json.getAsJsonArray("preconditions");
    error.preconditionViolations().forEach(one -> preconditions.add(Messages.toJson(one)));
    JsonArray quotas = json.getAsJsonArray("quotas");
    error.quotaViolations().forEach(one -> quotas.add(Messages.toJson(one)));
    json.add("resource", error.resource().map(Errors::resource).orElse(JsonNull.INSTANCE));
    json.add("retry_seconds", error.retryDelay().map(Errors::seconds).orElse(JsonNull.INSTANCE));
    return json;
  }

  private static JsonObject plain(String code, String reason, String message) {
    JsonObject json = new JsonObject();
    json.addProperty("code", code);
    json.addProperty("reason", reason);
    json.addProperty("message", message);
    json.add("metadata", new JsonObject());
    json.add("violations", new JsonArray());
    json.add("preconditions", new JsonArray());
    json.add("quotas", new JsonArray());
    json.add("resource", JsonNull.INSTANCE);
    json.add("retry_seconds", JsonNull.INSTANCE);
    return json;
  }

  private static JsonElement resource(ResourceInfo info) {
    JsonObject json = new JsonObject();
    json.addProperty("type", info.getResourceType());
    json.addProperty("name", info.getResourceName());
    return json;
  }

  private static JsonElement seconds(Duration delay) {
    return new JsonPrimitive(delay.toNanos() / 1e9);
  }
}
