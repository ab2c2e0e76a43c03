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

/// Whether a folded word tells what somebody does, or where.
pub(super) fn is_function(word: &str) -> bool {
    let known = |word: &str| WORDS.functions.contains(word);
    known(word) || word.strip_suffix("in").is_some_and(|he| he.len() > 4 && known(he)) || ends_as_function(word)
}

/// "Pflegedienstleiterin": its ending tells what somebody does.
fn ends_as_function(word: &str) -> bool {
    word.len() > 6
        && !word.ends_with("versicherung")
        && WORDS.function_endings.iter().any(|ending| word.ends_with(ending.as_str()))
}

/// Reads the end of a mail.
pub(super) fn read(source: &str) -> Signature {
    let own: String =
        mail::readable(source).iter().filter(|glyph: &&Glyph| !glyph.forwarded).map(|glyph| glyph.c).collect();
    let own = own.replace(" (FH)", "").replace(" (TH)", "").replace(" (BA)", "");
    let attached = |line: &&str| !(line.starts_with('[') || line.starts_with("Gesendet ") || line.starts_with("Sent "));
    let lines: Vec<&str> = own.lines().map(str::trim).filter(attached).collect();
    let team = lines.iter().rev().filter(|line| !line.is_empty()).take(5).find_map(|line| of_team(line));
    let mut found = Signature { company: team, ..Signature::default() };
    let Some((block, first)) = block(&lines) else {
        let other = uncapitalised(&lines);
        return Signature { company: found.company.or(other.company), ..other };
    };
    let candidates = first.into_iter().chain(lines[block..].iter().copied().filter(|line| !line.is_empty()).take(8));
    let mut unknown = None;
    for line in candidates.filter(|line| !line.starts_with(['[', '=', '>'])) {
        if let (true, Some((name, company))) = (found.name.is_none(), of_business(line)) {
            (found.name, found.company) = (Some(name), found.company.or(Some(company)));
            continue;
        }
        if let (true, Some((craft, name))) = (found.name.is_none(), by_craft(line)) {
            (found.name, unknown) = (Some(name), Some(craft));
            continue;
        }
        let parts = if has_form(line) && is_business(line) && !line.contains(['|', '•', '·']) && found.name.is_some()
        {
            vec![formed(line.split(" - ").next().unwrap_or(line).split(" – ").next().unwrap_or(line))]
        } else {
            line.split([',', '|', '•', '·', '/', '(', ';']).collect()
        };
        for part in parts.into_iter().flat_map(|part| part.split(" - ")).map(str::trim).filter(|part| !part.is_empty())
        {
            if let (None, Some(name)) = (&found.name, couple(part)) {
                found.name = Some(name);
            } else if is_name(part)
                && !(has_form(line) && is_place(part))
                && found.name.as_ref().is_none_or(|name| spells_out(part, name))
            {
                found.name = Some(shown(part));
            } else if found.company.is_none() && is_company(part) {
                let company = part.trim_matches(['-', '–', '*', ' ']).to_owned();
                if is_business(part) {
                    found.company = Some(company);
                } else if found.name.is_some() {
                    unknown = unknown.or(Some(company));
                }
            }
        }
    }
    found.company = found.company.or(unknown);
    if found.name.is_none() && found.company.is_none() { uncapitalised(&lines) } else { found }
}

/// "Uli und Petra Lang": two given names and one surname.
fn couple(part: &str) -> Option<String> {
    let (one, other) = part.split_once(" & ").or_else(|| part.split_once(" und "))?;
    let given = |name: &str| name.split_whitespace().next().is_some_and(|word| WORDS.first_names.contains(&fold(word)));
    let surname = if one.contains(' ') { "" } else { other.rsplit(' ').next().unwrap_or("") };
    (given(one) && given(other) && other.contains(' ')).then(|| format!("{one} {surname}").trim().to_owned())
}

