package hitl

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// schemaOf derives the schema of a struct, with its properties in the order of the fields, since that
// is the order in which the form asks for them.
func schemaOf(object reflect.Type) (string, error) {
	if object.Kind() != reflect.Struct {
		return "", fmt.Errorf("%v is no struct: give its schema", object)
	}
	var properties []string
	required := []string{}
	for at := range object.NumField() {
		field := object.Field(at)
		name := jsonName(field)
		if !isTaken(field) {
			if field.Tag.Get("hitl") != "" {
				return "", fmt.Errorf("%v.%s: encoding/json leaves the field out, whatever its tag says", object, name)
			}
			continue
		}
		_, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		property, err := propertyOf(field)
		if err != nil {
			return "", fmt.Errorf("%v.%s: %w", object, field.Name, err)
		}
		properties = append(properties, fmt.Sprintf("%q:%s", name, property))
		if field.Type.Kind() != reflect.Pointer && !strings.Contains(options, "omit") {
			required = append(required, name)
		}
	}
	names, err := json.Marshal(required)
	schema := `{"type":"object","properties":{%s},"required":%s}`
	return fmt.Sprintf(schema, strings.Join(properties, ","), names), err
}

// isTaken says whether encoding/json has the field.
func isTaken(field reflect.StructField) bool {
	return field.Tag.Get("json") != "-" && (field.IsExported() || isPromoted(field))
}

func jsonName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return first(name, field.Name)
}

// isPromoted says whether encoding/json takes the fields of the field for the struct's own, though its
// name is not exported.
func isPromoted(field reflect.StructField) bool {
	return field.Anonymous && indirect(field.Type).Kind() == reflect.Struct
}

func indirect(kind reflect.Type) reflect.Type {
	if kind.Kind() == reflect.Pointer {
		return kind.Elem()
	}
	return kind
}

// By these, other packages hold a field to rules that would be left out here.
var foreignTags = []string{"validate", "binding", "jsonschema"}

func propertyOf(field reflect.StructField) ([]byte, error) {
	kind := indirect(field.Type)
	if _, options, _ := strings.Cut(field.Tag.Get("json"), ","); hasOption(options, "string") {
		return nil, errors.New("an answer is no text that holds another value: leave out the option `string`")
	}
	if decodesItself(kind) || kind.Kind() == reflect.Slice && decodesItself(kind.Elem()) {
		return nil, fmt.Errorf("%v decodes itself, so nothing tells what fits it: give the schema", kind)
	}
	name := typeName(kind)
	if name == "" {
		return nil, fmt.Errorf("%v is no type of a field: an object's fields must be flat", field.Type)
	}
	for _, other := range foreignTags {
		if field.Tag.Get(other) != "" {
			return nil, fmt.Errorf("nobody would be held to the tag %q: say it by `hitl`, or give the schema", other)
		}
	}
	property, err := readTag(field.Tag.Get("hitl"), name)
	if err != nil {
		return nil, err
	}
	property["type"] = name
	if name == "array" {
		if property["enum"] == nil {
			return nil, errors.New("a slice needs `enum` in its tag: what may be picked")
		}
		items := map[string]any{"type": "string", "enum": property["enum"]}
		if names := property["enumNames"]; names != nil {
			items["enumNames"] = names
		}
		property["items"] = items
		delete(property, "enum")
		delete(property, "enumNames")
	}
	narrow(property, kind)
	return json.Marshal(property)
}

// typeName is what JSON Schema calls the type, empty if it has none that is flat.
func typeName(kind reflect.Type) string {
	switch {
	case kind.Kind() == reflect.Bool:
		return "boolean"
	case kind.Kind() == reflect.String:
		return "string"
	case kind.Kind() == reflect.Slice && kind.Elem().Kind() == reflect.String:
		return "array"
	case kind.Kind() >= reflect.Int && kind.Kind() <= reflect.Uint64:
		return "integer"
	case kind.Kind() == reflect.Float32 || kind.Kind() == reflect.Float64:
		return "number"
	default:
		return ""
	}
}

func hasOption(options, wanted string) bool {
	return slices.Contains(strings.Split(options, ","), wanted)
}

// decodesItself says whether encoding/json leaves it to the type what it takes.
func decodesItself(kind reflect.Type) bool {
	pointer := reflect.PointerTo(kind)
	return pointer.Implements(reflect.TypeFor[json.Unmarshaler]()) ||
		pointer.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) ||
		kind == reflect.TypeFor[json.Number]()
}

// narrow keeps the answer to what the type holds, where that is less than the API's 64 bits.
func narrow(property map[string]any, kind reflect.Type) {
	switch bits := kind.Kind(); {
	case bits >= reflect.Int && bits <= reflect.Int64:
		if kind.Bits() < 64 {
			limit := int64(1) << (kind.Bits() - 1)
			atLeast(property, strconv.FormatInt(-limit, 10))
			atMost(property, strconv.FormatInt(limit-1, 10))
		}
	case bits >= reflect.Uint && bits <= reflect.Uint64:
		atLeast(property, "0")
		if kind.Bits() < 64 {
			atMost(property, strconv.FormatInt(int64(1)<<kind.Bits()-1, 10))
		}
	case bits == reflect.Float32:
		limit := strconv.FormatFloat(math.MaxFloat32, 'g', -1, 64)
		atLeast(property, "-"+limit)
		atMost(property, limit)
	}
}

func atLeast(property map[string]any, bound string) { tighten(property, "minimum", bound, 1) }

func atMost(property map[string]any, bound string) { tighten(property, "maximum", bound, -1) }

// tighten sets a bound unless the tag has one that is as tight: a minimum is by sign 1, a maximum by -1.
// What is no number is left for the JSON to refuse.
func tighten(property map[string]any, keyword, bound string, sign int) {
	if tagged, ok := property[keyword].(json.Number); ok {
		own, _, err := big.ParseFloat(tagged.String(), 10, 128, big.ToNearestEven)
		ours, _, _ := big.ParseFloat(bound, 10, 128, big.ToNearestEven)
		if err != nil || own.Cmp(ours)*sign >= 0 {
			return
		}
	}
	property[keyword] = json.Number(bound)
}
