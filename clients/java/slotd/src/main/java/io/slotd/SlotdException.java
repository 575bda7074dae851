package io.slotd;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.PreconditionFailure;
import com.google.rpc.QuotaFailure;
import com.google.rpc.ResourceInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import java.io.FileNotFoundException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.UnknownHostException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A call that the service refused, or that did not reach it.
 *
 * <p>{@link #code} says what sort of failure it is, {@link #reason} which one exactly; both are
 * part of the service's contract, the words of the message are not.
 */
public final class SlotdException extends RuntimeException {
  private static final Metadata.Key<byte[]> DETAILS =
      Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);

  private static final Set<Class<? extends Throwable>> NOT_CONNECTED =
      Set.of(
          ConnectException.class,
          UnknownHostException.class,
          NoRouteToHostException.class,
          // What Netty makes of a Unix socket that is not there.
          FileNotFoundException.class);

  private final Status.Code code;
  private final String description;
  private final com.google.rpc.Status details;
  private final boolean connected;

  SlotdException(Status.Code code, String description) {
    this(code, description, com.google.rpc.Status.getDefaultInstance(), true, null);
  }

  private SlotdException(
      Status.Code code,
      String description,
      com.google.rpc.Status details,
      boolean connected,
      Throwable cause) {
    super(description, cause);
    this.code = code;
    this.description = description;
    this.details = details;
    this.connected = connected;
  }

  /**
   * Translates what a raw stub throws, a StatusRuntimeException or StatusException; any other
   * throwable becomes one with code UNKNOWN.
   */
  public static SlotdException from(Throwable error) {
    if (error instanceof SlotdException already) {
      return already;
    }
    Status status = Status.fromThrowable(error);
    if (status.getCode() == Status.Code.UNKNOWN && causedBy(error, ClosedChannelException.class)) {
      // Netty tells so of a connection that broke just as a call was to be written to it.
      status = Status.UNAVAILABLE.withDescription(status.getDescription());
    }
    com.google.rpc.Status details = parseDetails(trailers(error));
    boolean connected =
        !(status.getCode() == Status.Code.UNAVAILABLE
            && NOT_CONNECTED.stream().anyMatch(type -> causedBy(error, type)));
    String description = status.getDescription();
    if (!connected) {
      description = "no service there";
    } else if (description == null) {
      description = "";
    }
    return new SlotdException(status.getCode(), description, details, connected, error);
  }

  SlotdException withDescription(String better) {
    return new SlotdException(code, better, details, connected, getCause());
  }

  /** What happened, in words, with the reason or the code. */
  @Override
  public String getMessage() {
    String name = reason().isEmpty() ? code.name() : reason();
    return description.isEmpty() ? name : description + " (" + name + ")";
  }

  /** The gRPC status code. */
  public Status.Code code() {
    return code;
  }

  /** What happened, in the service's words alone. */
  public String description() {
    return description;
  }

  /** UPPER_SNAKE, from google.rpc.ErrorInfo; empty where none was sent. */
  public String reason() {
    return detail(ErrorInfo.class).map(ErrorInfo::getReason).orElse("");
  }

  /** What google.rpc.ErrorInfo has beside the reason. */
  public Map<String, String> metadata() {
    return detail(ErrorInfo.class).map(ErrorInfo::getMetadataMap).orElse(Map.of());
  }

  /** What is wrong with the request, field by field, of an INVALID_ARGUMENT. */
  public List<BadRequest.FieldViolation> fieldViolations() {
    return detail(BadRequest.class).map(BadRequest::getFieldViolationsList).orElse(List.of());
  }

  /** What stands in the way, of a FAILED_PRECONDITION. */
  public List<PreconditionFailure.Violation> preconditionViolations() {
    return detail(PreconditionFailure.class)
        .map(PreconditionFailure::getViolationsList)
        .orElse(List.of());
  }

  /** Which limits were met, of a RESOURCE_EXHAUSTED. */
  public List<QuotaFailure.Violation> quotaViolations() {
    return detail(QuotaFailure.class).map(QuotaFailure::getViolationsList).orElse(List.of());
  }

  /** What is not there, or is there already, of a NOT_FOUND or ALREADY_EXISTS. */
  public Optional<ResourceInfo> resource() {
    return detail(ResourceInfo.class);
  }

  /** After how long the service says that another try makes sense; never negative. */
  public Optional<Duration> retryDelay() {
    return detail(RetryInfo.class)
        .map(RetryInfo::getRetryDelay)
        .map(delay -> Duration.ofSeconds(delay.getSeconds(), delay.getNanos()))
        .map(delay -> delay.isNegative() ? Duration.ZERO : delay);
  }

  /** The first detail of a type, as long as it can be parsed. */
  public <M extends Message> Optional<M> detail(Class<M> type) {
    for (Any packed : details.getDetailsList()) {
      if (packed.is(type)) {
        try {
          return Optional.of(packed.unpack(type));
        } catch (InvalidProtocolBufferException mangled) {
          return Optional.empty();
        }
      }
    }
    return Optional.empty();
  }

  /** False when no connection could be made: nothing was asked, nothing was done. */
  public boolean connected() {
    return connected;
  }

  private static Metadata trailers(Throwable error) {
    for (Throwable at = error; at != null; at = at.getCause()) {
      if (at instanceof StatusRuntimeException found) {
        return found.getTrailers();
      }
      if (at instanceof StatusException found) {
        return found.getTrailers();
      }
    }
    return null;
  }

  private static com.google.rpc.Status parseDetails(Metadata trailers) {
    byte[] raw = trailers == null ? null : trailers.get(DETAILS);
    try {
      return raw == null
          ? com.google.rpc.Status.getDefaultInstance()
          : com.google.rpc.Status.parseFrom(raw);
    } catch (InvalidProtocolBufferException mangled) {
      // By whatever sits between here and the service; code and description still hold.
      return com.google.rpc.Status.getDefaultInstance();
    }
  }

  private static boolean causedBy(Throwable error, Class<? extends Throwable> type) {
    for (Throwable at = error; at != null; at = at.getCause()) {
      if (type.isInstance(at)) {
        return true;
      }
    }
    return false;
  }
}