/// "uli vom hofladen brennessel", "veit" and below it "obsthof gruber-lechner".
fn uncapitalised(lines: &[&str]) -> Signature {
    let mut found = Signature::default();
    let upper = |words: &[&str]| {
        let one =
            |word: &&str| word.chars().next().map(|c| c.to_uppercase().chain(word.chars().skip(1)).collect::<String>());
        Some(words.iter().filter_map(one).collect::<Vec<_>>().join(" "))
    };
    let given = |word: &str| WORDS.first_names.contains(&fold(word));
    let filled: Vec<&&str> = lines.iter().filter(|line| !line.is_empty()).skip(1).collect();
    for line in filled.into_iter().rev().take(4).flat_map(|line| line.split(',')).map(str::trim) {
        let words: Vec<&str> = line.split([' ', ',']).filter(|word| !word.is_empty()).collect();
        let words = &words[usize::from(words.first().is_some_and(|word| WORDS.greetings.contains(&fold(word))))..];
        let of = words.iter().position(|word| ["vom", "von", "aus", "v.", "vo"].contains(word));
        if words.len() > 7 || line.chars().any(char::is_uppercase) {
            continue;
        }
        match of {
            Some(of @ 1..=2) if given(words[0]) => {
                let skip = usize::from(words.get(of + 1).is_some_and(|word| ["der", "dem"].contains(word)));
                found.name = upper(&words[..of]);
                found.company = words.get(of + 1 + skip..).filter(|rest| !rest.is_empty()).and_then(upper);
            }
            None if words.len() <= 2 && words.first().is_some_and(|word| given(word)) => found.name = upper(words),
            None if is_business(line) && words.len() <= 4 && !line.ends_with(['.', '!', '?']) => {
                found.company = upper(words);
            }
            _ => {}
        }
    }
    found
}

/// "IT Coordinator, Merrow Composites `GmbH`, Kaufbeuren": from the function to the place, what lies between them.
fn formed(line: &str) -> &str {
    let begins =
        line.split_once(", ").filter(|(first, rest)| is_role(first) && has_form(rest)).map_or(line, |(_, rest)| rest);
    let ends = begins.rsplit_once(", ").filter(|(first, last)| has_form(first) && !has_form(last));
    ends.map_or(begins, |(first, _)| first)
}

/// "Ihr Team von Datenretter Direkt", "Ihr Praxisteam Dr. Nierlich": who signs as a team.
fn of_team(line: &str) -> Option<String> {
    let (lead, rest) =
        line.split_once(' ').filter(|(lead, _)| ["Ihr", "Ihre", "Euer", "Eure", "Das"].contains(lead))?;
    let (team, name) = rest.trim_end_matches(['.', '!', ',']).split_once(' ')?;
    let name = ["von der ", "von ", "vom ", "der ", "des "].iter().find_map(|of| name.strip_prefix(of)).unwrap_or(name);
    let short = name.split_whitespace().count() <= 5 && name.starts_with(char::is_uppercase) && lead.len() > 2;
    let business = team.strip_suffix("team").filter(|kind| is_business(kind));
    let signs =
        matches!(team, "Team" | "Redaktion" | "Kundenservice" | "Serviceteam" | "Kundendienst") || business.is_some();
    (short && signs && !name.contains([':', '?']))
        .then(|| format!("{} {name}", business.unwrap_or("")).trim().to_owned())
}

/// "Uschi vom Nähkästchen", "Karin Ott von der Gärtnerei Ott".
fn of_business(line: &str) -> Option<(String, String)> {
    let line = line.trim_end_matches(['.', '!', ',']);
    let words: Vec<&str> = line.split_whitespace().collect();
    let of = words.iter().position(|word| ["vom", "von", "aus"].contains(word)).filter(|of| (1..3).contains(of))?;
    let article = usize::from(words.get(of + 1).is_some_and(|word| ["der", "dem", "den"].contains(word)));
    let (name, company) = (words[..of].join(" "), words.get(of + 1 + article..)?.join(" "));
    let given = WORDS.first_names.contains(&fold(words[0]));
    let clear = words.len() <= 8 && company.starts_with(char::is_uppercase) && !company.contains(['.', ':', ',']);
    let firm = words[of] == "vom" || is_business(&company);
    (given && clear && firm && is_name(&name) && !is_role(&company)).then_some((name, company))
}

/// "Zahnarzt Gregor Lutz": who signs by his craft is his own company.
fn by_craft(line: &str) -> Option<(String, String)> {
    let (craft, name) = line.split_once(' ')?;
    let folded = fold(craft);
    let known = [
        "meister",
        "meisterin",
        "arzt",
        "aerztin",
        "anwalt",
        "anwaeltin",
        "architekt",
        "architektin",
        "notar",
        "notarin",
    ];
    let given = WORDS.first_names.contains(&fold(name.split_whitespace().next()?));
    (known.iter().any(|end| folded.ends_with(end)) && !is_function(&folded) && given && is_name(name))
        .then(|| (line.to_owned(), shown(name)))
}

