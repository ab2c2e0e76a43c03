//! Does the described state stop the business or a core service now?
//!
//! Every sentence is weighed: the business stands ("stopped"), a core service fails ("down"), or something that no list
//! knows fails ("fault"). A fault is loud unless the message itself says that it can wait or is an ordinary matter: nobody
//! can list all the devices a firm lives by. What is over, planned, imagined or asked is not now.

use super::declaration::Spoken;
use super::lexicon::{Mark, Scene};
use crate::domain::assessment::{Declaration, Finding, Polarity, Subject};

/// The proof that the state is urgent (empty: it is not), and the sentences that tell the fault.
pub(super) struct Seen {
    /// Whether it stops the business or a core service.
    pub urgent: bool,
    /// The proof.
    pub findings: Vec<Finding>,
    /// Sentences that tell the fault.
    pub told: Vec<Told>,
    /// It is over, or was meant so.
    pub over: bool,
}

/// A sentence that tells of a fault.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    /// First token.
    pub from: usize,
    /// One past the last token.
    pub to: usize,
    /// How much it says.
    pub weight: Weight,
    /// Token at which the proof begins.
    proof: usize,
}

/// How much a sentence says about a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// A nuisance, or a fault that is asked about.
    Nuisance,
    /// Something fails that no list knows.
    Fault,
    /// A service fails.
    Down,
    /// The business stands, or data are at risk.
    Stopped,
}

/// What the whole message says about its own urgency.
#[expect(clippy::struct_excessive_bools, reason = "each is said or not, independently of the others")]
struct Mood {
    /// It is over.
    over: bool,
    /// Scraps of speech: no sentence to be trusted.
    scraps: bool,
    /// It can wait.
    calm: bool,
    /// It asks, orders, or speaks of an invoice.
    errand: bool,
    /// Switched off on purpose.
    planned: bool,
    /// It is about a bill, and nothing else.
    billing: bool,
    /// It is said to be no emergency.
    denied: bool,
    /// It is said to be one that is critical for the business.
    declared: bool,
}

/// Reads the state out of a message. `outside_hours`: then "call at once" alone is reason enough. `spoken`: somebody called,
/// and who calls at night and says nothing ordinary is heard.
pub(super) fn read(scene: &Scene<'_>, declared: &Spoken, outside_hours: bool, spoken: bool) -> Seen {
    let fails = scene.has("broken");
    let sentences = scene.text.sentences().into_iter().filter(|(from, _)| !scene.text.tokens[*from].signature);
    let mut told: Vec<Told> = sentences.filter_map(|(from, to)| weigh(scene, from, to, fails)).collect();
    let mood = mood(scene, declared, &told, spoken);
    let mut seen = Seen { urgent: false, findings: Vec::new(), told: Vec::new(), over: mood.over || mood.planned };
    for one in told.iter().filter(|one| loud(scene, one, &mood)) {
        seen.urgent = true;
        seen.findings.push(finding(scene, one.proof));
    }
    let described = !told.is_empty() || scene.has("minor") || scene.has("quirk");
    if outside_hours
        && !(described || mood.over || mood.errand || mood.denied)
        && let Some(mark) = said(scene, "call_now")
    {
        seen.urgent = !scene.has("emergency");
        seen.findings.extend(seen.urgent.then(|| finding(scene, mark.start)));
    }
    if outside_hours && spoken && !seen.urgent && told.is_empty() && !described && mood.silent(scene) {
        told.extend(guessed(scene));
        seen.urgent = !told.is_empty();
        seen.findings.extend(told.iter().map(|one| finding(scene, one.proof)));
    }
    if mood.over {
        told.clear();
    }
    seen.told = told;
    seen
}

impl Mood {
    /// Nothing speaks against an emergency, and nothing for one.
    fn silent(&self, scene: &Scene<'_>) -> bool {
        let asks = scene.text.asks.contains(&true);
        let against = asks || self.over || self.scraps || self.calm || self.errand || self.denied;
        !against && !["emergency", "wish"].iter().any(|name| scene.has(name))
    }
}

/// What names a service and no ordinary matter is taken for a fault in words that no list knows.
fn guessed(scene: &Scene<'_>) -> Vec<Told> {
    let names = |from: usize, to: usize| {
        let quiet = scene.touches("harmless", from, to) || imagined(scene, from, to);
        scene.marks("service").find(|mark| mark.start >= from && mark.end <= to && !quiet)
    };
    let told = |(from, to): (usize, usize)| {
        let proof = names(from, to).filter(|mark| !scene.text.tokens[mark.start].signature)?.start;
        Some(Told { from, to, weight: Weight::Fault, proof })
    };
    scene.text.sentences().into_iter().filter_map(told).collect()
}

