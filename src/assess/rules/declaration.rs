//! Does the caller declare an emergency, and one that is critical for his business?
//!
//! Where two readings are possible, the one that reaches a human is taken: a doubtful denial denies nothing. A word that is
//! only part of a name ("Notfallgebühr"), past ("letzte Woche hatten wir") or imagined ("falls wir mal") declares nothing.

use super::lexicon::{Mark, Scene};
use super::mention::{Mention, mention, negated, once, taken_up};
use crate::domain::assessment::{Declaration, Finding, Polarity, Subject};

/// What was said about the emergency.
pub(super) struct Spoken {
    /// The label.
    pub declaration: Declaration,
    /// The proof.
    pub findings: Vec<Finding>,
}

/// Reads the declaration out of a message.
pub(super) fn read(scene: &Scene<'_>) -> Spoken {
    let mut findings = Vec::new();
    let (mut holds, mut weak, mut over) = (false, false, false);
    let (mut last_holds, mut turned, mut none) = (0, Vec::new(), Vec::new());
    for mark in scene.marks("emergency").filter(|mark| spoken(scene, mark)) {
        let mention = mention(scene, mark);
        match mention {
            Mention::Holds => holds = true,
            Mention::Weak => weak = true,
            Mention::Denied => none.push(scene.sentence(mark.start)),
            Mention::Nothing => {}
        }
        last_holds = if mention == Mention::Holds { mark.start } else { last_holds };
        // "Ich riefe nicht an, wenn es kein unternehmenskritischer Notfall wäre": critical, for all its negations.
        // "Wenn ich je einen hatte, dann heute": so is what is taken up.
        let turns = || negated(scene, mark) || scene.asks(mark.start) || resumed(scene, mark);
        turned.extend((mention == Mention::Holds && turns()).then_some(mark));
        findings.push(proof(scene, mark, mention));
    }
    let denied = !none.is_empty();
    let critical: Vec<&Mark> = scene
        .marks("critical")
        .filter(|mark| spoken(scene, mark))
        .filter(|m| affirmed(scene, m) || turned.iter().any(|t| turned_too(scene, t, m)))
        .collect();
    let business: Vec<&Mark> =
        scene.marks("standstill").filter(|mark| spoken(scene, mark) && present(scene, mark)).collect();
    for mark in taken_back(scene, holds, last_holds) {
        over = true;
        findings.push(finding(scene, mark, Polarity::Denied, "declaration.cancelled"));
    }
    let waits: Vec<&Mark> = scene.marks("can_wait").filter(|mark| spoken(scene, mark)).collect();
    let declaration = match () {
        // "Kein Notfall", and yet critical: contradicts itself, so a human decides.
        () if denied && !holds && !over && contradicted(scene, &critical, &none) => Declaration::Unqualified,
        // Declared in full, and taken back in words that may mean something else: a human decides.
        () if over && holds && !critical.is_empty() && scene.has("agree") => Declaration::Unqualified,
        () if over || denied && !holds => Declaration::Denied,
        () if holds && (!critical.is_empty() || !business.is_empty()) => Declaration::Declared,
        () if holds || weak => Declaration::Unqualified,
        () if !waits.is_empty() && critical.is_empty() && !stopped_after(scene, &waits) => Declaration::Denied,
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

/// What calls off: it must follow what was said, and nothing may be reported broken after it.
fn taken_back<'a>(scene: &'a Scene<'_>, holds: bool, last_holds: usize) -> impl Iterator<Item = &'a Mark> {
    let weaker = scene.marks("called_off").filter(move |m| !holds && !scene.touches("cancelled", m.start, m.end));
    let all = scene.marks("cancelled").chain(weaker).filter(|m| spoken(scene, m) && !scene.asks(m.start));
    all.filter(move |mark| {
        let unsure = vague(scene, mark) && fails_now(scene, mark);
        let goes_on = broken_after(scene, mark) || contrasted(scene, mark) || agrees_after(scene, mark);
        mark.end > last_holds && !unsure && !goes_on
    })
}

/// Whether what is critical stands beside an emergency whose denial is turned round: "wenn das kein Notfall ist, dann weiß
/// ich auch nicht, kritisch ist es sowieso".
fn turned_too(scene: &Scene<'_>, emergency: &Mark, critical: &Mark) -> bool {
    let near = emergency.start < critical.end + 4 && critical.start < emergency.end + 4;
    let (from, to) = scene.clause(critical.start);
    let beside = scene.sentence(emergency.start) == scene.sentence(critical.start) && from >= emergency.end;
    near || beside && !scene.touches("negation", from, to)
}

/// Taken up in its own sentence or the next.
fn resumed(scene: &Scene<'_>, mark: &Mark) -> bool {
    taken_up(scene, mark, scene.sentence(mark.start).1)
}

/// Not in a signature's slogan, nor in an earlier mail below that the new text does not make its own.
fn spoken(scene: &Scene<'_>, mark: &Mark) -> bool {
    let tokens = &scene.text.tokens;
    let above = || tokens.iter().filter(|token| !token.forwarded && !token.signature).count() > 3;
    let own = |name: &str| scene.marks(name).any(|m| !tokens[m.start].forwarded && !tokens[m.start].signature);
    let valid = || tokens.iter().any(|t| !t.forwarded && matches!(t.norm.as_str(), "gilt" | "gelten"));
    let renewed = || own("adopt") || own("passes_on") || own("critical") || valid();
    tokens.get(mark.start).is_some_and(|token| !(token.signature || token.forwarded && above() && !renewed()))
}

/// Whether one of the marks stands outside all these sentences.
fn apart(marks: &[&Mark], sentences: &[(usize, usize)]) -> bool {
    marks.iter().any(|mark| sentences.iter().all(|(from, to)| mark.end <= *from || mark.start >= *to))
}

/// "… dass ein Notfall gelegen kommt, aber dieser hier ist unternehmenskritisch."
fn contradicted(scene: &Scene<'_>, critical: &[&Mark], none: &[(usize, usize)]) -> bool {
    apart(critical, none)
        || critical.iter().any(|mark| {
            let (from, _) = scene.clause(mark.start);
            let (but, this) = (scene.word(from), (from + 1..mark.start).any(|at| THIS.contains(&scene.word(at))));
            matches!(but, "aber" | "doch" | "jedoch" | "sondern") && this
        })
}

/// What is meant here and now.
const THIS: [&str; 8] = ["dieser", "diesmal", "das", "der", "hier", "jetzt", "heute", "es"];

/// "Das Telefon geht wieder, der Server nicht", "der Strom ist da, aber sonst nichts": only a part is well again.
fn contrasted(scene: &Scene<'_>, mark: &Mark) -> bool {
    let (_, last) = scene.sentence(mark.start);
    let within = mark.end..last.min(mark.end + 9);
    scene.marks("nothing").filter(|none| within.contains(&none.start)).any(|none| {
        let rest = (mark.end..none.start).any(|at| scene.word(at) == "sonst");
        rest || scene.touches("service", mark.end, none.start) && !scene.touches("harmless", mark.end, none.start)
    })
}

/// "Der Drucker eilt nicht, aber bei uns geht nichts mehr": the business stands behind an "aber".
fn stopped_after(scene: &Scene<'_>, waits: &[&Mark]) -> bool {
    let end = waits.iter().map(|mark| mark.end).max().unwrap_or(0);
    let but = (end..scene.text.tokens.len()).find(|at| matches!(scene.word(*at), "aber" | "sonst" | "trotzdem"));
    let stops = |at: usize| {
        let mut marks = ["severe", "standstill"].into_iter().flat_map(|name| scene.marks(name));
        marks.any(|mark| mark.start >= at && present(scene, mark))
    };
    but.is_some_and(stops)
}

/// Who agrees to the terms after it has taken back something else.
fn agrees_after(scene: &Scene<'_>, mark: &Mark) -> bool {
    scene.marks("agree").filter(|agree| agree.start >= mark.end).any(|agree| {
        let (from, to) = scene.sentence(agree.start);
        let from = from.max(mark.end);
        let terms = scene.touches("conditions", from, to) && scene.touches("fee", from, to);
        terms && !["negation", "not", "no"].iter().any(|name| scene.touches(name, from, to))
    })
}

/// Called off in words that may mean something else: "die Daten, die nicht mehr kommen", "es war ja nur der Anfang".
fn vague(scene: &Scene<'_>, mark: &Mark) -> bool {
    let plain = |at: usize| PLAINLY.iter().any(|stem| scene.word(at).starts_with(stem));
    !(mark.start..mark.end).any(plain) && !scene.touches("emergency", mark.start, mark.end)
}

/// How words begin that call off, whatever else is said.
const PLAINLY: [&str; 22] = [
    "wieder",
    "widder",
    "wida",
    "erledig",
    "geklaer",
    "klaer",
    "fehlalarm",
    "entwarn",
    "behob",
    "geloest",
    "test",
    "uebung",
    "storn",
    "streich",
    "vergess",
    "ignorier",
    "hinfaellig",
    "gegenstandslos",
    "blind",
    "falsch",
    "probe",
    "zieh",
];

/// A fault of now in another sentence than the one that calls off.
fn fails_now(scene: &Scene<'_>, called_off: &Mark) -> bool {
    let own = scene.sentence(called_off.start);
    let faults =
        ["standstill", "severe", "broken"].into_iter().flat_map(|name| scene.marks(name).map(move |m| (name, m)));
    let past =
        ["war", "wars", "waren", "hatte", "hatten", "konnte", "konnten", "ging", "gingen", "lief", "liefen", "dachte"];
    faults.filter(|(_, m)| scene.sentence(m.start) != own).any(|(name, m)| {
        let (from, to) = scene.sentence(m.start);
        let counts = name != "broken" || scene.touches("service", from, to);
        counts && !scene.touches("harmless", from, to) && !(from..to).any(|at| past.contains(&scene.word(at)))
    })
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
        let other = scene.clause(b.start).0 >= mark.end || but(b.start);
        // "Er hatte nur das WLAN ausgeschaltet und dachte, es ist weg": tells why there was an alarm.
        let told = scene.text.tokens[from..to]
            .iter()
            .any(|t| matches!(t.norm.as_str(), "hatte" | "hatten" | "war" | "waren" | "wars" | "dachte" | "wurde"));
        let (first, end) = scene.clause(b.start);
        let harmless = scene.touches("harmless", first, end);
        other && scene.touches("service", from, to) && !harmless && !told
    }) || stands_after(scene, mark)
}

