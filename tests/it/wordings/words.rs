//! What people say, write and are called, in its usual, longest and worst forms.

/// Everything in a message that is not ours.
#[derive(Clone)]
pub(super) struct Words {
    pub(super) company: String,
    pub(super) contact: String,
    pub(super) callback: String,
    pub(super) shown_number: String,
    pub(super) shown_name: String,
    pub(super) description: String,
    pub(super) quote: String,
    pub(super) note: String,
    pub(super) reason: String,
    pub(super) sender: String,
    pub(super) subject: String,
    pub(super) letter: String,
    pub(super) mailbox: String,
    pub(super) channel: String,
    pub(super) why: String,
    pub(super) anna: String,
    pub(super) bernd: String,
}

impl Words {
    /// How many texts [`Words::of`] wants.
    pub(super) const FIELDS: usize = 16;

    pub(super) fn usual() -> Self {
        let own = str::to_owned;
        Self {
            company: own("Rossmeisl Elektrotechnik"),
            contact: own("Dirk Rossmeisl"),
            callback: own("+491713920027"),
            shown_number: own("09721555017"),
            shown_name: own("Rossmeisl"),
            description: own("Internet seit heute Mittag komplett tot, Leitstelle läuft darüber"),
            quote: own("einen unternehmenskritischen Notfall"),
            note: own("Router neu gestartet, Leitung bleibt tot."),
            reason: own("Kunde hat selbst neu gestartet"),
            sender: own("d.rossmeisl@rossmeisl.example"),
            subject: own("Internet tot"),
            letter: own("Guten Abend,\nunser Internet ist ausgefallen.\n\nDirk Rossmeisl"),
            mailbox: own("notruf"),
            channel: own("sms"),
            why: own("connection refused"),
            anna: own("Anna"),
            bernd: own("Bernd"),
        }
    }

    /// The same text everywhere; a name is cut as the settings would have it.
    fn everywhere(text: &str) -> Self {
        Self::of(&vec![text.to_owned(); Self::FIELDS])
    }

    /// 3,000 characters without a blank, and with.
    pub(super) fn long() -> Self {
        let company = "Donaudampfschifffahrtsgesellschaftskapitänsmützenfabrik".repeat(60);
        Self { company: company[..3_000].to_owned(), ..Self::everywhere(&"Überlange Straße ".repeat(500)) }
    }

    /// Faked lines, turned directions, invisible marks, and a number with a gap nobody sees.
    pub(super) fn hostile() -> Self {
        let text = "A\n✅ GEFÄLSCHT 48,00 €\r\n✅ GEFÄLSCHT\u{2028}✅ GEFÄLSCHT\u{85}\u{202e}txt\u{2066}x\u{200b}\u{feff}\
             \0\u{7}\u{1b}[31m\u{200f}\u{61c}ש\u{5dc}ום ";
        let callback = "+49171\u{200b}3920\u{202e}027\u{feff}".to_owned();
        Self { callback, shown_number: "anonym\n✅ GEFÄLSCHT".repeat(50), ..Self::everywhere(&text.repeat(60)) }
    }

    /// Families, flags, skin tones: many units a sign.
    pub(super) fn emoji() -> Self {
        Self::everywhere(&"👨‍👩‍👧‍👦🇩🇪👍🏽❤️".repeat(300))
    }

    /// What Telegram would take for markup.
    pub(super) fn markup() -> Self {
        Self::everywhere(&"<b>Müller</b> & Söhne &amp; <a href=\"x\">y</a> </b> ".repeat(80))
    }

    /// Of so many texts.
    pub(super) fn of(texts: &[String]) -> Self {
        let text = |at: usize| texts[at].clone();
        let name = |at: usize, mark: &str| {
            // the office chose it: no caller can put marks into it
            let text: String = texts[at].chars().filter(|c| c.is_alphanumeric() || *c == ' ').collect();
            format!("{mark}{}", &text[..text.floor_char_boundary(38)])
        };
        Self {
            company: text(0),
            contact: text(1),
            callback: "+491713920027".into(),
            shown_number: text(2),
            shown_name: text(3),
            description: text(4),
            quote: text(5),
            note: text(6),
            reason: text(7),
            sender: text(8),
            subject: text(9),
            letter: text(10),
            mailbox: text(11),
            channel: text(12),
            why: text(13),
            anna: name(14, "A"),
            bernd: name(15, "B"),
        }
    }
}
