//! Which word of agreement belongs to which object: within the clause, then the sentence, then the neighbouring sentence.
//!
//! Leaning on a neighbour is allowed only to a stretch without a subject of its own ("und mit der Gebühr auch"): in
//! "die Bedingungen akzeptiere ich, zur Gebühr sage ich nichts" the fee gets no yes.

use super::consent::{Item, Object, Role, State, apply, bind};
use super::leftovers::{bind_proforms, stands_for};
use super::lexicon::Scene;
use super::pronouns::bind_pronouns;
use super::scope::Says;
use super::words::WORDS;

/// Binds acts and objects inside each clause.
pub(super) fn bind_clauses(scene: &Scene<'_>, items: &mut [Item], state: &mut State) {
    let mut clauses: Vec<usize> = items.iter().map(|item| item.clause).collect();
    clauses.dedup();
    for clause in clauses {
        let members: Vec<usize> = (0..items.len()).filter(|i| items[*i].clause == clause).collect();
        let acts: Vec<usize> = members.iter().copied().filter(|i| matches!(items[*i].role, Role::Act(_))).collect();
        for &index in &members {
            let item = items[index];
            if matches!(item.role, Role::Act(_)) || acts.is_empty() {
                continue;
            }
            // "… einverstanden zur Gebühr: nicht einverstanden": what the colon announces is said of it.
            let announces = scene.text.tokens.get(item.end).is_some_and(|next| next.announced)
                && scene.touches("negation", item.end, scene.clause(item.end).1);
            if announces && acts.iter().all(|act| items[*act].start < item.start) {
                continue;
            }
            if let Some(act) = choose(scene, items, index, &members, &acts)
                .filter(|act| !own_predicate(scene, items, *act, index) && !far_yes(items, *act, index))
                .filter(|act| !spoken_for(scene, items, item, items[*act].start))
            {
                bind(scene, items, index, act, state);
            }
        }
    }
}

/// The act of an object's own clause: the next one behind it with no other object's act between, else the one before.
fn choose(scene: &Scene<'_>, items: &[Item], object: usize, members: &[usize], acts: &[usize]) -> Option<usize> {
    let place = items[object].start;
    let before = acts.iter().rev().copied().find(|a| items[*a].start <= place);
    let mut after: Vec<usize> = acts.iter().copied().filter(|a| items[*a].start > place).collect();
    // Acts that follow each other without an object between belong to the same object: the strongest says it.
    let next_object = members.iter().copied().find(|m| {
        !matches!(items[*m].role, Role::Act(_)) && after.first().is_some_and(|a| items[*m].start > items[*a].start)
    });
    if let Some(limit) = next_object {
        after.retain(|a| items[*a].start < items[limit].start);
    }
    let strongest = |list: &[usize]| list.iter().copied().max_by_key(|a| strength(items[*a]));
    match (before, strongest(&after)) {
        // "Ich akzeptiere die Bedingungen und die Gebühr": an act that stands first takes what follows.
        // "Er stimmt den Bedingungen zu und die Gebühr hat er genehmigt"
        (Some(b), Some(a)) if own_predicate(scene, items, b, object) => {
            Some(if says(items[a]) == Says::Nothing { b } else { a })
        }
        (Some(b), Some(a)) => {
            let first = members.iter().copied().find(|m| !items[*m].weak);
            // "I have read your terms and I accept them": what is only known is overtaken by a yes to the same.
            let alone =
                members.iter().all(|m| items[*m].start < items[a].start || matches!(items[*m].role, Role::Act(_)));
            if says(items[b]) == Says::Nothing && alone {
                return Some(a);
            }
            let leads = first == Some(b) || items[b].end > place;
            let farther = items[a].start - place > place.saturating_sub(items[b].end);
            Some(if says(items[a]) == says(items[b]) || leads && farther { b } else { a })
        }
        (b, a) => a.or(b),
    }
}

