//! Is an emergency that is mentioned one of an earlier time?

use super::lexicon::{Mark, Scene};
use super::mention::Mention;

/// Told of an earlier time. A report of the same day still waits for somebody; an older one is history.
pub(super) fn earlier(scene: &Scene<'_>, mark: &Mark) -> Option<Mention> {
    let (from, to) = scene.clause(mark.start);
    let (first, last) = scene.sentence(mark.start);
    let near = (from.max(mark.start.saturating_sub(10)), to.min(mark.end + 10));
    if stated(scene, mark) {
        return None;
    }
    let word = |range: (usize, usize), words: &[&str]| (range.0..range.1).any(|at| words.contains(&scene.word(at)));
    let thanked = scene.touches("thanked_for", first, mark.start);
    let told = if thanked || scene.text.tokens[mark.start].quoted { (first, last) } else { near };
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
    // "Am Dreikönigstag war jemand da, wegen dem Notfall": tells of that day.
    let cause = (from..mark.start).any(|at| {
        scene.word(at) == "wegen"
            && matches!(scene.word(at + 1), "dem" | "des" | "unserem" | "unseres" | "diesem" | "dieses")
    });
    let dated = scene.touches("bygone", mark.end, near.1);
    if cause && (dated || word((first, from), &PRETERITE)) && !scene.touches("broken", first, last) {
        return Some(Mention::Nothing);
    }
    // "Ich habe aufs Band gesprochen, dass wir einen Notfall haben": what was said stands in the clause before.
    let said = scene.word(from) == "dass" && word((first, from), &["hatte", "hatten", "habe", "hab", "haben"]);
    let reported = scene.touches("reported", near.0, near.1) && (perfect || preterite)
        || said && scene.touches("reported", first, from);
    let bygone = scene.touches("bygone", first, last);
    let solved = || scene.has("thanked_for") && (first..last).any(|at| participle(scene.word(at)));
    // "Mein Respekt. Am Samstag, der Notfall mit den Türen, den hat Ihr Mann gelöst."
    if thanked && (preterite || perfect) || bygone && (preterite || perfect || solved()) {
        return Some(Mention::Nothing);
    }
    if was(scene, mark, near) {
        return Some(Mention::Nothing);
    }
    let today = scene.touches("past", from, to) || scene.touches("today_past", first, last);
    // "Der Chef hat es als Notfall eingestuft" declares; "der Lehrling habe es erklärt" only tells of it.
    let declared = (near.0..near.1).any(|at| DECLARES.contains(&scene.word(at)));
    let hearsay = word(near, &["habe", "haette", "haetten", "sei"]) && !word((from, to), &["ich", "wir"]) && declared;
    match (reported || hearsay, today && (preterite || perfect && !declared)) {
        (true, _) => Some(Mention::Weak),
        (false, true) => Some(Mention::Nothing),
        (false, false) => None,
    }
}

/// "Das war ja ein richtiger Notfall", beside a thank-you or a day that is over.
fn was(scene: &Scene<'_>, mark: &Mark, near: (usize, usize)) -> bool {
    let (from, _) = scene.clause(mark.start);
    let past = (from..mark.start).any(|at| matches!(scene.word(at), "war" | "wars"));
    let still = (near.0..near.1).any(|at| ["noch", "immer", "jetzt", "heute", "wieder"].contains(&scene.word(at)));
    past && !still && (scene.has("thanked_for") || scene.has("bygone"))
}

/// "Das ist ein Notfall", in the present tense: whatever is told of earlier times beside it.
fn stated(scene: &Scene<'_>, mark: &Mark) -> bool {
    let from = mark.start.saturating_sub(5);
    let is = |at: usize| matches!(scene.word(at), "ist" | "is" | "isch");
    let it = |at: usize| matches!(scene.word(at), "das" | "es" | "dies" | "des");
    let present = (from..mark.start).any(|at| is(at) && (it(at + 1) || at > from && it(at - 1)));
    let over = (mark.start..mark.end + 3).any(|at| scene.word(at) == "gewesen" || participle(scene.word(at)));
    present && !over && !scene.touches("bygone", from, mark.start)
}

/// Verbs of what is over.
const PRETERITE: [&str; 14] =
    ["hatte", "hatten", "hatt", "war", "waren", "warn", "gab", "gabs", "wurde", "kam", "trat", "had", "was", "were"];

/// "Gelöst", "ausgerufen", "gemeldet".
fn participle(word: &str) -> bool {
    let ends = word.ends_with('t') || word.ends_with("en");
    ends && word.len() > 5
        && (word.starts_with("ge")
            || OVER.iter().any(|p| word.starts_with(p))
            || SEPARABLE.iter().any(|p| word.strip_prefix(p).is_some_and(|rest| rest.starts_with("ge"))))
}

/// What makes something an emergency by saying so.
const DECLARES: [&str; 7] =
    ["eingestuft", "erklaert", "ausgerufen", "bezeichnet", "deklariert", "bestaetigt", "genannt"];
/// How participles begin that have no "ge" in front.
const OVER: [&str; 9] =
    ["behob", "erledig", "erklaert", "bestaetigt", "beauftragt", "vereinbart", "besproch", "beantragt", "ueberstand"];
/// What stands before the "ge" of a participle.
const SEPARABLE: [&str; 22] = [
    "aus", "ab", "drauf", "auf", "durch", "rein", "hin", "her", "raus", "an", "ein", "vor", "zu", "mit", "nach", "um",
    "weg", "los", "runter", "fest", "dazu", "zurueck",
];
