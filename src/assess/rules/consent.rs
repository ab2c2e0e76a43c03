//! Did the caller agree to the conditions and to the fee?
//!
//! Promise: a consent is never made up. Full needs a word of agreement bound to the conditions and one bound to the fee,
//! neither negated, asked, quoted, conditional, hedged, past nor somebody else's. What can go wrong is the other way
//! round: a true consent in words that are not known gives less than full, and a human asks on the phone.
//!
//! How: objects (conditions, fee) and acts (agree, decline, "known") are read in order and bound within their clause, then
//! within the sentence, then to the neighbouring sentence. The last word on an object counts; a hedge stays.

use super::answer::{answer, answers_himself};
use super::binding::{bind_clauses, bind_neighbours, bind_sentence, says, settle};
use super::guard::{afterwards, doubted, reserved};
use super::leftovers::bind_around;
use super::lexicon::{Mark, Scene};
use super::pronouns::rebind;
use super::revision::{corrected, postponed, withdraw};
use super::scope::{Says, judge, refusal};
use crate::domain::assessment::{Consent, Finding, Polarity, Subject};

/// What was said about consent.
pub(super) struct Spoken {
    /// The label.
    pub consent: Consent,
    /// Agreed to the conditions, unconditionally.
    pub conditions: bool,
    /// Agreed to the fee, unconditionally.
    pub fee: bool,
    /// The proof.
    pub findings: Vec<Finding>,
}

/// What the terms ask to be agreed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Object {
    /// The conditions.
    Conditions,
    /// The activation fee.
    Fee,
}

/// What a mark does for the consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Something to agree to.
    Object(Object),
    /// A word of agreement or refusal.
    Act(Says),
    /// "beides": everything named so far.
    Both,
}

/// An object or an act, tokens `[start, end)`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    /// Object or act.
    pub role: Role,
    /// First token.
    pub start: usize,
    /// One past the last token.
    pub end: usize,
    /// Number of its clause.
    pub clause: usize,
    /// Bound to its counterpart.
    pub bound: bool,
    /// A bare "ja": an act only for objects of its own clause.
    pub weak: bool,
}

/// What is known so far.
#[derive(Default)]
pub(super) struct State {
    /// The last word on the conditions.
    pub conditions: Option<Says>,
    /// The last word on the fee.
    pub fee: Option<Says>,
    /// Where the last words on conditions and fee end.
    pub at: (usize, usize),
    /// An agreement without an object.
    pub bare: Option<Says>,
    /// What was named.
    pub seen: Vec<Object>,
    /// Where an object was agreed to.
    pub agreed: Vec<(Object, (usize, usize))>,
    /// The proof.
    pub findings: Vec<Finding>,
}

impl State {
    /// The last word on an object.
    pub(super) fn said(&mut self, object: Object) -> &mut Option<Says> {
        match object {
            Object::Conditions => &mut self.conditions,
            Object::Fee => &mut self.fee,
        }
    }

    /// Overrules what was said about an object, with its proof.
    pub(super) fn overrule(&mut self, scene: &Scene<'_>, object: Object, says: Says, span: (usize, usize)) {
        *self.said(object) = Some(says);
        self.findings.push(finding(scene, object, says, span));
    }
}

