//! The customers' names as the firm writes them: a company that was misheard by a letter or two is shown by its own name.
//!
//! Only the field "company" is touched, and only after everything else was judged: the list can neither make nor break a
//! declaration, a consent or a verdict. Conservative: a short word must be heard exactly, of two names that fit alike none is.

use super::text::{Text, fold};
use super::words::WORDS;
use super::{Judgement, Message};
use crate::domain::assessment::{Missing, Verdict};

/// A list of names.
#[derive(Debug, Clone, Default)]
pub struct Names(Vec<Name>);

#[derive(Debug, Clone)]
struct Name {
    written: String,
    /// Its folded words without the legal form.
    words: Vec<String>,
}

/// Before a caller's own company.
const LEADS: [&str; 13] =
    ["von", "vom", "bei", "beim", "firma", "fa", "hier", "ist", "der", "die", "das", "dem", "spricht"];
/// A caller says where he calls from in so many sentences and words.
const OPENING: (usize, usize) = (3, 45);

impl Names {
    /// Of the names as the firm writes them.
    #[must_use]
    pub fn of(written: &[String]) -> Self {
        let name = |written: &String| Name { written: written.clone(), words: body(written) };
        Self(written.iter().map(name).filter(|name| !name.words.is_empty()).collect())
    }

    /// Puts the firm's own spelling for a company that is on the list.
    pub(super) fn put_into(&self, judgement: &mut Judgement, message: &Message<'_>) {
        if self.0.is_empty() || matches!(judgement.verdict, Verdict::Ignored | Verdict::Unclear) {
            return;
        }
        let known = match &judgement.fields.company {
            Some(company) => self.closest(&body(company)).map(|(name, _)| name),
            None => self.in_opening(message.text),
        };
        if let Some(name) = known {
            judgement.fields.company = Some(name.written.clone());
            judgement.missing.retain(|one| *one != Missing::Company);
        }
    }

    /// The one name that these words are, and by how many letters they differ.
    fn closest(&self, heard: &[String]) -> Option<(&Name, usize)> {
        let near = || self.0.iter().filter_map(|name| Some((name, distance(&name.words, heard)?)));
        let best = near().min_by_key(|(_, distance)| *distance)?;
        let rivals = near().filter(|(name, distance)| *distance == best.1 && name.words != best.0.words);
        (rivals.count() == 0).then_some(best)
    }

    /// A listed name where a caller says where he calls from.
    fn in_opening(&self, text: &str) -> Option<&Name> {
        let text = Text::new(text);
        let opening = text.tokens.iter().take_while(|token| token.sentence < OPENING.0).count().min(OPENING.1);
        let tokens = &text.tokens[..opening];
        let longest = self.0.iter().map(|name| name.words.len()).max().unwrap_or(0) + 1;
        let leads = |at: usize| {
            at == 0 || tokens[at - 1].clause != tokens[at].clause || LEADS.contains(&tokens[at - 1].norm.as_str())
        };
        let found = (0..opening).filter(|at| leads(*at)).flat_map(|at| (1..=longest).map(move |n| (at, at + n)));
        let within = found.filter(|(from, to)| *to <= opening && tokens[*from].sentence == tokens[*to - 1].sentence);
        let known = |(from, to): (usize, usize)| {
            let heard: Vec<String> = tokens[from..to].iter().map(|token| token.norm.clone()).collect();
            // of one word it may as well be a person's name
            self.closest(&heard).filter(|(name, _)| name.words.len() > 1 || is_firm(&text, from, to))
        };
        within
            .filter_map(known)
            .min_by_key(|(name, distance)| (*distance, usize::MAX - name.words.len()))
            .map(|(name, _)| name)
    }
}

/// Whether the words from `from` up to `to` are called a firm: by what stands before them, or by a legal form behind them.
fn is_firm(text: &Text, from: usize, to: usize) -> bool {
    let before = |back: usize| from.checked_sub(back).map(|at| text.tokens[at].norm.as_str());
    let next = text.tokens.get(to).filter(|next| next.sentence == text.tokens[to - 1].sentence);
    matches!(before(1), Some("firma" | "fa" | "bei"))
        || before(1) == Some("der") && matches!(before(2), Some("von" | "bei"))
        || next.is_some_and(|next| WORDS.forms.contains(&next.norm))
}

/// The folded words of a name without its legal form.
fn body(name: &str) -> Vec<String> {
    let words = fold(&name.replace('&', " und "));
    let words = words.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned);
    let mut words: Vec<String> = words.collect();
    let form = |word: &String| {
        word.chars().count() == 1 || WORDS.forms.contains(word) || ["co", "und"].contains(&word.as_str())
    };
    while words.len() > 1 && words.last().is_some_and(form) {
        words.pop();
    }
    words
}

/// By how many letters two names differ; `None` where it is too many to be one name misheard.
fn distance(known: &[String], heard: &[String]) -> Option<usize> {
    if known.len() == heard.len() {
        return known.iter().zip(heard).map(|(known, heard)| misheard(known, heard)).sum();
    }
    // written apart or in one word: "Elektro Technik"
    let (known, heard) = (known.concat(), heard.concat());
    let letters = strsim::levenshtein(&known, &heard);
    (letters == 0 || letters == 1 && known.len() > 11).then_some(letters)
}

