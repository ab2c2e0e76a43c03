//! Is a word of agreement meant? What stands around it decides: negation, condition, hedge, question, quotation, past,
//! somebody else, another matter. When in doubt it is not meant.

use super::lexicon::{Mark, Scene};

/// How an act counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    /// Said and meant.
    Yes,
    /// Declined.
    No,
    /// Under a condition, hedged.
    Maybe,
    /// Quoted, asked, past, known: no consent.
    Nothing,
}

/// How a word of agreement counts, by what stands around it.
pub(super) fn judge(scene: &Scene<'_>, act: &Mark) -> Says {
    let (from, to) = scene.clause(act.end - 1);
    let (first, last) = scene.sentence(act.start);
    let near = (governed(scene, from, first).max(act.start.saturating_sub(14)).min(act.start), to.min(act.end + 12));
    let near = within_reach(scene, act, near, (from, to));
    let token = &scene.text.tokens[act.start];
    let adopted = adopted(scene, first, last);
    // "Wir wären bereit, die Gebühr zu zahlen": what governs an infinitive stands before it.
    let infinitive = scene.text.tokens[act.end - 1].norm.ends_with("en")
        && scene.text.tokens[act.start.saturating_sub(1)].norm == "zu"
        || scene.text.tokens[act.end - 1].norm.contains("zuzu");
    let near = if infinitive { (first.max(act.start.saturating_sub(20)), near.1) } else { near };
    let own = |name: &str| scene.marks(name).any(|m| !scene.text.tokens[m.start].forwarded);
    if token.forwarded && !own("adopt") && !own("passes_on") {
        return Says::Nothing;
    }
    let (from, to) = (governed(scene, from, first), to);
    if disowned(scene, first, act.start) || only_known(scene, act, first, last) {
        return Says::Nothing;
    }
    if cleft(scene, first, act.start) || scene.touches("dismissed", first, last) {
        return Says::No;
    }
    // A quoted question that is answered: "Akzeptieren Sie unsere Bedingungen, ja".
    let answered =
        (act.end..last).any(|at| matches!(scene.word(at), "ja" | "jawohl" | "jo" | "klar" | "genau" | "auch"));
    if told(scene, act) && !answered || token.quoted && !adopted || asked(scene, act, (from, to), first) {
        return Says::Nothing;
    }
    let again = scene.touches("adopt", first, last);
    let theirs = scene.touches("own_terms", first, act.end) && !answered;
    if past(scene, (from, to)) && !again || theirs {
        return Says::Nothing;
    }
    if !adopted && quoted(scene, first, act) {
        return Says::Nothing;
    }
    if scene.touches("other_person", near.0, near.1) || other_matter(scene, near) {
        return Says::Nothing;
    }
    let negates = |m: &&Mark| m.start >= near.0 && m.end <= near.1 && !missing(scene, m) && !closes(scene, m.start);
    if scene.marks("negation").any(|m| negates(&m)) || afterthought(scene, to, last) {
        return Says::No;
    }
    // An open point may follow in the next clause: "einverstanden mit der Gebühr: wird noch geklärt".
    if scene.touches("hedge", near.0, near.1)
        || scene.touches("open_point", near.0, last)
        || condition(scene, act, first, last)
        || promised(scene, act, near)
        || obliged(scene, act, near) && !adopted
    {
        return Says::Maybe;
    }
    Says::Yes
}

/// Told of what others say or want. "Muss man bezahlen, finde ich, und die Gebühr zahlen wir" goes on with one's own word.
fn quoted(scene: &Scene<'_>, first: usize, act: &Mark) -> bool {
    let quotes = scene.marks("quote").filter(|mark| mark.start < act.end && mark.end > first);
    let rule = |mark: &Mark| matches!(scene.word(mark.start), "man" | "muss" | "soll" | "sollte");
    let own = |mark: &Mark| {
        let joins = |at: usize| scene.clause(at).0 == at && matches!(scene.word(at), "und" | "aber" | "also");
        let mine = matches!(scene.word(act.end), "wir" | "ich")
            || matches!(scene.word(act.start.wrapping_sub(1)), "wir" | "ich");
        mine && (mark.end..act.start).any(joins)
    };
    quotes.into_iter().any(|mark| !(rule(mark) && own(mark)))
}

