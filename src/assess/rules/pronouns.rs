//! Words that point back to an object named before: "die akzeptieren wir", "damit sind wir einverstanden", "ich zahl sie".

use super::binding::{applies, says, spoken_for};
use super::consent::{Item, Role, State, apply, bind};
use super::lexicon::Scene;
use super::scope::Says;
use super::words::WORDS;

/// "Eure Bedingungen hab ich gelesen, die passen für uns": a yes to what was only known so far. "Die sind fein, ich stimme
/// denen nicht zu": a no to what was agreed to. "Die hab ich hier liegen, damit sind wir einverstanden": to what was named.
pub(super) fn rebind(scene: &Scene<'_>, items: &mut [Item], state: &mut State) {
    let pronouns = [
        "die", "sie", "denen", "ihnen", "ihm", "ihr", "das", "dem", "them", "it", "diese", "diesen", "dieser",
        "diesem", "damit",
    ];
    for act in 0..items.len() {
        let (from, to) = scene.clause(items[act].end - 1);
        let says = says(items[act]);
        if !matches!(items[act].role, Role::Act(_)) || says == Says::Nothing || items[act].weak {
            continue;
        }
        let objects = |range: (usize, usize)| {
            items.iter().any(|i| i.start >= range.0 && i.end <= range.1 && !matches!(i.role, Role::Act(_)))
        };
        // "… und akzeptieren das", "… und erkenne sie an"
        let behind = points_back(scene, items[act].end);
        // "damit einverstanden, dass …" points forward.
        let forward = scene.word(to) == "dass" && scene.touches("fee", to, scene.clause(to).1);
        let inside =
            (items[act].start..to).any(|at| INSIDE.contains(&scene.word(at)) && !scene.text.tokens[at].capital);
        let pointed = (behind || inside || points(scene, from, items[act].start))
            && !forward
            && !objects((from, items[act].start));
        let refers = to - from <= 5 || scene.text.tokens[from..to].iter().any(|t| pronouns.contains(&t.norm.as_str()));
        let free = !items[act].bound && refers && !objects((from, to));
        let Some(last) = (0..act).rev().find(|i| matches!(items[*i].role, Role::Object(_))) else { continue };
        let clause = items[last].clause;
        let beside = clause != items[act].clause;
        let named = |i: &Item| beside && i.clause == clause && matches!(i.role, Role::Object(_));
        if says == Says::Yes {
            read_and_agreed(scene, items, act, state);
        }
        for object in (0..act).filter(|i| named(&items[*i])).collect::<Vec<_>>() {
            let Role::Object(about) = items[object].role else { continue };
            if spoken_for(scene, items, items[object], items[act].start) || !applies(scene, items[act], items[object]) {
                continue;
            }
            let known = *state.said(about);
            let open = !items[object].bound && known.is_none() && pointed;
            let turned = says == Says::Yes && known == Some(Says::No) && pointed && turns_round(scene, from, to);
            let changed = items[object].bound
                && (free && object == last || pointed)
                && !forward
                && (known == Some(Says::Nothing) || known == Some(Says::Yes) && says != Says::Yes || turned);
            if turned {
                // What was declined before is no part of the yes.
                apply(scene, items[object], says, (items[act].start, items[act].end), state);
                items[act].bound = true;
            } else if open || changed {
                bind(scene, items, object, act, state);
            }
        }
    }
}

/// Point to what was named, wherever they stand: "ich stimme denen zu", "einverstanden bin ich damit".
const INSIDE: [&str; 14] = [
    "denen", "dem", "damit", "dazu", "darauf", "daran", "dies", "diesen", "beidem", "dieser", "diesem", "ihm", "ihr",
    "ihnen",
];

/// "… und akzeptieren das", "jetzt zahle ich sie": the pronoun behind a verb, and its subject.
fn points_back(scene: &Scene<'_>, end: usize) -> bool {
    let at = end + usize::from(matches!(scene.word(end), "ich" | "wir" | "i" | "mir" | "mer"));
    let small = scene.text.tokens.get(at).is_some_and(|token| !token.capital);
    small && matches!(scene.word(at), "das" | "es" | "sie" | "diese" | "dies" | "beides")
}

