//! Correcting, examples, words and rules at the page.

use super::{Answer, Browser, Site};
use crate::world::{EMERGENCY, NIGHT, World};
use nachtwache::domain::account::Role;
use nachtwache::domain::report::ReportId;
use nachtwache::store::{assessments, charges};
use reqwest::StatusCode;

const SCRIPT: &str = "<script>alert(1)</script>";

async fn sent(browser: &Browser, report: ReportId, version: &str, was: &str, value: &str) -> Answer {
    let fields = [("version", version), ("was", was), ("wert", value), ("grund", "")];
    browser.post(&format!("/meldungen/{report}/berichtigen"), &fields).await
}

#[tokio::test]
async fn a_reviewer_corrects_a_name_and_the_report_is_judged_anew() {
    let mut world = World::night().await;
    let report = world.hear(EMERGENCY).await;
    let site = Site::of(&world).await;
    let olga = site.inside("Olga", Role::Reviewer).await;
    let path = format!("/meldungen/{report}/berichtigen");
    assert!(olga.get(&path).await.page().contains("Noch nichts berichtigt"));
    let done = sent(&olga, report, "0", "company", SCRIPT).await;
    assert_eq!((done.status, done.onward()), (StatusCode::SEE_OTHER, path.as_str()));
    let shown = olga.get(&path).await.page();
    assert!(!shown.contains(SCRIPT) && shown.contains("alert(1)") && shown.contains("Olga"));
    assert!(shown.contains("<del>Rossmeisl Elektrotechnik</del>"), "{shown}");
    // whoever read it before is told, and loses nothing of what he typed
    let late = sent(&olga, report, "0", "contact", "Kirk Rossmeisl").await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.body.contains("Olga hat diese Meldung um") && late.body.contains("Kirk Rossmeisl"));
    for (was, value, said) in [
        ("callback", "112", "keine Nummer"),
        ("transcript", " ", "Der Text ist leer"),
        ("verdict", "confirmed", "warum das Urteil anders ist"),
    ] {
        let refused = sent(&olga, report, "1", was, value).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.body.contains(said), "{was}: {}", refused.body);
    }
    let text = EMERGENCY.replace("bin ich einverstanden", "bin ich nicht einverstanden");
    assert_eq!(sent(&olga, report, "1", "transcript", &text).await.status, StatusCode::SEE_OTHER);
    let mut reader = world.store.read().await.unwrap();
    let found = assessments::find(&mut reader, report).await.unwrap().unwrap();
    assert_eq!(found.fields.company.as_deref(), Some(SCRIPT));
    assert!(charges::waiting(&mut reader).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_technician_corrects_nothing_and_a_reviewer_changes_no_rule() {
    let mut world = World::night().await;
    let report = world.hear(EMERGENCY).await;
    let site = Site::of(&world).await;
    let anna = site.inside("Anna", Role::Technician).await;
    assert_eq!(sent(&anna, report, "0", "company", "A").await.status, StatusCode::FORBIDDEN);
    for path in ["/wortschatz", "/regeln", "/regeln/beispiele", "/regeln/aendern"] {
        assert_eq!(anna.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    let olga = site.inside("Olga", Role::Reviewer).await;
    let change = [("name", "eigene.toml"), ("text", "")];
    assert_eq!(olga.post("/regeln/aendern", &change).await.status, StatusCode::FORBIDDEN);
    assert_eq!(olga.post("/regeln/aendern/speichern", &[]).await.status, StatusCode::FORBIDDEN);
    let admin = site.inside("Petra", Role::Admin).await;
    assert_eq!(sent(&admin, report, "0", "company", "A").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn words_are_taken_in_and_struck_and_those_of_consent_are_refused() {
    let world = World::night().await;
    let site = Site::of(&world).await;
    let olga = site.inside("Olga", Role::Reviewer).await;
    let add = async |word: &str| olga.post("/wortschatz", &[("art", "customer"), ("wort", word)]).await;
    assert_eq!(add("<b>Rossmeisl").await.status, StatusCode::SEE_OTHER);
    let refused = add("Aktivierungsgebühr").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("dürfen nicht in die Liste"));
    let shown = olga.get("/wortschatz").await.page();
    assert!(shown.contains("Rossmeisl") && !shown.contains("<b>Rossmeisl"));
    let strike = shown.split("action=\"").find(|part| part.contains("/streichen")).unwrap();
    let strike = strike.split('"').next().unwrap();
    assert_eq!(olga.post(strike, &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(olga.post(strike, &[]).await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn the_bench_shows_what_was_found_and_a_report_becomes_an_example() {
    let mut world = World::night().await;
    let report = world.hear(EMERGENCY).await;
    let site = Site::of(&world).await;
    let olga = site.inside("Olga", Role::Reviewer).await;
    let shown = olga.get(&format!("/regeln?report={report}")).await.page();
    assert!(shown.contains("beidem zugestimmt") && shown.contains("<mark title="), "{shown}");
    let typed = olga.post("/regeln", &[("text", &format!("{SCRIPT} Das ist kein Notfall."))]).await.page();
    assert!(typed.contains("verneint") && !typed.contains(SCRIPT));
    assert!(olga.get("/regeln?datei=consent.toml").await.page().contains("gilt nicht: "));
    let path = format!("/meldungen/{report}/beispiel");
    assert!(olga.get(&path).await.page().contains("So wäre es richtig"));
    let mut labels = vec![
        ("urteil", "not_emergency"),
        ("erklaerung", "declared"),
        ("zustimmung", "full"),
        ("dringend", "ja"),
        ("firma", "Rossmeisl Elektrotechnik"),
        ("ansprechpartner", "Dirk Rossmeisl"),
        ("nummer", "0171 3920020"),
        ("stoerung", ""),
        ("sprache", "de"),
    ];
    assert_eq!(olga.post(&path, &labels).await.onward(), "/regeln/beispiele");
    labels[0].1 = "unheard_of";
    assert_eq!(olga.post(&path, &labels).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let shown = olga.get("/regeln/beispiele").await.page();
    assert!(shown.contains("1, davon 1 falsch beurteilt") && shown.contains("„Rossmeisl“ wird"), "{shown}");
    let hide = shown.split("action=\"").find(|part| part.contains("/unkenntlich")).unwrap().split('"').next().unwrap();
    assert_eq!(olga.post(hide, &[("worte", "Mittag")]).await.status, StatusCode::SEE_OTHER);
    let file = olga.get("/regeln/beispiele.jsonl").await;
    assert!(file.headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
    assert!(file.body.contains("\"verdict\":\"not_emergency\"") && !file.body.contains("Rossmeisl"));
    assert_eq!(olga.post(&hide.replace("unkenntlich", "loeschen"), &[]).await.status, StatusCode::SEE_OTHER);
    assert!(olga.get("/regeln/beispiele").await.page().contains("Noch keine Beispiele"));
}

const OWN: &str = r#"
[[concept]]
name = "emergency"
patterns = ["code rot"]
holds = ["Bei uns ist Code Rot"]
not = ["das rote Kabel"]
"#;

#[tokio::test]
async fn changed_rules_are_checked_and_laid_over_the_store_before_they_are_saved() {
    let rules = tempfile::tempdir().unwrap();
    let more = format!("[assess]\nrules = {:?}\n", rules.path());
    let mut world = World::at(NIGHT, None, &more).await;
    world.hear("Guten Abend, hier ist Petra Lindner. Code rot, bitte rufen Sie zurück.").await;
    let site = Site::of(&world).await;
    let admin = site.inside("Petra", Role::Admin).await;
    let check = async |name: &str, text: &str| admin.post("/regeln/aendern", &[("name", name), ("text", text)]).await;
    assert_eq!(admin.post("/regeln/aendern/speichern", &[]).await.status, StatusCode::CONFLICT);
    for (name, text, said) in [
        ("../x.toml", OWN, "endet auf .toml"),
        ("words.toml", OWN, "words.toml"),
        ("eigene.toml", "[[concept]", "line 1"),
        ("eigene.toml", &OWN.replace("das rote Kabel", "Code Rot"), "should not hold in"),
    ] {
        let wrong = check(name, text).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.body.contains(said), "{name}: {}", wrong.body);
    }
    assert_eq!(check("eigene.toml", OWN).await.status, StatusCode::SEE_OTHER);
    let mut shown = admin.get("/regeln/aendern").await.page();
    while shown.contains("die Probe läuft noch") {
        tokio::task::yield_now().await;
        shown = admin.get("/regeln/aendern").await.page();
    }
    assert!(shown.contains("1 Meldungen neu beurteilt; <strong>1</strong>"), "{shown}");
    assert!(!rules.path().join("eigene.toml").exists());
    let saved = admin.post("/regeln/aendern/speichern", &[]).await;
    assert_eq!(saved.onward(), "/regeln/aendern?gesichert=1");
    assert_eq!(std::fs::read_to_string(rules.path().join("eigene.toml")).unwrap(), OWN);
    assert!(admin.get(saved.onward()).await.page().contains("sobald er neu gestartet ist"));
}