/// "… geht's für einen Sender nicht Bedingungen und Gebühr sind genehmigt": in a row without punctuation a "nicht" that closes
/// the clause of another verb.
pub(super) fn closes(scene: &Scene<'_>, negation: usize) -> bool {
    let word = |at: usize| scene.word(at);
    let row = scene.clause(negation);
    let small = [
        "heim", "hoch", "raus", "rein", "ran", "weiter", "los", "runter", "mit", "den", "die", "der", "dem", "ihre",
        "ihren", "ihrer", "eure", "euren", "eurer", "und", "zu", "zur",
    ];
    let next = (negation + 1..row.1).find(|at| !small.contains(&word(*at)));
    let named = |at: usize| ["conditions", "fee"].iter().any(|name| scene.touches(name, at, at + 1));
    if !matches!(word(negation), "nicht" | "net" | "ned" | "nich" | "nimmer")
        || !next.is_some_and(named)
        || row.1 - row.0 <= 12
    {
        return false;
    }
    let own =
        |at: &usize| named(*at) || scene.touches("agree", *at, at + 1) || matches!(word(*at), "aber" | "und" | "nur");
    let before = (row.0..negation).rev().take(6).take_while(|at| !own(at));
    before.into_iter().any(|at| {
        let token = &scene.text.tokens[at];
        let verb = token.norm.len() > 3 && token.norm.ends_with('t')
            || matches!(token.norm.as_str(), "gehts" | "kommen" | "gehen");
        verb && !token.capital
            && !matches!(token.norm.as_str(), "nicht" | "akzeptiert" | "zahlt" | "bezahlt" | "stimmt" | "sonst")
    })
}

/// "… findet keine Befunde mehr": what the fault has taken away is no answer to the terms.
fn missing(scene: &Scene<'_>, negation: &Mark) -> bool {
    let at = negation.start;
    let gone = scene.word(at).starts_with("kein") && (scene.word(at + 2) == "mehr" || scene.word(at + 3) == "mehr");
    let terms = ["fee", "conditions"].iter().any(|name| scene.touches(name, at, at + 3));
    let nothing = ["cent", "pfennig", "euro", "geld", "lust", "fall", "weise"].contains(&scene.word(at + 1));
    gone && !terms && !nothing
}

/// In a row of words without punctuation only what stands beside the act and its objects belongs to them.
fn within_reach(scene: &Scene<'_>, act: &Mark, near: (usize, usize), clause: (usize, usize)) -> (usize, usize) {
    if clause.1 - clause.0 <= 18 {
        return near;
    }
    let objects = || ["conditions", "fee"].into_iter().flat_map(|name| scene.marks(name));
    let inside = || objects().filter(|m| m.start >= near.0 && m.end <= near.1);
    let first = inside().map(|m| m.start).min().unwrap_or(act.start).min(act.start);
    let last = inside().map(|m| m.end).max().unwrap_or(act.end).max(act.end);
    // A subordinate clause is governed by what stands before it.
    let governing = ["dass", "ob", "wenn", "falls", "sofern"];
    let opener = (first.saturating_sub(8)..first).find(|at| governing.contains(&scene.word(*at)));
    let from = opener.map_or(first.saturating_sub(4), |at| at.saturating_sub(8));
    (near.0.max(from).min(act.start), near.1.min(last + 3))
}

/// "Ich sage nicht, dass …", "er sagt vielleicht morgen, …": what such a clause opens is not said, to the sentence's end.
fn disowned(scene: &Scene<'_>, first: usize, act: usize) -> bool {
    let opening = scene.clause(first).1;
    let doubted = scene.touches("negation", first, opening) || scene.touches("hedge", first, opening);
    let opener = &scene.text.tokens[first..opening];
    let says = opener.iter().any(|t| REPORTS.iter().any(|word| t.norm.starts_with(word)));
    // "Es ist nicht so, dass …", "nicht der Fall, …".
    let untrue = opener.last().is_some_and(|t| matches!(t.norm.as_str(), "so" | "fall" | "wahr" | "richtig" | "klar"));
    // "Es ist nicht so, dass ich etwas dagegen hätte, im Gegenteil, ich akzeptiere sie."
    let turned = (opening..act).any(|at| scene.word(at) == "gegenteil");
    act >= opening && doubted && (says || untrue) && !turned
}

/// Told of an earlier agreement.
fn past(scene: &Scene<'_>, (from, to): (usize, usize)) -> bool {
    scene.touches("past", from, to) || scene.touches("agreed_once", from, to)
}

/// Whether prescribed words are made one's own: "ist auch so gemeint", "…, also: das ist ein Notfall".
pub(super) fn adopted(scene: &Scene<'_>, first: usize, last: usize) -> bool {
    let tokens = &scene.text.tokens;
    let therefore = |at: usize| matches!(tokens[at].norm.as_str(), "also" | "hiermit" | "somit" | "bitteschoen");
    // Within a quotation the terms themselves say "ausdrücklich".
    let adopts = |m: &Mark| m.start >= first && m.start <= last + 24 && !tokens[m.start].quoted && !scene.asks(m.start);
    scene.marks("adopt").any(adopts) || (first + 1..last).any(|at| tokens[at].announced && therefore(at - 1))
}

