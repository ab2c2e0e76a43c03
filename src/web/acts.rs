//! What a visitor may do with a case now, as forms. The same words as in the buttons' data: one operation behind every door.

use crate::acknowledge::{PageActor, minutes_until};
use crate::domain::act::Act;
use crate::domain::case::{Case, CaseId, CaseState, Reason};
use crate::wording;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::Deserialize;

/// The times that have a button, in minutes.
const TIMES: [u32; 3] = [15, 30, 60];
/// Longer reasons are cut.
const LONGEST: usize = 2000;

/// What may be done.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Acts {
    /// What comes first, as big buttons.
    pub(super) first: Vec<Button>,
    /// When the customer is called back.
    pub(super) times: Vec<Button>,
    /// What stands in the form for another time.
    pub(super) own_time: Option<String>,
    pub(super) rest: Vec<Button>,
    /// To whom it may be handed over: name and data.
    pub(super) colleagues: Vec<(String, String)>,
    /// Why it is no emergency: reason and data.
    pub(super) reasons: Vec<(String, String)>,
}

/// One button.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Button {
    pub(super) label: String,
    pub(super) data: String,
    pub(super) class: &'static str,
    /// Asked before it is sent; nothing where it can be taken back.
    pub(super) ask: &'static str,
}

/// The fields of an act's form.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fields {
    /// The act, as in a button's data.
    tat: String,
    /// Another time, as people write it.
    zeit: Option<String>,
    /// A reason in one's own words.
    grund: Option<String>,
}

impl Fields {
    /// Which act with this case is meant; or what is wrong.
    pub(super) fn act(&self, case: CaseId, now: DateTime<Utc>, zone: Tz) -> Result<Act, &'static str> {
        let (act, of) = Act::parse(&self.tat).ok_or("Diesen Knopf gibt es nicht (mehr). Laden Sie die Seite neu.")?;
        if of != case {
            return Err("Dieser Knopf gehört zu einem anderen Vorgang. Laden Sie die Seite neu.");
        }
        let said = |text: &Option<String>| -> Option<String> {
            let text =
                text.as_deref()?.trim().chars().filter(|letter| *letter != '\0').take(LONGEST).collect::<String>();
            (!text.is_empty()).then_some(text)
        };
        match act {
            Act::Eta(_) if self.zeit.is_some() => {
                Ok(Act::Eta(said(&self.zeit).and_then(|time| minutes_until(&time, now, zone)).unwrap_or(0)))
            }
            Act::NoEmergency(Reason::Other(_)) => {
                let reason = said(&self.grund).ok_or("Bitte schreiben Sie den Grund dazu.")?;
                Ok(Act::NoEmergency(Reason::Other(reason)))
            }
            act => Ok(act),
        }
    }
}

/// What `actor` may do now; `joined` reports joined the case, `colleagues` can be asked.
pub(super) fn acts(case: &Case, joined: usize, colleagues: &[String], actor: &PageActor, now: DateTime<Utc>) -> Acts {
    let may = |act: &Act| actor.may(act, case, now).is_ok();
    let button = |act: Act, class, ask| {
        may(&act).then(|| Button { label: wording::button(&act), data: act.data(case.id), class, ask })
    };
    let plain = |act| button(act, "", "");
    let step = u32::try_from(case.progress.steps_begun).unwrap_or(u32::MAX);
    let joined = u32::try_from(joined).unwrap_or(u32::MAX);
    let first = [
        button(Act::Take, "primary big", ""),
        button(Act::Accept, "primary big", ""),
        button(Act::Decline, "big", ""),
        button(Act::CalledBack, "primary", ""),
        button(Act::Done, "", "Den Vorgang als erledigt beenden?"),
    ];
    let rest = [
        plain(Act::Consent(true)),
        plain(Act::Consent(false)),
        // whoever has it gives it back
        plain(Act::Pass(step)).filter(|_| case.state == CaseState::Open),
        button(Act::GiveBack, "", "Zurückgeben? Die Eskalation läuft dann weiter."),
        (joined > 0)
            .then(|| button(Act::Split(joined), "", "Die letzte Nachricht wird ein eigener Vorgang."))
            .flatten(),
    ];
    let times = TIMES.map(|minutes| button(Act::Eta(minutes), "", ""));
    let reasons = Reason::NAMED.into_iter().filter(|why| may(&Act::NoEmergency(why.clone())));
    let mut reasons: Vec<(String, String)> =
        reasons.map(|why| (wording::reason(&why), Act::NoEmergency(why).data(case.id))).collect();
    if !reasons.is_empty() {
        reasons.push((wording::other().to_owned(), Act::NoEmergency(Reason::Other(String::new())).data(case.id)));
    }
    let hand = |name: &String| {
        let act = Act::HandOver(name.clone());
        may(&act).then(|| (name.clone(), act.data(case.id)))
    };
    Acts {
        first: first.into_iter().flatten().collect(),
        own_time: may(&Act::Eta(TIMES[0])).then(|| Act::Eta(0).data(case.id)),
        times: times.into_iter().flatten().collect(),
        rest: rest.into_iter().flatten().collect(),
        colleagues: colleagues.iter().filter_map(hand).collect(),
        reasons,
    }
}

