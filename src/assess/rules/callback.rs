//! The number that the caller says to call back on.
//!
//! Groups of digits, in figures or spoken, are joined into runs that begin with 0 or +; whether a run is a number is the
//! numbering plan's word ([`phone::e164`]). Of several numbers the one he asks to be called on wins: later before earlier,
//! mobile before landline, the message before the signature. An extension, a fax or a cut-off number is none.

use super::lexicon::Scene;
use super::numbers;
use super::text::Token;
use super::words::WORDS;
use crate::domain::phone;
use chrono::{NaiveDateTime, Timelike as _};
use std::collections::HashSet;

/// What was read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Callback {
    /// E.164.
    pub number: Option<String>,
    /// Corrected, cut off, or one of several with equal right: worth a listen.
    pub doubtful: bool,
}

/// Digits that stand together: `[start, end)` in tokens.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub digits: String,
    pub start: usize,
    pub end: usize,
}

#[derive(Debug, Clone)]
struct Candidate {
    /// As said, beginning with 0 or +.
    said: String,
    number: String,
    start: usize,
    end: usize,
    corrected: bool,
}

/// Reads the call-back number.
pub(super) fn read(scene: &Scene<'_>, at: Option<NaiveDateTime>, own_numbers: &[String]) -> Callback {
    let tokens = &scene.text.tokens;
    let (mut candidates, mut cut) = candidates(tokens);
    cut |= candidates.last().is_some_and(|last| is_cut_off(scene, last));
    candidates.retain(|candidate| !own_numbers.contains(&candidate.number) && !is_cut_off(scene, candidate));
    forget_slips(tokens, &mut candidates);
    let scored: Vec<(i32, &Candidate)> = candidates
        .iter()
        .enumerate()
        .filter_map(|(index, candidate)| {
            let before = index.checked_sub(1).map_or(0, |i| candidates[i].end);
            let after = candidates.get(index + 1).map_or(tokens.len(), |next| next.start);
            let valid = at.map_or(0, |at| in_time(tokens, candidate, (before, after), at));
            let listed = 3 * i32::from(is_listed(scene, candidate));
            score(tokens, candidate, before, after).map(|score| (score + valid - listed, candidate))
        })
        .collect();
    let Some((best, chosen)) = scored.iter().max_by_key(|(score, candidate)| (*score, candidate.start)) else {
        return Callback { number: None, doubtful: cut };
    };
    let rival = scored.iter().any(|(score, other)| other.number != chosen.number && score + 1 >= *best);
    Callback { number: Some(chosen.number.clone()), doubtful: rival || chosen.corrected }
}

/// Whether a landline number is the last that is heard: the transcript breaks off behind few digits.
fn is_cut_off(scene: &Scene<'_>, candidate: &Candidate) -> bool {
    let source = scene.text.source.trim_end();
    let Some(last) = scene.text.tokens.last().filter(|_| candidate.end == scene.text.tokens.len()) else {
        return false;
    };
    let rest = source.get(last.end..).unwrap_or("").trim();
    let breaks_off = rest.starts_with(['…', '-', '–']) || rest.starts_with("..");
    let punctuated =
        source.get(..last.start).is_some_and(|text| text.contains(['.', '!', '?'])) && !source.contains('\n');
    let limit = if scene.text.tokens.get(candidate.start).is_some_and(Token::is_number) { 9 } else { 10 };
    !is_mobile(&candidate.number) && (breaks_off || punctuated && rest.is_empty()) && national(&candidate.said) < limit
}

/// "Tel 09732 555 0121 | Mobil 0171 39200-83": a line that lists numbers and asks for nothing, as below a name.
fn is_listed(scene: &Scene<'_>, candidate: &Candidate) -> bool {
    let source = scene.text.source;
    let Some(start) = scene.text.tokens.get(candidate.start).map(|token| token.start) else { return false };
    let Some((above, rest)) = source.get(..start).and_then(|before| before.rsplit_once('\n')) else { return false };
    let line = source.get(above.len() + 1..).unwrap_or(rest).lines().next().unwrap_or("");
    let label = |word: &str| {
        ["tel", "telefon", "fon", "phone", "mobil", "mobile", "mob", "cell", "fax", "telefax"]
            .contains(&super::text::fold(word).as_str())
    };
    let mut words = line.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).peekable();
    words.peek().is_some() && words.all(label)
}

fn is_mobile(number: &str) -> bool {
    ["+4915", "+4916", "+4917"].iter().any(|begin| number.starts_with(begin))
}

/// How many digits are dialled at home.
fn national(said: &str) -> usize {
    ["+49", "0049"].iter().find_map(|country| said.strip_prefix(country)).map_or(said.len(), |rest| rest.len() + 1)
}

