package io.slotd.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * Takes jobs, tells how they are, and streams what happens to them.
 * Every error carries a google.rpc.ErrorInfo with domain "slotd" and an UPPER_SNAKE reason. Common to all methods:
 * INVALID_ARGUMENT with BadRequest for a malformed field, and UNAVAILABLE with RetryInfo while the store is away; to
 * those that change something: UNAVAILABLE with RetryInfo while the service drains, and RESOURCE_EXHAUSTED with
 * RetryInfo while the disk is full.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class JobServiceGrpc {

  private JobServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "slotd.v1.JobService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.SubmitRequest,
      io.slotd.v1.SubmitResponse> getSubmitMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Submit",
      requestType = io.slotd.v1.SubmitRequest.class,
      responseType = io.slotd.v1.SubmitResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.slotd.v1.SubmitRequest,
      io.slotd.v1.SubmitResponse> getSubmitMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.SubmitRequest, io.slotd.v1.SubmitResponse> getSubmitMethod;
    if ((getSubmitMethod = JobServiceGrpc.getSubmitMethod) == null) {
      synchronized (JobServiceGrpc.class) {
        if ((getSubmitMethod = JobServiceGrpc.getSubmitMethod) == null) {
          JobServiceGrpc.getSubmitMethod = getSubmitMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.SubmitRequest, io.slotd.v1.SubmitResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Submit"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.SubmitRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.SubmitResponse.getDefaultInstance()))
              .setSchemaDescriptor(new JobServiceMethodDescriptorSupplier("Submit"))
              .build();
        }
      }
    }
    return getSubmitMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.SubmitBatchRequest,
      io.slotd.v1.SubmitBatchResponse> getSubmitBatchMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "SubmitBatch",
      requestType = io.slotd.v1.SubmitBatchRequest.class,
      responseType = io.slotd.v1.SubmitBatchResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.slotd.v1.SubmitBatchRequest,
      io.slotd.v1.SubmitBatchResponse> getSubmitBatchMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.SubmitBatchRequest, io.slotd.v1.SubmitBatchResponse> getSubmitBatchMethod;
    if ((getSubmitBatchMethod = JobServiceGrpc.getSubmitBatchMethod) == null) {
      synchronized (JobServiceGrpc.class) {
        if ((getSubmitBatchMethod = JobServiceGrpc.getSubmitBatchMethod) == null) {
          JobServiceGrpc.getSubmitBatchMethod = getSubmitBatchMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.SubmitBatchRequest, io.slotd.v1.SubmitBatchResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "SubmitBatch"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.SubmitBatchRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.SubmitBatchResponse.getDefaultInstance()))
              .setSchemaDescriptor(new JobServiceMethodDescriptorSupplier("SubmitBatch"))
              .build();
        }
      }
    }
    return getSubmitBatchMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.GetRequest,
      io.slotd.v1.GetResponse> getGetMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Get",
      requestType = io.slotd.v1.GetRequest.class,
      responseType = io.slotd.v1.GetResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.slotd.v1.GetRequest,
      io.slotd.v1.GetResponse> getGetMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.GetRequest, io.slotd.v1.GetResponse> getGetMethod;
    if ((getGetMethod = JobServiceGrpc.getGetMethod) == null) {
      synchronized (JobServiceGrpc.class) {
        if ((getGetMethod = JobServiceGrpc.getGetMethod) == null) {
          JobServiceGrpc.getGetMethod = getGetMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.GetRequest, io.slotd.v1.GetResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Get"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.GetRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.GetResponse.getDefaultInstance()))
              .setSchemaDescriptor(new JobServiceMethodDescriptorSupplier("Get"))
              .build();
        }
      }
    }
    return getGetMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.ListRequest,
      io.slotd.v1.ListResponse> getListMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "List",
      requestType = io.slotd.v1.ListRequest.class,
      responseType = io.slotd.v1.ListResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.slotd.v1.ListRequest,
      io.slotd.v1.ListResponse> getListMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.ListRequest, io.slotd.v1.ListResponse> getListMethod;
    if ((getListMethod = JobServiceGrpc.getListMethod) == null) {
      synchronized (JobServiceGrpc.class) {
        if ((getListMethod = JobServiceGrpc.getListMethod) == null) {
          JobServiceGrpc.getListMethod = getListMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.ListRequest, io.slotd.v1.ListResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "List"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.ListRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.ListResponse.getDefaultInstance()))
              .setSchemaDescriptor(new JobServiceMethodDescriptorSupplier("List"))
              .build();
        }
      }
    }
    return getListMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.WaitRequest,
      io.slotd.v1.WaitResponse> getWaitMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Wait",
      requestType = io.slotd.v1.WaitRequest.class,
      responseType = io.slotd.v1.WaitResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.slotd.v1.WaitRequest,
      io.slotd.v1.WaitResponse> getWaitMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.WaitRequest, io.slotd.v1.WaitResponse> getWaitMethod;
    if ((getWaitMethod = JobServiceGrpc.getWaitMethod) == null) {
      synchronized (JobServiceGrpc.class) {
        if ((getWaitMethod = JobServiceGrpc.getWaitMethod) == null) {
          JobServiceGrpc.getWaitMethod = getWaitMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.WaitRequest, io.slotd.v1.WaitResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Wait"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.WaitRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.WaitResponse.getDefaultInstance()))
              .setSchemaDescriptor(new JobServiceMethodDescriptorSupplier("Wait"))
              .build();
        }
      }
    }
    return getWaitMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.StreamRequest,
      io.slotd.v1.StreamResponse> getStreamMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Stream",
      requestType = io.slotd.v1.StreamRequest.class,
      responseType = io.slotd.v1.StreamResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
  public static io.grpc.MethodDescriptor<io.slotd.v1.StreamRequest,
      io.slotd.v1.StreamResponse> getStreamMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.StreamRequest, io.slotd.v1.StreamResponse> getStreamMethod;
    if ((getStreamMethod = JobServiceGrpc.getStreamMethod) == null) {
      synchronized (JobServiceGrpc.class) {
        if ((getStreamMethod = JobServiceGrpc.getStreamMethod) == null) {
          JobServiceGrpc.getStreamMethod = getStreamMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.StreamRequest, io.slotd.v1.StreamResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Stream"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.StreamRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.StreamResponse.getDefaultInstance()))
              .setSchemaDescriptor(new JobServiceMethodDescriptorSupplier("Stream"))
              .build();
        }
      }
    }
    return getStreamMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.ReadOutputRequest,
      io.slotd.v1.ReadOutputResponse> getReadOutputMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ReadOutput",
      requestType = io.slotd.v1.ReadOutputRequest.class,
      responseType = io.slotd.v1.ReadOutputResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
  public static io.grpc.MethodDescriptor<io.slotd.v1.ReadOutputRequest,
      io.slotd.v1.ReadOutputResponse> getReadOutputMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.ReadOutputRequest, io.slotd.v1.ReadOutputResponse> getReadOutputMethod;
    if ((getReadOutputMethod = JobServiceGrpc.getReadOutputMethod) == null) {
      synchronized (JobServiceGrpc.class) {
        if ((getReadOutputMethod = JobServiceGrpc.getReadOutputMethod) == null) {
          JobServiceGrpc.getReadOutputMethod = getReadOutputMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.ReadOutputRequest, io.slotd.v1.ReadOutputResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ReadOutput"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.ReadOutputRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.ReadOutputResponse.getDefaultInstance()))
              .setSchemaDescriptor(new JobServiceMethodDescriptorSupplier("ReadOutput"))
              .build();
        }
      }
    }
    return getReadOutputMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.CancelRequest,
      io.slotd.v1.CancelResponse> getCancelMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Cancel",
      requestType = io.slotd.v1.CancelRequest.class,
      responseType = io.slotd.v1.CancelResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.slotd.v1.CancelRequest,
      io.slotd.v1.CancelResponse> getCancelMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.CancelRequest, io.slotd.v1.CancelResponse> getCancelMethod;
    if ((getCancelMethod = JobServiceGrpc.getCancelMethod) == null) {
      synchronized (JobServiceGrpc.class) {
        if ((getCancelMethod = JobServiceGrpc.getCancelMethod) == null) {
          JobServiceGrpc.getCancelMethod = getCancelMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.CancelRequest, io.slotd.v1.CancelResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Cancel"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.CancelRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.CancelResponse.getDefaultInstance()))
              .setSchemaDescriptor(new JobServiceMethodDescriptorSupplier("Cancel"))
              .build();
        }
      }
    }
    return getCancelMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.RetryRequest,
      io.slotd.v1.RetryResponse> getRetryMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Retry",
      requestType = io.slotd.v1.RetryRequest.class,
      responseType = io.slotd.v1.RetryResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.slotd.v1.RetryRequest,
      io.slotd.v1.RetryResponse> getRetryMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.RetryRequest, io.slotd.v1.RetryResponse> getRetryMethod;
    if ((getRetryMethod = JobServiceGrpc.getRetryMethod) == null) {
      synchronized (JobServiceGrpc.class) {
        if ((getRetryMethod = JobServiceGrpc.getRetryMethod) == null) {
          JobServiceGrpc.getRetryMethod = getRetryMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.RetryRequest, io.slotd.v1.RetryResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Retry"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.RetryRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.RetryResponse.getDefaultInstance()))
              .setSchemaDescriptor(new JobServiceMethodDescriptorSupplier("Retry"))
              .build();
        }
      }
    }
    return getRetryMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.DeleteRequest,
      io.slotd.v1.DeleteResponse> getDeleteMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Delete",
      requestType = io.slotd.v1.DeleteRequest.class,
      responseType = io.slotd.v1.DeleteResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.slotd.v1.DeleteRequest,
      io.slotd.v1.DeleteResponse> getDeleteMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.DeleteRequest, io.slotd.v1.DeleteResponse> getDeleteMethod;
    if ((getDeleteMethod = JobServiceGrpc.getDeleteMethod) == null) {
      synchronized (JobServiceGrpc.class) {
        if ((getDeleteMethod = JobServiceGrpc.getDeleteMethod) == null) {
          JobServiceGrpc.getDeleteMethod = getDeleteMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.DeleteRequest, io.slotd.v1.DeleteResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Delete"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.DeleteRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.DeleteResponse.getDefaultInstance()))
              .setSchemaDescriptor(new JobServiceMethodDescriptorSupplier("Delete"))
              .build();
        }
      }
    }
    return getDeleteMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.PurgeRequest,
      io.slotd.v1.PurgeResponse> getPurgeMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Purge",
      requestType = io.slotd.v1.PurgeRequest.class,
      responseType = io.slotd.v1.PurgeResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.slotd.v1.PurgeRequest,
      io.slotd.v1.PurgeResponse> getPurgeMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.PurgeRequest, io.slotd.v1.PurgeResponse> getPurgeMethod;
    if ((getPurgeMethod = JobServiceGrpc.getPurgeMethod) == null) {
      synchronized (JobServiceGrpc.class) {
        if ((getPurgeMethod = JobServiceGrpc.getPurgeMethod) == null) {
          JobServiceGrpc.getPurgeMethod = getPurgeMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.PurgeRequest, io.slotd.v1.PurgeResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Purge"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.PurgeRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.PurgeResponse.getDefaultInstance()))
              .setSchemaDescriptor(new JobServiceMethodDescriptorSupplier("Purge"))
              .build();
        }
      }
    }
    return getPurgeMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.UpdateRequest,
      io.slotd.v1.UpdateResponse> getUpdateMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Update",
      requestType = io.slotd.v1.UpdateRequest.class,
      responseType = io.slotd.v1.UpdateResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.slotd.v1.UpdateRequest,
      io.slotd.v1.UpdateResponse> getUpdateMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.UpdateRequest, io.slotd.v1.UpdateResponse> getUpdateMethod;
    if ((getUpdateMethod = JobServiceGrpc.getUpdateMethod) == null) {
      synchronized (JobServiceGrpc.class) {
        if ((getUpdateMethod = JobServiceGrpc.getUpdateMethod) == null) {
          JobServiceGrpc.getUpdateMethod = getUpdateMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.UpdateRequest, io.slotd.v1.UpdateResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Update"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.UpdateRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.UpdateResponse.getDefaultInstance()))
              .setSchemaDescriptor(new JobServiceMethodDescriptorSupplier("Update"))
              .build();
        }
      }
    }
    return getUpdateMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.BulkCancelRequest,
      io.slotd.v1.BulkCancelResponse> getBulkCancelMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "BulkCancel",
      requestType = io.slotd.v1.BulkCancelRequest.class,
      responseType = io.slotd.v1.BulkCancelResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.slotd.v1.BulkCancelRequest,
      io.slotd.v1.BulkCancelResponse> getBulkCancelMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.BulkCancelRequest, io.slotd.v1.BulkCancelResponse> getBulkCancelMethod;
    if ((getBulkCancelMethod = JobServiceGrpc.getBulkCancelMethod) == null) {
      synchronized (JobServiceGrpc.class) {
        if ((getBulkCancelMethod = JobServiceGrpc.getBulkCancelMethod) == null) {
          JobServiceGrpc.getBulkCancelMethod = getBulkCancelMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.BulkCancelRequest, io.slotd.v1.BulkCancelResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "BulkCancel"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.BulkCancelRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.BulkCancelResponse.getDefaultInstance()))
              .setSchemaDescriptor(new JobServiceMethodDescriptorSupplier("BulkCancel"))
              .build();
        }
      }
    }
    return getBulkCancelMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.BulkRetryRequest,
      io.slotd.v1.BulkRetryResponse> getBulkRetryMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "BulkRetry",
      requestType = io.slotd.v1.BulkRetryRequest.class,
      responseType = io.slotd.v1.BulkRetryResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.slotd.v1.BulkRetryRequest,
      io.slotd.v1.BulkRetryResponse> getBulkRetryMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.BulkRetryRequest, io.slotd.v1.BulkRetryResponse> getBulkRetryMethod;
    if ((getBulkRetryMethod = JobServiceGrpc.getBulkRetryMethod) == null) {
      synchronized (JobServiceGrpc.class) {
        if ((getBulkRetryMethod = JobServiceGrpc.getBulkRetryMethod) == null) {
          JobServiceGrpc.getBulkRetryMethod = getBulkRetryMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.BulkRetryRequest, io.slotd.v1.BulkRetryResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "BulkRetry"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.BulkRetryRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.BulkRetryResponse.getDefaultInstance()))
              .setSchemaDescriptor(new JobServiceMethodDescriptorSupplier("BulkRetry"))
              .build();
        }
      }
    }
    return getBulkRetryMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.BulkDeleteRequest,
      io.slotd.v1.BulkDeleteResponse> getBulkDeleteMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "BulkDelete",
      requestType = io.slotd.v1.BulkDeleteRequest.class,
      responseType = io.slotd.v1.BulkDeleteResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.slotd.v1.BulkDeleteRequest,
      io.slotd.v1.BulkDeleteResponse> getBulkDeleteMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.BulkDeleteRequest, io.slotd.v1.BulkDeleteResponse> getBulkDeleteMethod;
    if ((getBulkDeleteMethod = JobServiceGrpc.getBulkDeleteMethod) == null) {
      synchronized (JobServiceGrpc.class) {
        if ((getBulkDeleteMethod = JobServiceGrpc.getBulkDeleteMethod) == null) {
          JobServiceGrpc.getBulkDeleteMethod = getBulkDeleteMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.BulkDeleteRequest, io.slotd.v1.BulkDeleteResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "BulkDelete"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.BulkDeleteRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.BulkDeleteResponse.getDefaultInstance()))
              .setSchemaDescriptor(new JobServiceMethodDescriptorSupplier("BulkDelete"))
              .build();
        }
      }
    }
    return getBulkDeleteMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.GetGroupRequest,
      io.slotd.v1.GetGroupResponse> getGetGroupMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetGroup",
      requestType = io.slotd.v1.GetGroupRequest.class,
      responseType = io.slotd.v1.GetGroupResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.slotd.v1.GetGroupRequest,
      io.slotd.v1.GetGroupResponse> getGetGroupMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.GetGroupRequest, io.slotd.v1.GetGroupResponse> getGetGroupMethod;
    if ((getGetGroupMethod = JobServiceGrpc.getGetGroupMethod) == null) {
      synchronized (JobServiceGrpc.class) {
        if ((getGetGroupMethod = JobServiceGrpc.getGetGroupMethod) == null) {
          JobServiceGrpc.getGetGroupMethod = getGetGroupMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.GetGroupRequest, io.slotd.v1.GetGroupResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetGroup"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.GetGroupRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.GetGroupResponse.getDefaultInstance()))
              .setSchemaDescriptor(new JobServiceMethodDescriptorSupplier("GetGroup"))
              .build();
        }
      }
    }
    return getGetGroupMethod;
  }

  private static volatile io.grpc.MethodDescriptor<io.slotd.v1.CancelGroupRequest,
      io.slotd.v1.CancelGroupResponse> getCancelGroupMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "CancelGroup",
      requestType = io.slotd.v1.CancelGroupRequest.class,
      responseType = io.slotd.v1.CancelGroupResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<io.slotd.v1.CancelGroupRequest,
      io.slotd.v1.CancelGroupResponse> getCancelGroupMethod() {
    io.grpc.MethodDescriptor<io.slotd.v1.CancelGroupRequest, io.slotd.v1.CancelGroupResponse> getCancelGroupMethod;
    if ((getCancelGroupMethod = JobServiceGrpc.getCancelGroupMethod) == null) {
      synchronized (JobServiceGrpc.class) {
        if ((getCancelGroupMethod = JobServiceGrpc.getCancelGroupMethod) == null) {
          JobServiceGrpc.getCancelGroupMethod = getCancelGroupMethod =
              io.grpc.MethodDescriptor.<io.slotd.v1.CancelGroupRequest, io.slotd.v1.CancelGroupResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "CancelGroup"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.CancelGroupRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  io.slotd.v1.CancelGroupResponse.getDefaultInstance()))
              .setSchemaDescriptor(new JobServiceMethodDescriptorSupplier("CancelGroup"))
              .build();
        }
      }
    }
    return getCancelGroupMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static JobServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<JobServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<JobServiceStub>() {
        @java.lang.Override
        public JobServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new JobServiceStub(channel, callOptions);
        }
      };
    return JobServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static JobServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<JobServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<JobServiceBlockingStub>() {
        @java.lang.Override
        public JobServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new JobServiceBlockingStub(channel, callOptions);
        }
      };
    return JobServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static JobServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<JobServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<JobServiceFutureStub>() {
        @java.lang.Override
        public JobServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new JobServiceFutureStub(channel, callOptions);
        }
      };
    return JobServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * Takes jobs, tells how they are, and streams what happens to them.
   * Every error carries a google.rpc.ErrorInfo with domain "slotd" and an UPPER_SNAKE reason. Common to all methods:
   * INVALID_ARGUMENT with BadRequest for a malformed field, and UNAVAILABLE with RetryInfo while the store is away; to
   * those that change something: UNAVAILABLE with RetryInfo while the service drains, and RESOURCE_EXHAUSTED with
   * RetryInfo while the disk is full.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * Takes a job. The answer means that it is durable: it survives a power cut from here on.
     * Errors: INVALID_ARGUMENT for an unknown kind too; ALREADY_EXISTS when the request_id came before with other content;
     * NOT_FOUND when it came before and that job has been deleted; RESOURCE_EXHAUSTED when the queue is full or the payload
     * too large; INVALID_ARGUMENT, reason DEPENDENCY_CYCLE, for jobs that would wait for each other; ALREADY_EXISTS, reason
     * UNIQUE_KEY_TAKEN, where the unique_key is refused.
     * </pre>
     */
    default void submit(io.slotd.v1.SubmitRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.SubmitResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getSubmitMethod(), responseObserver);
    }

    /**
     * <pre>
     * Takes up to 1,000 jobs of 16 MiB together, in order, all or none. Errors as of Submit, naming the field as
     * `requests[3].spec.kind`.
     * </pre>
     */
    default void submitBatch(io.slotd.v1.SubmitBatchRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.SubmitBatchResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getSubmitBatchMethod(), responseObserver);
    }

    /**
     * <pre>
     * Tells how a job is. Errors: NOT_FOUND.
     * </pre>
     */
    default void get(io.slotd.v1.GetRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.GetResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists the jobs that match, newest first. A page may be shorter than asked for; the last one has no next_page_token.
     * List, then Stream from its cursor, misses nothing.
     * </pre>
     */
    default void list(io.slotd.v1.ListRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.ListResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListMethod(), responseObserver);
    }

    /**
     * <pre>
     * Answers when the job is terminal, or with its present state at the timeout. Errors: NOT_FOUND, also when it is
     * deleted meanwhile.
     * </pre>
     */
    default void wait(io.slotd.v1.WaitRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.WaitResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getWaitMethod(), responseObserver);
    }

    /**
     * <pre>
     * Streams the matching jobs as they are, then what happens to them, in revision order, with no gap and no duplicate.
     * A stream on job_ids closes with OK after the last of them is terminal or deleted; others go on.
     * Errors: NOT_FOUND for an unknown job id without a cursor; OUT_OF_RANGE, reason CURSOR_EXPIRED, for a cursor older
     * than what is kept, reason CURSOR_AHEAD for one of what a store restored from a backup has lost; INVALID_ARGUMENT,
     * reason CURSOR_FOREIGN, for one of another store; RESOURCE_EXHAUSTED for too many streams; UNAVAILABLE when the
     * service stops: go on elsewhere from the last cursor.
     * </pre>
     */
    default void stream(io.slotd.v1.StreamRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.StreamResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getStreamMethod(), responseObserver);
    }

    /**
     * <pre>
     * Reads what the job wrote, from a byte offset; with `follow` goes on until it is terminal. Errors: NOT_FOUND;
     * OUT_OF_RANGE, reason OFFSET_OUT_OF_RANGE, for an offset beyond what a terminal job wrote.
     * </pre>
     */
    default void readOutput(io.slotd.v1.ReadOutputRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.ReadOutputResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getReadOutputMethod(), responseObserver);
    }

    /**
     * <pre>
     * Cancels a waiting job at once. A running one gets cancel_requested and becomes CANCELLED when it stops, at the
     * latest after the cancel grace. Once more on a job that is being cancelled, or is CANCELLED: its present state.
     * Errors: NOT_FOUND; FAILED_PRECONDITION when it SUCCEEDED or FAILED.
     * </pre>
     */
    default void cancel(io.slotd.v1.CancelRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.CancelResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCancelMethod(), responseObserver);
    }

    /**
     * <pre>
     * Puts a FAILED or CANCELLED job back, with fresh attempts. Errors: NOT_FOUND; FAILED_PRECONDITION in other states, and
     * where what it depends on has failed or would wait for it in turn; ALREADY_EXISTS when its unique_key is another's by
     * now; RESOURCE_EXHAUSTED when its queue is full.
     * </pre>
     */
    default void retry(io.slotd.v1.RetryRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.RetryResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getRetryMethod(), responseObserver);
    }

    /**
     * <pre>
     * Deletes a terminal job; who watches it gets DELETED. Errors: NOT_FOUND; FAILED_PRECONDITION when it is not terminal
     * and `force` is not set; while its function has not returned and holds resources or a slot of its key; and, reason
     * AWAITED, while a job that has not ended depends on it.
     * </pre>
     */
    default void delete(io.slotd.v1.DeleteRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.DeleteResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDeleteMethod(), responseObserver);
    }

    /**
     * <pre>
     * Deletes all terminal jobs that match, in steps of bounded size; those that others depend on stay.
     * </pre>
     */
    default void purge(io.slotd.v1.PurgeRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.PurgeResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getPurgeMethod(), responseObserver);
    }

    /**
     * <pre>
     * Changes a waiting job: `priority`, `schedule_time`, `labels` and `queue` of its spec. Errors: NOT_FOUND; ABORTED,
     * reason REVISION_MISMATCH, when it is no longer at that revision; FAILED_PRECONDITION when it does not wait;
     * RESOURCE_EXHAUSTED when the other queue is full.
     * </pre>
     */
    default void update(io.slotd.v1.UpdateRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.UpdateResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getUpdateMethod(), responseObserver);
    }

    /**
     * <pre>
     * Cancels all jobs that match and have not ended, in steps of bounded size, as Cancel does.
     * </pre>
     */
    default void bulkCancel(io.slotd.v1.BulkCancelRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.BulkCancelResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getBulkCancelMethod(), responseObserver);
    }

    /**
     * <pre>
     * Retries all FAILED and CANCELLED jobs that match, in steps of bounded size, as Retry does; those that may not be
     * retried stay.
     * </pre>
     */
    default void bulkRetry(io.slotd.v1.BulkRetryRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.BulkRetryResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getBulkRetryMethod(), responseObserver);
    }

    /**
     * <pre>
     * Deletes all jobs that match, in steps of bounded size, as Delete does: those that have ended or, with `force`, all.
     * Those that others depend on stay.
     * </pre>
     */
    default void bulkDelete(io.slotd.v1.BulkDeleteRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.BulkDeleteResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getBulkDeleteMethod(), responseObserver);
    }

    /**
     * <pre>
     * Tells how a group is. Errors: NOT_FOUND for one that has no jobs.
     * </pre>
     */
    default void getGroup(io.slotd.v1.GetGroupRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.GetGroupResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetGroupMethod(), responseObserver);
    }

    /**
     * <pre>
     * Cancels all jobs of a group that have not ended, as BulkCancel does. Errors: NOT_FOUND for one that has no jobs.
     * </pre>
     */
    default void cancelGroup(io.slotd.v1.CancelGroupRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.CancelGroupResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCancelGroupMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service JobService.
   * <pre>
   * Takes jobs, tells how they are, and streams what happens to them.
   * Every error carries a google.rpc.ErrorInfo with domain "slotd" and an UPPER_SNAKE reason. Common to all methods:
   * INVALID_ARGUMENT with BadRequest for a malformed field, and UNAVAILABLE with RetryInfo while the store is away; to
   * those that change something: UNAVAILABLE with RetryInfo while the service drains, and RESOURCE_EXHAUSTED with
   * RetryInfo while the disk is full.
   * </pre>
   */
  public static abstract class JobServiceImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return JobServiceGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service JobService.
   * <pre>
   * Takes jobs, tells how they are, and streams what happens to them.
   * Every error carries a google.rpc.ErrorInfo with domain "slotd" and an UPPER_SNAKE reason. Common to all methods:
   * INVALID_ARGUMENT with BadRequest for a malformed field, and UNAVAILABLE with RetryInfo while the store is away; to
   * those that change something: UNAVAILABLE with RetryInfo while the service drains, and RESOURCE_EXHAUSTED with
   * RetryInfo while the disk is full.
   * </pre>
   */
  public static final class JobServiceStub
      extends io.grpc.stub.AbstractAsyncStub<JobServiceStub> {
    private JobServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected JobServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new JobServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * Takes a job. The answer means that it is durable: it survives a power cut from here on.
     * Errors: INVALID_ARGUMENT for an unknown kind too; ALREADY_EXISTS when the request_id came before with other content;
     * NOT_FOUND when it came before and that job has been deleted; RESOURCE_EXHAUSTED when the queue is full or the payload
     * too large; INVALID_ARGUMENT, reason DEPENDENCY_CYCLE, for jobs that would wait for each other; ALREADY_EXISTS, reason
     * UNIQUE_KEY_TAKEN, where the unique_key is refused.
     * </pre>
     */
    public void submit(io.slotd.v1.SubmitRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.SubmitResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getSubmitMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Takes up to 1,000 jobs of 16 MiB together, in order, all or none. Errors as of Submit, naming the field as
     * `requests[3].spec.kind`.
     * </pre>
     */
    public void submitBatch(io.slotd.v1.SubmitBatchRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.SubmitBatchResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getSubmitBatchMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Tells how a job is. Errors: NOT_FOUND.
     * </pre>
     */
    public void get(io.slotd.v1.GetRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.GetResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists the jobs that match, newest first. A page may be shorter than asked for; the last one has no next_page_token.
     * List, then Stream from its cursor, misses nothing.
     * </pre>
     */
    public void list(io.slotd.v1.ListRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.ListResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Answers when the job is terminal, or with its present state at the timeout. Errors: NOT_FOUND, also when it is
     * deleted meanwhile.
     * </pre>
     */
    public void wait(io.slotd.v1.WaitRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.WaitResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getWaitMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Streams the matching jobs as they are, then what happens to them, in revision order, with no gap and no duplicate.
     * A stream on job_ids closes with OK after the last of them is terminal or deleted; others go on.
     * Errors: NOT_FOUND for an unknown job id without a cursor; OUT_OF_RANGE, reason CURSOR_EXPIRED, for a cursor older
     * than what is kept, reason CURSOR_AHEAD for one of what a store restored from a backup has lost; INVALID_ARGUMENT,
     * reason CURSOR_FOREIGN, for one of another store; RESOURCE_EXHAUSTED for too many streams; UNAVAILABLE when the
     * service stops: go on elsewhere from the last cursor.
     * </pre>
     */
    public void stream(io.slotd.v1.StreamRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.StreamResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncServerStreamingCall(
          getChannel().newCall(getStreamMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Reads what the job wrote, from a byte offset; with `follow` goes on until it is terminal. Errors: NOT_FOUND;
     * OUT_OF_RANGE, reason OFFSET_OUT_OF_RANGE, for an offset beyond what a terminal job wrote.
     * </pre>
     */
    public void readOutput(io.slotd.v1.ReadOutputRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.ReadOutputResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncServerStreamingCall(
          getChannel().newCall(getReadOutputMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Cancels a waiting job at once. A running one gets cancel_requested and becomes CANCELLED when it stops, at the
     * latest after the cancel grace. Once more on a job that is being cancelled, or is CANCELLED: its present state.
     * Errors: NOT_FOUND; FAILED_PRECONDITION when it SUCCEEDED or FAILED.
     * </pre>
     */
    public void cancel(io.slotd.v1.CancelRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.CancelResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCancelMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Puts a FAILED or CANCELLED job back, with fresh attempts. Errors: NOT_FOUND; FAILED_PRECONDITION in other states, and
     * where what it depends on has failed or would wait for it in turn; ALREADY_EXISTS when its unique_key is another's by
     * now; RESOURCE_EXHAUSTED when its queue is full.
     * </pre>
     */
    public void retry(io.slotd.v1.RetryRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.RetryResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getRetryMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Deletes a terminal job; who watches it gets DELETED. Errors: NOT_FOUND; FAILED_PRECONDITION when it is not terminal
     * and `force` is not set; while its function has not returned and holds resources or a slot of its key; and, reason
     * AWAITED, while a job that has not ended depends on it.
     * </pre>
     */
    public void delete(io.slotd.v1.DeleteRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.DeleteResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getDeleteMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Deletes all terminal jobs that match, in steps of bounded size; those that others depend on stay.
     * </pre>
     */
    public void purge(io.slotd.v1.PurgeRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.PurgeResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getPurgeMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Changes a waiting job: `priority`, `schedule_time`, `labels` and `queue` of its spec. Errors: NOT_FOUND; ABORTED,
     * reason REVISION_MISMATCH, when it is no longer at that revision; FAILED_PRECONDITION when it does not wait;
     * RESOURCE_EXHAUSTED when the other queue is full.
     * </pre>
     */
    public void update(io.slotd.v1.UpdateRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.UpdateResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getUpdateMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Cancels all jobs that match and have not ended, in steps of bounded size, as Cancel does.
     * </pre>
     */
    public void bulkCancel(io.slotd.v1.BulkCancelRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.BulkCancelResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getBulkCancelMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Retries all FAILED and CANCELLED jobs that match, in steps of bounded size, as Retry does; those that may not be
     * retried stay.
     * </pre>
     */
    public void bulkRetry(io.slotd.v1.BulkRetryRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.BulkRetryResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getBulkRetryMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Deletes all jobs that match, in steps of bounded size, as Delete does: those that have ended or, with `force`, all.
     * Those that others depend on stay.
     * </pre>
     */
    public void bulkDelete(io.slotd.v1.BulkDeleteRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.BulkDeleteResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getBulkDeleteMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Tells how a group is. Errors: NOT_FOUND for one that has no jobs.
     * </pre>
     */
    public void getGroup(io.slotd.v1.GetGroupRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.GetGroupResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetGroupMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Cancels all jobs of a group that have not ended, as BulkCancel does. Errors: NOT_FOUND for one that has no jobs.
     * </pre>
     */
    public void cancelGroup(io.slotd.v1.CancelGroupRequest request,
        io.grpc.stub.StreamObserver<io.slotd.v1.CancelGroupResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCancelGroupMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service JobService.
   * <pre>
   * Takes jobs, tells how they are, and streams what happens to them.
   * Every error carries a google.rpc.ErrorInfo with domain "slotd" and an UPPER_SNAKE reason. Common to all methods:
   * INVALID_ARGUMENT with BadRequest for a malformed field, and UNAVAILABLE with RetryInfo while the store is away; to
   * those that change something: UNAVAILABLE with RetryInfo while the service drains, and RESOURCE_EXHAUSTED with
   * RetryInfo while the disk is full.
   * </pre>
   */
  public static final class JobServiceBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<JobServiceBlockingStub> {
    private JobServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected JobServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new JobServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * Takes a job. The answer means that it is durable: it survives a power cut from here on.
     * Errors: INVALID_ARGUMENT for an unknown kind too; ALREADY_EXISTS when the request_id came before with other content;
     * NOT_FOUND when it came before and that job has been deleted; RESOURCE_EXHAUSTED when the queue is full or the payload
     * too large; INVALID_ARGUMENT, reason DEPENDENCY_CYCLE, for jobs that would wait for each other; ALREADY_EXISTS, reason
     * UNIQUE_KEY_TAKEN, where the unique_key is refused.
     * </pre>
     */
    public io.slotd.v1.SubmitResponse submit(io.slotd.v1.SubmitRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getSubmitMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Takes up to 1,000 jobs of 16 MiB together, in order, all or none. Errors as of Submit, naming the field as
     * `requests[3].spec.kind`.
     * </pre>
     */
    public io.slotd.v1.SubmitBatchResponse submitBatch(io.slotd.v1.SubmitBatchRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getSubmitBatchMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Tells how a job is. Errors: NOT_FOUND.
     * </pre>
     */
    public io.slotd.v1.GetResponse get(io.slotd.v1.GetRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists the jobs that match, newest first. A page may be shorter than asked for; the last one has no next_page_token.
     * List, then Stream from its cursor, misses nothing.
     * </pre>
     */
    public io.slotd.v1.ListResponse list(io.slotd.v1.ListRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Answers when the job is terminal, or with its present state at the timeout. Errors: NOT_FOUND, also when it is
     * deleted meanwhile.
     * </pre>
     */
    public io.slotd.v1.WaitResponse wait(io.slotd.v1.WaitRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getWaitMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Streams the matching jobs as they are, then what happens to them, in revision order, with no gap and no duplicate.
     * A stream on job_ids closes with OK after the last of them is terminal or deleted; others go on.
     * Errors: NOT_FOUND for an unknown job id without a cursor; OUT_OF_RANGE, reason CURSOR_EXPIRED, for a cursor older
     * than what is kept, reason CURSOR_AHEAD for one of what a store restored from a backup has lost; INVALID_ARGUMENT,
     * reason CURSOR_FOREIGN, for one of another store; RESOURCE_EXHAUSTED for too many streams; UNAVAILABLE when the
     * service stops: go on elsewhere from the last cursor.
     * </pre>
     */
    public java.util.Iterator<io.slotd.v1.StreamResponse> stream(
        io.slotd.v1.StreamRequest request) {
      return io.grpc.stub.ClientCalls.blockingServerStreamingCall(
          getChannel(), getStreamMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Reads what the job wrote, from a byte offset; with `follow` goes on until it is terminal. Errors: NOT_FOUND;
     * OUT_OF_RANGE, reason OFFSET_OUT_OF_RANGE, for an offset beyond what a terminal job wrote.
     * </pre>
     */
    public java.util.Iterator<io.slotd.v1.ReadOutputResponse> readOutput(
        io.slotd.v1.ReadOutputRequest request) {
      return io.grpc.stub.ClientCalls.blockingServerStreamingCall(
          getChannel(), getReadOutputMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Cancels a waiting job at once. A running one gets cancel_requested and becomes CANCELLED when it stops, at the
     * latest after the cancel grace. Once more on a job that is being cancelled, or is CANCELLED: its present state.
     * Errors: NOT_FOUND; FAILED_PRECONDITION when it SUCCEEDED or FAILED.
     * </pre>
     */
    public io.slotd.v1.CancelResponse cancel(io.slotd.v1.CancelRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCancelMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Puts a FAILED or CANCELLED job back, with fresh attempts. Errors: NOT_FOUND; FAILED_PRECONDITION in other states, and
     * where what it depends on has failed or would wait for it in turn; ALREADY_EXISTS when its unique_key is another's by
     * now; RESOURCE_EXHAUSTED when its queue is full.
     * </pre>
     */
    public io.slotd.v1.RetryResponse retry(io.slotd.v1.RetryRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getRetryMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Deletes a terminal job; who watches it gets DELETED. Errors: NOT_FOUND; FAILED_PRECONDITION when it is not terminal
     * and `force` is not set; while its function has not returned and holds resources or a slot of its key; and, reason
     * AWAITED, while a job that has not ended depends on it.
     * </pre>
     */
    public io.slotd.v1.DeleteResponse delete(io.slotd.v1.DeleteRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getDeleteMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Deletes all terminal jobs that match, in steps of bounded size; those that others depend on stay.
     * </pre>
     */
    public io.slotd.v1.PurgeResponse purge(io.slotd.v1.PurgeRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getPurgeMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Changes a waiting job: `priority`, `schedule_time`, `labels` and `queue` of its spec. Errors: NOT_FOUND; ABORTED,
     * reason REVISION_MISMATCH, when it is no longer at that revision; FAILED_PRECONDITION when it does not wait;
     * RESOURCE_EXHAUSTED when the other queue is full.
     * </pre>
     */
    public io.slotd.v1.UpdateResponse update(io.slotd.v1.UpdateRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getUpdateMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Cancels all jobs that match and have not ended, in steps of bounded size, as Cancel does.
     * </pre>
     */
    public io.slotd.v1.BulkCancelResponse bulkCancel(io.slotd.v1.BulkCancelRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getBulkCancelMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Retries all FAILED and CANCELLED jobs that match, in steps of bounded size, as Retry does; those that may not be
     * retried stay.
     * </pre>
     */
    public io.slotd.v1.BulkRetryResponse bulkRetry(io.slotd.v1.BulkRetryRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getBulkRetryMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Deletes all jobs that match, in steps of bounded size, as Delete does: those that have ended or, with `force`, all.
     * Those that others depend on stay.
     * </pre>
     */
    public io.slotd.v1.BulkDeleteResponse bulkDelete(io.slotd.v1.BulkDeleteRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getBulkDeleteMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Tells how a group is. Errors: NOT_FOUND for one that has no jobs.
     * </pre>
     */
    public io.slotd.v1.GetGroupResponse getGroup(io.slotd.v1.GetGroupRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetGroupMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Cancels all jobs of a group that have not ended, as BulkCancel does. Errors: NOT_FOUND for one that has no jobs.
     * </pre>
     */
    public io.slotd.v1.CancelGroupResponse cancelGroup(io.slotd.v1.CancelGroupRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCancelGroupMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service JobService.
   * <pre>
   * Takes jobs, tells how they are, and streams what happens to them.
   * Every error carries a google.rpc.ErrorInfo with domain "slotd" and an UPPER_SNAKE reason. Common to all methods:
   * INVALID_ARGUMENT with BadRequest for a malformed field, and UNAVAILABLE with RetryInfo while the store is away; to
   * those that change something: UNAVAILABLE with RetryInfo while the service drains, and RESOURCE_EXHAUSTED with
   * RetryInfo while the disk is full.
   * </pre>
   */
  public static final class JobServiceFutureStub
      extends io.grpc.stub.AbstractFutureStub<JobServiceFutureStub> {
    private JobServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected JobServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new JobServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * Takes a job. The answer means that it is durable: it survives a power cut from here on.
     * Errors: INVALID_ARGUMENT for an unknown kind too; ALREADY_EXISTS when the request_id came before with other content;
     * NOT_FOUND when it came before and that job has been deleted; RESOURCE_EXHAUSTED when the queue is full or the payload
     * too large; INVALID_ARGUMENT, reason DEPENDENCY_CYCLE, for jobs that would wait for each other; ALREADY_EXISTS, reason
     * UNIQUE_KEY_TAKEN, where the unique_key is refused.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.slotd.v1.SubmitResponse> submit(
        io.slotd.v1.SubmitRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getSubmitMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Takes up to 1,000 jobs of 16 MiB together, in order, all or none. Errors as of Submit, naming the field as
     * `requests[3].spec.kind`.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.slotd.v1.SubmitBatchResponse> submitBatch(
        io.slotd.v1.SubmitBatchRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getSubmitBatchMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Tells how a job is. Errors: NOT_FOUND.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.slotd.v1.GetResponse> get(
        io.slotd.v1.GetRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lists the jobs that match, newest first. A page may be shorter than asked for; the last one has no next_page_token.
     * List, then Stream from its cursor, misses nothing.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.slotd.v1.ListResponse> list(
        io.slotd.v1.ListRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Answers when the job is terminal, or with its present state at the timeout. Errors: NOT_FOUND, also when it is
     * deleted meanwhile.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.slotd.v1.WaitResponse> wait(
        io.slotd.v1.WaitRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getWaitMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Cancels a waiting job at once. A running one gets cancel_requested and becomes CANCELLED when it stops, at the
     * latest after the cancel grace. Once more on a job that is being cancelled, or is CANCELLED: its present state.
     * Errors: NOT_FOUND; FAILED_PRECONDITION when it SUCCEEDED or FAILED.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.slotd.v1.CancelResponse> cancel(
        io.slotd.v1.CancelRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCancelMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Puts a FAILED or CANCELLED job back, with fresh attempts. Errors: NOT_FOUND; FAILED_PRECONDITION in other states, and
     * where what it depends on has failed or would wait for it in turn; ALREADY_EXISTS when its unique_key is another's by
     * now; RESOURCE_EXHAUSTED when its queue is full.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.slotd.v1.RetryResponse> retry(
        io.slotd.v1.RetryRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getRetryMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Deletes a terminal job; who watches it gets DELETED. Errors: NOT_FOUND; FAILED_PRECONDITION when it is not terminal
     * and `force` is not set; while its function has not returned and holds resources or a slot of its key; and, reason
     * AWAITED, while a job that has not ended depends on it.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.slotd.v1.DeleteResponse> delete(
        io.slotd.v1.DeleteRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getDeleteMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Deletes all terminal jobs that match, in steps of bounded size; those that others depend on stay.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.slotd.v1.PurgeResponse> purge(
        io.slotd.v1.PurgeRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getPurgeMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Changes a waiting job: `priority`, `schedule_time`, `labels` and `queue` of its spec. Errors: NOT_FOUND; ABORTED,
     * reason REVISION_MISMATCH, when it is no longer at that revision; FAILED_PRECONDITION when it does not wait;
     * RESOURCE_EXHAUSTED when the other queue is full.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.slotd.v1.UpdateResponse> update(
        io.slotd.v1.UpdateRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getUpdateMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Cancels all jobs that match and have not ended, in steps of bounded size, as Cancel does.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.slotd.v1.BulkCancelResponse> bulkCancel(
        io.slotd.v1.BulkCancelRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getBulkCancelMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Retries all FAILED and CANCELLED jobs that match, in steps of bounded size, as Retry does; those that may not be
     * retried stay.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.slotd.v1.BulkRetryResponse> bulkRetry(
        io.slotd.v1.BulkRetryRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getBulkRetryMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Deletes all jobs that match, in steps of bounded size, as Delete does: those that have ended or, with `force`, all.
     * Those that others depend on stay.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.slotd.v1.BulkDeleteResponse> bulkDelete(
        io.slotd.v1.BulkDeleteRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getBulkDeleteMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Tells how a group is. Errors: NOT_FOUND for one that has no jobs.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.slotd.v1.GetGroupResponse> getGroup(
        io.slotd.v1.GetGroupRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetGroupMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Cancels all jobs of a group that have not ended, as BulkCancel does. Errors: NOT_FOUND for one that has no jobs.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<io.slotd.v1.CancelGroupResponse> cancelGroup(
        io.slotd.v1.CancelGroupRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCancelGroupMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_SUBMIT = 0;
  private static final int METHODID_SUBMIT_BATCH = 1;
  private static final int METHODID_GET = 2;
  private static final int METHODID_LIST = 3;
  private static final int METHODID_WAIT = 4;
  private static final int METHODID_STREAM = 5;
  private static final int METHODID_READ_OUTPUT = 6;
  private static final int METHODID_CANCEL = 7;
  private static final int METHODID_RETRY = 8;
  private static final int METHODID_DELETE = 9;
  private static final int METHODID_PURGE = 10;
  private static final int METHODID_UPDATE = 11;
  private static final int METHODID_BULK_CANCEL = 12;
  private static final int METHODID_BULK_RETRY = 13;
  private static final int METHODID_BULK_DELETE = 14;
  private static final int METHODID_GET_GROUP = 15;
  private static final int METHODID_CANCEL_GROUP = 16;

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
        case METHODID_SUBMIT:
          serviceImpl.submit((io.slotd.v1.SubmitRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.SubmitResponse>) responseObserver);
          break;
        case METHODID_SUBMIT_BATCH:
          serviceImpl.submitBatch((io.slotd.v1.SubmitBatchRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.SubmitBatchResponse>) responseObserver);
          break;
        case METHODID_GET:
          serviceImpl.get((io.slotd.v1.GetRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.GetResponse>) responseObserver);
          break;
        case METHODID_LIST:
          serviceImpl.list((io.slotd.v1.ListRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.ListResponse>) responseObserver);
          break;
        case METHODID_WAIT:
          serviceImpl.wait((io.slotd.v1.WaitRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.WaitResponse>) responseObserver);
          break;
        case METHODID_STREAM:
          serviceImpl.stream((io.slotd.v1.StreamRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.StreamResponse>) responseObserver);
          break;
        case METHODID_READ_OUTPUT:
          serviceImpl.readOutput((io.slotd.v1.ReadOutputRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.ReadOutputResponse>) responseObserver);
          break;
        case METHODID_CANCEL:
          serviceImpl.cancel((io.slotd.v1.CancelRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.CancelResponse>) responseObserver);
          break;
        case METHODID_RETRY:
          serviceImpl.retry((io.slotd.v1.RetryRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.RetryResponse>) responseObserver);
          break;
        case METHODID_DELETE:
          serviceImpl.delete((io.slotd.v1.DeleteRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.DeleteResponse>) responseObserver);
          break;
        case METHODID_PURGE:
          serviceImpl.purge((io.slotd.v1.PurgeRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.PurgeResponse>) responseObserver);
          break;
        case METHODID_UPDATE:
          serviceImpl.update((io.slotd.v1.UpdateRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.UpdateResponse>) responseObserver);
          break;
        case METHODID_BULK_CANCEL:
          serviceImpl.bulkCancel((io.slotd.v1.BulkCancelRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.BulkCancelResponse>) responseObserver);
          break;
        case METHODID_BULK_RETRY:
          serviceImpl.bulkRetry((io.slotd.v1.BulkRetryRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.BulkRetryResponse>) responseObserver);
          break;
        case METHODID_BULK_DELETE:
          serviceImpl.bulkDelete((io.slotd.v1.BulkDeleteRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.BulkDeleteResponse>) responseObserver);
          break;
        case METHODID_GET_GROUP:
          serviceImpl.getGroup((io.slotd.v1.GetGroupRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.GetGroupResponse>) responseObserver);
          break;
        case METHODID_CANCEL_GROUP:
          serviceImpl.cancelGroup((io.slotd.v1.CancelGroupRequest) request,
              (io.grpc.stub.StreamObserver<io.slotd.v1.CancelGroupResponse>) responseObserver);
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
          getSubmitMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.slotd.v1.SubmitRequest,
              io.slotd.v1.SubmitResponse>(
                service, METHODID_SUBMIT)))
        .addMethod(
          getSubmitBatchMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.slotd.v1.SubmitBatchRequest,
              io.slotd.v1.SubmitBatchResponse>(
                service, METHODID_SUBMIT_BATCH)))
        .addMethod(
          getGetMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.slotd.v1.GetRequest,
              io.slotd.v1.GetResponse>(
                service, METHODID_GET)))
        .addMethod(
          getListMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.slotd.v1.ListRequest,
              io.slotd.v1.ListResponse>(
                service, METHODID_LIST)))
        .addMethod(
          getWaitMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.slotd.v1.WaitRequest,
              io.slotd.v1.WaitResponse>(
                service, METHODID_WAIT)))
        .addMethod(
          getStreamMethod(),
          io.grpc.stub.ServerCalls.asyncServerStreamingCall(
            new MethodHandlers<
              io.slotd.v1.StreamRequest,
              io.slotd.v1.StreamResponse>(
                service, METHODID_STREAM)))
        .addMethod(
          getReadOutputMethod(),
          io.grpc.stub.ServerCalls.asyncServerStreamingCall(
            new MethodHandlers<
              io.slotd.v1.ReadOutputRequest,
              io.slotd.v1.ReadOutputResponse>(
                service, METHODID_READ_OUTPUT)))
        .addMethod(
          getCancelMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.slotd.v1.CancelRequest,
              io.slotd.v1.CancelResponse>(
                service, METHODID_CANCEL)))
        .addMethod(
          getRetryMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.slotd.v1.RetryRequest,
              io.slotd.v1.RetryResponse>(
                service, METHODID_RETRY)))
        .addMethod(
          getDeleteMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.slotd.v1.DeleteRequest,
              io.slotd.v1.DeleteResponse>(
                service, METHODID_DELETE)))
        .addMethod(
          getPurgeMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.slotd.v1.PurgeRequest,
              io.slotd.v1.PurgeResponse>(
                service, METHODID_PURGE)))
        .addMethod(
          getUpdateMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.slotd.v1.UpdateRequest,
              io.slotd.v1.UpdateResponse>(
                service, METHODID_UPDATE)))
        .addMethod(
          getBulkCancelMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.slotd.v1.BulkCancelRequest,
              io.slotd.v1.BulkCancelResponse>(
                service, METHODID_BULK_CANCEL)))
        .addMethod(
          getBulkRetryMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.slotd.v1.BulkRetryRequest,
              io.slotd.v1.BulkRetryResponse>(
                service, METHODID_BULK_RETRY)))
        .addMethod(
          getBulkDeleteMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.slotd.v1.BulkDeleteRequest,
              io.slotd.v1.BulkDeleteResponse>(
                service, METHODID_BULK_DELETE)))
        .addMethod(
          getGetGroupMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.slotd.v1.GetGroupRequest,
              io.slotd.v1.GetGroupResponse>(
                service, METHODID_GET_GROUP)))
        .addMethod(
          getCancelGroupMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              io.slotd.v1.CancelGroupRequest,
              io.slotd.v1.CancelGroupResponse>(
                service, METHODID_CANCEL_GROUP)))
        .build();
  }

  private static abstract class JobServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    JobServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return io.slotd.v1.JobServiceOuterClass.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("JobService");
    }
  }

  private static final class JobServiceFileDescriptorSupplier
      extends JobServiceBaseDescriptorSupplier {
    JobServiceFileDescriptorSupplier() {}
  }

  private static final class JobServiceMethodDescriptorSupplier
      extends JobServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    JobServiceMethodDescriptorSupplier(java.lang.String methodName) {
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
      synchronized (JobServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new JobServiceFileDescriptorSupplier())
              .addMethod(getSubmitMethod())
              .addMethod(getSubmitBatchMethod())
              .addMethod(getGetMethod())
              .addMethod(getListMethod())
              .addMethod(getWaitMethod())
              .addMethod(getStreamMethod())
              .addMethod(getReadOutputMethod())
              .addMethod(getCancelMethod())
              .addMethod(getRetryMethod())
              .addMethod(getDeleteMethod())
              .addMethod(getPurgeMethod())
              .addMethod(getUpdateMethod())
              .addMethod(getBulkCancelMethod())
              .addMethod(getBulkRetryMethod())
              .addMethod(getBulkDeleteMethod())
              .addMethod(getGetGroupMethod())
              .addMethod(getCancelGroupMethod())
              .build();
        }
      }
    }
    return result;
  }
}