/// Reads the consent out of a message. `emergency`: an emergency is declared or a core service is down, so that
/// unspecific words ("Kosten", "Bedingungen") are about the firm's terms.
pub(super) fn read(scene: &Scene<'_>, emergency: bool) -> Spoken {
    let mut state = State::default();
    let mut previous: Vec<Item> = Vec::new();
    let elsewhere = !emergency && (scene.has("other_matter") || scene.has("billing"));
    for (from, to) in scene.text.sentences() {
        if scene.text.tokens[from].signature {
            continue;
        }
        let mut items = items(scene, from, to);
        if elsewhere {
            silence(&mut items);
        }
        notice(&items, &mut state);
        let answered = answer(scene, from, to).or_else(|| answers_himself(scene, from, to));
        if let Some((says, end)) = answered.filter(|_| has_object(&items)) {
            // "Stimmen Sie unseren Bedingungen und | 48,00 Euro zu?": a line's end cuts no question.
            let goes_on = !scene.text.tokens[from].capital;
            let open = previous.iter().filter(|i| goes_on || !i.bound).chain(&items);
            let open = open.filter(|i| matches!(i.role, Role::Object(_)));
            for item in open {
                apply(scene, *item, says, (item.start, end), &mut state);
            }
            previous.clear();
            continue;
        }
        bind_clauses(scene, &mut items, &mut state);
        rebind(scene, &mut items, &mut state);
        bind_sentence(scene, &mut items, &mut state);
        bind_around(scene, &mut items, &mut state);
        bind_neighbours(scene, &mut previous, &mut items, &mut state);
        // Who needs nobody and asks about the fee leaves nothing open.
        if emergency {
            left_open(scene, &mut items, &mut state);
        }
        let acts = items.iter().any(|item| matches!(item.role, Role::Act(_)) && !item.weak);
        if !items.is_empty() && !acts {
            // "Die Gebühr. Einverstanden. Und die Bedingungen. Auch."
            previous.extend(items);
        } else if acts {
            settle(scene, &previous, &mut state);
            previous = items;
        } else if to - from > 3 {
            settle(scene, &previous, &mut state);
            previous.clear();
        }
        if scene.touches("withdraw", from, to) {
            withdraw(scene, (from, to), &mut state);
        }
    }
    settle(scene, &previous, &mut state);
    corrected(scene, &mut state);
    postponed(scene, &mut state);
    guarded(scene, &mut state);
    conclude(state)
}

/// Where another matter is spoken of, no yes is about the firm's terms.
fn silence(items: &mut [Item]) {
    for item in items {
        if let Role::Act(Says::Yes | Says::Maybe) = item.role {
            item.role = Role::Act(Says::Nothing);
        }
    }
}

/// Remembers what was named.
fn notice(items: &[Item], state: &mut State) {
    for item in items {
        if let Role::Object(object) = item.role
            && !state.seen.contains(&object)
        {
            state.seen.push(object);
        }
    }
}

fn has_object(items: &[Item]) -> bool {
    items.iter().any(|item| matches!(item.role, Role::Object(_)))
}

/// A full consent stands only where its passage holds nothing that is not explained, and nothing behind it takes it back.
fn guarded(scene: &Scene<'_>, state: &mut State) {
    if state.conditions != Some(Says::Yes) || state.fee != Some(Says::Yes) {
        return;
    }
    let yeses: Vec<(usize, usize)> = state.agreed.iter().map(|(_, span)| *span).collect();
    if let Some(word) = reserved(scene, &yeses) {
        state.overrule(scene, Object::Conditions, Says::Maybe, word);
        state.overrule(scene, Object::Fee, Says::Maybe, word);
        return;
    }
    // "…, geht beides klar, bin ich mit nicht einverstanden": contradicts itself.
    if let (Some(Says::No), Some(yes)) = (state.bare, yeses.last().copied()) {
        state.overrule(scene, Object::Conditions, Says::Maybe, yes);
        state.overrule(scene, Object::Fee, Says::Maybe, yes);
        return;
    }
    for (name, object) in [("conditions", Object::Conditions), ("fee", Object::Fee)] {
        let spans: Vec<(usize, usize)> =
            state.agreed.iter().filter(|(about, _)| *about == object).map(|(_, span)| *span).collect();
        let behind = spans.iter().map(|span| span.1).max().unwrap_or(0);
        if let Some((says, clause)) = afterwards(scene, name, behind) {
            state.overrule(scene, object, says, clause);
        } else if let Some(word) = spans.into_iter().find_map(|span| doubted(scene, name, span, &yeses)) {
            state.overrule(scene, object, Says::Maybe, word);
        }
    }
}