/// A no becomes a yes: "Quatsch, die akzeptieren wir natürlich", "doch, ich zahl sie".
fn turns_round(scene: &Scene<'_>, from: usize, to: usize) -> bool {
    (scene.sentence(from).0..to).any(|at| TURNED.contains(&scene.word(at)))
}

const TURNED: [&str; 12] = [
    "doch",
    "natuerlich",
    "selbstverstaendlich",
    "jetzt",
    "nun",
    "quatsch",
    "versprochen",
    "aber",
    "trotzdem",
    "dennoch",
    "korrektur",
    "moment",
];

/// "Die Bedingungen haben wir gelesen und sind damit sowie mit der Gebühr einverstanden."
fn read_and_agreed(scene: &Scene<'_>, items: &mut [Item], act: usize, state: &mut State) {
    let from = scene.clause(items[act].end - 1).0;
    let Some(at) = (from..items[act].start).rev().find(|at| scene.word(*at) == "damit") else { return };
    // "Damit einverstanden, dass Sie 48 Euro berechnen" points forward.
    if scene.word(scene.clause(items[act].end - 1).1) == "dass" {
        return;
    }
    let read = (0..act).rev().filter(|i| items[*i].end <= at).find(|i| match items[*i].role {
        Role::Object(about) => state.said(about).is_none_or(|said| said == Says::Nothing),
        _ => false,
    });
    if let Some(object) = read {
        bind(scene, items, object, act, state);
    }
}

/// Whether a clause begins by pointing back to what was named before it: "damit sind wir …", "die akzeptieren wir".
fn points(scene: &Scene<'_>, from: usize, act: usize) -> bool {
    let word = |at: usize| scene.word(at);
    let verb = |word: &str| WORDS.verbs.contains(word) || WORDS.auxiliaries.contains(word) || WORDS.agreeing(word);
    // "Bedingungen hab ich durch, sind akzeptiert."
    let leads =
        matches!(word(from), "sind" | "ist" | "san" | "sin" | "werden" | "wird" | "passen" | "passt") || act == from;
    leads
        || (from..act.min(from + 5)).any(|at| match word(at) {
            _ if at >= from + 3 && word(at) != "damit" => false,
            "damit" => true,
            "das" | "des" | "dat" | "beides" => at + 1 == act,
            "die" | "denen" | "dem" | "diese" | "diesen" => at + 1 == act || verb(word(at + 1)),
            _ => false,
        })
}

/// "Ihre Bedingungen habe ich hier. Denen stimme ich zu.", "Die Gebühr zahl ich nicht. Doch, ich zahl sie."
pub(super) fn bind_pronouns(scene: &Scene<'_>, previous: &[Item], items: &mut [Item], state: &mut State) {
    let Some(first) = items.iter().position(|i| matches!(i.role, Role::Act(_)) && !i.weak) else { return };
    let act = items[first];
    let (from, to) = scene.clause(act.end - 1);
    let named = |i: &Item| !matches!(i.role, Role::Act(_));
    let own = items.iter().any(|i| named(i) && (i.start < act.end || i.clause == act.clause));
    let forward = scene.word(to) == "dass";
    if own || act.bound || forward || says(act) == Says::Nothing {
        return;
    }
    let pronoun = (from.min(act.start)..to).find_map(|at| match scene.word(at) {
        "damit" | "dem" | "dazu" | "denen" | "beidem" | "daran" | "darauf" => Some(true),
        "das" | "die" if at + 1 >= act.start || at < from + 2 => Some(true),
        "sie" | "es" if at > from && !scene.text.tokens[at].capital => Some(false),
        _ => None,
    });
    let Some(all) = pronoun else { return };
    let last = previous.iter().rev().find(|i| named(i)).map(|i| i.clause);
    for item in previous.iter().filter(|i| named(i) && Some(i.clause) == last) {
        let Role::Object(about) = item.role else { continue };
        let known = *state.said(about);
        let open = known.is_none() || known == Some(Says::Nothing);
        let turned = known == Some(Says::No) && says(act) == Says::Yes && turns_round(scene, from, to);
        let apart = spoken_for(scene, previous, *item, act.start) || !applies(scene, act, *item);
        if open && (all || !item.bound) && !apart || turned {
            let from = if turned { act.start } else { item.start };
            apply(scene, *item, says(act), (from, act.end), state);
            items[first].bound = true;
        }
    }
}
