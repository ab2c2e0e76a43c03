//! What a person corrects of a report, and what stands after all corrections. Pure.
//!
//! Promise: a correction lies beside what the service heard and judged, it replaces nothing. A word that a person left as
//! it was keeps its time and its probability; one that he typed has neither of its own.

use crate::domain::assessment::{Assessment, Missing, Verdict, words};
use crate::domain::report::ReportId;
use crate::domain::transcript::{Transcript, Word};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

words! {
    /// What is corrected.
    What {
        /// The whole text, typed anew.
        Transcript = "transcript",
        /// The caller's company.
        Company = "company",
        /// The person to call back.
        Contact = "contact",
        /// The call-back number, E.164.
        Callback = "callback",
        /// The fault.
        Description = "description",
        /// The verdict, by hand.
        Verdict = "verdict",
    }
}

/// One correction, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// Of which report.
    pub report: ReportId,
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: String,
    /// What.
    pub what: What,
    /// What stood there.
    pub before: Option<String>,
    /// What stands there from then on; `None` = nothing was said of it.
    pub after: Option<String>,
    /// Why, where a verdict was set by hand.
    pub reason: Option<String>,
}

/// What counts after all corrections of one report: the newest of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing(Vec<Correction>);

impl Standing {
    /// Of all corrections of a report, in the order made.
    #[must_use]
    pub fn of(all: &[Correction]) -> Self {
        let newest = |(at, one): &(usize, &Correction)| all[at + 1..].iter().all(|later| later.what != one.what);
        Self(all.iter().enumerate().filter(newest).map(|(_, one)| one.clone()).collect())
    }

    /// The correction of one thing that counts.
    #[must_use]
    pub fn correction(&self, what: What) -> Option<&Correction> {
        self.0.iter().find(|one| one.what == what)
    }

    /// The text as a person typed it, and who.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.correction(What::Transcript)?.after.as_deref()
    }

    /// An assessment with the fields and the verdict that a person set: they win over the rules.
    #[must_use]
    pub fn over(&self, mut found: Assessment) -> Assessment {
        let fields = &mut found.fields;
        for one in &self.0 {
            let value = one.after.clone();
            match one.what {
                What::Company => fields.company = value,
                What::Contact => fields.contact = value,
                What::Description => fields.description = value,
                What::Callback => (fields.callback, fields.callback_doubtful) = (value, false),
                What::Verdict => found.verdict = value.as_deref().and_then(Verdict::parse).unwrap_or(found.verdict),
                What::Transcript => {}
            }
        }
        let lacks = [
            (fields.company.is_none(), Missing::Company, What::Company),
            (fields.contact.is_none(), Missing::Contact, What::Contact),
            (fields.callback.is_none() && fields.displayed.is_none(), Missing::Callback, What::Callback),
            (fields.description.is_none(), Missing::Description, What::Description),
        ];
        for (lacking, missing, what) in lacks {
            if self.correction(what).is_some() {
                found.missing.retain(|one| *one != missing);
                found.missing.extend(lacking.then_some(missing));
            }
        }
        found
    }
}

/// A recording's words after a person typed the text anew.
#[derive(Debug, Clone, PartialEq)]
pub struct Typed {
    /// As the transcriber heard it, with the words as typed. Nothing doubts it: a person heard it.
    pub transcript: Transcript,
    /// Which of the words were typed: they are no words of the recogniser.
    pub typed: BTreeSet<usize>,
}

/// Lays a typed text over the words that were heard: unchanged ones stay, the others share the time of the words that they
/// replace, or where they replace none the time between their neighbours.
#[must_use]
pub fn typed(heard: &Transcript, text: &str) -> Typed {
    let texts: Vec<&str> = text.split_whitespace().collect();
    let kept = kept(&heard.words, &texts);
    let mut words: Vec<Word> = Vec::with_capacity(texts.len());
    let mut typed = BTreeSet::new();
    let mut at = 0;
    while at < texts.len() {
        if let Some(word) = kept[at] {
            words.push(heard.words[word].clone());
            at += 1;
            continue;
        }
        let run = kept[at..].iter().take_while(|word| word.is_none()).count();
        let before = at.checked_sub(1).and_then(|at| kept[at]).map_or(0, |word| word + 1);
        let next = kept.get(at + run).copied().flatten().unwrap_or(heard.words.len());
        let ends = words.last().map_or(0, |word| word.end_ms);
        let (from, until) = match &heard.words[before..next] {
            [] => (ends, heard.words.get(next).map_or(heard.sound_ms, |word| word.start_ms)),
            [first, .., last] => (first.start_ms.max(ends), last.end_ms),
            [only] => (only.start_ms.max(ends), only.end_ms),
        };
        let gap = u64::from(until.max(from) - from);
        let place = |index: usize| {
            let share = gap * u64::try_from(index).unwrap_or(0) / u64::try_from(run).unwrap_or(1);
            from + u32::try_from(share).unwrap_or(0)
        };
        for index in 0..run {
            typed.insert(words.len());
            let text = texts[at + index].to_owned();
            words.push(Word { text, start_ms: place(index), end_ms: place(index + 1), probability: 1.0 });
        }
        at += run;
    }
    Typed { transcript: Transcript { words, doubt: None, ..heard.clone() }, typed }
}

/// More cells than this are not compared (8 MB): what lies between the common beginning and end is then typed as a whole.
const MOST_CELLS: usize = 4_000_000;

