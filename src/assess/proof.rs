//! From what the rules read to what is proven: seconds, probabilities, and whether a consent counts. Pure.

use super::rules::Judgement;
use crate::domain::assessment::{
    Assessment, Consent, ConsentDoubt, Declaration, Finding, Missing, Polarity, Subject, Verdict,
};
use crate::domain::tariff::Tariff;
use crate::domain::transcript::{Transcript, Word};

/// A text with what the rules read in it, and in the second decode.
pub(super) struct Heard<'a> {
    /// What the rules read in the text.
    pub judgement: Judgement,
    /// What they read in the second decode, where there is one.
    pub second: Option<Judgement>,
    /// The words; findings' ranges point into them joined by single blanks.
    pub transcript: &'a Transcript,
}

/// The assessment: what was read, with times, and without a consent that is not proven.
pub(super) fn assessment(heard: Heard<'_>, min_probability: f32, second_wanted: bool, tariff: Tariff) -> Assessment {
    let mut findings = heard.judgement.findings.clone();
    for finding in &mut findings {
        locate(finding, heard.transcript);
    }
    let consent_doubt = (heard.judgement.consent == Consent::Full)
        .then(|| doubt_of_consent(&heard, &findings, min_probability, second_wanted))
        .flatten();
    let mut fields = heard.judgement.fields;
    let spoken_twice = heard.second.as_ref().map(|second| &second.fields.callback);
    fields.callback_doubtful |=
        fields.callback.is_some() && spoken_twice.is_some_and(|second| *second != fields.callback);
    let mut missing = heard.judgement.missing;
    let mut verdict = heard.judgement.verdict;
    let mut consent = heard.judgement.consent;
    if consent_doubt.is_some() {
        consent = Consent::Absent;
        missing.extend([Missing::Conditions, Missing::Fee]);
        if verdict == Verdict::Confirmed {
            verdict = Verdict::Incomplete;
        }
    }
    if quieter(verdict, heard.judgement.declaration) && louder_in_second(heard.second.as_ref()) {
        // Two readings: take the one that reaches a human.
        verdict = Verdict::Unclear;
    }
    Assessment {
        verdict,
        declaration: heard.judgement.declaration,
        consent,
        consent_doubt,
        urgent: heard.judgement.urgent,
        findings,
        fields,
        missing,
        tariff,
        language: heard.judgement.language,
        remark: None,
        rules: heard.judgement.rules,
    }
}

/// The assessment of a mail: typed words prove themselves, there is no sound to doubt.
pub(super) fn written(judgement: Judgement, tariff: Tariff) -> Assessment {
    Assessment {
        verdict: judgement.verdict,
        declaration: judgement.declaration,
        consent: judgement.consent,
        consent_doubt: None,
        urgent: judgement.urgent,
        findings: judgement.findings,
        fields: judgement.fields,
        missing: judgement.missing,
        tariff,
        language: judgement.language,
        remark: None,
        rules: judgement.rules,
    }
}

/// Of a recording and the mail it came in the louder one counts, its fields filled from the other. A mail beside a recording
/// may quote somebody else: its consent is no proof, a human looks.
pub(super) fn louder(spoken: Assessment, written: Assessment) -> Assessment {
    if written.verdict.rank() <= spoken.verdict.rank() {
        return Assessment { fields: spoken.fields.filled_from(written.fields), ..spoken };
    }
    let mut written = Assessment { fields: written.fields.filled_from(spoken.fields), ..written };
    if written.consent == Consent::Full {
        written.consent = Consent::Absent;
        written.consent_doubt = Some(ConsentDoubt::NoProof);
        written.missing.extend([Missing::Conditions, Missing::Fee]);
        if written.verdict == Verdict::Confirmed {
            written.verdict = Verdict::Incomplete;
        }
    }
    written
}

fn quieter(verdict: Verdict, declaration: Declaration) -> bool {
    !verdict.wakes() && declaration != Declaration::Denied
}

