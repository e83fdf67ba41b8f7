package dev.hitl;

import dev.hitl.v1.CodeEvidence;
import dev.hitl.v1.DiffEvidence;
import dev.hitl.v1.DiffTexts;
import dev.hitl.v1.Fact;
import dev.hitl.v1.FactsEvidence;
import dev.hitl.v1.JsonEvidence;
import dev.hitl.v1.LinkEvidence;
import dev.hitl.v1.TableEvidence;
import dev.hitl.v1.TableRow;
import dev.hitl.v1.TextEvidence;
import java.util.List;
import java.util.Map;

/**
 * What is shown beside a question so that a person can decide, for {@link EventBuilder#evidence}: {@code
 * Evidence.diff("app.toml", before, after).note("the new limits")}. The title is what an item is called.
 */
public final class Evidence {
    final dev.hitl.v1.Evidence proto;

    private Evidence(dev.hitl.v1.Evidence.Builder proto) {
        this.proto = proto.build();
    }

    private static dev.hitl.v1.Evidence.Builder titled(String title) {
        return dev.hitl.v1.Evidence.newBuilder().setTitle(title);
    }

    /** As the API has it. */
    public static Evidence of(dev.hitl.v1.Evidence proto) {
        return new Evidence(proto.toBuilder());
    }

    /** Names and what they stand for, in the order of the map. */
    public static Evidence facts(String title, Map<String, String> facts) {
        var content = FactsEvidence.newBuilder();
        facts.forEach((label, value) -> content.addFacts(Fact.newBuilder().setLabel(label).setValue(value)));
        return new Evidence(titled(title).setFacts(content));
    }

    /** Text as it is, whose long lines are wrapped. */
    public static Evidence text(String title, String text) {
        return new Evidence(titled(title).setText(TextEvidence.newBuilder().setText(text)));
    }

    /** Source code in a language such as {@code sql}; empty if that is not known. */
    public static Evidence code(String title, String code, String language) {
        return new Evidence(titled(title).setCode(CodeEvidence.newBuilder().setCode(code).setLanguage(language)));
    }

    /** A JSON value, as text. */
    public static Evidence json(String title, String json) {
        return new Evidence(titled(title).setJson(JsonEvidence.newBuilder().setJson(json)));
    }

    /** What changes from one text to another. */
    public static Evidence diff(String title, String before, String after) {
        var texts = DiffTexts.newBuilder().setBefore(before).setAfter(after);
        return new Evidence(titled(title).setDiff(DiffEvidence.newBuilder().setTexts(texts)));
    }

    /** What changes, as {@code git diff} writes it. */
    public static Evidence unifiedDiff(String title, String unified) {
        return new Evidence(titled(title).setDiff(DiffEvidence.newBuilder().setUnified(unified)));
    }

    /** Rows, each with a cell for each of the columns. */
    public static Evidence table(String title, List<String> columns, List<List<String>> rows) {
        var content = TableEvidence.newBuilder().addAllColumns(columns);
        rows.forEach(row -> content.addRows(TableRow.newBuilder().addAllCells(row)));
        return new Evidence(titled(title).setTable(content));
    }

    /** A place on the web: an absolute http or https URL. */
    public static Evidence link(String title, String url) {
        return link(title, url, "");
    }

    /** As {@link #link(String, String)}, with what is there. */
    public static Evidence link(String title, String url, String label) {
        return new Evidence(titled(title).setLink(LinkEvidence.newBuilder().setUrl(url).setLabel(label)));
    }

    /** The same item with what is worth knowing about it, such as a file name. */
    public Evidence note(String note) {
        return new Evidence(proto.toBuilder().setNote(note));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Evidence that && proto.equals(that.proto);
    }

    @Override
    public int hashCode() {
        return proto.hashCode();
    }
}
