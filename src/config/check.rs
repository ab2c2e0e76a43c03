//! Values that parse but make no sense, each complaint with its key and the remedy.

use super::{Settings, Technician};
use crate::domain::phone;
use std::collections::HashSet;

/// A name stands in a button's data, 64 bytes at most with what else is in it.
const LONGEST_NAME: usize = 40;

/// All complaints at once.
pub(super) fn complaints(settings: &Settings) -> Vec<String> {
    let mut wrong = Vec::new();
    wrong.extend(settings.hours.parsed().err());
    wrong.extend(settings.terms.fee_cents().err());
    people(settings, &mut wrong);
    chats(settings, &mut wrong);
    super::roster::complaints(settings, &mut wrong);
    policies(settings, &mut wrong);
    super::sources::complaints(&settings.sources, &mut wrong);
    super::smtp::complain(settings.smtp.as_ref(), &mut wrong);
    super::channels::complaints(settings, &mut wrong);
    super::heartbeat::complain(settings.heartbeat.as_ref(), &mut wrong);
    super::watch::complaints(settings, &mut wrong);
    super::receipt::complaints(settings, &mut wrong);
    super::retention::complaints(settings, &mut wrong);
    super::push::complain(settings.push.as_ref(), &settings.sources, &mut wrong);
    super::web::complain(settings.web.as_ref(), &mut wrong);
    limits(settings, &mut wrong);
    wrong
}

fn people(settings: &Settings, wrong: &mut Vec<String>) {
    let mut names = HashSet::new();
    for technician in &settings.technicians {
        if matches!(technician.name.as_str(), "duty" | "backup" | "everyone" | "office" | "last_resort" | "") {
            wrong.push(format!("technicians.name: {:?} has a meaning of its own; use another name", technician.name));
        }
        if technician.name.len() > LONGEST_NAME || technician.name.contains(char::is_control) {
            wrong.push(format!(
                "technicians.name: {:?} does not fit onto a button; use at most {LONGEST_NAME} bytes",
                technician.name
            ));
        }
        if !names.insert(technician.name.as_str()) {
            wrong.push(format!("technicians.name: {:?} stands twice", technician.name));
        }
    }
}

/// A chat that is nobody's, or a press that could be two people's.
fn chats(settings: &Settings, wrong: &mut Vec<String>) {
    let (mut chats, mut users) = (HashSet::new(), HashSet::new());
    for Technician { name, telegram_chat: chat, telegram_user: user, .. } in &settings.technicians {
        let remedy = format!("leave it out and pair the phone: `nachtwache technician invite {name}`");
        if *chat == Some(0) {
            wrong.push(format!("technicians.telegram_chat: 0 is no chat ({name}); {remedy}"));
        }
        if user.is_some_and(|user| user <= 0) {
            wrong.push(format!("technicians.telegram_user: no user has such a number ({name}); {remedy}"));
        }
        if chat.is_some_and(|chat| chat < 0) && user.is_none() {
            wrong.push(format!(
                "technicians.telegram_chat: a negative number is a group ({name}); add his telegram_user, or {remedy}"
            ));
        }
        if chat.is_some_and(|chat| !chats.insert(chat)) {
            wrong.push(format!("technicians.telegram_chat: another technician has the same ({name}); {remedy}"));
        } else if user.or(*chat).is_some_and(|user| !users.insert(user)) {
            wrong.push(format!("technicians.telegram_user: another technician has the same ({name}); {remedy}"));
        }
    }
    if settings.office.as_ref().is_some_and(|office| office.telegram_chat == 0) {
        wrong.push("office.telegram_chat: 0 is no chat; write the number of the group, or delete [office]".into());
    }
}

fn policies(settings: &Settings, wrong: &mut Vec<String>) {
    let Ok(hours) = settings.hours.parsed() else { return };
    wrong.extend(settings.escalation.complaints(hours.zone));
    let special = ["duty", "backup", "everyone", "office", "last_resort"];
    for word in settings.escalation.policies.iter().flat_map(|policy| &policy.steps).flat_map(|step| &step.tell) {
        let known = special.contains(&word.as_str()) || settings.technicians.iter().any(|one| one.name == *word);
        // without technicians `transcribe`, `assess` and `models` work all the same; `run` and `check` say so
        if !known && !settings.technicians.is_empty() {
            wrong.push(format!(
                "escalation.policies.steps.tell: {word:?} is nobody: use {} or a technician's name",
                special.join(", ")
            ));
        }
    }
    wrong.dedup();
}

