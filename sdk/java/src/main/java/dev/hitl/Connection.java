package dev.hitl;

import io.grpc.ChannelCredentials;
import io.grpc.ClientInterceptor;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;

/** The connection that all calls of a client share. */
final class Connection {
    /** Enough for a page of large events; a limit only against a server gone wrong. */
    private static final int MESSAGE_BYTES_MAX = 256 << 20;
    /** Room for the details of errors. */
    private static final int HEADER_BYTES_MAX = 1 << 20;

    /** Says at each start which sockets it uses, on the stderr of programs that never asked. Held, lest it be lost. */
    private static final Logger CHATTY = Logger.getLogger("io.grpc.netty.shaded.io.grpc.netty.TcpMetrics");

    static {
        CHATTY.setLevel(Level.WARNING);
    }

    private Connection() {}

    /** The channel, which connects at its first call and again after each loss. */
    static ManagedChannel open(
            Endpoint endpoint, Tls tls, HttpProxy proxy, List<ClientInterceptor> interceptors) {
        NettyChannelBuilder builder = builder(Names.target(endpoint), tls);
        if (proxy != null && proxy.isFor(endpoint)) {
            builder.proxyDetector(proxy).intercept(new ThroughProxy(proxy, endpoint));
        } else {
            // What gRPC finds in the environment by itself is not what the program has said.
            builder.proxyDetector(target -> null);
        }
        return builder
                .maxInboundMessageSize(MESSAGE_BYTES_MAX)
                .maxInboundMetadataSize(HEADER_BYTES_MAX)
                .withOption(ChannelOption.CONNECT_TIMEOUT_MILLIS, 5_000)
                // These find a connection that died without a word within one attempt of a call, so that
                // another one meets a new connection. gRPC allows no shorter interval.
                .keepAliveTime(10, TimeUnit.SECONDS)
                .keepAliveTimeout(5, TimeUnit.SECONDS)
                .keepAliveWithoutCalls(true)
                .intercept(interceptors)
                .build();
    }

    /** Over TLS unless {@code tls} is null. */
    private static NettyChannelBuilder builder(String target, Tls tls) {
        try {
            ChannelCredentials credentials = tls == null ? InsecureChannelCredentials.create() : tls.credentials();
            return NettyChannelBuilder.forTarget(target, credentials);
        } catch (IllegalArgumentException unreadable) {
            String help = "ca, cert or key (HITL_CA, HITL_CERT, HITL_KEY) is no PEM that fits: %s";
            throw Tls.unusable(help.formatted(Shown.oneLine(String.valueOf(unreadable.getMessage()))));
        }
    }
}
