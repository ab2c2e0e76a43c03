//! Every page in a real browser, out of the page's own table: nothing scrolls sideways, no serious hindrance, no caller's
//! text runs, nothing is refused by the policy.

use super::Chromium;
use crate::page::{Site, hostile, invited_with};
use crate::world::World;
use nachtwache::domain::account::Role;
use nachtwache::web::Need;
use reqwest::Method;

pub(super) const PASSWORD: &str = "drei blaue Pferde im Regen";

/// Pages with something on them that a browser shows as a page.
async fn pages(site: &Site, ids: &hostile::Ids) -> Vec<String> {
    let admin = site.inside("Petra", Role::Admin).await;
    let mut pages = Vec::new();
    for route in site.routes.iter().filter(|route| route.method == Method::GET && !route.streams) {
        let path = ids.path(route.path);
        let answer = admin.get(&path).await;
        let html =
            answer.headers.get("content-type").is_some_and(|kind| kind.to_str().unwrap().starts_with("text/html"));
        if html && answer.status.is_success() && route.need != Need::Nobody {
            pages.push(path);
        }
    }
    assert!(pages.len() >= 8, "{pages:?}");
    pages
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_fits_a_phone_hinders_nobody_and_runs_no_callers_text() {
    let mut world = World::night().await;
    let ids = hostile::fill(&mut world).await;
    let site = Site::of(&world).await;
    drop(invited_with(&world, &site, "Petra", Role::Admin, PASSWORD).await);
    let pages = pages(&site, &ids).await;
    let chromium = Chromium::start().await;
    chromium.log_in(&site.url, "Petra", PASSWORD).await;
    let mut found = Vec::new();
    for path in pages.iter().map(String::as_str).chain(["/gibt/es/nicht"]) {
        for (width, dark) in [(390, true), (1280, false)] {
            chromium.screen(width, 844, dark).await;
            chromium.open(&format!("{}{path}", site.url)).await;
            let overflow = chromium.overflow().await;
            if overflow > 0 {
                found.push(format!("{path} at {width}: {overflow} px too wide"));
            }
            let refused = chromium.refused().await;
            if !refused.is_empty() {
                found.push(format!("{path} at {width}: {refused}"));
            }
            found.extend(chromium.impairments().await.into_iter().map(|one| format!("{path} at {width}: {one}")));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