fn mood(scene: &Scene<'_>, declared: &Spoken, told: &[Told], spoken: bool) -> Mood {
    let cancelled = declared.findings.iter().any(|finding| finding.rule == "declaration.cancelled");
    Mood {
        over: cancelled || resolved(scene, told),
        scraps: spoken && scraps(scene),
        calm: said(scene, "calm").is_some(),
        errand: said(scene, "errand").is_some() || scene.has("family"),
        planned: said(scene, "planned").is_some(),
        billing: said(scene, "billing").is_some(),
        denied: declared.declaration == Declaration::Denied,
        declared: declared.declaration == Declaration::Declared,
    }
}

/// "Der Kasten, nee, der andere, hallo, ja": clauses of a word or two.
fn scraps(scene: &Scene<'_>) -> bool {
    let tokens = &scene.text.tokens;
    let clauses = tokens.last().map_or(0, |last| last.clause) + 1;
    clauses > 7 && tokens.len() * 10 < clauses * 24
}

/// Said to be over, and nothing told to fail after that.
fn resolved(scene: &Scene<'_>, told: &[Told]) -> bool {
    let gone = |at: usize| {
        let (from, to) = scene.clause(at);
        words(scene, from, to, &["war", "wars", "waren", "hatte", "hatten", "lag", "gewesen"])
    };
    let fails = |one: &Told| {
        scene
            .marks("broken")
            .filter(|m| m.start >= one.from && m.end <= one.to && !gone(m.start))
            .last()
            .map(|m| m.start)
    };
    let last = told.iter().rev().filter(|one| one.weight > Weight::Nuisance).find_map(fails).unwrap_or(0);
    scene.marks("resolved").any(|mark| !scene.text.tokens[mark.start].signature && mark.end > last)
}

/// Whether one of these words stands among the tokens.
fn words(scene: &Scene<'_>, from: usize, to: usize, list: &[&str]) -> bool {
    scene.text.tokens[from..to].iter().any(|token| list.contains(&token.norm.as_str()))
}

/// The first mark of a concept that is no part of a signature.
fn said<'a>(scene: &'a Scene<'_>, concept: &str) -> Option<&'a Mark> {
    scene.marks(concept).find(|mark| !scene.text.tokens[mark.start].signature)
}

/// Whether what a sentence tells is reason enough to wake somebody.
fn loud(scene: &Scene<'_>, one: &Told, mood: &Mood) -> bool {
    let bill = || ["billing", "fee"].iter().any(|name| scene.touches(name, one.from, one.to));
    if mood.over || (mood.planned || mood.billing && bill()) && !mood.declared {
        return false;
    }
    // Who denies the emergency knows his house: then only what nobody can do without.
    if mood.denied {
        return one.weight >= Weight::Down && scene.touches("core", one.from, one.to);
    }
    match one.weight {
        Weight::Stopped => true,
        _ if mood.declared => one.weight > Weight::Nuisance,
        Weight::Down => {
            // Who orders, asks or thanks and names a service may speak of any day; what all lean on is down today.
            let hit = || ["impact", "call_now"].iter().any(|name| scene.has(name));
            let pressing = !mood.errand || hit() || scene.touches("core", one.from, one.to);
            !mood.calm && !mood.scraps && pressing
        }
        Weight::Fault => !mood.calm && !mood.errand && !mood.scraps,
        Weight::Nuisance => false,
    }
}

