//! Was a mail written by a program? What its headers say (RFC 3834, RFC 3464, RFC 2369).
//!
//! An answering machine or a bounce says so for certain. A mailing list, a no-reply sender or a generated mail is only likely
//! to be one: a customer's ticket system may send a human's emergency that way, so it is ignored only where it says nothing.

/// How sure the headers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Automatic {
    /// Nobody wrote it.
    Surely,
    /// Probably nobody wrote it.
    Likely,
}

/// Reads the headers of a mail (name, unfolded value), in any order and case; `None`: nothing speaks against a human.
pub(super) fn automatic(headers: &[(String, String)]) -> Option<Automatic> {
    let kinds = || headers.iter().filter_map(|(name, value)| kind(&name.to_lowercase(), &value.to_lowercase()));
    kinds().find(|kind| *kind == Automatic::Surely).or_else(|| kinds().next())
}

fn kind(name: &str, value: &str) -> Option<Automatic> {
    let value = value.trim();
    let sender = || mailbox(value).rsplit_once('@').map_or("", |(local, _)| local);
    match name {
        "auto-submitted" if value.starts_with("auto-replied") => Some(Automatic::Surely),
        "auto-submitted" => (!value.starts_with("no")).then_some(Automatic::Likely),
        "return-path" => (value == "<>").then_some(Automatic::Surely),
        "content-type" => value.starts_with("multipart/report").then_some(Automatic::Surely),
        "x-autoreply" | "x-autorespond" => (value != "no").then_some(Automatic::Surely),
        "precedence" => match value {
            "auto_reply" => Some(Automatic::Surely),
            "bulk" | "list" | "junk" => Some(Automatic::Likely),
            _ => None,
        },
        "from" => match sender() {
            "mailer-daemon" | "postmaster" => Some(Automatic::Surely),
            "no-reply" | "noreply" | "do-not-reply" | "donotreply" => Some(Automatic::Likely),
            _ => None,
        },
        "list-id" | "list-unsubscribe" => Some(Automatic::Likely),
        "x-auto-response-suppress" => {
            let wants = ["all", "oof", "autoreply", "dr", "rn", "nrn"];
            value.split(',').any(|part| wants.contains(&part.trim())).then_some(Automatic::Likely)
        }
        _ => None,
    }
}

/// The address in a From value: "Name <a@b>" or "a@b".
fn mailbox(value: &str) -> &str {
    let inner = value.rsplit_once('<').map_or(value, |(_, rest)| rest);
    inner.split_once('>').map_or(inner, |(address, _)| address).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&str, &str)]) -> Option<Automatic> {
        let owned: Vec<(String, String)> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        automatic(&owned)
    }

    #[test]
    fn machines_say_so_in_their_headers_and_people_do_not() {
        for surely in [
            ("Auto-Submitted", "auto-replied"),
            ("Return-Path", "<>"),
            ("Content-Type", "multipart/report; report-type=delivery-status; boundary=x"),
            ("Precedence", "auto_reply"),
            ("From", "Mail Delivery System <MAILER-DAEMON@mx.example>"),
        ] {
            assert_eq!(read(&[surely]), Some(Automatic::Surely), "{surely:?}");
        }
        for likely in [
            ("Auto-Submitted", "auto-generated"),
            ("List-Unsubscribe", "<mailto:weg@liste.example>"),
            ("From", "Ticketsystem <no-reply@kunde.example>"),
            ("X-Auto-Response-Suppress", "DR, OOF, AutoReply"),
        ] {
            assert_eq!(read(&[likely]), Some(Automatic::Likely), "{likely:?}");
        }
        let human =
            [("From", "Eva Lang <lang@kunde.example>"), ("Auto-Submitted", "no"), ("Content-Type", "text/plain")];
        assert_eq!(read(&human), None);
        assert_eq!(read(&[("List-Id", "<a>"), ("Auto-Submitted", "auto-replied")]), Some(Automatic::Surely));
    }
}