/// A stretch without a subject of its own says nothing by itself: it leans on its neighbour.
fn elliptic(scene: &Scene<'_>, items: &[Item], from: usize, to: usize) -> bool {
    let named: usize = items.iter().filter(|i| i.start >= from && i.end <= to).map(|i| i.end - i.start).sum();
    let subject = has_subject(scene, from, to);
    let room = if verbal(scene, from, to) { 8 } else { 14 };
    (to - from).saturating_sub(named) <= room && !subject
}

/// Whether an agreement before it may reach a stretch: it only names, is governed, or turns what it leans on.
fn carries(scene: &Scene<'_>, items: &[Item], from: usize, to: usize) -> bool {
    let turns = scene.touches("negation", from, to) || scene.touches("hedge", from, to);
    let due = |at: usize| DUE.iter().any(|stem| scene.word(at).starts_with(stem));
    turns || scene.word(from) == "dass" && (from..to).any(due) || leaning(scene, items, from, to)
}

/// How verbs begin that say what a clause with "dass" agrees to: "…, dass Sie 48 Euro berechnen".
const DUE: [&str; 10] = ["berechn", "kost", "anf", "gelten", "gilt", "faellig", "zahl", "rechnung", "erhoben", "nehm"];

/// "…, die Gebühr von 48 Euro": a stretch that leans back holds no word of its own. In "…, die Gebühr ist indiskutabel"
/// another verdict on the fee may be meant, in words that nobody knows.
fn leaning(scene: &Scene<'_>, items: &[Item], from: usize, to: usize) -> bool {
    let named = |at: usize| items.iter().any(|i| i.start <= at && i.end > at);
    // A row without punctuation runs on into the next thought.
    let last = items.iter().filter(|i| i.start >= from && i.end <= to).map(|i| i.end).max().unwrap_or(to);
    let to = if to - from > 12 { to.min(last + 1) } else { to };
    (from..to).filter(|at| !named(*at)).all(|at| {
        let token = &scene.text.tokens[at];
        let told = scene.word(from) == "was" && matches!(token.norm.as_str(), "was" | "steht" | "stehen" | "haben");
        told || token.is_number() || names_only(&token.norm) || token.norm.len() <= 2
    })
}

pub(super) fn names_only(word: &str) -> bool {
    WORDS.leaning.contains(word) || ROW.contains(&word)
}

/// Count the members of a row, or begin them in dialect.
const ROW: [&str; 18] = [
    "einmal",
    "zweimal",
    "erstens",
    "zweitens",
    "ersten",
    "zweiten",
    "sowohl",
    "einerseits",
    "andererseits",
    "eingeschlossen",
    "inbegriffen",
    "enthalten",
    "met",
    "mim",
    "dene",
    "denne",
    "dere",
    "eier",
];

/// Whether something is done there.
fn verbal(scene: &Scene<'_>, from: usize, to: usize) -> bool {
    let word = |at: usize| scene.word(at);
    (from..to)
        .any(|at| WORDS.verbs.contains(word(at)) || WORDS.auxiliaries.contains(word(at)) || WORDS.agreeing(word(at)))
}

/// A bare "ja" belongs to what stands beside it.
fn far_yes(items: &[Item], act: usize, object: usize) -> bool {
    let gap =
        items[act].start.saturating_sub(items[object].end).max(items[object].start.saturating_sub(items[act].end));
    items[act].weak && gap > 6
}

