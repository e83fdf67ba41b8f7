package hitl

import (
	"errors"
	"strings"
	"testing"

	"hitl.dev/go/hitlv1"
)

func TestATagSaysWhatTheSchemaCanHold(t *testing.T) {
	type tagged struct {
		Mail   string   `hitl:"format=email,minLength=3,maxLength=80,pattern=^a=b|c$,description=Yours,default=a=b"`
		Share  float64  `hitl:"minimum=-0.5,maximum=1e3,default=0.5"`
		Urgent bool     `hitl:"title=Now?,default=true"`
		Region string   `hitl:"enum=eu|us,enumNames=Europe|America,default=us"`
		Checks []string `hitl:"enum=lint|test,enumNames=Lint|Test,minItems=0,maxItems=2,default=lint|test"`
	}
	input, _, err := Object[tagged]().message()
	if err != nil {
		t.Fatal(err)
	}
	expected := `{"type":"object","properties":{` +
		`"Mail":{"default":"a=b","description":"Yours","format":"email","maxLength":80,"minLength":3,` +
		`"pattern":"^a=b|c$","type":"string"},` +
		`"Share":{"default":0.5,"maximum":1e3,"minimum":-0.5,"type":"number"},` +
		`"Urgent":{"default":true,"title":"Now?","type":"boolean"},` +
		`"Region":{"default":"us","enum":["eu","us"],"enumNames":["Europe","America"],"type":"string"},` +
		`"Checks":{"default":["lint","test"],"items":{"enum":["lint","test"],"enumNames":["Lint","Test"],` +
		`"type":"string"},"maxItems":2,"minItems":0,"type":"array"}},` +
		`"required":["Mail","Share","Urgent","Region","Checks"]}`
	if schema := input.GetObject().GetJsonSchema(); schema != expected {
		t.Fatal(schema)
	}
}

func TestATagThatIsNotUnderstoodIsRefusedAndNamed(t *testing.T) {
	for named, asked := range map[string]interface {
		message() (*hitlv1.Input, *hitlv1.Value, error)
	}{
		`"minimum=few"`: Object[struct {
			N int64 `hitl:"minimum=few"`
		}](),
		`"min=1"`: Object[struct {
			N int64 `hitl:"min=1"`
		}](),
		`"minLength=1"`: Object[struct {
			N int64 `hitl:"minLength=1"`
		}](),
		`"enum=1|2"`: Object[struct {
			N int64 `hitl:"enum=1|2"`
		}](),
		`" in all"`: Object[struct {
			S string `hitl:"description=a few, in all"`
		}](),
		`"multiline"`: Object[struct {
			S string `hitl:"multiline"`
		}](),
		`maxLength twice`: Object[struct {
			S string `hitl:"maxLength=1,maxLength=2"`
		}](),
		`"default=yes"`: Object[struct {
			B bool `hitl:"default=yes"`
		}](),
		"needs `enum`": Object[struct {
			L []string `hitl:"minItems=1"`
		}](),
		`the tag "validate"`: Object[struct {
			N int64 `validate:"min=1"`
		}](),
		"leaves the field out": Object[struct {
			hidden int64 `hitl:"minimum=1"`
		}](),
	} {
		if _, _, err := asked.message(); !errors.Is(err, Invalid) || !strings.Contains(err.Error(), named) {
			t.Errorf("%s: %v", named, err)
		}
	}
}