/// "Über die Gebühr entscheidet das Amt": agreed to by nobody yet, but not passed over.
fn left_open(scene: &Scene<'_>, items: &mut [Item], state: &mut State) {
    for item in items.iter_mut().filter(|item| matches!(item.role, Role::Object(_)) && !item.bound) {
        let (from, mut to) = scene.clause(item.start);
        // "Gebühr: Freigabe steht noch aus"
        // "… hab ich dem Chef geschrieben, der will erst noch draufschauen"
        let refers = ["der", "die", "das", "er", "sie", "da", "den", "darueber"].contains(&scene.word(to));
        let same = to < scene.sentence(item.start).1;
        if scene.text.tokens.get(to).is_some_and(|next| next.announced) || same && refers {
            to = scene.clause(to).1;
        }
        if scene.touches("open_point", from, to) && !scene.asks(item.start) {
            apply(scene, *item, Says::Maybe, (from, to), state);
            item.bound = true;
        }
    }
}

/// Objects and acts of one sentence in order.
fn items(scene: &Scene<'_>, from: usize, to: usize) -> Vec<Item> {
    let mut items = Vec::new();
    let within = |mark: &&Mark| mark.start >= from && mark.end <= to;
    let mut add = |name: &str, role: &dyn Fn(&Mark) -> Role, weak: bool| {
        for mark in scene.marks(name).filter(within) {
            // "ein verstanden" is agreed, not understood.
            if name == "known" && scene.touches("agree", mark.start, mark.end) {
                continue;
            }
            let clause = clause_of(scene, mark);
            // A bare yes or no stands at an edge of its clause; inside it is a particle ("Sie kennen das ja").
            let (first, last) = scene.clause(mark.start);
            let word = scene.text.tokens[mark.start].norm.as_str();
            let weak = weak || word == "nein";
            if weak && mark.start > first && mark.end < last && !answers_in_row(scene, mark) {
                continue;
            }
            // "Sie kennen uns ja."
            let known = ["sie", "ihr", "uns", "man"];
            // "Die Gebühr entfällt ja."
            let told = mark.start > first + 1 && {
                let before = &scene.text.tokens[mark.start - 1];
                before.norm.len() > 4 && before.norm.ends_with('t') && !before.capital
            };
            if weak && mark.end == last && (told || (first..mark.start).any(|at| known.contains(&scene.word(at)))) {
                continue;
            }
            items.push(Item { role: role(mark), start: mark.start, end: mark.end, clause, bound: false, weak });
        }
    };
    add("conditions", &|_| Role::Object(Object::Conditions), false);
    add("fee", &|_| Role::Object(Object::Fee), false);
    add("low_amount", &|_| Role::Object(Object::Fee), false);
    add("both", &|_| Role::Both, false);
    add("agree", &|mark| Role::Act(judge(scene, mark)), false);
    add("yes", &|mark| Role::Act(judge(scene, mark)), true);
    add("decline", &|mark| Role::Act(refusal(scene, mark)), false);
    add("known", &|_| Role::Act(Says::Nothing), false);
    items.sort_by_key(|item| (item.start, item.weak));
    // A bare yes or a "known" inside a longer act is part of it.
    let acts: Vec<(usize, usize)> =
        items.iter().filter(|i| matches!(i.role, Role::Act(_)) && !i.weak).map(|i| (i.start, i.end)).collect();
    items.retain(|item| !item.weak || !acts.iter().any(|(start, end)| *start < item.end && *end > item.start));
    items
}

/// "Bedingungen ja und gebühr ja": between two objects of a row a yes belongs to the first.
fn answers_in_row(scene: &Scene<'_>, mark: &Mark) -> bool {
    let objects = || ["conditions", "fee"].into_iter().flat_map(|name| scene.marks(name));
    let behind = objects().any(|object| object.end == mark.start);
    let articles = ["und", "die", "der", "den", "zur", "zu", "ihre"];
    let next = (mark.end..mark.end + 3).find(|at| !articles.contains(&scene.word(*at)));
    behind && next.is_some_and(|next| objects().any(|object| object.start == next))
}

