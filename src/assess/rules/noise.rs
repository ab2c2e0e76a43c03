//! Is this a message at all? Machines, advertising and silence are ignored; speech without sense is unclear.
//!
//! Promise: whoever declares an emergency, agrees to the fee or describes a standstill is never ignored as noise, except
//! by the unmistakable words of a machine.

use super::fragments;
use super::language;
use super::lexicon::{Mark, Scene};
use super::text::Token;

/// What kind of message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Somebody's message.
    Message,
    /// Nothing said, or nobody said it.
    Nobody,
    /// Speech that cannot be made out.
    Unclear,
}

/// What the other rules found.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a finding of its own")]
pub(super) struct Heard {
    /// An emergency or a consent.
    pub said: bool,
    /// A state that stops the business.
    pub urgent: bool,
    /// No emergency, in his own words.
    pub denied: bool,
    /// A company or a contact.
    pub named: bool,
}

/// Judges text and subject.
pub(super) fn kind(scene: &Scene<'_>, subject: Option<&Scene<'_>>, heard: Heard) -> Kind {
    let words = scene.text.tokens.iter().filter(|t| t.norm.chars().any(char::is_alphanumeric)).count();
    if words == 0 && subject.is_none_or(|s| s.text.tokens.is_empty()) || only_sounds(scene) || hung_up(scene, heard) {
        return Kind::Nobody;
    }
    if subject.is_some_and(|s| s.has("fax_mail")) || subject.is_some() && opens_with(scene, "fax_mail") {
        return Kind::Nobody;
    }
    let report = subject.is_some() && !heard.named && scene.has("generated");
    let (signs, person) = (signs(scene, subject), person(scene, report));
    let client = if report { 0 } else { client(scene) };
    let needs = person > 0 || heard.denied || heard.urgent || client > 0;
    let needs = needs || ["minor", "broken", "family"].iter().any(|name| scene.has(name));
    let yours = scene.text.tokens.iter().filter(|t| YOURS.contains(&t.norm.as_str())).count();
    let offers = scene.has("advertising") || scene.has("merchandise") && yours >= 2;
    let sells = subject.is_none() && words >= 12 && offers && !needs && signs.seller >= 2;
    let advertises = signs.seller >= 2 && signs.seller > person + client;
    let written = signs.machine > 0 && signs.machine + signs.seller > person + client;
    if sells || advertises || written {
        return Kind::Nobody;
    }
    let understood = language::understood(&scene.language);
    // "Weber. Bestellen wollt ich: zwei Bildschirme, 27 Zoll. Danke." says in scraps what it wants.
    let orders = heard.named && scene.has("errand");
    let fragments = subject.is_none() && understood && !orders && (fragmentary(scene) || fragments::row(scene));
    if heard.said || (heard.urgent && !fragments) || heard.denied && understood {
        return Kind::Message;
    }
    if subject.is_none() && chatter(scene) {
        return Kind::Nobody;
    }
    // Somebody talks to others beside the telephone, and names a service: a human listens.
    let muddled = !heard.named && (scene.marks("aside").count() > 1 && scene.has("service") || gives_up(scene));
    // "Hier Kern. Neue Maus bitte. Danke." is short and clear.
    let brief = words < 16 && (scene.has("ordinary") || legible(scene));
    let spoken = subject.is_none()
        && (muddled || fragments || !brief && !orders && (babble(scene, heard.named) || !sensible(scene, heard.named)));
    if spoken || !understood || encrypted(scene) || words < 2 { Kind::Unclear } else { Kind::Message }
}

/// Whether a concept stands among the first words.
fn opens_with(scene: &Scene<'_>, name: &str) -> bool {
    scene.marks(name).any(|mark| mark.start < 6)
}

/// A subject line that only programs write: "Automatische Antwort: …", "Angenommen: …".
fn headed(subject: &Scene<'_>) -> bool {
    let announces = |mark: &Mark| subject.text.tokens.get(mark.end).is_some_and(|next| next.announced);
    subject.marks("machine_head").any(|mark| mark.start == 0)
        || subject.marks("calendar_head").any(|mark| mark.start == 0 && announces(mark))
}

