package io.slotd;

import com.google.protobuf.util.Durations;
import io.grpc.Deadline;
import io.slotd.v1.Job;
import io.slotd.v1.JobServiceGrpc;
import io.slotd.v1.JobState;
import io.slotd.v1.WaitRequest;
import io.slotd.v1.WaitResponse;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * A wait of any length as a row of bounded Waits, none of which hangs for ever on a service that
 * has gone.
 */
final class JobWait {
  private static final Set<JobState> TERMINAL =
      EnumSet.of(
          JobState.JOB_STATE_SUCCEEDED, JobState.JOB_STATE_FAILED, JobState.JOB_STATE_CANCELLED);
  // One Wait asks for this long; its call is given some more to answer.
  private static final Duration SLICE = Duration.ofSeconds(20);
  private static final Duration MARGIN = Duration.ofSeconds(10);

  private final Connection connection;
  private final String jobId;
  private final Deadline end;
  private final Outage outage;
  private final CompletableFuture<Job> result = new CompletableFuture<>();
  private volatile CompletableFuture<WaitResponse> asked;

  /** {@code timeout} is null for no limit. */
  JobWait(Connection connection, String jobId, Duration timeout) {
    this.connection = connection;
    this.jobId = jobId;
    this.outage = connection.outage();
    this.end =
        timeout == null
            ? null
            : Deadline.after(TimeUnit.NANOSECONDS.convert(timeout), TimeUnit.NANOSECONDS);
  }

  /** Begins; the future that comes back may be cancelled. */
  CompletableFuture<Job> start() {
    ask();
    result.whenComplete(
        (job, error) -> {
          if (result.isCancelled()) {
            asked.cancel(true);
          }
        });
    return result;
  }

  private void ask() {
    Duration slice = shorter(SLICE);
    WaitRequest request =
        WaitRequest.newBuilder()
            .setId(jobId)
            .setTimeout(Durations.fromNanos(slice.toNanos()))
            .build();
    CallSettings settings = new CallSettings(slice.plus(MARGIN), "");
    asked =
        connection.callAsync(JobServiceGrpc.getWaitMethod(), request, settings, answer -> answer);
    asked.whenComplete(
        (answer, error) -> {
          if (error == null) {
            answered(answer.getJob());
          } else {
            failed(SlotdException.from(error));
          }
        });
  }

  private void answered(Job job) {
    outage.answered();
    if (TERMINAL.contains(job.getState()) || isOver()) {
      result.complete(job);
    } else {
      askUnlessCancelled();
    }
  }

  private void failed(SlotdException error) {
    Optional<Duration> delay = outage.failed(error);
    if (delay.isEmpty() || isOver()) {
      result.completeExceptionally(error);
      return;
    }
    CompletableFuture.delayedExecutor(shorter(delay.get()).toNanos(), TimeUnit.NANOSECONDS)
        .execute(this::askUnlessCancelled);
  }

  private void askUnlessCancelled() {
    if (!result.isDone()) {
      ask();
    }
  }

  private boolean isOver() {
    return end != null && end.isExpired();
  }

  /** This long, or what is left of the wait if that is less. */
  private Duration shorter(Duration wanted) {
    if (end == null) {
      return wanted;
    }
    long left = Math.max(0, end.timeRemaining(TimeUnit.NANOSECONDS));
    return Duration.ofNanos(Math.min(wanted.toNanos(), left));
  }
}
