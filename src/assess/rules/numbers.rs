//! Numbers as they are spoken: digits one by one, pairs ("neununddreißig", "neun und dreißig"), amounts of money.
//!
//! Only what a caller dictates is read: digits, tens, hundreds and teens. A word that is no number gives `None`.

use super::text::{Text, Token};
use crate::domain::tariff::Cents;

const UNITS: [(&str, u32); 22] = [
    ("null", 0),
    ("zero", 0),
    ("ein", 1),
    ("eins", 1),
    ("eine", 1),
    ("one", 1),
    ("zwei", 2),
    ("zwo", 2),
    ("two", 2),
    ("drei", 3),
    ("three", 3),
    ("vier", 4),
    ("four", 4),
    ("fuenf", 5),
    ("fuenfe", 5),
    ("five", 5),
    ("sechs", 6),
    ("six", 6),
    ("sieben", 7),
    ("acht", 8),
    ("neun", 9),
    ("nine", 9),
];

const MORE_UNITS: [(&str, u32); 15] = [
    ("seven", 7),
    ("eight", 8),
    ("oh", 0),
    ("nought", 0),
    ("achta", 8),
    // Dialect.
    ("oans", 1),
    ("oins", 1),
    ("eens", 1),
    ("zwoi", 2),
    ("zwoa", 2),
    ("viere", 4),
    ("fimf", 5),
    ("fuemf", 5),
    ("sieba", 7),
    ("siebn", 7),
];

const TEENS: [(&str, u32); 11] = [
    ("zehn", 10),
    ("elf", 11),
    ("zwoelf", 12),
    ("dreizehn", 13),
    ("vierzehn", 14),
    ("fuenfzehn", 15),
    ("sechzehn", 16),
    ("siebzehn", 17),
    ("achtzehn", 18),
    ("neunzehn", 19),
    ("siebenzehn", 17),
];

const TENS: [(&str, u32); 42] = [
    ("vierzisch", 40),
    ("virzig", 40),
    ("virzich", 40),
    ("verzisch", 40),
    ("vertzich", 40),
    ("vertzig", 40),
    ("vaerzig", 40),
    ("vaerzich", 40),
    ("vaerzisch", 40),
    ("veerzig", 40),
    ("viezig", 40),
    ("vierzge", 40),
    ("verzg", 40),
    ("verzig", 40),
    ("veertig", 40),
    ("fuchzg", 50),
    ("fuffzig", 50),
    ("fuffzich", 50),
    ("fuenfzich", 50),
    ("sechzg", 60),
    ("siebzg", 70),
    ("achtzg", 80),
    ("zwanzig", 20),
    ("dreissig", 30),
    ("vierzig", 40),
    ("fuenfzig", 50),
    ("sechzig", 60),
    ("siebzig", 70),
    ("achtzig", 80),
    ("neunzig", 90),
    ("dreissich", 30),
    ("verzich", 40),
    ("vierzg", 40),
    ("vierzich", 40),
    ("fuchzig", 50),
    ("twenty", 20),
    ("thirty", 30),
    ("forty", 40),
    ("fifty", 50),
    ("sixty", 60),
    ("eighty", 80),
    ("ninety", 90),
];

fn unit(word: &str) -> Option<u32> {
    UNITS.iter().chain(&MORE_UNITS).find(|(name, _)| *name == word).map(|(_, value)| *value)
}

/// The digit that a word names.
pub(super) fn digit(word: &str) -> Option<u32> {
    unit(word)
}

fn tens(word: &str) -> Option<u32> {
    TENS.iter().find(|(name, _)| *name == word).map(|(_, value)| *value)
}

/// The value of one number word below a hundred and how many digits it stands for.
fn word_value(word: &str) -> Option<u32> {
    if let Some(value) =
        unit(word).or_else(|| tens(word)).or_else(|| TEENS.iter().find(|(n, _)| *n == word).map(|(_, v)| *v))
    {
        return Some(value);
    }
    // "Fünfhundertfünfundfünfzig": hundreds as they stand within a dictated number.
    if let Some((head, rest)) = word.split_once("hundert") {
        let hundreds = unit(head).filter(|head| *head > 1)? * 100;
        let rest = rest.strip_prefix("und").unwrap_or(rest);
        return if rest.is_empty() { Some(hundreds) } else { word_value(rest).map(|rest| hundreds + rest) };
    }
    // "neununddreissig", dialect "dreiadreissich".
    TENS.iter().find_map(|(name, ten)| {
        let head = word.strip_suffix(name)?;
        let head = ["und", "ond", "un", "en", "e", "a"].iter().find_map(|and| head.strip_suffix(and)).unwrap_or(head);
        unit(head).filter(|one| *one > 0).map(|one| ten + one)
    })
}