/// The greeting's rest behind its last word, where the line is a greeting.
fn greeting(line: &str) -> Option<&str> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let bare = |word: &str| fold(word.trim_matches(|c: char| !c.is_alphanumeric()));
    let at = words.iter().take(6).rposition(|word| WORDS.greetings.contains(&bare(word)))?;
    let small = [
        "und",
        "&",
        "aus",
        "schoenen",
        "schoene",
        "sonntag",
        "abend",
        "tag",
        "euch",
        "ihnen",
        "you",
        "for",
        "ihre",
        "ihr",
        "an",
        "von",
        "vom",
        "sie",
        "dich",
        "herzlich",
        "freundlich",
    ];
    let mut end = at + 1;
    while words.get(end).is_some_and(|word| small.contains(&bare(word).as_str()) || *word == "&") {
        end += 1;
    }
    let lead = words[..at].iter().all(|word| {
        let word = bare(word);
        word.len() < 14 && !["wir", "ich", "bitte", "ist", "fuer"].contains(&word.as_str())
    });
    // As written from there on.
    let rest = words.get(end).map_or("", |word| {
        let skipped: usize = words[..end].iter().map(|word| word.len()).sum();
        line.get(skipped..).and_then(|rest| rest.find(word).map(|at| &rest[at..])).unwrap_or("")
    });
    let somebody = words.get(end).is_some_and(|word| WORDS.first_names.contains(&bare(word)));
    let place =
        words.iter().take(end).any(|word| ["aus", "from", "nach"].contains(word) || *word == "vom" && !somebody);
    (lead && (at < 3 || rest.is_empty() || place)).then_some(if place { "" } else { rest.trim() })
}

/// Where the signature's lines begin, and what stands behind the greeting on its own line.
fn block<'a>(lines: &[&'a str]) -> Option<(usize, Option<&'a str>)> {
    let ending = (1..lines.len()).rev().find_map(|at| match greeting(lines[at])? {
        "" => lines[at + 1..].iter().any(|line| !line.is_empty()).then_some((at + 1, None)),
        rest => is_name(rest.split([',', '/']).next().unwrap_or(rest).trim()).then_some((at + 1, Some(rest))),
    });
    ending.or_else(|| {
        let filled: Vec<usize> = (0..lines.len()).filter(|at| !lines[*at].is_empty()).collect();
        let late = filled.iter().copied().rev().take(9).filter(|at| *at > 0);
        let named = late.filter(|at| {
            let first = lines[*at].split([',', '|', '(', '/']).next().unwrap_or("").trim();
            let known = shown(first).split_whitespace().next().is_some_and(|word| {
                let word = fold(word.trim_end_matches('.'));
                WORDS.first_names.contains(&word) || WORDS.titles.contains(&word) || word.chars().count() == 1
            });
            let crafted = by_craft(lines[*at]).is_some() || of_business(lines[*at]).is_some();
            crafted || known && first.contains(' ') && is_name(first) && !lines[*at].ends_with(['?', '!', ':'])
        });
        if let Some(at) = named.min() {
            return Some((at, None));
        }
        let last = *filled.last()?;
        let surname = last > 0 && lines[last - 1].is_empty() && lines[last].split_whitespace().count() == 1;
        let common = WORDS.no_name.contains(&fold(lines[last])) || WORDS.stops.contains(&fold(lines[last]));
        if surname && !common && is_name(lines[last]) && !lines[last].ends_with(['.', '?', '!', ',', ']', '-']) {
            return Some((last, None));
        }
        let start = lines[..last].iter().rposition(|line| line.is_empty()).map_or(0, |at| at + 1);
        let short = lines[start..=last].iter().all(|line| line.len() < 90 && !line.ends_with(['.', '?', '!']));
        let company =
            lines[start..=last].iter().any(|line| line.split([',', '|', '/']).any(|part| is_business(part.trim())));
        (start > 0 && short && company).then_some((start, None))
    })
}

/// "Feile `GmbH`, Bergrheinfeld": one word that is no given name, on a company's line.
fn is_place(part: &str) -> bool {
    !part.contains([' ', '.']) && !WORDS.first_names.contains(&fold(part))
}

