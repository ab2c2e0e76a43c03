//! Is this a message at all? Machines, advertising and silence are ignored; speech without sense is unclear.
//!
//! Promise: whoever declares an emergency, agrees to the fee or describes a standstill is never ignored as noise, except
//! by the unmistakable words of a machine.

use super::lexicon::Scene;

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

/// Judges text and subject. `decisive`: an emergency, a consent or an urgent state was found.
/// `named`: a company or a contact was found.
pub(super) fn kind(scene: &Scene<'_>, subject: Option<&Scene<'_>>, decisive: bool, denied: bool, named: bool) -> Kind {
    let words = scene.text.tokens.iter().filter(|t| t.norm.chars().any(char::is_alphanumeric)).count();
    let both = || [Some(scene), subject].into_iter().flatten();
    if words == 0 && subject.is_none_or(|s| s.text.tokens.is_empty()) || only_sounds(scene) {
        return Kind::Nobody;
    }
    if subject.is_some_and(|s| s.has("fax_mail")) || subject.is_some() && opens_with(scene, "fax_mail") {
        return Kind::Nobody;
    }
    if both().any(|s| s.has("robot")) && !caller_speaks(scene) {
        return Kind::Nobody;
    }
    if advertised(scene, subject) && !caller_speaks(scene) {
        return Kind::Nobody;
    }
    if decisive || denied {
        return Kind::Message;
    }
    if subject.is_none() && chatter(scene) {
        return Kind::Nobody;
    }
    // Somebody talks to others beside the telephone, and names a service: a human listens.
    let muddled = !named && scene.marks("aside").count() > 1 && scene.has("service") && subject.is_none();
    if muddled
        || encrypted(scene)
        || words < 2
        || !(scene.has("ordinary") || scene.has("family") || named && coherent(scene))
        || babble(scene, named)
    {
        return Kind::Unclear;
    }
    Kind::Message
}

/// Whether a concept stands among the first words.
fn opens_with(scene: &Scene<'_>, name: &str) -> bool {
    scene.marks(name).any(|mark| mark.start < 6)
}

/// Two different signs of advertising.
fn advertised(scene: &Scene<'_>, subject: Option<&Scene<'_>>) -> bool {
    let mut signs: Vec<String> = Vec::new();
    for scene in [Some(scene), subject].into_iter().flatten() {
        for mark in scene.marks("advertising") {
            let words =
                scene.text.tokens[mark.start..mark.end].iter().map(|t| t.norm.as_str()).collect::<Vec<_>>().join(" ");
            if !signs.contains(&words) {
                signs.push(words);
            }
        }
    }
    signs.len() >= 2
}

/// A first person with an emergency or a fault of his own: then it is no machine, whatever else it sounds like.
fn caller_speaks(scene: &Scene<'_>) -> bool {
    let own = ["wir", "uns", "ich", "mir", "we", "i"];
    let about = |name: &str| {
        scene.marks(name).any(|mark| {
            let (from, to) = scene.sentence(mark.start);
            scene.text.tokens[from..to].iter().any(|t| own.contains(&t.norm.as_str()) && !t.forwarded)
        })
    };
    let agreed = scene.marks("agree").any(|m| {
        let (from, to) = scene.sentence(m.start);
        (scene.touches("fee", from, to) || scene.touches("conditions", from, to))
            && !scene.touches("condition", from, to)
    });
    about("emergency") && !quoted_subject(scene) || about("severe") || agreed && about("agree")
}

/// A read receipt or a bounce repeats the subject of a mail: nobody speaks there.
fn quoted_subject(scene: &Scene<'_>) -> bool {
    scene.text.tokens.iter().any(|t| t.norm == "betreff" || t.norm == "subject")
}

/// Nothing but a recogniser's names for sounds, or one sound over and over.
fn only_sounds(scene: &Scene<'_>) -> bool {
    let tokens = &scene.text.tokens;
    let covered = scene.marks("no_speech").map(|m| m.end - m.start).sum::<usize>();
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
    tones || covered > 0 && tokens.len() <= 12 && !scene.has("emergency") && !scene.has("broken")
}

fn encrypted(scene: &Scene<'_>) -> bool {
    scene.text.source.contains("BEGIN PGP MESSAGE")
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

/// Whether its clauses are long enough to be sentences.
fn coherent(scene: &Scene<'_>) -> bool {
    let clauses = scene.text.tokens.last().map_or(1, |t| t.clause + 1);
    scene.text.tokens.len() >= clauses * 3
}

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
        let message = Message { text, subject: None, displayed: None, at: None, outside_hours: true };
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
