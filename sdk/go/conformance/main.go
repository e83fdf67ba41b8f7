// Drives the SDK for the conformance suite: commands as JSON lines on stdin, replies on stdout.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"hitl.dev/go"
	"hitl.dev/go/hitlv1"
)

type object = map[string]any

// command is a line as it was written, member by member.
type command map[string]json.RawMessage

// anyEvent carries out a command for an event, whatever its type.
type anyEvent func(context.Context, command) (object, error)

var (
	clients = map[string]*hitl.Client{}
	runs    = map[string]*hitl.Run{}
	events  = map[string]anyEvent{}
	mutex   sync.Mutex // Of the maps and of stdout.
)

func main() {
	commands, replies := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for c := (command{}); commands.Decode(&c) == nil; c = (command{}) {
		go func() {
			reply := object{"id": c["id"]}
			if ok, err := c.run(context.Background()); err != nil {
				reply["error"] = failure(err)
			} else {
				reply["ok"] = ok
			}
			mutex.Lock()
			defer mutex.Unlock()
			_ = replies.Encode(reply)
		}()
	}
}

func (c command) run(ctx context.Context) (object, error) {
	mutex.Lock()
	client, run, event := clients[c.text("client")], runs[c.text("run")], events[c.text("event")]
	mutex.Unlock()
	if limit := c.millis("call_timeout_ms"); limit > 0 && client != nil {
		client = client.WithCallTimeout(limit)
	}
	id, reason, responder := c.text("event_id"), c.text("reason"), c.text("responder")
	switch c.text("op") {
	case "client":
		return object{}, c.client()
	case "run":
		run, err := client.Run(c.text("run_id"))
		mutex.Lock()
		defer mutex.Unlock()
		runs[c.text("run")] = run
		return object{}, err
	case "create":
		if run != nil {
			return c.create(ctx, run)
		}
		return c.create(ctx, client)
	case "attach":
		return c.attach(ctx, client, run)
	case "wait", "wait_details", "cancel_event", "poll", "json", "execute":
		return event(ctx, c)
	case "within":
		return c.within(ctx, client)
	case "events":
		return c.events(ctx, client)
	case "ask_valid":
		if run != nil {
			return c.askValid(ctx, run)
		}
		return c.askValid(ctx, client)
	case "ask":
		value, err := hitl.Ask(ctx, c.text("name"), c.text("prompt"), hitl.Int())
		return object{"value": value}, err
	case "wait_event":
		return reply(client.WaitEvent(ctx, id))
	case "wait_many":
		return c.waitMany(ctx, client)
	case "watch":
		return c.watch(ctx, client)
	case "create_many":
		return results("created", client.CreateMany(ctx, messages[hitlv1.CreateEventRequest](c)))
	case "answer_many":
		return results("response", client.AnswerMany(ctx, messages[hitlv1.AnswerEventRequest](c)))
	case "comment":
		said, err := client.Comment(ctx, id, c.text("text"), get[bool](c, "needs_info"), responder)
		return comments(said), err
	case "comments":
		said, err := client.Comments(ctx, id)
		return comments(said...), err
	case "receipt":
		receipt, err := client.Receipt(ctx, id)
		keys, failed := client.ReceiptKeys(ctx)
		return object{"receipt": receipt, "keys": keys}, errors.Join(err, failed)
	case "verify":
		return c.verify()
	case "create_link":
		link, err := client.CreateLink(ctx, id, responder, c.millis("ttl_ms"))
		return object{
			"url": link.URL, "api_url": link.APIURL, "expires_ms": link.Expires.UnixMilli(), "printed": fmt.Sprintf("%+v", link),
		}, err
	case "revoke_links":
		return object{}, client.RevokeLinks(ctx, id, responder)
	case "get":
		return reply(client.Get(ctx, id))
	case "answer":
		return reply(client.Answer(ctx, id, hitl.WithComment(c.answer(), c.text("comment")), responder))
	case "decline":
		return reply(client.Decline(ctx, id, reason, responder))
	case "cancel":
		return reply(client.Cancel(ctx, id, reason))
	default:
		page, err := client.List(ctx, message(c, &hitlv1.ListEventsRequest{}))
		return object{"page": bytes(page)}, err
	}
}