/// "Was ich nicht mache, ist die Gebühr bezahlen." "Dass das in Ordnung ist, möchte ich nicht behaupten."
fn cleft(scene: &Scene<'_>, first: usize, act: usize) -> bool {
    let (opening, last) = (scene.clause(first).1, scene.sentence(first).1);
    match scene.text.tokens[first].norm.as_str() {
        "was" => act >= opening && scene.touches("negation", first, opening),
        "dass" => scene.touches("negation", scene.clause(act).1, last),
        _ => false,
    }
}

/// "Dass Ihre Bedingungen gelten und 48 Euro anfallen, ist bekannt": it is the main clause that would have to agree.
fn only_known(scene: &Scene<'_>, act: &Mark, first: usize, last: usize) -> bool {
    let clause = scene.clause(act.start).0;
    // "Haben wir ja verstanden": a particle.
    let plain = |from: usize, to: usize| {
        scene.marks("yes").any(|m| m.start >= from && m.end <= to && scene.clause(m.start).0 == m.start)
    };
    let meant = |from, to| plain(from, to) || ["agree", "adopt"].into_iter().any(|name| scene.touches(name, from, to));
    if scene.word(clause) != "dass" {
        return false;
    }
    if clause <= first + 1 {
        return scene.touches("known", act.end, last) && !meant(scene.clause(act.start).1, last);
    }
    let before = scene.clause(clause - 1).0.max(first);
    let soon = last.min(act.end + 8);
    scene.touches("known", before, clause) && !meant(before, clause)
        || scene.touches("known", act.end, soon) && !meant(act.end, soon)
}

/// "Die Gebühr tragen Sie": the firm is told to.
fn told(scene: &Scene<'_>, act: &Mark) -> bool {
    let tokens = &scene.text.tokens;
    let you =
        tokens.get(act.end).is_some_and(|t| t.norm == "sie" && t.capital && t.clause == tokens[act.end - 1].clause);
    let plural = tokens[act.end - 1].norm.ends_with("en");
    let ours = act.start > 0 && matches!(tokens[act.start - 1].norm.as_str(), "wir" | "und");
    let last = tokens[act.end - 1].norm.as_str();
    let given = matches!(last, "haben" | "kriegen" | "bekommen" | "koennen" | "duerfen" | "moegen" | "sollen");
    you && plural && !ours && !given && tokens[act.end - 1].norm != "einverstanden"
}

/// How verbs of saying begin.
const REPORTS: [&str; 10] =
    ["sag", "gesagt", "behaupt", "erklaer", "stimmt", "meint", "heisst", "gemeint", "geschrieben", "bestaetigt"];

/// "Die Gebühr übernehmen wir aber nicht": what follows is no clause of its own.
fn afterthought(scene: &Scene<'_>, clause_end: usize, last: usize) -> bool {
    let tokens = &scene.text.tokens;
    if clause_end >= last || clause_end == 0 {
        return false;
    }
    let end = scene.clause(clause_end).1.min(last);
    // Without a comma before it, it is the end of this clause, whatever follows.
    let between = scene.text.source.get(tokens[clause_end - 1].end..tokens[clause_end].start).unwrap_or("");
    let row = between.trim().is_empty() && matches!(tokens[clause_end].norm.as_str(), "aber" | "jedoch" | "allerdings");
    let end = if row { end.min(clause_end + 3) } else { end };
    end - clause_end <= 3 && scene.touches("negation", clause_end, end)
}

/// "Der Chef wird zustimmen": somebody will, nobody has. A passive ("wird übernommen") is a word given.
fn promised(scene: &Scene<'_>, act: &Mark, near: (usize, usize)) -> bool {
    let word = |at: usize| scene.word(at);
    let future = (near.0..near.1).any(|at| matches!(word(at), "wird" | "will"));
    future && (act.start..act.end).any(|at| word(at) != "getragen" && infinitive(word(at)))
}

fn infinitive(word: &str) -> bool {
    PROMISES.iter().any(|verb| word.ends_with(verb))
}

/// Infinitives of the words of agreement.
const PROMISES: [&str; 12] = [
    "zahlen",
    "stimmen",
    "akzeptieren",
    "nehmen",
    "geben",
    "kennen",
    "tragen",
    "genehmigen",
    "bestaetigen",
    "billigen",
    "unterschreiben",
    "willigen",
];