/// The number that begins at a token, as digits, and how many tokens it takes.
pub(super) fn digits_at(tokens: &[Token]) -> Option<(String, usize)> {
    let first = tokens.first()?;
    if first.is_number() {
        if let (Some(and), Some(ten)) = (tokens.get(1), tokens.get(2)) {
            // "9 und 30": a recogniser's half-written pair.
            let pair = first.norm.len() == 1 && and.norm == "und" && and.sentence == first.sentence;
            let ten = ten
                .norm
                .parse::<u32>()
                .ok()
                .filter(|t| t % 10 == 0 && (20..100).contains(t))
                .or_else(|| tens(&ten.norm));
            if let (true, Some(ten), Ok(one)) = (pair, ten, first.norm.parse::<u32>()) {
                return Some(((ten + one).to_string(), 3));
            }
        }
        return first.norm.bytes().all(|b| b.is_ascii_digit()).then(|| (first.norm.clone(), 1));
    }
    // "achtund vierzig"
    if let (Some(one), Some(ten)) =
        (first.norm.strip_suffix("und").and_then(unit), tokens.get(1).and_then(|ten| tens(&ten.norm)))
        && tokens[1].sentence == first.sentence
        && one > 0
    {
        return Some(((ten + one).to_string(), 2));
    }
    let value = word_value(&first.norm)?;
    if let (Some(and), Some(ten)) = (tokens.get(1), tokens.get(2)) {
        let ten = tens(&ten.norm).or_else(|| ten.norm.parse().ok().filter(|t| t % 10 == 0 && (20..100).contains(t)));
        if let (true, Some(ten)) = (value < 10 && and.norm == "und" && and.sentence == first.sentence, ten) {
            return Some(((ten + value).to_string(), 3));
        }
    }
    Some((value.to_string(), 1))
}

/// Sums of money: `("amount", …)` where they cover the fee, `("low_amount", …)` where they do not reach it.
pub(super) fn amounts(text: &Text<'_>, fee: Cents) -> Vec<(&'static str, usize, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.tokens.len() {
        let (length, value) = bare_sum(text, at, fee).unwrap_or_else(|| sum_at(&text.tokens[at..]));
        if let Some(value) = value {
            // Sums far above a fee are other money; "4800" is "48,00" as a recogniser writes it.
            let covers = (fee.0..=fee.0 * 5 / 2).contains(&value) || value == fee.0 * 100;
            if covers || (1000..fee.0).contains(&value) {
                found.push((if covers { "amount" } else { "low_amount" }, at, at + length));
            }
        }
        at += length.max(1);
    }
    found
}

/// "Die achtundvierzig netto", "die 48 zahlen wir": the fee without the word Euro.
fn bare_sum(text: &Text<'_>, at: usize, fee: Cents) -> Option<(usize, Option<i64>)> {
    let word = |at: usize| text.tokens.get(at).map_or("", |token| token.norm.as_str());
    let (digits, length) = digits_at(&text.tokens[at..])?;
    if digits.parse::<i64>().ok()?.checked_mul(100)? != fee.0
        || text.tokens.get(at + length - 1)?.sentence != text.tokens[at].sentence
    {
        return None;
    }
    let next = text.tokens.get(at + length);
    let ends = next.is_none_or(|next| next.clause != text.tokens[at].clause);
    let taxed = TAXED.contains(&word(at + length));
    let definite =
        at > 0 && matches!(word(at - 1), "die" | "den" | "der" | "de" | "d" | "diese" | "diesen" | "eure" | "ihre");
    let known = ends || AFTER_SUM.contains(&word(at + length));
    (taxed || definite && known).then_some((length, Some(fee.0)))
}

/// What is added to a sum.
const TAXED: [&str; 6] = ["netto", "brutto", "plus", "zuzueglich", "zzgl", "exklusive"];

/// What follows a sum whose currency goes without saying.
const AFTER_SUM: [&str; 55] = [
    "er",
    "die",
    "das",
    "werden",
    "wird",
    "sowie",
    "samt",
    "beglichen",
    "beziehungsweise",
    "uebernimmt",
    "zahlts",
    "koennen",
    "kriegen",
    "kriegt",
    "aktivierung",
    "und",
    "auch",
    "aa",
    "au",
    "ebenso",
    "ebenfalls",
    "genauso",
    "sowie",
    "extra",
    "geht",
    "gehen",
    "ist",
    "sind",
    "san",
    "passt",
    "passen",
    "zahl",
    "zahle",
    "zahlen",
    "zahln",
    "zahlt",
    "zoi",
    "zoin",
    "bezahl",
    "bezahle",
    "bezahlen",
    "uebernehm",
    "uebernehme",
    "uebernehmen",
    "akzeptiere",
    "akzeptieren",
    "trage",
    "tragen",
    "nehme",
    "nehmen",
    "fuer",
    "gebuehr",
    "aktivierungsgebuehr",
    "pauschale",
    "sowieso",
];

