package hitl

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"hitl.dev/go/hitlv1"
)

type level int8

type narrowed struct {
	A int8     `json:"a"`
	B int16    `json:"b"`
	C int32    `json:"c"`
	D int64    `json:"d"`
	E uint8    `json:"e"`
	F uint16   `json:"f"`
	G uint32   `json:"g"`
	H uint64   `json:"h"`
	I float32  `json:"i"`
	J level    `json:"j"`
	K *uint16  `json:"k"`
	L *float32 `json:"l"`
	M uint8    `json:"m" hitl:"minimum=1,maximum=9"`
	N int8     `json:"n" hitl:"minimum=-300,maximum=3e2"`
}

func TestTheSchemaBoundsWhatTheTypeHolds(t *testing.T) {
	const single = `"maximum":3.4028234663852886e+38,"minimum":-3.4028234663852886e+38,"type":"number"`
	whole := func(smallest, largest string) string {
		return fmt.Sprintf(`"maximum":%s,"minimum":%s,"type":"integer"`, largest, smallest)
	}
	expected := map[string]string{
		"a": whole("-128", "127"), "b": whole("-32768", "32767"), "c": whole("-2147483648", "2147483647"),
		"d": `"type":"integer"`, "e": whole("0", "255"), "f": whole("0", "65535"),
		"g": whole("0", "4294967295"), "h": `"minimum":0,"type":"integer"`, "i": single,
		"j": whole("-128", "127"), "k": whole("0", "65535"), "l": single, "m": whole("1", "9"),
		"n": whole("-128", "127"),
	}
	input, _, err := Object[narrowed]().message()
	if err != nil {
		t.Fatal(err)
	}
	var schema struct{ Properties map[string]json.RawMessage }
	if err := json.Unmarshal([]byte(input.GetObject().GetJsonSchema()), &schema); err != nil {
		t.Fatal(err)
	}
	for name, property := range expected {
		if got := string(schema.Properties[name]); got != "{"+property+"}" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// A field that encoding/json reads in a way of its own could never be answered.
func TestATypeWhoseValuesNothingBoundsIsRefusedAtOnce(t *testing.T) {
	type base struct{ Note string }
	for _, asked := range []interface {
		message() (*hitlv1.Input, *hitlv1.Value, error)
	}{
		Object[struct{ At time.Time }](),
		Object[struct{ At *time.Time }](),
		Object[struct{ From netip.Addr }](),
		Object[struct{ N json.Number }](),
		Object[struct{ Words []json.Number }](),
		Object[struct{ Raw json.RawMessage }](),
		Object[struct{ Any any }](),
		Object[struct{ N uintptr }](),
		Object[struct{ N [2]string }](),
		Object[struct{ N **int }](),
		Object[struct{ Numbers []int }](),
		Object[struct {
			N int64 `json:",string"`
		}](),
		Object[struct{ base }](),
		Object[struct{ *base }](),
	} {
		if _, _, err := asked.message(); !errors.Is(err, Invalid) {
			t.Errorf("%T: %v", asked, err)
		}
	}
}

func TestAnAnswerBeyondItsTypeIsAnErrorOnce(t *testing.T) {
	const schema = `{"type":"object","properties":{"n":{"type":"integer"}}}`
	fields := map[string]*hitlv1.Value{"n": intValue(70_000)}
	object := &hitlv1.Value_Object{Object: &hitlv1.ObjectValue{Fields: fields}}
	answer := func(eventID string) *hitlv1.WaitEventsResponse {
		return stands(eventID, hitlv1.EventState_EVENT_STATE_ANSWERED, &hitlv1.Value{Kind: object})
	}
	script := &script{steps: []step{{reply: answer}}}
	scripted(t, script, Config{}, func(t *testing.T, client *Client) {
		input := Object[struct{ N uint16 }]().Schema(schema)
		event, err := Create(t.Context(), client, "n", "?", input)
		if err != nil {
			t.Fatal(err)
		}
		_, err = event.Wait(t.Context())
		if !errors.Is(err, Internal) || !strings.Contains(err.Error(), "70000") || script.calls != 1 {
			t.Fatal(err, script.calls)
		}
	})
}
