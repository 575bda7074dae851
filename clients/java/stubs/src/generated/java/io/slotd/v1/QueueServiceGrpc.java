package io.slotd.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * Queues, slots and counters. Errors as of JobService.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class QueueServiceGrpc {

  private QueueServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "slotd.v1.QueueService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.GetQueueRequest,
      io.slotd.v1.GetQueueResponse> getGetQueueMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetQueue",
      requestType = io.slotd.v1.GetQueueRequest.class,
      responseType = io.slotd.v1.GetQueueResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.slotd.v1.GetQueueRequest,
      io.slotd.v1.GetQueueResponse> getGetQueueMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.GetQueueRequest, io.slotd.v1.GetQueueResponse> getGetQueueMethod;
    if ((getGetQueueMethod = QueueServiceGrpc.getGetQueueMethod) == null) {
      synchronized (QueueServiceGrpc.class) {
        if ((getGetQueueMethod = QueueServiceGrpc.getGetQueueMethod) == null) {
          QueueServiceGrpc.getGetQueueMethod = getGetQueueMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.GetQueueRequest, io.slotd.v1.GetQueueResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetQueue"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.GetQueueRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.GetQueueResponse.getDefaultInstance()))
              .setSchemaDescriptor(new QueueServiceMethodDescriptorSupplier("GetQueue"))
              .build();
        }
      }
    }
    return getGetQueueMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.ListQueuesRequest,
      io.slotd.v1.ListQueuesResponse> getListQueuesMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListQueues",
      requestType = io.slotd.v1.ListQueuesRequest.class,
      responseType = io.slotd.v1.ListQueuesResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.slotd.v1.ListQueuesRequest,
      io.slotd.v1.ListQueuesResponse> getListQueuesMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.ListQueuesRequest, io.slotd.v1.ListQueuesResponse> getListQueuesMethod;
    if ((getListQueuesMethod = QueueServiceGrpc.getListQueuesMethod) == null) {
      synchronized (QueueServiceGrpc.class) {
        if ((getListQueuesMethod = QueueServiceGrpc.getListQueuesMethod) == null) {
          QueueServiceGrpc.getListQueuesMethod = getListQueuesMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.ListQueuesRequest, io.slotd.v1.ListQueuesResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListQueues"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.ListQueuesRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.ListQueuesResponse.getDefaultInstance()))
              .setSchemaDescriptor(new QueueServiceMethodDescriptorSupplier("ListQueues"))
              .build();
        }
      }
    }
    return getListQueuesMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.UpdateQueueRequest,
      io.slotd.v1.UpdateQueueResponse> getUpdateQueueMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "UpdateQueue",
      requestType = io.slotd.v1.UpdateQueueRequest.class,
      responseType = io.slotd.v1.UpdateQueueResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.slotd.v1.UpdateQueueRequest,
      io.slotd.v1.UpdateQueueResponse> getUpdateQueueMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.UpdateQueueRequest, io.slotd.v1.UpdateQueueResponse> getUpdateQueueMethod;
    if ((getUpdateQueueMethod = QueueServiceGrpc.getUpdateQueueMethod) == null) {
      synchronized (QueueServiceGrpc.class) {
        if ((getUpdateQueueMethod = QueueServiceGrpc.getUpdateQueueMethod) == null) {
          QueueServiceGrpc.getUpdateQueueMethod = getUpdateQueueMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.UpdateQueueRequest, io.slotd.v1.UpdateQueueResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "UpdateQueue"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.UpdateQueueRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.UpdateQueueResponse.getDefaultInstance()))
              .setSchemaDescriptor(new QueueServiceMethodDescriptorSupplier("UpdateQueue"))
              .build();
        }
      }
    }
    return getUpdateQueueMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.ListSlotsRequest,
      io.slotd.v1.ListSlotsResponse> getListSlotsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListSlots",
      requestType = io.slotd.v1.ListSlotsRequest.class,
      responseType = io.slotd.v1.ListSlotsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.slotd.v1.ListSlotsRequest,
      io.slotd.v1.ListSlotsResponse> getListSlotsMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.ListSlotsRequest, io.slotd.v1.ListSlotsResponse> getListSlotsMethod;
    if ((getListSlotsMethod = QueueServiceGrpc.getListSlotsMethod) == null) {
      synchronized (QueueServiceGrpc.class) {
        if ((getListSlotsMethod = QueueServiceGrpc.getListSlotsMethod) == null) {
          QueueServiceGrpc.getListSlotsMethod = getListSlotsMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.ListSlotsRequest, io.slotd.v1.ListSlotsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListSlots"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.ListSlotsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.ListSlotsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new QueueServiceMethodDescriptorSupplier("ListSlots"))
              .build();
        }
      }
    }
    return getListSlotsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.UpdateSlotsRequest,
      io.slotd.v1.UpdateSlotsResponse> getUpdateSlotsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "UpdateSlots",
      requestType = io.slotd.v1.UpdateSlotsRequest.class,
      responseType = io.slotd.v1.UpdateSlotsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.slotd.v1.UpdateSlotsRequest,
      io.slotd.v1.UpdateSlotsResponse> getUpdateSlotsMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.UpdateSlotsRequest, io.slotd.v1.UpdateSlotsResponse> getUpdateSlotsMethod;
    if ((getUpdateSlotsMethod = QueueServiceGrpc.getUpdateSlotsMethod) == null) {
      synchronized (QueueServiceGrpc.class) {
        if ((getUpdateSlotsMethod = QueueServiceGrpc.getUpdateSlotsMethod) == null) {
          QueueServiceGrpc.getUpdateSlotsMethod = getUpdateSlotsMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.UpdateSlotsRequest, io.slotd.v1.UpdateSlotsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "UpdateSlots"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.UpdateSlotsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.UpdateSlotsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new QueueServiceMethodDescriptorSupplier("UpdateSlots"))
              .build();
        }
      }
    }
    return getUpdateSlotsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.GetStatsRequest,
      io.slotd.v1.GetStatsResponse> getGetStatsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetStats",
      requestType = io.slotd.v1.GetStatsRequest.class,
      responseType = io.slotd.v1.GetStatsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.slotd.v1.GetStatsRequest,
      io.slotd.v1.GetStatsResponse> getGetStatsMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.GetStatsRequest, io.slotd.v1.GetStatsResponse> getGetStatsMethod;
    if ((getGetStatsMethod = QueueServiceGrpc.getGetStatsMethod) == null) {
      synchronized (QueueServiceGrpc.class) {
        if ((getGetStatsMethod = QueueServiceGrpc.getGetStatsMethod) == null) {
          QueueServiceGrpc.getGetStatsMethod = getGetStatsMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.GetStatsRequest, io.slotd.v1.GetStatsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetStats"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.GetStatsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.GetStatsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new QueueServiceMethodDescriptorSupplier("GetStats"))
              .build();
        }
      }
    }
    return getGetStatsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.ListServersRequest,
      io.slotd.v1.ListServersResponse> getListServersMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListServers",
      requestType = io.slotd.v1.ListServersRequest.class,
      responseType = io.slotd.v1.ListServersResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.slotd.v1.ListServersRequest,
      io.slotd.v1.ListServersResponse> getListServersMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.ListServersRequest, io.slotd.v1.ListServersResponse> getListServersMethod;
    if ((getListServersMethod = QueueServiceGrpc.getListServersMethod) == null) {
      synchronized (QueueServiceGrpc.class) {
        if ((getListServersMethod = QueueServiceGrpc.getListServersMethod) == null) {
          QueueServiceGrpc.getListServersMethod = getListServersMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.ListServersRequest, io.slotd.v1.ListServersResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListServers"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.ListServersRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.ListServersResponse.getDefaultInstance()))
              .setSchemaDescriptor(new QueueServiceMethodDescriptorSupplier("ListServers"))
              .build();
        }
      }
    }
    return getListServersMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static QueueServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<QueueServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<QueueServiceStub>() {
        @java.lang.Override
        public QueueServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new QueueServiceStub(channel, callOptions);
        }
      };
    return QueueServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static QueueServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<QueueServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<QueueServiceBlockingStub>() {
        @java.lang.Override
        public QueueServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new QueueServiceBlockingStub(channel, callOptions);
        }
      };
    return QueueServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static QueueServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<QueueServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<QueueServiceFutureStub>() {
        @java.lang.Override
        public QueueServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new QueueServiceFutureStub(channel, callOptions);
        }
      };
    return QueueServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * Queues, slots and counters. Errors as of JobService.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * Tells of a queue. Errors: NOT_FOUND for one that no job and no UpdateQueue has named yet.
     * </pre>
     */
    default void getQueue(io.slotd.v1.GetQueueRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.GetQueueResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetQueueMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists all queues by name.
     * </pre>
     */
    default void listQueues(io.slotd.v1.ListQueuesRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.ListQueuesResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListQueuesMethod(), responseObserver);
    }

    /**
     * <pre>
     * Changes a queue's settings; a queue that is not there yet is made.
     * </pre>
     */
    default void updateQueue(io.slotd.v1.UpdateQueueRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.UpdateQueueResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getUpdateQueueMethod(), responseObserver);
    }

    /**
     * <pre>
     * Answers this server's ledger, all at one revision: how many slots there are and who holds each. What other servers on
     * the same store have is in ListServers.
     * </pre>
     */
    default void listSlots(io.slotd.v1.ListSlotsRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.ListSlotsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListSlotsMethod(), responseObserver);
    }

    /**
     * <pre>
     * Resizes this server's pool while it runs. Fewer than are in use lets the surplus finish and starts nothing until
     * there is room; 0 pauses.
     * </pre>
     */
    default void updateSlots(io.slotd.v1.UpdateSlotsRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.UpdateSlotsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getUpdateSlotsMethod(), responseObserver);
    }

    /**
     * <pre>
     * Answers the counters, all at one revision.
     * </pre>
     */
    default void getStats(io.slotd.v1.GetStatsRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.GetStatsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetStatsMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists the servers that share this store, longest there first; with SQLite it is this one alone.
     * </pre>
     */
    default void listServers(io.slotd.v1.ListServersRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.ListServersResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListServersMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service QueueService.
   * <pre>
   * Queues, slots and counters. Errors as of JobService.
   * </pre>
   */
  public static abstract class QueueServiceImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return QueueServiceGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service QueueService.
   * <pre>
   * Queues, slots and counters. Errors as of JobService.
   * </pre>
   */
  public static final class QueueServiceStub
      extends io.grpc.stub.AbstractAsyncStub<QueueServiceStub> {
    private QueueServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected QueueServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new QueueServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * Tells of a queue. Errors: NOT_FOUND for one that no job and no UpdateQueue has named yet.
     * </pre>
     */
    public void getQueue(io.slotd.v1.GetQueueRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.GetQueueResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetQueueMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists all queues by name.
     * </pre>
     */
    public void listQueues(io.slotd.v1.ListQueuesRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.ListQueuesResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListQueuesMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Changes a queue's settings; a queue that is not there yet is made.
     * </pre>
     */
    public void updateQueue(io.slotd.v1.UpdateQueueRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.UpdateQueueResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getUpdateQueueMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Answers this server's ledger, all at one revision: how many slots there are and who holds each. What other servers on
     * the same store have is in ListServers.
     * </pre>
     */
    public void listSlots(io.slotd.v1.ListSlotsRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.ListSlotsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListSlotsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Resizes this server's pool while it runs. Fewer than are in use lets the surplus finish and starts nothing until
     * there is room; 0 pauses.
     * </pre>
     */
    public void updateSlots(io.slotd.v1.UpdateSlotsRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.UpdateSlotsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getUpdateSlotsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Answers the counters, all at one revision.
     * </pre>
     */
    public void getStats(io.slotd.v1.GetStatsRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.GetStatsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetStatsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists the servers that share this store, longest there first; with SQLite it is this one alone.
     * </pre>
     */
    public void listServers(io.slotd.v1.ListServersRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.ListServersResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListServersMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service QueueService.
   * <pre>
   * Queues, slots and counters. Errors as of JobService.
   * </pre>
   */
  public static final class QueueServiceBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<QueueServiceBlockingStub> {
    private QueueServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected QueueServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new QueueServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * Tells of a queue. Errors: NOT_FOUND for one that no job and no UpdateQueue has named yet.
     * </pre>
     */
    public io.slotd.v1.GetQueueResponse getQueue(io.slotd.v1.GetQueueRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetQueueMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists all queues by name.
     * </pre>
     */
    public io.slotd.v1.ListQueuesResponse listQueues(io.slotd.v1.ListQueuesRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListQueuesMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Changes a queue's settings; a queue that is not there yet is made.
     * </pre>
     */
    public io.slotd.v1.UpdateQueueResponse updateQueue(io.slotd.v1.UpdateQueueRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getUpdateQueueMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Answers this server's ledger, all at one revision: how many slots there are and who holds each. What other servers on
     * the same store have is in ListServers.
     * </pre>
     */
    public io.slotd.v1.ListSlotsResponse listSlots(io.slotd.v1.ListSlotsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListSlotsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Resizes this server's pool while it runs. Fewer than are in use lets the surplus finish and starts nothing until
     * there is room; 0 pauses.
     * </pre>
     */
    public io.slotd.v1.UpdateSlotsResponse updateSlots(io.slotd.v1.UpdateSlotsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getUpdateSlotsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Answers the counters, all at one revision.
     * </pre>
     */
    public io.slotd.v1.GetStatsResponse getStats(io.slotd.v1.GetStatsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetStatsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists the servers that share this store, longest there first; with SQLite it is this one alone.
     * </pre>
     */
    public io.slotd.v1.ListServersResponse listServers(io.slotd.v1.ListServersRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListServersMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service QueueService.
   * <pre>
   * Queues, slots and counters. Errors as of JobService.
   * </pre>
   */
  public static final class QueueServiceFutureStub
      extends io.grpc.stub.AbstractFutureStub<QueueServiceFutureStub> {
    private QueueServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected QueueServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new QueueServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * Tells of a queue. Errors: NOT_FOUND for one that no job and no UpdateQueue has named yet.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.slotd.v1.GetQueueResponse> getQueue(
        io.slotd.v1.GetQueueRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetQueueMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lists all queues by name.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.slotd.v1.ListQueuesResponse> listQueues(
        io.slotd.v1.ListQueuesRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListQueuesMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Changes a queue's settings; a queue that is not there yet is made.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.slotd.v1.UpdateQueueResponse> updateQueue(
        io.slotd.v1.UpdateQueueRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getUpdateQueueMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Answers this server's ledger, all at one revision: how many slots there are and who holds each. What other servers on
     * the same store have is in ListServers.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.slotd.v1.ListSlotsResponse> listSlots(
        io.slotd.v1.ListSlotsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListSlotsMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Resizes this server's pool while it runs. Fewer than are in use lets the surplus finish and starts nothing until
     * there is room; 0 pauses.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.slotd.v1.UpdateSlotsResponse> updateSlots(
        io.slotd.v1.UpdateSlotsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getUpdateSlotsMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Answers the counters, all at one revision.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.slotd.v1.GetStatsResponse> getStats(
        io.slotd.v1.GetStatsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetStatsMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lists the servers that share this store, longest there first; with SQLite it is this one alone.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.slotd.v1.ListServersResponse> listServers(
        io.slotd.v1.ListServersRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListServersMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_GET_QUEUE = 0;
  private static final int METHODID_LIST_QUEUES = 1;
  private static final int METHODID_UPDATE_QUEUE = 2;
  private static final int METHODID_LIST_SLOTS = 3;
  private static final int METHODID_UPDATE_SLOTS = 4;
  private static final int METHODID_GET_STATS = 5;
  private static final int METHODID_LIST_SERVERS = 6;

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
        case METHODID_GET_QUEUE:
          serviceImpl.getQueue((io.slotd.v1.GetQueueRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.GetQueueResponse>) responseObserver);
          break;
        case METHODID_LIST_QUEUES:
          serviceImpl.listQueues((io.slotd.v1.ListQueuesRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.ListQueuesResponse>) responseObserver);
          break;
        case METHODID_UPDATE_QUEUE:
          serviceImpl.updateQueue((io.slotd.v1.UpdateQueueRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.UpdateQueueResponse>) responseObserver);
          break;
        case METHODID_LIST_SLOTS:
          serviceImpl.listSlots((io.slotd.v1.ListSlotsRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.ListSlotsResponse>) responseObserver);
          break;
        case METHODID_UPDATE_SLOTS:
          serviceImpl.updateSlots((io.slotd.v1.UpdateSlotsRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.UpdateSlotsResponse>) responseObserver);
          break;
        case METHODID_GET_STATS:
          serviceImpl.getStats((io.slotd.v1.GetStatsRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.GetStatsResponse>) responseObserver);
          break;
        case METHODID_LIST_SERVERS:
          serviceImpl.listServers((io.slotd.v1.ListServersRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.ListServersResponse>) responseObserver);
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
        default:
          throw new AssertionError();
      }
    }
  }

  public static final io.grpc.ServerServiceDefinition bindService(AsyncService service) {
    return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
        .addMethod(
          getGetQueueMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.slotd.v1.GetQueueRequest,
              io.slotd.v1.GetQueueResponse>(
                service, METHODID_GET_QUEUE)))
        .addMethod(
          getListQueuesMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.slotd.v1.ListQueuesRequest,
              io.slotd.v1.ListQueuesResponse>(
                service, METHODID_LIST_QUEUES)))
        .addMethod(
          getUpdateQueueMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.slotd.v1.UpdateQueueRequest,
              io.slotd.v1.UpdateQueueResponse>(
                service, METHODID_UPDATE_QUEUE)))
        .addMethod(
          getListSlotsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.slotd.v1.ListSlotsRequest,
              io.slotd.v1.ListSlotsResponse>(
                service, METHODID_LIST_SLOTS)))
        .addMethod(
          getUpdateSlotsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.slotd.v1.UpdateSlotsRequest,
              io.slotd.v1.UpdateSlotsResponse>(
                service, METHODID_UPDATE_SLOTS)))
        .addMethod(
          getGetStatsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.slotd.v1.GetStatsRequest,
              io.slotd.v1.GetStatsResponse>(
                service, METHODID_GET_STATS)))
        .addMethod(
          getListServersMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.slotd.v1.ListServersRequest,
              io.slotd.v1.ListServersResponse>(
                service, METHODID_LIST_SERVERS)))
        .build();
  }

  private static abstract class QueueServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    QueueServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return io.slotd.v1.QueueServiceOuterClass.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("QueueService");
    }
  }

  private static final class QueueServiceFileDescriptorSupplier
      extends QueueServiceBaseDescriptorSupplier {
    QueueServiceFileDescriptorSupplier() {}
  }

  private static final class QueueServiceMethodDescriptorSupplier
      extends QueueServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    QueueServiceMethodDescriptorSupplier(java.lang.String methodName) {
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
      synchronized (QueueServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new QueueServiceFileDescriptorSupplier())
              .addMethod(getGetQueueMethod())
              .addMethod(getListQueuesMethod())
              .addMethod(getUpdateQueueMethod())
              .addMethod(getListSlotsMethod())
              .addMethod(getUpdateSlotsMethod())
              .addMethod(getGetStatsMethod())
              .addMethod(getListServersMethod())
              .build();
        }
      }
    }
    return result;
  }
}
