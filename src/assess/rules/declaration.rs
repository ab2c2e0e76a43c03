//! Does the caller declare an emergency, and one that is critical for his business?
//!
//! Where two readings are possible, the one that reaches a human is taken: a doubtful denial denies nothing. A word that is
//! only part of a name ("Notfallgebühr"), past ("letzte Woche hatten wir") or imagined ("falls wir mal") declares nothing.

use super::lexicon::{Mark, Scene};
use super::scope::adopted;
use crate::domain::assessment::{Declaration, Finding, Polarity, Subject};

/// What was said about the emergency.
pub(super) struct Spoken {
    /// The label.
    pub declaration: Declaration,
    /// The proof.
    pub findings: Vec<Finding>,
}

/// How one mention of an emergency counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mention {
    Holds,
    Denied,
    /// Noted or asked: reaches a human without being a declaration of its own.
    Weak,
    /// Past, imagined, hoped away.
    Nothing,
}

/// Reads the declaration out of a message.
pub(super) fn read(scene: &Scene<'_>) -> Spoken {
    let mut findings = Vec::new();
    let (mut holds, mut weak, mut denied, mut over) = (false, false, false, false);
    let (mut last_holds, mut turned) = (0, Vec::new());
    for mark in scene.marks("emergency").filter(|mark| spoken(scene, mark)) {
        let mention = mention(scene, mark);
        match mention {
            Mention::Holds => holds = true,
            Mention::Weak => weak = true,
            Mention::Denied => denied = true,
            Mention::Nothing => {}
        }
        last_holds = if mention == Mention::Holds { mark.start } else { last_holds };
        // "Ich riefe nicht an, wenn es kein unternehmenskritischer Notfall wäre": critical, for all its negations.
        turned.extend((mention == Mention::Holds && (negated(scene, mark) || scene.asks(mark.start))).then_some(mark));
        findings.push(proof(scene, mark, mention));
    }
    let critical: Vec<&Mark> = scene
        .marks("critical")
        .filter(|mark| spoken(scene, mark))
        .filter(|m| affirmed(scene, m) || turned.iter().any(|t| t.start < m.end + 4 && m.start < t.end + 4))
        .collect();
    let business: Vec<&Mark> =
        scene.marks("standstill").filter(|mark| spoken(scene, mark) && present(scene, mark)).collect();
    let weaker = scene.marks("called_off").filter(|m| !holds && !scene.touches("cancelled", m.start, m.end));
    for mark in scene.marks("cancelled").chain(weaker).filter(|m| spoken(scene, m) && !scene.asks(m.start)) {
        // What is taken back must have been said before, and nothing may be reported broken after it.
        if mark.end <= last_holds || broken_after(scene, mark) {
            continue;
        }
        over = true;
        findings.push(finding(scene, mark, Polarity::Denied, "declaration.cancelled"));
    }
    let waits: Vec<&Mark> = scene.marks("can_wait").filter(|mark| spoken(scene, mark)).collect();
    let declaration = match () {
        () if over || denied && !holds => Declaration::Denied,
        () if holds && (!critical.is_empty() || !business.is_empty()) => Declaration::Declared,
        () if holds || weak => Declaration::Unqualified,
        () if !waits.is_empty() => Declaration::Denied,
        () => Declaration::Absent,
    };
    if holds || weak {
        findings.extend(critical.iter().map(|m| finding(scene, m, Polarity::Holds, "declaration.critical")));
        findings.extend(business.iter().map(|m| finding(scene, m, Polarity::Holds, "declaration.standstill")));
    }
    if declaration == Declaration::Denied {
        findings.extend(waits.iter().map(|m| finding(scene, m, Polarity::Denied, "declaration.can_wait")));
    }
    Spoken { declaration, findings }
}

/// Not in a signature's slogan, nor in an earlier mail below that the new text does not make its own.
fn spoken(scene: &Scene<'_>, mark: &Mark) -> bool {
    let tokens = &scene.text.tokens;
    let above = || tokens.iter().filter(|token| !token.forwarded && !token.signature).count() > 3;
    let renewed = || scene.marks("adopt").any(|m| !tokens[m.start].forwarded);
    tokens.get(mark.start).is_some_and(|token| !token.signature && !(token.forwarded && above() && !renewed()))
}

