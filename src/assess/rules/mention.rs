//! How one mention of an emergency counts: stated, denied, doubtful, or of another time, another person, another matter.

use super::earlier::earlier;
use super::lexicon::{Mark, Scene};
use super::scope::adopted;

/// How one mention of an emergency counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mention {
    /// Stated.
    Holds,
    /// Said to be none.
    Denied,
    /// Noted or asked: reaches a human without being a declaration of its own.
    Weak,
    /// Past, imagined, hoped away.
    Nothing,
}

/// Judges one mention.
pub(super) fn mention(scene: &Scene<'_>, mark: &Mark) -> Mention {
    let (first, last) = scene.sentence(mark.start);
    if scene.touches("almost_emergency", first, last) {
        return Mention::Weak;
    }
    if negated(scene, mark) {
        return denial(scene, mark);
    }
    if let Some(answered) = answered(scene, mark, last) {
        return answered;
    }
    if taken_up(scene, mark, last) {
        return Mention::Holds;
    }
    if taken_back(scene, mark, last) {
        return Mention::Denied;
    }
    if scene.text.tokens[mark.start].forwarded && told_above(scene)
        || supposed(scene, mark)
        || scene.text.tokens[first..mark.start].iter().any(|t| t.norm.starts_with("hoff"))
        || quotation(scene, mark) && !adopted(scene, first, last)
        || defined(scene, mark)
        || prescribed(scene, mark, (first, last))
    {
        return Mention::Nothing;
    }
    if let Some(earlier) = earlier(scene, mark) {
        return earlier;
    }
    // A negation that no pattern knows ("Notfall würde ich nicht sagen"), or a question: doubtful, so a human decides.
    let asks = scene.asks(mark.start) && in_question(scene, mark) && !assured(scene, first, last);
    if asks { asked(scene, mark) } else { Mention::Holds }
}

/// Whether a denial lies over it.
pub(super) fn negated(scene: &Scene<'_>, mark: &Mark) -> bool {
    ["no_emergency", "hardly_emergency"].iter().any(|name| {
        let mut denials = scene.marks(name).filter(|m| m.start < mark.end && m.end > mark.start);
        denials.any(|denial| !breaks_off(scene, mark, denial))
    })
}

/// "Wir können niemanden abfertigen, Notfall": the negation belongs to a clause of its own that is over, unless it is one of
/// saying ("ich behaupte nicht, es ist …") or the next clause hangs on it ("nicht, dass …", "kein echter, kritischer …").
fn breaks_off(scene: &Scene<'_>, mark: &Mark, denial: &Mark) -> bool {
    let (from, _) = scene.clause(mark.start);
    let negates = |at: usize| ["not", "no", "nothing"].iter().any(|name| scene.touches(name, at, at + 1));
    if denial.start >= from || (from..denial.end).any(negates) {
        return false;
    }
    let (opening, _) = scene.clause(denial.start);
    let says = |at: usize| DENIABLE.iter().any(|stem| scene.word(at).starts_with(stem));
    let hangs = ["dass", "ob", "als", "um", "wie", "weil", "sondern"].contains(&scene.word(from));
    // "…, auch nicht, das ist ein Notfall" ends its clause; "nicht, das es einer wäre" opens one.
    let closes = scene.touches("not", denial.start, from) && from == denial.start + 1 && denial.start > opening;
    !hangs && (closes || from > denial.start + 2) && !(opening..from).any(says)
}

