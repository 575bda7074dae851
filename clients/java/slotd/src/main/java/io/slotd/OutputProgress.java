package io.slotd;

import com.google.protobuf.ByteString;
import io.slotd.v1.ReadOutputRequest;
import io.slotd.v1.ReadOutputResponse;

/**
 * How far a job's output has been read, over all the calls that it takes. Does no input or output.
 */
final class OutputProgress {
  private final ReadOutputRequest request;
  private long offset;
  private boolean truncated;
  private boolean ended;

  OutputProgress(ReadOutputRequest request) {
    this.request = request;
    this.offset = request.getOffset();
  }

  /** What the next call asks for. */
  ReadOutputRequest request() {
    return request.toBuilder().setOffset(offset).build();
  }

  /** Takes a message in; returns its bytes, less those that came before. */
  ByteString receive(ReadOutputResponse message) {
    ByteString data = message.getData();
    long repeated = Math.min(data.size(), Math.max(0, offset - message.getOffset()));
    offset = Math.max(offset, message.getOffset() + data.size());
    truncated = truncated || message.getTruncated();
    ended = ended || message.getEof();
    return data.substring((int) repeated);
  }

  /** The byte after what was received. */
  long offset() {
    return offset;
  }

  boolean truncated() {
    return truncated;
  }

  boolean ended() {
    return ended;
  }
}
