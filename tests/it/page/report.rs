//! Reports and cases at the page: hearing, reading along, and the same acts as the buttons'.

use super::{Answer, Browser, Site};
use crate::second_hearing::{LARGER, heard_again, larger};
use crate::world::{ANNA, BERND, EMERGENCY, NIGHT, NO_EMERGENCY, World, spoken};
use nachtwache::domain::account::Role;
use nachtwache::domain::event::EventKind;
use nachtwache::domain::report::{Arrival, Caller, Content, Mail, ReportId};
use nachtwache::store::{events, notes};
use nachtwache::transcribe::sound::plain::wav;
use reqwest::{Method, StatusCode};

/// A night with one emergency, and the page over it.
async fn night() -> (World, Site, ReportId, String) {
    let mut world = World::night().await;
    let report = world.hear(EMERGENCY).await;
    let site = Site::of(&world).await;
    let case = format!("/vorgaenge/{}", world.case(report).await.unwrap().id);
    (world, site, report, case)
}

#[tokio::test]
async fn both_hearings_stand_at_the_page_each_with_its_model_and_its_verdict() {
    let mut world = World::at(NIGHT, None, LARGER).await;
    let report = world.hear(EMERGENCY).await;
    let site = Site::of(&world).await;
    let anna = site.inside("Anna", Role::Technician).await;
    let address = format!("/meldungen/{report}");
    assert!(!anna.get(&address).await.page().contains("Zweimal angehört"));
    let state = anna.get("/zustand").await.page();
    for part in ["Zweite Anhörung", "large.bin fehlt: es bleibt bei der ersten"] {
        assert!(state.contains(part), "{part} is missing in {state}");
    }
    heard_again(&world, report, &larger(NO_EMERGENCY)).await;
    let page = anna.get(&address).await.page();
    for part in [
        "Erste Anhörung: Bestätigt <span class=\"muted small\">(steht oben)</span>",
        "Zweite Anhörung: Kein Notfall",
        "<code>test</code>",
        "<code>large</code>",
        "Das ist kein Notfall. Der Bildschirm",
        "hörte sie nicht",
        "Es bleibt beim ersten Urteil",
    ] {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
    let figures = anna.get("/metrics").await.page();
    assert!(figures.contains("nachtwache_second_hearings_waiting 0"), "{figures}");
}

/// Presses the button of this label, as a browser without scripts does.
async fn press(browser: &Browser, world: &World, case: &str, label: &str) -> Answer {
    let page = browser.get(case).await.page();
    let end = page.find(&format!(">{label}</button>")).unwrap_or_else(|| panic!("no button {label}:\n{page}"));
    let begin = page[..end].rfind("<button").unwrap();
    let value = page[begin..end].split("value=\"").nth(1).unwrap().split('"').next().unwrap();
    let answer = browser.post(&format!("{case}/tun"), &[("tat", value)]).await;
    world.settle().await;
    answer
}

fn on_phone(world: &World, chat: i64, text: &str) -> bool {
    world.phone(chat).iter().any(|shown| shown.text.contains(text))
}

#[tokio::test]
async fn a_technician_takes_calls_back_and_closes_at_the_page_and_every_phone_shows_it() {
    let (world, site, report, case) = night().await;
    let anna = site.inside("Anna", Role::Technician).await;
    let page = anna.get(&case).await.page();
    for known in ["Notfall bestätigt", "Rossmeisl Elektrotechnik", "href=\"tel:+491713920020\"", "noch niemand"] {
        assert!(page.contains(known), "{known}:\n{page}");
    }
    assert!(!page.contains("Rückruf erfolgt</button>"), "only what may be done is offered");
    let taken = press(&anna, &world, &case, "Übernehmen").await;
    assert_eq!((taken.status, taken.onward()), (StatusCode::SEE_OTHER, case.as_str()));
    assert!(on_phone(&world, ANNA, "übernommen von Anna"));
    press(&anna, &world, &case, "30 min").await;
    assert!(on_phone(&world, ANNA, "Rückruf bis 22:44"));
    let own = [("tat", format!("eta:{}:0", &case[11..])), ("zeit", "23:30".to_owned())];
    let own: Vec<(&str, &str)> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(anna.post(&format!("{case}/tun"), &own).await.status, StatusCode::SEE_OTHER);
    assert!(anna.get(&case).await.page().contains("bis Sa 21.11.2026 23:30"));
    press(&anna, &world, &case, "Rückruf erfolgt").await;
    assert!(on_phone(&world, ANNA, "Rückruf erfolgt"));
    press(&anna, &world, &case, "Erledigt").await;
    assert!(on_phone(&world, ANNA, "erledigt · Anna"));
    let closed = anna.get(&case).await.page();
    assert!(closed.contains("beendet") && !closed.contains("name=\"tat\""), "nothing is left to do");
    let story = anna.get(&format!("/meldungen/{report}")).await.page();
    for line in [
        "Anna hat übernommen",
        "Anna will in 30 Minuten zurückrufen",
        "Anna hat zurückgerufen",
        "Alarm zugestellt: Anna",
    ] {
        assert!(story.contains(line), "{line}:\n{story}");
    }
}

#[tokio::test]
async fn the_second_taker_is_refused_in_german_and_changes_nothing() {
    let (world, site, report, case) = night().await;
    let (anna, bernd) = (site.inside("Anna", Role::Technician).await, site.inside("Bernd", Role::Technician).await);
    let take = format!("take:{}", &case[11..]);
    assert_eq!(anna.post(&format!("{case}/tun"), &[("tat", &take)]).await.status, StatusCode::SEE_OTHER);
    let late = bernd.post(&format!("{case}/tun"), &[("tat", &take)]).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.body.contains("Schon übernommen von Anna."), "{}", late.body);
    assert_eq!(world.case(report).await.unwrap().taken_by.as_deref(), Some("Anna"));
    assert!(!bernd.get(&case).await.page().contains("name=\"tat\""), "it is hers");
    let elsewhere = bernd.post(&format!("{case}/tun"), &[("tat", "take:9999")]).await;
    assert_eq!(elsewhere.status, StatusCode::UNPROCESSABLE_ENTITY);
    let nonsense = bernd.post(&format!("{case}/tun"), &[("tat", "drop")]).await;
    assert_eq!(nonsense.status, StatusCode::UNPROCESSABLE_ENTITY);
    let unknown = bernd.post("/vorgaenge/9999/tun", &[("tat", "take:9999")]).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_office_closes_for_the_taker_and_the_story_names_who_did() {
    let (world, site, report, case) = night().await;
    let anna = site.inside("Anna", Role::Technician).await;
    let petra = site.inside("Petra", Role::Admin).await;
    press(&anna, &world, &case, "Übernehmen").await;
    press(&petra, &world, &case, "Erledigt").await;
    let closed = world.case(report).await.unwrap();
    assert_eq!((closed.taken_by.as_deref(), closed.closed_by.as_deref()), (Some("Anna"), Some("Petra")));
    let story = events::of_report(&mut world.store.read().await.unwrap(), report).await.unwrap();
    let end = story.iter().find(|event| event.kind == EventKind::Closed).unwrap();
    assert_eq!(end.actor.as_deref(), Some("Petra"));
    assert!(petra.get(&case).await.page().contains("Petra hat den Vorgang erledigt"));
}

#[tokio::test]
async fn a_colleague_is_asked_at_the_page_and_accepts_there() {
    let (world, site, report, case) = night().await;
    let (anna, bernd) = (site.inside("Anna", Role::Technician).await, site.inside("Bernd", Role::Technician).await);
    press(&anna, &world, &case, "Übernehmen").await;
    let page = anna.get(&case).await.page();
    assert!(page.contains("<option value=\"hand:1001:Bernd\">Bernd</option>"), "{page}");
    assert!(!page.contains(":Anna\">Anna</option>"), "not to herself");
    anna.post(&format!("{case}/tun"), &[("tat", "hand:1001:Bernd")]).await;
    world.settle().await;
    assert!(on_phone(&world, BERND, "Vorgang 1001"), "his phone asks too");
    press(&bernd, &world, &case, "Annehmen").await;
    assert_eq!(world.case(report).await.unwrap().taken_by.as_deref(), Some("Bernd"));
}

#[tokio::test]
async fn no_emergency_needs_a_reason_and_one_in_own_words_is_kept() {
    let (world, site, report, case) = night().await;
    let anna = site.inside("Anna", Role::Technician).await;
    let without = anna.post(&format!("{case}/tun"), &[("tat", "none:1001:other:"), ("grund", " ")]).await;
    assert_eq!(without.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(without.body.contains("Bitte schreiben Sie den Grund dazu."));
    anna.post(&format!("{case}/tun"), &[("tat", "none:1001:other:"), ("grund", "nur ein <b>Test</b>")]).await;
    assert!(world.case(report).await.unwrap().outcome.is_some());
    let page = anna.get(&case).await.page();
    assert!(page.contains("kein Notfall (nur ein &#60;b&#62;Test") && !page.contains("<b>Test"), "{page}");
}

#[tokio::test]
async fn a_note_of_the_page_stands_on_the_phone_as_one_of_telegram_does() {
    let (world, site, report, case) = night().await;
    let anna = site.inside("Anna", Role::Technician).await;
    let noted = anna.post(&format!("{case}/notiz"), &[("notiz", "Server steht im Keller")]).await;
    assert_eq!(noted.status, StatusCode::SEE_OTHER);
    world.settle().await;
    assert!(on_phone(&world, ANNA, "📝 Anna, 22:14: Server steht im Keller"));
    assert!(anna.get(&case).await.page().contains("Server steht im Keller"));
    let kept =
        notes::of_case(&mut world.store.read().await.unwrap(), world.case(report).await.unwrap().id).await.unwrap();
    assert_eq!((kept.len(), kept[0].author.as_str()), (1, "Anna"));
    assert_eq!(
        anna.post(&format!("{case}/notiz"), &[("notiz", " \n ")]).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
}

#[tokio::test]
async fn every_word_has_its_second_and_what_proves_is_marked() {
    let (_world, site, report, _) = night().await;
    let page = site.inside("Petra", Role::Reviewer).await.get(&format!("/meldungen/{report}")).await.page();
    assert!(page.contains("<a href=\"#t=0.00\" data-start=\"0.00\">Guten</a>"), "{page}");
    let notfall = EMERGENCY.split_whitespace().position(|word| word == "Notfall.").unwrap();
    let at = format!("{}.{}0", notfall / 2, notfall % 2 * 5);
    assert!(page.contains(&format!("data-start=\"{at}\" class=\"proof\">Notfall.</a>")), "{at}:\n{page}");
    assert!(page.contains("Erklärung des Notfalls: ✓ gilt") && page.contains("Gebühr: ✓ gilt"));
    assert!(page.contains("Gesprochene und angezeigte Nummer weichen ab"));
    assert!(page.len() < 100_000, "{}", page.len());
}

#[tokio::test]
async fn a_recording_is_played_in_parts_and_one_that_cannot_be_is_offered_as_it_came() {
    let (world, site, report, _) = night().await;
    let anna = site.inside("Anna", Role::Technician).await;
    let at = format!("/meldungen/{report}");
    let silent = anna.get(&at).await.page();
    assert!(silent.contains("lässt sich hier nicht abspielen") && !silent.contains("<audio"), "{silent}");
    assert_eq!(anna.get(&format!("{at}/aufnahme.wav")).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let original = anna.get(&format!("{at}/original")).await;
    assert_eq!(original.headers["content-disposition"], format!("attachment; filename=\"original-{report}.wav\""));
    assert_eq!(
        (original.headers["content-type"].to_str().unwrap(), original.body.as_str()),
        ("application/octet-stream", "sound 1")
    );

    let bytes = wav(&vec![0.0; 16_000]);
    std::fs::write(world.folder.path().join(format!("sound/{report}.page.wav")), &bytes).unwrap();
    let page = anna.get(&at).await.page();
    assert!(page.contains(&format!("src=\"{at}/aufnahme.wav\"")) && page.contains("data-duration=\"1.00\""), "{page}");
    assert!(page.contains("<rect class=\"proof\"") && page.contains("Aufnahme, 0:01 lang."));
    let sound = format!("{at}/aufnahme.wav");
    let whole = anna.get(&sound).await;
    assert_eq!(whole.headers["content-length"], bytes.len().to_string());
    assert_eq!(whole.headers["content-disposition"], format!("inline; filename=\"aufnahme-{report}.wav\""));
    assert_eq!(
        (&whole.headers["content-security-policy"], &whole.headers["content-type"]),
        (&"sandbox".parse().unwrap(), &"audio/wav".parse().unwrap())
    );
    let part = anna.send(Method::GET, &sound, &[("range", "bytes=0-3")], None).await;
    assert_eq!((part.status, part.body.as_str()), (StatusCode::PARTIAL_CONTENT, "RIFF"));
    assert_eq!(part.headers["content-range"], format!("bytes 0-3/{}", bytes.len()));
    let end = anna.send(Method::GET, &sound, &[("range", "bytes=-2")], None).await;
    assert_eq!((end.status, end.body.len()), (StatusCode::PARTIAL_CONTENT, 2));
    let beyond = anna.send(Method::GET, &sound, &[("range", "bytes=9999999-")], None).await;
    assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(beyond.headers["content-range"], format!("bytes */{}", bytes.len()));
}

#[tokio::test]
async fn what_is_not_there_is_not_found_and_nobody_outside_sees_anything() {
    let (_world, site, report, case) = night().await;
    let anna = site.inside("Anna", Role::Technician).await;
    let other = ReportId::fresh();
    for path in [
        format!("/meldungen/{other}"),
        format!("/meldungen/{other}/aufnahme.wav"),
        format!("/meldungen/{other}/original"),
        format!("/meldungen/{report}/mail.eml"),
        format!("/notizen/{other}/notiz.wav"),
        "/meldungen/..%2F..%2Fetc%2Fpasswd".to_owned(),
        "/meldungen/x".to_owned(),
        "/notizen/x/notiz.wav".to_owned(),
        "/vorgaenge/9999".to_owned(),
        "/vorgaenge/x".to_owned(),
        "/vorgaenge/99999999999999999999".to_owned(),
    ] {
        assert_eq!(anna.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let nobody = site.browser();
    let turned_away = nobody.get(&case).await;
    assert_eq!(
        (turned_away.status, turned_away.onward()),
        (StatusCode::SEE_OTHER, format!("/anmelden?weiter={case}").as_str())
    );
    for path in [format!("/meldungen/{report}/aufnahme.wav"), format!("/meldungen/{report}/original")] {
        assert_eq!(nobody.get(&path).await.status, StatusCode::SEE_OTHER, "{path}");
    }
    let sent = nobody.post(&format!("{case}/tun"), &[("tat", "take:1001")]).await;
    assert_eq!((sent.status, sent.onward()), (StatusCode::SEE_OTHER, "/anmelden"));
}

const SCRIPT: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>";

#[tokio::test]
async fn nothing_a_caller_says_or_writes_becomes_html() {
    let world = World::night().await;
    let arrival = world.arrival(7);
    let caller = Caller { number: Some(SCRIPT.into()), name: Some(SCRIPT.into()) };
    let arrival = Arrival { caller, mailbox: Some(SCRIPT.into()), ..arrival };
    let spoken_report = world.desk().accept(arrival).await.unwrap().id;
    world.transcribed(spoken_report, &spoken(&format!("{EMERGENCY} Firma {SCRIPT} GmbH, {SCRIPT}"))).await;
    world.settle().await;
    let mail = Mail {
        sender: Some(format!("{SCRIPT}@kunde.example")),
        subject: format!("Notfall {SCRIPT}"),
        text: format!("Wir haben einen unternehmenskritischen Notfall. {SCRIPT}"),
        raw: SCRIPT.as_bytes().to_vec(),
        ..Mail::default()
    };
    let written = Arrival { content: Content::Email(mail), source: "mail".into(), ..world.arrival(8) };
    let written = world.desk().accept(written).await.unwrap().id;
    world.settle().await;
    let site = Site::of(&world).await;
    let petra = site.inside("Petra", Role::Admin).await;
    let mut pages = Vec::new();
    for report in [spoken_report, written] {
        pages.push(petra.get(&format!("/meldungen/{report}")).await.page());
        let case = world.case(report).await.expect("it opened a case").id;
        petra.post(&format!("/vorgaenge/{case}/notiz"), &[("notiz", SCRIPT)]).await;
        pages.push(petra.get(&format!("/vorgaenge/{case}")).await.page());
    }
    for page in pages {
        assert!(page.contains("&#60;script&#62;") && !page.contains("<script>") && !page.contains("<img"), "{page}");
        assert!(!page.contains("style=\"") && !page.contains("onclick"), "nothing the policy would refuse");
    }
    let raw = petra.get(&format!("/meldungen/{written}/mail.eml")).await;
    assert_eq!(raw.headers["content-disposition"], format!("attachment; filename=\"mail-{written}.eml\""));
    assert_eq!((&raw.headers["x-content-type-options"], raw.body.as_str()), (&"nosniff".parse().unwrap(), SCRIPT));
}

#[tokio::test]
async fn where_telegram_may_see_nothing_the_alert_leads_to_the_page() {
    let settings =
        "[web]\npublic_url = \"https://wache.example\"\nproxies = [\"10.0.0.1\"]\n[telegram]\nview = \"minimal\"\n";
    let base = "[[technicians]]\nname = \"Anna\"\ntelegram_chat = 101\n[office]\ntelegram_chat = -500\n";
    let mut world = World::by(crate::world::NIGHT, None, &format!("{settings}{base}")).await;
    world.hear(EMERGENCY).await;
    assert!(on_phone(&world, ANNA, "\n🔗 https://wache.example/vorgaenge/1001"), "{:?}", world.phone(ANNA));
    assert!(!on_phone(&world, ANNA, "Rossmeisl"));
}
