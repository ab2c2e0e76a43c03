//! The last look before a consent counts as full: is there any word left in it that nobody has explained?
//!
//! The phrase lists know many ways to agree; how people take an agreement back they can only guess. So the passage that
//! gives the consent is read once more, for the closed classes of words that limit, negate, ask, report, condition or
//! postpone (concept "limit"). Each must be harmless by what stands around it, or the consent is at most conditional.

use super::lexicon::{Mark, Scene};
use super::scope::{Says, closes};

/// Clauses that follow and belong to it begin with one of these, or point back with one of `BACK`.
const TURNS: [&str; 26] = [
    "ansonsten",
    "aber",
    "awa",
    "aba",
    "jedoch",
    "allerdings",
    "nur",
    "bloss",
    "wobei",
    "sofern",
    "falls",
    "wenn",
    "wenns",
    "solange",
    "soweit",
    "vorausgesetzt",
    "sonst",
    "andernfalls",
    "unter",
    "ausser",
    "erst",
    "but",
    "wird",
    "wirds",
    "duerfte",
    "na",
];

/// A clause with more tokens was hardly spoken as one.
const ROW: usize = 20;

/// Point back to what was agreed to.
const BACK: [&str; 13] =
    ["das", "des", "dat", "da", "dem", "die", "darueber", "dazu", "beides", "alles", "dies", "hierzu", "darauf"];

/// What speaks against a yes whose words stand in this span, in the passage it belongs to.
pub(super) fn doubted(
    scene: &Scene<'_>,
    about: &str,
    span: (usize, usize),
    yeses: &[(usize, usize)],
) -> Option<(usize, usize)> {
    let (first, last) = scene.sentence(span.0);
    let from = opening(scene, span.0, first);
    let to = scene.clause(span.1.saturating_sub(1)).1;
    // In a row of words without punctuation only what stands beside it belongs to it.
    let beside = (span.0.saturating_sub(9)..span.0).find(|at| governs(scene, *at)).unwrap_or(span.0.saturating_sub(4));
    let (from, to) = if to - from > ROW { (from.max(beside), to.min(span.1 + 4)) } else { (from, to) };
    // "Teuer ist es, aber wir zahlen": what a yes begins with sets it off from what stands before.
    let own = scene.clause(span.1.saturating_sub(1)).0;
    let contrast = CONTRASTS.contains(&scene.word(own));
    // What is named and agreed to behind the contrast has nothing to do with what stands before it.
    let turned = (span.0..own).any(|at| scene.word(at) == "gegenteil");
    let apart = contrast && span.0 >= own || turned;
    let grumbled = |mark: &(usize, usize)| (contrast || turned) && (apart || scene.touches("grumble", mark.0, mark.1));
    let before = limited(scene, from, own.max(from)).filter(|mark| !grumbled(mark));
    let here = before.or_else(|| limited(scene, own.max(from) + usize::from(contrast), to));
    here.or_else(|| following(scene, about, (to, last.max(to)), yeses))
}

/// Set a yes off from what stands before it.
const CONTRASTS: [&str; 7] = ["aber", "aba", "awa", "jedoch", "allerdings", "dennoch", "doch"];

/// Where the passage begins: with the clause that governs the one of the yes.
fn opening(scene: &Scene<'_>, start: usize, first: usize) -> usize {
    let clause = scene.clause(start).0;
    let open = &scene.text.tokens[clause.saturating_sub(1)..=clause];
    // A row without punctuation is cut by guess: what stands before the cut may govern.
    let guessed = |gap: &str| gap.trim().is_empty() && !gap.contains('\n');
    let row = clause > 0 && scene.text.source.get(open[0].end..open[1].start).is_some_and(guessed);
    if row {
        let reach = scene.clause(clause - 1).0.max(start.saturating_sub(9)).min(clause);
        let found = (reach..=clause).find(|at| governs(scene, *at));
        // "Gut möglich dass der Chef | die Bedingungen …"
        return found
            .map_or(clause, |at| if scene.word(at) == "dass" { at.saturating_sub(3) } else { at.saturating_sub(1) });
    }
    if clause <= first {
        return clause;
    }
    let before = scene.clause(clause - 1).0.max(first);
    let governed = matches!(scene.word(clause), "dass" | "ob" | "obs" | "was" | "wie" | "wenn" | "dann" | "so");
    // "Sollten Sie heute noch kommen, zahlen wir": a condition without its "wenn".
    let inverted = V1.contains(&scene.word(before))
        || BACK.contains(&scene.word(clause)) && scene.text.tokens.get(clause + 1).is_some_and(|next| !next.capital);
    let conditioned = CONDITIONS.contains(&scene.word(before));
    if governed || inverted || conditioned || clause - before <= 6 && (before..clause).any(|at| thinks(scene, at)) {
        before
    } else {
        clause
    }
}

