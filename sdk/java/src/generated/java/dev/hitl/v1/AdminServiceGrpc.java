package dev.hitl.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * Says who may call, makes and ends tokens, and tells what was done.
 * Tokens are the business of an admin of all namespaces; others fail with ERROR_REASON_PERMISSION_DENIED. So does everybody
 * on a server that asks for no credential: whoever reaches that must not gain a token that outlasts it.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class AdminServiceGrpc {

  private AdminServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "hitl.v1.AdminService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<dev.hitl.v1.CreateTokenRequest,
      dev.hitl.v1.CreateTokenResponse> getCreateTokenMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "CreateToken",
      requestType = dev.hitl.v1.CreateTokenRequest.class,
      responseType = dev.hitl.v1.CreateTokenResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.hitl.v1.CreateTokenRequest,
      dev.hitl.v1.CreateTokenResponse> getCreateTokenMethod() {
    io.grpc.MethodDescriptor<dev.hitl.v1.CreateTokenRequest, dev.hitl.v1.CreateTokenResponse> getCreateTokenMethod;
    if ((getCreateTokenMethod = AdminServiceGrpc.getCreateTokenMethod) == null) {
      synchronized (AdminServiceGrpc.class) {
        if ((getCreateTokenMethod = AdminServiceGrpc.getCreateTokenMethod) == null) {
          AdminServiceGrpc.getCreateTokenMethod = getCreateTokenMethod =
              io.grpc.MethodDescriptor.<dev.hitl.v1.CreateTokenRequest, dev.hitl.v1.CreateTokenResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "CreateToken"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.hitl.v1.CreateTokenRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.hitl.v1.CreateTokenResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AdminServiceMethodDescriptorSupplier("CreateToken"))
              .build();
        }
      }
    }
    return getCreateTokenMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.hitl.v1.ListTokensRequest,
      dev.hitl.v1.ListTokensResponse> getListTokensMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListTokens",
      requestType = dev.hitl.v1.ListTokensRequest.class,
      responseType = dev.hitl.v1.ListTokensResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.hitl.v1.ListTokensRequest,
      dev.hitl.v1.ListTokensResponse> getListTokensMethod() {
    io.grpc.MethodDescriptor<dev.hitl.v1.ListTokensRequest, dev.hitl.v1.ListTokensResponse> getListTokensMethod;
    if ((getListTokensMethod = AdminServiceGrpc.getListTokensMethod) == null) {
      synchronized (AdminServiceGrpc.class) {
        if ((getListTokensMethod = AdminServiceGrpc.getListTokensMethod) == null) {
          AdminServiceGrpc.getListTokensMethod = getListTokensMethod =
              io.grpc.MethodDescriptor.<dev.hitl.v1.ListTokensRequest, dev.hitl.v1.ListTokensResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListTokens"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.hitl.v1.ListTokensRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.hitl.v1.ListTokensResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AdminServiceMethodDescriptorSupplier("ListTokens"))
              .build();
        }
      }
    }
    return getListTokensMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.hitl.v1.RevokeTokenRequest,
      dev.hitl.v1.RevokeTokenResponse> getRevokeTokenMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "RevokeToken",
      requestType = dev.hitl.v1.RevokeTokenRequest.class,
      responseType = dev.hitl.v1.RevokeTokenResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.hitl.v1.RevokeTokenRequest,
      dev.hitl.v1.RevokeTokenResponse> getRevokeTokenMethod() {
    io.grpc.MethodDescriptor<dev.hitl.v1.RevokeTokenRequest, dev.hitl.v1.RevokeTokenResponse> getRevokeTokenMethod;
    if ((getRevokeTokenMethod = AdminServiceGrpc.getRevokeTokenMethod) == null) {
      synchronized (AdminServiceGrpc.class) {
        if ((getRevokeTokenMethod = AdminServiceGrpc.getRevokeTokenMethod) == null) {
          AdminServiceGrpc.getRevokeTokenMethod = getRevokeTokenMethod =
              io.grpc.MethodDescriptor.<dev.hitl.v1.RevokeTokenRequest, dev.hitl.v1.RevokeTokenResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "RevokeToken"))
              .setIdempotent(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.hitl.v1.RevokeTokenRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.hitl.v1.RevokeTokenResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AdminServiceMethodDescriptorSupplier("RevokeToken"))
              .build();
        }
      }
    }
    return getRevokeTokenMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.hitl.v1.RotateTokenRequest,
      dev.hitl.v1.RotateTokenResponse> getRotateTokenMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "RotateToken",
      requestType = dev.hitl.v1.RotateTokenRequest.class,
      responseType = dev.hitl.v1.RotateTokenResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.hitl.v1.RotateTokenRequest,
      dev.hitl.v1.RotateTokenResponse> getRotateTokenMethod() {
    io.grpc.MethodDescriptor<dev.hitl.v1.RotateTokenRequest, dev.hitl.v1.RotateTokenResponse> getRotateTokenMethod;
    if ((getRotateTokenMethod = AdminServiceGrpc.getRotateTokenMethod) == null) {
      synchronized (AdminServiceGrpc.class) {
        if ((getRotateTokenMethod = AdminServiceGrpc.getRotateTokenMethod) == null) {
          AdminServiceGrpc.getRotateTokenMethod = getRotateTokenMethod =
              io.grpc.MethodDescriptor.<dev.hitl.v1.RotateTokenRequest, dev.hitl.v1.RotateTokenResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "RotateToken"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.hitl.v1.RotateTokenRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.hitl.v1.RotateTokenResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AdminServiceMethodDescriptorSupplier("RotateToken"))
              .build();
        }
      }
    }
    return getRotateTokenMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.hitl.v1.ListAuditRequest,
      dev.hitl.v1.ListAuditResponse> getListAuditMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListAudit",
      requestType = dev.hitl.v1.ListAuditRequest.class,
      responseType = dev.hitl.v1.ListAuditResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.hitl.v1.ListAuditRequest,
      dev.hitl.v1.ListAuditResponse> getListAuditMethod() {
    io.grpc.MethodDescriptor<dev.hitl.v1.ListAuditRequest, dev.hitl.v1.ListAuditResponse> getListAuditMethod;
    if ((getListAuditMethod = AdminServiceGrpc.getListAuditMethod) == null) {
      synchronized (AdminServiceGrpc.class) {
        if ((getListAuditMethod = AdminServiceGrpc.getListAuditMethod) == null) {
          AdminServiceGrpc.getListAuditMethod = getListAuditMethod =
              io.grpc.MethodDescriptor.<dev.hitl.v1.ListAuditRequest, dev.hitl.v1.ListAuditResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListAudit"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.hitl.v1.ListAuditRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.hitl.v1.ListAuditResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AdminServiceMethodDescriptorSupplier("ListAudit"))
              .build();
        }
      }
    }
    return getListAuditMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.hitl.v1.FollowAuditRequest,
      dev.hitl.v1.FollowAuditResponse> getFollowAuditMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "FollowAudit",
      requestType = dev.hitl.v1.FollowAuditRequest.class,
      responseType = dev.hitl.v1.FollowAuditResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
  public static io.grpc.MethodDescriptor<dev.hitl.v1.FollowAuditRequest,
      dev.hitl.v1.FollowAuditResponse> getFollowAuditMethod() {
    io.grpc.MethodDescriptor<dev.hitl.v1.FollowAuditRequest, dev.hitl.v1.FollowAuditResponse> getFollowAuditMethod;
    if ((getFollowAuditMethod = AdminServiceGrpc.getFollowAuditMethod) == null) {
      synchronized (AdminServiceGrpc.class) {
        if ((getFollowAuditMethod = AdminServiceGrpc.getFollowAuditMethod) == null) {
          AdminServiceGrpc.getFollowAuditMethod = getFollowAuditMethod =
              io.grpc.MethodDescriptor.<dev.hitl.v1.FollowAuditRequest, dev.hitl.v1.FollowAuditResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "FollowAudit"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.hitl.v1.FollowAuditRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.hitl.v1.FollowAuditResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AdminServiceMethodDescriptorSupplier("FollowAudit"))
              .build();
        }
      }
    }
    return getFollowAuditMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.hitl.v1.CreateChannelRequest,
      dev.hitl.v1.CreateChannelResponse> getCreateChannelMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "CreateChannel",
      requestType = dev.hitl.v1.CreateChannelRequest.class,
      responseType = dev.hitl.v1.CreateChannelResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.hitl.v1.CreateChannelRequest,
      dev.hitl.v1.CreateChannelResponse> getCreateChannelMethod() {
    io.grpc.MethodDescriptor<dev.hitl.v1.CreateChannelRequest, dev.hitl.v1.CreateChannelResponse> getCreateChannelMethod;
    if ((getCreateChannelMethod = AdminServiceGrpc.getCreateChannelMethod) == null) {
      synchronized (AdminServiceGrpc.class) {
        if ((getCreateChannelMethod = AdminServiceGrpc.getCreateChannelMethod) == null) {
          AdminServiceGrpc.getCreateChannelMethod = getCreateChannelMethod =
              io.grpc.MethodDescriptor.<dev.hitl.v1.CreateChannelRequest, dev.hitl.v1.CreateChannelResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "CreateChannel"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.hitl.v1.CreateChannelRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.hitl.v1.CreateChannelResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AdminServiceMethodDescriptorSupplier("CreateChannel"))
              .build();
        }
      }
    }
    return getCreateChannelMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.hitl.v1.ListChannelsRequest,
      dev.hitl.v1.ListChannelsResponse> getListChannelsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListChannels",
      requestType = dev.hitl.v1.ListChannelsRequest.class,
      responseType = dev.hitl.v1.ListChannelsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.hitl.v1.ListChannelsRequest,
      dev.hitl.v1.ListChannelsResponse> getListChannelsMethod() {
    io.grpc.MethodDescriptor<dev.hitl.v1.ListChannelsRequest, dev.hitl.v1.ListChannelsResponse> getListChannelsMethod;
    if ((getListChannelsMethod = AdminServiceGrpc.getListChannelsMethod) == null) {
      synchronized (AdminServiceGrpc.class) {
        if ((getListChannelsMethod = AdminServiceGrpc.getListChannelsMethod) == null) {
          AdminServiceGrpc.getListChannelsMethod = getListChannelsMethod =
              io.grpc.MethodDescriptor.<dev.hitl.v1.ListChannelsRequest, dev.hitl.v1.ListChannelsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListChannels"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.hitl.v1.ListChannelsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.hitl.v1.ListChannelsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AdminServiceMethodDescriptorSupplier("ListChannels"))
              .build();
        }
      }
    }
    return getListChannelsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.hitl.v1.UpdateChannelRequest,
      dev.hitl.v1.UpdateChannelResponse> getUpdateChannelMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "UpdateChannel",
      requestType = dev.hitl.v1.UpdateChannelRequest.class,
      responseType = dev.hitl.v1.UpdateChannelResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.hitl.v1.UpdateChannelRequest,
      dev.hitl.v1.UpdateChannelResponse> getUpdateChannelMethod() {
    io.grpc.MethodDescriptor<dev.hitl.v1.UpdateChannelRequest, dev.hitl.v1.UpdateChannelResponse> getUpdateChannelMethod;
    if ((getUpdateChannelMethod = AdminServiceGrpc.getUpdateChannelMethod) == null) {
      synchronized (AdminServiceGrpc.class) {
        if ((getUpdateChannelMethod = AdminServiceGrpc.getUpdateChannelMethod) == null) {
          AdminServiceGrpc.getUpdateChannelMethod = getUpdateChannelMethod =
              io.grpc.MethodDescriptor.<dev.hitl.v1.UpdateChannelRequest, dev.hitl.v1.UpdateChannelResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "UpdateChannel"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.hitl.v1.UpdateChannelRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.hitl.v1.UpdateChannelResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AdminServiceMethodDescriptorSupplier("UpdateChannel"))
              .build();
        }
      }
    }
    return getUpdateChannelMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.hitl.v1.RotateChannelSecretRequest,
      dev.hitl.v1.RotateChannelSecretResponse> getRotateChannelSecretMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "RotateChannelSecret",
      requestType = dev.hitl.v1.RotateChannelSecretRequest.class,
      responseType = dev.hitl.v1.RotateChannelSecretResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.hitl.v1.RotateChannelSecretRequest,
      dev.hitl.v1.RotateChannelSecretResponse> getRotateChannelSecretMethod() {
    io.grpc.MethodDescriptor<dev.hitl.v1.RotateChannelSecretRequest, dev.hitl.v1.RotateChannelSecretResponse> getRotateChannelSecretMethod;
    if ((getRotateChannelSecretMethod = AdminServiceGrpc.getRotateChannelSecretMethod) == null) {
      synchronized (AdminServiceGrpc.class) {
        if ((getRotateChannelSecretMethod = AdminServiceGrpc.getRotateChannelSecretMethod) == null) {
          AdminServiceGrpc.getRotateChannelSecretMethod = getRotateChannelSecretMethod =
              io.grpc.MethodDescriptor.<dev.hitl.v1.RotateChannelSecretRequest, dev.hitl.v1.RotateChannelSecretResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "RotateChannelSecret"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.hitl.v1.RotateChannelSecretRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.hitl.v1.RotateChannelSecretResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AdminServiceMethodDescriptorSupplier("RotateChannelSecret"))
              .build();
        }
      }
    }
    return getRotateChannelSecretMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.hitl.v1.DeleteChannelRequest,
      dev.hitl.v1.DeleteChannelResponse> getDeleteChannelMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "DeleteChannel",
      requestType = dev.hitl.v1.DeleteChannelRequest.class,
      responseType = dev.hitl.v1.DeleteChannelResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.hitl.v1.DeleteChannelRequest,
      dev.hitl.v1.DeleteChannelResponse> getDeleteChannelMethod() {
    io.grpc.MethodDescriptor<dev.hitl.v1.DeleteChannelRequest, dev.hitl.v1.DeleteChannelResponse> getDeleteChannelMethod;
    if ((getDeleteChannelMethod = AdminServiceGrpc.getDeleteChannelMethod) == null) {
      synchronized (AdminServiceGrpc.class) {
        if ((getDeleteChannelMethod = AdminServiceGrpc.getDeleteChannelMethod) == null) {
          AdminServiceGrpc.getDeleteChannelMethod = getDeleteChannelMethod =
              io.grpc.MethodDescriptor.<dev.hitl.v1.DeleteChannelRequest, dev.hitl.v1.DeleteChannelResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "DeleteChannel"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.hitl.v1.DeleteChannelRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.hitl.v1.DeleteChannelResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AdminServiceMethodDescriptorSupplier("DeleteChannel"))
              .build();
        }
      }
    }
    return getDeleteChannelMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.hitl.v1.TestChannelRequest,
      dev.hitl.v1.TestChannelResponse> getTestChannelMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "TestChannel",
      requestType = dev.hitl.v1.TestChannelRequest.class,
      responseType = dev.hitl.v1.TestChannelResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.hitl.v1.TestChannelRequest,
      dev.hitl.v1.TestChannelResponse> getTestChannelMethod() {
    io.grpc.MethodDescriptor<dev.hitl.v1.TestChannelRequest, dev.hitl.v1.TestChannelResponse> getTestChannelMethod;
    if ((getTestChannelMethod = AdminServiceGrpc.getTestChannelMethod) == null) {
      synchronized (AdminServiceGrpc.class) {
        if ((getTestChannelMethod = AdminServiceGrpc.getTestChannelMethod) == null) {
          AdminServiceGrpc.getTestChannelMethod = getTestChannelMethod =
              io.grpc.MethodDescriptor.<dev.hitl.v1.TestChannelRequest, dev.hitl.v1.TestChannelResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "TestChannel"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.hitl.v1.TestChannelRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.hitl.v1.TestChannelResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AdminServiceMethodDescriptorSupplier("TestChannel"))
              .build();
        }
      }
    }
    return getTestChannelMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.hitl.v1.ListDeliveriesRequest,
      dev.hitl.v1.ListDeliveriesResponse> getListDeliveriesMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListDeliveries",
      requestType = dev.hitl.v1.ListDeliveriesRequest.class,
      responseType = dev.hitl.v1.ListDeliveriesResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.hitl.v1.ListDeliveriesRequest,
      dev.hitl.v1.ListDeliveriesResponse> getListDeliveriesMethod() {
    io.grpc.MethodDescriptor<dev.hitl.v1.ListDeliveriesRequest, dev.hitl.v1.ListDeliveriesResponse> getListDeliveriesMethod;
    if ((getListDeliveriesMethod = AdminServiceGrpc.getListDeliveriesMethod) == null) {
      synchronized (AdminServiceGrpc.class) {
        if ((getListDeliveriesMethod = AdminServiceGrpc.getListDeliveriesMethod) == null) {
          AdminServiceGrpc.getListDeliveriesMethod = getListDeliveriesMethod =
              io.grpc.MethodDescriptor.<dev.hitl.v1.ListDeliveriesRequest, dev.hitl.v1.ListDeliveriesResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListDeliveries"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.hitl.v1.ListDeliveriesRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.hitl.v1.ListDeliveriesResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AdminServiceMethodDescriptorSupplier("ListDeliveries"))
              .build();
        }
      }
    }
    return getListDeliveriesMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.hitl.v1.RedeliverRequest,
      dev.hitl.v1.RedeliverResponse> getRedeliverMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Redeliver",
      requestType = dev.hitl.v1.RedeliverRequest.class,
      responseType = dev.hitl.v1.RedeliverResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.hitl.v1.RedeliverRequest,
      dev.hitl.v1.RedeliverResponse> getRedeliverMethod() {
    io.grpc.MethodDescriptor<dev.hitl.v1.RedeliverRequest, dev.hitl.v1.RedeliverResponse> getRedeliverMethod;
    if ((getRedeliverMethod = AdminServiceGrpc.getRedeliverMethod) == null) {
      synchronized (AdminServiceGrpc.class) {
        if ((getRedeliverMethod = AdminServiceGrpc.getRedeliverMethod) == null) {
          AdminServiceGrpc.getRedeliverMethod = getRedeliverMethod =
              io.grpc.MethodDescriptor.<dev.hitl.v1.RedeliverRequest, dev.hitl.v1.RedeliverResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Redeliver"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.hitl.v1.RedeliverRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.hitl.v1.RedeliverResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AdminServiceMethodDescriptorSupplier("Redeliver"))
              .build();
        }
      }
    }
    return getRedeliverMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.hitl.v1.WhoAmIRequest,
      dev.hitl.v1.WhoAmIResponse> getWhoAmIMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "WhoAmI",
      requestType = dev.hitl.v1.WhoAmIRequest.class,
      responseType = dev.hitl.v1.WhoAmIResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.hitl.v1.WhoAmIRequest,
      dev.hitl.v1.WhoAmIResponse> getWhoAmIMethod() {
    io.grpc.MethodDescriptor<dev.hitl.v1.WhoAmIRequest, dev.hitl.v1.WhoAmIResponse> getWhoAmIMethod;
    if ((getWhoAmIMethod = AdminServiceGrpc.getWhoAmIMethod) == null) {
      synchronized (AdminServiceGrpc.class) {
        if ((getWhoAmIMethod = AdminServiceGrpc.getWhoAmIMethod) == null) {
          AdminServiceGrpc.getWhoAmIMethod = getWhoAmIMethod =
              io.grpc.MethodDescriptor.<dev.hitl.v1.WhoAmIRequest, dev.hitl.v1.WhoAmIResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "WhoAmI"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.hitl.v1.WhoAmIRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.hitl.v1.WhoAmIResponse.getDefaultInstance()))
              .setSchemaDescriptor(new AdminServiceMethodDescriptorSupplier("WhoAmI"))
              .build();
        }
      }
    }
    return getWhoAmIMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static AdminServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<AdminServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<AdminServiceStub>() {
        @java.lang.Override
        public AdminServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new AdminServiceStub(channel, callOptions);
        }
      };
    return AdminServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static AdminServiceBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<AdminServiceBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<AdminServiceBlockingV2Stub>() {
        @java.lang.Override
        public AdminServiceBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new AdminServiceBlockingV2Stub(channel, callOptions);
        }
      };
    return AdminServiceBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static AdminServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<AdminServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<AdminServiceBlockingStub>() {
        @java.lang.Override
        public AdminServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new AdminServiceBlockingStub(channel, callOptions);
        }
      };
    return AdminServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static AdminServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<AdminServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<AdminServiceFutureStub>() {
        @java.lang.Override
        public AdminServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new AdminServiceFutureStub(channel, callOptions);
        }
      };
    return AdminServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * Says who may call, makes and ends tokens, and tells what was done.
   * Tokens are the business of an admin of all namespaces; others fail with ERROR_REASON_PERMISSION_DENIED. So does everybody
   * on a server that asks for no credential: whoever reaches that must not gain a token that outlasts it.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * Creates a token. This reply is the only place where its text is.
     * </pre>
     */
    default void createToken(dev.hitl.v1.CreateTokenRequest request,
        io.grpc.stub.StreamObserver<dev.hitl.v1.CreateTokenResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCreateTokenMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists tokens in the order of their ids: those that are good, expired and revoked.
     * </pre>
     */
    default void listTokens(dev.hitl.v1.ListTokensRequest request,
        io.grpc.stub.StreamObserver<dev.hitl.v1.ListTokensResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListTokensMethod(), responseObserver);
    }

    /**
     * <pre>
     * Ends a token for good, within five seconds on every server of the store. One that is revoked is returned as it is.
     * Fails with ERROR_REASON_TOKEN_NOT_FOUND.
     * </pre>
     */
    default void revokeToken(dev.hitl.v1.RevokeTokenRequest request,
        io.grpc.stub.StreamObserver<dev.hitl.v1.RevokeTokenResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getRevokeTokenMethod(), responseObserver);
    }

    /**
     * <pre>
     * Creates a token in the stead of another, of the same principal and with the same rights. The other ends, at once or after a
     * time in which both are good.
     * Fails with ERROR_REASON_TOKEN_NOT_FOUND if there is no such token, or it is not good any more.
     * </pre>
     */
    default void rotateToken(dev.hitl.v1.RotateTokenRequest request,
        io.grpc.stub.StreamObserver<dev.hitl.v1.RotateTokenResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getRotateTokenMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists the audit, latest first: who signed in, who was refused, and what changed about who may do what. For auditors and admins.
     * A page may have fewer entries than asked for, or none, before the last one.
     * </pre>
     */
    default void listAudit(dev.hitl.v1.ListAuditRequest request,
        io.grpc.stub.StreamObserver<dev.hitl.v1.ListAuditResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListAuditMethod(), responseObserver);
    }

    /**
     * <pre>
     * Sends entries of the audit as they are written, on whichever server of the store, from this call on. For auditors and admins.
     * </pre>
     */
    default void followAudit(dev.hitl.v1.FollowAuditRequest request,
        io.grpc.stub.StreamObserver<dev.hitl.v1.FollowAuditResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getFollowAuditMethod(), responseObserver);
    }

    /**
     * <pre>
     * Creates a channel, by which people or programs are told of events from then on. Every server of the store tells by it
     * within five seconds.
     * Channels and deliveries are the business of an admin of all namespaces, as tokens are.
     * Fails with ERROR_REASON_CHANNEL_EXISTS.
     * </pre>
     */
    default void createChannel(dev.hitl.v1.CreateChannelRequest request,
        io.grpc.stub.StreamObserver<dev.hitl.v1.CreateChannelResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCreateChannelMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists the channels in the order of their names, without their secrets.
     * </pre>
     */
    default void listChannels(dev.hitl.v1.ListChannelsRequest request,
        io.grpc.stub.StreamObserver<dev.hitl.v1.ListChannelsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListChannelsMethod(), responseObserver);
    }

    /**
     * <pre>
     * Gives a channel other settings or other rules. Secrets that are left empty stay as they are.
     * Fails with ERROR_REASON_CHANNEL_NOT_FOUND, and with ERROR_REASON_CHANNEL_EXISTS if somebody else has changed it at the
     * same time.
     * </pre>
     */
    default void updateChannel(dev.hitl.v1.UpdateChannelRequest request,
        io.grpc.stub.StreamObserver<dev.hitl.v1.UpdateChannelResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getUpdateChannelMethod(), responseObserver);
    }

    /**
     * <pre>
     * Makes another secret for a webhook. For a time messages are signed with both, so that receivers can change over.
     * Fails with ERROR_REASON_CHANNEL_NOT_FOUND.
     * </pre>
     */
    default void rotateChannelSecret(dev.hitl.v1.RotateChannelSecretRequest request,
        io.grpc.stub.StreamObserver<dev.hitl.v1.RotateChannelSecretResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getRotateChannelSecretMethod(), responseObserver);
    }

    /**
     * <pre>
     * Removes a channel, its secrets, and what it was still to be told.
     * Fails with ERROR_REASON_CHANNEL_NOT_FOUND.
     * </pre>
     */
    default void deleteChannel(dev.hitl.v1.DeleteChannelRequest request,
        io.grpc.stub.StreamObserver<dev.hitl.v1.DeleteChannelResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDeleteChannelMethod(), responseObserver);
    }

    /**
     * <pre>
     * Sends one message by a channel, about an event that does not exist, and says what became of it.
     * Fails with ERROR_REASON_CHANNEL_NOT_FOUND.
     * </pre>
     */
    default void testChannel(dev.hitl.v1.TestChannelRequest request,
        io.grpc.stub.StreamObserver<dev.hitl.v1.TestChannelResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getTestChannelMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists deliveries: those that were given up, those that are owed, or all of one event.
     * </pre>
     */
    default void listDeliveries(dev.hitl.v1.ListDeliveriesRequest request,
        io.grpc.stub.StreamObserver<dev.hitl.v1.ListDeliveriesResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListDeliveriesMethod(), responseObserver);
    }

    /**
     * <pre>
     * Has a delivery made again that was given up.
     * Fails with ERROR_REASON_DELIVERY_NOT_FOUND if it was not given up.
     * </pre>
     */
    default void redeliver(dev.hitl.v1.RedeliverRequest request,
        io.grpc.stub.StreamObserver<dev.hitl.v1.RedeliverResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getRedeliverMethod(), responseObserver);
    }

    /**
     * <pre>
     * Says who the caller is, as the server knows it. Anybody with a good credential may ask.
     * </pre>
     */
    default void whoAmI(dev.hitl.v1.WhoAmIRequest request,
        io.grpc.stub.StreamObserver<dev.hitl.v1.WhoAmIResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getWhoAmIMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service AdminService.
   * <pre>
   * Says who may call, makes and ends tokens, and tells what was done.
   * Tokens are the business of an admin of all namespaces; others fail with ERROR_REASON_PERMISSION_DENIED. So does everybody
   * on a server that asks for no credential: whoever reaches that must not gain a token that outlasts it.
   * </pre>
   */
  public static abstract class AdminServiceImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return AdminServiceGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service AdminService.
   * <pre>
   * Says who may call, makes and ends tokens, and tells what was done.
   * Tokens are the business of an admin of all namespaces; others fail with ERROR_REASON_PERMISSION_DENIED. So does everybody
   * on a server that asks for no credential: whoever reaches that must not gain a token that outlasts it.
   * </pre>
   */
  public static final class AdminServiceStub
      extends io.grpc.stub.AbstractAsyncStub<AdminServiceStub> {
    private AdminServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected AdminServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new AdminServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * Creates a token. This reply is the only place where its text is.
     * </pre>
     */
    public void createToken(dev.hitl.v1.CreateTokenRequest request,
        io.grpc.stub.StreamObserver<dev.hitl.v1.CreateTokenResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCreateTokenMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists tokens in the order of their ids: those that are good, expired and revoked.
     * </pre>
     */
    public void listTokens(dev.hitl.v1.ListTokensRequest request,
        io.grpc.stub.StreamObserver<dev.hitl.v1.ListTokensResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListTokensMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Ends a token for good, within five seconds on every server of the store. One that is revoked is returned as it is.
     * Fails with ERROR_REASON_TOKEN_NOT_FOUND.
     * </pre>
     */
    public void revokeToken(dev.hitl.v1.RevokeTokenRequest request,
        io.grpc.stub.StreamObserver<dev.hitl.v1.RevokeTokenResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getRevokeTokenMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Creates a token in the stead of another, of the same principal and with the same rights. The other ends, at once or after a
     * time in which both are good.
     * Fails with ERROR_REASON_TOKEN_NOT_FOUND if there is no such token, or it is not good any more.
     * </pre>
     */
    public void rotateToken(dev.hitl.v1.RotateTokenRequest request,
        io.grpc.stub.StreamObserver<dev.hitl.v1.RotateTokenResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getRotateTokenMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists the audit, latest first: who signed in, who was refused, and what changed about who may do what. For auditors and admins.
     * A page may have fewer entries than asked for, or none, before the last one.
     * </pre>
     */
    public void listAudit(dev.hitl.v1.ListAuditRequest request,
        io.grpc.stub.StreamObserver<dev.hitl.v1.ListAuditResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListAuditMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Sends entries of the audit as they are written, on whichever server of the store, from this call on. For auditors and admins.
     * </pre>
     */
    public void followAudit(dev.hitl.v1.FollowAuditRequest request,
        io.grpc.stub.StreamObserver<dev.hitl.v1.FollowAuditResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncServerStreamingCall(
          getChannel().newCall(getFollowAuditMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Creates a channel, by which people or programs are told of events from then on. Every server of the store tells by it
     * within five seconds.
     * Channels and deliveries are the business of an admin of all namespaces, as tokens are.
     * Fails with ERROR_REASON_CHANNEL_EXISTS.
     * </pre>
     */
    public void createChannel(dev.hitl.v1.CreateChannelRequest request,
        io.grpc.stub.StreamObserver<dev.hitl.v1.CreateChannelResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCreateChannelMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists the channels in the order of their names, without their secrets.
     * </pre>
     */
    public void listChannels(dev.hitl.v1.ListChannelsRequest request,
        io.grpc.stub.StreamObserver<dev.hitl.v1.ListChannelsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListChannelsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Gives a channel other settings or other rules. Secrets that are left empty stay as they are.
     * Fails with ERROR_REASON_CHANNEL_NOT_FOUND, and with ERROR_REASON_CHANNEL_EXISTS if somebody else has changed it at the
     * same time.
     * </pre>
     */
    public void updateChannel(dev.hitl.v1.UpdateChannelRequest request,
        io.grpc.stub.StreamObserver<dev.hitl.v1.UpdateChannelResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getUpdateChannelMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Makes another secret for a webhook. For a time messages are signed with both, so that receivers can change over.
     * Fails with ERROR_REASON_CHANNEL_NOT_FOUND.
     * </pre>
     */
    public void rotateChannelSecret(dev.hitl.v1.RotateChannelSecretRequest request,
        io.grpc.stub.StreamObserver<dev.hitl.v1.RotateChannelSecretResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getRotateChannelSecretMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Removes a channel, its secrets, and what it was still to be told.
     * Fails with ERROR_REASON_CHANNEL_NOT_FOUND.
     * </pre>
     */
    public void deleteChannel(dev.hitl.v1.DeleteChannelRequest request,
        io.grpc.stub.StreamObserver<dev.hitl.v1.DeleteChannelResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getDeleteChannelMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Sends one message by a channel, about an event that does not exist, and says what became of it.
     * Fails with ERROR_REASON_CHANNEL_NOT_FOUND.
     * </pre>
     */
    public void testChannel(dev.hitl.v1.TestChannelRequest request,
        io.grpc.stub.StreamObserver<dev.hitl.v1.TestChannelResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getTestChannelMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists deliveries: those that were given up, those that are owed, or all of one event.
     * </pre>
     */
    public void listDeliveries(dev.hitl.v1.ListDeliveriesRequest request,
        io.grpc.stub.StreamObserver<dev.hitl.v1.ListDeliveriesResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListDeliveriesMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Has a delivery made again that was given up.
     * Fails with ERROR_REASON_DELIVERY_NOT_FOUND if it was not given up.
     * </pre>
     */
    public void redeliver(dev.hitl.v1.RedeliverRequest request,
        io.grpc.stub.StreamObserver<dev.hitl.v1.RedeliverResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getRedeliverMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Says who the caller is, as the server knows it. Anybody with a good credential may ask.
     * </pre>
     */
    public void whoAmI(dev.hitl.v1.WhoAmIRequest request,
        io.grpc.stub.StreamObserver<dev.hitl.v1.WhoAmIResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getWhoAmIMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service AdminService.
   * <pre>
   * Says who may call, makes and ends tokens, and tells what was done.
   * Tokens are the business of an admin of all namespaces; others fail with ERROR_REASON_PERMISSION_DENIED. So does everybody
   * on a server that asks for no credential: whoever reaches that must not gain a token that outlasts it.
   * </pre>
   */
  public static final class AdminServiceBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<AdminServiceBlockingV2Stub> {
    private AdminServiceBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected AdminServiceBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new AdminServiceBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * Creates a token. This reply is the only place where its text is.
     * </pre>
     */
    public dev.hitl.v1.CreateTokenResponse createToken(dev.hitl.v1.CreateTokenRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getCreateTokenMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists tokens in the order of their ids: those that are good, expired and revoked.
     * </pre>
     */
    public dev.hitl.v1.ListTokensResponse listTokens(dev.hitl.v1.ListTokensRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListTokensMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Ends a token for good, within five seconds on every server of the store. One that is revoked is returned as it is.
     * Fails with ERROR_REASON_TOKEN_NOT_FOUND.
     * </pre>
     */
    public dev.hitl.v1.RevokeTokenResponse revokeToken(dev.hitl.v1.RevokeTokenRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getRevokeTokenMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Creates a token in the stead of another, of the same principal and with the same rights. The other ends, at once or after a
     * time in which both are good.
     * Fails with ERROR_REASON_TOKEN_NOT_FOUND if there is no such token, or it is not good any more.
     * </pre>
     */
    public dev.hitl.v1.RotateTokenResponse rotateToken(dev.hitl.v1.RotateTokenRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getRotateTokenMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists the audit, latest first: who signed in, who was refused, and what changed about who may do what. For auditors and admins.
     * A page may have fewer entries than asked for, or none, before the last one.
     * </pre>
     */
    public dev.hitl.v1.ListAuditResponse listAudit(dev.hitl.v1.ListAuditRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListAuditMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Sends entries of the audit as they are written, on whichever server of the store, from this call on. For auditors and admins.
     * </pre>
     */
    @io.grpc.ExperimentalApi("https://github.com/grpc/grpc-java/issues/10918")
    public io.grpc.stub.BlockingClientCall<?, dev.hitl.v1.FollowAuditResponse>
        followAudit(dev.hitl.v1.FollowAuditRequest request) {
      return io.grpc.stub.ClientCalls.blockingV2ServerStreamingCall(
          getChannel(), getFollowAuditMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Creates a channel, by which people or programs are told of events from then on. Every server of the store tells by it
     * within five seconds.
     * Channels and deliveries are the business of an admin of all namespaces, as tokens are.
     * Fails with ERROR_REASON_CHANNEL_EXISTS.
     * </pre>
     */
    public dev.hitl.v1.CreateChannelResponse createChannel(dev.hitl.v1.CreateChannelRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getCreateChannelMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists the channels in the order of their names, without their secrets.
     * </pre>
     */
    public dev.hitl.v1.ListChannelsResponse listChannels(dev.hitl.v1.ListChannelsRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListChannelsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Gives a channel other settings or other rules. Secrets that are left empty stay as they are.
     * Fails with ERROR_REASON_CHANNEL_NOT_FOUND, and with ERROR_REASON_CHANNEL_EXISTS if somebody else has changed it at the
     * same time.
     * </pre>
     */
    public dev.hitl.v1.UpdateChannelResponse updateChannel(dev.hitl.v1.UpdateChannelRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getUpdateChannelMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Makes another secret for a webhook. For a time messages are signed with both, so that receivers can change over.
     * Fails with ERROR_REASON_CHANNEL_NOT_FOUND.
     * </pre>
     */
    public dev.hitl.v1.RotateChannelSecretResponse rotateChannelSecret(dev.hitl.v1.RotateChannelSecretRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getRotateChannelSecretMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Removes a channel, its secrets, and what it was still to be told.
     * Fails with ERROR_REASON_CHANNEL_NOT_FOUND.
     * </pre>
     */
    public dev.hitl.v1.DeleteChannelResponse deleteChannel(dev.hitl.v1.DeleteChannelRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getDeleteChannelMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Sends one message by a channel, about an event that does not exist, and says what became of it.
     * Fails with ERROR_REASON_CHANNEL_NOT_FOUND.
     * </pre>
     */
    public dev.hitl.v1.TestChannelResponse testChannel(dev.hitl.v1.TestChannelRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getTestChannelMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists deliveries: those that were given up, those that are owed, or all of one event.
     * </pre>
     */
    public dev.hitl.v1.ListDeliveriesResponse listDeliveries(dev.hitl.v1.ListDeliveriesRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListDeliveriesMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Has a delivery made again that was given up.
     * Fails with ERROR_REASON_DELIVERY_NOT_FOUND if it was not given up.
     * </pre>
     */
    public dev.hitl.v1.RedeliverResponse redeliver(dev.hitl.v1.RedeliverRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getRedeliverMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Says who the caller is, as the server knows it. Anybody with a good credential may ask.
     * </pre>
     */
    public dev.hitl.v1.WhoAmIResponse whoAmI(dev.hitl.v1.WhoAmIRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getWhoAmIMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service AdminService.
   * <pre>
   * Says who may call, makes and ends tokens, and tells what was done.
   * Tokens are the business of an admin of all namespaces; others fail with ERROR_REASON_PERMISSION_DENIED. So does everybody
   * on a server that asks for no credential: whoever reaches that must not gain a token that outlasts it.
   * </pre>
   */
  public static final class AdminServiceBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<AdminServiceBlockingStub> {
    private AdminServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected AdminServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new AdminServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * Creates a token. This reply is the only place where its text is.
     * </pre>
     */
    public dev.hitl.v1.CreateTokenResponse createToken(dev.hitl.v1.CreateTokenRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCreateTokenMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists tokens in the order of their ids: those that are good, expired and revoked.
     * </pre>
     */
    public dev.hitl.v1.ListTokensResponse listTokens(dev.hitl.v1.ListTokensRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListTokensMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Ends a token for good, within five seconds on every server of the store. One that is revoked is returned as it is.
     * Fails with ERROR_REASON_TOKEN_NOT_FOUND.
     * </pre>
     */
    public dev.hitl.v1.RevokeTokenResponse revokeToken(dev.hitl.v1.RevokeTokenRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getRevokeTokenMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Creates a token in the stead of another, of the same principal and with the same rights. The other ends, at once or after a
     * time in which both are good.
     * Fails with ERROR_REASON_TOKEN_NOT_FOUND if there is no such token, or it is not good any more.
     * </pre>
     */
    public dev.hitl.v1.RotateTokenResponse rotateToken(dev.hitl.v1.RotateTokenRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getRotateTokenMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists the audit, latest first: who signed in, who was refused, and what changed about who may do what. For auditors and admins.
     * A page may have fewer entries than asked for, or none, before the last one.
     * </pre>
     */
    public dev.hitl.v1.ListAuditResponse listAudit(dev.hitl.v1.ListAuditRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListAuditMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Sends entries of the audit as they are written, on whichever server of the store, from this call on. For auditors and admins.
     * </pre>
     */
    public java.util.Iterator<dev.hitl.v1.FollowAuditResponse> followAudit(
        dev.hitl.v1.FollowAuditRequest request) {
      return io.grpc.stub.ClientCalls.blockingServerStreamingCall(
          getChannel(), getFollowAuditMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Creates a channel, by which people or programs are told of events from then on. Every server of the store tells by it
     * within five seconds.
     * Channels and deliveries are the business of an admin of all namespaces, as tokens are.
     * Fails with ERROR_REASON_CHANNEL_EXISTS.
     * </pre>
     */
    public dev.hitl.v1.CreateChannelResponse createChannel(dev.hitl.v1.CreateChannelRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCreateChannelMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists the channels in the order of their names, without their secrets.
     * </pre>
     */
    public dev.hitl.v1.ListChannelsResponse listChannels(dev.hitl.v1.ListChannelsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListChannelsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Gives a channel other settings or other rules. Secrets that are left empty stay as they are.
     * Fails with ERROR_REASON_CHANNEL_NOT_FOUND, and with ERROR_REASON_CHANNEL_EXISTS if somebody else has changed it at the
     * same time.
     * </pre>
     */
    public dev.hitl.v1.UpdateChannelResponse updateChannel(dev.hitl.v1.UpdateChannelRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getUpdateChannelMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Makes another secret for a webhook. For a time messages are signed with both, so that receivers can change over.
     * Fails with ERROR_REASON_CHANNEL_NOT_FOUND.
     * </pre>
     */
    public dev.hitl.v1.RotateChannelSecretResponse rotateChannelSecret(dev.hitl.v1.RotateChannelSecretRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getRotateChannelSecretMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Removes a channel, its secrets, and what it was still to be told.
     * Fails with ERROR_REASON_CHANNEL_NOT_FOUND.
     * </pre>
     */
    public dev.hitl.v1.DeleteChannelResponse deleteChannel(dev.hitl.v1.DeleteChannelRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getDeleteChannelMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Sends one message by a channel, about an event that does not exist, and says what became of it.
     * Fails with ERROR_REASON_CHANNEL_NOT_FOUND.
     * </pre>
     */
    public dev.hitl.v1.TestChannelResponse testChannel(dev.hitl.v1.TestChannelRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getTestChannelMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists deliveries: those that were given up, those that are owed, or all of one event.
     * </pre>
     */
    public dev.hitl.v1.ListDeliveriesResponse listDeliveries(dev.hitl.v1.ListDeliveriesRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListDeliveriesMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Has a delivery made again that was given up.
     * Fails with ERROR_REASON_DELIVERY_NOT_FOUND if it was not given up.
     * </pre>
     */
    public dev.hitl.v1.RedeliverResponse redeliver(dev.hitl.v1.RedeliverRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getRedeliverMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Says who the caller is, as the server knows it. Anybody with a good credential may ask.
     * </pre>
     */
    public dev.hitl.v1.WhoAmIResponse whoAmI(dev.hitl.v1.WhoAmIRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getWhoAmIMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service AdminService.
   * <pre>
   * Says who may call, makes and ends tokens, and tells what was done.
   * Tokens are the business of an admin of all namespaces; others fail with ERROR_REASON_PERMISSION_DENIED. So does everybody
   * on a server that asks for no credential: whoever reaches that must not gain a token that outlasts it.
   * </pre>
   */
  public static final class AdminServiceFutureStub
      extends io.grpc.stub.AbstractFutureStub<AdminServiceFutureStub> {
    private AdminServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected AdminServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new AdminServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * Creates a token. This reply is the only place where its text is.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.hitl.v1.CreateTokenResponse> createToken(
        dev.hitl.v1.CreateTokenRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCreateTokenMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lists tokens in the order of their ids: those that are good, expired and revoked.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.hitl.v1.ListTokensResponse> listTokens(
        dev.hitl.v1.ListTokensRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListTokensMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Ends a token for good, within five seconds on every server of the store. One that is revoked is returned as it is.
     * Fails with ERROR_REASON_TOKEN_NOT_FOUND.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.hitl.v1.RevokeTokenResponse> revokeToken(
        dev.hitl.v1.RevokeTokenRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getRevokeTokenMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Creates a token in the stead of another, of the same principal and with the same rights. The other ends, at once or after a
     * time in which both are good.
     * Fails with ERROR_REASON_TOKEN_NOT_FOUND if there is no such token, or it is not good any more.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.hitl.v1.RotateTokenResponse> rotateToken(
        dev.hitl.v1.RotateTokenRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getRotateTokenMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lists the audit, latest first: who signed in, who was refused, and what changed about who may do what. For auditors and admins.
     * A page may have fewer entries than asked for, or none, before the last one.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.hitl.v1.ListAuditResponse> listAudit(
        dev.hitl.v1.ListAuditRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListAuditMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Creates a channel, by which people or programs are told of events from then on. Every server of the store tells by it
     * within five seconds.
     * Channels and deliveries are the business of an admin of all namespaces, as tokens are.
     * Fails with ERROR_REASON_CHANNEL_EXISTS.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.hitl.v1.CreateChannelResponse> createChannel(
        dev.hitl.v1.CreateChannelRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCreateChannelMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lists the channels in the order of their names, without their secrets.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.hitl.v1.ListChannelsResponse> listChannels(
        dev.hitl.v1.ListChannelsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListChannelsMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Gives a channel other settings or other rules. Secrets that are left empty stay as they are.
     * Fails with ERROR_REASON_CHANNEL_NOT_FOUND, and with ERROR_REASON_CHANNEL_EXISTS if somebody else has changed it at the
     * same time.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.hitl.v1.UpdateChannelResponse> updateChannel(
        dev.hitl.v1.UpdateChannelRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getUpdateChannelMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Makes another secret for a webhook. For a time messages are signed with both, so that receivers can change over.
     * Fails with ERROR_REASON_CHANNEL_NOT_FOUND.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.hitl.v1.RotateChannelSecretResponse> rotateChannelSecret(
        dev.hitl.v1.RotateChannelSecretRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getRotateChannelSecretMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Removes a channel, its secrets, and what it was still to be told.
     * Fails with ERROR_REASON_CHANNEL_NOT_FOUND.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.hitl.v1.DeleteChannelResponse> deleteChannel(
        dev.hitl.v1.DeleteChannelRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getDeleteChannelMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Sends one message by a channel, about an event that does not exist, and says what became of it.
     * Fails with ERROR_REASON_CHANNEL_NOT_FOUND.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.hitl.v1.TestChannelResponse> testChannel(
        dev.hitl.v1.TestChannelRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getTestChannelMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lists deliveries: those that were given up, those that are owed, or all of one event.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.hitl.v1.ListDeliveriesResponse> listDeliveries(
        dev.hitl.v1.ListDeliveriesRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListDeliveriesMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Has a delivery made again that was given up.
     * Fails with ERROR_REASON_DELIVERY_NOT_FOUND if it was not given up.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.hitl.v1.RedeliverResponse> redeliver(
        dev.hitl.v1.RedeliverRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getRedeliverMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Says who the caller is, as the server knows it. Anybody with a good credential may ask.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.hitl.v1.WhoAmIResponse> whoAmI(
        dev.hitl.v1.WhoAmIRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getWhoAmIMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_CREATE_TOKEN = 0;
  private static final int METHODID_LIST_TOKENS = 1;
  private static final int METHODID_REVOKE_TOKEN = 2;
  private static final int METHODID_ROTATE_TOKEN = 3;
  private static final int METHODID_LIST_AUDIT = 4;
  private static final int METHODID_FOLLOW_AUDIT = 5;
  private static final int METHODID_CREATE_CHANNEL = 6;
  private static final int METHODID_LIST_CHANNELS = 7;
  private static final int METHODID_UPDATE_CHANNEL = 8;
  private static final int METHODID_ROTATE_CHANNEL_SECRET = 9;
  private static final int METHODID_DELETE_CHANNEL = 10;
  private static final int METHODID_TEST_CHANNEL = 11;
  private static final int METHODID_LIST_DELIVERIES = 12;
  private static final int METHODID_REDELIVER = 13;
  private static final int METHODID_WHO_AM_I = 14;

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
        case METHODID_CREATE_TOKEN:
          serviceImpl.createToken((dev.hitl.v1.CreateTokenRequest) request,
              (io.grpc.stub.StreamObserver<dev.hitl.v1.CreateTokenResponse>) responseObserver);
          break;
        case METHODID_LIST_TOKENS:
          serviceImpl.listTokens((dev.hitl.v1.ListTokensRequest) request,
              (io.grpc.stub.StreamObserver<dev.hitl.v1.ListTokensResponse>) responseObserver);
          break;
        case METHODID_REVOKE_TOKEN:
          serviceImpl.revokeToken((dev.hitl.v1.RevokeTokenRequest) request,
              (io.grpc.stub.StreamObserver<dev.hitl.v1.RevokeTokenResponse>) responseObserver);
          break;
        case METHODID_ROTATE_TOKEN:
          serviceImpl.rotateToken((dev.hitl.v1.RotateTokenRequest) request,
              (io.grpc.stub.StreamObserver<dev.hitl.v1.RotateTokenResponse>) responseObserver);
          break;
        case METHODID_LIST_AUDIT:
          serviceImpl.listAudit((dev.hitl.v1.ListAuditRequest) request,
              (io.grpc.stub.StreamObserver<dev.hitl.v1.ListAuditResponse>) responseObserver);
          break;
        case METHODID_FOLLOW_AUDIT:
          serviceImpl.followAudit((dev.hitl.v1.FollowAuditRequest) request,
              (io.grpc.stub.StreamObserver<dev.hitl.v1.FollowAuditResponse>) responseObserver);
          break;
        case METHODID_CREATE_CHANNEL:
          serviceImpl.createChannel((dev.hitl.v1.CreateChannelRequest) request,
              (io.grpc.stub.StreamObserver<dev.hitl.v1.CreateChannelResponse>) responseObserver);
          break;
        case METHODID_LIST_CHANNELS:
          serviceImpl.listChannels((dev.hitl.v1.ListChannelsRequest) request,
              (io.grpc.stub.StreamObserver<dev.hitl.v1.ListChannelsResponse>) responseObserver);
          break;
        case METHODID_UPDATE_CHANNEL:
          serviceImpl.updateChannel((dev.hitl.v1.UpdateChannelRequest) request,
              (io.grpc.stub.StreamObserver<dev.hitl.v1.UpdateChannelResponse>) responseObserver);
          break;
        case METHODID_ROTATE_CHANNEL_SECRET:
          serviceImpl.rotateChannelSecret((dev.hitl.v1.RotateChannelSecretRequest) request,
              (io.grpc.stub.StreamObserver<dev.hitl.v1.RotateChannelSecretResponse>) responseObserver);
          break;
        case METHODID_DELETE_CHANNEL:
          serviceImpl.deleteChannel((dev.hitl.v1.DeleteChannelRequest) request,
              (io.grpc.stub.StreamObserver<dev.hitl.v1.DeleteChannelResponse>) responseObserver);
          break;
        case METHODID_TEST_CHANNEL:
          serviceImpl.testChannel((dev.hitl.v1.TestChannelRequest) request,
              (io.grpc.stub.StreamObserver<dev.hitl.v1.TestChannelResponse>) responseObserver);
          break;
        case METHODID_LIST_DELIVERIES:
          serviceImpl.listDeliveries((dev.hitl.v1.ListDeliveriesRequest) request,
              (io.grpc.stub.StreamObserver<dev.hitl.v1.ListDeliveriesResponse>) responseObserver);
          break;
        case METHODID_REDELIVER:
          serviceImpl.redeliver((dev.hitl.v1.RedeliverRequest) request,
              (io.grpc.stub.StreamObserver<dev.hitl.v1.RedeliverResponse>) responseObserver);
          break;
        case METHODID_WHO_AM_I:
          serviceImpl.whoAmI((dev.hitl.v1.WhoAmIRequest) request,
              (io.grpc.stub.StreamObserver<dev.hitl.v1.WhoAmIResponse>) responseObserver);
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
          getCreateTokenMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.hitl.v1.CreateTokenRequest,
              dev.hitl.v1.CreateTokenResponse>(
                service, METHODID_CREATE_TOKEN)))
        .addMethod(
          getListTokensMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.hitl.v1.ListTokensRequest,
              dev.hitl.v1.ListTokensResponse>(
                service, METHODID_LIST_TOKENS)))
        .addMethod(
          getRevokeTokenMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.hitl.v1.RevokeTokenRequest,
              dev.hitl.v1.RevokeTokenResponse>(
                service, METHODID_REVOKE_TOKEN)))
        .addMethod(
          getRotateTokenMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.hitl.v1.RotateTokenRequest,
              dev.hitl.v1.RotateTokenResponse>(
                service, METHODID_ROTATE_TOKEN)))
        .addMethod(
          getListAuditMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.hitl.v1.ListAuditRequest,
              dev.hitl.v1.ListAuditResponse>(
                service, METHODID_LIST_AUDIT)))
        .addMethod(
          getFollowAuditMethod(),
          io.grpc.stub.ServerCalls.asyncServerStreamingCall(
            new MethodHandlers<
              dev.hitl.v1.FollowAuditRequest,
              dev.hitl.v1.FollowAuditResponse>(
                service, METHODID_FOLLOW_AUDIT)))
        .addMethod(
          getCreateChannelMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.hitl.v1.CreateChannelRequest,
              dev.hitl.v1.CreateChannelResponse>(
                service, METHODID_CREATE_CHANNEL)))
        .addMethod(
          getListChannelsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.hitl.v1.ListChannelsRequest,
              dev.hitl.v1.ListChannelsResponse>(
                service, METHODID_LIST_CHANNELS)))
        .addMethod(
          getUpdateChannelMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.hitl.v1.UpdateChannelRequest,
              dev.hitl.v1.UpdateChannelResponse>(
                service, METHODID_UPDATE_CHANNEL)))
        .addMethod(
          getRotateChannelSecretMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.hitl.v1.RotateChannelSecretRequest,
              dev.hitl.v1.RotateChannelSecretResponse>(
                service, METHODID_ROTATE_CHANNEL_SECRET)))
        .addMethod(
          getDeleteChannelMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.hitl.v1.DeleteChannelRequest,
              dev.hitl.v1.DeleteChannelResponse>(
                service, METHODID_DELETE_CHANNEL)))
        .addMethod(
          getTestChannelMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.hitl.v1.TestChannelRequest,
              dev.hitl.v1.TestChannelResponse>(
                service, METHODID_TEST_CHANNEL)))
        .addMethod(
          getListDeliveriesMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.hitl.v1.ListDeliveriesRequest,
              dev.hitl.v1.ListDeliveriesResponse>(
                service, METHODID_LIST_DELIVERIES)))
        .addMethod(
          getRedeliverMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.hitl.v1.RedeliverRequest,
              dev.hitl.v1.RedeliverResponse>(
                service, METHODID_REDELIVER)))
        .addMethod(
          getWhoAmIMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.hitl.v1.WhoAmIRequest,
              dev.hitl.v1.WhoAmIResponse>(
                service, METHODID_WHO_AM_I)))
        .build();
  }

  private static abstract class AdminServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    AdminServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return dev.hitl.v1.AdminServiceOuterClass.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("AdminService");
    }
  }

  private static final class AdminServiceFileDescriptorSupplier
      extends AdminServiceBaseDescriptorSupplier {
    AdminServiceFileDescriptorSupplier() {}
  }

  private static final class AdminServiceMethodDescriptorSupplier
      extends AdminServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    AdminServiceMethodDescriptorSupplier(java.lang.String methodName) {
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
      synchronized (AdminServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new AdminServiceFileDescriptorSupplier())
              .addMethod(getCreateTokenMethod())
              .addMethod(getListTokensMethod())
              .addMethod(getRevokeTokenMethod())
              .addMethod(getRotateTokenMethod())
              .addMethod(getListAuditMethod())
              .addMethod(getFollowAuditMethod())
              .addMethod(getCreateChannelMethod())
              .addMethod(getListChannelsMethod())
              .addMethod(getUpdateChannelMethod())
              .addMethod(getRotateChannelSecretMethod())
              .addMethod(getDeleteChannelMethod())
              .addMethod(getTestChannelMethod())
              .addMethod(getListDeliveriesMethod())
              .addMethod(getRedeliverMethod())
              .addMethod(getWhoAmIMethod())
              .build();
        }
      }
    }
    return result;
  }
}
