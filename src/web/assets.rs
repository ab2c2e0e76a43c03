//! Style, scripts and pictures, all in the binary. Their address carries their fingerprint, so a browser may keep them.

use super::answer::{Page, Trouble};
use super::doors::{Doors, Need};
use super::form::Path;
use crate::store::sound::sha256;
use axum::http::header;
use axum::response::IntoResponse as _;
use std::collections::HashMap;
use std::sync::LazyLock;

struct Asset {
    name: &'static str,
    kind: &'static str,
    body: &'static str,
}

macro_rules! assets {
    ($($name:literal as $kind:literal),+ $(,)?) => {
        &[$(Asset { name: $name, kind: $kind, body: include_str!(concat!("assets/", $name)) }),+]
    };
}

const ASSETS: &[Asset] = assets![
    "app.css" as "text/css; charset=utf-8",
    "charges.css" as "text/css; charset=utf-8",
    "charts.css" as "text/css; charset=utf-8",
    "app.js" as "text/javascript; charset=utf-8",
    "player.js" as "text/javascript; charset=utf-8",
    "inbox.js" as "text/javascript; charset=utf-8",
    "icon.svg" as "image/svg+xml",
];

/// Name → address with the beginning of its fingerprint.
static ADDRESSES: LazyLock<HashMap<&'static str, String>> = LazyLock::new(|| {
    let address = |asset: &Asset| format!("/assets/{}?{}", asset.name, &sha256(asset.body.as_bytes())[..12]);
    ASSETS.iter().map(|asset| (asset.name, address(asset))).collect()
});

/// Where a page finds an asset.
pub(crate) fn address(name: &str) -> String {
    ADDRESSES.get(name).cloned().unwrap_or_else(|| format!("/assets/{name}"))
}

pub(super) fn routes(doors: Doors) -> Doors {
    doors.get("/assets/{name}", Need::Nobody, asset)
}

async fn asset(Path(name): Path<String>) -> Page {
    let asset = ASSETS.iter().find(|asset| asset.name == name).ok_or(Trouble::Missing)?;
    let headers = [(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((headers, asset.body).into_response())
}
