package hitl

import (
	"fmt"
	"strings"
)

// What people and servers wrote is shown with its hidden characters as escapes, so that it can forge
// neither a line nor the order of one. What a program gets is never changed.

// oneLine is text as a line of a message has it.
func oneLine(text string) string { return shown(text, "") }

// lines is text that may have several lines.
func lines(text string) string { return shown(text, "\n\t") }

func shown(text, kept string) string {
	var visible strings.Builder
	for _, r := range text {
		switch {
		case !isHidden(r) || strings.ContainsRune(kept, r):
			visible.WriteRune(r)
		case r == '\n':
			visible.WriteString(`\n`)
		case r == '\r':
			visible.WriteString(`\r`)
		case r == '\t':
			visible.WriteString(`\t`)
		default:
			fmt.Fprintf(&visible, `\u{%X}`, r)
		}
	}
	return visible.String()
}

// isHidden finds what no terminal shows as a character: controls, what has no width, and what turns
// the direction of the text around it.
func isHidden(r rune) bool {
	switch {
	case r < 0x20, r >= 0x7f && r <= 0x9f, r == 0xad, r == 0x61c, r == 0x180e, r == 0xfeff:
		return true
	case r >= 0x200b && r <= 0x200f, r >= 0x2028 && r <= 0x202e, r >= 0x2060 && r <= 0x2069:
		return true
	default:
		return r >= 0xe0000 && r <= 0xe007f
	}
}