/// A denial, unless it is turned round itself: "wenn das kein Notfall ist!", "nicht behaupten, das wäre keiner".
fn denial(scene: &Scene<'_>, mark: &Mark) -> Mention {
    let (from, to) = scene.clause(mark.start);
    let (first, last) = scene.sentence(mark.start);
    let word = |at: usize| scene.word(at);
    // "Kein Notfall wäre es, wenn nur der Drucker klemmte": tells what it would have to be.
    let unreal = (from..to).any(|at| matches!(word(at), "waere" | "waer" | "waers"))
        && (mark.end..last).any(|at| matches!(word(at), "wenn" | "wenns"))
        && scene.touches("no", from, mark.start);
    if unreal {
        return if taken_up(scene, mark, last) { Mention::Holds } else { Mention::Weak };
    }
    let before = || (from..mark.start).rev().take(10);
    let although = (from.saturating_sub(1)..mark.start).any(|at| matches!(word(at), "auch" | "selbst" | "wenngleich"));
    let turned = before().any(|at| matches!(word(at), "wenn" | "wenns" | "wann" | "wanns" | "sonst" | "ansonsten"))
        || matches!(word(from), "waere" | "waer" | "waers");
    if turned && !although {
        return if scene.has("fee") && scene.asks(mark.start) { Mention::Nothing } else { Mention::Holds };
    }
    let opening = if from > first { scene.clause(from - 1) } else { (from, from) };
    let says = (opening.0..opening.1).any(|at| DENIABLE.iter().any(|stem| word(at).starts_with(stem)));
    let not = ["not", "no"].iter().any(|name| scene.touches(name, opening.0, opening.1));
    if says && not && scene.touches("no", from, mark.start) || scene.touches("denied_denial", first, last) {
        return Mention::Holds;
    }
    // "… sehe keinen einzigen Notfall geschäftskritisch": a row in which the declaration begins anew.
    let anew = scene.marks("critical").any(|m| m.start == mark.end);
    if anew || matches!(word(from), "falls" | "sofern" | "ob") || scene.asks(mark.start) && in_question(scene, mark) {
        return Mention::Weak;
    }
    // "Der Kollege meint, es ist keiner; doch, ist es": the last word holds.
    if taken_up(scene, mark, last) {
        return Mention::Holds;
    }
    if once(scene, mark, from, to) { Mention::Nothing } else { Mention::Denied }
}

/// How verbs begin whose negation turns a denial round.
const DENIABLE: [&str; 9] = ["behaupt", "sag", "erzaehl", "mein", "glaub", "denk", "red", "vorwerf", "wuesste"];

/// "Wir haben einen Notfall, können Sie kommen?": the question follows a statement in a clause of its own.
fn in_question(scene: &Scene<'_>, mark: &Mark) -> bool {
    let (from, to) = scene.clause(mark.start);
    let (_, last) = scene.sentence(mark.start);
    scene.touches("asks_first", from, from + 1) || to + 2 >= last
}

/// "Ob das ein Notfall ist? Ja": an indirect question that the next clause of the sentence answers.
fn answered(scene: &Scene<'_>, mark: &Mark, last: usize) -> Option<Mention> {
    let (from, to) = scene.clause(mark.start);
    if to >= last || !(from..mark.start).any(|at| scene.word(at) == "ob") {
        return None;
    }
    let says = |name: &str| scene.marks(name).any(|m| m.start == to);
    let no = says("no_answer").then_some(Mention::Denied);
    says("yes_answer").then_some(Mention::Holds).or(no)
}

/// "Was ein Notfall ist", "wann ein Notfall vorliegt": asks for the meaning of the word.
fn defined(scene: &Scene<'_>, mark: &Mark) -> bool {
    let (from, to) = scene.clause(mark.start);
    let asks = (from..mark.start.min(from + 4))
        .any(|at| matches!(scene.word(at), "was" | "wann" | "woran" | "worunter" | "wofuer" | "welche" | "welcher"));
    let own = (from..to).any(|at| OWN.contains(&scene.word(at)));
    let verb = to > mark.end
        && ["ist", "sei", "waere", "vorliegt", "darstellt", "bedeutet", "gilt", "zaehlt", "heisst", "eintritt"]
            .contains(&scene.word(to - 1));
    asks && verb && !own
}