/// "… akzeptiere ich und zur Gebühr sage ich noch nichts": an object behind the act with a predicate of its own.
fn own_predicate(scene: &Scene<'_>, items: &[Item], act: usize, object: usize) -> bool {
    // "Die Zustimmung zu Bedingungen und Gebühr gebe ich": the verb of the act itself.
    let behind = items[object].end;
    let given = matches!(scene.word(behind + 2), "mir" | "uns" | "ja" | "auch" | "schon");
    let light = ["gebe", "geb", "geben", "erteile", "erteilen", "erklaere", "erklaeren", "haben", "habt"]
        .contains(&scene.word(behind))
        && !given;
    if items[act].end > items[object].start || light {
        return false;
    }
    let end = items.iter().map(|i| i.start).filter(|start| *start >= items[object].end).min();
    let mut end = end.unwrap_or(usize::MAX).min(scene.clause(items[object].start).1);
    // "… die Bedingungen und wir | bezahlen die Gebühr": the subject of the next act.
    let act_next = items.iter().any(|i| i.start == end && matches!(i.role, Role::Act(_)));
    if act_next && end > items[object].end && has_subject(scene, end - 1, end) {
        end -= 1;
    }
    has_subject(scene, behind, end) || behind < end && STANDS.contains(&scene.word(behind))
}

/// Verbs right behind an object that say something else of it than a yes: "die Gebühr steht auch drin".
const STANDS: [&str; 16] = [
    "steht", "stehen", "liegt", "liegen", "finde", "finden", "findet", "kenne", "kennen", "kennt", "fehlt", "fehlen",
    "haben", "hab", "habe", "hat",
];

/// "Bedingungen hab ich überflogen und die Gebühr nehmen wir": what is only known has its verb before the next object.
pub(super) fn spoken_for(scene: &Scene<'_>, items: &[Item], object: Item, before: usize) -> bool {
    let next = items.iter().find(|i| i.start >= object.end && matches!(i.role, Role::Object(_)));
    let Some(next) = next.filter(|next| next.end <= before) else { return false };
    has_subject(scene, object.end, next.start) && verbal(scene, object.end, next.start)
}

/// Whether somebody acts there. "i" is a person in English and dialect, but "and" in Polish and Italian.
fn has_subject(scene: &Scene<'_>, from: usize, to: usize) -> bool {
    let person = matches!(scene.language.as_str(), "de" | "en");
    scene.text.tokens[from..to].iter().any(|t| SUBJECTS.contains(&t.norm.as_str()) && (person || t.norm != "i"))
}

const SUBJECTS: [&str; 10] = ["ich", "wir", "man", "er", "i", "we", "mer", "ick", "ik", "mia"];

/// Whether an act can be meant of an object: nobody pays conditions.
pub(super) fn applies(scene: &Scene<'_>, act: Item, object: Item) -> bool {
    let pays = (act.start..act.end)
        .any(|at| ["zahl", "bezahl", "ueberweis", "blech"].iter().any(|stem| scene.word(at).starts_with(stem)));
    !(pays && object.role == Role::Object(Object::Conditions))
}

/// How an item counts; an object says nothing.
pub(super) fn says(item: Item) -> Says {
    if let Role::Act(says) = item.role { says } else { Says::Nothing }
}

fn strength(item: Item) -> u8 {
    match says(item) {
        Says::No => 3,
        Says::Maybe => 2,
        Says::Yes => 1,
        Says::Nothing => 0,
    }
}

/// Whether the yes before it is carried over: "die Gebühr auch", "und was die Bedingungen angeht, ebenfalls".
fn carried(scene: &Scene<'_>, items: &[Item], from: usize, to: usize) -> bool {
    let after = scene.clause(to.min(scene.text.tokens.len() - 1));
    let about = scene.word(from + usize::from(scene.word(from) == "und")) == "was";
    let apart = to < scene.sentence(from).1 && after.1 - to <= 3 && about;
    scene.touches("also", from, to) && !tells_more(scene, items, from, to)
        || apart && scene.touches("also", to, after.1)
}

/// Begin the last of a row of objects: "nicht nur die Gebühr, auch die Bedingungen akzeptieren wir".
const JOINS: [&str; 9] = ["und", "un", "sowie", "auch", "sondern", "wie", "als", "ebenso", "genauso"];