/// The clause of a mark: of its last word, but "stimmen wir aber nicht | zu" is one with what it began.
fn clause_of(scene: &Scene<'_>, mark: &Mark) -> usize {
    let tokens = &scene.text.tokens;
    let (first, last) = (tokens[mark.start].clause, tokens[mark.end - 1].clause);
    let particle = matches!(scene.word(scene.clause(mark.end - 1).0), "aber" | "jedoch" | "allerdings");
    if particle && first + 1 == last { first } else { last }
}

pub(super) fn bind(scene: &Scene<'_>, items: &mut [Item], object: usize, act: usize, state: &mut State) {
    let (item, by) = (items[object], items[act]);
    items[object].bound = true;
    items[act].bound = true;
    let span = (item.start.min(by.start), item.end.max(by.end));
    apply(scene, item, says(by), span, state);
}

/// Notes what was said about an object, and its proof.
pub(super) fn apply(scene: &Scene<'_>, item: Item, says: Says, span: (usize, usize), state: &mut State) {
    // "45, nein, 48 Euro"
    let mended = |low: &Mark| scene.marks("amount").any(|m| m.start > low.start && m.start < low.end + 4);
    let low = scene.marks("low_amount").any(|m| m.start < span.1 && m.end > span.0 && !mended(m));
    let objects = match item.role {
        Role::Object(object) => vec![object],
        Role::Both if state.seen.len() > 1 => vec![Object::Conditions, Object::Fee],
        Role::Both => state.seen.clone(),
        Role::Act(_) => return,
    };
    for object in objects {
        let (from, to) = scene.clause(item.start);
        let open = low && object == Object::Fee || scene.touches("open_point", from, to);
        let says = if open && says == Says::Yes { Says::Maybe } else { says };
        if !state.seen.contains(&object) {
            state.seen.push(object);
        }
        let at = if object == Object::Fee { &mut state.at.1 } else { &mut state.at.0 };
        let earlier = span.1 < *at;
        *at = span.1.max(*at);
        let slot = state.said(object);
        *slot = Some(match (*slot, says) {
            (Some(Says::Yes), Says::No) if earlier => Says::Yes,
            (Some(Says::No), Says::Yes) if earlier => Says::No,
            (Some(Says::Maybe), Says::Yes) => Says::Maybe,
            (Some(known), Says::Nothing) => known,
            (_, says) => says,
        });
        if says == Says::Yes {
            state.agreed.push((object, span));
        }
        state.findings.push(finding(scene, object, says, span));
    }
}

fn finding(scene: &Scene<'_>, object: Object, says: Says, span: (usize, usize)) -> Finding {
    let (quote, range) = scene.text.quote(span.0, span.1);
    let (subject, name) = match object {
        Object::Conditions => (Subject::Conditions, "conditions"),
        Object::Fee => (Subject::Fee, "fee"),
    };
    let (polarity, way) = match says {
        Says::Yes => (Polarity::Holds, "agree"),
        Says::No => (Polarity::Denied, "decline"),
        Says::Maybe => (Polarity::Conditional, "hedge"),
        Says::Nothing => (Polarity::Mentioned, "mention"),
    };
    let rule = format!("consent.{name}.{way}");
    Finding { subject, polarity, rule, quote: quote.to_owned(), range, seconds: None, probability: None }
}

fn conclude(state: State) -> Spoken {
    let all = [state.conditions, state.fee];
    let any = |says: Says| all.contains(&Some(says));
    let consent = if any(Says::No) {
        Consent::Refused
    } else if any(Says::Maybe) {
        Consent::Conditional
    } else {
        match (state.conditions == Some(Says::Yes), state.fee == Some(Says::Yes)) {
            (true, true) => Consent::Full,
            (true, false) => Consent::ConditionsOnly,
            (false, true) => Consent::FeeOnly,
            (false, false) => match state.bare {
                Some(Says::Yes) => Consent::ConditionsOnly,
                Some(Says::Maybe) => Consent::Conditional,
                Some(Says::No) => Consent::Refused,
                _ => Consent::Absent,
            },
        }
    };
    let held = |slot: Option<Says>| slot == Some(Says::Yes);
    Spoken { consent, conditions: held(state.conditions), fee: held(state.fee), findings: state.findings }
}
