package dev.hitl;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.hitl.testing.TestServer;
import dev.hitl.v1.ListEventsRequest;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.MethodDescriptor;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/** What calls pass through. */
final class InterceptorTest {
    private static final class Counting implements ClientInterceptor {
        final List<String> methods = new CopyOnWriteArrayList<>();

        @Override
        public <Q, R> ClientCall<Q, R> interceptCall(MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
            methods.add(method.getBareMethodName());
            return next.newCall(method, options);
        }
    }

    @Test
    void callsPassThroughWhatTheProgramGives() {
        Counting counting = new Counting();
        try (TestServer server = TestServer.start();
                Client client = new Client(new Config().endpoint(server.endpoint()).interceptor(counting))) {
            client.list(ListEventsRequest.getDefaultInstance());
            assertEquals(List.of("ListEvents"), counting.methods);
        }
    }
}
