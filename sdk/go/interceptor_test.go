package hitl_test

import (
	"context"
	"testing"

	"google.golang.org/grpc"

	"hitl.dev/go"
	"hitl.dev/go/hitltest"
	"hitl.dev/go/hitlv1"
)

func TestCallsPassThroughWhatTheProgramGives(t *testing.T) {
	var methods []string
	count := func(
		ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, next grpc.UnaryInvoker,
		options ...grpc.CallOption,
	) error {
		methods = append(methods, method)
		return next(ctx, method, request, reply, conn, options...)
	}
	server := hitltest.Start(t)
	client, err := hitl.NewClient(hitl.Config{
		Endpoint: server.Endpoint, DialOptions: []grpc.DialOption{grpc.WithUnaryInterceptor(count)},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.List(t.Context(), &hitlv1.ListEventsRequest{}); err != nil {
		t.Fatal(err)
	}
	if len(methods) != 1 || methods[0] != hitlv1.EventService_ListEvents_FullMethodName {
		t.Fatal(methods)
	}
}
