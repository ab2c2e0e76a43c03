//! Every verdict of the development corpus with its findings, as one file whose diff shows what a change of the rules does.

use super::corpus::{judged, records};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/verdicts.txt");

fn snapshot() -> String {
    let mut out = String::new();
    for record in records() {
        let found = judged(&record);
        let right = found.verdict == record.expect.verdict
            && found.declaration == record.expect.declaration
            && found.consent == record.expect.consent;
        out.push_str(
            &(format!(
                "{}{} {} · {} · {}{}",
                if right { "  " } else { "! " },
                record.id,
                found.verdict.as_str(),
                found.declaration.as_str(),
                found.consent.as_str(),
                if found.urgent { " · urgent" } else { "" },
            ) + "\n"),
        );
        let fields = &found.fields;
        for (name, value) in [
            ("company", &fields.company),
            ("contact", &fields.contact),
            ("callback", &fields.callback),
            ("description", &fields.description),
        ] {
            if let Some(value) = value {
                out.push_str(
                    &(format!("      {name}: {}", value.split_whitespace().collect::<Vec<_>>().join(" ")) + "\n"),
                );
            }
        }
        for finding in &found.findings {
            let quote = finding.quote.split_whitespace().collect::<Vec<_>>().join(" ");
            out += (format!("      {} ({}) \"{quote}\"", finding.rule, finding.polarity.as_str()) + "\n").as_str();
        }
    }
    out
}

#[test]
fn the_verdicts_of_the_corpus_are_as_written_down() {
    let now = snapshot();
    if nachtwache::config::environment("UPDATE_SNAPSHOT").is_some() {
        std::fs::write(FILE, &now).unwrap();
    }
    let written = std::fs::read_to_string(FILE).unwrap_or_default();
    let mut differs = Vec::new();
    let (old, new): (Vec<&str>, Vec<&str>) = (written.lines().collect(), now.lines().collect());
    differs.extend(old.iter().filter(|line| !new.contains(line)).map(|line| format!("- {line}")));
    differs.extend(new.iter().filter(|line| !old.contains(line)).map(|line| format!("+ {line}")));
    assert!(
        written == now,
        "the rules judge otherwise than written down; if that is right: UPDATE_SNAPSHOT=1 cargo test --test it snapshot\n{}",
        differs.join("\n")
    );
}