/// What a sentence says about a fault. `fails`: somewhere in the message something does.
fn weigh(scene: &Scene<'_>, from: usize, to: usize, fails: bool) -> Option<Told> {
    let find = |name: &str| scene.marks(name).find(|mark| mark.start >= from && mark.end <= to);
    let told = |weight: Weight, mark: &Mark| Some(Told { from, to, weight, proof: mark.start });
    if imagined(scene, from, to) {
        return None;
    }
    let small = || find("minor").or_else(|| find("quirk"));
    let nuisance =
        || small().filter(|mark| trifle(scene, mark) && (find("quirk").or_else(|| find("broken"))).is_some());
    let down = || find("service").filter(|_| find("broken").is_some());
    // "Ist das normal, dass alle Kassen ausgehen? Die Leute stehen Schlange."
    let wonders = scene.asks(from) && scene.has("impact") && !scene.touches("supposed", from, to);
    if let Some(mark) = service_down(scene, from, to).filter(|_| wonders) {
        return told(Weight::Down, mark);
    }
    if scene.asks(from) || harmless(scene, from, to) {
        return nuisance().or_else(down).and_then(|mark| told(Weight::Nuisance, mark));
    }
    // "Für unseren Betrieb kritisch" declares; it tells no state.
    let state = |mark: &&Mark| {
        let (first, last) = scene.clause(mark.start);
        !scene.touches("critical", first, last) || scene.touches("broken", from, to)
    };
    if let Some(mark) = find("severe").or_else(|| find("standstill").filter(state)) {
        return told(Weight::Stopped, mark);
    }
    if let Some(mark) = service_down(scene, from, to) {
        return told(Weight::Down, mark);
    }
    if let Some(mark) = nuisance() {
        return told(Weight::Nuisance, mark);
    }
    if let Some(mark) = find("failure") {
        return told(if scene.has("impact") { Weight::Down } else { Weight::Fault }, mark);
    }
    let whole = || find("core").or_else(|| find("impact")).and(find("broken"));
    find("impact")
        .filter(|_| fails)
        .or_else(whole)
        .and_then(|mark| told(Weight::Fault, mark))
        .or_else(|| down().and_then(|mark| told(Weight::Nuisance, mark)))
        .or_else(|| find("quirk").and_then(|mark| told(Weight::Nuisance, mark)))
}

/// Every word of failure stands beside one of harmlessness.
fn harmless(scene: &Scene<'_>, from: usize, to: usize) -> bool {
    let all = || ["broken", "severe", "standstill"].into_iter().flat_map(|name| scene.marks(name));
    let beside = |mark: &Mark| {
        let (first, last) = scene.clause(mark.start);
        scene.touches("harmless", first, last)
    };
    let mut within = all().filter(|mark| mark.start >= from && mark.end <= to);
    scene.touches("harmless", from, to) && within.all(beside)
}

/// A single device: alone in its clause, or in its sentence where nobody else is hit.
fn trifle(scene: &Scene<'_>, mark: &Mark) -> bool {
    let (first, last) = scene.clause(mark.start);
    let (from, to) = scene.sentence(mark.start);
    scene.touches("broken", first, last) || !scene.touches("impact", from, to) && !scene.touches("core", from, to)
}

/// A service with a word of failure near it; beside a single device only a core service counts.
fn service_down<'a>(scene: &'a Scene<'_>, from: usize, to: usize) -> Option<&'a Mark> {
    let within = |mark: &&Mark| mark.start >= from && mark.end <= to;
    scene.marks("service").filter(within).find(|s| {
        let near = |b: &Mark| b.start < s.end + 14 && s.start < b.end + 10;
        let (first, last) = scene.clause(s.start);
        let ordered = scene.touches("errand", first.max(s.start.saturating_sub(6)), last.min(s.end + 6));
        let own = scene.touches("broken", first, last) && !scene.touches("minor", first, last);
        let small = !own && scene.marks("minor").filter(within).any(|mark| trifle(scene, mark));
        let single = scene.touches("minor", s.start, s.end) || scene.touches("quirk", s.start, s.end + 6);
        let counts = !ordered && !single && (!small || scene.touches("core", s.start, s.end));
        counts && scene.marks("broken").filter(within).any(near)
    })
}

/// "Falls …", "angenommen …", announced, or told of an earlier time.
fn imagined(scene: &Scene<'_>, from: usize, to: usize) -> bool {
    let once = (from..to).any(|at| {
        let (first, last) = scene.clause(at);
        words(scene, at, at + 1, &["hatte", "hatten", "war", "waren"])
            && scene.touches("past", first.max(from), last.min(to))
    });
    let now = words(scene, from, to, &["jetzt", "seitdem", "seit", "immer", "weiterhin", "mehr"]);
    (once || scene.touches("earlier", from, to)) && !now
        || scene.touches("supposed", from, to)
        || words(scene, from, to.min(from + 2), &["falls", "sollte", "sollten"])
}

fn finding(scene: &Scene<'_>, at: usize) -> Finding {
    let (from, to) = scene.clause(at);
    let (quote, range) = scene.text.quote(from, to);
    Finding {
        subject: Subject::Urgency,
        polarity: Polarity::Holds,
        rule: "urgency.state".to_owned(),
        quote: quote.to_owned(),
        range,
        seconds: None,
        probability: None,
    }
}