fn misheard(known: &str, heard: &str) -> Option<usize> {
    if known == heard {
        return Some(0);
    }
    let alike = sound(known) == sound(heard);
    let slack = match known.len() {
        0..=4 => 0,
        5..=6 => usize::from(alike),
        7..=10 => 1 + usize::from(alike),
        _ => 2 + usize::from(alike),
    };
    let begins = alike || known.as_bytes().first() == heard.as_bytes().first();
    let letters = strsim::levenshtein(known, heard);
    (begins && letters <= slack).then_some(letters)
}

/// How a German word sounds: the Cologne phonetics, H.-J. Postel 1969. `word` is folded.
fn sound(word: &str) -> String {
    let letters: Vec<char> = word.chars().filter(char::is_ascii_alphabetic).collect();
    let mut codes = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| letters[at]);
        let next = letters.get(at + 1).copied();
        let follows = |set: &str| next.is_some_and(|c| set.contains(c));
        let behind = |set: &str| before.is_some_and(|c| set.contains(c));
        codes.push_str(match letter {
            'a' | 'e' | 'i' | 'j' | 'o' | 'u' | 'y' => "0",
            'b' => "1",
            'p' if !follows("h") => "1",
            'd' | 't' if !follows("csz") => "2",
            'f' | 'v' | 'w' | 'p' => "3",
            'g' | 'k' | 'q' => "4",
            'c' if at == 0 && follows("ahkloqrux") || at > 0 && follows("ahkoqux") && !behind("sz") => "4",
            'x' if !behind("ckq") => "48",
            'l' => "5",
            'm' | 'n' => "6",
            'r' => "7",
            'c' | 's' | 'z' | 'd' | 't' | 'x' => "8",
            _ => "",
        });
    }
    let mut out = String::new();
    for code in codes.chars() {
        if !out.ends_with(code) {
            out.push(code);
        }
    }
    let first: String = out.chars().take(1).collect();
    first + &out.chars().skip(1).filter(|code| *code != '0').collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Names {
        Names::of(&list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    fn known(list: &[&str], heard: &str) -> Option<String> {
        names(list).closest(&body(heard)).map(|(name, _)| name.written.clone())
    }

    #[test]
    fn words_sound_as_postel_says() {
        assert_eq!(sound("wikipedia"), "3412");
        assert_eq!(sound("mueller"), sound("miller"));
        assert_eq!(sound("breschnew"), "17863");
    }

    #[test]
    fn a_name_that_is_misheard_by_a_letter_or_two_is_known() {
        let list = ["Rossmeisl Elektrotechnik GmbH", "Brunnthaler Präzisionsteile GmbH", "ACR Kranbau"];
        for heard in
            ["Rosmeisl Elektrotechnik", "Rossmeisl Elektro Technik GmbH", "Rossmeisl Elektrotechnik GmbH & Co. KG"]
        {
            assert_eq!(known(&list, heard).as_deref(), Some(list[0]), "{heard}");
        }
        assert_eq!(known(&list, "Brunntaler Präzisionsteile").as_deref(), Some(list[1]));
        assert_eq!(known(&list, "AZR Kranbau"), None);
    }

    #[test]
    fn another_customer_of_a_like_name_is_not_taken_for_him() {
        assert_eq!(known(&["Bäckerei Meier"], "Bäckerei Mayer"), None);
        assert_eq!(known(&["Bäckerei Vogt"], "Bäckerei Voss"), None);
        assert_eq!(known(&["Schreinerei Huber"], "Schreinerei Gruber"), None);
        assert_eq!(
            known(&["Praxis Bergmann", "Praxis Bergman"], "Praxis Bergmann").as_deref(),
            Some("Praxis Bergmann")
        );
        assert_eq!(known(&["Praxis Bergmanz", "Praxis Bergmanx"], "Praxis Bergmann"), None);
    }

    #[test]
    fn a_person_who_is_called_like_a_customer_is_no_firm() {
        let list = names(&["Meier GmbH"]);
        let found = |text: &str| list.in_opening(text).is_some();
        for text in ["Guten Abend, hier ist Meier, der Server steht.", "Meier, guten Abend.", "Hier spricht Meier."] {
            assert!(!found(text), "{text}");
        }
        for text in [
            "Guten Abend, hier ist die Firma Meier.",
            "Hier ist Anna Kunz von der Meier.",
            "Anna Kunz bei Meier, guten Abend.",
            "Hier ist die Meier GmbH.",
        ] {
            assert!(found(text), "{text}");
        }
    }

    #[test]
    fn a_listed_name_is_found_where_a_caller_says_who_he_is_and_nowhere_else() {
        let list = names(&["Wolfshöfer und Reim"]);
        let found = |text: &str| list.in_opening(text).map(|name| name.written.clone());
        assert!(found("Guten Abend, hier ist Wolfshöfer und Reim, der Server steht.").is_some());
        assert!(found("Guten Abend. Wir haben ein Angebot für Wolfshöfer und Reim.").is_none());
    }
}
