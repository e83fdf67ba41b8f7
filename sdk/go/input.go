package hitl

import (
	"fmt"

	"hitl.dev/go/hitlv1"
)

// Input is the kind of answer that an event asks for, and T the Go type of that answer. Make one with
// [Int], [Float], [Str], [Bool], [Choice], [Choices], [Object] or [Review]. Each has setters of its own for what
// an answer must keep to; the server checks them all.
type Input[T any] interface {
	// message is the input as the API has it, and the value to go on with after a timeout, if any.
	message() (*hitlv1.Input, *hitlv1.Value, error)
	// read takes the answer out of a value that answers the stored input.
	read(value *hitlv1.Value, stored *hitlv1.Input) (T, error)
}

// IntInput asks for a whole number.
type IntInput struct {
	input    hitlv1.IntInput
	fallback *hitlv1.Value
}

// Int asks for a whole number of 64 bits.
func Int() *IntInput { return &IntInput{} }

// Min is the smallest number accepted.
func (i *IntInput) Min(number int64) *IntInput {
	i.input.Min = &number
	return i
}

// Max is the largest number accepted.
func (i *IntInput) Max(number int64) *IntInput {
	i.input.Max = &number
	return i
}

// DefaultOnTimeout is the value to go on with when nobody answers in time.
func (i *IntInput) DefaultOnTimeout(value int64) *IntInput {
	i.fallback = &hitlv1.Value{Kind: &hitlv1.Value_Int{Int: value}}
	return i
}

func (i *IntInput) message() (*hitlv1.Input, *hitlv1.Value, error) {
	return &hitlv1.Input{Kind: &hitlv1.Input_Int{Int: &i.input}}, i.fallback, nil
}

func (i *IntInput) read(value *hitlv1.Value, _ *hitlv1.Input) (int64, error) {
	return value.GetInt(), expect[*hitlv1.Value_Int](value)
}

// FloatInput asks for a number.
type FloatInput struct {
	input    hitlv1.FloatInput
	fallback *hitlv1.Value
}

// Float asks for a finite number.
func Float() *FloatInput { return &FloatInput{} }

// Min is the smallest number accepted.
func (i *FloatInput) Min(number float64) *FloatInput {
	i.input.Min = &number
	return i
}

// Max is the largest number accepted.
func (i *FloatInput) Max(number float64) *FloatInput {
	i.input.Max = &number
	return i
}

// DefaultOnTimeout is the value to go on with when nobody answers in time.
func (i *FloatInput) DefaultOnTimeout(value float64) *FloatInput {
	i.fallback = &hitlv1.Value{Kind: &hitlv1.Value_Float{Float: value}}
	return i
}

func (i *FloatInput) message() (*hitlv1.Input, *hitlv1.Value, error) {
	return &hitlv1.Input{Kind: &hitlv1.Input_Float{Float: &i.input}}, i.fallback, nil
}

func (i *FloatInput) read(value *hitlv1.Value, _ *hitlv1.Input) (float64, error) {
	return value.GetFloat(), expect[*hitlv1.Value_Float](value)
}

// StrInput asks for text.
type StrInput struct {
	input    hitlv1.StrInput
	fallback *hitlv1.Value
}

// Str asks for text.
func Str() *StrInput { return &StrInput{} }

// MinLength is the fewest characters accepted.
func (i *StrInput) MinLength(characters uint32) *StrInput {
	i.input.MinLength = &characters
	return i
}

// MaxLength is the most characters accepted.
func (i *StrInput) MaxLength(characters uint32) *StrInput {
	i.input.MaxLength = &characters
	return i
}

// Pattern is a regular expression (RE2) to be found in the text; anchor it to match the whole.
func (i *StrInput) Pattern(pattern string) *StrInput {
	i.input.Pattern = pattern
	return i
}

// Multiline offers several lines to write on.
func (i *StrInput) Multiline() *StrInput {
	i.input.Multiline = true
	return i
}

// The formats for [StrInput.Format].
const (
	Email    = hitlv1.StrFormat_STR_FORMAT_EMAIL
	URI      = hitlv1.StrFormat_STR_FORMAT_URI
	Date     = hitlv1.StrFormat_STR_FORMAT_DATE
	DateTime = hitlv1.StrFormat_STR_FORMAT_DATE_TIME
)

// Format is a well-known format that the text must have, such as [Email].
func (i *StrInput) Format(format hitlv1.StrFormat) *StrInput {
	i.input.Format = format
	return i
}

// DefaultOnTimeout is the value to go on with when nobody answers in time.
func (i *StrInput) DefaultOnTimeout(value string) *StrInput {
	i.fallback = &hitlv1.Value{Kind: &hitlv1.Value_Str{Str: value}}
	return i
}

func (i *StrInput) message() (*hitlv1.Input, *hitlv1.Value, error) {
	return &hitlv1.Input{Kind: &hitlv1.Input_Str{Str: &i.input}}, i.fallback, nil
}

