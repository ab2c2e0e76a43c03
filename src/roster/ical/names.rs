//! Who is named in an event's summary, and as what.

use crate::domain::roster::Role;

/// A technician, as a calendar may name him.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// His name in the settings.
    pub name: String,
    /// Further words that mean him.
    pub words: Vec<String>,
}

/// Before a name: he is the backup.
const BACKUP: [&str; 8] =
    ["backup", "vertretung", "vertreter", "stellvertretung", "stellvertreter", "ersatz", "reserve", "secondary"];
/// Anywhere: the event is no duty.
const AWAY: [&str; 9] =
    ["urlaub", "krank", "krankheit", "abwesend", "abwesenheit", "vacation", "sick", "absent", "absence"];

/// All words that mean somebody, the longest first.
pub(super) struct Names<'a>(Vec<(Vec<char>, &'a str)>);

/// What a summary says.
pub(super) enum Named<'a> {
    These(Vec<(&'a str, Role)>),
    Nobody,
    Away,
}

impl<'a> Names<'a> {
    pub(super) fn new(people: &'a [Person]) -> Self {
        let of =
            |person: &'a Person| std::iter::once(&person.name).chain(&person.words).map(move |word| (word, person));
        let words = people.iter().flat_map(of).map(|(word, person)| (lower(word.trim()), person.name.as_str()));
        let mut words: Vec<_> = words.filter(|(word, _)| !word.is_empty()).collect();
        words.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
        Self(words)
    }

    /// Who is named: the first has duty unless a word before his name says otherwise; all others are backups.
    pub(super) fn of(&self, summary: &str) -> Named<'a> {
        let letters = lower(summary);
        if words(&letters).any(|word| AWAY.contains(&word.as_str())) {
            return Named::Away;
        }
        let mut named: Vec<(&str, Role)> = Vec::new();
        let (mut at, mut after) = (0, 0);
        while at < letters.len() {
            let Some((word, who)) = self.at(&letters, at) else {
                at += 1;
                continue;
            };
            let is_backup = words(&letters[after..at]).any(|word| BACKUP.contains(&word.as_str()));
            let has_duty = named.iter().any(|(_, role)| *role == Role::Duty);
            if !named.iter().any(|(name, _)| *name == who) {
                named.push((who, if is_backup || has_duty { Role::Backup } else { Role::Duty }));
            }
            at += word;
            after = at;
        }
        if named.is_empty() { Named::Nobody } else { Named::These(named) }
    }

    /// Whose word begins here as a whole word, and how long it is.
    fn at(&self, letters: &[char], at: usize) -> Option<(usize, &'a str)> {
        let is_letter = |at: usize| letters.get(at).is_some_and(|letter| letter.is_alphanumeric());
        if at > 0 && is_letter(at - 1) && is_letter(at) {
            return None;
        }
        let fits = |word: &[char]| {
            let end = at + word.len();
            letters[at..].starts_with(word) && !(is_letter(end) && is_letter(end - 1))
        };
        self.0.iter().find(|(word, _)| fits(word)).map(|(word, who)| (word.len(), *who))
    }
}

fn lower(text: &str) -> Vec<char> {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// The words of a text; a hyphen joins.
fn words(letters: &[char]) -> impl Iterator<Item = String> {
    let parts = letters.split(|letter| !letter.is_alphanumeric() && *letter != '-');
    parts.map(|word| word.iter().filter(|letter| **letter != '-').collect())
}
