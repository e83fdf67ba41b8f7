package hitl

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/protoadapt"

	"hitl.dev/go/hitlv1"
)

// step is what one WaitEvent call is answered with: an error, or messages and then the end of the
// stream, an error, or nothing more.
type step struct {
	refusal  error
	messages []*hitlv1.WaitEventResponse
	end      error
	hang     bool
}

// script is a server that does as it is told, over pipes in memory.
type script struct {
	hitlv1.UnimplementedEventServiceServer
	mutex    sync.Mutex
	steps    []step
	calls    int
	asked    *hitlv1.CreateEventRequest
	failures []error  // What the next calls that change something fail with, nil to let one pass.
	keys     []string // What tells each such call, and its repetitions, from the others.
	hang     bool     // Whether such calls are never replied to.
}

func (s *script) WaitEvent(
	_ *hitlv1.WaitEventRequest, stream grpc.ServerStreamingServer[hitlv1.WaitEventResponse],
) error {
	step := s.next()
	if step.refusal != nil {
		return step.refusal
	}
	for _, message := range step.messages {
		if err := stream.Send(message); err != nil {
			return err
		}
	}
	if step.hang {
		<-stream.Context().Done()
	}
	return step.end
}

func (s *script) next() step {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.calls++
	next := s.steps[0]
	if len(s.steps) > 1 {
		s.steps = s.steps[1:]
	}
	return next
}

// change notes a call and returns the event that it is about, with the key as its id.
func (s *script) change(ctx context.Context, key string) (*hitlv1.Event, error) {
	if s.hang {
		<-ctx.Done()
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.keys = append(s.keys, key)
	var err error
	if len(s.failures) > 0 {
		err, s.failures = s.failures[0], s.failures[1:]
	}
	return &hitlv1.Event{Id: key}, err
}

func (s *script) CreateEvent(
	ctx context.Context, request *hitlv1.CreateEventRequest,
) (*hitlv1.CreateEventResponse, error) {
	s.asked = request
	event, err := s.change(ctx, request.GetIdempotencyKey())
	return &hitlv1.CreateEventResponse{Event: event}, err
}

func (s *script) AnswerEvent(
	ctx context.Context, request *hitlv1.AnswerEventRequest,
) (*hitlv1.AnswerEventResponse, error) {
	event, err := s.change(ctx, request.GetAnswerId())
	return &hitlv1.AnswerEventResponse{Event: event}, err
}

func (s *script) DeclineEvent(
	ctx context.Context, request *hitlv1.DeclineEventRequest,
) (*hitlv1.DeclineEventResponse, error) {
	event, err := s.change(ctx, request.GetAnswerId())
	return &hitlv1.DeclineEventResponse{Event: event}, err
}

// scripted runs test on paused time, with a client of a server that follows the script.
func scripted(t *testing.T, script hitlv1.EventServiceServer, config Config, test func(*testing.T, *Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		listener := bufconn.Listen(1 << 16)
		// As hitl does, it takes every ping.
		server := grpc.NewServer(grpc.KeepaliveEnforcementPolicy(
			keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}))
		hitlv1.RegisterEventServiceServer(server, script)
		go func() { _ = server.Serve(listener) }()
		defer server.Stop()
		client := clientOf(t, config, listener.DialContext)
		defer client.Close()
		test(t, client)
	})
}

func clientOf(
	t *testing.T, config Config, dial func(context.Context) (net.Conn, error),
) *Client {
	t.Helper()
	config.Endpoint = first(config.Endpoint, "http://scripted")
	settings, err := config.resolve(func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	return &Client{settings: settings, dial: dial}
}

func stands(state hitlv1.EventState, value *hitlv1.Value) *hitlv1.WaitEventResponse {
	record := &hitlv1.Event{Id: "e", Name: "n", State: state}
	if state != hitlv1.EventState_EVENT_STATE_PENDING {
		record.Response = &hitlv1.Response{State: state, Value: value}
	}
	return &hitlv1.WaitEventResponse{Update: &hitlv1.WaitEventResponse_Event{Event: record}}
}

func pending() *hitlv1.WaitEventResponse {
	return stands(hitlv1.EventState_EVENT_STATE_PENDING, nil)
}

func answered(number int64) *hitlv1.WaitEventResponse {
	return stands(hitlv1.EventState_EVENT_STATE_ANSWERED, intValue(number))
}

func heartbeat() *hitlv1.WaitEventResponse {
	return &hitlv1.WaitEventResponse{Update: &hitlv1.WaitEventResponse_Heartbeat{}}
}

func intValue(number int64) *hitlv1.Value {
	return &hitlv1.Value{Kind: &hitlv1.Value_Int{Int: number}}
}

// refusal is an error as a hitl server makes it, or another server if the domain is not its own.
func refusal(code codes.Code, reason, domain string, more ...protoadapt.MessageV1) error {
	details := append([]protoadapt.MessageV1{&errdetails.ErrorInfo{
		Reason: reason, Domain: domain, Metadata: map[string]string{"state": "EVENT_STATE_ANSWERED"},
	}}, more...)
	refused, err := status.New(code, "what happened").WithDetails(details...)
	if err != nil {
		panic(fmt.Sprintf("the details are constants: %v", err))
	}
	return refused.Err()
}
