package dev.hitl;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.netty.shaded.io.netty.handler.proxy.ProxyConnectException;
import java.net.ConnectException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Tells of each call that found no way through a proxy what the proxy has to do with it. */
final class ThroughProxy implements ClientInterceptor {
    /** The user or the password is wrong, or missing. */
    private static final int UNKNOWN_USER = 407;

    private static final Pattern STATUS = Pattern.compile("status: ([0-9]{3})\\b");

    private final HttpProxy proxy;
    private final Endpoint server;

    ThroughProxy(HttpProxy proxy, Endpoint server) {
        this.proxy = proxy;
        this.server = server;
    }

    @Override
    public <Q, R> ClientCall<Q, R> interceptCall(
            MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
        return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
            @Override
            public void start(Listener<R> listener, Metadata headers) {
                super.start(new SimpleForwardingClientCallListener<>(listener) {
                    @Override
                    public void onClose(Status status, Metadata trailers) {
                        HitlException why = explain(status.getCause());
                        super.onClose(why == null ? status : status.withCause(why), trailers);
                    }
                }, headers);
            }
        };
    }

    /** Null if the proxy has nothing to do with it. */
    HitlException explain(Throwable cause) {
        for (Throwable at = cause; at != null; at = at.getCause()) {
            if (at instanceof HitlException) {
                return null;
            }
            String message = String.valueOf(at.getMessage());
            if (at instanceof ProxyConnectException) {
                Matcher status = STATUS.matcher(message);
                return status.find() ? refusal(Integer.parseInt(status.group(1)), at) : broken(message, at);
            }
            if (at instanceof ConnectException) {
                return unreachable(proxy, message, at);
            }
        }
        return null;
    }

    private HitlException refusal(int status, Throwable cause) {
        if (status == UNKNOWN_USER) {
            String help = "the proxy at %s wants another user or password (status %d): give them in proxy (HITL_PROXY), as "
                    + "http://USER:PASSWORD@HOST:PORT";
            return HitlException.noServer(help.formatted(proxy, status), cause);
        }
        String help = "the proxy at %s does not lead to %s (status %d): check the endpoint, and what the proxy allows";
        String told = help.formatted(proxy, server.url(), status);
        // That the server is not there may pass; that it may not be reached does not.
        return status < 500 ? HitlException.noServer(told, cause) : HitlException.nobody(told, cause);
    }

    private HitlException broken(String message, Throwable cause) {
        String told = "the proxy at %s broke off on the way to %s: %s";
        return HitlException.unavailable(told.formatted(proxy, server.url(), Shown.oneLine(message)), cause);
    }

    static HitlException unreachable(HttpProxy proxy, String why, Throwable cause) {
        String told = "cannot reach the proxy at %s: %s. Check that it runs there, or set proxy (HITL_PROXY) to where it does"
                .formatted(proxy, Shown.oneLine(why));
        boolean isRefused = cause instanceof ConnectException && why.contains("onnection refused");
        return isRefused ? HitlException.nobody(told, cause) : HitlException.unavailable(told, cause);
    }
}
