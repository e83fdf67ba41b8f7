package hitlv1

import (
	"fmt"
	"log/slog"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// What fmt and log/slog print of an event, and of the messages that have one, is everything but its
// links: what is printed ends in logs and bug reports, and whoever has a link can answer. The links
// themselves are in the fields, in String, and in what proto, protojson and prototext write.

// secret stands for a link, so that nobody takes it for missing.
const secret = "(secret)"

// Format implements [fmt.Formatter], without the links.
func (x *Event) Format(state fmt.State, verb rune) { format(state, verb, x) }

// Format implements [fmt.Formatter], without the links.
func (x *CreateEventResponse) Format(state fmt.State, verb rune) { format(state, verb, x) }

// Format implements [fmt.Formatter], without the links.
func (x *GetEventResponse) Format(state fmt.State, verb rune) { format(state, verb, x) }

// Format implements [fmt.Formatter], without the links.
func (x *ListEventsResponse) Format(state fmt.State, verb rune) { format(state, verb, x) }

// Format implements [fmt.Formatter], without the links.
func (x *WaitEventResponse) Format(state fmt.State, verb rune) { format(state, verb, x) }

// Format implements [fmt.Formatter], without the links.
func (x *AnswerEventResponse) Format(state fmt.State, verb rune) { format(state, verb, x) }

// Format implements [fmt.Formatter], without the links.
func (x *DeclineEventResponse) Format(state fmt.State, verb rune) { format(state, verb, x) }

// Format implements [fmt.Formatter], without the links.
func (x *CancelEventResponse) Format(state fmt.State, verb rune) { format(state, verb, x) }

// Format implements [fmt.Formatter], without the links.
func (x *RemindEventResponse) Format(state fmt.State, verb rune) { format(state, verb, x) }

// Format implements [fmt.Formatter], without the links.
func (x *ClaimEventResponse) Format(state fmt.State, verb rune) { format(state, verb, x) }

// Format implements [fmt.Formatter], without the links.
func (x *ReleaseEventResponse) Format(state fmt.State, verb rune) { format(state, verb, x) }

// Format implements [fmt.Formatter], without the links.
func (x *DelegateEventResponse) Format(state fmt.State, verb rune) { format(state, verb, x) }

// Format implements [fmt.Formatter], without the links.
func (x *WatchEventsResponse) Format(state fmt.State, verb rune) { format(state, verb, x) }

// Format implements [fmt.Formatter], without the links.
func (x *Change) Format(state fmt.State, verb rune) { format(state, verb, x) }

// Format implements [fmt.Formatter], without the links.
func (x *WaitEventsResponse) Format(state fmt.State, verb rune) { format(state, verb, x) }

// Format implements [fmt.Formatter], without the links.
func (x *BatchCreateEventsResponse) Format(state fmt.State, verb rune) { format(state, verb, x) }

// Format implements [fmt.Formatter], without the links.
func (x *CreateEventResult) Format(state fmt.State, verb rune) { format(state, verb, x) }

// LogValue implements [slog.LogValuer], without the links.
func (x *Event) LogValue() slog.Value { return logValue(x) }

// LogValue implements [slog.LogValuer], without the links.
func (x *CreateEventResponse) LogValue() slog.Value { return logValue(x) }

// LogValue implements [slog.LogValuer], without the links.
func (x *GetEventResponse) LogValue() slog.Value { return logValue(x) }

// LogValue implements [slog.LogValuer], without the links.
func (x *ListEventsResponse) LogValue() slog.Value { return logValue(x) }

// LogValue implements [slog.LogValuer], without the links.
func (x *WaitEventResponse) LogValue() slog.Value { return logValue(x) }

// LogValue implements [slog.LogValuer], without the links.
func (x *AnswerEventResponse) LogValue() slog.Value { return logValue(x) }

// LogValue implements [slog.LogValuer], without the links.
func (x *DeclineEventResponse) LogValue() slog.Value { return logValue(x) }

// LogValue implements [slog.LogValuer], without the links.
func (x *CancelEventResponse) LogValue() slog.Value { return logValue(x) }

// LogValue implements [slog.LogValuer], without the links.
func (x *RemindEventResponse) LogValue() slog.Value { return logValue(x) }

// LogValue implements [slog.LogValuer], without the links.
func (x *ClaimEventResponse) LogValue() slog.Value { return logValue(x) }

// LogValue implements [slog.LogValuer], without the links.
func (x *ReleaseEventResponse) LogValue() slog.Value { return logValue(x) }

// LogValue implements [slog.LogValuer], without the links.
func (x *DelegateEventResponse) LogValue() slog.Value { return logValue(x) }

// LogValue implements [slog.LogValuer], without the links.
func (x *WatchEventsResponse) LogValue() slog.Value { return logValue(x) }

// LogValue implements [slog.LogValuer], without the links.
func (x *Change) LogValue() slog.Value { return logValue(x) }

// LogValue implements [slog.LogValuer], without the links.
func (x *WaitEventsResponse) LogValue() slog.Value { return logValue(x) }

// LogValue implements [slog.LogValuer], without the links.
func (x *BatchCreateEventsResponse) LogValue() slog.Value { return logValue(x) }

// LogValue implements [slog.LogValuer], without the links.
func (x *CreateEventResult) LogValue() slog.Value { return logValue(x) }

func format(state fmt.State, verb rune, message stringer) {
	_, _ = fmt.Fprintf(state, fmt.FormatString(state, verb), withoutLinks(message))
}

func logValue(message stringer) slog.Value { return slog.StringValue(withoutLinks(message)) }

type stringer interface {
	proto.Message
	fmt.Stringer
}

func withoutLinks(message stringer) string {
	if !message.ProtoReflect().IsValid() {
		return "<nil>"
	}
	clone := proto.Clone(message)
	hideLinks(clone.ProtoReflect())
	return clone.(stringer).String()
}

func hideLinks(message protoreflect.Message) {
	if event, ok := message.Interface().(*Event); ok {
		for _, link := range []*string{&event.FormUrl, &event.ApiUrl} {
			if *link != "" {
				*link = secret
			}
		}
		return
	}
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.Message() == nil || field.IsMap():
		case field.IsList():
			for at := range value.List().Len() {
				hideLinks(value.List().Get(at).Message())
			}
		default:
			hideLinks(value.Message())
		}
		return true
	})
}
