//! The firm's words in the recogniser's ear: they change nothing that was not said, and words of a consent never get there.

use crate::child::{LONG, job, real, voicemail, within};
use nachtwache::config::Settings;
use nachtwache::run;
use nachtwache::transcribe::child::Job;
use nachtwache::transcribe::prompt;

/// Customers of whom nobody speaks in the recordings.
const CUSTOMERS: [&str; 20] = [
    "Zwiebelmann Papierwaren GmbH",
    "Optik Quastenberg",
    "Fensterbau Drübeck",
    "Wäscherei Xanten",
    "Kieswerk Jöhlingen",
    "Zahnarztpraxis Yilmaz",
    "Fahrschule Pfannenstiel",
    "Imkerei Hölderlin",
    "Notariat von Quitzow",
    "Blumenhaus Tausendschön",
    "Schuhhaus Knobelsdorff",
    "Molkerei Allgäuland",
    "Uhrenfabrik Zifferblatt",
    "Kletterhalle Gipfelglück",
    "Baumschule Eichendorff",
    "Teppichwelt Isfahan",
    "Galerie Kokoschka",
    "Sanitär Wasserfuhr",
    "Tonstudio Klangwerk",
    "Weingut Rebstöckl",
];
/// Words that make a consent or a declaration, as the recordings have them.
const TERMS: [&str; 8] = [
    "einverstanden",
    "gebühr",
    "konditionen",
    "akzeptiere",
    "stimme",
    "zustimmung",
    "unternehmenskritischer",
    "notfall",
];

fn words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 3);
    words.map(str::to_lowercase).collect()
}

/// What somebody says in a recording.
fn said(name: &str) -> String {
    let manifest = std::fs::read_to_string(voicemail("manifest.jsonl")).unwrap();
    let mut samples = manifest.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    samples.find(|sample| sample["file"] == name).unwrap()["text"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn names_that_nobody_says_are_heard_in_no_recording() {
    let list: Vec<String> = CUSTOMERS.map(str::to_owned).to_vec();
    let told = prompt("", &list);
    assert!(told.as_ref().unwrap().contains("Rebstöckl"), "the whole list fits");
    let own: Vec<String> = CUSTOMERS.iter().flat_map(|name| words(name)).filter(|word| word != "gmbh").collect();
    let mut child = real();
    for name in ["vm-08.wav", "vm-10.wav", "vm-13.WAV", "vm-14.mp3", "vm-18.wav", "vm-21.wav", "vm-22.wav"] {
        let plain = child.transcribe(&job(name), within(LONG), |_| ()).await.unwrap();
        let prompted =
            child.transcribe(&Job { prompt: told.clone(), ..job(name) }, within(LONG), |_| ()).await.unwrap();
        let before = [words(&plain.text()), words(&said(name))].concat();
        let new: Vec<String> = words(&prompted.text()).into_iter().filter(|word| !before.contains(word)).collect();
        assert!(!new.iter().any(|word| own.contains(word)), "{name}: {new:?}");
        // the test model was never taught to read a prompt and stumbles over it: that must not be believed, or change nothing
        let of_terms = new.iter().any(|word| TERMS.contains(&word.as_str()));
        assert!(!of_terms || prompted.doubt.is_some(), "{name}: {new:?}");
        assert_eq!(prompted.second, plain.second, "{name}: the witness hears without the prompt");
    }
}

#[test]
fn a_prompt_in_the_settings_with_words_of_a_consent_is_refused_with_its_key() {
    let told = |text: &str| {
        let settings = Settings::parse(&format!("[transcribe]\nprompt = {text:?}\n")).unwrap();
        run::rules(&settings).err().map(|error| error.to_string()).unwrap_or_default()
    };
    for names in ["", "Rossmeisl Elektrotechnik, Sonnenberg Logistik, DATEV, Proxmox"] {
        assert_eq!(told(names), "", "{names}");
    }
    for terms in
        ["Rossmeisl, ich bin einverstanden", "Aktivierungsgebühr", "Kister, 48 Euro", "Geschäftsbedingungen", "Notfall"]
    {
        assert!(told(terms).starts_with("transcribe.prompt: "), "{terms}");
    }
}
