//! Eingang: what came in, as each role sees it.

use super::Site;
use crate::inbox::{assessment, report, transcript};
use crate::world::{ANNA, NIGHT, World};
use chrono::{DateTime, TimeDelta, Utc};
use nachtwache::domain::account::Role;
use nachtwache::domain::act::Act;
use nachtwache::domain::assessment::{Fields, Verdict};
use nachtwache::domain::report::{Mail, Medium};
use nachtwache::store::{assessments, mails, reports, transcripts};
use reqwest::StatusCode;
use std::time::Duration;

const EMERGENCY: &str = "Rossmeisl hier, das ist ein unternehmenskritischer Notfall, unser Server steht still, mit Ihren \
    Bedingungen und der Aktivierungsgebühr bin ich einverstanden.";

fn night() -> DateTime<Utc> {
    NIGHT.parse().unwrap()
}

/// So many judged reports, one a minute, the newest now.
async fn judged(world: &World, many: i64, fields: &Fields, text: &str) {
    let mut tx = world.store.begin().await.unwrap();
    for number in 0..many {
        let new = report(&number.to_string(), night() - TimeDelta::minutes(many - 1 - number));
        assert!(reports::insert(&mut tx, &new, None, night(), None).await.unwrap());
        transcripts::put(&mut tx, new.id, &transcript(text), Duration::ZERO, night()).await.unwrap();
        let found = assessment(Verdict::NotEmergency, fields.clone());
        assessments::put(&mut tx, new.id, &found, night()).await.unwrap();
    }
    tx.commit().await.unwrap();
}

fn rows(page: &str) -> usize {
    page.matches("<tr data-key=").count()
}

#[tokio::test]
async fn what_came_in_is_listed_found_by_a_spoken_word_and_filtered() {
    let mut world = World::night().await;
    let site = Site::of(&world).await;
    let question = world.hear("Guten Abend, es ist kein Notfall, ich habe nur eine Frage zur Druckerpatrone.").await;
    world.clock.advance(TimeDelta::minutes(2));
    let emergency = world.hear(EMERGENCY).await;
    let petra = site.inside("Petra", Role::Reviewer).await;
    let page = petra.get("/").await.page();
    assert_eq!(rows(&page), 2);
    for part in
        ["2 Meldungen", "heute 22:14", "Bestätigt", "Offen", "Vorgang 1001", "Gebühr vorgeschlagen", "Kein Notfall"]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    let at = |id: &str| page.find(&format!("href=\"/meldungen/{id}\"")).unwrap();
    assert!(at(&emergency.to_string()) < at(&question.to_string()), "the newest is on top");

    let only = async |query: &str| {
        let page = petra.get(&format!("/?{query}")).await.page();
        (page.contains(&emergency.to_string()), page.contains(&question.to_string()))
    };
    assert_eq!(only("suche=server").await, (true, false));
    assert_eq!(only("suche=DRUCKERPATR").await, (false, true));
    assert_eq!(only("urteil=confirmed").await, (true, false));
    assert_eq!(only("urteil=confirmed,not_emergency").await, (true, true));
    assert_eq!(only("stand=none").await, (false, true));
    assert_eq!(only("von=2026-11-21&bis=2026-11-21&quelle=spool").await, (true, true));
    assert_eq!(only("von=2026-11-22").await, (false, false));
    assert_eq!(only("quelle=nebenan").await, (false, false));
    assert_eq!(only("techniker=Anna").await, (false, false));

    let case = world.case(emergency).await.unwrap().id;
    world.act("Anna", Act::Take, case).await;
    assert_eq!(only("techniker=Anna&stand=taken").await, (true, false));
    let page = petra.get("/?techniker=Anna&suche=server&von=2026-11-21").await.page();
    for kept in
        ["value=\"server\"", "<option selected>Anna</option>", "value=\"2026-11-21\"", "Übernommen", "Filter löschen"]
    {
        assert!(page.contains(kept), "{kept}: {page}");
    }
    assert!(!world.phone(ANNA).is_empty());
}

