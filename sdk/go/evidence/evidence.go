// Package evidence makes what is shown beside a question so that a person can decide. Each function makes an item for
// the option [hitl.dev/go.Evidence], such as evidence.Diff("app.toml", before, after). Its title is what the item is
// called; its field Note may have what is worth knowing about it, such as a file name.
package evidence

import "hitl.dev/go/hitlv1"

// Pair is a name and what it stands for.
type Pair struct {
	Label, Value string
}

// Facts are names and what they stand for, in order.
func Facts(title string, facts ...Pair) *hitlv1.Evidence {
	content := &hitlv1.FactsEvidence{}
	for _, fact := range facts {
		content.Facts = append(content.Facts, &hitlv1.Fact{Label: fact.Label, Value: fact.Value})
	}
	return &hitlv1.Evidence{Title: title, Content: &hitlv1.Evidence_Facts{Facts: content}}
}

// Text is text as it is, whose long lines are wrapped.
func Text(title, text string) *hitlv1.Evidence {
	content := &hitlv1.TextEvidence{Text: text}
	return &hitlv1.Evidence{Title: title, Content: &hitlv1.Evidence_Text{Text: content}}
}

// Code is source code in a language, such as sql; empty if that is not known.
func Code(title, code, language string) *hitlv1.Evidence {
	content := &hitlv1.CodeEvidence{Code: code, Language: language}
	return &hitlv1.Evidence{Title: title, Content: &hitlv1.Evidence_Code{Code: content}}
}

// JSON is a JSON value, as text.
func JSON(title, json string) *hitlv1.Evidence {
	content := &hitlv1.JsonEvidence{Json: json}
	return &hitlv1.Evidence{Title: title, Content: &hitlv1.Evidence_Json{Json: content}}
}

// Diff is what changes from one text to another.
func Diff(title, before, after string) *hitlv1.Evidence {
	texts := &hitlv1.DiffEvidence_Texts{Texts: &hitlv1.DiffTexts{Before: before, After: after}}
	content := &hitlv1.DiffEvidence{Diff: texts}
	return &hitlv1.Evidence{Title: title, Content: &hitlv1.Evidence_Diff{Diff: content}}
}

// UnifiedDiff is what changes, as git diff writes it.
func UnifiedDiff(title, unified string) *hitlv1.Evidence {
	content := &hitlv1.DiffEvidence{Diff: &hitlv1.DiffEvidence_Unified{Unified: unified}}
	return &hitlv1.Evidence{Title: title, Content: &hitlv1.Evidence_Diff{Diff: content}}
}

// Table is rows, each with a cell for each of the columns.
func Table(title string, columns []string, rows ...[]string) *hitlv1.Evidence {
	content := &hitlv1.TableEvidence{Columns: columns}
	for _, row := range rows {
		content.Rows = append(content.Rows, &hitlv1.TableRow{Cells: row})
	}
	return &hitlv1.Evidence{Title: title, Content: &hitlv1.Evidence_Table{Table: content}}
}

// Link is a place on the web: an absolute http or https URL, and perhaps a label that says what is there.
func Link(title, url, label string) *hitlv1.Evidence {
	content := &hitlv1.LinkEvidence{Url: url, Label: label}
	return &hitlv1.Evidence{Title: title, Content: &hitlv1.Evidence_Link{Link: content}}
}
