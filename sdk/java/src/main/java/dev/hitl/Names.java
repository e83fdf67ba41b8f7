package dev.hitl;

import io.grpc.EquivalentAddressGroup;
import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import io.grpc.NameResolverRegistry;
import io.grpc.ProxyDetector;
import io.grpc.Status;
import io.grpc.StatusOr;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;

/**
 * Looks up the host of a server by the system's resolver. gRPC's own does the same, but takes no name that a
 * URI cannot have, such as one with an underscore.
 */
final class Names extends NameResolver {
    private static final String SCHEME = "hitl";

    static {
        NameResolverRegistry.getDefaultRegistry().register(new Provider());
    }

    private final Endpoint endpoint;
    private final Executor offload;
    private final ProxyDetector proxies;
    private Listener2 listener;

    private Names(Endpoint endpoint, Args args) {
        this.endpoint = endpoint;
        this.offload = args.getOffloadExecutor();
        this.proxies = args.getProxyDetector();
    }

    /** What leads gRPC here. */
    static String target(Endpoint endpoint) {
        return SCHEME + "://" + endpoint.authority();
    }

    @Override
    public String getServiceAuthority() {
        return endpoint.authority();
    }

    @Override
    public void start(Listener2 channel) {
        listener = channel;
        refresh();
    }

    @Override
    public void refresh() {
        offload.execute(() -> listener.onResult(result()));
    }

    @Override
    public void shutdown() {
        // A look-up under way ends by itself.
    }

    private ResolutionResult result() {
        StatusOr<List<EquivalentAddressGroup>> found;
        try {
            found = StatusOr.fromValue(addresses());
        } catch (IOException unknown) {
            String help = "the name %s cannot be looked up".formatted(endpoint.host());
            found = StatusOr.fromStatus(Status.UNAVAILABLE.withDescription(help).withCause(unknown));
        }
        return ResolutionResult.newBuilder().setAddressesOrError(found).build();
    }

    private List<EquivalentAddressGroup> addresses() throws IOException {
        SocketAddress named = InetSocketAddress.createUnresolved(endpoint.host(), endpoint.port());
        // Whoever goes through a proxy has it look up the name.
        SocketAddress proxied = proxies.proxyFor(named);
        if (proxied != null) {
            return List.of(new EquivalentAddressGroup(proxied));
        }
        List<EquivalentAddressGroup> addresses = new ArrayList<>();
        for (InetAddress address : InetAddress.getAllByName(endpoint.host())) {
            addresses.add(new EquivalentAddressGroup(new InetSocketAddress(address, endpoint.port())));
        }
        return addresses;
    }

    private static final class Provider extends NameResolverProvider {
        @Override
        public NameResolver newNameResolver(URI target, Args args) {
            return SCHEME.equals(target.getScheme()) ? new Names(Endpoint.parse(target.getAuthority()), args) : null;
        }

        @Override
        public String getDefaultScheme() {
            return SCHEME;
        }

        @Override
        protected boolean isAvailable() {
            return true;
        }

        @Override
        protected int priority() {
            // Below that of gRPC's own, which stay what a name without a scheme means.
            return 1;
        }
    }
}