fn mention(scene: &Scene<'_>, mark: &Mark) -> Mention {
    let (first, last) = scene.sentence(mark.start);
    if scene.touches("almost_emergency", first, last) {
        return Mention::Weak;
    }
    if negated(scene, mark) {
        return denial(scene, mark);
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

fn negated(scene: &Scene<'_>, mark: &Mark) -> bool {
    ["no_emergency", "hardly_emergency"].iter().any(|name| scene.touches(name, mark.start, mark.end))
}

/// A denial, unless it is turned round itself: "wenn das kein Notfall ist!", "nicht behaupten, das wäre keiner".
fn denial(scene: &Scene<'_>, mark: &Mark) -> Mention {
    let (from, to) = scene.clause(mark.start);
    let (first, last) = scene.sentence(mark.start);
    let word = |at: usize| scene.word(at);
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
    if matches!(word(from), "falls" | "sofern" | "ob") || scene.asks(mark.start) && in_question(scene, mark) {
        return Mention::Weak;
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
    if addressed || general { Mention::Nothing } else { Mention::Weak }
}

/// First persons, and where they are.
const OWN: [&str; 9] = ["wir", "uns", "ich", "mir", "mich", "hier", "unser", "unsere", "unserem"];

/// "…, und das ist einer": takes up what was named before, in the same or the next sentence.
fn taken_up(scene: &Scene<'_>, mark: &Mark, last: usize) -> bool {
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
    above("can_wait") || (above("broken") || above("harmless")) && !above("adopt") && !valid
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

/// Told of an earlier time. A report of the same day still waits for somebody; an older one is history.
fn earlier(scene: &Scene<'_>, mark: &Mark) -> Option<Mention> {
    let (from, to) = scene.clause(mark.start);
    let (first, last) = scene.sentence(mark.start);
    let near = (from.max(mark.start.saturating_sub(10)), to.min(mark.end + 10));
    let word = |range: (usize, usize), words: &[&str]| (range.0..range.1).any(|at| words.contains(&scene.word(at)));
    let thanked = scene.touches("thanked_for", first, mark.start);
    let told = if thanked { (first, last) } else { near };
    // "Danke für die Hilfe bei unserem Notfall": what one thanks for is over.
    let for_it = scene.marks("thanked_for").any(|m| {
        m.start >= from
            && m.end <= mark.start
            && !(m.end..mark.start).any(|at| matches!(scene.word(at), "wir" | "ich" | "ist" | "haben"))
    });
    if for_it {
        return Some(Mention::Nothing);
    }
    let perfect =
        word(told, &["hat", "haben", "habe", "hab", "hob", "ham", "have", "has", "ist", "sind", "wurde", "wurden"])
            && (told.0..told.1).any(|at| participle(scene.word(at)))
            && !scene.touches("not", near.0, near.1);
    let preterite = word(told, &PRETERITE);
    let reported = scene.touches("reported", near.0, near.1) && (perfect || preterite);
    if scene.touches("bygone", first, last) && (perfect || preterite) || thanked && (perfect || preterite) {
        return Some(Mention::Nothing);
    }
    let today = scene.touches("past", from, to) || scene.touches("today_past", first, last);
    match (reported, today && (preterite || perfect)) {
        (true, _) => Some(Mention::Weak),
        (false, true) => Some(Mention::Nothing),
        (false, false) => None,
    }
}

/// Verbs of what is over.
const PRETERITE: [&str; 14] =
    ["hatte", "hatten", "hatt", "war", "waren", "warn", "gab", "gabs", "wurde", "kam", "trat", "had", "was", "were"];

/// "Gelöst", "ausgerufen", "gemeldet".
fn participle(word: &str) -> bool {
    let ends = word.ends_with('t') || word.ends_with("en");
    ends && word.len() > 5
        && (word.starts_with("ge")
            || ["ausge", "abge", "draufge", "aufge", "durchge", "reinge", "hinge", "behob", "erledig"]
                .iter()
                .any(|p| word.starts_with(p)))
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
    let own = from > first && matches!(scene.word(from), "wir" | "ich" | "mir" | "hier" | "bei" | "mer");
    let before = scene.touches("prescribed", first, mark.start)
        || scene.touches("terms_speak", first, mark.start) && !told && !own;
    let quoted = scene.text.tokens[mark.start].quoted && scene.touches("prescribed", first, last);
    // "Sie möchten das Wort hören, also bitte: …" says it.
    let (clause, _) = scene.clause(mark.start);
    let given = scene.text.tokens[clause].announced
        && matches!(
            scene.word(clause.wrapping_sub(1)),
            "bitte" | "also" | "bitteschoen" | "sehr" | "schoen" | "hier" | "gut" | "dann" | "hiermit"
        );
    (before || quoted) && !adopted && !given
}

/// Within a longer quotation: somebody else's words. A quoted term alone is emphasis.
fn quotation(scene: &Scene<'_>, mark: &Mark) -> bool {
    let tokens = &scene.text.tokens;
    let before = tokens[..mark.start].iter().rev().take_while(|t| t.quoted).count();
    let after = tokens[mark.start..].iter().take_while(|t| t.quoted).count();
    after > 0 && before + after > 5
}

/// A service reported broken after a cancellation, or in its own sentence after "aber".
fn broken_after(scene: &Scene<'_>, mark: &Mark) -> bool {
    let but = |at: usize| {
        scene.text.tokens[mark.end..at]
            .iter()
            .any(|t| matches!(t.norm.as_str(), "aber" | "nur" | "trotzdem" | "allerdings"))
    };
    scene.marks("broken").filter(|b| b.start >= mark.end).any(|b| {
        let (from, to) = scene.sentence(b.start);
        let other = from >= mark.end || but(b.start);
        other && scene.touches("service", from, to) && !scene.touches("harmless", from, to)
    })
}

/// Told of an earlier time.
fn once(scene: &Scene<'_>, mark: &Mark, from: usize, to: usize) -> bool {
    // In a row without punctuation only what stands beside it.
    let (from, to) = (from.max(mark.start.saturating_sub(10)), to.min(mark.end + 10));
    let verbs = ["hatte", "hatten", "hatt", "war", "waren", "gab", "vom", "von", "haben", "wurde", "der", "had", "was"];
    scene.touches("past", from, to) && scene.text.tokens[from..to].iter().any(|t| verbs.contains(&t.norm.as_str()))
}

/// "Kritisch" not negated, not past, and not about something else than the present state.
fn affirmed(scene: &Scene<'_>, mark: &Mark) -> bool {
    let (from, to) = scene.clause(mark.start);
    let doubted = scene.text.tokens[from..mark.start].iter().any(|t| t.norm == "ob");
    let negated = doubted
        || scene
            .marks("negation")
            .any(|n| n.start >= from && n.end <= to && n.start + 6 > mark.start && mark.end + 6 > n.start);
    let denied_emergency = scene.touches("no_emergency", mark.start, mark.end);
    let outage = scene.touches("broken", from, to)
        && !scene.touches("no_emergency", from, to)
        && scene.touches("emergency", from, to);
    (!negated || outage) && !denied_emergency && !once(scene, mark, from, to)
}

/// A standstill of now.
fn present(scene: &Scene<'_>, mark: &Mark) -> bool {
    let (from, to) = scene.clause(mark.start);
    !scene.asks(mark.start) && !once(scene, mark, from, to)
}

fn proof(scene: &Scene<'_>, mark: &Mark, mention: Mention) -> Finding {
    match mention {
        Mention::Holds => finding(scene, mark, Polarity::Holds, "declaration.emergency"),
        Mention::Weak => finding(scene, mark, Polarity::Conditional, "declaration.almost"),
        Mention::Denied => finding(scene, mark, Polarity::Denied, "declaration.denied"),
        Mention::Nothing => finding(scene, mark, Polarity::Mentioned, "declaration.mentioned"),
    }
}

fn finding(scene: &Scene<'_>, mark: &Mark, polarity: Polarity, rule: &str) -> Finding {
    // The words before it belong to the proof: "einen unternehmenskritischen Notfall", "kein Notfall".
    let (clause, clause_end) = scene.clause(mark.start);
    let from = mark.start.saturating_sub(2).max(clause);
    // So does the noun that follows its adjective.
    let noun = scene.marks("emergency").filter(|noun| noun.start >= mark.end && noun.end <= clause_end);
    let to = noun.filter(|noun| noun.start <= mark.end + 2).map(|noun| noun.end).max().unwrap_or(mark.end);
    let (quote, range) = scene.text.quote(from, to);
    Finding {
        subject: Subject::Declaration,
        polarity,
        rule: rule.to_owned(),
        quote: quote.to_owned(),
        range,
        seconds: None,
        probability: None,
    }
}
