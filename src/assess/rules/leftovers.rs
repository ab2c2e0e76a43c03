//! What the binding leaves over: objects around a relative clause, a bare yes behind its only object, a verb that only stands
//! for one before.

use super::binding::{PROFORMS, names_only, says};
use super::consent::{Item, Role, State, apply, bind};
use super::lexicon::Scene;
use super::scope::Says;

/// What is left over: "Mit der Gebühr, die Sie nennen, gehe ich mit" around a relative clause, and a bare yes behind its only
/// object: "48 Euro finde ich wenig, natürlich einverstanden".
pub(super) fn bind_around(scene: &Scene<'_>, items: &mut [Item], state: &mut State) {
    let object = |item: &Item| matches!(item.role, Role::Object(_));
    for index in 0..items.len() {
        if items[index].bound || !object(&items[index]) {
            continue;
        }
        let (first, end) = scene.clause(items[index].start);
        let rest = end..scene.sentence(first).1;
        let Some(act) = (index + 1..items.len()).find(|i| matches!(items[*i].role, Role::Act(_)) && !items[*i].weak)
        else {
            continue;
        };
        let (from, to) = scene.clause(items[act].start);
        if !rest.contains(&from) || says(items[act]) == Says::Nothing {
            continue;
        }
        let alone = !items.iter().any(|i| object(i) && i.start >= from && i.end <= to);
        let relative = RELATIVES.contains(&scene.word(end)) && scene.clause(end).1 == from;
        let verb_first = items[act].start == from && matches!(scene.word(from + 1), "ich" | "wir" | "mir" | "mer");
        let inserted = relative && verb_first;
        let of_something = (from..to).any(|at| matches!(scene.word(at), "mit" | "zu" | "zum" | "zur" | "an" | "dass"));
        let bare = !items[act].bound && to - from <= 3 && !of_something;
        if alone && (inserted || bare) {
            bind(scene, items, index, act, state);
        }
    }
}

/// Open a relative clause.
const RELATIVES: [&str; 9] = ["die", "der", "den", "das", "dem", "deren", "denen", "welche", "wie"];

/// "Mit den Konditionen bin ich einverstanden. Schwester, die Katze! Und mit der Gebühr bin ich es auch."
pub(super) fn bind_proforms(scene: &Scene<'_>, items: &mut [Item], state: &mut State) {
    for index in 0..items.len() {
        let item = items[index];
        let (from, to) = scene.clause(item.start);
        let proform = (from..to).any(|at| matches!(scene.word(at), "es" | "das")) && stands_for(scene, items, from, to);
        let (Role::Object(_), false, true) = (item.role, item.bound, proform) else { continue };
        if state.agreed.iter().any(|(_, span)| span.1 <= from) && !scene.touches("negation", from, to) {
            apply(scene, item, Says::Yes, (item.start, to), state);
            items[index].bound = true;
        }
    }
}

/// "Mit den Bedingungen bin ich es ebenfalls": the verb only stands for the one before.
pub(super) fn stands_for(scene: &Scene<'_>, items: &[Item], from: usize, to: usize) -> bool {
    let named = |at: usize| items.iter().any(|i| i.start <= at && i.end > at);
    scene.touches("also", from, to)
        && (from..to).filter(|at| !named(*at)).all(|at| {
            let word = scene.word(at);
            PROFORMS.contains(&word) || names_only(word) || scene.text.tokens[at].is_number()
        })
}
