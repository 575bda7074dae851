package io.slotd.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * For workers: processes, in any language and on any machine, that run jobs for a server. Errors as of JobService.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class WorkerServiceGrpc {

  private WorkerServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "slotd.v1.WorkerService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.WorkRequest,
      io.slotd.v1.WorkResponse> getWorkMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Work",
      requestType = io.slotd.v1.WorkRequest.class,
      responseType = io.slotd.v1.WorkResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.BIDI_STREAMING)
  public static io.grpc.MethodDescriptor<io.slotd.v1.WorkRequest,
      io.slotd.v1.WorkResponse> getWorkMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.WorkRequest, io.slotd.v1.WorkResponse> getWorkMethod;
    if ((getWorkMethod = WorkerServiceGrpc.getWorkMethod) == null) {
      synchronized (WorkerServiceGrpc.class) {
        if ((getWorkMethod = WorkerServiceGrpc.getWorkMethod) == null) {
          WorkerServiceGrpc.getWorkMethod = getWorkMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.WorkRequest, io.slotd.v1.WorkResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.BIDI_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Work"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.WorkRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.WorkResponse.getDefaultInstance()))
              .setSchemaDescriptor(new WorkerServiceMethodDescriptorSupplier("Work"))
              .build();
        }
      }
    }
    return getWorkMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.ReadResultsRequest,
      io.slotd.v1.ReadResultsResponse> getReadResultsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ReadResults",
      requestType = io.slotd.v1.ReadResultsRequest.class,
      responseType = io.slotd.v1.ReadResultsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
  public static io.grpc.MethodDescriptor<io.slotd.v1.ReadResultsRequest,
      io.slotd.v1.ReadResultsResponse> getReadResultsMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.ReadResultsRequest, io.slotd.v1.ReadResultsResponse> getReadResultsMethod;
    if ((getReadResultsMethod = WorkerServiceGrpc.getReadResultsMethod) == null) {
      synchronized (WorkerServiceGrpc.class) {
        if ((getReadResultsMethod = WorkerServiceGrpc.getReadResultsMethod) == null) {
          WorkerServiceGrpc.getReadResultsMethod = getReadResultsMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.ReadResultsRequest, io.slotd.v1.ReadResultsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ReadResults"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.ReadResultsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.ReadResultsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new WorkerServiceMethodDescriptorSupplier("ReadResults"))
              .build();
        }
      }
    }
    return getReadResultsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.ListWorkersRequest,
      io.slotd.v1.ListWorkersResponse> getListWorkersMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListWorkers",
      requestType = io.slotd.v1.ListWorkersRequest.class,
      responseType = io.slotd.v1.ListWorkersResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.slotd.v1.ListWorkersRequest,
      io.slotd.v1.ListWorkersResponse> getListWorkersMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.ListWorkersRequest, io.slotd.v1.ListWorkersResponse> getListWorkersMethod;
    if ((getListWorkersMethod = WorkerServiceGrpc.getListWorkersMethod) == null) {
      synchronized (WorkerServiceGrpc.class) {
        if ((getListWorkersMethod = WorkerServiceGrpc.getListWorkersMethod) == null) {
          WorkerServiceGrpc.getListWorkersMethod = getListWorkersMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.ListWorkersRequest, io.slotd.v1.ListWorkersResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListWorkers"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.ListWorkersRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.ListWorkersResponse.getDefaultInstance()))
              .setSchemaDescriptor(new WorkerServiceMethodDescriptorSupplier("ListWorkers"))
              .build();
        }
      }
    }
    return getListWorkersMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.DrainWorkerRequest,
      io.slotd.v1.DrainWorkerResponse> getDrainWorkerMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "DrainWorker",
      requestType = io.slotd.v1.DrainWorkerRequest.class,
      responseType = io.slotd.v1.DrainWorkerResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.slotd.v1.DrainWorkerRequest,
      io.slotd.v1.DrainWorkerResponse> getDrainWorkerMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.DrainWorkerRequest, io.slotd.v1.DrainWorkerResponse> getDrainWorkerMethod;
    if ((getDrainWorkerMethod = WorkerServiceGrpc.getDrainWorkerMethod) == null) {
      synchronized (WorkerServiceGrpc.class) {
        if ((getDrainWorkerMethod = WorkerServiceGrpc.getDrainWorkerMethod) == null) {
          WorkerServiceGrpc.getDrainWorkerMethod = getDrainWorkerMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.DrainWorkerRequest, io.slotd.v1.DrainWorkerResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "DrainWorker"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.DrainWorkerRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.DrainWorkerResponse.getDefaultInstance()))
              .setSchemaDescriptor(new WorkerServiceMethodDescriptorSupplier("DrainWorker"))
              .build();
        }
      }
    }
    return getDrainWorkerMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static WorkerServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<WorkerServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<WorkerServiceStub>() {
        @java.lang.Override
        public WorkerServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new WorkerServiceStub(channel, callOptions);
        }
      };
    return WorkerServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static WorkerServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<WorkerServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<WorkerServiceBlockingStub>() {
        @java.lang.Override
        public WorkerServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new WorkerServiceBlockingStub(channel, callOptions);
        }
      };
    return WorkerServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static WorkerServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<WorkerServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<WorkerServiceFutureStub>() {
        @java.lang.Override
        public WorkerServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new WorkerServiceFutureStub(channel, callOptions);
        }
      };
    return WorkerServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * For workers: processes, in any language and on any machine, that run jobs for a server. Errors as of JobService.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * Connects a worker; what it may run comes to it over the same stream. The first request has `hello`, the first response
     * `welcome`. From then on each side says what it has to say, as much as there is in one message; a message with nothing
     * in it is a heartbeat.
     * Both sides send something at least each quarter of `Welcome.lease`. A worker that hears nothing for a whole lease
     * connects again, here or to another server on the same store, with the same id and what it still runs; a server that
     * hears nothing for a whole lease gives the worker's jobs back (the attempts fail with WORKER_LOST).
     * A worker is never sent more than it has slots for: it holds one for each assignment, until its Finish.
     * A worker that leaves for good says so (`WorkRequest.leave`): what it still holds is given back at once, and the call
     * ends with OK. However else the stream ends, the server waits for the worker to come back, for a lease.
     * Errors: ABORTED, reason WORKER_REPLACED, where the same worker has connected anew: this stream is over, and must not
     * be tried again. UNAVAILABLE while the server stops: its jobs stay the worker's, which connects again. RESOURCE_EXHAUSTED
     * above the cap on workers.
     * </pre>
     */
    default io.grpc.stub.StreamObserver<io.slotd.v1.WorkRequest> work(
        io.grpc.stub.StreamObserver<io.slotd.v1.WorkResponse> responseObserver) {
      return io.grpc.stub.ServerCalls.asyncUnimplementedStreamingCall(getWorkMethod(), responseObserver);
    }

    /**
     * <pre>
     * What the jobs returned that a job depends on, a message each. Errors: NOT_FOUND for a job that is not there.
     * </pre>
     */
    default void readResults(io.slotd.v1.ReadResultsRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.ReadResultsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getReadResultsMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists the workers of all servers on this store, by name.
     * </pre>
     */
    default void listWorkers(io.slotd.v1.ListWorkersRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.ListWorkersResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListWorkersMethod(), responseObserver);
    }

    /**
     * <pre>
     * Asks a worker to end what it runs, take nothing more, and leave. Errors: NOT_FOUND; FAILED_PRECONDITION, reason
     * WORKER_ELSEWHERE, for one that is connected to another server, which the message names.
     * </pre>
     */
    default void drainWorker(io.slotd.v1.DrainWorkerRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.DrainWorkerResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDrainWorkerMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service WorkerService.
   * <pre>
   * For workers: processes, in any language and on any machine, that run jobs for a server. Errors as of JobService.
   * </pre>
   */
  public static abstract class WorkerServiceImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return WorkerServiceGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service WorkerService.
   * <pre>
   * For workers: processes, in any language and on any machine, that run jobs for a server. Errors as of JobService.
   * </pre>
   */
  public static final class WorkerServiceStub
      extends io.grpc.stub.AbstractAsyncStub<WorkerServiceStub> {
    private WorkerServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected WorkerServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new WorkerServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * Connects a worker; what it may run comes to it over the same stream. The first request has `hello`, the first response
     * `welcome`. From then on each side says what it has to say, as much as there is in one message; a message with nothing
     * in it is a heartbeat.
     * Both sides send something at least each quarter of `Welcome.lease`. A worker that hears nothing for a whole lease
     * connects again, here or to another server on the same store, with the same id and what it still runs; a server that
     * hears nothing for a whole lease gives the worker's jobs back (the attempts fail with WORKER_LOST).
     * A worker is never sent more than it has slots for: it holds one for each assignment, until its Finish.
     * A worker that leaves for good says so (`WorkRequest.leave`): what it still holds is given back at once, and the call
     * ends with OK. However else the stream ends, the server waits for the worker to come back, for a lease.
     * Errors: ABORTED, reason WORKER_REPLACED, where the same worker has connected anew: this stream is over, and must not
     * be tried again. UNAVAILABLE while the server stops: its jobs stay the worker's, which connects again. RESOURCE_EXHAUSTED
     * above the cap on workers.
     * </pre>
     */
    public io.grpc.stub.StreamObserver<io.slotd.v1.WorkRequest> work(
        io.grpc.stub.StreamObserver<io.slotd.v1.WorkResponse> responseObserver) {
      return io.grpc.stub.ClientCalls.asyncBidiStreamingCall(
          getChannel().newCall(getWorkMethod(), getCallOptions()), responseObserver);
    }

    /**
     * <pre>
     * What the jobs returned that a job depends on, a message each. Errors: NOT_FOUND for a job that is not there.
     * </pre>
     */
    public void readResults(io.slotd.v1.ReadResultsRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.ReadResultsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncServerStreamingCall(
          getChannel().newCall(getReadResultsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists the workers of all servers on this store, by name.
     * </pre>
     */
    public void listWorkers(io.slotd.v1.ListWorkersRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.ListWorkersResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListWorkersMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Asks a worker to end what it runs, take nothing more, and leave. Errors: NOT_FOUND; FAILED_PRECONDITION, reason
     * WORKER_ELSEWHERE, for one that is connected to another server, which the message names.
     * </pre>
     */
    public void drainWorker(io.slotd.v1.DrainWorkerRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.DrainWorkerResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getDrainWorkerMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service WorkerService.
   * <pre>
   * For workers: processes, in any language and on any machine, that run jobs for a server. Errors as of JobService.
   * </pre>
   */
  public static final class WorkerServiceBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<WorkerServiceBlockingStub> {
    private WorkerServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected WorkerServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new WorkerServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * What the jobs returned that a job depends on, a message each. Errors: NOT_FOUND for a job that is not there.
     * </pre>
     */
    public java.util.Iterator<io.slotd.v1.ReadResultsResponse> readResults(
        io.slotd.v1.ReadResultsRequest request) {
      return io.grpc.stub.ClientCalls.blockingServerStreamingCall(
          getChannel(), getReadResultsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists the workers of all servers on this store, by name.
     * </pre>
     */
    public io.slotd.v1.ListWorkersResponse listWorkers(io.slotd.v1.ListWorkersRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListWorkersMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Asks a worker to end what it runs, take nothing more, and leave. Errors: NOT_FOUND; FAILED_PRECONDITION, reason
     * WORKER_ELSEWHERE, for one that is connected to another server, which the message names.
     * </pre>
     */
    public io.slotd.v1.DrainWorkerResponse drainWorker(io.slotd.v1.DrainWorkerRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getDrainWorkerMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service WorkerService.
   * <pre>
   * For workers: processes, in any language and on any machine, that run jobs for a server. Errors as of JobService.
   * </pre>
   */
  public static final class WorkerServiceFutureStub
      extends io.grpc.stub.AbstractFutureStub<WorkerServiceFutureStub> {
    private WorkerServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected WorkerServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new WorkerServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * Lists the workers of all servers on this store, by name.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.slotd.v1.ListWorkersResponse> listWorkers(
        io.slotd.v1.ListWorkersRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListWorkersMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Asks a worker to end what it runs, take nothing more, and leave. Errors: NOT_FOUND; FAILED_PRECONDITION, reason
     * WORKER_ELSEWHERE, for one that is connected to another server, which the message names.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.slotd.v1.DrainWorkerResponse> drainWorker(
        io.slotd.v1.DrainWorkerRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getDrainWorkerMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_READ_RESULTS = 0;
  private static final int METHODID_LIST_WORKERS = 1;
  private static final int METHODID_DRAIN_WORKER = 2;
  private static final int METHODID_WORK = 3;

  private static final class MethodHandlers<Req, Resp> implements
      io.grpc.stub.ServerCalls.UnaryMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ServerStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ClientStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.BidiStreamingMethod<Req, Resp> {
    private final AsyncService serviceImpl;
    private final int methodId;

    MethodHandlers(AsyncService serviceImpl, int methodId) {
      this.serviceImpl = serviceImpl;
      this.methodId = methodId;
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public void invoke(Req request, io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_READ_RESULTS:
          serviceImpl.readResults((io.slotd.v1.ReadResultsRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.ReadResultsResponse>) responseObserver);
          break;
        case METHODID_LIST_WORKERS:
          serviceImpl.listWorkers((io.slotd.v1.ListWorkersRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.ListWorkersResponse>) responseObserver);
          break;
        case METHODID_DRAIN_WORKER:
          serviceImpl.drainWorker((io.slotd.v1.DrainWorkerRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.DrainWorkerResponse>) responseObserver);
          break;
        default:
          throw new AssertionError();
      }
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public io.grpc.stub.StreamObserver<Req> invoke(
        io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_WORK:
          return (io.grpc.stub.StreamObserver<Req>) serviceImpl.work(
              (io.grpc.stub.StreamObserver<io.slotd.v1.WorkResponse>) responseObserver);
        default:
          throw new AssertionError();
      }
    }
  }

  public static final io.grpc.ServerServiceDefinition bindService(AsyncService service) {
    return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
        .addMethod(
          getWorkMethod(),
          io.grpc.stub.ServerCalls.asyncBidiStreamingCall(
            new MethodHandlers<
              io.slotd.v1.WorkRequest,
              io.slotd.v1.WorkResponse>(
                service, METHODID_WORK)))
        .addMethod(
          getReadResultsMethod(),
          io.grpc.stub.ServerCalls.asyncServerStreamingCall(
            new MethodHandlers<
              io.slotd.v1.ReadResultsRequest,
              io.slotd.v1.ReadResultsResponse>(
                service, METHODID_READ_RESULTS)))
        .addMethod(
          getListWorkersMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.slotd.v1.ListWorkersRequest,
              io.slotd.v1.ListWorkersResponse>(
                service, METHODID_LIST_WORKERS)))
        .addMethod(
          getDrainWorkerMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.slotd.v1.DrainWorkerRequest,
              io.slotd.v1.DrainWorkerResponse>(
                service, METHODID_DRAIN_WORKER)))
        .build();
  }

  private static abstract class WorkerServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    WorkerServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return io.slotd.v1.WorkerServiceOuterClass.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("WorkerService");
    }
  }

  private static final class WorkerServiceFileDescriptorSupplier
      extends WorkerServiceBaseDescriptorSupplier {
    WorkerServiceFileDescriptorSupplier() {}
  }

  private static final class WorkerServiceMethodDescriptorSupplier
      extends WorkerServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    WorkerServiceMethodDescriptorSupplier(java.lang.String methodName) {
      this.methodName = methodName;
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.MethodDescriptor getMethodDescriptor() {
      return getServiceDescriptor().findMethodByName(methodName);
    }
  }

  private static volatile io.grpc.ServiceDescriptor serviceDescriptor;

  public static io.grpc.ServiceDescriptor getServiceDescriptor() {
    io.grpc.ServiceDescriptor result = serviceDescriptor;
    if (result == null) {
      synchronized (WorkerServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new WorkerServiceFileDescriptorSupplier())
              .addMethod(getWorkMethod())
              .addMethod(getReadResultsMethod())
              .addMethod(getListWorkersMethod())
              .addMethod(getDrainWorkerMethod())
              .build();
        }
      }
    }
    return result;
  }
}