fn louder_in_second(second: Option<&Judgement>) -> bool {
    second.is_some_and(|second| second.verdict.wakes())
}

/// Why a full consent does not count; `None` = it is proven.
fn doubt_of_consent(
    heard: &Heard<'_>,
    findings: &[Finding],
    min_probability: f32,
    second_wanted: bool,
) -> Option<ConsentDoubt> {
    let proof = || {
        findings.iter().filter(|finding| {
            matches!(finding.subject, Subject::Conditions | Subject::Fee) && finding.polarity == Polarity::Holds
        })
    };
    let shown = |subject| proof().any(|finding| finding.subject == subject && finding.seconds.is_some());
    if !shown(Subject::Conditions) || !shown(Subject::Fee) {
        return Some(ConsentDoubt::NoProof);
    }
    match &heard.second {
        Some(second) if second.consent != Consent::Full => return Some(ConsentDoubt::SecondDecode),
        None if second_wanted => return Some(ConsentDoubt::SecondDecode),
        _ => {}
    }
    if proof().any(|finding| finding.probability.is_some_and(|probability| probability < min_probability)) {
        return Some(ConsentDoubt::Improbable);
    }
    let speech = &heard.transcript.speech;
    if proof().any(|finding| finding.seconds.is_some_and(|seconds| !inside(seconds, speech))) {
        return Some(ConsentDoubt::OutsideSpeech);
    }
    None
}

/// Whether at least half of the stretch lies where somebody speaks.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of a recording of minutes are exact in f32 to a few ms")]
fn inside((start, end): (f32, f32), speech: &[(u32, u32)]) -> bool {
    let seconds = |ms: u32| ms as f32 / 1000.0;
    let covered: f32 =
        speech.iter().map(|&(from, to)| (end.min(seconds(to)) - start.max(seconds(from))).max(0.0)).sum();
    covered * 2.0 >= end - start
}

/// Fills in where in the recording the quoted words are, and how probable the least probable of them is.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of a recording of minutes are exact in f32 to a few ms")]
fn locate(finding: &mut Finding, transcript: &Transcript) {
    let words = words_of(finding.range, &transcript.words);
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return };
    finding.seconds = Some((first.start_ms as f32 / 1000.0, last.end_ms as f32 / 1000.0));
    finding.probability = words.iter().map(|word| word.probability).reduce(f32::min);
}

/// The words that a byte range of the joined text touches.
fn words_of((from, to): (usize, usize), words: &[Word]) -> &[Word] {
    let mut at = 0;
    let mut first = None;
    let mut end = 0;
    for (index, word) in words.iter().enumerate() {
        let (start, stop) = (at, at + word.text.len());
        if start < to && from < stop {
            first.get_or_insert(index);
            end = index + 1;
        }
        at = stop + 1;
    }
    first.map_or(&[], |first| &words[first..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(texts: &[&str]) -> Vec<Word> {
        let word = |(index, text): (usize, &&str)| {
            let start_ms = u32::try_from(index).unwrap() * 500;
            Word { text: (*text).to_owned(), start_ms, end_ms: start_ms + 400, probability: 0.9 }
        };
        texts.iter().enumerate().map(word).collect()
    }

    #[test]
    fn a_quote_is_found_among_the_words_by_its_bytes() {
        let words = words(&["Mit", "der", "Gebühr", "einverstanden."]);
        let text = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
        let from = text.find("Gebühr").unwrap();
        let found = words_of((from, text.len()), &words);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].text, "Gebühr");
        assert!(words_of((text.len(), text.len()), &words).is_empty());
    }

    #[test]
    fn a_stretch_counts_as_speech_when_half_of_it_is() {
        assert!(inside((1.0, 3.0), &[(0, 2000)]));
        assert!(!inside((1.0, 4.0), &[(0, 2000)]));
        assert!(!inside((1.0, 2.0), &[]));
    }
}