/// How much speaks for a machine and for a seller.
struct Signs {
    machine: usize,
    seller: usize,
}

/// One word of a machine is enough, of a seller's it takes two.
fn signs(scene: &Scene<'_>, subject: Option<&Scene<'_>>) -> Signs {
    let distinct = |name: &str| {
        let mut signs: Vec<String> = Vec::new();
        for scene in [Some(scene), subject].into_iter().flatten() {
            let mut covered = 0;
            for mark in scene.marks(name).filter(|mark| !scene.text.tokens[mark.start].forwarded) {
                let words = &scene.text.tokens[mark.start..mark.end];
                let sign = words.iter().map(|t| t.norm.as_str()).collect::<Vec<_>>().join(" ");
                if mark.start >= covered && !signs.contains(&sign) {
                    signs.push(sign);
                    covered = mark.end;
                }
            }
        }
        signs.len()
    };
    let offers = distinct("advertising");
    let goods = if offers > 0 { distinct("merchandise").min(2) } else { 0 };
    let headed = subject.is_some_and(headed);
    let listed = |mark: &&Mark| scene.text.tokens.get(mark.end).is_some_and(|next| next.announced);
    let list = usize::from(scene.marks("log_key").filter(listed).count() >= 3);
    let away = if subject.is_some() { distinct("away") } else { 0 };
    Signs { machine: 3 * (distinct("robot") + away + list) + 6 * usize::from(headed), seller: offers + goods }
}

/// How much speaks for a customer: he tells what is his or what he was promised, or asks for something.
fn client(scene: &Scene<'_>) -> usize {
    let spoken = |name: &str| scene.marks(name).filter(|mark| !scene.text.tokens[mark.start].forwarded).count();
    4 * (spoken("request").min(2) + 2 * spoken("told").min(1) + 3 * usize::from(inquires(scene)))
}

/// A question of the speaker's own: a seller's or a machine's has the addressee in it.
fn inquires(scene: &Scene<'_>) -> bool {
    scene.text.sentences().into_iter().any(|(from, to)| {
        let words = &scene.text.tokens[from..to];
        let any = |list: &[&str]| words.iter().any(|t| list.contains(&t.norm.as_str()));
        let own = any(&ASKER) || words.first().is_some_and(|t| ASKS.contains(&t.norm.as_str()));
        let quoted = words.first().is_none_or(|t| t.forwarded || t.quoted || t.norm == "spreche");
        scene.asks(from) && words.len() > 2 && own && !any(&YOURS) && !quoted
    })
}

/// How a question begins that has no asker in it.
const ASKS: [&str; 14] = [
    "geht", "ginge", "passt", "klappt", "kann", "koennte", "muss", "wann", "wie", "warum", "wieso", "weshalb",
    "welche", "welcher",
];

/// Who asks in a question of his own.
const ASKER: [&str; 7] = ["ich", "man", "mir", "mich", "wir", "i", "we"];

/// How much speaks for a caller with a concern of his own: then it is no machine, whatever else it sounds like. Of a machine's
/// `report` only what is told as one's own counts.
fn person(scene: &Scene<'_>, report: bool) -> usize {
    let tokens = &scene.text.tokens;
    let spoken = |mark: &Mark| !tokens[mark.start].forwarded && !scene.asks(mark.start);
    let own = |mark: &Mark| {
        let (from, to) = scene.sentence(mark.start);
        tokens[from..to].iter().any(|t| OWN.contains(&t.norm.as_str()))
    };
    let emergency = scene.marks("emergency").any(|m| spoken(m) && !quoted_subject(scene) && !generic(scene, m));
    let agreed = scene.marks("agree").any(|m| {
        let (from, to) = scene.sentence(m.start);
        let yours = tokens[from..to].iter().any(|t| matches!(t.norm.as_str(), "sie" | "ihr" | "you"));
        let terms = scene.touches("fee", from, to) || scene.touches("conditions", from, to);
        spoken(m) && terms && (own(m) || !yours) && !scene.touches("condition", from, to)
    });
    // A fault is the caller's own unless it is told of the addressee ("dann steht Ihr Betrieb").
    let here = |mark: &Mark| {
        let (from, to) = scene.sentence(mark.start);
        let yours = tokens[from..to].iter().any(|t| YOURS.contains(&t.norm.as_str()));
        spoken(mark) && (own(mark) || !yours && !report) && !scene.touches("condition", from, to)
    };
    let fault = scene.marks("severe").chain(scene.marks("standstill")).any(here)
        || scene.marks("broken").any(|m| {
            let (from, to) = scene.sentence(m.start);
            here(m) && scene.touches("service", from, to)
        });
    3 * [emergency, agreed, fault, scene.has("customer")].into_iter().filter(|holds| *holds).count()
}

