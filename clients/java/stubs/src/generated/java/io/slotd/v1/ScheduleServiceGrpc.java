package io.slotd.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * Makes jobs at set times: each firing makes one job, exactly one, also across a crash. Errors as of JobService.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class ScheduleServiceGrpc {

  private ScheduleServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "slotd.v1.ScheduleService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.ScheduleServiceCreateRequest,
      io.slotd.v1.ScheduleServiceCreateResponse> getCreateMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Create",
      requestType = io.slotd.v1.ScheduleServiceCreateRequest.class,
      responseType = io.slotd.v1.ScheduleServiceCreateResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.slotd.v1.ScheduleServiceCreateRequest,
      io.slotd.v1.ScheduleServiceCreateResponse> getCreateMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.ScheduleServiceCreateRequest, io.slotd.v1.ScheduleServiceCreateResponse> getCreateMethod;
    if ((getCreateMethod = ScheduleServiceGrpc.getCreateMethod) == null) {
      synchronized (ScheduleServiceGrpc.class) {
        if ((getCreateMethod = ScheduleServiceGrpc.getCreateMethod) == null) {
          ScheduleServiceGrpc.getCreateMethod = getCreateMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.ScheduleServiceCreateRequest, io.slotd.v1.ScheduleServiceCreateResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Create"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.ScheduleServiceCreateRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.ScheduleServiceCreateResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ScheduleServiceMethodDescriptorSupplier("Create"))
              .build();
        }
      }
    }
    return getCreateMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.ScheduleServiceGetRequest,
      io.slotd.v1.ScheduleServiceGetResponse> getGetMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Get",
      requestType = io.slotd.v1.ScheduleServiceGetRequest.class,
      responseType = io.slotd.v1.ScheduleServiceGetResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.slotd.v1.ScheduleServiceGetRequest,
      io.slotd.v1.ScheduleServiceGetResponse> getGetMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.ScheduleServiceGetRequest, io.slotd.v1.ScheduleServiceGetResponse> getGetMethod;
    if ((getGetMethod = ScheduleServiceGrpc.getGetMethod) == null) {
      synchronized (ScheduleServiceGrpc.class) {
        if ((getGetMethod = ScheduleServiceGrpc.getGetMethod) == null) {
          ScheduleServiceGrpc.getGetMethod = getGetMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.ScheduleServiceGetRequest, io.slotd.v1.ScheduleServiceGetResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Get"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.ScheduleServiceGetRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.ScheduleServiceGetResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ScheduleServiceMethodDescriptorSupplier("Get"))
              .build();
        }
      }
    }
    return getGetMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.ScheduleServiceListRequest,
      io.slotd.v1.ScheduleServiceListResponse> getListMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "List",
      requestType = io.slotd.v1.ScheduleServiceListRequest.class,
      responseType = io.slotd.v1.ScheduleServiceListResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.slotd.v1.ScheduleServiceListRequest,
      io.slotd.v1.ScheduleServiceListResponse> getListMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.ScheduleServiceListRequest, io.slotd.v1.ScheduleServiceListResponse> getListMethod;
    if ((getListMethod = ScheduleServiceGrpc.getListMethod) == null) {
      synchronized (ScheduleServiceGrpc.class) {
        if ((getListMethod = ScheduleServiceGrpc.getListMethod) == null) {
          ScheduleServiceGrpc.getListMethod = getListMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.ScheduleServiceListRequest, io.slotd.v1.ScheduleServiceListResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "List"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.ScheduleServiceListRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.ScheduleServiceListResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ScheduleServiceMethodDescriptorSupplier("List"))
              .build();
        }
      }
    }
    return getListMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.ScheduleServiceUpdateRequest,
      io.slotd.v1.ScheduleServiceUpdateResponse> getUpdateMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Update",
      requestType = io.slotd.v1.ScheduleServiceUpdateRequest.class,
      responseType = io.slotd.v1.ScheduleServiceUpdateResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.slotd.v1.ScheduleServiceUpdateRequest,
      io.slotd.v1.ScheduleServiceUpdateResponse> getUpdateMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.ScheduleServiceUpdateRequest, io.slotd.v1.ScheduleServiceUpdateResponse> getUpdateMethod;
    if ((getUpdateMethod = ScheduleServiceGrpc.getUpdateMethod) == null) {
      synchronized (ScheduleServiceGrpc.class) {
        if ((getUpdateMethod = ScheduleServiceGrpc.getUpdateMethod) == null) {
          ScheduleServiceGrpc.getUpdateMethod = getUpdateMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.ScheduleServiceUpdateRequest, io.slotd.v1.ScheduleServiceUpdateResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Update"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.ScheduleServiceUpdateRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.ScheduleServiceUpdateResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ScheduleServiceMethodDescriptorSupplier("Update"))
              .build();
        }
      }
    }
    return getUpdateMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.ScheduleServiceDeleteRequest,
      io.slotd.v1.ScheduleServiceDeleteResponse> getDeleteMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Delete",
      requestType = io.slotd.v1.ScheduleServiceDeleteRequest.class,
      responseType = io.slotd.v1.ScheduleServiceDeleteResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.slotd.v1.ScheduleServiceDeleteRequest,
      io.slotd.v1.ScheduleServiceDeleteResponse> getDeleteMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.ScheduleServiceDeleteRequest, io.slotd.v1.ScheduleServiceDeleteResponse> getDeleteMethod;
    if ((getDeleteMethod = ScheduleServiceGrpc.getDeleteMethod) == null) {
      synchronized (ScheduleServiceGrpc.class) {
        if ((getDeleteMethod = ScheduleServiceGrpc.getDeleteMethod) == null) {
          ScheduleServiceGrpc.getDeleteMethod = getDeleteMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.ScheduleServiceDeleteRequest, io.slotd.v1.ScheduleServiceDeleteResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Delete"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.ScheduleServiceDeleteRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.ScheduleServiceDeleteResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ScheduleServiceMethodDescriptorSupplier("Delete"))
              .build();
        }
      }
    }
    return getDeleteMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.ScheduleServicePauseRequest,
      io.slotd.v1.ScheduleServicePauseResponse> getPauseMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Pause",
      requestType = io.slotd.v1.ScheduleServicePauseRequest.class,
      responseType = io.slotd.v1.ScheduleServicePauseResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.slotd.v1.ScheduleServicePauseRequest,
      io.slotd.v1.ScheduleServicePauseResponse> getPauseMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.ScheduleServicePauseRequest, io.slotd.v1.ScheduleServicePauseResponse> getPauseMethod;
    if ((getPauseMethod = ScheduleServiceGrpc.getPauseMethod) == null) {
      synchronized (ScheduleServiceGrpc.class) {
        if ((getPauseMethod = ScheduleServiceGrpc.getPauseMethod) == null) {
          ScheduleServiceGrpc.getPauseMethod = getPauseMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.ScheduleServicePauseRequest, io.slotd.v1.ScheduleServicePauseResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Pause"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.ScheduleServicePauseRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.ScheduleServicePauseResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ScheduleServiceMethodDescriptorSupplier("Pause"))
              .build();
        }
      }
    }
    return getPauseMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.ScheduleServiceResumeRequest,
      io.slotd.v1.ScheduleServiceResumeResponse> getResumeMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Resume",
      requestType = io.slotd.v1.ScheduleServiceResumeRequest.class,
      responseType = io.slotd.v1.ScheduleServiceResumeResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.slotd.v1.ScheduleServiceResumeRequest,
      io.slotd.v1.ScheduleServiceResumeResponse> getResumeMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.ScheduleServiceResumeRequest, io.slotd.v1.ScheduleServiceResumeResponse> getResumeMethod;
    if ((getResumeMethod = ScheduleServiceGrpc.getResumeMethod) == null) {
      synchronized (ScheduleServiceGrpc.class) {
        if ((getResumeMethod = ScheduleServiceGrpc.getResumeMethod) == null) {
          ScheduleServiceGrpc.getResumeMethod = getResumeMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.ScheduleServiceResumeRequest, io.slotd.v1.ScheduleServiceResumeResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Resume"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.ScheduleServiceResumeRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.ScheduleServiceResumeResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ScheduleServiceMethodDescriptorSupplier("Resume"))
              .build();
        }
      }
    }
    return getResumeMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.ScheduleServiceTriggerRequest,
      io.slotd.v1.ScheduleServiceTriggerResponse> getTriggerMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Trigger",
      requestType = io.slotd.v1.ScheduleServiceTriggerRequest.class,
      responseType = io.slotd.v1.ScheduleServiceTriggerResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.slotd.v1.ScheduleServiceTriggerRequest,
      io.slotd.v1.ScheduleServiceTriggerResponse> getTriggerMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.ScheduleServiceTriggerRequest, io.slotd.v1.ScheduleServiceTriggerResponse> getTriggerMethod;
    if ((getTriggerMethod = ScheduleServiceGrpc.getTriggerMethod) == null) {
      synchronized (ScheduleServiceGrpc.class) {
        if ((getTriggerMethod = ScheduleServiceGrpc.getTriggerMethod) == null) {
          ScheduleServiceGrpc.getTriggerMethod = getTriggerMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.ScheduleServiceTriggerRequest, io.slotd.v1.ScheduleServiceTriggerResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Trigger"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.ScheduleServiceTriggerRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.ScheduleServiceTriggerResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ScheduleServiceMethodDescriptorSupplier("Trigger"))
              .build();
        }
      }
    }
    return getTriggerMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static ScheduleServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ScheduleServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ScheduleServiceStub>() {
        @java.lang.Override
        public ScheduleServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ScheduleServiceStub(channel, callOptions);
        }
      };
    return ScheduleServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static ScheduleServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ScheduleServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ScheduleServiceBlockingStub>() {
        @java.lang.Override
        public ScheduleServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ScheduleServiceBlockingStub(channel, callOptions);
        }
      };
    return ScheduleServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static ScheduleServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ScheduleServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ScheduleServiceFutureStub>() {
        @java.lang.Override
        public ScheduleServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ScheduleServiceFutureStub(channel, callOptions);
        }
      };
    return ScheduleServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * Makes jobs at set times: each firing makes one job, exactly one, also across a crash. Errors as of JobService.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * Makes a schedule. Errors: ALREADY_EXISTS, reason SCHEDULE_EXISTS, when there is one of that name;
     * INVALID_ARGUMENT for an unknown kind, a bad cron expression or time zone, or one that never fires.
     * </pre>
     */
    default void create(io.slotd.v1.ScheduleServiceCreateRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.ScheduleServiceCreateResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCreateMethod(), responseObserver);
    }

    /**
     * <pre>
     * Tells of a schedule. Errors: NOT_FOUND.
     * </pre>
     */
    default void get(io.slotd.v1.ScheduleServiceGetRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.ScheduleServiceGetResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists all schedules by name.
     * </pre>
     */
    default void list(io.slotd.v1.ScheduleServiceListRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.ScheduleServiceListResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListMethod(), responseObserver);
    }

    /**
     * <pre>
     * Changes a schedule; the next firing goes by the new settings. Errors: NOT_FOUND; ABORTED, reason REVISION_MISMATCH,
     * when it is no longer at that revision.
     * </pre>
     */
    default void update(io.slotd.v1.ScheduleServiceUpdateRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.ScheduleServiceUpdateResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getUpdateMethod(), responseObserver);
    }

    /**
     * <pre>
     * Deletes a schedule; the jobs that it made stay. Errors: NOT_FOUND.
     * </pre>
     */
    default void delete(io.slotd.v1.ScheduleServiceDeleteRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.ScheduleServiceDeleteResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDeleteMethod(), responseObserver);
    }

    /**
     * <pre>
     * Stops firing. Once more: no change. Errors: NOT_FOUND.
     * </pre>
     */
    default void pause(io.slotd.v1.ScheduleServicePauseRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.ScheduleServicePauseResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getPauseMethod(), responseObserver);
    }

    /**
     * <pre>
     * Fires again, from now on: what would have fired meanwhile is not made up for. Errors: NOT_FOUND.
     * </pre>
     */
    default void resume(io.slotd.v1.ScheduleServiceResumeRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.ScheduleServiceResumeResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getResumeMethod(), responseObserver);
    }

    /**
     * <pre>
     * Fires now, also while paused; the overlap policy holds. Errors: NOT_FOUND; FAILED_PRECONDITION, reason
     * SCHEDULE_OVERLAP, where the policy skips it; RESOURCE_EXHAUSTED when the queue is full.
     * </pre>
     */
    default void trigger(io.slotd.v1.ScheduleServiceTriggerRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.ScheduleServiceTriggerResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getTriggerMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service ScheduleService.
   * <pre>
   * Makes jobs at set times: each firing makes one job, exactly one, also across a crash. Errors as of JobService.
   * </pre>
   */
  public static abstract class ScheduleServiceImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return ScheduleServiceGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service ScheduleService.
   * <pre>
   * Makes jobs at set times: each firing makes one job, exactly one, also across a crash. Errors as of JobService.
   * </pre>
   */
  public static final class ScheduleServiceStub
      extends io.grpc.stub.AbstractAsyncStub<ScheduleServiceStub> {
    private ScheduleServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ScheduleServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ScheduleServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * Makes a schedule. Errors: ALREADY_EXISTS, reason SCHEDULE_EXISTS, when there is one of that name;
     * INVALID_ARGUMENT for an unknown kind, a bad cron expression or time zone, or one that never fires.
     * </pre>
     */
    public void create(io.slotd.v1.ScheduleServiceCreateRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.ScheduleServiceCreateResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCreateMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Tells of a schedule. Errors: NOT_FOUND.
     * </pre>
     */
    public void get(io.slotd.v1.ScheduleServiceGetRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.ScheduleServiceGetResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists all schedules by name.
     * </pre>
     */
    public void list(io.slotd.v1.ScheduleServiceListRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.ScheduleServiceListResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Changes a schedule; the next firing goes by the new settings. Errors: NOT_FOUND; ABORTED, reason REVISION_MISMATCH,
     * when it is no longer at that revision.
     * </pre>
     */
    public void update(io.slotd.v1.ScheduleServiceUpdateRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.ScheduleServiceUpdateResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getUpdateMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Deletes a schedule; the jobs that it made stay. Errors: NOT_FOUND.
     * </pre>
     */
    public void delete(io.slotd.v1.ScheduleServiceDeleteRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.ScheduleServiceDeleteResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getDeleteMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Stops firing. Once more: no change. Errors: NOT_FOUND.
     * </pre>
     */
    public void pause(io.slotd.v1.ScheduleServicePauseRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.ScheduleServicePauseResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getPauseMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Fires again, from now on: what would have fired meanwhile is not made up for. Errors: NOT_FOUND.
     * </pre>
     */
    public void resume(io.slotd.v1.ScheduleServiceResumeRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.ScheduleServiceResumeResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getResumeMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Fires now, also while paused; the overlap policy holds. Errors: NOT_FOUND; FAILED_PRECONDITION, reason
     * SCHEDULE_OVERLAP, where the policy skips it; RESOURCE_EXHAUSTED when the queue is full.
     * </pre>
     */
    public void trigger(io.slotd.v1.ScheduleServiceTriggerRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.ScheduleServiceTriggerResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getTriggerMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service ScheduleService.
   * <pre>
   * Makes jobs at set times: each firing makes one job, exactly one, also across a crash. Errors as of JobService.
   * </pre>
   */
  public static final class ScheduleServiceBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<ScheduleServiceBlockingStub> {
    private ScheduleServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ScheduleServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ScheduleServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * Makes a schedule. Errors: ALREADY_EXISTS, reason SCHEDULE_EXISTS, when there is one of that name;
     * INVALID_ARGUMENT for an unknown kind, a bad cron expression or time zone, or one that never fires.
     * </pre>
     */
    public io.slotd.v1.ScheduleServiceCreateResponse create(io.slotd.v1.ScheduleServiceCreateRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCreateMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Tells of a schedule. Errors: NOT_FOUND.
     * </pre>
     */
    public io.slotd.v1.ScheduleServiceGetResponse get(io.slotd.v1.ScheduleServiceGetRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists all schedules by name.
     * </pre>
     */
    public io.slotd.v1.ScheduleServiceListResponse list(io.slotd.v1.ScheduleServiceListRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Changes a schedule; the next firing goes by the new settings. Errors: NOT_FOUND; ABORTED, reason REVISION_MISMATCH,
     * when it is no longer at that revision.
     * </pre>
     */
    public io.slotd.v1.ScheduleServiceUpdateResponse update(io.slotd.v1.ScheduleServiceUpdateRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getUpdateMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Deletes a schedule; the jobs that it made stay. Errors: NOT_FOUND.
     * </pre>
     */
    public io.slotd.v1.ScheduleServiceDeleteResponse delete(io.slotd.v1.ScheduleServiceDeleteRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getDeleteMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Stops firing. Once more: no change. Errors: NOT_FOUND.
     * </pre>
     */
    public io.slotd.v1.ScheduleServicePauseResponse pause(io.slotd.v1.ScheduleServicePauseRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getPauseMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Fires again, from now on: what would have fired meanwhile is not made up for. Errors: NOT_FOUND.
     * </pre>
     */
    public io.slotd.v1.ScheduleServiceResumeResponse resume(io.slotd.v1.ScheduleServiceResumeRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getResumeMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Fires now, also while paused; the overlap policy holds. Errors: NOT_FOUND; FAILED_PRECONDITION, reason
     * SCHEDULE_OVERLAP, where the policy skips it; RESOURCE_EXHAUSTED when the queue is full.
     * </pre>
     */
    public io.slotd.v1.ScheduleServiceTriggerResponse trigger(io.slotd.v1.ScheduleServiceTriggerRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getTriggerMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service ScheduleService.
   * <pre>
   * Makes jobs at set times: each firing makes one job, exactly one, also across a crash. Errors as of JobService.
   * </pre>
   */
  public static final class ScheduleServiceFutureStub
      extends io.grpc.stub.AbstractFutureStub<ScheduleServiceFutureStub> {
    private ScheduleServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ScheduleServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ScheduleServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * Makes a schedule. Errors: ALREADY_EXISTS, reason SCHEDULE_EXISTS, when there is one of that name;
     * INVALID_ARGUMENT for an unknown kind, a bad cron expression or time zone, or one that never fires.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.slotd.v1.ScheduleServiceCreateResponse> create(
        io.slotd.v1.ScheduleServiceCreateRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCreateMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Tells of a schedule. Errors: NOT_FOUND.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.slotd.v1.ScheduleServiceGetResponse> get(
        io.slotd.v1.ScheduleServiceGetRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lists all schedules by name.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.slotd.v1.ScheduleServiceListResponse> list(
        io.slotd.v1.ScheduleServiceListRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Changes a schedule; the next firing goes by the new settings. Errors: NOT_FOUND; ABORTED, reason REVISION_MISMATCH,
     * when it is no longer at that revision.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.slotd.v1.ScheduleServiceUpdateResponse> update(
        io.slotd.v1.ScheduleServiceUpdateRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getUpdateMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Deletes a schedule; the jobs that it made stay. Errors: NOT_FOUND.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.slotd.v1.ScheduleServiceDeleteResponse> delete(
        io.slotd.v1.ScheduleServiceDeleteRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getDeleteMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Stops firing. Once more: no change. Errors: NOT_FOUND.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.slotd.v1.ScheduleServicePauseResponse> pause(
        io.slotd.v1.ScheduleServicePauseRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getPauseMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Fires again, from now on: what would have fired meanwhile is not made up for. Errors: NOT_FOUND.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.slotd.v1.ScheduleServiceResumeResponse> resume(
        io.slotd.v1.ScheduleServiceResumeRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getResumeMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Fires now, also while paused; the overlap policy holds. Errors: NOT_FOUND; FAILED_PRECONDITION, reason
     * SCHEDULE_OVERLAP, where the policy skips it; RESOURCE_EXHAUSTED when the queue is full.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.slotd.v1.ScheduleServiceTriggerResponse> trigger(
        io.slotd.v1.ScheduleServiceTriggerRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getTriggerMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_CREATE = 0;
  private static final int METHODID_GET = 1;
  private static final int METHODID_LIST = 2;
  private static final int METHODID_UPDATE = 3;
  private static final int METHODID_DELETE = 4;
  private static final int METHODID_PAUSE = 5;
  private static final int METHODID_RESUME = 6;
  private static final int METHODID_TRIGGER = 7;

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
        case METHODID_CREATE:
          serviceImpl.create((io.slotd.v1.ScheduleServiceCreateRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.ScheduleServiceCreateResponse>) responseObserver);
          break;
        case METHODID_GET:
          serviceImpl.get((io.slotd.v1.ScheduleServiceGetRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.ScheduleServiceGetResponse>) responseObserver);
          break;
        case METHODID_LIST:
          serviceImpl.list((io.slotd.v1.ScheduleServiceListRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.ScheduleServiceListResponse>) responseObserver);
          break;
        case METHODID_UPDATE:
          serviceImpl.update((io.slotd.v1.ScheduleServiceUpdateRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.ScheduleServiceUpdateResponse>) responseObserver);
          break;
        case METHODID_DELETE:
          serviceImpl.delete((io.slotd.v1.ScheduleServiceDeleteRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.ScheduleServiceDeleteResponse>) responseObserver);
          break;
        case METHODID_PAUSE:
          serviceImpl.pause((io.slotd.v1.ScheduleServicePauseRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.ScheduleServicePauseResponse>) responseObserver);
          break;
        case METHODID_RESUME:
          serviceImpl.resume((io.slotd.v1.ScheduleServiceResumeRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.ScheduleServiceResumeResponse>) responseObserver);
          break;
        case METHODID_TRIGGER:
          serviceImpl.trigger((io.slotd.v1.ScheduleServiceTriggerRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.ScheduleServiceTriggerResponse>) responseObserver);
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
          getCreateMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.slotd.v1.ScheduleServiceCreateRequest,
              io.slotd.v1.ScheduleServiceCreateResponse>(
                service, METHODID_CREATE)))
        .addMethod(
          getGetMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.slotd.v1.ScheduleServiceGetRequest,
              io.slotd.v1.ScheduleServiceGetResponse>(
                service, METHODID_GET)))
        .addMethod(
          getListMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.slotd.v1.ScheduleServiceListRequest,
              io.slotd.v1.ScheduleServiceListResponse>(
                service, METHODID_LIST)))
        .addMethod(
          getUpdateMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.slotd.v1.ScheduleServiceUpdateRequest,
              io.slotd.v1.ScheduleServiceUpdateResponse>(
                service, METHODID_UPDATE)))
        .addMethod(
          getDeleteMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.slotd.v1.ScheduleServiceDeleteRequest,
              io.slotd.v1.ScheduleServiceDeleteResponse>(
                service, METHODID_DELETE)))
        .addMethod(
          getPauseMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.slotd.v1.ScheduleServicePauseRequest,
              io.slotd.v1.ScheduleServicePauseResponse>(
                service, METHODID_PAUSE)))
        .addMethod(
          getResumeMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.slotd.v1.ScheduleServiceResumeRequest,
              io.slotd.v1.ScheduleServiceResumeResponse>(
                service, METHODID_RESUME)))
        .addMethod(
          getTriggerMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.slotd.v1.ScheduleServiceTriggerRequest,
              io.slotd.v1.ScheduleServiceTriggerResponse>(
                service, METHODID_TRIGGER)))
        .build();
  }

  private static abstract class ScheduleServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    ScheduleServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return io.slotd.v1.ScheduleServiceOuterClass.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("ScheduleService");
    }
  }

  private static final class ScheduleServiceFileDescriptorSupplier
      extends ScheduleServiceBaseDescriptorSupplier {
    ScheduleServiceFileDescriptorSupplier() {}
  }

  private static final class ScheduleServiceMethodDescriptorSupplier
      extends ScheduleServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    ScheduleServiceMethodDescriptorSupplier(java.lang.String methodName) {
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
      synchronized (ScheduleServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new ScheduleServiceFileDescriptorSupplier())
              .addMethod(getCreateMethod())
              .addMethod(getGetMethod())
              .addMethod(getListMethod())
              .addMethod(getUpdateMethod())
              .addMethod(getDeleteMethod())
              .addMethod(getPauseMethod())
              .addMethod(getResumeMethod())
              .addMethod(getTriggerMethod())
              .build();
        }
      }
    }
    return result;
  }
}
