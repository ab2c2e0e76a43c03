//! Speech that nobody can follow, written as one row: without commas its scraps are told by words that cannot stand side by
//! side ("von dem nicht", "mit ja mit den") and by words that are begun twice ("den den", "Küh Kühl").

use super::lexicon::Scene;
use super::text::Token;

/// A short row with at least two such places, in which no number is said.
pub(super) fn row(scene: &Scene<'_>) -> bool {
    let tokens = &scene.text.tokens;
    let clauses = tokens.last().map_or(1, |t| t.clause + 1);
    let unpunctuated = tokens.len() >= clauses * 7;
    let misfits = tokens.windows(2).filter(|pair| misfit(&pair[0], &pair[1])).count();
    unpunctuated && tokens.len() <= 40 && misfits >= 2 && !tokens.iter().any(Token::is_number)
}

fn misfit(first: &Token, second: &Token) -> bool {
    let (a, b) = (first.norm.as_str(), second.norm.as_str());
    let again = a == b || a.len() > 2 && b.len() > a.len() && b.starts_with(a);
    again && !a.chars().all(char::is_numeric) || ARTICLES.contains(&a) && NO_NOUNS.contains(&b)
}

/// Before these a noun or an adjective is still to come.
const ARTICLES: [&str; 22] = [
    "der", "die", "den", "dem", "ein", "eine", "einen", "einem", "einer", "unser", "unsere", "unserem", "mein",
    "meine", "vom", "zum", "zur", "beim", "im", "ins", "mit", "von",
];

/// And none of these is one.
const NO_NOUNS: [&str; 15] = [
    "und", "oder", "ja", "nein", "bitte", "hallo", "nicht", "aber", "weil", "ich", "wir", "also", "dann", "doch", "was",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::rules::lexicon::Rules;
    use crate::assess::rules::text::Text;
    use crate::domain::tariff::Cents;

    fn torn(text: &str) -> bool {
        row(&Scene::new(Rules::built_in(), Text::new(text), "de", Cents(4800)))
    }

    #[test]
    fn scraps_in_a_row_are_told_from_a_hasty_message() {
        assert!(torn("ja hallo wir haben das mit ja mit dem Wagen und den den in der und der Kollege bitte"));
        assert!(!torn("hallo hier ist Vogt von der Gärtnerei Vogt der Drucker im Büro druckt nur noch leere Seiten"));
    }
}
