//! Sentences in text without punctuation.
//!
//! A recogniser often writes a whole message as one row of words. What belongs to one thought must still be told from the
//! next one, or a "nicht" of the fault would turn round a consent. So long rows are cut where a German sentence is
//! likely to begin. Punctuated text is left as it is.

use super::text::{Token, word};
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
            // The question mark of a row asks what stands before it.
            if let Some(before) = asked.last_mut() {
                *before = false;
            }
            asked.push(asks);
        }
        token.sentence = asked.len() - 1;
        token.clause += shift;
    }
    (tokens, asked)
}

/// How far back a clause is looked for that a noun phrase may belong to.
const REACH: usize = 10;

/// "Ob mein Chef | mit den Bedingungen einverstanden ist": a subordinate clause that has no verb yet goes on.
fn unfinished(tokens: &[Token], at: usize) -> bool {
    let from = at.saturating_sub(REACH);
    let opened = (from..at).rev().find(|i| {
        matches!(
            tokens[*i].norm.as_str(),
            "dass" | "ob" | "wenn" | "falls" | "sofern" | "wie" | "wer" | "wann" | "warum" | "wofuer" | "weshalb"
        )
    });
    opened.is_some_and(|opener| !(opener + 1..at).any(|i| verbal(&tokens[i].norm)))
}

/// "Der Chef wird | den Bedingungen zustimmen", "da hatte ich | den 48 Euro zugestimmt": what an auxiliary opens, its
/// infinitive or participle closes.
fn bracketed(tokens: &[Token], at: usize) -> bool {
    let word = |index: usize| word(tokens, index);
    let opened = (at.saturating_sub(REACH)..at).any(|i| WORDS.auxiliaries.contains(word(i)));
    let closed = word(at - 1).ends_with("en") && !WORDS.auxiliaries.contains(word(at - 1)) || over(word(at - 1));
    if WORDS.auxiliaries.contains(word(at - 1)) {
        return true;
    }
    let person = |index: usize| matches!(word(index), "wir" | "ich");
    let end = (at..at + REACH + 4).find(|i| person(*i) || verbal(word(*i)) || WORDS.closes.contains(word(*i)));
    // "Die Gebühr akzeptieren wir": no infinitive, unless "wir" begins the next sentence.
    let finite = |i: usize| person(i + 1) && !verbal(word(i + 2)) && !word(i).ends_with("stimmen");
    opened && !closed && end.is_some_and(|i| WORDS.closes.contains(word(i)) && !finite(i))
}

/// What a predicate ends with: "muss raus", "ist tot", "sind weg".
fn over(word: &str) -> bool {
    matches!(
        word,
        "raus"
            | "weg"
            | "tot"
            | "kaputt"
            | "leer"
            | "hinueber"
            | "offline"
            | "lahm"
            | "still"
            | "futsch"
            | "ausgefallen"
            | "defekt"
            | "gesperrt"
            | "voll"
            | "dunkel"
            | "schwarz"
            | "stumm"
            | "fort"
    )
}

/// Looks like a finite verb.
fn verbal(word: &str) -> bool {
    WORDS.auxiliaries.contains(word) || WORDS.verbs.contains(word) || matches!(word, "steht" | "laeuft" | "geht")
}

/// Whether a new sentence is likely to begin at a token.
fn begins(tokens: &[Token], at: usize) -> bool {
    let word = |index: usize| word(tokens, index);
    let (before, here, next) = (word(at - 1), word(at), word(at + 1));
    // Where a comma stands, the text is punctuated: what it joins stays together.
    let joined = tokens[at - 1].sentence == tokens[at].sentence && tokens[at - 1].clause == tokens[at].clause;
    let thinks = |word: &str| matches!(word, "hoffe" | "hoff" | "glaube" | "glaub" | "denke" | "denk" | "schaetze");
    let thought = thinks(before) || before == "mal" && at > 1 && thinks(word(at - 2));
    if !joined || thought || WORDS.subordinate.contains(before) {
        return false;
    }
    if tokens[at].capital && !tokens[at - 1].is_number() && WORDS.capital_starts.contains(here) {
        return true;
    }
    let adjective = here.ends_with("kritischer")
        || here.ends_with("kritische") && next.starts_with("not")
        || matches!(here, "unternehmens" | "geschaefts" | "betriebs") && next.starts_with("kritischer");
    if adjective {
        // "… kriegt Papiere Betriebs kritischer Notfall": without an article it stands for itself.
        return !WORDS.before_adjective.contains(before);
    }
    if WORDS.phrases.contains(here) && (unfinished(tokens, at) || bracketed(tokens, at)) {
        return false;
    }
    opens(tokens, at)
}