/// Whether a part gives a name in full: "Markus Brandt" for "M. Brandt" or "Markus".
fn spells_out(part: &str, name: &str) -> bool {
    if part.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')) {
        return true;
    }
    let (Some((initial, surname)), Some((given, full))) = (name.split_once(". "), part.split_once(' ')) else {
        return false;
    };
    initial.chars().count() == 1 && given.starts_with(initial) && !given.ends_with('.') && surname == full
}

/// A name line as it is shown: without "med." and degrees.
pub(super) fn shown(part: &str) -> String {
    let degree = |word: &&str| word.ends_with('.') && word.starts_with(char::is_lowercase) || *word == "Dipl.-Ing.";
    without_office(unadorned(part)).split_whitespace().filter(|word| !degree(word)).collect::<Vec<_>>().join(" ")
}

/// "Studiendirektor Leander Sommerauer": without what he is, where a name in full follows.
pub(super) fn without_office(part: &str) -> &str {
    part.split_once(' ')
        .filter(|(office, name)| {
            let mut words = name.split(' ');
            let given = words.next().is_some_and(|word| WORDS.first_names.contains(&fold(word)));
            is_function(&fold(office)) && given && words.next().is_some()
        })
        .map_or(part, |(_, name)| name)
}

/// One to four capitalised words and no business.
pub(super) fn is_name(part: &str) -> bool {
    let part = &shown(part);
    let words: Vec<&str> = part.split_whitespace().collect();
    let capital = |word: &&str| word.starts_with(char::is_uppercase) || matches!(*word, "von" | "van" | "de" | "zu");
    (1..=4).contains(&words.len())
        && words.iter().all(capital)
        && !part.contains([':', '@'])
        && !part.chars().any(|c| c.is_ascii_digit())
        && !is_role(part)
        && (words.len() > 1 || !WORDS.no_name.contains(&fold(part)))
        && (!is_business(part)
            || words.len() == 2 && WORDS.first_names.contains(&fold(words[0])) && !is_business(words[0]))
}

fn is_company(part: &str) -> bool {
    let clear = !part.contains([':', '@', '?']) && part.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit());
    let few = part.split_whitespace().count() <= 9;
    let address = part.split_whitespace().any(|word| word.len() >= 4 && word.bytes().all(|b| b.is_ascii_digit()))
        || part.split_whitespace().last().is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    clear && few && !address && !is_role(part)
}

fn is_role(part: &str) -> bool {
    let folded = fold(part);
    // "Ebner Haustechnik" is a business, "Haustechnik Ebner" a department.
    let mut words = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let led = words.next().is_some_and(|first| is_function(first) || first.len() < 3);
    if !led && words.any(|word| WORDS.trades.iter().any(|trade| word.ends_with(trade.as_str()))) {
        return false;
    }
    if led
        && !has_form(part)
        && folded.split_whitespace().count() <= 3
        && is_function(folded.split_whitespace().next().unwrap_or(""))
    {
        return true;
    }
    !has_form(part)
        && (folded.split(|c: char| !c.is_alphanumeric()).any(is_function)
            && !folded
                .split(|c: char| !c.is_alphanumeric())
                .any(|word| !is_function(word) && WORDS.trades.iter().any(|trade| word.ends_with(trade.as_str())))
            || WORDS
                .roles
                .iter()
                .any(|role| folded.match_indices(role.as_str()).any(|(at, _)| at == 0 || folded[..at].ends_with(' '))))
}

fn has_form(part: &str) -> bool {
    fold(part).split(|c: char| !c.is_alphanumeric()).any(|word| WORDS.forms.contains(word) || word == "eg")
        || part.contains("e.K")
        || part.contains("e. K")
        || ["e.V", "e. V", "S.L", "S.A", "S.r.l", "s.r.o", "B.V", "Sp. z"].iter().any(|form| part.contains(form))
}

/// Whether a part has a legal form or a word for a business.
pub(super) fn is_business(part: &str) -> bool {
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
    while let Some(rest) =
        ["i. V.", "i.V.", "i. A.", "i.A.", "gez.", "ppa.", "iV", "iA", "Ihr", "Ihre", "Inh.", "Inhaber", "Inhaberin"]
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