/// How many tokens a sum of money takes, and its value in cents.
fn sum_at(tokens: &[Token]) -> (usize, Option<i64>) {
    let money = |token: Option<&Token>| token.is_some_and(|t| MONEY.contains(&t.norm.as_str()));
    let before = money(tokens.first());
    let rest = if before { &tokens[1..] } else { tokens };
    let Some(first) = rest.first() else { return (1, None) };
    let (value, length) = if first.is_number() && first.norm.contains([',', '.']) {
        (cents(&first.norm), 1)
    } else if let Some((value, length)) = foreign(rest) {
        (Some(value), length)
    } else if let Some((digits, length)) = digits_at(rest) {
        (digits.parse::<i64>().ok().and_then(|euro| euro.checked_mul(100)), length)
    } else {
        return (1, None);
    };
    // 57,12 and 48,00 are sums by their form.
    let form = first.norm.ends_with(",12") || first.norm == "48,00" || first.norm == "48.00";
    let after = money(rest.get(length));
    let total = length + usize::from(before) + usize::from(after);
    if before || after || form { (total, value) } else { (1, None) }
}

/// "48,00" or "48.00" in cents; `None` for a date, a time or a grouped number.
fn cents(written: &str) -> Option<i64> {
    let (euro, rest) = written.split_once([',', '.'])?;
    let rest = if rest.is_empty() || rest.len() > 2 { return None } else { rest };
    let part: i64 = rest.parse().ok()?;
    euro.parse::<i64>().ok()?.checked_mul(100)?.checked_add(if rest.len() == 1 { part * 10 } else { part })
}

/// How the currency is called, in every language of foreign.toml.
const MONEY: [&str; 27] = [
    "euro", "eur", "euros", "euronen", "eurone", "oiro", "oecken", "ocken", "tacken", "flocken", "maeuse", "eier",
    "steine", "avroluk", "euroluk", "avro", "eura", "evra", "evro", "evri", "eurow", "eurot", "euroa", "євро", "евро",
    "ευρω", "ευρώ",
];

/// The fee in words, in the languages of foreign.toml.
const FEES: [&str; 20] = [
    "forty eight",
    "kirk sekiz",
    "сорок вісім",
    "сорок восемь",
    "czterdziesci osiem",
    "patruzeci si opt",
    "patru zeci si opt",
    "quarante huit",
    "quarantotto",
    "quaranta otto",
    "cuarenta y ocho",
    "quarenta e oito",
    "achtenveertig",
    "acht en veertig",
    "ctyricet osm",
    "styridsat osem",
    "negyvennyolc",
    "cetrdeset osam",
    "cetrdeset i osam",
    "четиридесет и осем",
];

/// The fee in words of another language, and how many tokens it takes.
fn foreign(tokens: &[Token]) -> Option<(i64, usize)> {
    FEES.iter().find_map(|fee| {
        let words = fee.split(' ').count();
        let said = tokens.iter().take(words).map(|token| token.norm.as_str());
        said.eq(fee.split(' ')).then_some((4800, words))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(text: &str) -> Option<String> {
        digits_at(&Text::new(text).tokens).map(|found| found.0)
    }

    #[test]
    fn number_words_are_digits() {
        for (word, want) in [
            ("null", "0"),
            ("zwo", "2"),
            ("neununddreißig", "39"),
            ("neun und dreißig", "39"),
            ("acht und 40", "48"),
            ("achtund vierzig", "48"),
            ("elf", "11"),
            ("0171", "0171"),
            ("dreiadreißich", "33"),
            ("fünfhundertfünfundfünfzig", "555"),
        ] {
            assert_eq!(digits(word).as_deref(), Some(want), "{word}");
        }
        assert_eq!(digits("Haus"), None);
    }

    #[test]
    fn sums_that_cover_the_fee_are_told_from_smaller_ones() {
        let kinds =
            |text: &str| amounts(&Text::new(text), Cents(4800)).into_iter().map(|found| found.0).collect::<Vec<_>>();
        for text in [
            "48 Euro",
            "48€",
            "achtundvierzig Euro",
            "acht und vierzig Euro",
            "EUR 48.00",
            "57,12",
            "4800 Euro",
            "84 Euro",
            "forty-eight euros",
        ] {
            assert_eq!(kinds(text), ["amount"], "{text}");
        }
        assert_eq!(kinds("28 Euro"), ["low_amount"]);
        for text in ["die achtundvierzig netto", "die 48 plus Mehrwertsteuer", "die 48 zahlen wir", "achtaverzg Euro"] {
            assert_eq!(kinds(text), ["amount"], "{text}");
        }
        assert!(kinds("die 48 Notebooks").is_empty());
        assert!(kinds("48 Notebooks").is_empty() && kinds("500 Euro").is_empty() && kinds("0171 3920048").is_empty());
    }
}
