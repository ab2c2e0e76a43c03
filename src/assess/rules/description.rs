//! The words that describe the fault, cut out of the message.
//!
//! The sentences that tell most come first until the space is used up, then stand in their order; of a long sentence only
//! the clauses around the fault. Where no rule knows the fault of somebody who declares an emergency, it is what remains
//! beside names, numbers, greetings and consent.

use super::lexicon::Scene;
use super::state::{Told, Weight};

/// At most so many characters.
const SPACE: usize = 390;
/// A sentence longer than this is cut to the clauses around the fault.
const LONG: usize = 200;
/// Tokens kept before and behind the fault in a row without commas.
const BEFORE: usize = 10;
const BEHIND: usize = 12;

/// What belongs to a fault.
const PARTS: [&str; 8] = ["service", "broken", "failure", "impact", "severe", "standstill", "minor", "quirk"];
/// What a clause is about that tells no fault.
const OTHER: [&str; 9] =
    ["emergency", "critical", "conditions", "fee", "agree", "amount", "call_now", "courtesy", "no_emergency"];

/// The description of a fault. `expected`: somebody says that there is one.
pub(super) fn of(scene: &Scene<'_>, told: &[Told], expected: bool) -> Option<String> {
    let mut parts: Vec<(Weight, usize, usize)> = told
        .iter()
        .map(|one| {
            let (from, to) = trimmed(scene, one.from, one.to);
            (one.weight, from, to)
        })
        .collect();
    if parts.is_empty() && expected {
        parts = rest(scene).into_iter().map(|(from, to)| (Weight::Nuisance, from, to)).collect();
    }
    if !parts.is_empty() {
        parts.extend(beside(scene, told).into_iter().map(|(from, to)| (Weight::Nuisance, from, to)));
    }
    parts.sort_by_key(|(weight, from, _)| (std::cmp::Reverse(*weight), *from));
    let mut used = 0;
    parts.retain(|(_, from, to)| {
        let length = length(scene, *from, *to) + 2;
        let fits = used + length <= SPACE || used == 0;
        used += if fits { length } else { 0 };
        fits
    });
    parts.sort_by_key(|(_, from, _)| *from);
    let quotes: Vec<&str> = parts.iter().map(|(_, from, to)| scene.text.quote(*from, *to).0).collect();
    (!quotes.is_empty()).then(|| quotes.join(". "))
}

fn length(scene: &Scene<'_>, from: usize, to: usize) -> usize {
    scene.text.quote(from, to).0.chars().count()
}

/// The part of a long sentence that tells the fault.
fn trimmed(scene: &Scene<'_>, from: usize, to: usize) -> (usize, usize) {
    if length(scene, from, to) <= LONG {
        return (from, to);
    }
    let marks: Vec<_> = PARTS.iter().flat_map(|name| scene.marks(name)).collect();
    let within = || marks.iter().filter(|mark| mark.start >= from && mark.end <= to);
    let (Some(first), Some(last)) = (within().map(|m| m.start).min(), within().map(|m| m.end).max()) else {
        return (from, to);
    };
    let clauses = (scene.clause(first).0.max(from), scene.clause(last.saturating_sub(1)).1.min(to));
    if length(scene, clauses.0, clauses.1) <= SPACE {
        return clauses;
    }
    // One row without commas, or too many clauses: the words around the first thing that fails.
    let broken = within().find(|mark| scene.touches("broken", mark.start, mark.end)).map_or(first, |mark| mark.start);
    (broken.saturating_sub(BEFORE).max(from), (broken + BEHIND).min(to))
}

/// Other sentences that name a service or a failure, and nothing else.
fn beside(scene: &Scene<'_>, told: &[Told]) -> Vec<(usize, usize)> {
    let fresh = |from: usize| told.iter().all(|one| one.from != from) && !scene.text.tokens[from].signature;
    let about = |from, to| ["service", "broken"].iter().any(|name| scene.touches(name, from, to));
    let other = |from, to| OTHER.iter().any(|name| scene.touches(name, from, to));
    let sentences = scene.text.sentences().into_iter();
    sentences.filter(|(from, to)| fresh(*from) && about(*from, *to) && !other(*from, *to)).collect()
}

/// Clauses that neither declare, agree, greet nor name anybody.
fn rest(scene: &Scene<'_>) -> Vec<(usize, usize)> {
    let tokens = &scene.text.tokens;
    let mut clauses: Vec<(usize, usize)> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let (from, to) = scene.clause(at);
        let about = OTHER.iter().any(|name| scene.touches(name, from, to));
        let number = tokens[from..to].iter().filter(|token| token.is_number()).count() > 1;
        if !about && !number && !tokens[from].signature && !tokens[from].forwarded && to - from > 3 {
            clauses.push((from, to));
        }
        at = to.max(at + 1);
    }
    clauses
}
