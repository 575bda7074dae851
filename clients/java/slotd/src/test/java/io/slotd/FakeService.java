package io.slotd;

import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.slotd.v1.GetRequest;
import io.slotd.v1.GetResponse;
import io.slotd.v1.JobServiceGrpc;
import io.slotd.v1.ListRequest;
import io.slotd.v1.ListResponse;
import io.slotd.v1.ReadOutputRequest;
import io.slotd.v1.ReadOutputResponse;
import io.slotd.v1.RetryRequest;
import io.slotd.v1.RetryResponse;
import io.slotd.v1.StreamRequest;
import io.slotd.v1.StreamResponse;
import io.slotd.v1.SubmitBatchRequest;
import io.slotd.v1.SubmitBatchResponse;
import io.slotd.v1.SubmitRequest;
import io.slotd.v1.SubmitResponse;
import io.slotd.v1.WaitRequest;
import io.slotd.v1.WaitResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;

/** A service in this process that does, call by call, what a test has written down for it. */
final class FakeService extends JobServiceGrpc.JobServiceImplBase implements AutoCloseable {
  private static final Backoff AT_ONCE = new Backoff(Duration.ZERO, Duration.ZERO, 1, 0, null);

  /** What to do about one call. */
  @FunctionalInterface
  interface Turn {
    void take(StreamObserver<Object> answers);
  }

  private final Queue<Turn> script = new ConcurrentLinkedQueue<>();
  private final List<Object> requests = new CopyOnWriteArrayList<>();
  private final BlockingQueue<Object> arrivals = new LinkedBlockingQueue<>();
  private final BlockingQueue<Object> cancellations = new LinkedBlockingQueue<>();
  private final Server server;
  private final ManagedChannel channel;
  private volatile Deadline deadline;

  FakeService() throws IOException {
    String name = InProcessServerBuilder.generateName();
    server = InProcessServerBuilder.forName(name).addService(this).build().start();
    channel =
        InProcessChannelBuilder.forName(name)
            .enableRetry()
            .defaultServiceConfig(Channels.serviceConfig())
            .build();
  }

  /** A message, and then OK. */
  static Turn answer(Object... messages) {
    return answers -> {
      for (Object message : messages) {
        answers.onNext(message);
      }
      answers.onCompleted();
    };
  }

  /** Messages, and then an error. */
  static Turn fail(Status status, Object... messages) {
    return answers -> {
      for (Object message : messages) {
        answers.onNext(message);
      }
      answers.onError(status.asRuntimeException());
    };
  }

  /** Messages, and then nothing. */
  static Turn hang(Object... messages) {
    return answers -> {
      for (Object message : messages) {
        answers.onNext(message);
      }
    };
  }

  /** The next call gets this; one for which nothing was written down gets no answer. */
  FakeService then(Turn turn) {
    script.add(turn);
    return this;
  }

  /** A client that tries again without waiting. */
  SlotdClient client() {
    return SlotdClient.builder().channel(channel).reconnect(AT_ONCE).build();
  }

  /** The requests so far, all of one type. */
  <Q> List<Q> requests(Class<Q> type) {
    return requests.stream().map(type::cast).toList();
  }

  /** Waits until a call has come and had its turn. */
  void awaitCall() throws InterruptedException {
    arrivals.take();
  }

  /** Waits until a call is cancelled by its caller. */
  void awaitCancellation() throws InterruptedException {
    cancellations.take();
  }

  /** The deadline of the last call; null for none. */
  Deadline deadline() {
    return deadline;
  }

  @Override
  public void close() {
    channel.shutdownNow();
    server.shutdownNow();
  }

  @Override
  public void submit(SubmitRequest request, StreamObserver<SubmitResponse> answers) {
    serve(request, answers);
  }

  @Override
  public void submitBatch(SubmitBatchRequest request, StreamObserver<SubmitBatchResponse> answers) {
    serve(request, answers);
  }

  @Override
  public void get(GetRequest request, StreamObserver<GetResponse> answers) {
    serve(request, answers);
  }

  @Override
  public void list(ListRequest request, StreamObserver<ListResponse> answers) {
    serve(request, answers);
  }

  @Override
  public void wait(WaitRequest request, StreamObserver<WaitResponse> answers) {
    serve(request, answers);
  }

  @Override
  public void stream(StreamRequest request, StreamObserver<StreamResponse> answers) {
    serve(request, answers);
  }

  @Override
  public void readOutput(ReadOutputRequest request, StreamObserver<ReadOutputResponse> answers) {
    serve(request, answers);
  }

  @Override
  public void retry(RetryRequest request, StreamObserver<RetryResponse> answers) {
    serve(request, answers);
  }

  @SuppressWarnings("unchecked") // A test that answers with the wrong message fails in the call.
  private void serve(Object request, StreamObserver<?> answers) {
    ((ServerCallStreamObserver<?>) answers).setOnCancelHandler(() -> cancellations.add(request));
    deadline = Context.current().getDeadline();
    requests.add(request);
    Turn turn = script.poll();
    if (turn != null) {
      turn.take((StreamObserver<Object>) answers);
    }
    arrivals.add(request);
  }
}