/// Said again at once, or as the right one, with other digits at a place or two: he had misspoken.
fn forget_slips(tokens: &[Token], candidates: &mut Vec<Candidate>) {
    let slip = |before: &Candidate, after: &Candidate| {
        let other = before.number.bytes().zip(after.number.bytes()).filter(|(a, b)| a != b).count();
        let Some(between) = tokens.get(before.end..after.start) else { return false };
        let another = between.iter().any(|t| {
            WORDS.other_numbers.contains(&t.norm)
                || WORDS.unwanted.contains(&t.norm)
                || WORDS.wanted.contains(&t.norm)
                || matches!(t.norm.as_str(), "oder" | "und" | "mehr" | "ab" | "bis" | "nach" | "uhr")
        });
        // "Zahlendreher. Richtig ist …"
        let righted = between.iter().any(|t| matches!(t.norm.as_str(), "zahlendreher" | "verdreht" | "richtig"));
        before.number.len() == after.number.len()
            && (1..=2).contains(&other)
            && (between.len() <= 6 && !another || righted)
    };
    for at in (1..candidates.len()).rev() {
        if slip(&candidates[at - 1], &candidates[at]) {
            candidates[at].corrected = true;
            candidates.remove(at - 1);
        }
    }
}

/// All digits of a text in order, spoken or in figures.
pub(super) fn digits(tokens: &[Token]) -> String {
    let mut out = String::new();
    let mut at = 0;
    while at < tokens.len() {
        match group_at(tokens, at) {
            Some(group) => {
                out.extend(group.digits.chars().filter(char::is_ascii_digit));
                at = group.end;
            }
            None => at += 1,
        }
    }
    out
}

/// Every telephone number in order, and whether one was begun but not finished.
fn candidates(tokens: &[Token]) -> (Vec<Candidate>, bool) {
    let mut found: Vec<Candidate> = Vec::new();
    let mut cut = false;
    let mut at = 0;
    while at < tokens.len() {
        let groups = run_at(tokens, at);
        let (Some(first), Some(last)) = (groups.first(), groups.last()) else {
            at += 1;
            continue;
        };
        if first.digits.starts_with(['0', '+']) {
            if let Some(candidate) = longest(&groups) {
                at = candidate.end;
                found.push(candidate);
                continue;
            }
            if let Some(candidate) = found.last().and_then(|number| tail(tokens, number, &groups)) {
                at = candidate.end;
                found.push(candidate);
                continue;
            }
            if let Some(candidate) = restarted(tokens, &groups) {
                at = candidate.end;
                found.push(candidate);
                continue;
            }
            cut |= joined(&groups).len() >= 4;
        } else if let Some(candidate) = found.last().and_then(|number| tail(tokens, number, &groups)) {
            found.push(candidate);
        }
        // A run that is no number may still hide one behind its first group, but not where the country is named.
        let abroad = first.digits.starts_with("00")
            || first.digits == "0" && groups.get(1).is_some_and(|group| group.digits.starts_with('0'));
        at = if groups.len() > 1 && !abroad { groups[1].start } else { last.end };
    }
    (found, cut)
}

/// The groups of digits that follow each other from token `at` on.
pub(super) fn run_at(tokens: &[Token], at: usize) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut next = at;
    while let Some(group) = group_at(tokens, next) {
        next = group.end;
        groups.push(group);
        let so_far = joined(&groups).len();
        // "09721 555, und hinten 0147"
        let joins = |t: &&Token| {
            let again = so_far < 7 && matches!(t.norm.as_str(), "nummer" | "rufnummer");
            again || WORDS.connectors.contains(&t.norm) || so_far < 10 && t.norm == "hinten"
        };
        let gap = tokens[next..].iter().take(5).take_while(joins).count();
        // "Null neun sieben drei zwei. Und weiter: …"
        let begun =
            gap > 0 && groups[0].digits.starts_with('0') && so_far < 7 || is_dictated(tokens, next + gap, &groups);
        let continues = tokens
            .get(next + gap)
            .zip(tokens.get(next - 1))
            .is_some_and(|(a, b)| a.sentence == b.sentence || begun && a.sentence == b.sentence + 1);
        if !continues || groups.len() > 24 {
            break;
        }
        if group_at(tokens, next + gap).is_some() {
            next += gap;
        }
    }
    groups
}