/// An article or possessive that may open a sentence; behind a noun "der" is a genitive.
fn subject(here: &str, before: &str) -> bool {
    matches!(here, "die" | "das" | "mein" | "unser" | "unsere" | "meine")
        || here == "der" && !WORDS.nouns.contains(before)
}

/// Whether a thought may be over before a new subject: what holds on to a fee holds on to no other noun.
fn ends(before: &str, subject: &str) -> bool {
    let agreed =
        matches!(before, "einverstanden" | "akzeptiert" | "ich" | "wir" | "an" | "zu" | "ok" | "okay" | "ordnung");
    !WORDS.hold.contains(before) || agreed && !WORDS.nouns.contains(subject)
}

fn pronominal(word: &str) -> bool {
    matches!(
        word,
        "das" | "die" | "der" | "es" | "ich" | "wir" | "sie" | "mir" | "uns" | "ihr" | "ihnen" | "nicht" | "auch"
    )
}

/// Verbs that stand second in what is told of a thing or a person.
fn clause_verb(word: &str) -> bool {
    matches!(
        word,
        "ist"
            | "sind"
            | "hat"
            | "haben"
            | "kann"
            | "koennen"
            | "geht"
            | "gehen"
            | "laeuft"
            | "laufen"
            | "steht"
            | "darf"
            | "soll"
            | "muss"
            | "will"
    )
}

/// Whether the words themselves open a sentence.
fn opens(tokens: &[Token], at: usize) -> bool {
    let word = |index: usize| word(tokens, index);
    let (before, here, next, third) = (word(at - 1), word(at), word(at + 1), word(at + 2));
    let noun = |word: &str| WORDS.nouns.contains(word);
    let sum = |word: &str| word.starts_with(|c: char| c.is_ascii_digit()) || word.ends_with("vierzig");
    let agrees = WORDS.agreeing(next);
    match here {
        _ if WORDS.pronouns.contains(here) && agrees => before != "dass",
        _ if WORDS.pronouns.contains(here) && WORDS.verbs.contains(next) => {
            // "Die Gebühr tragen Sie bitte selbst."
            let asked = here == "sie" && next == "bitte";
            !(asked || WORDS.verbs.contains(before) && before != "bitte")
        }
        "mein" | "meine" => matches!(
            next,
            "name" | "nummer" | "handynummer" | "telefonnummer" | "mobilnummer" | "rueckrufnummer" | "durchwahl"
        ),
        "mit" => {
            (noun(third) || noun(next))
                && !matches!(
                    before,
                    "einverstanden" | "verstanden" | "und" | "auch" | "nicht" | "war" | "waren" | "sei" | "seien"
                )
        }
        _ if subject(here, before) && !pronominal(next) && clause_verb(third) && ends(before, next) => true,
        "wir" | "ich"
            if matches!(next, "wissen" | "weiss" | "verstehen" | "brauchen" | "brauche" | "koennen" | "kann") =>
        {
            !WORDS.verbs.contains(before) && !WORDS.agreeing(before) && !WORDS.auxiliaries.contains(before)
        }
        "vielleicht" | "wahrscheinlich" | "vermutlich" => matches!(next, "ist" | "sind" | "liegt" | "hat"),
        "die" | "den" | "der" | "ihre" | "ihren" | "ihrer" => {
            let parted = here == "die" && before == "zu";
            (noun(next) || sum(next) && third == "euro") && (parted || !WORDS.hold.contains(before))
        }
        "einverstanden" | "einverstaendnis" => next == "mit" && noun(before),
        "rufen" | "melden" | "kommen" => next == "sie" && before != "bitte",
        "ruft" | "rufts" | "schreibt" | "schickt" | "meldet" => {
            matches!(next, "mich" | "mir" | "uns" | "bitte" | "an") && !WORDS.nouns.contains(before)
        }
        "selbstverstaendlich" | "natuerlich" => WORDS.agreeing(next) || WORDS.verbs.contains(next),
        "jetzt" => matches!(next, "hat" | "haben") && before != "bis",
        "bitte" => matches!(next, "rufen" | "kommen" | "melden" | "um" | "schicken" | "dringend"),
        "auf" => next == "wiederhoeren",
        "bei" => next == "uns" && !WORDS.verbs.contains(before),
        "unser" | "unsere" => !WORDS.hold.contains(before) && !WORDS.verbs.contains(before) && before.len() > 3,
        "unter" => next == "der" || next == "null" || next.starts_with('0'),
        _ => WORDS.starters.contains(here) && !WORDS.hold.contains(before) && !KEEPS.contains(&before),
    }
}

/// Behind these a word that begins sentences goes on with one.
const KEEPS: [&str; 10] = ["mein", "meine", "um", "das", "dem", "bitte", "vielen", "aufs", "die", "und"];