/// A question that the next sentence answers; one about the terms is none about the own state.
fn asked(scene: &Scene<'_>, mark: &Mark) -> Mention {
    let (first, last) = scene.sentence(mark.start);
    let answer = (last, scene.clause(last).1);
    let short = answer.1 - answer.0 <= 5;
    if short && scene.marks("yes_answer").any(|m| m.start == last) {
        return Mention::Holds;
    }
    if short && scene.marks("no_answer").any(|m| m.start == last) {
        return Mention::Denied;
    }
    let tokens = &scene.text.tokens[first..last];
    let own = tokens.iter().any(|t| OWN.contains(&t.norm.as_str()));
    let addressed = tokens.get(1).is_some_and(|t| matches!(t.norm.as_str(), "sie" | "ihr" | "du")) && !own;
    let general = scene.touches("general_question", first, last);
    // "Können Sie den Notdienst schicken?" asks for him.
    let sent = scene.touches("standby", mark.start, mark.end) && !scene.touches("fee", first, last);
    let sent = sent && matches!(scene.word(first), "koennen" | "koennten" | "koennt" | "koenntet" | "wuerden");
    if (addressed || general) && !sent { Mention::Nothing } else { Mention::Weak }
}

/// First persons, and where they are.
const OWN: [&str; 9] = ["wir", "uns", "ich", "mir", "mich", "hier", "unser", "unsere", "unserem"];

/// "…, und das ist einer": takes up what was named before, in the same or the next sentence.
pub(super) fn taken_up(scene: &Scene<'_>, mark: &Mark, last: usize) -> bool {
    let end = scene.sentence(last).1.max(last);
    scene.marks("it_is_one").any(|m| {
        let (from, to) = scene.clause(m.start);
        let negated = scene.touches("not", from, to) || scene.touches("no", from, to);
        m.start >= mark.end
            && m.start < end
            && !negated
            && !scene.asks(m.start)
            && !scene.text.tokens[m.start].forwarded
    })
}

/// "…, und das ist keiner": nobody is missing there ("es ist keiner da"), so it ends its clause.
fn taken_back(scene: &Scene<'_>, mark: &Mark, last: usize) -> bool {
    let end = scene.sentence(last).1.max(last);
    scene.marks("it_is_none").any(|m| m.start >= mark.end && m.start < end && scene.clause(m.start).1 == m.end)
}

/// What was forwarded or quoted below is somebody else's alarm, or an old one, where the sender tells his own above it.
fn told_above(scene: &Scene<'_>) -> bool {
    let above = |name: &str| {
        scene.marks(name).any(|m| !scene.text.tokens[m.start].forwarded && !scene.text.tokens[m.start].signature)
    };
    let valid = scene
        .text
        .tokens
        .iter()
        .any(|t| !t.forwarded && matches!(t.norm.as_str(), "gilt" | "gelten" | "unveraendert" | "auftrag"));
    above("can_wait")
        || (above("broken") || above("harmless"))
            && !above("adopt")
            && !above("passes_on")
            && !above("critical")
            && !valid
}

/// "Falls …", "angenommen, …", "sollte einmal …": imagined.
fn supposed(scene: &Scene<'_>, mark: &Mark) -> bool {
    let (first, _) = scene.sentence(mark.start);
    let (from, to) = scene.clause(mark.start);
    let tokens = &scene.text.tokens;
    let imagined = ["falls", "sollte", "sollten", "ob"];
    let opened = matches!(tokens[first].norm.as_str(), "falls" | "sollte" | "sollten") && !scene.has("broken");
    // "Hätten wir einen Notfall, …"; but "ich hätte da einen" is polite.
    let opened = opened || matches!(tokens[from].norm.as_str(), "haette" | "haetten");
    // In a row without punctuation only what stands beside it.
    let beside = (from.max(mark.start.saturating_sub(10)), to.min(mark.end + 3));
    let beside = tokens[beside.0..beside.1].iter().any(|t| imagined.contains(&t.norm.as_str()));
    // "Bedingungen angenommen" accepts, and supposes nothing.
    let supposed = scene.marks("supposed").filter(|m| m.start >= first && m.start < mark.start).any(|m| {
        let near = m.start.saturating_sub(5);
        !scene.touches("conditions", near, m.start) && !scene.touches("fee", near, m.start)
    });
    let announced = tokens[from].announced;
    let whenever = scene.marks("whenever").any(|m| m.start >= from && m.start < mark.end);
    beside && !scene.asks(mark.start) || opened || (supposed || whenever) && !announced
}

