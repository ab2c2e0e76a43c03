//! Which language a message is in, by its small words.
//!
//! German wherever nothing speaks against it: this is a German firm's mailbox, and an unknown language is listened to by a human.

use super::text::Text;
use std::collections::HashSet;
use std::sync::LazyLock;

type Words = (&'static str, HashSet<&'static str>);

static WORDS: LazyLock<Vec<Words>> = LazyLock::new(|| {
    [
        ("de", "der die das und ist ich wir nicht mit ein eine den dem zu auf bei haben hat sind es im von fuer unser unsere ihr bitte hier guten auch aus nach wie sie mein meine um der"),
        ("en", "the and is this we to of our a in i have has it please my you that with are your at was for be from not on"),
        ("tr", "ve bu bir ben için icin lütfen luetfen merhaba iyi akşamlar arıyorum numaram şirketimiz teşekkürler kadar"),
        ("pl", "jest się na z dzień dobry dobry wieczór proszę oraz nie mamy firma firmy nasz dziękuję to numer w i"),
        ("uk", "добрий вечір мене звати з у нас будь ласка для не і на я"),
        ("ru", "добрый день вечер меня зовут пожалуйста для не и на я мы"),
        ("fr", "le la les des nous vous et est notre pour une bonsoir bonjour merci au ainsi que vos de du cordialement plus"),
        ("it", "il la per abbiamo un non grazie buonasera buongiorno di e del delle siamo favore è i"),
        ("nl", "de het een van wij met onze en niet graag goedenavond voor is dit uw naar"),
        ("cs", "je prosím dobrý večer den pro na u nás nám celá mi s a to"),
        ("es", "el la los hola buenas noches por favor nuestro gracias tenemos una un es de que con"),
    ]
    .into_iter()
    .map(|(code, words)| (code, words.split(' ').collect()))
    .collect()
});

/// ISO 639-1 code of a text's language.
pub(super) fn of(text: &Text<'_>) -> &'static str {
    let tokens: Vec<&str> = text.tokens.iter().filter(|t| !t.signature).map(|t| t.norm.as_str()).collect();
    let count = |words: &HashSet<&str>| tokens.iter().filter(|token| words.contains(*token)).count();
    let german = WORDS.first().map_or(0, |(_, words)| count(words));
    WORDS
        .iter()
        .skip(1)
        .map(|(code, words)| (*code, count(words)))
        .max_by_key(|(_, hits)| *hits)
        .filter(|(_, hits)| *hits >= 3 && *hits > german)
        .map_or("de", |(code, _)| code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_words_tell_the_language() {
        for (text, want) in [
            ("", "de"),
            ("Unternehmenskritischer Notfall, Server tot", "de"),
            ("Good evening, this is Harriet, I need to report a business-critical emergency", "en"),
            ("Dzień dobry, nasz serwer nie odpowiada i cała firma stoi, to jest awaria", "pl"),
            ("Bonsoir, nous avons une urgence, merci de rappeler notre bureau", "fr"),
        ] {
            assert_eq!(of(&Text::new(text)), want, "{text}");
        }
    }
}
