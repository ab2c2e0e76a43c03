//! A question about the terms and what answers it: "Bedingungen angenommen? Ja", "Ob ich einverstanden bin? Bin ich."

use super::lexicon::Scene;
use super::scope::Says;

/// How a question is answered by what follows it ("Bedingungen angenommen? Ja"), and where the answer's first words end.
pub(super) fn answer(scene: &Scene<'_>, from: usize, to: usize) -> Option<(Says, usize)> {
    let long = to - from > 22;
    let open = QUESTIONS.contains(&scene.word(from)) || scene.touches("quote", from, to);
    let offered = scene.touches("agree", from, to) || to - from <= 8;
    if !scene.asks(from) || long || open || !offered || to >= scene.text.tokens.len() || scene.asks(to) {
        return None;
    }
    let at = (to..to + 3).find(|at| scene.word(*at) != "auch" && scene.word(*at) != "ebenfalls").unwrap_or(to);
    let starts = |name: &str| scene.marks(name).any(|mark| mark.start == at);
    let end = scene.clause(at).1;
    if scene.word(at) == "nein"
        || starts("decline")
        || scene.touches("negation", to, end.max(scene.sentence(to).1.min(to + 6)))
    {
        Some((Says::No, end))
    } else if matches!(scene.word(at), "ja" | "jawohl" | "jo" | "yes")
        || starts("yes")
        || starts("agree")
        || end - to <= 3
            && (to..end.min(to + 2)).any(|at| TOO.contains(&scene.word(at)) && !verbal_before(scene, to, at))
    {
        Some((Says::Yes, end))
    } else {
        None
    }
}

/// Answer a second question as the first.
const TOO: [&str; 6] = ["auch", "ebenfalls", "ebenso", "genauso", "dito", "gleichfalls"];

/// "Nickt auch", "stimmt auch": tells something, and answers nothing.
fn verbal_before(scene: &Scene<'_>, from: usize, at: usize) -> bool {
    (from..at).any(|i| scene.word(i).len() > 3)
}

/// Questions that ask for something else than a yes, or whether it has to be said.
const QUESTIONS: [&str; 22] = [
    "was", "wie", "wer", "wann", "warum", "wieso", "weshalb", "wo", "wofuer", "welche", "welcher", "ob", "soll",
    "sollen", "muss", "muessen", "kann", "koennen", "darf", "wenn", "falls", "gibt",
];

/// "Ob ich mit den Bedingungen einverstanden bin? Bin ich."
pub(super) fn answers_himself(scene: &Scene<'_>, from: usize, to: usize) -> Option<(Says, usize)> {
    let mine = scene.word(from) == "ob"
        && (from..to.min(from + 4)).any(|at| matches!(scene.word(at), "ich" | "wir" | "uns" | "mir"));
    let yes = matches!(
        (scene.word(to), scene.word(to + 1)),
        ("bin" | "tu" | "tue", "ich")
            | ("sind" | "tun", "wir")
            | (
                "ja" | "jawohl"
                    | "klar"
                    | "natuerlich"
                    | "doch"
                    | "selbstverstaendlich"
                    | "sicher"
                    | "freilich"
                    | "logisch",
                _
            )
    );
    let end = scene.clause(to.min(scene.text.tokens.len().saturating_sub(1))).1;
    let plain = !scene.touches("negation", from, end) && scene.touches("agree", from, to) && to - from <= 22;
    (mine && yes && plain && scene.asks(from) && to < scene.text.tokens.len()).then_some((Says::Yes, end))
}