fn thinks(scene: &Scene<'_>, at: usize) -> bool {
    OPINIONS.iter().any(|stem| scene.word(at).starts_with(stem))
}

fn governs(scene: &Scene<'_>, at: usize) -> bool {
    thinks(scene, at) || GOVERNS.contains(&scene.word(at))
}

/// What governs the words behind it, comma or not.
const GOVERNS: [&str; 27] = [
    "mensch",
    "dass",
    "ob",
    "wenn",
    "wenns",
    "falls",
    "sofern",
    "sobald",
    "solange",
    "soweit",
    "vermutlich",
    "vielleicht",
    "wahrscheinlich",
    "eventuell",
    "moeglicherweise",
    "hoffentlich",
    "theoretisch",
    "sollte",
    "sollten",
    "keiner",
    "niemand",
    "weder",
    "eigentlich",
    "grundsaetzlich",
    "prinzipiell",
    "normalerweise",
    "haelfte",
];

/// Words that open a condition.
const CONDITIONS: [&str; 10] =
    ["wenn", "wenns", "falls", "sofern", "solange", "solang", "sobald", "soweit", "vorausgesetzt", "sollte"];

/// Verbs that open a condition.
const V1: [&str; 18] = [
    "sollte", "sollten", "kommt", "kommen", "ist", "sind", "haben", "hat", "schafft", "klappt", "wird", "laeuft",
    "geht", "findet", "koennen", "bekommen", "kriegt", "schickt",
];

/// How words begin that make what follows an opinion or a report.
const OPINIONS: [&str; 14] = [
    "denk",
    "glaub",
    "glaab",
    "schaetz",
    "vermut",
    "hoff",
    "mein",
    "sag",
    "heiss",
    "behaupt",
    "angeblich",
    "laut",
    "gehe",
    "nehme",
];

/// The clauses behind it in its sentence, and the beginning of the next sentence, where they turn or point back.
fn following(
    scene: &Scene<'_>,
    about: &str,
    (from, last): (usize, usize),
    yeses: &[(usize, usize)],
) -> Option<(usize, usize)> {
    let mut at = from;
    // "Bis" and "so" end a sentence with a limit, and begin one with something new.
    let stop = last;
    // "Das aber nur unter …": a pronoun before its "aber" is no clause of its own.
    let short = scene.clause(last).1 <= last + 2 && belongs(scene, last);
    let last = if short { scene.clause(last).1.min(scene.sentence(last).1) } else { last };
    // "Das heißt, der Chef …": what a short clause opens belongs to it.
    let mut opened = false;
    while at <= last && at < scene.text.tokens.len() {
        let end = scene.clause(at).1.max(at + 1);
        let own = opened && at < stop
            || belongs(scene, at) && !(at >= stop && unrelated(scene, at))
            || at < stop && matches!(scene.word(at), "bis" | "so");
        let own = own || at < stop && ["decider", "authority"].into_iter().any(|name| scene.touches(name, at, end));
        // "…, weil jede Stunde ohne Shop mehr kostet", "…, damit Sie nicht warten müssen" give its reason.
        let purpose = scene.word(at) == "damit" && PURPOSE.contains(&scene.word(at + 1));
        let reason = (matches!(scene.word(at), "weil" | "denn") || purpose) && !(at..end).any(|i| governs(scene, i));
        // What follows at once belongs to it unless it stands beside it; a bare "nicht" there is mostly the fault's.
        let near = at == from && at < stop && !reason && !neighbour(scene, at, end);
        let near = near.then(|| limited(scene, at, end)).flatten().filter(|mark| !SOFT.contains(&scene.word(mark.0)));
        let own = own || near.is_some();
        let outcome = at >= stop && matches!(scene.word(at), "wenn" | "wenns" | "falls") && neighbour(scene, at, end);
        // "…, die tun weh, aber die zahl ich": what an "aber" opens is the other yes.
        let agreed = yeses.iter().any(|yes| yes.1 > at && yes.1 <= end);
        // What turns to the other object is judged as a word on that one.
        let other = other_object(scene, about, at, end);
        let counts = own && !outcome && !other && !purpose;
        let found = limited(scene, at, end).filter(|mark| counts && !apart(scene, *mark));
        let found = found.filter(|mark| !(agreed && mark.0 == at && CONTRASTS.contains(&scene.word(at))));
        if found.is_some() {
            return found;
        }
        opened = own && end - at <= 3;
        at = end;
    }
    None
}