impl Acts {
    /// Whether anything may be done.
    pub(super) fn any(&self) -> bool {
        *self != Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::assessment::Verdict;
    use crate::domain::report::ReportId;
    use chrono_tz::Europe::Berlin;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn case(state: CaseState, by: Option<&str>) -> Case {
        let opened = Case::opened(CaseId(1001), ReportId::fresh(), Verdict::Confirmed, false, NOW);
        Case { state, taken_by: by.map(str::to_owned), ..opened }
    }

    fn actor(name: &str, stands_in: bool) -> PageActor {
        PageActor { name: name.into(), stands_in }
    }

    fn labels(acts: &Acts) -> Vec<&str> {
        acts.first.iter().chain(&acts.rest).map(|button| button.label.as_str()).collect()
    }

    #[test]
    fn only_what_is_allowed_now_is_offered() {
        let people = ["Anna".to_owned(), "Bernd".to_owned()];
        let open = acts(&case(CaseState::Open, None), 0, &people, &actor("Anna", false), NOW);
        assert_eq!(labels(&open), ["Übernehmen", "Weitergeben"]);
        assert!(open.own_time.is_none() && open.colleagues.is_empty() && open.reasons.len() == 6);
        let taken = case(CaseState::Taken, Some("Anna"));
        let hers = acts(&taken, 1, &people, &actor("Anna", false), NOW);
        let expected = [
            "Rückruf erfolgt",
            "Erledigt",
            "Zustimmung erhalten",
            "Zustimmung abgelehnt",
            "Zurückgeben",
            "Gehört nicht dazu",
        ];
        assert_eq!(labels(&hers), expected);
        assert_eq!(hers.colleagues, [("Bernd".to_owned(), "hand:1001:Bernd".to_owned())]);
        assert!(!acts(&taken, 1, &people, &actor("Bernd", false), NOW).any(), "it is hers");
        assert_eq!(labels(&acts(&taken, 1, &people, &actor("Petra", true), NOW)), expected, "the office stands in");
        let closed = case(CaseState::Closed, Some("Anna"));
        assert!(!acts(&closed, 0, &people, &actor("Anna", false), NOW).any());
        let consents = ["Zustimmung erhalten", "Zustimmung abgelehnt"];
        assert_eq!(labels(&acts(&closed, 0, &people, &actor("Petra", true), NOW)), consents, "the office asks later");
    }

    #[test]
    fn a_form_means_one_act_with_this_case_only() {
        let act = |tat: &str, zeit: Option<&str>, grund: Option<&str>| {
            let fields = Fields { tat: tat.into(), zeit: zeit.map(str::to_owned), grund: grund.map(str::to_owned) };
            fields.act(CaseId(1001), NOW, Berlin).ok()
        };
        assert_eq!(act("take:1001", None, None), Some(Act::Take));
        assert_eq!(act("take:1002", None, None), None, "another case");
        assert_eq!(act("drop:1001", None, None), None);
        assert_eq!(act("eta:1001:0", Some("45"), None), Some(Act::Eta(45)));
        assert_eq!(act("eta:1001:0", Some("bald"), None), Some(Act::Eta(0)), "refused by the case, with what to write");
        assert_eq!(act("none:1001:misdial", None, Some("")), Some(Act::NoEmergency(Reason::Misdial)));
        assert_eq!(act("none:1001:other:", None, Some(" ")), None);
        let other = Act::NoEmergency(Reason::Other("nur ein Test".into()));
        assert_eq!(act("none:1001:other:", None, Some("nur ein Test")), Some(other));
    }
}
