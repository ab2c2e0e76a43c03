//! From what the rules read to what is proven: seconds, probabilities, and whether a consent counts. Pure.

use super::rules::Judgement;
use crate::domain::assessment::{
    Assessment, Consent, ConsentDoubt, Declaration, Finding, Missing, Polarity, Subject, Verdict,
};
use crate::domain::tariff::Tariff;
use crate::domain::transcript::{Transcript, Word};
use std::collections::BTreeSet;
use std::ops::Range;

/// A text with what the rules read in it, and in the second decode.
pub(super) struct Heard<'a> {
    /// What the rules read in the text.
    pub judgement: Judgement,
    /// What they read in the second decode, where there is one.
    pub second: Option<Judgement>,
    /// The words; findings' ranges point into them joined by single blanks.
    pub transcript: &'a Transcript,
}

/// How a consent has to be heard to count.
#[derive(Debug, Clone, Copy)]
pub(super) struct Strictness {
    /// The least probability of its words.
    pub min_probability: f32,
    /// Whether a second decode must agree.
    pub second_wanted: bool,
}

/// The assessment: what was read, with times, and without a consent that is not proven.
pub(super) fn assessment(heard: Heard<'_>, strictness: Strictness, tariff: Tariff) -> Assessment {
    let findings = located(&heard);
    let consent_doubt =
        (heard.judgement.consent == Consent::Full).then(|| doubt_of_consent(&heard, &findings, strictness)).flatten();
    let speech = &heard.transcript.speech;
    let second = heard.second;
    let mut found = without(consent_doubt, Assessment { findings, ..written(heard.judgement, tariff) });
    let spoken_twice = second.as_ref().map(|second| &second.fields.callback);
    doubt_declaration(&mut found, speech);
    found.fields.callback_doubtful |=
        found.fields.callback.is_some() && spoken_twice.is_some_and(|second| *second != found.fields.callback);
    if quieter(found.verdict, found.declaration) && louder_in_second(second.as_ref()) {
        // Two readings: take the one that reaches a human.
        found.verdict = Verdict::Unclear;
    }
    found
}

/// What the recogniser heard without any person's help.
pub(super) struct Alone<'a> {
    /// What is proven by it.
    pub found: &'a Assessment,
    /// Its words.
    pub text: &'a str,
}

/// The assessment of a text that a person typed, by the words of `heard` that are not among `typed` and by what was
/// proven without him. A consent counts only where the recogniser alone proves it, too; any other was heard by the person,
/// inside detected speech at least, or it is nothing.
pub(super) fn corrected(
    heard: Heard<'_>,
    typed: &BTreeSet<usize>,
    alone: &Alone<'_>,
    strictness: Strictness,
    tariff: Tariff,
) -> Assessment {
    let mut findings = located(&heard);
    let by_hand = |finding: &Finding| touched(finding.range, &heard.transcript.words).any(|at| typed.contains(&at));
    // neither a word more nor a word less than the recogniser heard
    let as_heard = |finding: &Finding| !by_hand(finding) && alone.text.contains(&finding.quote);
    let spoken = alone.found.consent == Consent::Full
        && proof(&findings).all(as_heard)
        && doubt_of_consent(&heard, &findings, strictness).is_none();
    let consent_doubt = (heard.judgement.consent == Consent::Full && !spoken)
        .then(|| doubt_of_place(&findings, &heard.transcript.speech).unwrap_or(ConsentDoubt::Heard));
    for finding in &mut findings {
        // what a person typed has no probability
        finding.probability = finding.probability.filter(|_| !by_hand(finding));
    }
    without(consent_doubt, Assessment { findings, ..written(heard.judgement, tariff) })
}

/// An assessment without the consent that is doubted.
fn without(consent_doubt: Option<ConsentDoubt>, mut found: Assessment) -> Assessment {
    if let Some(doubt) = consent_doubt {
        unproven(&mut found, doubt);
        if found.verdict == Verdict::Confirmed {
            found.verdict = Verdict::Incomplete;
        }
    }
    found
}

/// Its consent proves nothing; what that means for the verdict says the caller.
fn unproven(found: &mut Assessment, doubt: ConsentDoubt) {
    found.consent = Consent::Absent;
    found.consent_doubt = Some(doubt);
    for missing in [Missing::Conditions, Missing::Fee] {
        if !found.missing.contains(&missing) {
            found.missing.push(missing);
        }
    }
}

/// Of two hearings of one recording: what the one that counts says (the larger model's, unless it is quieter), and fields that
/// it lacks from the other. A consent that was proven and that the larger model did not hear proves nothing any more,
/// and lowers nothing: a human listens.
pub(super) fn twice(first: Assessment, second: Assessment, second_counts: bool) -> Assessment {
    let not_heard_again = first.consent == Consent::Full && second.consent != Consent::Full;
    let (mut found, other) = if second_counts { (second, first) } else { (first, second) };
    let read = |one: &Assessment| one.fields.callback.clone();
    let differ = read(&found).zip(read(&other)).is_some_and(|(one, other)| one != other);
    found.fields = found.fields.filled_from(other.fields);
    found.fields.callback_doubtful |= differ;
    if not_heard_again {
        unproven(&mut found, ConsentDoubt::SecondHearing);
    }
    found
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
    let consent_doubt = (written.consent == Consent::Full).then_some(ConsentDoubt::NoProof);
    without(consent_doubt, Assessment { fields: written.fields.filled_from(spoken.fields), ..written })
}