/// A sentence of its own behind the consent: "Nur das Angebot vom März, das klären wir ein andermal", "Falls Sie nicht
/// durchkommen: die Leitung ist auch weg". What is short, conditional or about money, terms or who decides is none.
fn unrelated(scene: &Scene<'_>, at: usize) -> bool {
    let end = scene.sentence(at).1;
    let word = |at: usize| scene.word(at);
    let open = |at: usize| CONDITIONS.contains(&word(at)) || LIMITS.contains(&word(at));
    let matters = ["conditions", "fee", "agree", "both", "decide", "decider", "authority", "decline", "low_amount"];
    if end - at <= 5 || matters.into_iter().any(|name| scene.touches(name, at, end)) {
        return false;
    }
    match word(at) {
        "aber" | "nur" | "bloss" | "allerdings" | "jedoch" => !(at..end).any(open),
        "wenn" | "wenns" | "falls" | "sollte" => scene.clause(at).1 < end && !(scene.clause(at).1..end).any(open),
        _ => false,
    }
}

/// Set a limit, wherever they stand.
const LIMITS: [&str; 9] = ["bis", "ausser", "maximal", "max", "hoechstens", "unter", "erst", "gilt", "gelten"];

/// Whether a clause names the other of conditions and fee, and not the one that it is about.
fn other_object(scene: &Scene<'_>, about: &str, from: usize, to: usize) -> bool {
    let other = if about == "fee" { "conditions" } else { "fee" };
    scene.touches(other, from, to) && !scene.touches(about, from, to) && !scene.touches("both", from, to)
}

/// Who follows a "damit" of purpose.
const PURPOSE: [&str; 14] =
    ["sie", "ihr", "ich", "wir", "es", "das", "man", "der", "die", "keine", "niemand", "nichts", "hier", "jemand"];

fn belongs(scene: &Scene<'_>, at: usize) -> bool {
    let word = scene.word(at);
    // "Die Kasse geht nicht": an article points at nothing.
    let article = scene.text.tokens.get(at + 1).is_some_and(|next| next.capital) && BACK.contains(&word);
    TURNS.contains(&word) || BACK.contains(&word) && !article
}

/// The first unexplained word there.
fn limited(scene: &Scene<'_>, from: usize, to: usize) -> Option<(usize, usize)> {
    let here = scene.marks("limit").filter(|mark| mark.start < to && mark.end > from && !closes(scene, mark.start));
    here.map(|mark| (mark.start, mark.end)).next()
}

/// "…, nur das Licht am Router blinkt noch": a clause about the fault or the telephone limits no consent, unless it opens
/// a condition or names money, terms or who decides.
fn apart(scene: &Scene<'_>, mark: (usize, usize)) -> bool {
    let (from, to) = scene.clause(mark.0);
    let open =
        |at: usize| matches!(scene.word(at), "wenn" | "wenns" | "falls" | "sofern" | "bis" | "erst" | "dass" | "ob");
    SOFT.contains(&scene.word(mark.0)) && neighbour(scene, from, to) && !(from..to).any(open)
}

/// Whether a clause is about the fault or the telephone, and about nothing that is agreed to or decided.
fn neighbour(scene: &Scene<'_>, from: usize, to: usize) -> bool {
    let matters = ["conditions", "fee", "agree", "both", "decide", "decider", "authority"];
    let asks_of = |at: usize| matches!(scene.word(at), "sie" | "ihr");
    scene.touches("beside", from, to)
        && to - from <= ROW
        && !(from + 1..to).any(|at| asks_of(at) && matches!(scene.word(at - 1), "wenn" | "falls"))
        && !matters.into_iter().any(|name| scene.touches(name, from, to))
}

/// Limiting words that a neighbouring clause may hold.
const SOFT: [&str; 16] = [
    "nur",
    "bloss",
    "aber",
    "allerdings",
    "jedoch",
    "noch",
    "nicht",
    "net",
    "ned",
    "kein",
    "keine",
    "keinen",
    "nichts",
    "nix",
    "leider",
    "muessten",
];

