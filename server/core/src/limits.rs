//! Every bound of the domain, in one place, with its unit last.
//!
//! The protos document the same numbers to callers.

/// Longest name or scope, and longest name of a responder.
pub const NAME_CHARS_MAX: usize = 200;
/// Longest prompt.
pub const PROMPT_BYTES_MAX: usize = 64 * 1024;
/// Most items of evidence.
pub const EVIDENCE_ITEMS_MAX: usize = 20;
/// Most text of all evidence of an event together.
pub const EVIDENCE_BYTES_MAX: usize = 256 * 1024;
/// Most lines of all diffs of an event together: each is a row of the page.
pub const EVIDENCE_DIFF_LINES_MAX: usize = 10_000;
/// Most cells of all tables of an event together, those of their heads too.
pub const EVIDENCE_CELLS_MAX: usize = 10_000;
/// Most facts of one item.
pub const FACTS_MAX: usize = 100;
/// Longest value of a fact.
pub const FACT_VALUE_CHARS_MAX: usize = 4096;
/// Longest name of a language of code.
pub const LANGUAGE_CHARS_MAX: usize = 40;
/// Most columns of a table.
pub const TABLE_COLUMNS_MAX: usize = 50;
/// Most rows of a table.
pub const TABLE_ROWS_MAX: usize = 1000;
/// Longest cell of a table.
pub const CELL_CHARS_MAX: usize = 1000;
/// Longest address of evidence.
pub const URL_BYTES_MAX: usize = 2048;
/// Most labels of one event.
pub const LABELS_MAX: usize = 64;
/// Longest key of a label.
pub const LABEL_KEY_CHARS_MAX: usize = 63;
/// Longest value of a label.
pub const LABEL_VALUE_CHARS_MAX: usize = 255;
/// Longest idempotency key.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 256;
/// Longest answer id.
pub const ANSWER_ID_BYTES_MAX: usize = 128;
/// Longest reason of a decline or a cancellation.
pub const REASON_CHARS_MAX: usize = 4096;
/// Longest comment on an answer.
pub const COMMENT_CHARS_MAX: usize = 4096;
/// Longest namespace: that of a DNS label.
pub const NAMESPACE_CHARS_MAX: usize = 63;
/// Longest name, id or address in an entry of the audit.
pub const AUDIT_TEXT_CHARS_MAX: usize = 200;
/// Longest explanation in one.
pub const AUDIT_DETAIL_CHARS_MAX: usize = 500;
/// Largest value, all its text together.
pub const VALUE_BYTES_MAX: usize = 256 * 1024;
/// Largest request, by whichever door. The largest value fits in every way to write it down: one byte of text can take
/// 6 in JSON (`\u0001`), 7 in JSON that is a string of JSON itself, and 6 in a form (`%0D%0A` for a line break); what
/// is left is for the rest of the request.
pub const REQUEST_BYTES_MAX: usize = 8 * VALUE_BYTES_MAX;
/// Most options of a choice.
pub const OPTIONS_MAX: usize = 1000;
/// Longest value or label of an option, and longest label of a bool.
pub const OPTION_CHARS_MAX: usize = 200;
/// Longest description of an option.
pub const OPTION_DESCRIPTION_CHARS_MAX: usize = 1000;
/// Longest pattern of a str.
pub const PATTERN_BYTES_MAX: usize = 1024;
/// Largest memory of a compiled pattern, so that a short pattern cannot ask for gigabytes.
pub const PATTERN_COMPILED_BYTES_MAX: usize = 1024 * 1024;
/// Largest memory of all compiled patterns of one event.
pub const PATTERNS_COMPILED_BYTES_MAX: usize = 4 * PATTERN_COMPILED_BYTES_MAX;
/// Memory for compiled patterns that are kept because they may be needed again.
pub const PATTERN_CACHE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Memory for schemas that are kept in the form in which answers are read.
pub const SCHEMA_CACHE_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Most steps that the matching of one answer may take where each state of a pattern must be followed: about 0.2 s.
pub const MATCH_STEPS_MAX: u64 = 50_000_000;
/// Largest JSON Schema of an object.
pub const SCHEMA_BYTES_MAX: usize = 64 * 1024;
/// Most fields of an object.
pub const FIELDS_MAX: usize = 100;
/// Longest title of an object or of its field.
pub const FIELD_TITLE_CHARS_MAX: usize = 200;
/// Longest description of a field of an object.
pub const FIELD_DESCRIPTION_CHARS_MAX: usize = 4096;
/// Most people and groups that an event is for.
pub const ASSIGNEES_MAX: usize = 100;
/// Most people who have to agree.
pub const REQUIRED_MAX: u32 = 20;
/// Most people who vote on an event.
pub const VOTES_MAX: usize = 100;
/// Largest value of a vote, all its text together: all votes of an event are in its response.
pub const VOTE_BYTES_MAX: usize = 16 * 1024;
/// Longest comment in a thread.
pub const THREAD_COMMENT_BYTES_MAX: usize = 4096;
/// Most entries of a thread.
pub const THREAD_ENTRIES_MAX: usize = 200;
/// Most entries of a thread that are of one person.
pub const THREAD_ENTRIES_OF_ONE_MAX: usize = 40;
/// How long a claim holds when none is named: a quarter of an hour.
pub const CLAIM_MS_DEFAULT: i64 = 15 * 60 * 1000;
/// Longest claim: a day.
pub const CLAIM_MS_MAX: i64 = 24 * 60 * 60 * 1000;
/// Time from create to deadline when the request names none: one hour.
pub const TTL_DEFAULT_MS: i64 = 60 * 60 * 1000;
/// Longest time from create to deadline: a leap year.
pub const TTL_MAX_MS: i64 = 366 * 24 * 60 * 60 * 1000;
/// Largest arguments of an action that is reviewed, as JSON text.
pub const ARGUMENTS_BYTES_MAX: usize = 64 * 1024;
/// Most steps that a check of arguments by their JSON Schema may take: about 0.2 s at worst.
pub const SCHEMA_STEPS_MAX: u64 = 1_000_000;
/// Most reminders of one event.
pub const REMINDERS_MAX: usize = 10;
/// Most escalations of one event.
pub const ESCALATIONS_MAX: usize = 5;
/// Most channels of one escalation.
pub const ESCALATION_CHANNELS_MAX: usize = 10;
/// Longest note of a reminder.
pub const REMINDER_NOTE_CHARS_MAX: usize = 500;
/// Time in which an event is reminded of once at most, by whoever asked.
pub const REMINDER_PAUSE_MS: i64 = 10 * 60 * 1000;
