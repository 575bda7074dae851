package io.slotd;

import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.ClientInterceptors;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.stub.MetadataUtils;
import io.slotd.v1.CancelRequest;
import io.slotd.v1.CancelResponse;
import io.slotd.v1.DeleteRequest;
import io.slotd.v1.GetRequest;
import io.slotd.v1.GetResponse;
import io.slotd.v1.Job;
import io.slotd.v1.JobServiceGrpc;
import io.slotd.v1.JobSpec;
import io.slotd.v1.JobView;
import io.slotd.v1.ListRequest;
import io.slotd.v1.ListResponse;
import io.slotd.v1.ReadOutputRequest;
import io.slotd.v1.RetryRequest;
import io.slotd.v1.RetryResponse;
import io.slotd.v1.StreamRequest;
import io.slotd.v1.SubmitBatchRequest;
import io.slotd.v1.SubmitBatchResponse;
import io.slotd.v1.SubmitRequest;
import io.slotd.v1.SubmitResponse;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;

/**
 * A connection to one slotd service; safe for use by several threads. Close it.
 *
 * <p>Every method throws {@link SlotdException}, or completes its future with one. Calls that are
 * safe to repeat are repeated on UNAVAILABLE, up to five times within some two seconds. Those are
 * not whose answer could be wrong then: {@code retry} and {@code delete}. No call waits for a
 * service that is not there: it fails with UNAVAILABLE.
 *
 * <p>A unary call, its repeats included, takes 30 seconds at most unless {@link #withTimeout} says
 * otherwise. Waits and streams have no such limit: they go on over reconnects and restarts of the
 * service.
 *
 * <p>To cancel a future cancels its call. What is hung on a future without an executor of its own
 * runs on gRPC's threads and must not block there.
 */
public final class SlotdClient implements AutoCloseable {
  /** The longest that a unary call takes where nothing else is said. */
  public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(30);

  private final Connection connection;
  private final CallSettings settings;

  private SlotdClient(Connection connection, CallSettings settings) {
    this.connection = connection;
    this.settings = settings;
  }

  /**
   * A client for the address in the environment's SLOTD_ADDRESS, without one for 127.0.0.1:7433; in
   * plain text.
   */
  public static SlotdClient create() {
    return builder().build();
  }

  /** A client for an address, in plain text; see {@link Builder#address}. */
  public static SlotdClient create(String address) {
    return builder().address(address).build();
  }

  /** Builds a client that is not like the others. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * This client with another limit for each unary call, its repeats included; null for none. Both
   * share one connection: to close either closes it.
   */
  public SlotdClient withTimeout(Duration timeout) {
    return new SlotdClient(connection, new CallSettings(timeout, settings.traceparent()));
  }

  /**
   * This client with unary calls that belong to a span, given as W3C Trace Context has it: jobs
   * that it submits go on in that trace; empty for none. Both share one connection, as with {@link
   * #withTimeout}.
   */
  public SlotdClient withTraceparent(String traceparent) {
    return new SlotdClient(
        connection, new CallSettings(settings.timeout(), Objects.requireNonNull(traceparent)));
  }

  /**
   * Submits a job, durably once this returns.
   *
   * @return the job, and a cursor: a stream from there misses nothing of it
   */
  public SubmitResponse submit(JobSpec spec) {
    return submit(SubmitRequest.newBuilder().setSpec(spec).build());
  }

  /**
   * Submits a job, durably once this returns. A request without a request_id gets a new one; one of
   * your own makes the same request, by another call or after a crash, the same job.
   */
  public SubmitResponse submit(SubmitRequest request) {
    return connection.call(JobServiceGrpc.getSubmitMethod(), identified(request), settings);
  }

  /** As {@link #submit(JobSpec)}, without blocking. */
  public CompletableFuture<SubmitResponse> submitAsync(JobSpec spec) {
    return submitAsync(SubmitRequest.newBuilder().setSpec(spec).build());
  }