/// How a clause weakens or turns the yes that it leans on.
fn turned(scene: &Scene<'_>, from: usize, to: usize) -> Option<Says> {
    if scene.touches("hedge", from, to) {
        return Some(Says::Maybe);
    }
    (scene.touches("negation", from, to) && !scene.asks(from)).then_some(Says::No)
}

/// Binds what its clause left over to the rest of the sentence.
pub(super) fn bind_sentence(scene: &Scene<'_>, items: &mut [Item], state: &mut State) {
    for index in 0..items.len() {
        if items[index].bound || matches!(items[index].role, Role::Act(_)) {
            continue;
        }
        let clause = items[index].clause;
        let (from, to) = scene.clause(items[index].start);
        let alone = |i: usize| scene.clause(items[i].start).1 - scene.clause(items[i].start).0 <= 2;
        let free = |i: &usize| matches!(items[*i].role, Role::Act(_)) && (!items[*i].weak || alone(*i));
        // An act that has an object in its own clause is spent on it.
        // "Mit dem, was es kostet, und mit den Bedingungen sind wir einverstanden": a row of objects shares its act.
        let joined = |i: usize| {
            items[i].clause == clause + 1
                && JOINS.contains(&scene.word(scene.clause(items[i].start).0))
                && !verbal(scene, from, to)
        };
        // "Mit den Bedingungen | einverstanden mit der Gebühr einverstanden": a row cut by guess.
        let beside = |i: usize| items[i].start == items[index].end;
        let spent = |i: usize| {
            !joined(i)
                && !beside(i)
                && items.iter().any(|o| o.clause == items[i].clause && matches!(o.role, Role::Object(_)))
        };
        let next = (index + 1..items.len()).find(|i| free(i) && !spent(*i));
        let before = (0..index).rev().find(free);
        // "Bedingungen akzeptiert, Gebühr: folgt": what a colon announces says it, or nobody.
        let announces = scene.text.tokens.get(to).is_some_and(|next| next.announced);
        let before = before.filter(|_| !announces);
        let next =
            next.filter(|act| !announces || scene.clause(items[*act].start).0 == to || says(items[*act]) != Says::Yes);
        // "gelesen und akzeptiert": what is known and agreed to is agreed to.
        let next = next.map(|act| {
            let beside = |i: &usize| items[*i].clause == items[act].clause && says(items[*i]) != Says::Nothing;
            if says(items[act]) == Says::Nothing { (act..items.len()).find(beside).unwrap_or(act) } else { act }
        });
        let carried = carried(scene, items, from, to);
        let chosen = match (before, next) {
            (Some(b), _) if carried => Some(b),
            _ if !elliptic(scene, items, from, to) => None,
            (Some(b), None) if items[b].clause != clause && !carries(scene, items, from, to) => None,
            (_, Some(n)) => Some(n),
            (b, None) => b,
        };
        let Some(act) = chosen else { continue };
        // A clause of its own may turn or weaken the yes that it leans on.
        let leans = items[act].clause != clause && says(items[act]) == Says::Yes;
        if let Some(says) = turned(scene, from, to).filter(|_| leans) {
            apply(scene, items[index], says, (from, to), state);
            items[index].bound = true;
        } else {
            bind(scene, items, index, act, state);
        }
    }
}