/// "Null neun drei sechs drei. Fünf fünf fünf.": whether the sentence at `at` is nothing but the number's next digits.
fn is_dictated(tokens: &[Token], at: usize, groups: &[Group]) -> bool {
    let Some(first) = tokens.get(at) else { return false };
    let before = joined(groups);
    let mut digits = String::new();
    let mut next = at;
    while let Some(token) = tokens.get(next).filter(|token| token.sentence == first.sentence) {
        let Some(group) = group_at(tokens, next).filter(|_| token.norm != "+") else { return false };
        digits.push_str(&group.digits);
        next = group.end;
    }
    let again = digits.get(..2).is_some_and(|begin| before.starts_with(begin)) && digits.starts_with('0');
    before.starts_with('0') && !again && digits.len() <= 7 && before.len() + digits.len() <= 12
}

/// The digits of a run in one piece.
pub(super) fn joined(groups: &[Group]) -> String {
    groups.iter().map(|group| group.digits.as_str()).collect()
}

fn group_at(tokens: &[Token], at: usize) -> Option<Group> {
    let token = tokens.get(at)?;
    let times = match token.norm.as_str() {
        "doppel" | "double" | "zweimal" => 2,
        "dreimal" | "triple" => 3,
        "viermal" => 4,
        "+" | "plus" => {
            let (digits, length) = numbers::digits_at(tokens.get(at + 1..)?)?;
            return Some(Group { digits: format!("+{digits}"), start: at, end: at + 1 + length });
        }
        // An article, not a digit, unless it begins a pair.
        "ein" | "eine" | "achta" => 0,
        _ => 1,
    };
    if let Some(digit) = token.norm.strip_prefix("doppel").and_then(numbers::digit) {
        return Some(Group { digits: format!("{digit}{digit}"), start: at, end: at + 1 });
    }
    let skip = usize::from(times > 1);
    let skip = skip + usize::from(times > 1 && tokens.get(at + 1).is_some_and(|t| t.norm == "die"));
    let (digits, length) = numbers::digits_at(tokens.get(at + skip..)?)?;
    let end = at + skip + length;
    let unit = tokens
        .get(end)
        .is_some_and(|t| matches!(t.norm.as_str(), "euro" | "uhr" | "%" | "prozent" | "grad" | "minuten"));
    if unit || times == 0 && length < 3 || digits.len() > 15 {
        return None;
    }
    Some(Group { digits: digits.repeat(times.max(1)), start: at, end })
}

/// The longest beginning of a run that is a number.
fn longest(groups: &[Group]) -> Option<Candidate> {
    let mut said = String::new();
    let mut best = None;
    for (index, group) in groups.iter().enumerate() {
        let repeats =
            group.digits.len() >= 4 && group.digits.starts_with('0') && national(&said) >= 10 && best.is_some();
        if repeats || index > 0 && group.digits.starts_with('+') {
            break;
        }
        said.push_str(&group.digits);
        if said.len() > 17 {
            break;
        }
        // "+49 (0)9721": the library wants the zero out.
        let inner = said.strip_prefix("+490").or_else(|| said.strip_prefix("00490"));
        let clean = inner.map_or_else(|| said.clone(), |rest| format!("+49{rest}"));
        if let Some(number) = (clean.len() <= 15).then(|| phone::e164(&clean)).flatten() {
            best = Some(Candidate { said: clean, number, start: groups[0].start, end: group.end, corrected: false });
        }
    }
    best.or_else(|| abroad(groups)).or_else(|| unassigned(groups))
}

/// A mobile number with a digit less than its network gives out: as he says it, and worth a listen.
fn unassigned(groups: &[Group]) -> Option<Candidate> {
    let said = joined(groups);
    let (start, end) = (groups.first()?.start, groups.last()?.end);
    let number = format!("+49{}", said.get(1..)?);
    (said.starts_with("015") && said.len() == 11).then_some(Candidate { said, number, start, end, corrected: true })
}

/// A foreign number that the numbering plan does not know yet: as he says it, and worth a listen.
fn abroad(groups: &[Group]) -> Option<Candidate> {
    let said = joined(groups);
    let rest = said.strip_prefix('+').or_else(|| said.strip_prefix("00"))?;
    let known = rest.starts_with("49") || rest.starts_with('0') || !(10..=15).contains(&rest.len());
    let (number, start, end) = (format!("+{rest}"), groups.first()?.start, groups.last()?.end);
    (!known).then_some(Candidate { said, number, start, end, corrected: true })
}

