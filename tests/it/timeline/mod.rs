//! Stories as time-lines: one step a line, told against the real store, planner, senders, listener and rules, with phones and
//! webhooks faked at the wire. Covers F-07, F-20 to F-22, F-24, F-80, F-82, F-83, F-85, F-87, F-88, F-93 and I2 to I6, I12.
//!
//! ```text
//! story Taken and forgotten
//! people anna bernd clara office            (anna+push: with a second way, anna-push: with that alone)
//! night 2026-11-21 22:14                    (local time in Berlin)
//! | [roster]                                (more settings, as they are)
//! at 0:00 a caller says emergency
//! at 0:00 anna is told loudly
//! at 0:07 anna presses Übernehmen
//! nothing until 0:37
//! at 0:37 anna is reminded
//! ```
//!
//! Times are hours:minutes (and :seconds) since the beginning of the story. `at` first lets everything happen that falls due
//! until then. `nothing until T`: after the moment of the step before and before T nobody was told aloud, by no way. What
//! the parser (`parse`) does not know is an error with its line; a step that fails shows what really happened.

mod parse;
mod play;

use parse::Story;
use play::Play;

async fn tell(file: &str, text: &str) {
    let stories = Story::parse_all(text).unwrap_or_else(|wrong| panic!("{file}: {wrong}"));
    let mut wrong = Vec::new();
    for story in &stories {
        if let Err(why) = Play::of(story).await {
            wrong.push(format!("{file}, line {}: story {}\n{why}", story.line, story.name));
        }
    }
    assert!(wrong.is_empty(), "{} of {} stories fail:\n\n{}", wrong.len(), stories.len(), wrong.join("\n\n"));
}

macro_rules! stories {
    ($($name:ident)+) => {
        $(#[tokio::test]
        async fn $name() {
            tell(stringify!($name), include_str!(concat!("stories/", stringify!($name), ".txt"))).await;
        })+

        const ALL: &[&str] = &[$(include_str!(concat!("stories/", stringify!($name), ".txt"))),+];
    };
}

stories! { taken handed_over roster clocks ways silence presses words }

#[test]
fn there_are_forty_stories_and_more() {
    let count: usize = ALL.iter().map(|text| Story::parse_all(text).unwrap().len()).sum();
    assert!(count >= 40, "{count}");
}

#[test]
fn what_is_no_step_is_refused_with_its_line() {
    for (text, why) in [
        ("story A\nat 0:00 anna sleeps", "line 2: no step: anna sleeps"),
        ("story A\nat 0:7x anna is told loudly", "line 2: no time: 0:7x"),
        ("story A\nat 0:00 dora is told loudly", "line 2: nobody is called dora"),
        ("story A\nat 0:05 anna is told loudly\nat 0:04 anna is told loudly", "line 3: time does not go back"),
        ("at 0:00 anna is told loudly", "line 1: no story has begun"),
        ("story A\nnothing till 0:07", "line 2: no step: nothing till 0:07"),
    ] {
        assert_eq!(Story::parse_all(text).err().as_deref(), Some(why));
    }
}

#[tokio::test]
async fn a_story_that_is_not_true_says_what_happened() {
    let text = "story A\nat 0:00 a caller says emergency\nnothing until 0:06\nat 0:06 bernd is told loudly";
    let stories = Story::parse_all(text).unwrap();
    let why = Play::of(&stories[0]).await.unwrap_err();
    assert!(why.starts_with("line 3: nothing until 0:06"), "{why}");
    assert!(why.contains("0:05:00 anna loudly: 🚨 NOTFALL BESTÄTIGT"), "{why}");
}
