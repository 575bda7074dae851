package io.slotd.conformance;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.AnyProto;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DurationProto;
import com.google.protobuf.EmptyProto;
import com.google.protobuf.FieldMaskProto;
import com.google.protobuf.Internal;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.StructProto;
import com.google.protobuf.TimestampProto;
import com.google.protobuf.TypeRegistry;
import com.google.protobuf.WrappersProto;
import com.google.protobuf.util.JsonFormat;
import com.google.rpc.ErrorDetailsProto;
import io.slotd.conformance.Errors.Failure;
import io.slotd.v1.JobOuterClass;
import io.slotd.v1.JobServiceOuterClass;
import io.slotd.v1.QueueServiceOuterClass;
import io.slotd.v1.ScheduleServiceOuterClass;
import io.slotd.v1.WorkerServiceOuterClass;
import java.util.Base64;
import java.util.List;

/** Protobuf messages as JSON and back. */
final class Messages {
  static final Gson GSON = new GsonBuilder().serializeNulls().disableHtmlEscaping().create();

  // The types that an Any may hold.
  private static final TypeRegistry TYPES = registry();
  private static final JsonFormat.Parser PARSER = JsonFormat.parser().usingTypeRegistry(TYPES);
  private static final JsonFormat.Printer PRINTER = JsonFormat.printer().usingTypeRegistry(TYPES);

  private Messages() {}

  static JsonElement toJson(Message message) {
    try {
      return JsonParser.parseString(PRINTER.print(message));
    } catch (InvalidProtocolBufferException error) {
      throw new IllegalArgumentException(error);
    }
  }

  /** Merges JSON into an empty message of the wanted type; null leaves it empty. */
  static <M extends Message> M fromJson(JsonElement json, M empty) {
    Message.Builder builder = empty.newBuilderForType();
    try {
      if (json != null) {
        PARSER.merge(GSON.toJson(json), builder);
      }
    } catch (InvalidProtocolBufferException error) {
      throw new IllegalArgumentException(error);
    }
    @SuppressWarnings("unchecked") // A builder builds what its message's type made it for.
    M message = (M) builder.build();
    return message;
  }

  /** From JSON to binary and back. */
  static JsonObject echo(String fullName, JsonElement json) throws InvalidProtocolBufferException {
    Message empty = Internal.getDefaultInstance(type(fullName));
    byte[] binary = fromJson(json, empty).toByteArray();
    JsonObject echo = new JsonObject();
    echo.add("json", toJson(empty.getParserForType().parseFrom(binary)));
    echo.addProperty("binary", Base64.getEncoder().encodeToString(binary));
    return echo;
  }

  private static Class<? extends Message> type(String fullName) {
    String name = fullName.substring(fullName.lastIndexOf('.') + 1);
    String room = fullName.startsWith("slotd.v1.") ? "io.slotd.v1." : "com.google.protobuf.";
    try {
      return Class.forName(room + name).asSubclass(Message.class);
    } catch (ClassNotFoundException | ClassCastException error) {
      throw new Failure("UNIMPLEMENTED", "DRIVER_CANNOT", "no such type: " + fullName);
    }
  }

  private static TypeRegistry registry() {
    TypeRegistry.Builder builder = TypeRegistry.newBuilder();
    List<FileDescriptor> files =
        List.of(
            AnyProto.getDescriptor(),
            DurationProto.getDescriptor(),
            EmptyProto.getDescriptor(),
            FieldMaskProto.getDescriptor(),
            StructProto.getDescriptor(),
            TimestampProto.getDescriptor(),
            WrappersProto.getDescriptor(),
            ErrorDetailsProto.getDescriptor(),
            JobOuterClass.getDescriptor(),
            JobServiceOuterClass.getDescriptor(),
            QueueServiceOuterClass.getDescriptor(),
            ScheduleServiceOuterClass.getDescriptor(),
            WorkerServiceOuterClass.getDescriptor());
    files.forEach(file -> builder.add(file.getMessageTypes()));
    return builder.build();
  }
}
