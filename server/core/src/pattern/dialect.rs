//! From the documented dialect of patterns to the engine's own.
//!
//! Documented is RE2, in which `\d`, `\w`, `\s` and `\b` are ASCII. The engine reads nearly the
//! same syntax and means more by it: there the same classes hold the digits, letters and spaces of
//! all scripts. So the classes are written out here, and what the two would read differently is
//! named, for the creator of an event to write otherwise. What only the engine knows and every
//! other engine that knows it reads the same (`\u00e9`, `\p{Script=Greek}`) is left as it is.

use std::mem;

use regex_syntax::ast::{
    AssertionKind, Ast, ClassBracketed, ClassPerl, ClassPerlKind, ClassSet, ClassSetItem,
    ClassSetRange, ClassSetUnion, ClassUnicode, ClassUnicodeKind, ClassUnicodeOpKind, Flag, Flags,
    FlagsItem, FlagsItemKind, Group, GroupKind, HexLiteralKind, Literal, LiteralKind,
    RepetitionKind, Span, parse,
};
use regex_syntax::hir::{Hir, translate::Translator};

use super::hint;

/// A pattern, read.
pub(super) struct Reading {
    /// What it matches, as the dialect means it.
    pub(super) hir: Hir,
    /// What it says that only this engine reads the way it does, each as a sentence that says what to write instead.
    pub(super) foreign: Vec<String>,
}

/// Reads `pattern`.
///
/// # Errors
/// Why it is no pattern, and what to write instead where that is known.
pub(super) fn read(pattern: &str) -> Result<Reading, String> {
    let mut ast = parse::Parser::new().parse(pattern).map_err(|error| hint::of(&error))?;
    let mut rewrite = Rewrite { pattern, foreign: Vec::new() };
    rewrite.ast(&mut ast);
    let hir = Translator::new()
        .translate(pattern, &ast)
        .map_err(|error| format!("{} (at character {})", error.kind(), column(error.span())))?;
    Ok(Reading { hir, foreign: rewrite.foreign })
}

/// Where `span` begins, counted in characters from 1.
pub(super) fn column(span: &Span) -> usize {
    span.start.column
}

struct Rewrite<'a> {
    pattern: &'a str,
    foreign: Vec<String>,
}