  /** As {@link #submit(SubmitRequest)}, without blocking. */
  public CompletableFuture<SubmitResponse> submitAsync(SubmitRequest request) {
    return connection.callAsync(
        JobServiceGrpc.getSubmitMethod(), identified(request), settings, answer -> answer);
  }

  /** Submits jobs in order, all or none; 1,000 jobs and 16 MiB at most. */
  public SubmitBatchResponse submitBatch(List<JobSpec> specs) {
    return submitBatch(batch(specs));
  }

  /** Submits jobs in order, all or none; requests without a request_id get new ones. */
  public SubmitBatchResponse submitBatch(SubmitBatchRequest request) {
    return connection.call(JobServiceGrpc.getSubmitBatchMethod(), identified(request), settings);
  }

  /** As {@link #submitBatch(List)}, without blocking. */
  public CompletableFuture<SubmitBatchResponse> submitBatchAsync(List<JobSpec> specs) {
    return submitBatchAsync(batch(specs));
  }

  /** As {@link #submitBatch(SubmitBatchRequest)}, without blocking. */
  public CompletableFuture<SubmitBatchResponse> submitBatchAsync(SubmitBatchRequest request) {
    return connection.callAsync(
        JobServiceGrpc.getSubmitBatchMethod(), identified(request), settings, answer -> answer);
  }

  /** A job as it is now, in full. */
  public Job get(String jobId) {
    return get(jobId, JobView.JOB_VIEW_FULL);
  }

  /** A job as it is now. */
  public Job get(String jobId, JobView view) {
    return connection
        .call(JobServiceGrpc.getGetMethod(), getRequest(jobId, view), settings)
        .getJob();
  }

  /** As {@link #get(String)}, without blocking. */
  public CompletableFuture<Job> getAsync(String jobId) {
    return getAsync(jobId, JobView.JOB_VIEW_FULL);
  }

  /** As {@link #get(String, JobView)}, without blocking. */
  public CompletableFuture<Job> getAsync(String jobId, JobView view) {
    return connection.callAsync(
        JobServiceGrpc.getGetMethod(), getRequest(jobId, view), settings, GetResponse::getJob);
  }

  /**
   * The jobs that match, newest first unless the request says otherwise, over all pages from the
   * request's on.
   */
  public JobPages list(ListRequest request) {
    return new JobPages(request, this::listPage);
  }

  /** One page of {@link #list}, with the token of the next one, and the cursor to stream from. */
  public ListResponse listPage(ListRequest request) {
    return connection.call(JobServiceGrpc.getListMethod(), request, settings);
  }

  /** As {@link #listPage}, without blocking. */
  public CompletableFuture<ListResponse> listPageAsync(ListRequest request) {
    return connection.callAsync(
        JobServiceGrpc.getListMethod(), request, settings, answer -> answer);
  }

  /**
   * Waits until a job is terminal, over reconnects and restarts of the service. Throws NOT_FOUND
   * also when it is deleted meanwhile, and CANCELLED when the thread is interrupted.
   */
  public Job await(String jobId) {
    return join(awaitAsync(jobId));
  }

  /** The same, but no longer than this: then the job is returned as it is. Look at its state. */
  public Job await(String jobId, Duration timeout) {
    return join(awaitAsync(jobId, timeout));
  }

  /** As {@link #await(String)}, without blocking. */
  public CompletableFuture<Job> awaitAsync(String jobId) {
    return new JobWait(connection, jobId, null).start();
  }

  /** As {@link #await(String, Duration)}, without blocking. */
  public CompletableFuture<Job> awaitAsync(String jobId, Duration timeout) {
    Objects.requireNonNull(timeout, "timeout");
    return new JobWait(connection, jobId, timeout).start();
  }

  /**
   * Streams what happens to the jobs that match the request's filter: from its cursor on; without
   * one the jobs as they are, and then what happens. It goes on by itself when the connection or
   * the service goes away and comes back.
   */
  public EventStream stream(StreamRequest request) {
    return new EventStream(connection, request);
  }

