package hitl

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/protoadapt"

	"hitl.dev/go/hitlv1"
)

// step is what one WaitEvents call is answered with: an error, or messages and then the end of the
// stream, an error, or nothing more.
type step struct {
	refusal  error
	after    int // How many events have to be waited for before the messages are sent; one if zero.
	messages []*hitlv1.WaitEventsResponse
	reply    func(eventID string) *hitlv1.WaitEventsResponse // Makes what is sent for each of those events.
	end      error
	hang     bool
}

// script is a server that does as it is told, over pipes in memory.
type script struct {
	hitlv1.UnimplementedEventServiceServer
	mutex    sync.Mutex
	steps    []step
	calls    int
	waits    []string // What was added and removed, by the id of the event, with + or - before it.
	left     int      // How many streams the client has ended.
	asked    *hitlv1.CreateEventRequest
	failures []error  // What the next calls that change something fail with, nil to let one pass.
	keys     []string // What tells each such call, and its repetitions, from the others.
	hang     bool     // Whether such calls are never replied to.
	stored   map[string]*hitlv1.Event
	pages    map[string]*hitlv1.ListEventsResponse // By the token that each is asked for with.
	listed   []string                              // The tokens of the pages that were asked for.
	bearers  []string                              // The header authorization of each call but waits.
}

func (s *script) GetEvent(ctx context.Context, request *hitlv1.GetEventRequest) (*hitlv1.GetEventResponse, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.hearBearer(ctx)
	if event := s.stored[request.GetEventId()]; event != nil {
		return &hitlv1.GetEventResponse{Event: event}, nil
	}
	return nil, refusal(codes.NotFound, "ERROR_REASON_EVENT_NOT_FOUND", "hitl.v1")
}

func (s *script) ListEvents(
	_ context.Context, request *hitlv1.ListEventsRequest,
) (*hitlv1.ListEventsResponse, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.listed = append(s.listed, request.GetPageToken())
	return s.pages[request.GetPageToken()], nil
}

func (s *script) hearBearer(ctx context.Context) {
	headers, _ := metadata.FromIncomingContext(ctx)
	s.bearers = append(s.bearers, strings.Join(headers.Get("authorization"), "+"))
}

func (s *script) WaitEvents(
	stream grpc.BidiStreamingServer[hitlv1.WaitEventsRequest, hitlv1.WaitEventsResponse],
) error {
	step := s.next()
	if step.refusal != nil {
		return step.refusal
	}
	if err := stream.SendHeader(nil); err != nil {
		return err
	}
	var added []*hitlv1.EventKey
	for len(added) < max(step.after, 1) {
		request, err := s.hear(stream)
		if err != nil {
			return err
		}
		added = append(added, request.GetAdd()...)
	}
	for _, message := range step.messages {
		if err := stream.Send(message); err != nil {
			return err
		}
	}
	for _, key := range added {
		if step.reply == nil {
			break
		}
		if err := stream.Send(step.reply(key.GetEventId())); err != nil {
			return err
		}
	}
	for step.hang || step.reply != nil {
		if _, err := s.hear(stream); err != nil {
			return err
		}
	}
	return step.end
}

// hear notes the next message of a stream of waits, or its end.
func (s *script) hear(
	stream grpc.BidiStreamingServer[hitlv1.WaitEventsRequest, hitlv1.WaitEventsResponse],
) (*hitlv1.WaitEventsRequest, error) {
	request, err := stream.Recv()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if err != nil {
		s.left++
		return nil, err
	}
	if len(request.GetAdd()) > 1000 || len(request.GetRemove()) > 1000 {
		return nil, refusal(codes.InvalidArgument, "ERROR_REASON_INVALID_REQUEST", "hitl.v1")
	}
	for _, key := range request.GetRemove() {
		s.waits = append(s.waits, "-"+key.GetEventId())
	}
	for _, key := range request.GetAdd() {
		s.waits = append(s.waits, "+"+key.GetEventId())
	}
	return request, nil
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
	s.hearBearer(ctx)
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

// noRetries is a limit of calls that are made once.
var noRetries time.Duration

func clientOf(
	t *testing.T, config Config, dial func(context.Context) (net.Conn, error),
) *Client {
	t.Helper()
	config.Endpoint = first(config.Endpoint, "http://scripted")
	settings, err := config.resolve(func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	return newClient(settings, dial)
}

func stands(eventID string, state hitlv1.EventState, value *hitlv1.Value) *hitlv1.WaitEventsResponse {
	record := &hitlv1.Event{Id: eventID, State: state, Response: &hitlv1.Response{State: state, Value: value}}
	return &hitlv1.WaitEventsResponse{Update: &hitlv1.WaitEventsResponse_Event{Event: record}}
}

func answered(eventID string, number int64) *hitlv1.WaitEventsResponse {
	return stands(eventID, hitlv1.EventState_EVENT_STATE_ANSWERED, intValue(number))
}

func failed(eventID string, code codes.Code, reason hitlv1.ErrorReason) *hitlv1.WaitEventsResponse {
	failed := &hitlv1.FailedWait{
		Key:     &hitlv1.EventKey{Namespace: "default", EventId: eventID},
		Failure: &hitlv1.Failure{Code: int32(code), Reason: reason},
	}
	return &hitlv1.WaitEventsResponse{Update: &hitlv1.WaitEventsResponse_Failed{Failed: failed}}
}

func heartbeat() *hitlv1.WaitEventsResponse {
	return &hitlv1.WaitEventsResponse{Update: &hitlv1.WaitEventsResponse_Heartbeat{Heartbeat: &hitlv1.Heartbeat{}}}
}

// sends are the messages of a step.
func sends(messages ...*hitlv1.WaitEventsResponse) step { return step{messages: messages} }

// hangs are those of a step after which nothing more comes.
func hangs(messages ...*hitlv1.WaitEventsResponse) step { return step{messages: messages, hang: true} }

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