/// Words by which somebody speaks of his own affairs.
const OWN: [&str; 20] = [
    "wir", "uns", "unser", "unsere", "unserem", "unseren", "unserer", "unseres", "ich", "mir", "mich", "mein", "meine",
    "meiner", "we", "our", "us", "i", "my", "mia",
];

/// Words by which somebody speaks of the addressee's affairs.
const YOURS: [&str; 9] = ["sie", "ihr", "ihre", "ihren", "ihrem", "ihrer", "ihnen", "you", "your"];

/// "In dringenden Notfällen", "bei jedem Notfall", "der wahre Notfall", "sollte … ein Notfall": of emergencies in general.
fn generic(scene: &Scene<'_>, mark: &Mark) -> bool {
    let word = |at: usize| scene.word(at);
    let (first, _) = scene.sentence(mark.start);
    let (clause, _) = scene.clause(mark.start);
    // "Für die meisten Betriebe ein unternehmenskritischer Notfall"
    let most = (first..mark.start)
        .any(|at| matches!(word(at), "meisten" | "jeden" | "jedes" | "jede" | "viele" | "manche" | "etliche"));
    let plural = word(mark.end - 1).ends_with("faellen") || word(mark.end - 1).ends_with("faelle");
    let supposed = ["falls", "sollte", "sollten", "wenn", "if", "should"];
    let governed = (clause..mark.start).rev().take(4).take_while(|at| *at + 1 == mark.start || adjective(word(at + 1)));
    let before: Vec<&str> = governed.map(word).collect();
    plural
        || most
        || supposed.contains(&word(first))
        || supposed.contains(&word(clause))
        || before.iter().any(|word| GOVERNS.contains(word))
}

/// Before a noun, what leaves it one of many.
const GOVERNS: [&str; 22] = [
    "bei",
    "in",
    "im",
    "beim",
    "fuer",
    "jeder",
    "jeden",
    "jedem",
    "jedes",
    "zum",
    "vom",
    "des",
    "der",
    "den",
    "dem",
    "kein",
    "keinen",
    "keinem",
    "einzigen",
    "notification",
    "of",
    "any",
];

/// An article or an adjective: what may stand between a preposition and its noun.
fn adjective(word: &str) -> bool {
    ["e", "er", "en", "em", "es", "ein"].iter().any(|ending| word.ends_with(ending)) && word.len() > 2
}

/// A read receipt or a bounce repeats the subject of a mail: nobody speaks there.
fn quoted_subject(scene: &Scene<'_>) -> bool {
    scene.text.tokens.iter().any(|t| t.norm == "betreff" || t.norm == "subject")
}

/// Somebody who found a machine and rang off.
fn hung_up(scene: &Scene<'_>, heard: Heard) -> bool {
    let own = scene.has("ordinary") || scene.has("customer") || client(scene) > 0;
    let concern = heard.said || heard.urgent || own;
    scene.has("hang_up") && scene.text.tokens.len() <= 16 && !concern && person(scene, false) == 0
}

/// "Ist da wer? Ich leg auf": gives up before anything was said that is known.
fn gives_up(scene: &Scene<'_>) -> bool {
    let known = ["ordinary", "errand", "minor", "quirk"];
    scene.has("gives_up") && !known.iter().any(|name| scene.has(name))
}

