//! A caller who means ill: every field he controls holds HTML, a script, a formula, control and bidi characters.

use crate::world::{ANNA, World, spoken};
use nachtwache::domain::act::Act;
use nachtwache::domain::case::{CaseId, NoteContent, Reason};
use nachtwache::domain::report::{Arrival, Caller, Content, Mail, Sound};
use nachtwache::runtime::clock::Clock as _;
use nachtwache::store::notes;

/// What must never reach a browser as it is.
pub(crate) const TAG: &str = "<img src=x";
/// A text that tries everything, marked by where it stands.
pub(crate) fn evil(place: &str) -> String {
    format!(
        "{TAG} onerror=window.pwned=1> <script>window.pwned=1</script> \"'><svg onload=window.pwned=1> \
         javascript:window.pwned=1 {{{{7*7}}}} =cmd|' /C calc'!A0 \u{202e}{place}\u{0007}"
    )
}

/// What there is to look at.
pub(crate) struct Ids {
    pub(crate) report: String,
    pub(crate) case: CaseId,
}

impl Ids {
    /// A route's path with places filled by what there is.
    pub(crate) fn path(&self, path: &str) -> String {
        let path = path.replace("{number}", &self.case.to_string()).replace("{name}", "app.css");
        let path = path.replace("{token}", "no-such-token").replace("{month}", "2026-11");
        let mut out = String::new();
        let mut rest = path.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            out.push_str(&self.report);
            rest = after.split_once('}').map_or("", |(_, rest)| rest);
        }
        out + rest
    }
}

/// A voicemail that became a case with a note, a mail, and one that was no emergency for a hostile reason.
pub(crate) async fn fill(world: &mut World) -> Ids {
    let report = world
        .hear(&format!(
            "Hier ist {TAG} onerror=window.pwned=1> von der Firma <script>window.pwned=1</script> Meier GmbH. Wir haben einen \
             unternehmenskritischen Notfall, der Server steht. Mit den Geschäftsbedingungen und der Aktivierungsgebühr von 48 \
             Euro bin ich einverstanden. Rückruf unter 0171 3920020."
        ))
        .await;
    let case = world.case(report).await.unwrap().id;
    let mut tx = world.store.begin().await.unwrap();
    notes::add(&mut tx, case, "Anna", &NoteContent::Written(evil("note")), world.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    let sound = Sound::Bytes { name: evil("file"), bytes: b"a sound of ill will".to_vec() };
    let caller = Caller { number: Some(evil("number")), name: Some(evil("caller")) };
    let arrival = Arrival {
        key: evil("key"),
        mailbox: Some(evil("mailbox")),
        caller,
        content: Content::Voicemail(sound),
        ..world.arrival(900)
    };
    let other = world.desk().accept(arrival).await.unwrap().id;
    world.settle().await;
    world.transcribed(other, &spoken(&format!("Notfall! {}", evil("words")))).await;
    world.settle().await;
    let mail = Mail {
        sender: Some(evil("sender")),
        reply_to: Some("a@b.example".into()),
        message_id: Some(evil("id")),
        subject: evil("subject"),
        text: format!("Unternehmenskritischer Notfall: {}", evil("mail")),
        headers: vec![("X-Evil".into(), evil("header"))],
        automatic: false,
        raw: b"From: a@b.example\r\n\r\nx".to_vec(),
    };
    let arrival = Arrival { key: "mail".into(), content: Content::Email(mail), ..world.arrival(901) };
    world.desk().accept(arrival).await.unwrap();
    world.settle().await;
    if let Some(other) = world.case(other).await {
        let reason = Reason::parse(&format!("other:{}", evil("reason"))).unwrap();
        world.act("Anna", Act::NoEmergency(reason), other.id).await;
    }
    assert!(!world.phone(ANNA).is_empty());
    Ids { report: report.to_string(), case }
}
