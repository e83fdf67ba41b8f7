package main

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"

	"hitl.dev/go"
	"hitl.dev/go/hitlv1"
)

// command is a line as it was written, member by member.
type command map[string]json.RawMessage

func (c command) text(member string) string { return get[string](c[member]) }

// get reads a member, zero if there is none. Numbers may be in quotes.
func get[T any](raw json.RawMessage) (value T) {
	if json.Unmarshal(raw, &value) != nil {
		_ = json.Unmarshal([]byte(strings.Trim(string(raw), `"`)), &value)
	}
	return value
}

func given[T any](raw json.RawMessage, use func(T)) {
	if raw != nil {
		use(get[T](raw))
	}
}

// set calls a setter of an input if there is a member for it.
func set[T, I any](raw json.RawMessage, setter func(T) I) {
	given(raw, func(value T) { setter(value) })
}

type picked struct{ Selected []string }

func (c command) question(ctx context.Context, client *hitl.Client) (object, error) {
	value := get[map[string]json.RawMessage](c["default"])
	switch c.text("type") {
	case "int":
		input := hitl.Int()
		set(c["min"], input.Min)
		set(c["max"], input.Max)
		set(value["int"], input.DefaultOnTimeout)
		return ask(ctx, client, c, input)
	case "float":
		input := hitl.Float()
		set(c["min"], input.Min)
		set(c["max"], input.Max)
		set(value["float"], input.DefaultOnTimeout)
		return ask(ctx, client, c, input)
	case "str":
		input := hitl.Str().Format(hitlv1.StrFormat(hitlv1.StrFormat_value["STR_FORMAT_"+c.text("format")]))
		set(c["min_length"], input.MinLength)
		set(c["max_length"], input.MaxLength)
		set(c["pattern"], input.Pattern)
		set(value["str"], input.DefaultOnTimeout)
		if get[bool](c["multiline"]) {
			input.Multiline()
		}
		return ask(ctx, client, c, input)
	case "bool":
		input := hitl.Bool().Labels(c.text("yes"), c.text("no"))
		set(value["bool"], input.DefaultOnTimeout)
		return ask(ctx, client, c, input)
	case "choice":
		input := hitl.Choice()
		for _, option := range get[[]struct{ Value, Label string }](c["options"]) {
			input.Option(option.Value, option.Label)
		}
		given(value["choice"], func(v picked) { input.DefaultOnTimeout(v.Selected[0]) })
		return ask(ctx, client, c, input)
	case "choices":
		input := hitl.Choices()
		for _, option := range get[[]struct{ Value, Label string }](c["options"]) {
			input.Option(option.Value, option.Label)
		}
		set(c["min_selected"], input.MinSelected)
		set(c["max_selected"], input.MaxSelected)
		given(value["choice"], func(v picked) { input.DefaultOnTimeout(v.Selected...) })
		return ask(ctx, client, c, input)
	default:
		input := hitl.Object[object]().Schema(string(c["schema"]))
		given(c["default"], func(value json.RawMessage) { input.DefaultOnTimeout(native(value)) })
		return ask(ctx, client, c, input)
	}
}

// ask asks, and for a create keeps the event.
func ask[T any](ctx context.Context, client *hitl.Client, c command, input hitl.Input[T]) (object, error) {
	reply := func(answer T, err error) (object, error) { return object{"value": c.value(answer)}, err }
	name, prompt := c.text("name"), c.text("prompt")
	if c.text("op") == "ask" {
		return reply(hitl.Ask(ctx, name, prompt, input))
	}
	e, err := hitl.Create(ctx, client, name, prompt, input, c.options()...)
	if err != nil {
		return nil, err
	}
	mutex.Lock()
	defer mutex.Unlock()
	wait := func(ctx context.Context) (object, error) { return reply(e.Wait(ctx)) }
	events[c.text("event")] = asked{wait, e.Cancel}
	return object{
		"event_id": e.ID(), "request_id": e.RequestID(), "name": e.Name(), "form_url": e.FormURL(),
		"api_url": e.APIURL(), "endpoint": e.Endpoint(), "existed": e.Existed(),
		"deadline_ms": e.Deadline().UnixMilli(),
	}, nil
}

func (c command) options() (options []hitl.Option) {
	add := func(option hitl.Option) { options = append(options, option) }
	given(c["scope"], func(scope string) { add(hitl.Scope(scope)) })
	given(c["timeout_ms"], func(ms int64) { add(hitl.Timeout(millis(ms))) })
	given(c["idempotency_key"], func(key string) { add(hitl.IdempotencyKey(key)) })
	for key, value := range get[map[string]string](c["labels"]) {
		add(hitl.Label(key, value))
	}
	if get[bool](c["markdown"]) {
		add(hitl.Markdown())
	}
	return options
}

func (c command) answer() hitl.Answer {
	switch {
	case c["value"] != nil:
		value := &hitlv1.Value{}
		_ = protojson.Unmarshal(c["value"], value)
		return hitl.Value(value)
	case c["json"] != nil:
		return hitl.JSON(string(c["json"]))
	default:
		return hitl.Text(c.text("text"))
	}
}

// value is what the SDK returned as a value of the API.
func (c command) value(answer any) json.RawMessage {
	text, _ := json.Marshal(c.tagged(answer, c.text("type") == "choice"))
	value := &hitlv1.Value{}
	_ = protojson.Unmarshal(text, value)
	return canonical(value)
}

func (c command) tagged(answer any, isChoice bool) object {
	switch answer := answer.(type) {
	case int64:
		return object{"int": strconv.FormatInt(answer, 10)}
	case float64:
		return object{"float": answer}
	case bool:
		return object{"bool": answer}
	case []string:
		return object{"choice": object{"selected": answer}}
	case string:
		if isChoice {
			return c.tagged([]string{answer}, true)
		}
		return object{"str": answer}
	}
	schema := get[struct{ Properties map[string]object }](c["schema"])
	fields := object{}
	for name, field := range answer.(object) {
		property := schema.Properties[name]
		fields[name] = c.tagged(field, property["enum"] != nil || property["oneOf"] != nil)
	}
	return object{"object": object{"fields": fields}}
}

// native is an object as the SDK takes it.
func native(value json.RawMessage) object {
	message := &hitlv1.Value{}
	_ = protojson.Unmarshal(value, message)
	fields := object{}
	for name, field := range message.GetObject().GetFields() {
		field.ProtoReflect().Range(func(_ protoreflect.FieldDescriptor, kind protoreflect.Value) bool {
			fields[name] = kind.Interface()
			return true
		})
		if choice := field.GetChoice(); choice != nil {
			fields[name] = choice.GetSelected()
		}
	}
	return fields
}

// canonical is a value as JSON of the API, null if there is none.
func canonical(value *hitlv1.Value) json.RawMessage {
	if value == nil {
		return json.RawMessage("null")
	}
	text, _ := protojson.Marshal(value)
	return text
}