/// "Null eins sieben eins, drei neun, nein, Moment, drei neun zwo …": he begins again where the last digits began.
fn restarted(tokens: &[Token], groups: &[Group]) -> Option<Candidate> {
    let (start, end) = (groups.first()?.start, groups.last()?.end);
    let gap = tokens[end..].iter().take(3).take_while(|t| WORDS.corrects.contains(&t.norm)).count();
    let next = run_at(tokens, end + gap);
    let (head, rest) = (joined(groups), joined(&next));
    let overlap = (1..=4).rev().find(|n| {
        let end = head.len().checked_sub(*n).and_then(|from| head.get(from..));
        end.is_some_and(|end| rest.starts_with(end)) && head.len() > n + 2
    })?;
    let said = format!("{}{rest}", head.get(..head.len() - overlap)?);
    let number = (gap > 0 && said.len() <= 15).then(|| phone::e164(&said)).flatten()?;
    Some(Candidate { said, number, start, end: next.last()?.end, corrected: true })
}

/// "Nein, 88 am Ende": the last number with another tail.
fn tail(tokens: &[Token], last: &Candidate, groups: &[Group]) -> Option<Candidate> {
    let (start, end) = (groups.first()?.start, groups.last()?.end);
    let digits = joined(groups);
    // Said twice, "08, null acht am Schluss".
    let half = digits.len() / 2;
    let digits = if half >= 2 && digits[..half] == digits[half..] { digits[..half].to_owned() } else { digits };
    let between = tokens.get(last.end..start)?;
    let said_so = between.len() <= 6 && between.iter().any(|t| WORDS.corrects.contains(t.norm.as_str()));
    let at_the_end = tokens[end..].iter().take(2).any(|t| matches!(t.norm.as_str(), "ende" | "schluss" | "hinten"));
    if !(1..=5).contains(&digits.len()) || !(said_so || at_the_end && between.len() <= 14) {
        return None;
    }
    let head = last.said.get(..last.said.len().checked_sub(digits.len())?)?;
    let said = format!("{head}{digits}");
    let number = phone::e164(&said)?;
    Some(Candidate { said, number, start, end, corrected: true })
}

/// "Bis 18 Uhr …, danach …": for the number that is valid when the message was left, against the other.
fn in_time(tokens: &[Token], candidate: &Candidate, (before, after): (usize, usize), at: NaiveDateTime) -> i32 {
    let word = |index: usize| tokens.get(index).map_or("", |t| t.norm.as_str());
    let from = before.max(candidate.start.saturating_sub(8)).min(candidate.start);
    let to = after.min(candidate.end + 6);
    let mut limits = (from..candidate.start).chain(candidate.end..to);
    let hour = |index: usize| {
        match word(index + 1) {
            "mitternacht" => return Some(24),
            "mittag" => return Some(12),
            _ => {}
        }
        let clock = word(index + 1).split([':', '.']).next().unwrap_or("").to_owned();
        clock.parse().ok().or_else(|| numbers::digits_at(tokens.get(index + 1..)?)?.0.parse().ok()).filter(|h| *h < 25)
    };
    limits
        .find_map(|index| match word(index) {
            "bis" => hour(index).map(|until: u32| if at.hour() < until { 4 } else { -4 }),
            "ab" | "nach" => hour(index).map(|since: u32| if at.hour() >= since { 4 } else { -4 }),
            _ => None,
        })
        .unwrap_or(0)
}

/// How much a number asks to be called; `None` for a number of another kind.
fn score(tokens: &[Token], candidate: &Candidate, before: usize, after: usize) -> Option<i32> {
    let sentence = tokens.get(candidate.start)?.sentence;
    let near = |range: &[Token], words: &HashSet<String>| {
        range.iter().filter(|t| t.sentence == sentence).any(|t| words.contains(&t.norm))
    };
    let lead = &tokens[before.max(candidate.start.saturating_sub(12)).min(candidate.start)..candidate.start];
    let trail = &tokens[candidate.end..after.min(candidate.end + 9).max(candidate.end).min(tokens.len())];
    let trails =
        |words: &[&str]| trail.iter().filter(|t| t.sentence == sentence).any(|t| words.contains(&t.norm.as_str()));
    let close = &lead[lead.len().saturating_sub(3)..];
    if near(close, &WORDS.other_numbers) {
        return None;
    }
    let mobile = is_mobile(&candidate.number);
    let not_this = lead.iter().chain(trail).zip(lead.iter().chain(trail).skip(1)).any(|(a, b)| {
        (a.norm == "geht" || a.norm == "bitte") && b.norm == "nicht" || a.norm == "nicht" && b.norm == "die"
    }) || lead.windows(3).any(|three| three[0].norm == "nicht" && three[1].norm == "mehr" && three[2].norm == "die")
        || trails(&["keiner", "niemand"]) && !trails(&["wenn", "falls"])
        // "0173 …, aber da ist kein Netz"
        || trails(&["aber"]) && trails(&["kein", "keinen", "nicht", "nie", "selten", "leer", "schlecht"]);
    let wrong = trail.iter().take(2).map(|t| t.norm.as_str()).eq(["stimmt", "nicht"]);
    let superseded =
        after < tokens.len() && (wrong || trail.iter().take(3).any(|t| WORDS.corrects.contains(t.norm.as_str())));
    let unwanted = near(lead, &WORDS.unwanted) || trails(&["alte", "weg", "abgemeldet"]) || not_this || superseded;
    let signature = tokens[candidate.start].signature;
    let forwarded = tokens[candidate.start].forwarded;
    Some(
        2 * i32::from(near(lead, &WORDS.wanted)) + 2 * i32::from(mobile) + i32::from(candidate.corrected)
            - 6 * i32::from(unwanted)
            + 8 * i32::from(!signature)
            - 8 * i32::from(forwarded),
    )
}

