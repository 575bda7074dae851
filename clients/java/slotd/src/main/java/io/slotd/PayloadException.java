package io.slotd;

/**
 * A value and a media type that do not go together, or bytes that are not what their media type
 * says.
 */
public final class PayloadException extends IllegalArgumentException {
  PayloadException(String message) {
    super(message);
  }

  PayloadException(String message, Throwable cause) {
    super(message + ": " + cause.getMessage(), cause);
  }
}
