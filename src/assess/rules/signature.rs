//! Below a mail: the name, then the company, then what nobody needs here.
//!
//! Read by lines, because that is how signatures are made. Where no greeting closes the mail, its last short block is taken
//! for the signature.

use super::mail;
use super::text::{Glyph, fold};
use super::words::WORDS;

/// Who signed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Signature {
    /// The name line.
    pub name: Option<String>,
    /// The company's line.
    pub company: Option<String>,
}

/// How a mail ends before the name; with nothing else on the line, or the name behind it.
const ENDINGS: &[&str] = &[
    "mit freundlichen gruessen",
    "mit freundlichem gruss",
    "freundliche gruesse",
    "viele gruesse",
    "beste gruesse",
    "mit besten gruessen",
    "schoene gruesse",
    "liebe gruesse",
    "herzliche gruesse",
    "ganz liebe gruesse",
    "danke und gruesse",
    "danke und gruss",
    "vielen dank und viele gruesse",
    "gruesse",
    "gruss",
    "hochachtungsvoll",
    "herzlich",
    "herzlichst",
    "danke",
    "vielen dank",
    "besten dank",
    "danke euch",
    "danke ihnen",
    "lg",
    "mfg",
    "vg",
    "bg",
    "ihre",
    "ihr",
    "eure",
    "euer",
    "kind regards",
    "best regards",
    "best wishes",
    "regards",
    "thanks",
    "many thanks",
    "thank you",
    "best",
    "cheers",
    "pozdrawiam",
    "z powazaniem",
    "z poważaniem",
    "saygılarımla",
    "saygilarimla",
    "teşekkuerler",
    "iyi calismalar",
    "iyi çalışmalar",
    "iyi akşamlar",
    "cordialement",
    "servus",
    "frohe feiertage",
];

/// Words of a line that tells what somebody does, or where.
const ROLES: &[&str] = &[
    "leit",
    "geschaeftsf",
    "inhaber",
    "prokurist",
    "assisten",
    "vorstand",
    "einkauf",
    "disposition",
    "abteilung",
    "edv",
    "verwaltungsleit",
    "praxismanag",
    "sekret",
    "buchhalt",
    "administrator",
    "manager",
    "director",
    "head of",
    "team",
    "technische",
    "kaufm",
    "stellv",
    "meister",
    "ansprech",
    "gesendet",
    "sent from",
    "von meinem",
    "office",
    "tel",
    "mobil",
    "fax",
    "telefon",
    "phone",
    "www",
    "http",
    "handy",
    "steuernummer",
    "ust",
    "amtsgericht",
    "hrb",
    "sitz",
    "str",
    "controller",
    "schichtf",
    "rezeption",
    "personal",
    "facharzt",
    "fachaerzt",
    "zahnarzt",
    "rechtsanw",
    "hausmeister",
    "vertrieb",
    "kaemmer",
    "dipl",
    "kierownik",
    "muedue",
];

/// Reads the end of a mail.
pub(super) fn read(source: &str) -> Signature {
    let own: String =
        mail::readable(source).iter().filter(|glyph: &&Glyph| !glyph.forwarded).map(|glyph| glyph.c).collect();
    let lines: Vec<&str> = own.lines().map(str::trim).collect();
    let mut found = Signature::default();
    let Some((block, first)) = block(&lines) else { return found };
    let candidates = first.into_iter().chain(lines[block..].iter().copied().filter(|line| !line.is_empty()).take(7));
    for line in candidates {
        for part in line.split([',', '|', '•', '·', '/', '(']).map(str::trim).filter(|part| !part.is_empty()) {
            if found.name.is_none() && is_name(part) {
                found.name = Some(unadorned(part).to_owned());
            } else if found.company.is_none() && is_company(part, found.name.is_some()) {
                found.company = Some(part.trim_matches(['-', '–', ' ']).to_owned());
            }
        }
    }
    found
}

