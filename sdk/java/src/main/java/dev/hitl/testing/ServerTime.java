package dev.hitl.testing;

import dev.hitl.v1.AdvanceTimeRequest;
import dev.hitl.v1.TestServiceGrpc;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** The time of a server for tests, which no other server lets anybody move. */
final class ServerTime implements AutoCloseable {
    private static final int LIMIT_SECONDS = 15;
    private static final String PLAIN = "http://";

    private final ManagedChannel channel;

    /** The time of the server at this endpoint. */
    ServerTime(String endpoint) {
        if (!endpoint.startsWith(PLAIN)) {
            throw refusal(endpoint, "its address is not http://HOST:PORT");
        }
        channel = NettyChannelBuilder.forTarget("dns:///" + endpoint.substring(PLAIN.length()))
                .proxyDetector(address -> null)
                .usePlaintext()
                .build();
        try {
            advance(Duration.ZERO);
        } catch (StatusRuntimeException refused) {
            close();
            String why = refused.getStatus().getDescription();
            throw refusal(endpoint, why == null ? refused.getStatus().getCode().name() : why);
        }
    }

    /** Lets time pass at once. */
    void advance(Duration duration) {
        AdvanceTimeRequest.Builder request = AdvanceTimeRequest.newBuilder();
        request.getDurationBuilder().setSeconds(duration.getSeconds()).setNanos(duration.getNano());
        var stub = TestServiceGrpc.newBlockingStub(channel).withDeadlineAfter(LIMIT_SECONDS, TimeUnit.SECONDS);
        stub.advanceTime(request.build());
    }

    @Override
    public void close() {
        channel.shutdownNow();
    }

    private static IllegalArgumentException refusal(String endpoint, String why) {
        String server = endpoint.isEmpty() ? "the local server" : endpoint;
        return new IllegalArgumentException(("%s is no server for tests (%s): nobody answers there but people. Start one "
                        + "with `hitl test-server`, or use TestServer")
                .formatted(server, why));
    }
}