#[tokio::test]
async fn the_chips_count_what_they_would_show() {
    let mut world = World::night().await;
    let site = Site::of(&world).await;
    world.hear(EMERGENCY).await;
    judged(&world, 3, &Fields::default(), "eine Frage").await;
    let anna = site.inside("Anna", Role::Technician).await;
    let page = anna.get("/?urteil=confirmed").await.page();
    assert!(page.contains("1 Meldung<"), "{page}");
    assert!(page.contains("aria-current=\"true\">Bestätigt <span class=\"count\">1</span>"), "{page}");
    assert!(
        page.contains("href=\"/?urteil=confirmed%2Cnot_emergency\">Kein Notfall <span class=\"count\">3</span>"),
        "{page}"
    );
    assert!(page.contains("stand=none\">Ohne Vorgang <span class=\"count\">0</span>"), "{page}");
}

#[tokio::test]
async fn the_list_is_turned_page_by_page_and_back_and_stays_small() {
    let world = World::night().await;
    let site = Site::of(&world).await;
    let fields = Fields {
        company: Some("Präzisionsteile Brunnthaler & Söhne GmbH und Compagnie".into()),
        contact: Some("Katharina Ebersbach-Tannhöfer".into()),
        callback: Some("+491713920014".into()),
        description: Some("Das Warenwirtschaftssystem steht, niemand kann buchen. ".repeat(9)),
        ..Fields::default()
    };
    judged(&world, 120, &fields, "Hallo").await;
    let petra = site.inside("Petra", Role::Admin).await;
    let link = |page: &str, rel: &str| {
        let tail = page.split(&format!("rel=\"{rel}\" href=\"")).nth(1)?;
        Some(tail.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&"))
    };
    let first = petra.get("/?urteil=not_emergency").await.page();
    assert_eq!((rows(&first), link(&first, "prev")), (50, None));
    assert!(first.len() < 100_000, "{} bytes", first.len());
    let second = petra.get(&link(&first, "next").unwrap()).await.page();
    assert_eq!(rows(&second), 50);
    assert!(second.contains("aria-current=\"true\">Kein Notfall"), "the filter stays");
    let third = petra.get(&link(&second, "next").unwrap()).await.page();
    assert_eq!((rows(&third), link(&third, "next")), (20, None));
    let back = petra.get(&link(&third, "prev").unwrap()).await.page();
    assert_eq!(back, second);
    assert_eq!(petra.get(&link(&second, "prev").unwrap()).await.page().matches("<tr data-key=").count(), 50);
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "every field a caller fills")]
async fn nothing_a_caller_says_or_writes_becomes_markup() {
    const HOSTILE: [&str; 5] = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "'><svg/onload=alert(1)>",
        "</td></tr></table><h1>Störung</h1>",
        "\u{202e}gnp.exe javascript:alert(1)",
    ];
    let world = World::night().await;
    let site = Site::of(&world).await;
    for (number, hostile) in HOSTILE.iter().enumerate() {
        let mut new = report(hostile, night());
        new.source = format!("{hostile}{number}");
        new.caller.number = Some((*hostile).to_owned());
        new.caller.name = Some((*hostile).to_owned());
        new.medium = if number == 0 { Medium::Email } else { Medium::Voicemail };
        let own = Some((*hostile).to_owned());
        let fields = Fields {
            company: own.clone(),
            contact: own.clone(),
            callback: own.clone(),
            description: own,
            ..Fields::default()
        };
        let mut tx = world.store.begin().await.unwrap();
        assert!(reports::insert(&mut tx, &new, None, night(), None).await.unwrap());
        let mail = Mail {
            subject: (*hostile).into(),
            text: (*hostile).into(),
            sender: Some((*hostile).into()),
            ..Mail::default()
        };
        mails::put(&mut tx, new.id, &mail, new.recording.as_ref().unwrap()).await.unwrap();
        // an odd one is shown by its subject, an even one by its fields
        if number % 2 == 0 {
            assessments::put(&mut tx, new.id, &assessment(Verdict::Unclear, fields), night()).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
    let petra = site.inside("Petra", Role::Admin).await;
    let mut pages = vec![petra.get("/").await.page()];
    for hostile in HOSTILE {
        let fields = [("suche", hostile), ("quelle", hostile), ("techniker", hostile)];
        pages.push(petra.get(&format!("/?{}", super::form(&fields))).await.page());
    }
    assert_eq!(rows(&pages[0]), HOSTILE.len());
    assert!(pages[0].contains("alert(1)"), "the words themselves are shown");
    for page in pages {
        for markup in ["<script>", "<img", "<svg", "<h1>Störung", "\u{202e}"] {
            let hidden = page.replace("value=\"\u{202e}", "").replace("<option selected>\u{202e}", "");
            assert!(!hidden.contains(markup), "{markup}: {page}");
        }
    }
}

#[tokio::test]
async fn each_role_sees_what_it_may() {
    let mut world = World::night().await;
    let site = Site::of(&world).await;
    world.hear(EMERGENCY).await;
    let page = async |name: &str, role| site.inside(name, role).await.get("/").await.page();
    let (technician, reviewer, admin) =
        (page("Anna", Role::Technician).await, page("Rita", Role::Reviewer).await, page("Petra", Role::Admin).await);
    for page in [&technician, &reviewer, &admin] {
        assert_eq!(rows(page), 1);
    }
    assert!(!technician.contains("Gebühr"), "neither charge nor menu entry");
    assert!(reviewer.contains("Gebühr vorgeschlagen") && admin.contains("Gebühr vorgeschlagen"));
    assert!(!reviewer.contains("Konten") && admin.contains("Konten"));
    let nobody = site.browser().get("/").await;
    assert_eq!((nobody.status, nobody.onward()), (StatusCode::SEE_OTHER, "/anmelden"));
}

#[tokio::test]
async fn an_empty_list_a_filter_without_a_match_and_a_fault_each_say_so() {
    let world = World::night().await;
    let site = Site::of(&world).await;
    let petra = site.inside("Petra", Role::Admin).await;
    let empty = petra.get("/").await.page();
    assert!(empty.contains("Noch keine Meldungen") && empty.contains("id=\"liste\" data-live"), "{empty}");
    let nothing = petra.get("/?suche=xyz").await.page();
    assert!(nothing.contains("Nichts passt zu dieser Auswahl") && nothing.contains("href=\"/\">Alle Meldungen zeigen"));
    for odd in
        ["von=gestern", "bis=2026-02-30", "urteil=laut", "stand=x", "vor=x", "nach=-", "fremd=1", "suche=a&suche=b"]
    {
        assert_eq!(petra.get(&format!("/?{odd}")).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{odd}");
    }
    world.sql("ALTER TABLE inbox_shown RENAME TO away").await;
    let broken = petra.get("/").await;
    assert_eq!(broken.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(broken.body.contains("Störung") && !broken.body.contains("inbox_shown"), "{}", broken.body);
}

/// What the script does: it fetches the page anew, and takes over the parts that are marked.
#[tokio::test]
async fn a_new_report_and_a_changed_one_are_there_at_the_next_look() {
    let mut world = World::night().await;
    let site = Site::of(&world).await;
    let petra = site.inside("Petra", Role::Admin).await;
    let part = |page: &str| page.split("id=\"liste\"").nth(1).unwrap().split("</section>").next().unwrap().to_owned();
    assert_eq!(rows(&part(&petra.get("/").await.page())), 0);
    let report = world.call().await;
    let waiting = part(&petra.get("/").await.page());
    assert!(waiting.contains("Wird abgeschrieben") && waiting.contains("Wartet"), "{waiting}");
    world.settle().await;
    world.transcribed(report, &crate::world::spoken(EMERGENCY)).await;
    world.settle().await;
    let listed = part(&petra.get("/").await.page());
    assert!(listed.contains(&format!("data-key=\"{report}\"")) && listed.contains("Bestätigt"), "{listed}");
}