/// Nothing but a recogniser's names for sounds, or one sound over and over.
fn only_sounds(scene: &Scene<'_>) -> bool {
    let tokens = &scene.text.tokens;
    let covered = scene.marks("no_speech").map(|m| m.end - m.start).sum::<usize>();
    let concern = scene.has("emergency")
        || scene.has("agree")
        || scene.has("broken") && scene.has("service")
        || scene.has("ordinary");
    let noise = covered * 2 > tokens.len() || tokens.len() <= 12 && scene.has("invention");
    let squeezed = |word: &str| {
        let mut letters: Vec<char> = word.chars().collect();
        letters.dedup();
        letters.into_iter().collect::<String>()
    };
    let tones = tokens.iter().all(|t| {
        matches!(
            squeezed(&t.norm).as_str(),
            "tut" | "tuet" | "tueuet" | "tueueuet" | "pip" | "piep" | "bip" | "biep" | "beep" | "bep"
        )
    }) || tokens.iter().all(|t| t.norm.starts_with("tue") && t.norm.ends_with('t'));
    // "Krrrt. Pschhh."
    let spoken = |t: &Token| {
        !t.norm.is_ascii() || t.norm.contains(['a', 'e', 'i', 'o', 'u', 'y']) && !squeezed(&t.norm).contains("iep")
    };
    let tones = tones || !tokens.is_empty() && !tokens.iter().any(|t| spoken(t) || t.is_number());
    tones || noise && !concern
}

/// Encrypted, or escaped by a program that did not undo it ("=E2=96=A1").
fn encrypted(scene: &Scene<'_>) -> bool {
    let coded = |at: usize| {
        let code = scene.text.source.as_bytes().get(at + 1..at + 3);
        code.is_some_and(|code| code.iter().all(u8::is_ascii_hexdigit))
    };
    let escapes = scene.text.source.match_indices('=').filter(|(at, _)| coded(*at)).count();
    scene.text.source.contains("BEGIN PGP MESSAGE") || escapes * 4 > scene.text.tokens.len().max(12)
}

/// Talk among people beside the telephone: nothing of what a caller brings, nobody addressed as "Sie".
fn chatter(scene: &Scene<'_>) -> bool {
    let brought = ["service", "emergency", "conditions", "fee", "call_now", "severe", "ordinary", "family", "critical"];
    let addressed = ["sie", "ihnen", "ihr", "ihre", "euch", "eure", "hier"];
    // A friend of the house may say "du": whoever asks for anything or tells of a fault is heard.
    let pleads = |word: &str| PLEADS.iter().any(|stem| word.starts_with(stem));
    let ours = scene.text.tokens.iter().any(|t| matches!(t.norm.as_str(), "wir" | "uns" | "unser" | "unsere"));
    let calls =
        scene.text.tokens.iter().any(|t| addressed.contains(&t.norm.as_str()) || t.is_number() || pleads(&t.norm))
            || ours && scene.has("broken");
    scene.marks("aside").count() > 2 && !calls && !brought.iter().any(|name| scene.has(name))
}

/// How words begin that ask for help or tell of a fault.
const PLEADS: [&str; 12] =
    ["ruf", "anruf", "meld", "helf", "hilf", "problem", "kaputt", "geht", "funktion", "stoerung", "fehler", "notf"];

/// A concern that is known, or clauses long enough to be sentences.
fn sensible(scene: &Scene<'_>, named: bool) -> bool {
    let clauses = scene.text.tokens.last().map_or(1, |t| t.clause + 1);
    let length = |words: usize| scene.text.tokens.len() * 2 >= clauses * words;
    ["ordinary", "family", "customer", "request", "told"].iter().any(|name| scene.has(name))
        || named && length(6)
        || length(9)
}