impl Rewrite<'_> {
    // How deep a pattern nests is bounded by the parser.
    fn ast(&mut self, ast: &mut Ast) {
        match ast {
            Ast::Empty(_) | Ast::Dot(_) => {}
            Ast::Flags(set) => self.flags(&set.flags),
            Ast::Literal(literal) => self.literal(literal),
            Ast::Assertion(_) => self.assertion(ast),
            Ast::ClassUnicode(class) => self.property(class),
            Ast::ClassPerl(class) => {
                *ast = Ast::class_bracketed(ascii(class));
            }
            Ast::ClassBracketed(class) => self.class(&mut class.kind),
            Ast::Repetition(repetition) => {
                let is_stacked = matches!(*repetition.ast, Ast::Repetition(_));
                if is_stacked && !matches!(repetition.op.kind, RepetitionKind::ZeroOrOne) {
                    self.refuse(
                        &repetition.span,
                        "repeats a repetition: put the inner one in a group, such as (?:a+)+",
                    );
                } else if is_stacked {
                    self.refuse(
                        &repetition.span,
                        "has a second ? or a ? behind a lazy repetition: leave it out",
                    );
                }
                self.ast(&mut repetition.ast);
            }
            Ast::Group(group) => {
                if let GroupKind::NonCapturing(flags) = &group.kind {
                    self.flags(flags);
                }
                self.ast(&mut group.ast);
            }
            Ast::Alternation(alternation) => {
                alternation.asts.iter_mut().for_each(|ast| self.ast(ast));
            }
            Ast::Concat(concat) => concat.asts.iter_mut().for_each(|ast| self.ast(ast)),
        }
    }

    fn assertion(&mut self, ast: &mut Ast) {
        let Ast::Assertion(assertion) = ast else { return };
        let span = assertion.span;
        match assertion.kind {
            AssertionKind::WordBoundary | AssertionKind::NotWordBoundary => {
                let inner = mem::replace(ast, Ast::empty(span));
                *ast = Ast::group(without_unicode(inner, span));
            }
            AssertionKind::WordBoundaryStartAngle => *ast = escaped('<', span),
            AssertionKind::WordBoundaryEndAngle => *ast = escaped('>', span),
            AssertionKind::WordBoundaryStart
            | AssertionKind::WordBoundaryEnd
            | AssertionKind::WordBoundaryStartHalf
            | AssertionKind::WordBoundaryEndHalf => {
                self.refuse(&span, "has a brace behind \\b: write \\b alone, or \\{ for a brace");
            }
            AssertionKind::StartLine
            | AssertionKind::EndLine
            | AssertionKind::StartText
            | AssertionKind::EndText => {}
        }
    }

    fn class(&mut self, set: &mut ClassSet) {
        match set {
            ClassSet::Item(item) => self.item(item),
            ClassSet::BinaryOp(operation) => {
                self.refuse(
                    &operation.span,
                    "has &&, -- or ~~ between brackets: put a backslash before each of the two characters",
                );
                self.class(&mut operation.lhs);
                self.class(&mut operation.rhs);
            }
        }
    }

    fn item(&mut self, item: &mut ClassSetItem) {
        match item {
            ClassSetItem::Perl(class) => {
                *item = ClassSetItem::Bracketed(Box::new(ascii(class)));
            }
            ClassSetItem::Bracketed(class) => {
                self.refuse(&class.span, "has a [ between brackets: write \\[ for the character");
                self.class(&mut class.kind);
            }
            ClassSetItem::Union(union) => {
                union.items.iter_mut().for_each(|item| self.item(item));
            }
            ClassSetItem::Literal(literal) => self.literal(literal),
            ClassSetItem::Range(range) => {
                self.literal(&range.start);
                self.literal(&range.end);
            }
            ClassSetItem::Unicode(class) => self.property(class),
            ClassSetItem::Empty(_) | ClassSetItem::Ascii(_) => {}
        }
    }

    fn literal(&mut self, literal: &Literal) {
        let (LiteralKind::HexFixed(kind) | LiteralKind::HexBrace(kind)) = &literal.kind else {
            return;
        };
        if *kind == HexLiteralKind::UnicodeLong {
            let code = u32::from(literal.c);
            self.refuse(&literal.span, &format!("has \\U: write \\x{{{code:X}}}"));
        }
    }

    fn property(&mut self, class: &ClassUnicode) {
        match &class.kind {
            ClassUnicodeKind::NamedValue { op: ClassUnicodeOpKind::Equal, .. }
            | ClassUnicodeKind::OneLetter(_)
            | ClassUnicodeKind::Named(_) => {}
            ClassUnicodeKind::NamedValue { name, value, .. } => {
                let instead = format!("write \\p{{{name}={value}}}, or \\P{{…}} for all others");
                self.refuse(&class.span, &format!("has a property with : or !=: {instead}"));
            }
        }
    }

    fn flags(&mut self, flags: &Flags) {
        for item in &flags.items {
            let FlagsItemKind::Flag(flag) = &item.kind else { continue };
            match flag {
                Flag::CaseInsensitive
                | Flag::MultiLine
                | Flag::DotMatchesNewLine
                | Flag::SwapGreed => {}
                Flag::Unicode | Flag::CRLF | Flag::IgnoreWhitespace => {
                    self.refuse(&item.span, "has a flag other than i, m, s and U: leave it out");
                }
            }
        }
    }

    fn refuse(&mut self, span: &Span, what: &str) {
        let start = span.start.offset.min(self.pattern.len());
        let at = self.pattern.get(start..).unwrap_or_default();
        let excerpt: String = at.chars().take(EXCERPT_CHARS).collect();
        self.foreign.push(format!("{what} (at character {}, {excerpt:?})", column(span)));
    }
}

/// Characters of the pattern that are quoted in a message.
const EXCERPT_CHARS: usize = 12;

/// The ASCII characters of a class such as `\w`, written out.
fn ascii(class: &ClassPerl) -> ClassBracketed {
    let ranges: &[(char, char)] = match class.kind {
        ClassPerlKind::Digit => &[('0', '9')],
        ClassPerlKind::Space => &[('\t', '\n'), ('\x0C', '\r'), (' ', ' ')],
        ClassPerlKind::Word => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
    };
    let span = class.span;
    let literal = |c| Literal { span, kind: LiteralKind::Verbatim, c };
    let items = ranges.iter().map(|(start, end)| {
        ClassSetItem::Range(ClassSetRange { span, start: literal(*start), end: literal(*end) })
    });
    let union = ClassSetUnion { span, items: items.collect() };
    ClassBracketed {
        span,
        negated: class.negated,
        kind: ClassSet::Item(ClassSetItem::Union(union)),
    }
}

/// `inner` as it is where words are made of ASCII letters.
fn without_unicode(inner: Ast, span: Span) -> Group {
    let item = |kind| FlagsItem { span, kind };
    let items = vec![item(FlagsItemKind::Negation), item(FlagsItemKind::Flag(Flag::Unicode))];
    let kind = GroupKind::NonCapturing(Flags { span, items });
    Group { span, kind, ast: Box::new(inner) }
}

/// A character that needs no backslash and has one.
fn escaped(c: char, span: Span) -> Ast {
    Ast::literal(Literal { span, kind: LiteralKind::Superfluous, c })
}
