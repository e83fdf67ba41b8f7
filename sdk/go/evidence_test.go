package hitl

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"hitl.dev/go/evidence"
	"hitl.dev/go/hitlv1"
)

func TestWhatIsShownIsSentInOrderAndFactsOneAfterTheOtherAreOneItem(t *testing.T) {
	log := evidence.Text("Log", "all\nwell")
	log.Note = "ci.log"
	items := []*hitlv1.Evidence{
		log, evidence.Code("Query", "select 1", "sql"), evidence.JSON("Plan", `{"steps":1}`),
		evidence.Diff("app.toml", "a\n", "b\n"), evidence.UnifiedDiff("Patch", "--- a\n+++ b\n"),
		evidence.Table("Costs", []string{"item", "price"}, []string{"disk", "1.5"}, []string{"cpu", "2"}),
		evidence.Link("Build", "https://ci.example.org/7", "build 7"),
		evidence.Facts("More", evidence.Pair{Label: "Owner", Value: "Ann"}),
	}
	request := &hitlv1.CreateEventRequest{}
	for _, option := range []Option{
		Title("Ship 2.4?"), Risk(hitlv1.Risk_RISK_HIGH), RequireConfirmation(), Fact("Version", "2.4"),
		Fact("Tests", "passed"), Evidence(items...), Fact("Last", "one"),
	} {
		option(request)
	}
	facts := func(title string, facts ...*hitlv1.Fact) *hitlv1.Evidence {
		content := &hitlv1.Evidence_Facts{Facts: &hitlv1.FactsEvidence{Facts: facts}}
		return &hitlv1.Evidence{Title: title, Content: content}
	}
	texts := &hitlv1.DiffEvidence_Texts{Texts: &hitlv1.DiffTexts{Before: "a\n", After: "b\n"}}
	unified := &hitlv1.DiffEvidence_Unified{Unified: "--- a\n+++ b\n"}
	expected := &hitlv1.CreateEventRequest{
		Title: "Ship 2.4?", Risk: hitlv1.Risk_RISK_HIGH, RequireConfirmation: true,
		Evidence: []*hitlv1.Evidence{
			facts("", &hitlv1.Fact{Label: "Version", Value: "2.4"}, &hitlv1.Fact{Label: "Tests", Value: "passed"}),
			{Title: "Log", Note: "ci.log", Content: &hitlv1.Evidence_Text{Text: &hitlv1.TextEvidence{Text: "all\nwell"}}},
			{Title: "Query", Content: &hitlv1.Evidence_Code{
				Code: &hitlv1.CodeEvidence{Code: "select 1", Language: "sql"},
			}},
			{Title: "Plan", Content: &hitlv1.Evidence_Json{Json: &hitlv1.JsonEvidence{Json: `{"steps":1}`}}},
			{Title: "app.toml", Content: &hitlv1.Evidence_Diff{Diff: &hitlv1.DiffEvidence{Diff: texts}}},
			{Title: "Patch", Content: &hitlv1.Evidence_Diff{Diff: &hitlv1.DiffEvidence{Diff: unified}}},
			{Title: "Costs", Content: &hitlv1.Evidence_Table{Table: &hitlv1.TableEvidence{
				Columns: []string{"item", "price"},
				Rows:    []*hitlv1.TableRow{{Cells: []string{"disk", "1.5"}}, {Cells: []string{"cpu", "2"}}},
			}}},
			{Title: "Build", Content: &hitlv1.Evidence_Link{
				Link: &hitlv1.LinkEvidence{Url: "https://ci.example.org/7", Label: "build 7"},
			}},
			facts("More", &hitlv1.Fact{Label: "Owner", Value: "Ann"}),
			facts("", &hitlv1.Fact{Label: "Last", Value: "one"}),
		},
	}
	if !proto.Equal(request, expected) {
		t.Fatal(request)
	}
}

func TestOptionsThatAreUsedAgainShareNothing(t *testing.T) {
	options := []Option{Fact("a", "1"), Fact("b", "2"), Evidence(evidence.Facts("", evidence.Pair{Label: "c"})), Fact("d", "4")}
	var sent [2]*hitlv1.CreateEventRequest
	for at := range sent {
		sent[at] = &hitlv1.CreateEventRequest{}
		for _, option := range options {
			option(sent[at])
		}
	}
	if !proto.Equal(sent[0], sent[1]) || len(sent[0].GetEvidence()) != 2 {
		t.Fatal(sent)
	}
}

func TestACommentGoesWithAnAnswerAndComesWithTheValue(t *testing.T) {
	request := &hitlv1.AnswerEventRequest{}
	WithComment(JSON("7"), "gladly")(request)
	if request.GetJson() != "7" || request.GetComment() != "gladly" {
		t.Fatal(request)
	}
	ended := answered("e", 7)
	ended.GetEvent().GetResponse().Comment = "gladly"
	script := &script{steps: []step{sends(ended)}}
	quiet := false
	scripted(t, script, Config{Announce: &quiet}, func(t *testing.T, client *Client) {
		event, err := Create(t.Context(), client, "n", "?", Int(), IdempotencyKey("e"))
		if err != nil {
			t.Fatal(err)
		}
		details, err := event.WaitDetails(t.Context())
		if err != nil || details.Value != 7 || details.Response.GetComment() != "gladly" {
			t.Fatal(details, err)
		}
	})
}
