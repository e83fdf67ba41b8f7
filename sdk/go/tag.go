package hitl

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// keywords are what a tag may say of a field, by the type of its property. Text is only for people.
var keywords = map[string][]string{
	"string":  {"enum", "enumNames", "minLength", "maxLength", "pattern", "format"},
	"integer": {"minimum", "maximum"},
	"number":  {"minimum", "maximum"},
	"boolean": {},
	"array":   {"enum", "enumNames", "minItems", "maxItems"},
}

// readTag returns what the tag `hitl` says of a property of the type. What it does not understand, it refuses.
func readTag(tag, typeName string) (map[string]any, error) {
	property := map[string]any{}
	if tag == "" {
		return property, nil
	}
	for keyword := range strings.SplitSeq(tag, ",") {
		name, text, hasText := strings.Cut(keyword, "=")
		allowed := append([]string{"title", "description", "default"}, keywords[typeName]...)
		if !hasText || !slices.Contains(allowed, name) {
			help := "the tag says %q, and of a field of type %s it may say %s; what holds a comma needs a Schema"
			return nil, fmt.Errorf(help, keyword, typeName, strings.Join(allowed, ", "))
		}
		if property[name] != nil {
			return nil, fmt.Errorf("the tag says %s twice", name)
		}
		value, err := readKeyword(name, text, typeName)
		if err != nil {
			return nil, fmt.Errorf("the tag says %q: %w", keyword, err)
		}
		property[name] = value
	}
	return property, nil
}

func readKeyword(name, text, typeName string) (any, error) {
	switch name {
	case "enum", "enumNames":
		return strings.Split(text, "|"), nil
	case "title", "description", "pattern", "format":
		return text, nil
	case "default":
		return readDefault(text, typeName)
	default:
		return readNumber(text)
	}
}

func readDefault(text, typeName string) (any, error) {
	switch typeName {
	case "string":
		return text, nil
	case "array":
		return strings.Split(text, "|"), nil
	case "boolean":
		if text != "true" && text != "false" {
			return nil, errors.New("give true or false")
		}
		return text == "true", nil
	default:
		return readNumber(text)
	}
}

func readNumber(text string) (any, error) {
	number := json.Number(text)
	if _, err := number.Float64(); err != nil || !json.Valid([]byte(text)) {
		return nil, errors.New("give a number as JSON has it")
	}
	return number, nil
}