/// "Ich müsse zustimmen", "das soll der Pförtner bestätigen", "muss freigegeben werden": to be done, not done.
fn obliged(scene: &Scene<'_>, act: &Mark, near: (usize, usize)) -> bool {
    let word = |at: usize| scene.word(at);
    let from = scene.clause(act.end - 1).0.max(near.0).max(act.start.saturating_sub(12));
    let must = (from.min(act.start)..act.start).any(|at| OBLIGES.contains(&word(at)));
    let finite = matches!(word(act.end), "wir" | "ich") || matches!(word(act.start.wrapping_sub(1)), "wir" | "ich");
    let open = (act.start..act.end).any(|at| infinitive(word(at)));
    must && (open && !finite || word(act.end) == "werden")
}

/// Verbs of what is still to be done.
const OBLIGES: [&str; 12] = [
    "muss", "muesse", "muessen", "muesste", "muessten", "soll", "solle", "sollen", "sollte", "sollten", "moege",
    "moegen",
];

fn asked(scene: &Scene<'_>, act: &Mark, clause: (usize, usize), first: usize) -> bool {
    // "Zur Gebühr habe ich Fragen, die Bedingungen akzeptiere ich": a question about something else.
    let about = |from, to| scene.touches("conditions", from, to) || scene.touches("fee", from, to);
    let apart = |mark: &Mark| {
        let own = scene.clause(mark.start);
        own.1 <= clause.0 && about(own.0, own.1) && about(clause.0, clause.1)
    };
    scene.asks(act.start) || scene.marks("question").any(|m| m.start >= first && m.start < clause.1 && !apart(m))
}

/// The beginning of what governs a clause: of the clause before it where that introduces it ("ich sage nicht, …", "ohne dass …").
fn governed(scene: &Scene<'_>, clause: usize, first: usize) -> usize {
    if clause <= first {
        return clause;
    }
    let tokens = &scene.text.tokens;
    let before = scene.clause(clause - 1).0.max(first);
    let introduces = tokens[before..clause].iter().any(|t| REPORTS.iter().any(|word| t.norm.starts_with(word)));
    let own = scene.touches("conditions", before, clause) || scene.touches("fee", before, clause);
    if tokens[clause].norm == "dass" || introduces && !own { before } else { clause }
}

/// About something else, where the firm's fee is not named by its own name.
fn other_matter(scene: &Scene<'_>, near: (usize, usize)) -> bool {
    let named =
        scene.text.tokens[near.0..near.1].iter().any(|t| t.norm.contains("gebuehr") || t.norm.contains("notfall"));
    scene.touches("other_matter", near.0, near.1) && !named
}

/// A condition in the same sentence, or one that the next sentence adds ("Aber nur wenn heute.").
fn condition(scene: &Scene<'_>, act: &Mark, first: usize, last: usize) -> bool {
    // "Gern tu ich's nicht, wenn's was kostet, aber die Gebühr zahlen wir": set off from what stands before.
    let own = scene.clause(act.start).0;
    let first = if matches!(scene.word(own), "aber" | "awa" | "aba" | "trotzdem" | "dennoch") { own } else { first };
    let reach = (act.start.saturating_sub(20).max(first), (act.end + 20).min(last));
    if scene.touches("condition", reach.0, reach.1) || (reach.0..reach.1).any(|at| only_if(scene, at)) {
        return true;
    }
    let Some(next) = scene.text.tokens.get(last) else { return false };
    let opens = ["aber", "allerdings", "nur", "vorausgesetzt", "sofern", "sonst", "jedoch", "only", "but"];
    let end = scene.sentence(last).1;
    opens.contains(&next.norm.as_str()) && scene.touches("condition", last, end.min(last + 6))
}

/// "Die zahlen wir auch, wenn Sie kommen": behind a comma it is no "auch wenn".
fn only_if(scene: &Scene<'_>, at: usize) -> bool {
    let tokens = &scene.text.tokens;
    let between = |a: usize| scene.text.source.get(tokens[a].end..tokens[a + 1].start).unwrap_or("");
    at > 0
        && matches!(scene.word(at), "wenn" | "wenns" | "falls")
        && scene.word(at - 1) == "auch"
        && between(at - 1).contains(',')
}

/// A word of refusal; a negated one is none.
pub(super) fn refusal(scene: &Scene<'_>, act: &Mark) -> Says {
    let (from, to) = scene.clause(act.end - 1);
    let (first, _) = scene.sentence(act.start);
    let told = scene.touches("past", governed(scene, from, first), to);
    if asked(scene, act, (from, to), first) || told { Says::Nothing } else { Says::No }
}