fn limits(settings: &Settings, wrong: &mut Vec<String>) {
    let transcribe = &settings.transcribe;
    let mut range = |key: &str, value: u64, from: u64, to: u64| {
        if !(from..=to).contains(&value) {
            wrong.push(format!("{key}: {value} is not between {from} and {to}"));
        }
    };
    range("intake.max_mib", settings.intake.max_mib, 1, 200);
    range("intake.unreachable_after_min", settings.intake.unreachable_after_min, 1, 1440);
    range("transcribe.limit_min_s", transcribe.limit_min_s, 5, 3600);
    range("transcribe.limit_factor", u64::from(transcribe.limit_factor), 1, 100);
    range("transcribe.silence_limit_s", transcribe.silence_limit_s, 5, 3600);
    range("transcribe.idle_after_min", transcribe.idle_after_min, 1, 1440);
    range("transcribe.states", u64::from(transcribe.states), 0, 8);
    range("transcribe.threads", u64::from(transcribe.threads), 0, 64);
    range("terms.vat_percent", u64::from(settings.terms.vat_percent), 0, 100);
    range("terms.surcharge_percent", u64::from(settings.terms.surcharge_percent), 0, 200);
    range("terms.reaction_hours", u64::from(settings.terms.reaction_hours), 1, 720);
    range("escalation.unheard_after_s", settings.escalation.unheard_after_s, 10, 600);
    let escalation = &settings.escalation;
    range("escalation.join_within_h", u64::from(escalation.join_within_h), 0, 168);
    range("escalation.eta_min", u64::from(escalation.eta_min), 5, 240);
    range("escalation.resume_after_min", u64::from(escalation.resume_after_min), 1, 120);
    range("escalation.offer_min", u64::from(escalation.offer_min), 1, 60);
    range("escalation.unclosed_after_h", u64::from(escalation.unclosed_after_h), 1, 168);
    range("escalation.late_after_min", u64::from(escalation.late_after_min), 1, 60);
    let ready = settings.roster.ready_before_min;
    if ready > 0 {
        range("roster.ready_before_min", u64::from(ready), 16, 720);
    }
    for row in &escalation.policies {
        range("escalation.policies.second_after_min", u64::from(row.second_after_min), 0, 60);
    }
    range("telegram.down_after_s", settings.telegram.down_after_s, 30, 600);
    if transcribe.confirm_model.as_ref() == Some(&transcribe.model) {
        wrong.push("transcribe.confirm_model: it is transcribe.model itself; name a larger one, or delete it".into());
    }
    if transcribe.language.len() != 2 {
        wrong.push(format!("transcribe.language: {:?} is no ISO 639-1 code; write e.g. \"de\"", transcribe.language));
    }
    for number in &settings.terms.own_numbers {
        if phone::e164(number).as_ref() != Some(number) {
            wrong.push(format!("terms.own_numbers: {number:?} is no number in the form +4997219782362"));
        }
    }
    if !(0.0..=1.0).contains(&settings.assess.min_probability) {
        wrong.push(format!("assess.min_probability: {} is not between 0 and 1", settings.assess.min_probability));
    }
    if !settings.telegram.api_url.starts_with("http") {
        wrong.push(format!("telegram.api_url: {:?} is no http(s) address", settings.telegram.api_url));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(text: &str) -> String {
        Settings::parse(text).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_chat_that_is_nobodys_or_anothers_is_refused() {
        let two = |anna: &str, bernd: &str| {
            complaint(&format!(
                "[[technicians]]\nname = \"Anna\"\n{anna}\n[[technicians]]\nname = \"Bernd\"\n{bernd}\n"
            ))
        };
        assert_eq!(two("telegram_chat = 1", "telegram_chat = -7\ntelegram_user = 2"), "");
        assert_eq!(two("", ""), "");
        for (anna, bernd, key) in [
            ("telegram_chat = 0", "", "technicians.telegram_chat: 0"),
            ("telegram_chat = -7", "", "technicians.telegram_chat: a negative"),
            ("telegram_chat = 1\ntelegram_user = 0", "", "technicians.telegram_user"),
            ("telegram_user = -1", "", "technicians.telegram_user"),
            ("telegram_chat = 1", "telegram_chat = 1", "technicians.telegram_chat: another"),
            ("telegram_chat = 1", "telegram_chat = 2\ntelegram_user = 1", "technicians.telegram_user: another"),
            ("telegram_user = 1", "telegram_user = 1", "technicians.telegram_user: another"),
        ] {
            let told = two(anna, bernd);
            assert!(told.contains(key) && told.contains("technician invite"), "{key}: {told:?}");
        }
        assert!(complaint("[office]\ntelegram_chat = 0\n").contains("office.telegram_chat"));
    }
}
