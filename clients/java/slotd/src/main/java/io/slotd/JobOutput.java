package io.slotd;

import com.google.protobuf.ByteString;
import io.slotd.v1.JobServiceGrpc;
import io.slotd.v1.ReadOutputRequest;
import io.slotd.v1.ReadOutputResponse;
import java.io.InputStream;
import java.util.Objects;

/**
 * What a job wrote, as a stream of bytes; a cut connection goes on from the byte where it was cut.
 *
 * <p>Reading throws {@link SlotdException}, not IOException. One thread reads; any may close it,
 * for the reader it ends then.
 */
public final class JobOutput extends InputStream {
  private final OutputProgress progress;
  private final Reader<ReadOutputRequest, ReadOutputResponse> reader;
  private ByteString unread = ByteString.EMPTY;

  JobOutput(Connection connection, ReadOutputRequest request) {
    progress = new OutputProgress(request);
    reader = new Reader<>(connection, JobServiceGrpc.getReadOutputMethod(), progress::request);
  }

  @Override
  public int read() {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : Byte.toUnsignedInt(one[0]);
  }

  /** Waits for output; returns how many bytes there were, -1 at the end and once closed. */
  @Override
  public int read(byte[] buffer, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, buffer.length);
    if (length == 0) {
      return 0;
    }
    if (!fill()) {
      return -1;
    }
    int count = Math.min(length, unread.size());
    unread.substring(0, count).copyTo(buffer, offset);
    unread = unread.substring(count);
    return count;
  }

  /** Bytes that can be read without waiting. */
  @Override
  public int available() {
    return unread.size();
  }

  /** The byte after those that were read, counted from the beginning of the output. */
  public long offset() {
    return progress.offset() - unread.size();
  }

  /** The job wrote more than is kept; known at the end. */
  public boolean truncated() {
    return progress.truncated();
  }

  /** Ends the reading, also in another thread. */
  @Override
  public void close() {
    reader.close();
  }

  private boolean fill() {
    while (unread.isEmpty() && !progress.ended()) {
      ReadOutputResponse message = reader.read(null);
      if (message == null) {
        break;
      }
      unread = progress.receive(message);
    }
    if (progress.ended()) {
      reader.close();
    }
    return !unread.isEmpty();
  }
}