/// Where the signature's lines begin, and what stands behind the greeting on its own line.
fn block<'a>(lines: &[&'a str]) -> Option<(usize, Option<&'a str>)> {
    let ending = (0..lines.len()).rev().find_map(|at| {
        let folded = fold(lines[at]);
        let bare = folded.trim_end_matches(['!', '.', ',', ' ', '-', '–']);
        if ENDINGS.contains(&bare) {
            return Some((at + 1, None));
        }
        let (greeting, rest) = lines[at].split_once([',', ' '])?;
        let short = lines[at].split_whitespace().count() <= 4;
        (short && ENDINGS.contains(&fold(greeting).as_str()) && is_name(rest.trim()))
            .then_some((at + 1, Some(rest.trim())))
    });
    ending.or_else(|| {
        let last = lines.iter().rposition(|line| !line.is_empty())?;
        let start = lines[..last].iter().rposition(|line| line.is_empty()).map_or(0, |at| at + 1);
        let short = lines[start..=last].iter().all(|line| line.len() < 70 && !line.ends_with(['.', '?', '!']));
        (start > 0 && short).then_some((start, None))
    })
}

/// One to four capitalised words and no business.
fn is_name(part: &str) -> bool {
    let part = unadorned(part);
    let words: Vec<&str> = part.split_whitespace().collect();
    let capital = |word: &&str| word.starts_with(char::is_uppercase) || matches!(*word, "von" | "van" | "de" | "zu");
    (1..=4).contains(&words.len())
        && words.iter().all(capital)
        && !part.contains([':', '@'])
        && !part.chars().any(|c| c.is_ascii_digit())
        && !is_role(part)
        && !is_business(part)
}

fn is_company(part: &str, named: bool) -> bool {
    let clear = !part.contains([':', '@']) && part.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit());
    let few = part.split_whitespace().count() <= 9;
    let address = part.split_whitespace().any(|word| word.len() >= 4 && word.bytes().all(|b| b.is_ascii_digit()))
        || part.split_whitespace().last().is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    clear && few && !address && !is_role(part) && (is_business(part) || named)
}

fn is_role(part: &str) -> bool {
    let folded = fold(part);
    !has_form(part)
        && (folded == "it" || ROLES.iter().any(|role| folded.starts_with(role) || folded.contains(&format!(" {role}"))))
}

fn has_form(part: &str) -> bool {
    fold(part).split(|c: char| !c.is_alphanumeric()).any(|word| WORDS.forms.contains(word) || word == "eg")
        || part.contains("e.K")
        || part.contains("e. K")
        || part.contains("e.V")
}

fn is_business(part: &str) -> bool {
    let trade = |word: &str| {
        word.len() > 3
            && WORDS
                .trades
                .iter()
                .any(|trade| word.ends_with(trade.as_str()) || trade.len() > 5 && word.starts_with(trade.as_str()))
    };
    has_form(part) || part.contains('&') || fold(part).split(|c: char| !c.is_alphanumeric()).any(trade)
}

/// Without "i. V.", "gez." and the like.
fn unadorned(part: &str) -> &str {
    let mut part = part.trim_start_matches(['-', '–', ' ']);
    while let Some(rest) = ["i. V.", "i.V.", "i. A.", "i.A.", "gez.", "ppa.", "iV", "iA", "Ihr", "Ihre"]
        .iter()
        .find_map(|lead| part.strip_prefix(lead).filter(|rest| rest.starts_with(' ')))
    {
        part = rest.trim_start();
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(text: &str) -> (Option<String>, Option<String>) {
        let found = read(text);
        (found.name, found.company)
    }

    #[test]
    fn name_and_company_stand_below_the_greeting() {
        let both = (Some("Gudrun Spitzweg".to_owned()), Some("Tannhöfer Armaturen GmbH".to_owned()));
        for text in [
            "Hallo.\n\nMit freundlichen Grüßen\n\ni. V. Gudrun Spitzweg\nLeiterin Logistik\n\nTannhöfer Armaturen GmbH\nAm Berg 7",
            "Der Server steht.\n\nGruß, Gudrun Spitzweg\nTannhöfer Armaturen GmbH\n09321 555 0114",
            "Der Server steht.\n\nGudrun Spitzweg, Tannhöfer Armaturen GmbH, Tel. 09321 555 0114",
        ] {
            assert_eq!(signed(text), both, "{text}");
        }
    }

    #[test]
    fn a_company_needs_no_known_word_below_a_name() {
        let (name, company) = signed("Hi.\n\nThanks\nAoife Brannigan\nLinden Language Centre");
        assert_eq!((name.as_deref(), company.as_deref()), (Some("Aoife Brannigan"), Some("Linden Language Centre")));
    }

    #[test]
    fn a_mail_without_signature_has_none() {
        assert_eq!(signed("Der Server steht seit heute."), (None, None));
        assert_eq!(signed(""), (None, None));
    }
}
