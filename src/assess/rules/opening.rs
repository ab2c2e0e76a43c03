//! The first breath of a call: "Ja, Pütz, Karnevalsbedarf Pütz, guten Abend."
//!
//! Callers name themselves between commas. A stretch of names that begins with a given name or a title is the person; one that
//! has a word for a business, repeats the person's surname or stands beside a person is the company.

use super::fields::Reader;
use super::words::WORDS;

/// Who named himself.
#[derive(Debug, Default)]
pub(super) struct Opening {
    /// A company without a legal form.
    pub company: Option<String>,
    /// A person.
    pub contact: Option<String>,
}

/// Stretches of names in the first sentences, `[from, to)`.
fn stretches(reader: &Reader<'_>) -> Vec<(usize, usize)> {
    let end = reader.tokens().iter().position(|t| t.sentence > 1).unwrap_or(reader.tokens().len()).min(30);
    let mut found = Vec::new();
    let mut at = 0;
    while at < end {
        let (from, to) = reader.scene.clause(at);
        let first = (from..to).find(|at| reader.proper(*at)).unwrap_or(to);
        let last = reader.name_end(first, 5);
        let rest = reader.word(last);
        let place = matches!(rest, "in" | "aus" | "bei" | "an" | "am" | "im");
        if last > first && (last == to || place) && first <= from + 2 && to.saturating_sub(last) <= 4 {
            found.push((first, last));
        }
        at = to.max(at + 1);
    }
    found
}

/// Reads the opening of a call that is written with capitals.
pub(super) fn read(reader: &Reader<'_>) -> Opening {
    let mut opening = Opening::default();
    if reader.lower {
        return opening;
    }
    let found = stretches(reader);
    let given = |from: usize| WORDS.first_names.contains(reader.word(from));
    let titled = |from: usize| WORDS.titles.contains(reader.word(from));
    let business = |from: usize, to: usize| (from..to).any(|at| reader.is_trade(at) || reader.form_length(at) > 0);
    let person = found
        .iter()
        .copied()
        .find(|(from, to)| (titled(*from) || given(*from) && !business(*from, *to)) && (2..=4).contains(&(to - from)));
    let surname = |from: usize, to: usize| {
        let word = reader.word(to - 1);
        let single = to == from + 1 && !business(from, to);
        single
            .then(|| found.iter().any(|(a, b)| b - a > 1 && (*a..*b).any(|at| reader.word(at) == word)))
            .is_some_and(|repeated| repeated)
    };
    let named = person.or_else(|| found.iter().copied().find(|(from, to)| surname(*from, *to)));
    let Some((from, to)) = named else { return opening };
    opening.contact = reader.person(from);
    let family = reader.word(to - 1);
    let others = || found.iter().copied().filter(|(a, b)| (*a, *b) != (from, to) && b - a > 1 && !titled(*a));
    let company = others()
        .find(|(a, b)| business(*a, *b) || (*a..*b).any(|at| reader.word(at) == family))
        .or_else(|| others().find(|(a, _)| !given(*a)));
    opening.company = company.and_then(|(a, b)| reader.name(a, b));
    opening
}
