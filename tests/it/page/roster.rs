//! The roster at the page: what it shows, and that the planner rings by what was entered there.

use super::Site;
use crate::world::{ANNA, BERND, EMERGENCY, NIGHT, World};
use nachtwache::domain::account::Role;
use nachtwache::runtime::clock::Clock as _;
use nachtwache::store::roster::{self, Noted};
use reqwest::StatusCode;

/// Anna has the week of the night, Bernd the next one.
const WEEKS: &str = "[[roster.rotations]]\ntechnicians = [\"Anna\", \"Bernd\"]\nbegins = \"2026-11-16 08:00\"\n";

async fn changes(world: &World) -> Vec<Noted> {
    let after = "2026-01-01T00:00:00Z".parse().unwrap();
    roster::list(&mut world.store.read().await.unwrap(), after).await.unwrap()
}

#[tokio::test]
async fn an_override_entered_at_the_page_is_who_the_planner_rings() {
    let mut world = World::at(NIGHT, None, WEEKS).await;
    let site = Site::of(&world).await;
    let petra = site.inside("Petra", Role::Reviewer).await;
    let before = petra.get("/dienstplan").await.page();
    assert!(before.contains("November 2026") && before.contains("<strong class=\"big\">Anna</strong>"), "{before}");
    let fields = [("wer", "Bernd"), ("statt", "Anna"), ("von", "2026-11-21T20:00"), ("bis", "2026-11-22T08:00")];
    assert_eq!(petra.post("/dienstplan/vertretung", &fields).await.onward(), "/dienstplan?monat=2026-11");
    let after = petra.get("/dienstplan?monat=2026-11").await.page();
    assert!(after.contains("Bernd statt Anna") && after.contains("<strong class=\"big\">Bernd</strong>"), "{after}");
    world.settle().await;
    assert!(world.phone(BERND).last().unwrap().text.contains("übernommen"), "he is told");
    let (anna, bernd) = (world.rings(ANNA), world.rings(BERND));
    world.hear(EMERGENCY).await;
    assert_eq!((world.rings(ANNA), world.rings(BERND)), (anna, bernd + 1));
    let noted = changes(&world).await;
    assert_eq!(noted[0].made_by, "Petra");
    let back = format!("/dienstplan/{}/zuruecknehmen", noted[0].id);
    assert_eq!(petra.post(&back, &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(petra.post(&back, &[]).await.status, StatusCode::CONFLICT, "taken back already");
    assert!(petra.get("/dienstplan").await.page().contains("<strong class=\"big\">Anna</strong>"));
}

#[tokio::test]
async fn a_gap_is_shown_loudly_and_offered_to_be_filled() {
    let world = World::at(NIGHT, None, WEEKS).await;
    let site = Site::of(&world).await;
    let petra = site.inside("Petra", Role::Reviewer).await;
    for who in ["Anna", "Bernd"] {
        let fields = [("wer", who), ("von", "2026-12-24T08:00"), ("bis", "2026-12-25T08:00")];
        assert_eq!(petra.post("/dienstplan/abwesenheit", &fields).await.onward(), "/dienstplan?monat=2026-12");
    }
    let page = petra.get("/dienstplan?monat=2026-12").await.page();
    assert!(page.contains("Niemand hat Dienst:") && page.contains("Do 24.12. 08:00 – Fr 25.12. 08:00"), "{page}");
    assert!(page.contains("Erster Weihnachtsfeiertag") && page.contains("niemand"), "{page}");
    let link = page.split("href=\"").find(|part| part.contains("Lücke füllen")).unwrap();
    let link = link.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
    let filled = petra.get(link.split('#').next().unwrap()).await.page();
    assert!(filled.contains("name=\"von\" value=\"2026-12-24T08:00\""), "{filled}");
    assert!(filled.contains("name=\"bis\" value=\"2026-12-25T08:00\""), "{filled}");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_in_words() {
    let world = World::at(NIGHT, None, WEEKS).await;
    let site = Site::of(&world).await;
    let petra = site.inside("Petra", Role::Reviewer).await;
    for (who, instead, from, until, said) in [
        ("Bernd", "Anna", "2026-11-22T08:00", "2026-11-22T08:00", "Das Ende liegt nicht nach dem Anfang."),
        ("Bernd", "Anna", "2026-11-01T08:00", "2026-11-02T08:00", "schon vorbei"),
        ("Anna", "Anna", "2026-11-22T08:00", "2026-11-23T08:00", "nicht für sich selbst"),
        ("Nobody", "Anna", "2026-11-22T08:00", "2026-11-23T08:00", "Diesen Techniker gibt es nicht"),
        ("Bernd", "Anna", "morgen", "2026-11-23T08:00", "ist keine Zeit"),
    ] {
        let fields = [("wer", who), ("statt", instead), ("von", from), ("bis", until)];
        let refused = petra.post("/dienstplan/vertretung", &fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{said}");
        assert!(refused.body.contains(said), "{}", refused.body);
    }
    let swap = [("wer", "Anna"), ("von", "2026-11-23T08:00"), ("bis", "2026-11-25T08:00"), ("mit", "Bernd")];
    let overlapping = [&swap[..], &[("mit_von", "2026-11-24T08:00"), ("mit_bis", "2026-11-26T08:00")]].concat();
    assert!(petra.post("/dienstplan/tausch", &overlapping).await.body.contains("überschneiden"));
    assert_eq!(changes(&world).await, []);
    let apart = [&swap[..], &[("mit_von", "2026-11-30T08:00"), ("mit_bis", "2026-12-01T08:00")]].concat();
    assert_eq!(petra.post("/dienstplan/tausch", &apart).await.status, StatusCode::SEE_OTHER);
    assert_eq!(changes(&world).await.len(), 2);
    for odd in ["/dienstplan?monat=x", "/dienstplan?monat=9999-01"] {
        assert_eq!(petra.get(odd).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{odd}");
    }
}

#[tokio::test]
async fn a_technician_enters_his_own_absence_only_and_never_leaves_nobody() {
    let world = World::at(NIGHT, None, WEEKS).await;
    let site = Site::of(&world).await;
    let anna = site.inside("Anna", Role::Technician).await;
    let away = async |who: &str| {
        let fields = [("wer", who), ("von", "2026-12-01T08:00"), ("bis", "2026-12-02T08:00")];
        anna.post("/dienstplan/abwesenheit", &fields).await.status
    };
    assert_eq!(away("Bernd").await, StatusCode::FORBIDDEN);
    assert_eq!(away("Anna").await, StatusCode::SEE_OTHER);
    let take = [("wer", "Bernd"), ("von", "2026-12-01T08:00"), ("bis", "2026-12-02T08:00")];
    assert_eq!(anna.post("/dienstplan/vertretung", &take).await.status, StatusCode::FORBIDDEN);
    let bernd = site.inside("Bernd", Role::Technician).await;
    let his = bernd.post("/dienstplan/abwesenheit", &take).await;
    assert_eq!(his.status, StatusCode::UNPROCESSABLE_ENTITY, "Anna is away already");
    let back = format!("/dienstplan/{}/zuruecknehmen", changes(&world).await[0].id);
    assert_eq!(bernd.post(&back, &[]).await.status, StatusCode::FORBIDDEN, "it is Anna's");
    assert_eq!(anna.post(&back, &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(bernd.post("/dienstplan/abwesenheit", &take).await.status, StatusCode::SEE_OTHER);
    assert_eq!(bernd.post("/dienstplan/no-such-change/zuruecknehmen", &[]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_roster_can_be_taken_along_as_a_calendar() {
    let world = World::at(NIGHT, None, WEEKS).await;
    let site = Site::of(&world).await;
    let anna = site.inside("Anna", Role::Technician).await;
    let file = anna.get("/dienstplan/kalender.ics").await;
    assert_eq!(file.headers["content-disposition"], "attachment; filename=\"dienstplan.ics\"");
    let text = file.page();
    assert!(text.starts_with("BEGIN:VCALENDAR"), "{text}");
    assert!(text.contains("DTSTART:20261116T070000Z"), "the shift that runs keeps its beginning: {text}");
    assert!(world.clock.now() > "2026-11-16T07:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap());
}
