package hitl

import (
	"encoding/json"
	"errors"
	"math"
	"testing"

	"google.golang.org/protobuf/proto"

	"hitl.dev/go/hitlv1"
)

type deploy struct {
	Replicas int64    `json:"replicas" hitl:"minimum=1,title=How many"`
	Share    float64  `json:"share"`
	Region   string   `json:"region" hitl:"enum=eu|us"`
	Checks   []string `json:"checks" hitl:"enum=lint|test,minItems=1"`
	Note     *string  `json:"note" hitl:"maxLength=80"`
	Urgent   bool     `json:",omitempty"`
	Skipped  func()   `json:"-"`
}

func TestTheSchemaFollowsTheStruct(t *testing.T) {
	input, _, err := Object[deploy]().message()
	if err != nil {
		t.Fatal(err)
	}
	expected := `{"type":"object","properties":{` +
		`"replicas":{"minimum":1,"title":"How many","type":"integer"},` +
		`"share":{"type":"number"},` +
		`"region":{"enum":["eu","us"],"type":"string"},` +
		`"checks":{"items":{"enum":["lint","test"],"type":"string"},"minItems":1,"type":"array"},` +
		`"note":{"maxLength":80,"type":"string"},` +
		`"Urgent":{"type":"boolean"}},` +
		`"required":["replicas","share","region","checks"]}`
	if schema := input.GetObject().GetJsonSchema(); schema != expected {
		t.Fatal(schema)
	}
}

func TestAnObjectReturnsAsItsStruct(t *testing.T) {
	value := deploy{
		Replicas: math.MaxInt64, Share: 1, Region: "eu", Checks: []string{"lint"}, Urgent: true,
	}
	input := Object[deploy]().DefaultOnTimeout(value)
	returns(t, input, value)
	_, travelled, _ := input.message()
	expected := map[string]*hitlv1.Value{
		"replicas": intValue(math.MaxInt64),
		"share":    {Kind: &hitlv1.Value_Float{Float: 1}},
		"region":   picked([]string{"eu"}),
		"checks":   picked([]string{"lint"}),
		"Urgent":   {Kind: &hitlv1.Value_Bool{Bool: true}},
	}
	object := &hitlv1.Value_Object{Object: &hitlv1.ObjectValue{Fields: expected}}
	if !proto.Equal(travelled, &hitlv1.Value{Kind: object}) {
		t.Fatal(travelled)
	}
}

func TestAMapGetsNativeValuesAndNeedsASchema(t *testing.T) {
	schema := `{"type":"object","properties":{"n":{"type":"integer"},"x":{"type":"number"},` +
		`"s":{"type":"string","oneOf":[{"const":"a"}]},"l":{"type":"array"}}}`
	value := map[string]any{"n": int64(math.MinInt64), "x": 1.0, "s": "a", "l": []string{"b"}}
	returns(t, Object[map[string]any]().Schema(schema).DefaultOnTimeout(value), value)
	if _, _, err := Object[map[string]any]().message(); !errors.Is(err, Invalid) {
		t.Fatal(err)
	}
}

func TestWhatIsNotFlatIsInvalid(t *testing.T) {
	nested := map[string]any{"a": map[string]any{"b": 1}}
	mixed := map[string]any{"a": []any{1}}
	for _, value := range []any{nested, mixed, []int{1}, json.RawMessage("{")} {
		_, _, err := Object[any]().Schema("{}").DefaultOnTimeout(value).message()
		if !errors.Is(err, Invalid) {
			t.Fatal(value, err)
		}
	}
	if _, _, err := Object[struct{ Inner deploy }]().message(); !errors.Is(err, Invalid) {
		t.Fatal(err)
	}
}

func TestAnAnswerThatDoesNotFitItsStructIsAnError(t *testing.T) {
	fields := map[string]*hitlv1.Value{"replicas": {Kind: &hitlv1.Value_Str{Str: "many"}}}
	object := &hitlv1.Value_Object{Object: &hitlv1.ObjectValue{Fields: fields}}
	if _, err := Object[deploy]().read(&hitlv1.Value{Kind: object}, nil); !errors.Is(err, Internal) {
		t.Fatal(err)
	}
}