/// A word that keeps the whole consent open, wherever it stands ("ich bin nicht befugt", "da frag ich noch mal nach"),
/// behind the last yes ("vergessen Sie's wieder"), or beside one ("im Großen und Ganzen", "mit dessen Bedingungen").
pub(super) fn reserved(scene: &Scene<'_>, yeses: &[(usize, usize)]) -> Option<(usize, usize)> {
    let last_yes = yeses.iter().map(|yes| yes.0).max().unwrap_or(0);
    // "Das darf ich nicht entscheiden. Moment. Der Chef sagt ja. Also ja zu beidem": who had yet to say it has said it.
    let granted = scene.marks("granted").map(|mark| mark.start).max().filter(|at| yeses.iter().all(|yes| yes.0 >= *at));
    let given = scene.has("granted");
    let behind = scene
        .marks("retreat")
        .filter(|mark| mark.start >= last_yes)
        // "Doktor Nusser hat mir diktiert: … Ich bin ja bloß der Pförtner."
        .filter(move |mark| !(given && matches!(scene.word(mark.start), "bin" | "war")));
    let low = lower(scene, yeses);
    let beside = scene.marks("unsaid").filter(|mark| yeses.iter().any(|yes| aside(scene, *yes, mark.start)));
    // "Streichen Sie das, wir tragen die Gebühr": taken back is what stands before.
    let first_yes = yeses.iter().map(|yes| yes.0).min().unwrap_or(0);
    let undone = |mark: &&Mark| {
        ["streich", "loesch", "vergess", "vergiss", "ignorier"]
            .iter()
            .any(|stem| scene.word(mark.start).starts_with(stem))
    };
    let beside = beside.filter(|mark| !(mark.end <= first_yes && undone(mark)));
    let open = scene.marks("reservation").filter(|mark| granted.is_none_or(|at| mark.end > at));
    let all = open.chain(behind).chain(beside).chain(low);
    all.filter(|mark| !scene.asks(mark.start)).map(|mark| (mark.start, mark.end)).next()
}

/// "Mit der Pauschale bin ich einverstanden, das waren ja 24 Euro": a sum below the fee, and the fee itself not named behind it.
fn lower<'a>(scene: &'a Scene<'_>, yeses: &[(usize, usize)]) -> Option<&'a Mark> {
    let named = scene.marks("low_amount").find(|mark| {
        let (from, to) = scene.sentence(mark.start);
        yeses.iter().any(|yes| yes.0 < to && yes.1 > from)
    })?;
    let right = scene.marks("amount").any(|mark| mark.start > named.start && mark.start < named.end + 12);
    (!right).then_some(named)
}

/// Whether a word stands in the sentence of a yes or in a neighbouring one; in a row of words, within its reach.
fn aside(scene: &Scene<'_>, (start, end): (usize, usize), at: usize) -> bool {
    let (first, own) = (scene.sentence(start).0, scene.sentence(end.saturating_sub(1)).1);
    let from = if first > 0 { scene.sentence(first - 1).0 } else { first };
    let to = if own < scene.text.tokens.len() { scene.sentence(own).1 } else { own };
    (from.max(start.saturating_sub(ROW))..to.min(end + ROW)).contains(&at)
}

/// What is said of an object behind the last yes to it: a "nicht" there takes it back, and what is not known as harmless
/// leaves it open.
pub(super) fn afterwards(scene: &Scene<'_>, name: &str, behind: usize) -> Option<(Says, (usize, usize))> {
    scene.marks(name).filter(|mark| mark.start >= behind && !scene.asks(mark.start)).find_map(|mark| {
        let clause = scene.clause(mark.start);
        if scene.touches("negation", clause.0, clause.1) {
            Some((Says::No, clause))
        } else if limited(scene, clause.0, clause.1).is_some() || unexplained(scene, clause) {
            Some((Says::Maybe, clause))
        } else {
            None
        }
    })
}

/// "Zur Gebühr meldet sich jemand": a clause of some length that neither agrees nor tells what is known to be harmless.
fn unexplained(scene: &Scene<'_>, (from, to): (usize, usize)) -> bool {
    let known = ["agree", "yes", "both", "also", "settled", "no_objection"];
    let named = |at: usize| ["fee", "conditions"].iter().any(|name| scene.touches(name, at, at + 1));
    let told = (from..to).filter(|at| !named(*at) && scene.word(*at).len() > 3).count();
    told > 2 && to - from > 4 && to - from <= ROW && !known.into_iter().any(|name| scene.touches(name, from, to))
}