  /** Reads what a job has written so far. */
  public JobOutput readOutput(String jobId) {
    return readOutput(ReadOutputRequest.newBuilder().setId(jobId).build());
  }

  /** Reads what a job writes until it is terminal. */
  public JobOutput followOutput(String jobId) {
    return readOutput(ReadOutputRequest.newBuilder().setId(jobId).setFollow(true).build());
  }

  /** Reads what a job wrote from a byte offset; with {@code follow} until it is terminal. */
  public JobOutput readOutput(ReadOutputRequest request) {
    return new JobOutput(connection, request);
  }

  /**
   * Cancels a job: a waiting one is CANCELLED at once, a running one has cancel_requested until it
   * stops.
   */
  public Job cancel(String jobId) {
    return connection
        .call(JobServiceGrpc.getCancelMethod(), cancelRequest(jobId), settings)
        .getJob();
  }

  /** As {@link #cancel}, without blocking. */
  public CompletableFuture<Job> cancelAsync(String jobId) {
    return connection.callAsync(
        JobServiceGrpc.getCancelMethod(), cancelRequest(jobId), settings, CancelResponse::getJob);
  }

  /** Puts a FAILED or CANCELLED job back, with fresh attempts. */
  public Job retry(String jobId) {
    return retry(RetryRequest.newBuilder().setId(jobId).build());
  }

  /** The same; with {@code dependents} those jobs too that failed because of it. */
  public Job retry(RetryRequest request) {
    return connection.call(JobServiceGrpc.getRetryMethod(), request, settings).getJob();
  }

  /** As {@link #retry(String)}, without blocking. */
  public CompletableFuture<Job> retryAsync(String jobId) {
    return retryAsync(RetryRequest.newBuilder().setId(jobId).build());
  }

  /** As {@link #retry(RetryRequest)}, without blocking. */
  public CompletableFuture<Job> retryAsync(RetryRequest request) {
    return connection.callAsync(
        JobServiceGrpc.getRetryMethod(), request, settings, RetryResponse::getJob);
  }

  /** Deletes a terminal job. */
  public void delete(String jobId) {
    delete(DeleteRequest.newBuilder().setId(jobId).build());
  }

  /** The same; with {@code force} any job, which is cancelled first. */
  public void delete(DeleteRequest request) {
    connection.call(JobServiceGrpc.getDeleteMethod(), request, settings);
  }

  /** As {@link #delete(String)}, without blocking. */
  public CompletableFuture<Void> deleteAsync(String jobId) {
    return deleteAsync(DeleteRequest.newBuilder().setId(jobId).build());
  }

  /** As {@link #delete(DeleteRequest)}, without blocking. */
  public CompletableFuture<Void> deleteAsync(DeleteRequest request) {
    return connection.callAsync(
        JobServiceGrpc.getDeleteMethod(), request, settings, answer -> null);
  }

  /** Queues, slots, counters and servers; with this client's connection, timeout and trace. */
  public Queues queues() {
    return new Queues(connection, settings);
  }

  /**
   * The channel, for raw stubs of whatever has no method here: {@code
   * ScheduleServiceGrpc.newBlockingStub(client.channel())}. It repeats calls and sends the metadata
   * as the client does; deadlines are the stub's, and {@link SlotdException#from} translates what
   * it throws.
   */
  public Channel channel() {
    return connection.channel();
  }

  /**
   * Ends open streams, and the connection unless it was given; a call under way then fails with
   * CANCELLED.
   */
  @Override
  public void close() {
    connection.close();
  }

  private static SubmitRequest identified(SubmitRequest request) {
    // Without an id, to repeat it could make a second job.
    return request.getRequestId().isEmpty()
        ? request.toBuilder().setRequestId(UUID.randomUUID().toString()).build()
        : request;
  }

