package hitl

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"

	"hitl.dev/go/hitlv1"
)

// Attach returns an event that was asked before, by this program or another, whose answer is a T: an int64,
// float64, string, bool, []string, a [Reviewed], a struct as [Object] has it, or a map[string]any.
//
// The error is [NotFound] if there is no such event, [Invalid] if its answer is no T.
func Attach[T any](ctx context.Context, client *Client, eventID string) (*Event[T], error) {
	record, err := client.Get(ctx, eventID)
	if err != nil {
		return nil, err
	}
	input, err := storedInput[T](record.GetInput())
	if err != nil {
		return nil, err
	}
	return &Event[T]{client, input, record, true, &atomic.Bool{}}, nil
}

// AttachIn returns the n-th event of the name in the run, the first of them by 1, as [Attach] does. It counts
// nothing.
func AttachIn[T any](ctx context.Context, run *Run, name string, n uint64) (*Event[T], error) {
	if n == 0 {
		return nil, newError(Invalid, "the events of a run are counted from 1")
	}
	series := series{run.client.Namespace(), run.id, name}
	return Attach[T](ctx, run.client, series.eventID(n))
}

// storedInput returns the input that reads what answers a stored one as a T.
func storedInput[T any](stored *hitlv1.Input) (input Input[T], err error) {
	candidates := map[string][]any{
		"int": {Int()}, "float": {Float()}, "str": {Str()}, "bool": {Bool()},
		"choice": {Choices()}, "object": {}, "review": {&ReviewInput{}},
	}
	if choice := stored.GetChoice(); max(choice.GetMinSelected(), choice.GetMaxSelected()) <= 1 {
		candidates["choice"] = []any{Choice(), Choices()}
	}
	asked := kindOfInput(stored)
	for _, candidate := range candidates[asked] {
		if input, ok := candidate.(Input[T]); ok {
			return input, nil
		}
	}
	if asked != "object" {
		help := "the event asks for %s, not %v"
		return nil, newError(Invalid, fmt.Sprintf(help, asked, reflect.TypeFor[T]()))
	}
	object := Object[T]()
	return object, object.holds(stored.GetObject())
}

// kindOfInput names what is asked for, empty if this version does not know it.
func kindOfInput(input *hitlv1.Input) string {
	switch input.GetKind().(type) {
	case *hitlv1.Input_Int:
		return "int"
	case *hitlv1.Input_Float:
		return "float"
	case *hitlv1.Input_Str:
		return "str"
	case *hitlv1.Input_Bool:
		return "bool"
	case *hitlv1.Input_Choice:
		return "choice"
	case *hitlv1.Input_Object:
		return "object"
	case *hitlv1.Input_Review:
		return "review"
	default:
		return ""
	}
}

// holds is an error unless the T has a field for each that is asked for.
func (i *ObjectInput[T]) holds(stored *hitlv1.ObjectInput) error {
	kind := reflect.TypeFor[T]()
	if kind == reflect.TypeFor[map[string]any]() {
		return nil
	}
	if kind.Kind() != reflect.Struct {
		help := "the event asks for object, not %v: give a struct or map[string]any"
		return newError(Invalid, fmt.Sprintf(help, kind))
	}
	var own []string
	for _, field := range reflect.VisibleFields(kind) {
		own = append(own, jsonName(field))
	}
	var missing []string
	for name := range propertiesOf(stored) {
		if !slices.Contains(own, name) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 && !decodesItself(kind) {
		slices.Sort(missing)
		help := "the event asks for fields that %v does not have: %s"
		return newError(Invalid, oneLine(fmt.Sprintf(help, kind, strings.Join(missing, ", "))))
	}
	return nil
}
