//! Does the described state stop the business or a core service now?
//!
//! Two ways: a statement that is enough by itself ("kein Internet", ransomware, standstill), or a service and a word of
//! failure in one sentence. A single printer or mouse stops nobody; what is over, planned or asked is not now.

use super::lexicon::{Mark, Scene};
use crate::domain::assessment::{Finding, Polarity, Subject};

/// The proof that the state is urgent (empty: it is not), and the tokens of the sentences that describe the fault.
pub(super) struct Seen {
    /// Whether it stops the business or a core service.
    pub urgent: bool,
    /// The proof.
    pub findings: Vec<Finding>,
    /// Sentences `[from, to)` that describe the fault.
    pub sentences: Vec<(usize, usize)>,
}

/// Reads the state out of a message. `outside_hours`: then "call at once" alone is reason enough.
pub(super) fn read(scene: &Scene<'_>, outside_hours: bool) -> Seen {
    let mut seen = Seen { urgent: false, findings: Vec::new(), sentences: Vec::new() };
    let over = scene.marks("resolved").any(|mark| !scene.text.tokens[mark.start].signature);
    for (from, to) in scene.text.sentences() {
        if scene.text.tokens[from].signature {
            continue;
        }
        let proof = urgent(scene, from, to);
        let minor = scene.touches("minor", from, to) && scene.touches("broken", from, to);
        if proof.is_some() || minor || scene.touches("broken", from, to) && scene.touches("service", from, to) {
            seen.sentences.push((from, to));
        }
        if let Some(mark) = proof.filter(|_| !over) {
            seen.urgent = true;
            seen.findings.push(finding(scene, mark));
        }
    }
    let described = !seen.sentences.is_empty() || scene.has("minor");
    if outside_hours
        && !seen.urgent
        && !described
        && !over
        && let Some(mark) = scene.marks("call_now").find(|mark| !scene.text.tokens[mark.start].signature)
    {
        seen.urgent = !scene.has("emergency");
        seen.findings.extend(seen.urgent.then(|| finding(scene, mark)));
    }
    seen
}

/// What in this sentence says that a core service or the business is down.
fn urgent<'a>(scene: &'a Scene<'_>, from: usize, to: usize) -> Option<&'a Mark> {
    let within = |mark: &&Mark| mark.start >= from && mark.end <= to;
    if scene.asks(from) || scene.touches("harmless", from, to) || imagined(scene, from, to) {
        return None;
    }
    let enough = scene.marks("severe").chain(scene.marks("standstill")).find(within);
    if enough.is_some() {
        return enough;
    }
    let service = scene.marks("service").filter(within).find(|s| {
        scene.marks("broken").filter(within).any(|b| {
            let near = b.start < s.end + 14 && s.start < b.end + 10;
            near && !scene.marks("minor").any(|m| m.start < s.end && m.end > s.start)
        })
    })?;
    Some(service)
}

/// "Falls …", "sollte …", told of an earlier time.
fn imagined(scene: &Scene<'_>, from: usize, to: usize) -> bool {
    let verbs = ["hatte", "hatten", "war", "waren"];
    let told =
        scene.touches("past", from, to) && scene.text.tokens[from..to].iter().any(|t| verbs.contains(&t.norm.as_str()));
    let now = scene.text.tokens[from..to]
        .iter()
        .any(|t| matches!(t.norm.as_str(), "jetzt" | "seitdem" | "seit" | "immer" | "weiterhin" | "mehr"));
    told && !now
        || scene.text.tokens[from..to].iter().take(2).any(|t| matches!(t.norm.as_str(), "falls" | "sollte" | "sollten"))
}

fn finding(scene: &Scene<'_>, mark: &Mark) -> Finding {
    let (from, to) = scene.clause(mark.start);
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