/// Clauses that break off before their noun or verb, and words that only fill: speech that nobody can follow.
fn fragmentary(scene: &Scene<'_>) -> bool {
    let tokens = &scene.text.tokens;
    let (mut clauses, mut broken, mut fillers, mut long) = (0, 0, 0, 0);
    for clause in tokens.chunk_by(|a, b| a.clause == b.clause) {
        let fills = clause.iter().all(|t| FILLERS.contains(&t.norm.as_str()));
        let open = clause.last().is_some_and(|t| OPEN.contains(&t.norm.as_str()));
        clauses += 1;
        fillers += usize::from(fills);
        broken += usize::from(!fills && open && clause.len() <= 6);
        long += usize::from(clause.len() >= 5);
    }
    clauses >= 6 && long * 8 <= clauses && (2 * broken + fillers) * 3 >= clauses && tokens.len() * 2 <= clauses * 5
}

/// Few words, but a clause among them that is whole, and none that breaks off.
fn legible(scene: &Scene<'_>) -> bool {
    let (mut whole, mut broken) = (false, 0);
    for clause in scene.text.tokens.chunk_by(|a, b| a.clause == b.clause) {
        let fills = clause.iter().all(|t| FILLERS.contains(&t.norm.as_str()));
        let open = clause.last().is_some_and(|t| OPEN.contains(&t.norm.as_str()));
        whole |= clause.len() >= 4 && !open;
        broken += usize::from(fills || open);
    }
    whole && broken == 0
}

/// Words that need another behind them.
const OPEN: [&str; 56] = [
    "der", "die", "das", "den", "dem", "des", "ein", "eine", "einen", "einem", "einer", "eines", "und", "mit", "von",
    "vom", "in", "ins", "im", "am", "zum", "zur", "auf", "fuer", "bei", "beim", "zu", "dann", "weil", "dass", "ob",
    "aber", "wenn", "also", "unser", "unsere", "unseren", "mein", "meine", "seit", "ueber", "an", "aus", "nach", "hat",
    "ist", "war", "ich", "wir", "er", "es", "man", "is", "bin", "ham", "haben",
];

/// Words that say nothing by themselves.
const FILLERS: [&str; 44] = [
    "ja", "nein", "nee", "noe", "hallo", "gut", "bitte", "also", "wart", "warte", "wartet", "moment", "genau", "ach",
    "oder", "was", "wie", "weg", "na", "hier", "so", "da", "du", "dann", "doch", "okay", "ok", "jetzt", "jetz",
    "danke", "nochmal", "halt", "oh", "mm", "he", "hoer", "no", "yes", "und", "aus", "naa", "achtung", "tschau",
    "klar",
];

/// Very short clauses throughout, or the same words over and over.
fn babble(scene: &Scene<'_>, named: bool) -> bool {
    let tokens = &scene.text.tokens;
    let mut distinct: Vec<&str> = tokens.iter().map(|t| t.norm.as_str()).collect();
    distinct.sort_unstable();
    distinct.dedup();
    let clauses = tokens.last().map_or(1, |t| t.clause + 1);
    tokens.len() > 8
        && (distinct.len() * 2 < tokens.len() && tokens.len() < 60
            || tokens.len() * 2 < clauses * if named && tokens.len() < 16 { 4 } else { 5 })
}

#[cfg(test)]
mod tests {
    use crate::assess::rules::{Message, Terms, judge};
    use crate::domain::assessment::Verdict;
    use crate::domain::tariff::Cents;

    fn heard(text: &str) -> Verdict {
        let message = Message { text, subject: None, displayed: None, at: None, outside_hours: true, headers: &[] };
        judge(&message, &Terms { fee: Cents(4800), own_numbers: &[] }).verdict
    }

    #[test]
    fn a_pocket_call_is_ignored_and_a_friend_in_need_is_not() {
        assert_eq!(
            heard("Nimm du mal die Tüte. Nein, Mama, wir gehen noch. Hast du das Auto gesehen? Komm."),
            Verdict::Ignored
        );
        for text in [
            "Du, hör mal, bei uns tut der Ofen nix mehr, kannst du kommen, hast du Zeit?",
            "Hey du, hast du Zeit, komm bitte, ich hab ein Problem mit dem Dings.",
            "Du, bist du da? Kannst du mich bitte zurückrufen, du weißt schon.",
        ] {
            assert_ne!(heard(text), Verdict::Ignored, "{text}");
        }
    }
}