  private static SubmitBatchRequest identified(SubmitBatchRequest request) {
    SubmitBatchRequest.Builder builder = request.toBuilder().clearRequests();
    request.getRequestsList().forEach(one -> builder.addRequests(identified(one)));
    return builder.build();
  }

  private static SubmitBatchRequest batch(List<JobSpec> specs) {
    SubmitBatchRequest.Builder builder = SubmitBatchRequest.newBuilder();
    specs.forEach(spec -> builder.addRequestsBuilder().setSpec(spec));
    return builder.build();
  }

  private static GetRequest getRequest(String jobId, JobView view) {
    return GetRequest.newBuilder().setId(jobId).setView(view).build();
  }

  private static CancelRequest cancelRequest(String jobId) {
    return CancelRequest.newBuilder().setId(jobId).build();
  }

  private static <T> T join(CompletableFuture<T> future) {
    try {
      return future.get();
    } catch (ExecutionException error) {
      throw SlotdException.from(error.getCause());
    } catch (InterruptedException interrupt) {
      future.cancel(true);
      Thread.currentThread().interrupt();
      throw new SlotdException(Status.Code.CANCELLED, "interrupted");
    }
  }

  /** Builds a {@link SlotdClient}. */
  public static final class Builder {
    private String address;
    private ChannelCredentials credentials = InsecureChannelCredentials.create();
    private Duration timeout = DEFAULT_TIMEOUT;
    private Metadata metadata = new Metadata();
    private Backoff reconnect = Backoff.DEFAULT;
    private Channel channel;
    private Consumer<? super ManagedChannelBuilder<?>> configure = builder -> {};

    private Builder() {
      String named = System.getenv("SLOTD_ADDRESS");
      address = named == null || named.isEmpty() ? Channels.DEFAULT_ADDRESS : named;
    }

    /**
     * HOST:PORT, unix:PATH, or any other gRPC target; by default the environment's SLOTD_ADDRESS,
     * else 127.0.0.1:7433.
     */
    public Builder address(String address) {
      this.address = Objects.requireNonNull(address);
      return this;
    }

    /** For TLS: {@code TlsChannelCredentials.create()}; plain text by default. */
    public Builder credentials(ChannelCredentials credentials) {
      this.credentials = Objects.requireNonNull(credentials);
      return this;
    }

    /** The longest that one unary call may take, its repeats included; null for no limit. */
    public Builder timeout(Duration timeout) {
      this.timeout = timeout;
      return this;
    }

    /** Sent with every call. */
    public Builder metadata(Metadata metadata) {
      this.metadata = Objects.requireNonNull(metadata);
      return this;
    }

    /** How streams and waits try again after a cut. */
    public Builder reconnect(Backoff reconnect) {
      this.reconnect = Objects.requireNonNull(reconnect);
      return this;
    }

    /**
     * Used instead of a new one, and left open; address, credentials and configure then say nothing
     * to it.
     */
    public Builder channel(Channel channel) {
      this.channel = Objects.requireNonNull(channel);
      return this;
    }

    /** Has the last word on gRPC's own settings. */
    public Builder configure(Consumer<? super ManagedChannelBuilder<?>> configure) {
      this.configure = Objects.requireNonNull(configure);
      return this;
    }

    /**
     * Builds the client, which connects with its first call. Throws IllegalArgumentException for an
     * address that is none.
     */
    public SlotdClient build() {
      Channels.checkAddress(address);
      ManagedChannel owned = null;
      Channel used = channel;
      if (used == null) {
        owned = Channels.open(address, credentials, configure);
        used = ClientInterceptors.intercept(owned, new Reconnecting(owned));
      }
      Channel sending =
          ClientInterceptors.intercept(used, MetadataUtils.newAttachHeadersInterceptor(metadata));
      return new SlotdClient(
          new Connection(address, sending, owned, reconnect), new CallSettings(timeout, ""));
    }
  }
}
