//! From lines to steps.

/// One story.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) name: String,
    pub(crate) line: usize,
    /// Local time in Berlin, "2026-11-21 22:14".
    pub(crate) night: String,
    /// Names, "+push" behind those with a second way, "-push" behind those with that alone.
    pub(crate) people: Vec<String>,
    pub(crate) settings: String,
    pub(crate) steps: Vec<Step>,
}

/// One line.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) line: usize,
    pub(crate) text: String,
    /// Seconds since the beginning.
    pub(crate) at: i64,
    pub(crate) what: What,
}

/// How somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// An alert that rings.
    Loudly,
    /// Something that does not.
    Silently,
    /// The time to call back has passed.
    Reminded,
    /// To take a case over.
    Asked,
    /// Several cases at once.
    List,
    /// By the second way.
    Push,
}

/// What happens, or must be so.
#[derive(Debug)]
pub(crate) enum What {
    Says { text: String, line: Option<String> },
    Leaves,
    WordsArrive(String),
    Presses { who: String, label: String, case: Option<i64>, office: bool },
    PressesOld { who: String, data: String },
    AtOnce { one: String, other: String, label: String },
    Writes { who: String, text: String },
    Speaks(String),
    Block(Vec<String>),
    Telegram(String),
    PushRefuses,
    Stops,
    Starts,
    Clock(i64),
    Instead { who: String, of: String, until: i64 },
    Away { who: String, until: i64 },
    Told { who: String, how: How },
    NotTold(String),
    Times { who: String, count: usize },
    Nothing,
    Shows { who: String, text: String, yes: bool },
    Hears { who: String, text: String },
    Case { case: i64, is: String },
    Charge(bool),
}

pub(crate) const PEOPLE: [&str; 4] = ["anna", "bernd", "clara", "office"];

impl Story {
    pub(crate) fn parse_all(text: &str) -> Result<Vec<Self>, String> {
        let mut stories: Vec<Self> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let (number, line) = (index + 1, line.trim());
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(name) = line.strip_prefix("story ") {
                stories.push(Self {
                    name: name.to_owned(),
                    line: number,
                    night: "2026-11-21 22:14".into(),
                    people: PEOPLE.map(str::to_owned).into(),
                    settings: String::new(),
                    steps: Vec::new(),
                });
                continue;
            }
            let story = stories.last_mut().ok_or_else(|| format!("line {number}: no story has begun"))?;
            story.take(number, line).map_err(|why| format!("line {number}: {why}"))?;
        }
        Ok(stories)
    }

    fn take(&mut self, number: usize, line: &str) -> Result<(), String> {
        if let Some(night) = line.strip_prefix("night ") {
            night.clone_into(&mut self.night);
        } else if let Some(people) = line.strip_prefix("people ") {
            self.people = people.split_whitespace().map(str::to_owned).collect();
        } else if let Some(setting) = line.strip_prefix('|') {
            self.settings.push_str(setting.trim());
            self.settings.push('\n');
        } else {
            let (at, what) = if let Some(time) = line.strip_prefix("nothing until ") {
                (time_of(time)?, What::Nothing)
            } else {
                let rest = line.strip_prefix("at ").ok_or_else(|| format!("no step: {line}"))?;
                let (time, rest) = rest.split_once(' ').ok_or_else(|| format!("no step: {line}"))?;
                (time_of(time)?, what_of(rest)?)
            };
            if self.steps.last().is_some_and(|last| last.at > at) {
                return Err("time does not go back".into());
            }
            self.steps.push(Step { line: number, text: line.to_owned(), at, what });
        }
        Ok(())
    }
}

/// "1:05", "1:05:30" in seconds.
fn time_of(text: &str) -> Result<i64, String> {
    let parts: Option<Vec<i64>> = text.split(':').map(|part| part.parse().ok()).collect();
    match parts.as_deref() {
        Some([hours, minutes]) => Ok(hours * 3600 + minutes * 60),
        Some([hours, minutes, seconds]) => Ok(hours * 3600 + minutes * 60 + seconds),
        _ => Err(format!("no time: {text}")),
    }
}

fn what_of(text: &str) -> Result<What, String> {
    if let Some(found) = around(text)? {
        return Ok(found);
    }
    let (who, rest) = text.split_once(' ').ok_or_else(|| format!("no step: {text}"))?;
    if ["the", "a", "case"].contains(&who) {
        return Err(format!("no step: {text}"));
    }
    let unknown = || format!("no step: {text}");
    if !PEOPLE.contains(&who) {
        return Err(format!("nobody is called {who}"));
    }
    by_person(who, rest)?.ok_or_else(unknown)
}