/// The business stands in a sentence of its own behind it: "Der Gerhard hat telefoniert, das war nichts. Ohne die Liste
/// können wir nichts ausfahren."
fn stands_after(scene: &Scene<'_>, mark: &Mark) -> bool {
    let (_, last) = scene.sentence(mark.start);
    scene.marks("standstill").filter(|m| m.start >= last && present(scene, m)).any(|m| {
        let (from, to) = scene.sentence(m.start);
        let past = ["war", "wars", "waren", "hatte", "hatten", "konnte", "konnten", "haette", "haetten", "wurde"];
        !(from..to).any(|at| past.contains(&scene.word(at)))
    })
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
    (!negated || outage || utmost(scene, mark)) && !denied_emergency && !once(scene, mark, from, to)
}

/// "Kritischer wird es für uns nicht", "wie er kritischer nicht sein kann": the negated comparative is a superlative.
fn utmost(scene: &Scene<'_>, mark: &Mark) -> bool {
    let word = |at: usize| scene.word(mark.start + at);
    let becomes = [
        "wird", "wirds", "werden", "kann", "kanns", "koennte", "koennts", "geht", "gehts", "goht", "gohts", "jeht",
        "sein", "waer", "ginge", "gings",
    ];
    let comparative = word(0).ends_with("kritischer") || matches!(word(0), "ernster" | "schlimmer");
    comparative
        && (becomes.contains(&word(1))
            || scene.touches("not", mark.start + 1, mark.start + 2) && becomes.contains(&word(2)))
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
