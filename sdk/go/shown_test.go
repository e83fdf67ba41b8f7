package hitl

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"hitl.dev/go/hitlv1"
)

// Every hidden character once, of each range the first and the last.
const hidden = "\x00\x1b\x1f\x7f\u0080\u009f\u00ad\u061c\u180e\u200b\u200f\u2028\u202e\u2060\u2069\ufeff" +
	"\U000e0000\U000e007f\n\r\t"

func TestHiddenCharactersAreShownInOneLine(t *testing.T) {
	expected := `\u{0}\u{1B}\u{1F}\u{7F}\u{80}\u{9F}\u{AD}\u{61C}\u{180E}\u{200B}\u{200F}\u{2028}\u{202E}` +
		`\u{2060}\u{2069}\u{FEFF}\u{E0000}\u{E007F}\n\r\t`
	if got := oneLine(hidden); got != expected {
		t.Fatal(got)
	}
	if plain := "Zoë, 日本語 👍 \\n"; oneLine(plain) != plain {
		t.Fatal(oneLine(plain))
	}
}

func isShown(text string) bool { return !strings.ContainsFunc(text, isHidden) }

func TestNoErrorTextHasHiddenCharactersWhoeverWroteThem(t *testing.T) {
	event := &hitlv1.Event{Name: hidden, Response: &hitlv1.Response{
		Reason: "no\n\"deploy\" was answered" + hidden, Responder: &hitlv1.Responder{Name: hidden},
	}}
	violation := &errdetails.BadRequest_FieldViolation{Field: hidden, Description: hidden}
	refused := refusal(codes.InvalidArgument, "R", "hitl.v1",
		&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{violation}})
	proxied := status.Error(codes.Unavailable, hidden)
	text := &hitlv1.Value{Kind: &hitlv1.Value_Str{Str: hidden}}
	_, notANumber := Int().read(text, nil)
	_, notOne := Choice().read(picked([]string{hidden, hidden}), nil)
	_, setting := resolve(Config{Endpoint: "http://" + hidden}, nil)
	errs := []error{
		outcomeError(Declined, "declined", event), read(refused, nil), read(proxied, nil),
		read(proxied, errors.New(hidden)), notANumber, notOne, setting,
	}
	for _, err := range errs {
		if text := fmt.Sprintf("%v", err); !isShown(text) {
			t.Errorf("%q", text)
		}
	}
	if log := noServer("it ends:\n%s", hidden).Error(); !isShown(strings.NewReplacer("\n", "", "\t", "").Replace(log)) {
		t.Errorf("%q", log)
	}
	if field := read(refused, nil).FieldViolations[0]; !isShown(fmt.Sprint(field)) || field.Field != hidden {
		t.Errorf("%q", fmt.Sprint(field))
	}
	var declined *Error
	if errors.As(errs[0], &declined); declined.Response.GetResponder().GetName() != hidden {
		t.Error("the response itself has changed")
	}
}

func TestAnAnswerReachesTheProgramAsItWasWritten(t *testing.T) {
	text := &hitlv1.Value{Kind: &hitlv1.Value_Str{Str: hidden}}
	if answer, err := Str().read(text, nil); answer != hidden || err != nil {
		t.Fatalf("%q %v", answer, err)
	}
}

func TestNothingPrintsTheLinksOfAnEvent(t *testing.T) {
	client, err := NewClient(Config{Endpoint: "http://host:1"})
	if err != nil {
		t.Fatal(err)
	}
	record := &hitlv1.Event{
		Id: "0123", Name: "deploy" + hidden, FormUrl: "http://host:1/e/secret", ApiUrl: "http://host:1/a/secret",
	}
	event := &Event[int64]{client: client, input: Int(), record: record, isTold: &atomic.Bool{}}
	encoded, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{string(encoded), event.String(), event.LogValue().String()}
	for _, verb := range []string{"%v", "%+v", "%s", "%#v"} {
		texts = append(texts, fmt.Sprintf(verb, event), fmt.Sprintf(verb, *event), fmt.Sprintf(verb, client),
			fmt.Sprintf(verb, []any{event, client}))
	}
	for _, text := range texts {
		if strings.Contains(text, "secret") {
			t.Error(text)
		}
	}
	if !strings.Contains(event.String(), "0123") || !isShown(event.String()) || !isShown(event.LogValue().String()) {
		t.Errorf("%q", event.String())
	}
	if !strings.Contains(string(encoded), `"id":"0123"`) {
		t.Errorf("%s", encoded)
	}
}