/// What is not somebody's doing.
fn around(text: &str) -> Result<Option<What>, String> {
    let telegram = text.strip_prefix("telegram ").map(|how| What::Telegram(how.to_owned()));
    if telegram.is_some() {
        return Ok(telegram);
    }
    if let Some(rest) = text.strip_prefix("a caller says ") {
        let (text, line) = rest.split_once(" on line ").map_or((rest, None), |(text, line)| (text, Some(line.into())));
        return Ok(Some(What::Says { text: said(text)?, line }));
    }
    if let Some(words) = text.strip_prefix("the words arrive: ") {
        return Ok(Some(What::WordsArrive(said(words)?)));
    }
    if let Some(minutes) = text.strip_prefix("the clock is set by ").and_then(|rest| rest.strip_suffix(" min")) {
        return minutes.parse().map(|minutes| Some(What::Clock(minutes))).map_err(|_| format!("no number: {minutes}"));
    }
    if let Some((case, is)) = text.strip_prefix("case ").and_then(|rest| rest.split_once(" is ")) {
        let case = case.parse().map_err(|_| format!("no number: {case}"))?;
        return Ok(Some(What::Case { case, is: is.to_owned() }));
    }
    if let Some(is) = text.strip_prefix("the case is ") {
        return Ok(Some(What::Case { case: 1001, is: is.to_owned() }));
    }
    Ok(Some(match text {
        "a caller leaves a message" => What::Leaves,
        "everybody blocks the bot" => What::Block(PEOPLE.map(str::to_owned).into()),
        "the push refuses" => What::PushRefuses,
        "the service stops" => What::Stops,
        "the service starts" => What::Starts,
        "a charge is proposed" => What::Charge(true),
        "no charge is proposed" => What::Charge(false),
        _ => return Ok(None),
    }))
}

fn by_person(who: &str, rest: &str) -> Result<Option<What>, String> {
    let name = || who.to_owned();
    let how = match rest {
        "is told loudly" => Some(How::Loudly),
        "is told silently" => Some(How::Silently),
        "is reminded" => Some(How::Reminded),
        "is asked" => Some(How::Asked),
        "is told in a list" => Some(How::List),
        "is told by push" => Some(How::Push),
        _ => None,
    };
    if let Some(how) = how {
        return Ok(Some(What::Told { who: name(), how }));
    }
    if let Some(rest) = rest.strip_prefix("presses ") {
        return Ok(Some(press(who, rest)?));
    }
    if let Some((other, label)) = rest.strip_prefix("and ").and_then(|rest| rest.split_once(" at once press ")) {
        return Ok(Some(What::AtOnce { one: name(), other: known(other)?, label: label.to_owned() }));
    }
    if let Some(rest) = rest.strip_prefix("stands in for ") {
        let (of, until) = rest.split_once(" until ").ok_or("until when?")?;
        return Ok(Some(What::Instead { who: name(), of: known(of)?, until: time_of(until)? }));
    }
    if let Some(until) = rest.strip_prefix("is away until ") {
        return Ok(Some(What::Away { who: name(), until: time_of(until)? }));
    }
    if let Some(count) = rest.strip_prefix("was told loudly ").and_then(|rest| rest.strip_suffix(" times")) {
        let count = count.parse().map_err(|_| format!("no number: {count}"))?;
        return Ok(Some(What::Times { who: name(), count }));
    }
    let quoted = [("writes ", 0), ("shows ", 1), ("does not show ", 2), ("hears ", 3)];
    for (verb, kind) in quoted {
        let Some(text) = rest.strip_prefix(verb) else { continue };
        let text = text.trim_matches('"').to_owned();
        return Ok(Some(match kind {
            0 => What::Writes { who: name(), text },
            1 | 2 => What::Shows { who: name(), text, yes: kind == 1 },
            _ => What::Hears { who: name(), text },
        }));
    }
    Ok(match rest {
        "says a note" => Some(What::Speaks(name())),
        "blocks the bot" => Some(What::Block(vec![name()])),
        "was never told loudly" => Some(What::NotTold(name())),
        _ => None,
    })
}

fn press(who: &str, rest: &str) -> Result<What, String> {
    if let Some(data) = rest.strip_prefix("the old ") {
        return Ok(What::PressesOld { who: who.to_owned(), data: data.to_owned() });
    }
    let (rest, office) = rest.strip_suffix(" in the office").map_or((rest, false), |rest| (rest, true));
    let (label, case) = match rest.split_once(" of case ") {
        Some((label, case)) => (label, Some(case.parse().map_err(|_| format!("no number: {case}"))?)),
        None => (rest, None),
    };
    Ok(What::Presses { who: who.to_owned(), label: label.to_owned(), case, office })
}

fn known(who: &str) -> Result<String, String> {
    PEOPLE.contains(&who).then(|| who.to_owned()).ok_or_else(|| format!("nobody is called {who}"))
}

/// What a caller says: one of the usual messages, or his own words.
fn said(text: &str) -> Result<String, String> {
    use crate::world::{EMERGENCY, NO_EMERGENCY};
    const WITHOUT_CONSENT: &str = "Hier Dirk Rossmeisl, Firma Rossmeisl Elektrotechnik. Wir haben einen unternehmenskritischen \
         Notfall, das Internet ist komplett ausgefallen, der Betrieb steht. Rückruf 0171 3920020.";
    Ok(match text {
        "emergency" => EMERGENCY.to_owned(),
        "another emergency" => EMERGENCY
            .replace("Dirk Rossmeisl", "Klara Vogt")
            .replace("Rossmeisl Elektrotechnik", "Vogt Blechtechnik")
            .replace("3920020", "3920031")
            .replace("Das Internet ist", "Der Mailserver ist"),
        "emergency without consent" => WITHOUT_CONSENT.to_owned(),
        "no emergency" => NO_EMERGENCY.to_owned(),
        own if own.starts_with('"') => own.trim_matches('"').to_owned(),
        other => return Err(format!("no message: {other}")),
    })
}
