//! A morning at the desk: the real service with the real recogniser, a real recording, a real browser, from the first link
//! on the command line to the charge in the accountant's file.

use super::{Chromium, PATIENCE};
use crate::whole::{ANNA, Firm, recording, until};
use serde_json::{Value, json};
use std::time::Duration;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/ggml-test-de.bin");
const PASSWORD: &str = "drei blaue Pferde im Regen";

/// The service with a page, and the address of the page.
async fn firm() -> (Firm, String) {
    let firm = Firm::new(MODEL).await;
    // a port that is free now; the service asks again until it has it
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let path = firm.folder.path().join("nachtwache.toml");
    let settings = std::fs::read_to_string(&path).unwrap();
    let page = format!(
        "\n[web]\nlisten = \"127.0.0.1:{port}\"\nsecond_factor = \"optional\"\n\
         [[technicians]]\nname = \"Bernd\"\ntelegram_chat = 102\n"
    );
    std::fs::write(path, settings + page.as_str()).unwrap();
    (firm, format!("http://127.0.0.1:{port}"))
}

/// What the command line says, as JSON.
fn said(firm: &Firm, arguments: &[&str]) -> Value {
    let output = firm.command().args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn is_served(url: &str) {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(2)).build().unwrap();
    until("the page", Duration::from_secs(30), async || client.get(format!("{url}/healthz")).send().await.is_ok())
        .await;
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one morning, in order")]
async fn petra_reviews_a_night() {
    let (firm, url) = firm().await;
    let _service = firm.start();
    is_served(&url).await;
    let invited = said(&firm, &["user", "add", "Petra", "--role", "admin", "--json"]);
    let chromium = Chromium::start().await;
    chromium.screen(1280, 900, false).await;
    chromium.open(invited["link"].as_str().unwrap()).await;
    chromium.fill("input[name=passwort]", PASSWORD).await;
    chromium.fill("input[name=wiederholt]", PASSWORD).await;
    chromium.click("main form button").await;
    chromium.see("header.top").await;
    chromium.shows("Noch keine Meldungen").await;

    // a call comes in: it appears by itself, and so does its verdict
    chromium.ask("window.still = 'the same page'").await;
    firm.leave(0, &recording("vm-01.wav"), "wav");
    chromium.shows("Sonnenberg Logistik").await;
    assert_eq!(chromium.ask("return window.still").await, "the same page", "nothing was loaded anew");

    // found by a word that was said
    chromium.fill("input[name=suche]", "Lagerverwaltungssystem").await;
    chromium.click("form[role=search] button[type=submit]").await;
    chromium.shows("Sonnenberg Logistik").await;
    chromium.fill("input[name=suche]", "Zahnarztpraxis").await;
    chromium.click("form[role=search] button[type=submit]").await;
    chromium.shows("Nichts passt").await;
    chromium.open(&url).await;
    chromium.click("a[href^='/meldungen/']").await;

    // a click on a word is heard at that word's second
    chromium.see("[data-start]").await;
    let ready = "return document.querySelector('audio').readyState >= 1";
    until("the sound", PATIENCE, async || chromium.ask(ready).await == Value::Bool(true)).await;
    let words = chromium.ask("return document.querySelectorAll('.words [data-start]').length").await.as_u64().unwrap();
    assert!(words > 20, "{words} words");
    for index in [words / 3, words / 2, words - 2] {
        let word = format!("const word = document.querySelectorAll('.words [data-start]')[{index}];");
        let wanted = chromium.ask(&format!("{word} return Number(word.dataset.start)")).await.as_f64().unwrap();
        let heard = chromium
            .ask(&format!("{word} const audio = document.querySelector('audio'); audio.muted = true; word.click(); audio.pause(); return audio.currentTime"))
            .await
            .as_f64()
            .unwrap();
        assert!((wanted - heard).abs() <= 0.3, "the word at {wanted} s is heard at {heard} s");
    }

    // a name is corrected, and the message is judged anew at once
    chromium.click("#berichtigen > summary").await;
    chromium.fill("form:has(input[value=contact]) [name=wert]", "Martina Vogl").await;
    chromium.click("form:has(input[value=contact]) button").await;
    let report = chromium.ask("return location.href.split('/berichtigen')[0]").await;
    chromium.open(report.as_str().unwrap()).await;
    chromium.shows("Martina Vogl").await;
    chromium.shows("hat etwas berichtigt; neu geprüft").await;

    // the charge is released, and stands in the accountant's file
    let downloads = firm.folder.path().join("downloads");
    std::fs::create_dir(&downloads).unwrap();
    let where_to = json!({ "behavior": "allow", "downloadPath": downloads });
    chromium.cdp("Page.setDownloadBehavior", where_to).await;
    chromium.open(&format!("{url}/gebuehren")).await;
    chromium.click("form[action$='/freigeben'] button").await;
    chromium.open(&format!("{url}/gebuehren?stand=freigegeben")).await;
    chromium.shows("Petra").await;
    chromium.click("a[href^='/gebuehren/export']").await;
    let file = || {
        std::fs::read_dir(&downloads)
            .unwrap()
            .map(|one| one.unwrap().path())
            .find(|one| one.extension().is_some_and(|ending| ending == "csv"))
    };
    until("the file", PATIENCE, async || file().is_some()).await;
    let csv = std::fs::read_to_string(file().unwrap()).unwrap();
    assert!(csv.contains("Sonnenberg Logistik") && csv.contains("48,00") && csv.contains("Petra"), "{csv}");

    // somebody stands in tomorrow night
    chromium.open(&format!("{url}/dienstplan")).await;
    let tomorrow = "const day = new Date(Date.now() + 86400000).toISOString().slice(0, 10);
        for (const [name, hour] of [['von', '20:00'], ['bis', '23:00']])
            document.querySelector(`#vertretung [name=${name}]`).value = `${day}T${hour}`;
        document.querySelector('#vertretung [name=wer]').value = 'Bernd';";
    chromium.ask(tomorrow).await;
    chromium.click("#vertretung button[type=submit]").await;
    chromium.shows("Bernd").await;
    let roster = firm.command().args(["roster", "show", "--days", "3"]).output().unwrap();
    assert!(String::from_utf8_lossy(&roster.stdout).contains("Bernd"), "{roster:?}");

    // without scripts, on a phone: read it and take the case
    chromium.scripts(false).await;
    chromium.screen(390, 844, true).await;
    chromium.open(&url).await;
    chromium.click("a[href^='/meldungen/']").await;
    chromium.shows("Lagerverwaltungssystem").await;
    chromium.click("a[href^='/vorgaenge/']").await;
    chromium.click("form[action$='/tun'] button[value^='take:']").await;
    chromium.shows("übernommen").await;
    let taken = |shown: &crate::fake_bot::Shown| shown.text.contains("übernommen von Petra");
    until("the phone shows it", PATIENCE, async || firm.bot.messages(ANNA).iter().any(taken)).await;
}