func (c command) client() (err error) {
	config := hitl.Config{
		Endpoint: c.text("endpoint"), Namespace: c.text("namespace"), RunID: c.text("run_id"),
	}
	config.Insecure, config.CallTimeout = get[bool](c, "insecure"), c.millis("call_timeout_ms")
	config.Headers, config.Proxy = get[hitl.Headers](c, "headers"), hitl.Proxy(c.text("proxy"))
	if token := c.text("token"); token != "" {
		config.Token = hitl.StaticToken(token)
	}
	if c["retry_for_ms"] != nil {
		retryFor := c.millis("retry_for_ms")
		config.RetryFor = &retryFor
	}
	mutex.Lock()
	defer mutex.Unlock()
	clients[c.text("client")], err = hitl.NewClient(config)
	return err
}

func (c command) verify() (object, error) {
	var receipt hitl.Receipt
	var keys hitl.KeySet
	if err := errors.Join(json.Unmarshal(c["receipt"], &receipt), json.Unmarshal(c["keys"], &keys)); err != nil {
		return nil, err
	}
	said, err := receipt.Verify(keys)
	if err != nil {
		return nil, err
	}
	return object{
		"event_id": said.EventID, "namespace": said.Namespace, "state": said.State, "time": said.Time,
	}, nil
}

func (c command) answer() hitl.Answer {
	switch answer := message(c, &hitlv1.AnswerEventRequest{}).GetAnswer().(type) {
	case *hitlv1.AnswerEventRequest_Value:
		return hitl.Value(answer.Value)
	case *hitlv1.AnswerEventRequest_Json:
		return hitl.JSON(answer.Json)
	case *hitlv1.AnswerEventRequest_Text:
		return hitl.Text(answer.Text)
	}
	return nil
}

func (c command) create(ctx context.Context, asker hitl.Asker) (object, error) {
	switch c.text("type") {
	case "int":
		input := hitl.Int()
		set(c, "min", input.Min)
		set(c, "max", input.Max)
		return create(ctx, asker, c, input, input.DefaultOnTimeout)
	case "float":
		input := hitl.Float()
		set(c, "min", input.Min)
		set(c, "max", input.Max)
		return create(ctx, asker, c, input, input.DefaultOnTimeout)
	case "str":
		input := hitl.Str().Format(hitlv1.StrFormat(hitlv1.StrFormat_value[c.text("format")]))
		set(c, "min_length", input.MinLength)
		set(c, "max_length", input.MaxLength)
		set(c, "pattern", input.Pattern)
		set(c, "multiline", func(bool) *hitl.StrInput { return input.Multiline() })
		return create(ctx, asker, c, input, input.DefaultOnTimeout)
	case "bool":
		input := hitl.Bool().Labels(c.text("yes"), c.text("no"))
		return create(ctx, asker, c, input, input.DefaultOnTimeout)
	case "choice":
		input := hitl.Choice()
		offer(c, input.Option)
		return create(ctx, asker, c, input, input.DefaultOnTimeout)
	case "choices":
		input := hitl.Choices()
		offer(c, input.Option)
		set(c, "min_selected", input.MinSelected)
		set(c, "max_selected", input.MaxSelected)
		fallback := func(values []string) *hitl.ChoicesInput { return input.DefaultOnTimeout(values...) }
		return create(ctx, asker, c, input, fallback)
	case "review":
		input := hitl.Review(c.text("action"), c["arguments"]).Schema(string(c["schema"]))
		input.Allow(get[[]hitl.Decision](c, "allow")...)
		return create(ctx, asker, c, input, input.DefaultOnTimeout)
	default:
		input := hitl.Object[object]().Schema(string(c["schema"]))
		return create(ctx, asker, c, input, input.DefaultOnTimeout)
	}
}

func comments(said ...*hitlv1.Comment) object {
	each := []object{}
	for _, comment := range said {
		each = append(each, object{
			"author": comment.GetAuthor().GetName(), "text": comment.GetText(), "needs_info": comment.GetNeedsInfo(),
		})
	}
	return object{"comments": each}
}