#[cfg(test)]
mod tests {
    use super::super::{Rules, lexicon::Scene, text::Text};
    use super::*;
    use crate::domain::tariff::Cents;

    fn number(text: &str) -> Option<String> {
        read(&Scene::new(Rules::built_in(), Text::new(text), "de", Cents(4800)), None, &[]).number
    }

    #[test]
    fn figures_and_spoken_digits_are_joined() {
        for text in [
            "Rufen Sie an, 0171 3920027.",
            "null eins sieben eins neun und dreißig zwanzig null sieben und zwanzig danke",
            "null eins sieben eins, neununddreißig, zwo, doppel null, zwo sieben",
            "unter plus 49 171 39 200 27",
            "0 1 7 1 3 9 2 0 0 2 7 danke",
            "0171-39200-27",
            "Null eins sieben eins. Drei neun zwo null null. Zwo sieben. Danke.",
            "0049 171 392 00 27",
            "0171 3920027. Ich wiederhole, 0171 3920027.",
        ] {
            assert_eq!(number(text).as_deref(), Some("+491713920027"), "{text}");
        }
    }

    #[test]
    fn his_own_correction_counts() {
        for text in [
            "0171 3920028, nein, Moment, 27 am Ende",
            "0171 3920028, falsch, 27, also null eins sieben eins, drei neun zwei null null, zwei sieben",
            "0171 3920072, Schmarrn, das ist die vom Kollegen, ich hab die 0171 3920027",
            "Meine Nummer ist 0171 3920072. Gruß. PS: Zahlendreher, richtig ist 0171 3920027",
            "0172 973 97, Quatsch, das ist meine alte, nehmen Sie die 0171 3920027",
        ] {
            assert_eq!(number(text).as_deref(), Some("+491713920027"), "{text}");
        }
    }

    #[test]
    fn other_numbers_are_no_callback() {
        for text in [
            "Kundennummer 0171 3920027",
            "Fax 09721 555017",
            "die IP ist 192.168.0.1",
            "am 01.05.2026 um 18 Uhr",
            "erreichbar auf der 33 88",
            "meine Nummer ist die 0171 39",
            "48 Euro und 57,12 Euro",
        ] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn of_two_numbers_with_times_the_one_valid_now_counts() {
        let text = "Praxis, bis 18 Uhr besetzt: 0971 555 0166. Danach: 0174 946 43 08.";
        let left = |hour| chrono::NaiveDate::from_ymd_opt(2026, 11, 21).unwrap().and_hms_opt(hour, 20, 0);
        let scene = Scene::new(Rules::built_in(), Text::new(text), "de", Cents(4800));
        assert_eq!(read(&scene, left(12), &[]).number.as_deref(), Some("+499715550166"));
        assert_eq!(read(&scene, left(22), &[]).number.as_deref(), Some("+491749464308"));
    }

    #[test]
    fn foreign_numbers_and_a_tail_are_read_and_what_breaks_off_is_none() {
        assert_eq!(number("Hello. Call me on plus 44 7700 900 417.").as_deref(), Some("+447700900417"));
        assert_eq!(number("0049 (0)171 3920027").as_deref(), Some("+491713920027"));
        assert_eq!(number("Rufen Sie an, 09721 555, und hinten 0147.").as_deref(), Some("+4997215550147"));
        assert_eq!(number("Alles steht. Bitte zurück unter null neun drei acht sechs, fünf fünf"), None);
    }

    #[test]
    fn the_mobile_number_he_prefers_wins() {
        let text = "Im Büro bin ich unter 09721 555 0160, besser ist aber das Handy, 0174 946 43 08.";
        assert_eq!(number(text).as_deref(), Some("+491749464308"));
    }
}