/// "Ein unternehmenskritischer Notfall, ja?" states it and asks for a nod.
fn assured(scene: &Scene<'_>, first: usize, last: usize) -> bool {
    let word = |at: usize| scene.word(at);
    let nod = matches!(word(last - 1), "ja" | "gell" | "ne" | "gelle" | "woll") && last - first > 1;
    nod && scene.text.tokens[last - 1].clause != scene.text.tokens[last - 2].clause
        && !matches!(word(first), "ist" | "is" | "isch" | "sind" | "waere" | "war" | "haben" | "soll")
}

/// "Man soll sagen, dass es ein Notfall ist": the terms speak, not the caller, unless he takes it over or says it again.
fn prescribed(scene: &Scene<'_>, mark: &Mark, (first, last): (usize, usize)) -> bool {
    // "Wie ist das gemeint?" makes nothing one's own.
    let adopts = || scene.marks("adopt").filter(|m| m.start >= first);
    let only_asked = adopts().next().is_some() && adopts().all(|m| scene.asks(m.start));
    let adopted = adopted(scene, first, last) && !only_asked;
    let told = ["ich", "wir"].iter().any(|own| {
        (first..mark.start)
            .any(|at| scene.word(at) == *own && matches!(scene.word(at + 1), "soll" | "sollen" | "muss" | "muessen"))
    });
    // "Da steht Ihre Nummer, wir haben einen Notfall": a statement of one's own.
    let (from, _) = scene.clause(mark.start);
    let own = from > first
        && scene.word(from + 1) != "haetten"
        && matches!(scene.word(from), "wir" | "ich" | "mir" | "hier" | "bei" | "mer");
    let before = scene.touches("prescribed", first, mark.start)
        || scene.touches("terms_speak", first, mark.start) && !told && !own;
    let quoted = scene.text.tokens[mark.start].quoted && scene.touches("prescribed", first, last);
    // "Unternehmenskritischer Notfall steht auf beiden Rapporten"
    let recorded = scene.marks("recorded").any(|m| m.start >= mark.end && m.start <= mark.end + 1)
        || scene.text.tokens[mark.start].quoted && scene.has("billing");
    // "Sie möchten das Wort hören, also bitte: …" says it.
    let (clause, _) = scene.clause(mark.start);
    let given = scene.text.tokens[clause].announced
        && matches!(
            scene.word(clause.wrapping_sub(1)),
            "bitte" | "also" | "bitteschoen" | "sehr" | "schoen" | "hier" | "gut" | "dann" | "hiermit"
        );
    // "Ich nenne es, wie Sie es hören wollen: …", too.
    let names = |at: usize| NAMES.contains(&scene.word(at)) && ["ich", "wir"].contains(&scene.word(at + 1));
    let names = |at: usize| {
        names(at) || NAMES.contains(&scene.word(at)) && at > first && matches!(scene.word(at - 1), "ich" | "wir")
    };
    let given = given || scene.text.tokens[clause].announced && (first..clause).any(names);
    (before || quoted || recorded) && !adopted && !given
}

/// Verbs by which somebody gives a thing its name.
const NAMES: [&str; 14] = [
    "nenne",
    "nenn",
    "nennen",
    "sage",
    "sag",
    "sagen",
    "melde",
    "meld",
    "melden",
    "erklaere",
    "erklaeren",
    "spreche",
    "wiederhole",
    "bezeichne",
];

/// Within a longer quotation: somebody else's words. A quoted term alone is emphasis.
fn quotation(scene: &Scene<'_>, mark: &Mark) -> bool {
    let tokens = &scene.text.tokens;
    let before = tokens[..mark.start].iter().rev().take_while(|t| t.quoted).count();
    let after = tokens[mark.start..].iter().take_while(|t| t.quoted).count();
    after > 0 && before + after > 5
}

/// Told of an earlier time.
pub(super) fn once(scene: &Scene<'_>, mark: &Mark, from: usize, to: usize) -> bool {
    // In a row without punctuation only what stands beside it.
    let (from, to) = (from.max(mark.start.saturating_sub(10)), to.min(mark.end + 10));
    let verbs = ["hatte", "hatten", "hatt", "war", "waren", "gab", "vom", "von", "haben", "wurde", "der", "had", "was"];
    scene.touches("past", from, to) && scene.text.tokens[from..to].iter().any(|t| verbs.contains(&t.norm.as_str()))
}
