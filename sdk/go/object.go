package hitl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"hitl.dev/go/hitlv1"
)

// ObjectInput asks for several fields, answered together as a T.
type ObjectInput[T any] struct {
	schema   string
	fallback *T
}

// Object asks for several fields, answered together as a T: a struct, or a map[string]any, which gets
// int64, float64, string, bool and []string.
//
// A struct travels as encoding/json has it. Its schema is derived from its fields: whole numbers,
// numbers, strings, bools and slices of strings, of which pointers and those with omitempty or
// omitzero need no answer. An answer is never beyond what a field's type holds: a uint16 asks for 0 to
// 65535. What else it must keep to stands in a tag, by the keywords of JSON Schema:
//
//	Replicas int64    `json:"replicas" hitl:"minimum=1,maximum=9,title=How many"`
//	Region   string   `json:"region" hitl:"enum=eu|us"`
//	Checks   []string `json:"checks" hitl:"enum=lint|test,minItems=1"`
//
// Of text and slices there are minLength, maxLength, pattern, format, enumNames, minItems and maxItems, of every
// field title, description and default. A tag that is not understood is refused, and so are those of other
// packages (validate, binding, jsonschema), since nobody would be held to them.
//
// A map, a type that decodes itself, and what a tag cannot say, needs [ObjectInput.Schema].
func Object[T any]() *ObjectInput[T] { return &ObjectInput[T]{} }

// Schema gives the fields as JSON text: a flat JSON Schema; [hitlv1.ObjectInput] says what it may hold.
// It is asked as it is given, so it is for you to keep an answer to what the T can hold.
func (i *ObjectInput[T]) Schema(schema string) *ObjectInput[T] {
	i.schema = schema
	return i
}

// DefaultOnTimeout is the value to go on with when nobody answers in time.
func (i *ObjectInput[T]) DefaultOnTimeout(value T) *ObjectInput[T] {
	i.fallback = &value
	return i
}

func (i *ObjectInput[T]) message() (*hitlv1.Input, *hitlv1.Value, error) {
	text := i.schema
	if text == "" {
		var err error
		if text, err = schemaOf(reflect.TypeFor[T]()); err != nil {
			return nil, nil, newError(Invalid, err.Error())
		}
	}
	object := &hitlv1.ObjectInput{JsonSchema: text}
	input := &hitlv1.Input{Kind: &hitlv1.Input_Object{Object: object}}
	if i.fallback == nil {
		return input, nil, nil
	}
	fallback, err := objectValue(*i.fallback, propertiesOf(object))
	if err != nil {
		return nil, nil, newError(Invalid, fmt.Sprintf("the default does not fit its schema: %v", err))
	}
	return input, fallback, nil
}

func (i *ObjectInput[T]) read(value *hitlv1.Value, stored *hitlv1.Input) (answer T, err error) {
	if err := expect[*hitlv1.Value_Object](value); err != nil {
		return answer, err
	}
	properties := propertiesOf(stored.GetObject())
	fields := map[string]any{}
	for name, field := range value.GetObject().GetFields() {
		fields[name] = native(field, properties[name])
	}
	if untyped, ok := any(&answer).(*map[string]any); ok {
		*untyped = fields
		return answer, nil
	}
	text, err := json.Marshal(fields)
	if err == nil {
		err = json.Unmarshal(text, &answer)
	}
	if err != nil {
		help := "the answer does not fit its struct: %v; the struct and the schema must agree"
		return answer, newError(Internal, oneLine(fmt.Sprintf(help, err)))
	}
	return answer, nil
}

// property is the part of a field's schema that decides how its value travels.
type property struct {
	Type  string
	Enum  []any
	OneOf []any
}

// propertiesOf reads the schema. What is not one is the server's to refuse.
func propertiesOf(input *hitlv1.ObjectInput) map[string]property {
	var schema struct{ Properties map[string]property }
	_ = json.Unmarshal([]byte(input.GetJsonSchema()), &schema)
	return schema.Properties
}

// native is a field as Go and JSON have it. An enum travels as a choice even when one alone can be
// picked: whether it is a string or an array is for its property to say.
func native(value *hitlv1.Value, property property) any {
	switch kind := value.GetKind().(type) {
	case *hitlv1.Value_Int:
		return kind.Int
	case *hitlv1.Value_Float:
		return kind.Float
	case *hitlv1.Value_Str:
		return kind.Str
	case *hitlv1.Value_Bool:
		return kind.Bool
	case *hitlv1.Value_Choice:
		if property.Type == "string" {
			return strings.Join(kind.Choice.GetSelected(), "")
		}
		return kind.Choice.GetSelected()
	default:
		return nil // A field is never an object.
	}
}

// objectValue is the reverse of reading an object: what encoding/json makes of it, field by field.
func objectValue(object any, properties map[string]property) (*hitlv1.Value, error) {
	text, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber() // A float64 would not hold every int64.
	var members map[string]any
	if err := decoder.Decode(&members); err != nil {
		return nil, err
	}
	fields := map[string]*hitlv1.Value{}
	for name, member := range members {
		if member == nil {
			continue
		}
		if fields[name] = fieldValue(member, properties[name]); fields[name] == nil {
			return nil, fmt.Errorf("%s: an object's fields must be flat", name)
		}
	}
	value := &hitlv1.Value_Object{Object: &hitlv1.ObjectValue{Fields: fields}}
	return &hitlv1.Value{Kind: value}, nil
}

// fieldValue is the reverse of native, from JSON. Nil if that is not flat.
func fieldValue(member any, property property) *hitlv1.Value {
	switch member := member.(type) {
	case bool:
		return &hitlv1.Value{Kind: &hitlv1.Value_Bool{Bool: member}}
	case json.Number:
		if whole, err := member.Int64(); err == nil && property.Type != "number" {
			return &hitlv1.Value{Kind: &hitlv1.Value_Int{Int: whole}}
		}
		number, _ := member.Float64()
		return &hitlv1.Value{Kind: &hitlv1.Value_Float{Float: number}}
	case string:
		if property.Enum != nil || property.OneOf != nil {
			return picked([]string{member})
		}
		return &hitlv1.Value{Kind: &hitlv1.Value_Str{Str: member}}
	case []any:
		selected := []string{}
		for _, item := range member {
			text, ok := item.(string)
			if !ok {
				return nil
			}
			selected = append(selected, text)
		}
		return picked(selected)
	default:
		return nil
	}
}