/// For each typed word the heard one that it is: a longest common subsequence, letter by letter.
fn kept(heard: &[Word], texts: &[&str]) -> Vec<Option<usize>> {
    let alike = |old: usize, new: usize| heard[old].text == texts[new];
    let front = (0..heard.len().min(texts.len())).take_while(|at| alike(*at, *at)).count();
    let rest = heard.len().min(texts.len()) - front;
    let back = (1..=rest).take_while(|at| alike(heard.len() - at, texts.len() - at)).count();
    let mut kept: Vec<Option<usize>> = (0..front).map(Some).collect();
    let (old, new) = (front..heard.len() - back, front..texts.len() - back);
    // lengths[i][j]: of the longest common subsequence behind i and j
    let width = new.len() + 1;
    if (old.len() + 1) * width > MOST_CELLS {
        kept.extend(new.map(|_| None));
        kept.extend((0..back).map(|at| Some(heard.len() - back + at)));
        return kept;
    }
    let mut lengths = vec![0_u16; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            lengths[i * width + j] = if alike(old.start + i, new.start + j) {
                lengths[(i + 1) * width + j + 1].saturating_add(1)
            } else {
                lengths[(i + 1) * width + j].max(lengths[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while j < new.len() {
        if i < old.len() && alike(old.start + i, new.start + j) {
            kept.push(Some(old.start + i));
            (i, j) = (i + 1, j + 1);
        } else if i < old.len() && lengths[(i + 1) * width + j] >= lengths[i * width + j + 1] {
            i += 1;
        } else {
            kept.push(None);
            j += 1;
        }
    }
    kept.extend((0..back).map(|at| Some(heard.len() - back + at)));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn heard(text: &str) -> Transcript {
        let word = |(index, text): (u32, &str)| Word {
            text: text.to_owned(),
            start_ms: index * 500,
            end_ms: index * 500 + 400,
            probability: 0.7,
        };
        let words: Vec<Word> = (0..).zip(text.split_whitespace()).map(word).collect();
        let sound_ms = words.last().map_or(3000, |word| word.end_ms + 600);
        Transcript {
            model: "test".into(),
            language: "de".into(),
            sound_ms,
            words,
            second: None,
            speech: vec![(0, sound_ms)],
            doubt: None,
            remark: None,
        }
    }

    fn times(typed: &Typed) -> Vec<(&str, u32, u32)> {
        typed.transcript.words.iter().map(|word| (word.text.as_str(), word.start_ms, word.end_ms)).collect()
    }

    #[test]
    fn a_word_that_was_misheard_takes_the_time_of_what_it_replaces() {
        let typed = typed(&heard("hier ist Rosmeisel guten Abend"), "hier ist Rossmeisl guten Abend");
        assert_eq!(times(&typed)[2], ("Rossmeisl", 1000, 1400));
        assert_eq!(times(&typed)[3], ("guten", 1500, 1900));
        assert_eq!(typed.typed, BTreeSet::from([2]));
    }

    #[test]
    fn the_first_and_the_last_word_lie_where_they_were_heard_and_not_in_the_silence_around() {
        let mut heard = heard("Hallo Herr Rosmeisel");
        for word in &mut heard.words {
            (word.start_ms, word.end_ms) = (word.start_ms + 5000, word.end_ms + 5000);
        }
        heard.sound_ms = 20_000;
        let first = typed(&heard, "Halo Herr Rosmeisel");
        assert_eq!(times(&first)[0], ("Halo", 5000, 5400));
        let last = typed(&heard, "Hallo Herr Dirk Rossmeisl");
        assert_eq!(times(&last)[2..], [("Dirk", 6000, 6200), ("Rossmeisl", 6200, 6400)]);
    }

    #[test]
    fn words_that_were_not_heard_share_the_gap_between_their_neighbours() {
        let typed = typed(&heard("der Abend"), "der schöne lange Abend");
        assert_eq!(times(&typed), [("der", 0, 400), ("schöne", 400, 450), ("lange", 450, 500), ("Abend", 500, 900)]);
    }

    #[test]
    fn where_nothing_was_heard_the_words_share_the_whole_sound() {
        let typed = typed(&heard(""), "Server steht still");
        assert_eq!(times(&typed), [("Server", 0, 1000), ("steht", 1000, 2000), ("still", 2000, 3000)]);
        assert_eq!(typed.typed.len(), 3);
    }

    #[test]
    fn two_long_texts_that_differ_everywhere_are_not_compared_word_by_word() {
        let old = vec!["a b"; 1500].join(" ");
        let new = vec!["b c"; 1500].join(" ");
        let typed = typed(&heard(&format!("Hallo {old} Ende")), &format!("Hallo {new} Ende"));
        assert_eq!((typed.typed.len(), typed.typed.contains(&0), typed.typed.contains(&3001)), (3000, false, false));
    }

    proptest! {
        #[test]
        fn every_kept_word_is_as_it_was_and_time_never_runs_back(
            old in prop::collection::vec("[abc]", 0..12), new in prop::collection::vec("[abcd]", 0..12),
        ) {
            let heard = heard(&old.join(" "));
            let typed = typed(&heard, &new.join(" "));
            let words = &typed.transcript.words;
            prop_assert_eq!(typed.transcript.text(), new.join(" "));
            for (at, word) in words.iter().enumerate() {
                prop_assert_eq!(heard.words.contains(word), !typed.typed.contains(&at), "{:?}", word);
            }
            prop_assert!(words.windows(2).all(|pair| pair[0].start_ms <= pair[0].end_ms && pair[0].end_ms <= pair[1].start_ms));
            if old == new {
                prop_assert!(typed.typed.is_empty());
            }
        }
    }
}