func (i *StrInput) read(value *hitlv1.Value, _ *hitlv1.Input) (string, error) {
	return value.GetStr(), expect[*hitlv1.Value_Str](value)
}

// BoolInput asks for yes or no.
type BoolInput struct {
	input    hitlv1.BoolInput
	fallback *hitlv1.Value
}

// Bool asks for yes or no.
func Bool() *BoolInput { return &BoolInput{} }

// Labels are what the form calls true and false: Yes and No unless set.
func (i *BoolInput) Labels(yes, no string) *BoolInput {
	i.input.TrueLabel, i.input.FalseLabel = yes, no
	return i
}

// DefaultOnTimeout is the value to go on with when nobody answers in time.
func (i *BoolInput) DefaultOnTimeout(value bool) *BoolInput {
	i.fallback = &hitlv1.Value{Kind: &hitlv1.Value_Bool{Bool: value}}
	return i
}

func (i *BoolInput) message() (*hitlv1.Input, *hitlv1.Value, error) {
	return &hitlv1.Input{Kind: &hitlv1.Input_Bool{Bool: &i.input}}, i.fallback, nil
}

func (i *BoolInput) read(value *hitlv1.Value, _ *hitlv1.Input) (bool, error) {
	return value.GetBool(), expect[*hitlv1.Value_Bool](value)
}

// ChoiceInput asks for one option.
type ChoiceInput struct {
	input    hitlv1.ChoiceInput
	fallback *hitlv1.Value
}

// Choice asks for one of the options, each offered under its own value; the answer is that value.
func Choice(options ...string) *ChoiceInput {
	input := &ChoiceInput{}
	for _, value := range options {
		input.Option(value, "")
	}
	return input
}

// Option offers an option that the form shows as label, or under its own value if that is empty.
func (i *ChoiceInput) Option(value, label string) *ChoiceInput {
	i.input.Options = append(i.input.Options, &hitlv1.ChoiceOption{Value: value, Label: label})
	return i
}

// DefaultOnTimeout is the value to go on with when nobody answers in time.
func (i *ChoiceInput) DefaultOnTimeout(value string) *ChoiceInput {
	i.fallback = picked([]string{value})
	return i
}

func (i *ChoiceInput) message() (*hitlv1.Input, *hitlv1.Value, error) {
	return &hitlv1.Input{Kind: &hitlv1.Input_Choice{Choice: &i.input}}, i.fallback, nil
}

func (i *ChoiceInput) read(value *hitlv1.Value, _ *hitlv1.Input) (string, error) {
	selected := value.GetChoice().GetSelected()
	if len(selected) != 1 {
		return "", newError(Internal, oneLine(fmt.Sprintf("the answer is not exactly one option: %v", value)))
	}
	return selected[0], nil
}

// ChoicesInput asks for several options.
type ChoicesInput struct {
	choice ChoiceInput
}

// Choices asks for several of the options; the answer has their values, in the order of the options.
func Choices(options ...string) *ChoicesInput {
	return &ChoicesInput{*Choice(options...)}
}

// Option offers an option that the form shows as label, or under its own value if that is empty.
func (i *ChoicesInput) Option(value, label string) *ChoicesInput {
	i.choice.Option(value, label)
	return i
}

// MinSelected is the fewest options to pick: 1 unless set.
func (i *ChoicesInput) MinSelected(options uint32) *ChoicesInput {
	i.choice.input.MinSelected = &options
	return i
}

// MaxSelected is the most options to pick: 1, or the fewest if that is more, unless set.
func (i *ChoicesInput) MaxSelected(options uint32) *ChoicesInput {
	i.choice.input.MaxSelected = &options
	return i
}

// DefaultOnTimeout is the value to go on with when nobody answers in time.
func (i *ChoicesInput) DefaultOnTimeout(values ...string) *ChoicesInput {
	i.choice.fallback = picked(values)
	return i
}

func (i *ChoicesInput) message() (*hitlv1.Input, *hitlv1.Value, error) {
	return i.choice.message()
}

func (i *ChoicesInput) read(value *hitlv1.Value, _ *hitlv1.Input) ([]string, error) {
	return value.GetChoice().GetSelected(), expect[*hitlv1.Value_Choice](value)
}

func picked(selected []string) *hitlv1.Value {
	return &hitlv1.Value{Kind: &hitlv1.Value_Choice{Choice: &hitlv1.ChoiceValue{Selected: selected}}}
}

// expect is an error unless the value is of kind K.
func expect[K any](value *hitlv1.Value) error {
	if _, ok := any(value.GetKind()).(K); ok {
		return nil
	}
	help := "the server sent a value of another kind than asked for: %v"
	return newError(Internal, oneLine(fmt.Sprintf(help, value)))
}
