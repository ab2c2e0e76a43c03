//! What is said about a consent after it: taken back, corrected, put off.

use super::consent::{Object, State};
use super::lexicon::Scene;
use super::scope::Says;

/// "Die Zustimmung zur Gebühr ziehe ich zurück": what is named, or all of it.
pub(super) fn withdraw(scene: &Scene<'_>, sentence: (usize, usize), state: &mut State) {
    let fee = scene.touches("fee", sentence.0, sentence.1);
    let conditions = scene.touches("conditions", sentence.0, sentence.1);
    if fee || !conditions {
        state.overrule(scene, Object::Fee, Says::No, sentence);
    }
    if conditions || !fee {
        state.overrule(scene, Object::Conditions, Says::No, sentence);
    }
}

/// "Ich muss mich korrigieren, über Gebühren entscheidet …": an object named behind a correction, and not agreed to again.
pub(super) fn corrected(scene: &Scene<'_>, state: &mut State) {
    for mark in scene.marks("retract") {
        for (name, object) in [("fee", Object::Fee), ("conditions", Object::Conditions)] {
            let named = scene.marks(name).find(|m| m.start >= mark.start && m.start < mark.end + 12);
            let Some(named) = named else { continue };
            let again = scene.marks("agree").any(|act| act.start + 4 > mark.end && act.start < named.end + 10);
            if *state.said(object) == Some(Says::Yes) && !again {
                state.overrule(scene, object, Says::Maybe, (mark.start, named.end));
            }
        }
    }
}

/// "Bedingungen, ja, Gebühr, ja. Das muss ich alles noch nachlesen": what a sentence points back to and leaves open.
pub(super) fn postponed(scene: &Scene<'_>, state: &mut State) {
    let points = ["das", "die", "beides", "dies", "darueber", "dazu", "hierzu", "alles"];
    for mark in scene.marks("open_point") {
        let (first, last) = scene.sentence(mark.start);
        let back = points.contains(&scene.text.tokens[first].norm.as_str()) && mark.start < first + 4;
        let own = scene.touches("fee", first, last) || scene.touches("conditions", first, last);
        if !back || own {
            continue;
        }
        for (name, object) in [("fee", Object::Fee), ("conditions", Object::Conditions)] {
            let before = scene.touches(name, first.saturating_sub(8), first);
            if before && *state.said(object) == Some(Says::Yes) {
                state.overrule(scene, object, Says::Maybe, (mark.start, mark.end));
            }
        }
    }
}
