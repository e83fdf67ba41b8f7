package hitl

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// The most of RFC 7493: beyond it not every program reads the same number.
const safeMax = 1<<53 - 1

// actionDigest is the SHA-256 of an action and its arguments, as JSON, in 64 hexadecimal digits: of
// {"action": …, "arguments": …} in the canonical form of RFC 8785.
func actionDigest(action string, arguments []byte) (string, error) {
	decoder := json.NewDecoder(bytes.NewReader(arguments))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return "", err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return "", errors.New("there is more than one JSON value")
	}
	var text strings.Builder
	if err := writeCanonical(&text, map[string]any{"action": action, "arguments": value}); err != nil {
		return "", err
	}
	hash := sha256.Sum256([]byte(text.String()))
	return hex.EncodeToString(hash[:]), nil
}

// writeCanonical writes a value that encoding/json has read.
func writeCanonical(text *strings.Builder, value any) error {
	switch value := value.(type) {
	case nil:
		text.WriteString("null")
	case bool:
		text.WriteString(strconv.FormatBool(value))
	case json.Number:
		return writeNumber(text, value)
	case string:
		writeText(text, value)
	case []any:
		text.WriteByte('[')
		for at, item := range value {
			if at > 0 {
				text.WriteByte(',')
			}
			if err := writeCanonical(text, item); err != nil {
				return err
			}
		}
		text.WriteByte(']')
	case map[string]any:
		text.WriteByte('{')
		for at, name := range sortedNames(value) {
			if at > 0 {
				text.WriteByte(',')
			}
			writeText(text, name)
			text.WriteByte(':')
			if err := writeCanonical(text, value[name]); err != nil {
				return err
			}
		}
		text.WriteByte('}')
	default:
		return fmt.Errorf("a %T is no JSON", value)
	}
	return nil
}

// sortedNames orders names by their UTF-16 code units.
func sortedNames(members map[string]any) []string {
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
	})
	return names
}

func writeText(text *strings.Builder, value string) {
	short := map[rune]string{'"': `\"`, '\\': `\\`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`}
	text.WriteByte('"')
	for _, r := range value {
		if escape, ok := short[r]; ok {
			text.WriteString(escape)
		} else if r < 0x20 {
			fmt.Fprintf(text, `\u%04x`, r)
		} else {
			text.WriteRune(r)
		}
	}
	text.WriteByte('"')
}

// writeNumber writes a double as ECMAScript does.
func writeNumber(text *strings.Builder, literal json.Number) error {
	number, err := literal.Float64()
	if err != nil {
		return err
	}
	if !strings.ContainsAny(literal.String(), ".eE") && math.Abs(number) > safeMax {
		return fmt.Errorf("%s is beyond 2^53-1: write it as text", literal)
	}
	if number == 0 {
		text.WriteByte('0')
		return nil
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(math.Abs(number), 'e', -1, 64), "e")
	digits := strings.Replace(mantissa, ".", "", 1)
	power, err := strconv.Atoi(exponent)
	if err != nil {
		return err
	}
	if number < 0 {
		text.WriteByte('-')
	}
	// How many digits stand before the point.
	point := power + 1
	switch {
	case len(digits) <= point && point <= 21:
		text.WriteString(digits + strings.Repeat("0", point-len(digits)))
	case 0 < point && point <= 21:
		text.WriteString(digits[:point] + "." + digits[point:])
	case -6 < point && point <= 0:
		text.WriteString("0." + strings.Repeat("0", -point) + digits)
	default:
		text.WriteString(digits[:1])
		if len(digits) > 1 {
			text.WriteString("." + digits[1:])
		}
		fmt.Fprintf(text, "e%+d", power)
	}
	return nil
}