func create[T, I any](
	ctx context.Context, asker hitl.Asker, c command, input hitl.Input[T], fallback func(T) I,
) (object, error) {
	set(c, "default_on_timeout", fallback)
	options := []hitl.Option{hitl.Scope(c.text("scope")), hitl.IdempotencyKey(c.text("idempotency_key")), hitl.Title(c.text("title"))}
	if c["timeout_ms"] != nil {
		options = append(options, hitl.Timeout(c.millis("timeout_ms")))
	}
	if get[bool](c, "markdown") {
		options = append(options, hitl.Markdown())
	}
	if risk := c.text("risk"); risk != "" {
		options = append(options, hitl.Risk(hitlv1.Risk(hitlv1.Risk_value["RISK_"+strings.ToUpper(risk)])))
	}
	if get[bool](c, "require_confirmation") {
		options = append(options, hitl.RequireConfirmation())
	}
	for _, person := range get[[]string](c, "assignees") {
		options = append(options, hitl.Assignee(person))
	}
	for _, group := range get[[]string](c, "groups") {
		options = append(options, hitl.Group(group))
	}
	if people := get[uint32](c, "required"); people > 0 {
		options = append(options, hitl.Required(people))
	}
	if get[bool](c, "outvotes_declines") {
		options = append(options, hitl.OutvotesDeclines())
	}
	for _, fact := range get[[][2]string](c, "facts") {
		options = append(options, hitl.Fact(fact[0], fact[1]))
	}
	for _, bytes := range get[[][]byte](c, "evidence") {
		item := &hitlv1.Evidence{}
		_ = proto.Unmarshal(bytes, item)
		options = append(options, hitl.Evidence(item))
	}
	for key, value := range get[map[string]string](c, "labels") {
		options = append(options, hitl.Label(key, value))
	}
	e, err := hitl.Create(ctx, asker, c.text("name"), c.text("prompt"), input, options...)
	return keep(c, e, err)
}

// askValid asks for an even number.
func (c command) askValid(ctx context.Context, asker hitl.Asker) (object, error) {
	even := func(number int64) error {
		if number%2 != 0 {
			return fmt.Errorf("%d is odd", number)
		}
		return nil
	}
	check := hitl.Check[int64]{Valid: even, Attempts: get[int](c, "attempts")}
	value, err := hitl.AskValid(ctx, asker, c.text("name"), c.text("prompt"), hitl.Int(), check)
	return object{"value": value}, err
}

// attach attaches to an event by its id, or by its place in a run.
func (c command) attach(ctx context.Context, client *hitl.Client, run *hitl.Run) (object, error) {
	switch c.text("type") {
	case "int":
		return attach[int64](ctx, client, run, c)
	case "float":
		return attach[float64](ctx, client, run, c)
	case "str", "choice":
		return attach[string](ctx, client, run, c)
	case "bool":
		return attach[bool](ctx, client, run, c)
	case "choices":
		return attach[[]string](ctx, client, run, c)
	case "review":
		return attach[hitl.Reviewed](ctx, client, run, c)
	default:
		return attach[object](ctx, client, run, c)
	}
}

func attach[T any](ctx context.Context, client *hitl.Client, run *hitl.Run, c command) (object, error) {
	if run == nil {
		e, err := hitl.Attach[T](ctx, client, c.text("event_id"))
		return keep(c, e, err)
	}
	e, err := hitl.AttachIn[T](ctx, run, c.text("name"), c.number())
	return keep(c, e, err)
}

// number is the place of an event in a run, the first unless the command says it.
func (c command) number() uint64 {
	if c["number"] == nil {
		return 1
	}
	return get[uint64](c, "number")
}

// keep keeps the event for later commands, and tells what it is.
func keep[T any](c command, e *hitl.Event[T], err error) (object, error) {
	if err != nil {
		return nil, err
	}
	mutex.Lock()
	defer mutex.Unlock()
	events[c.text("event")] = func(ctx context.Context, c command) (object, error) { return with(ctx, e, c) }
	return object{
		"event_id": e.ID(), "request_id": e.RequestID(), "name": e.Name(), "form_url": e.FormURL(),
		"api_url": e.APIURL(), "endpoint": e.Endpoint(), "existed": e.Existed(),
		"deadline_ms": e.Deadline().UnixMilli(),
	}, nil
}

// with carries out a command for an event.
func with[T any](ctx context.Context, event *hitl.Event[T], c command) (object, error) {
	switch c.text("op") {
	case "cancel_event":
		return object{}, event.Cancel(ctx, c.text("reason"))
	case "wait_details":
		details, err := event.WaitDetails(ctx)
		if err != nil {
			return nil, err
		}
		return object{"value": details.Value, "comment": details.Response.GetComment()}, nil
	case "execute":
		value, err := event.Wait(ctx)
		if err != nil {
			return nil, err
		}
		return execute(any(value).(hitl.Reviewed), c)
	case "json":
		return object{"json": event}, nil
	case "poll":
		value, hasEnded, err := event.Poll(ctx)
		if err != nil || hasEnded {
			return object{"value": value}, err
		}
		return object{"pending": true}, nil
	}
	if c["limit_ms"] == nil {
		value, err := event.Wait(ctx)
		return object{"value": value}, err
	}
	value, hasEnded, err := event.WaitFor(ctx, c.millis("limit_ms"))
	if err != nil || hasEnded {
		return object{"value": value}, err
	}
	return object{"gave_up": true}, nil
}