/// Binds left-overs of this sentence and the one before: "Ich stimme zu. Und zwar den Bedingungen …", "Die Gebühr. Einverstanden."
pub(super) fn bind_neighbours(scene: &Scene<'_>, previous: &mut [Item], items: &mut [Item], state: &mut State) {
    let dangling = previous.iter().any(|i| matches!(i.role, Role::Act(_)) && !i.weak && !i.bound);
    let act_before = previous.iter().rposition(|i| matches!(i.role, Role::Act(_)) && !i.weak);
    for index in 0..items.len() {
        if items[index].bound || matches!(items[index].role, Role::Act(_)) {
            continue;
        }
        let (from, to) = scene.sentence(items[index].start);
        let near = items[index].start.saturating_sub(previous.last().map_or(0, |i| i.end)) < 12;
        let clause = scene.clause(items[index].start);
        let more = tells_more(scene, items, clause.0, clause.1);
        let leans = elliptic(scene, items, clause.0, clause.1)
            && (dangling || scene.touches("also", from, to) && !more)
            || stands_for(scene, items, clause.0, clause.1);
        if let Some(act) = act_before.filter(|_| near && leans && !scene.asks(items[index].start)) {
            let act = previous[act];
            if scene.touches("negation", from, to) || act.role == Role::Act(Says::Nothing) {
                continue;
            }
            apply(scene, items[index], says(act), (act.start.min(items[index].start), items[index].end), state);
            items[index].bound = true;
            for item in previous.iter_mut().filter(|i| i.start == act.start) {
                item.bound = true;
            }
        }
    }
    bind_proforms(scene, items, state);
    bind_pronouns(scene, previous, items, state);
    let Some(act) = items.iter().position(|i| matches!(i.role, Role::Act(_)) && !i.bound && !i.weak) else { return };
    let alone = items.iter().all(|i| matches!(i.role, Role::Act(_)));
    let (from, to) = scene.sentence(items[act].start);
    // "Meine bisherige Nummer gilt nicht mehr" is about the telephone.
    if alone && to - from < 14 && !scene.touches("beside", from, items[act].start) {
        let plain = matches!(scene.word(items[act].start), "okay" | "ok" | "oke" | "fein" | "top");
        let before = previous.to_vec();
        for item in previous.iter_mut().filter(|i| !matches!(i.role, Role::Act(_))) {
            // "Ich weiß, die Bedingungen. Sind akzeptiert."
            let known = matches!(item.role, Role::Object(about) if *state.said(about) == Some(Says::Nothing));
            if item.bound && (!known || plain || spoken_for(scene, &before, *item, items[act].start)) {
                continue;
            }
            apply(scene, *item, says(items[act]), (item.start, items[act].end), state);
            item.bound = true;
            items[act].bound = true;
        }
    }
}

/// "Die Bedingungen stehen auch auf Ihrer Seite": a verb of its own, no yes carried over.
fn tells_more(scene: &Scene<'_>, items: &[Item], from: usize, to: usize) -> bool {
    let named = |at: usize| items.iter().any(|i| i.start <= at && i.end > at);
    let told = |word: &str| {
        WORDS.verbs.contains(word)
            || ["steh", "find", "kenn", "lieg", "fehl", "lese", "schau"].iter().any(|stem| word.starts_with(stem))
    };
    (from..to).any(|at| !named(at) && told(scene.word(at)) && !PROFORMS.contains(&scene.word(at)))
}

/// Words of a clause that stand for one before it.
pub(super) const PROFORMS: [&str; 18] = [
    "bin", "sind", "ist", "san", "ich", "wir", "es", "das", "s", "tue", "tun", "tu", "mache", "machen", "gilt", "so",
    "i", "mir",
];

/// A bare agreement without any object counts for the conditions only.
pub(super) fn settle(scene: &Scene<'_>, items: &[Item], state: &mut State) {
    let own = ["einverstanden", "stimme", "stimmen", "akzeptiere", "akzeptieren", "zustimmung", "agree", "accept"];
    for item in items.iter().filter(|i| !i.bound && !i.weak) {
        let (from, to) = scene.clause(item.start);
        let words = &scene.text.tokens[from..to];
        let of_something =
            words.iter().any(|t| matches!(t.norm.as_str(), "mit" | "with")) && !words.iter().any(|t| t.norm == "allem");
        let named = scene.text.tokens[item.start..item.end].iter().any(|t| own.contains(&t.norm.as_str()));
        if let (Role::Act(says @ (Says::Yes | Says::Maybe | Says::No)), true, false) = (item.role, named, of_something)
        {
            state.bare = Some(says);
        }
    }
}
