//! Sentences in text without punctuation.
//!
//! A recogniser often writes a whole message as one row of words. What belongs to one thought must still be told from the
//! next one, or a "nicht" of the fault would turn round a consent. So long rows are cut where a German sentence is
//! likely to begin. Punctuated text is left as it is.

use super::text::Token;
use super::words::WORDS;

/// A stretch without punctuation is cut only if it is longer than this many tokens.
const LONG: usize = 26;

/// Cuts long unpunctuated rows; gives the tokens with new numbers, and which sentences ask.
pub(super) fn split(mut tokens: Vec<Token>, asks: &[bool]) -> (Vec<Token>, Vec<bool>) {
    let mut cuts = vec![false; tokens.len()];
    let mut from = 0;
    while from < tokens.len() {
        let clause = tokens[from].clause;
        let length = tokens[from..].iter().take_while(|t| t.clause == clause).count();
        // The words that open subordinate clauses cut the row too; what counts is the stretch they share a sentence with.
        let sentence = tokens[from].sentence;
        let row = tokens[from..].iter().take_while(|t| t.sentence == sentence).count();
        let clauses = tokens[from..from + row].iter().map(|t| t.clause).max().unwrap_or(clause) - clause + 1;
        if length > LONG || row > LONG && row / clauses > 14 {
            for (at, cut) in cuts.iter_mut().enumerate().take(from + row).skip(from + 2) {
                *cut = begins(&tokens, at);
            }
            from += row;
        } else {
            from += length;
        }
    }
    let mut asked = Vec::new();
    let (mut shift, mut last) = (0, usize::MAX);
    for (at, token) in tokens.iter_mut().enumerate() {
        let asks = asks.get(token.sentence).copied().unwrap_or(false);
        if last != token.sentence {
            last = token.sentence;
            asked.push(asks);
        } else if cuts[at] {
            shift += 1;
            asked.push(asks);
        }
        token.sentence = asked.len() - 1;
        token.clause += shift;
    }
    (tokens, asked)
}

/// Written with a capital inside a row, these begin a sentence: nobody writes them so elsewhere.
const CAPITAL_STARTS: &[&str] = &[
    "wir",
    "ich",
    "es",
    "das",
    "die",
    "der",
    "den",
    "dem",
    "mit",
    "bitte",
    "unser",
    "unsere",
    "mein",
    "meine",
    "ohne",
    "bei",
    "aber",
    "also",
    "ja",
    "nein",
    "hier",
    "dann",
    "jetzt",
    "wenn",
    "falls",
    "auf",
    "rufen",
    "danke",
    "vielen",
    "und",
    "nicht",
    "kein",
    "keine",
    "null",
    "weil",
    "da",
    "seit",
    "dass",
    "ein",
    "eine",
    "laut",
    "damit",
    "nur",
    "wie",
    "was",
    "untertitel",
];

/// Before an adjective these belong to it.
const BEFORE_ADJECTIVE: &[&str] = &[
    "ein",
    "a",
    "kein",
    "koa",
    "unser",
    "dieser",
    "der",
    "als",
    "ist",
    "is",
    "isch",
    "nicht",
    "ned",
    "net",
    "und",
    "sondern",
    "sehr",
    "also",
    "wirklich",
    "soll",
    "sagen",
    "sage",
    "heisst",
    "steht",
    "mit",
    "absolut",
    "absoluter",
    "echter",
    "klarer",
    "hier",
    "typ",
    "art",
    "dringender",
    "mein",
    "zwar",
];

/// How words of agreement begin.
const AGREES: &[&str] = &["akzept", "stimm", "bestaetig", "uebernehm", "zahl", "erkenn", "genehmig", "willig"];

/// Whether a new sentence is likely to begin at a token.
fn begins(tokens: &[Token], at: usize) -> bool {
    let word = |index: usize| tokens.get(index).map_or("", |t| t.norm.as_str());
    let (before, here, next, third) = (word(at - 1), word(at), word(at + 1), word(at + 2));
    let noun = |word: &str| WORDS.nouns.contains(word);
    let sum = |word: &str| word.starts_with(|c: char| c.is_ascii_digit()) || word.ends_with("vierzig");
    // Where a comma stands, the text is punctuated: what it joins stays together.
    let joined = tokens[at - 1].sentence == tokens[at].sentence && tokens[at - 1].clause == tokens[at].clause;
    let thinks = |word: &str| matches!(word, "hoffe" | "hoff" | "glaube" | "glaub" | "denke" | "denk" | "schaetze");
    let thought = thinks(before) || before == "mal" && at > 1 && thinks(word(at - 2));
    if !joined || thought || WORDS.subordinate.contains(before) {
        return false;
    }
    if tokens[at].capital && !tokens[at - 1].is_number() && CAPITAL_STARTS.contains(&here) {
        return true;
    }
    let adjective = here.ends_with("kritischer")
        || matches!(here, "unternehmens" | "geschaefts" | "betriebs") && next.starts_with("kritischer");
    if adjective {
        // "… kriegt Papiere Betriebs kritischer Notfall": without an article it stands for itself.
        return !BEFORE_ADJECTIVE.contains(&before);
    }
    let agrees = AGREES.iter().any(|verb| next.starts_with(verb));
    match here {
        _ if WORDS.pronouns.contains(here) && agrees => before != "dass",
        _ if WORDS.pronouns.contains(here) && WORDS.verbs.contains(next) => {
            !(WORDS.verbs.contains(before) && before != "bitte")
        }
        "mein" | "meine" => matches!(
            next,
            "name" | "nummer" | "handynummer" | "telefonnummer" | "mobilnummer" | "rueckrufnummer" | "durchwahl"
        ),
        "mit" => {
            (noun(third) || noun(next)) && !matches!(before, "einverstanden" | "verstanden" | "und" | "auch" | "nicht")
        }
        "die" | "den" | "der" | "ihre" | "ihren" | "ihrer" => {
            (noun(next) || sum(next) && third == "euro") && !WORDS.hold.contains(before)
        }
        "einverstanden" | "einverstaendnis" => next == "mit" && noun(before),
        "rufen" | "melden" | "kommen" => next == "sie" && before != "bitte",
        "bitte" => matches!(next, "rufen" | "kommen" | "melden" | "um" | "schicken" | "dringend"),
        "auf" => next == "wiederhoeren",
        "bei" => next == "uns" && !WORDS.verbs.contains(before),
        "unser" | "unsere" => !WORDS.hold.contains(before) && !WORDS.verbs.contains(before) && before.len() > 3,
        "unter" => next == "der" || next == "null" || next.starts_with('0'),
        _ => {
            WORDS.starters.contains(here)
                && !WORDS.hold.contains(before)
                && !matches!(
                    before,
                    "mein" | "meine" | "um" | "das" | "dem" | "bitte" | "vielen" | "aufs" | "die" | "und"
                )
        }
    }
}