// execute does what was approved, and says whether the arguments of the command are that.
func execute(review hitl.Reviewed, c command) (object, error) {
	given := c["arguments"]
	if given == nil {
		given = review.Arguments
	}
	var executed json.RawMessage
	err := review.ExecuteIfApproved(c.text("action"), func(arguments json.RawMessage) error {
		executed = arguments
		return nil
	})
	return object{"executed": executed, "approves": review.Approves(c.text("action"), given)}, err
}

// within asks for so many ints while a run is the current one.
func (c command) within(ctx context.Context, client *hitl.Client) (object, error) {
	run, err := client.Run(c.text("run_id"))
	if err != nil {
		return nil, err
	}
	ctx = hitl.WithRun(ctx, run)
	var ids []string
	for range get[int](c, "count") {
		e, err := hitl.Create(ctx, client, c.text("name"), "How many?", hitl.Int())
		if err != nil {
			return nil, err
		}
		ids = append(ids, e.ID())
	}
	return object{"event_ids": ids}, nil
}

// events lists everything that matches, page by page.
func (c command) events(ctx context.Context, client *hitl.Client) (object, error) {
	listed := [][]byte{}
	request := message(c, &hitlv1.ListEventsRequest{})
	for event, err := range client.Events(ctx, request, get[int](c, "limit")) {
		if err != nil {
			return nil, err
		}
		listed = append(listed, bytes(event))
	}
	return object{"listed": listed}, nil
}

// waitMany waits for all events at once.
func (c command) waitMany(ctx context.Context, client *hitl.Client) (object, error) {
	ids := get[[]string](c, "event_ids")
	events, errs := make([][]byte, len(ids)), make([]error, len(ids))
	var group sync.WaitGroup
	for at, id := range ids {
		group.Go(func() {
			event, err := client.WaitEvent(ctx, id)
			events[at], errs[at] = bytes(event), err
		})
	}
	group.Wait()
	return object{"events": events}, errors.Join(errs...)
}

// watch returns the changes up to the end of the last event.
func (c command) watch(ctx context.Context, client *hitl.Client) (object, error) {
	var changes []object
	for change, err := range client.Watch(ctx, message(c, &hitlv1.WatchEventsRequest{})) {
		if err != nil {
			return nil, err
		}
		changes = append(changes, object{
			"kind": change.Kind, "event": bytes(change.Event), "resume_token": change.ResumeToken,
		})
		if change.Kind == hitlv1.ChangeKind_CHANGE_KIND_ENDED && change.Event.GetName() == c.text("last") {
			break
		}
	}
	return object{"changes": changes}, nil
}

func results[M proto.Message](name string, results []hitl.Result[M]) (object, error) {
	outcomes := make([]object, len(results))
	for at, result := range results {
		if result.Err != nil {
			outcomes[at] = object{"error": failure(result.Err)}
		} else {
			outcomes[at] = object{name: bytes(result.Value)}
		}
	}
	return object{"results": outcomes}, nil
}

func failure(err error) object {
	failed := &hitl.Error{Kind: "adapter", Message: err.Error()}
	errors.As(err, &failed)
	return object{
		"kind": failed.Kind, "reason": failed.Reason, "message": failed.Message, "retryable": failed.Retryable,
		"fields": failed.FieldViolations, "response": bytes(failed.Response),
	}
}

func reply(event *hitlv1.Event, err error) (object, error) { return object{"event": bytes(event)}, err }

func bytes(message proto.Message) []byte {
	encoded, _ := proto.Marshal(message)
	return encoded
}

// message reads the message of the API that goes with the command.
func message[M proto.Message](c command, message M) M {
	_ = proto.Unmarshal(get[[]byte](c, "message"), message)
	return message
}

// messages reads those of a command that takes many.
func messages[T any, M interface {
	*T
	proto.Message
}](c command) []*T {
	var messages []*T
	for _, bytes := range get[[][]byte](c, "messages") {
		message := new(T)
		_ = proto.Unmarshal(bytes, M(message))
		messages = append(messages, message)
	}
	return messages
}

func (c command) text(member string) string { return get[string](c, member) }

func (c command) millis(member string) time.Duration {
	return time.Duration(get[int64](c, member)) * time.Millisecond
}

// get reads a member, zero if there is none.
func get[T any](c command, member string) (value T) {
	_ = json.Unmarshal(c[member], &value)
	return value
}

// set calls a setter with a member, if there is one.
func set[T, I any](c command, member string, setter func(T) I) {
	if c[member] != nil {
		setter(get[T](c, member))
	}
}

func offer[I any](c command, option func(value, label string) I) {
	for _, pair := range get[[][2]string](c, "options") {
		option(pair[0], pair[1])
	}
}