fn quieter(verdict: Verdict, declaration: Declaration) -> bool {
    !verdict.wakes() && declaration != Declaration::Denied
}

fn louder_in_second(second: Option<&Judgement>) -> bool {
    second.is_some_and(|second| second.verdict.wakes())
}

/// What a full consent rests on.
fn proof(findings: &[Finding]) -> impl Iterator<Item = &Finding> {
    findings.iter().filter(|finding| {
        matches!(finding.subject, Subject::Conditions | Subject::Fee) && finding.polarity == Polarity::Holds
    })
}

/// A declaration part of which was heard only where nobody speaks is none: an emergency still wakes, but is not confirmed by
/// it; a denial lets nobody sleep.
fn doubt_declaration(found: &mut Assessment, speech: &[(u32, u32)]) {
    let polarity = if found.declaration == Declaration::Denied { Polarity::Denied } else { Polarity::Holds };
    let of = |finding: &&Finding| finding.subject == Subject::Declaration && finding.polarity == polarity;
    let parts = || found.findings.iter().filter(of);
    let spoken = |finding: &Finding| finding.seconds.is_none_or(|seconds| inside(seconds, speech));
    if parts().all(|part| parts().any(|other| other.rule == part.rule && spoken(other))) {
        return;
    }
    match found.declaration {
        Declaration::Absent => return,
        Declaration::Denied => found.verdict = Verdict::Unclear,
        Declaration::Declared => found.missing.insert(0, Missing::Declaration),
        Declaration::Unqualified => {}
    }
    found.declaration = Declaration::Absent;
    if found.verdict == Verdict::Confirmed {
        found.verdict = Verdict::Incomplete;
    }
}

/// Why a full consent does not count; `None` = it is proven.
fn doubt_of_consent(heard: &Heard<'_>, findings: &[Finding], strictness: Strictness) -> Option<ConsentDoubt> {
    if !is_shown(findings) {
        return Some(ConsentDoubt::NoProof);
    }
    match &heard.second {
        Some(second) if second.consent != Consent::Full => return Some(ConsentDoubt::SecondDecode),
        None if strictness.second_wanted => return Some(ConsentDoubt::SecondDecode),
        _ => {}
    }
    let improbable = |probability: f32| probability < strictness.min_probability;
    if proof(findings).any(|finding| finding.probability.is_some_and(improbable)) {
        return Some(ConsentDoubt::Improbable);
    }
    let speech = &heard.transcript.speech;
    let outside = |finding: &Finding| finding.seconds.is_some_and(|seconds| !inside(seconds, speech));
    proof(findings).any(outside).then_some(ConsentDoubt::OutsideSpeech)
}

/// Why the words of a full consent prove nothing by where they lie. Typed words may have no length of their own: then the
/// moment itself must lie where somebody speaks.
fn doubt_of_place(findings: &[Finding], speech: &[(u32, u32)]) -> Option<ConsentDoubt> {
    if !is_shown(findings) {
        return Some(ConsentDoubt::NoProof);
    }
    let lies = |(start, end): (f32, f32)| inside((start, end.max(start + 0.001)), speech);
    let outside = |finding: &Finding| finding.seconds.is_none_or(|seconds| !lies(seconds));
    proof(findings).any(outside).then_some(ConsentDoubt::OutsideSpeech)
}

/// Whether both parts of a consent can be found in the recording.
fn is_shown(findings: &[Finding]) -> bool {
    let shown = |subject| proof(findings).any(|finding| finding.subject == subject && finding.seconds.is_some());
    shown(Subject::Conditions) && shown(Subject::Fee)
}

/// Whether at least half of the stretch lies where somebody speaks.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of a recording of minutes are exact in f32 to a few ms")]
fn inside((start, end): (f32, f32), speech: &[(u32, u32)]) -> bool {
    let seconds = |ms: u32| ms as f32 / 1000.0;
    let covered: f32 =
        speech.iter().map(|&(from, to)| (end.min(seconds(to)) - start.max(seconds(from))).max(0.0)).sum();
    covered * 2.0 >= end - start
}

/// The findings with where in the recording the quoted words are, and how probable the least probable of them is.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of a recording of minutes are exact in f32 to a few ms")]
fn located(heard: &Heard<'_>) -> Vec<Finding> {
    let mut findings = heard.judgement.findings.clone();
    for finding in &mut findings {
        let words = &heard.transcript.words[touched(finding.range, &heard.transcript.words)];
        let (Some(first), Some(last)) = (words.first(), words.last()) else { continue };
        finding.seconds = Some((first.start_ms as f32 / 1000.0, last.end_ms as f32 / 1000.0));
        finding.probability = words.iter().map(|word| word.probability).reduce(f32::min);
    }
    findings
}

/// Which words a byte range of the joined text touches.
fn touched((from, to): (usize, usize), words: &[Word]) -> Range<usize> {
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
    first.map_or(0..0, |first| first..end)
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
        let found = &words[touched((from, text.len()), &words)];
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].text, "Gebühr");
        assert!(touched((text.len(), text.len()), &words).is_empty());
    }

    #[test]
    fn a_stretch_counts_as_speech_when_half_of_it_is() {
        assert!(inside((1.0, 3.0), &[(0, 2000)]));
        assert!(!inside((1.0, 4.0), &[(0, 2000)]));
        assert!(!inside((1.0, 2.0), &[]));
    }
}
