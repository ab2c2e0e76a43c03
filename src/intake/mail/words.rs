//! The words by which mails of telephone systems are known, German and English. Data only.

/// A subject (or a file's name) that tells of a recording.
pub(super) const VOICEMAIL: &str = r"sprachnachricht|sprach-nachricht|voice-?\s?mail|voice\s?message|anrufbeantworter|sprachbox|sprachaufzeichnung|neue (?:mailbox|voice|sprach)[- ]?nachricht|mailbox[- ]?nachricht|nachricht (?:auf|in) (?:ihrer|der) (?:mailbox|voicebox)|voicebox|new message \d+ in mailbox|nachricht \d+ in (?:mailbox|postfach)|(?:left|hinterlassen).{0,40}(?:message|nachricht)|vmail";

/// A subject that tells of a call without a recording, or of many calls.
pub(super) const MISSED: &str = r"verpasste[rn]? anruf|entgangene[rn]? anruf|anruf in abwesenheit|unbeantwortete[rn]? anruf|missed call|anrufliste|call list|anrufjournal|call log|verbindungsnachweis|push service|statusbericht|nutzungsbericht";

/// Says that the caller left nothing.
pub(super) const NO_MESSAGE: &str =
    r"keine (?:neue )?(?:sprach)?nachricht|ohne (?:sprach)?nachricht|no (?:voice ?)?(?:mail|message)|did not leave";

/// A subject that opens a fax.
pub(super) const FAX: &str = r"^\s*(?:fritz!box:? (?:fax|faxnachricht)|fax(?:-?nachricht|eingang|message)?\b.{0,20}\b(?:von|vom|from|erhalten|eingegangen|received)\b|(?:neue[s]?|new|eingehende[s]?|ihr) fax|sie haben ein(?:e)? (?:neue[s]? )?fax|you have (?:a|received).{0,10}fax|received fax|telefax)";

/// Subjects of answering machines and bounces, where the headers say nothing.
pub(super) const MACHINE: &str = r"^\s*(?:abwesenheitsnotiz|abwesenheitsnachricht|automatische (?:antwort|abwesenheit)|automatic reply|auto(?:-|\s)?reply|out of (?:the )?office|undeliver(?:ed|able)|unzustellbar|mail delivery (?:failed|failure|subsystem)|delivery status notification|returned mail|failure notice|nicht zustellbar|gelesen:|read:|lesebest.tigung)";

/// Labels of the line that names the caller, the surest first.
pub(super) const CALLER: &[&str] = &[
    "anruf von",
    "anrufer",
    "anrufernummer",
    "rufnummer des anrufers",
    "nummer des anrufers",
    "nachricht von",
    "sprachnachricht von",
    "caller id",
    "caller",
    "callerid",
    "calling number",
    "caller number",
    "message from",
    "voicemail from",
    "anrufende rufnummer",
    "absenderrufnummer",
    "rückrufnummer",
    "telefonnummer",
    "rufnummer",
    "nummer",
    "phone number",
    "phone",
    "number",
    "von",
    "from",
];

/// Labels of the line that names the own line or mailbox.
pub(super) const CALLED: &[&str] = &[
    "für die rufnummer",
    "angerufene rufnummer",
    "angerufene nummer",
    "gerufene nummer",
    "zielrufnummer",
    "ihre rufnummer",
    "nebenstelle",
    "durchwahl",
    "mailbox",
    "voicebox",
    "sprachbox",
    "called number",
    "called",
    "extension",
    "account",
    "an",
    "to",
];

/// Labels of the line that says how long it is.
pub(super) const LENGTH: &[&str] = &[
    "aufnahmelänge",
    "aufnahmedauer",
    "nachrichtenlänge",
    "länge der nachricht",
    "dauer der nachricht",
    "länge",
    "laenge",
    "dauer",
    "duration",
    "length",
    "message length",
];

/// What stands in a number's place where it is withheld.
pub(super) const WITHHELD: &[&str] = &[
    "anonym",
    "anonymous",
    "unbekannt",
    "unknown",
    "unterdrückt",
    "unterdrueckt",
    "rufnummer unterdrückt",
    "nummer unterdrückt",
    "ohne rufnummer",
    "private",
    "privat",
    "withheld",
    "restricted",
    "unavailable",
    "nicht verfügbar",
    "keine rufnummer",
    "no number",
];

/// Names of months as they stand in dates, by number.
pub(super) const MONTHS: [&[&str]; 12] = [
    &["jan"],
    &["feb"],
    &["mar", "mär", "mae"],
    &["apr"],
    &["may", "mai"],
    &["jun"],
    &["jul"],
    &["aug"],
    &["sep"],
    &["oct", "okt"],
    &["nov"],
    &["dec", "dez"],
];

/// A length in words: minutes, seconds.
pub(super) const MINUTES: &str = r"(\d{1,3})\s*(?:m|min|minuten?|minutes?)\b\.?";
/// As `MINUTES`.
pub(super) const SECONDS: &str = r"(\d{1,5})\s*(?:s|sec|sek|sekunden?|seconds?)\b\.?";

/// A file name that only a telephone system gives.
pub(super) const RECORDER: &str = r"^(?:msg\d{3,}|msg_[0-9a-f-]{8,}|vm[-_ ]?\d+|voice-?\s?mail|voicemessage|sprachnachricht|anruf\b|.*_anruf\.|mailbox[-_ ])";

/// Introduces the caller in a subject or a sentence.
pub(super) const FROM: &str = r"\b(?:von|from|anrufer:?|caller:?)\s+(.{2,120})";

/// A day and a time, as they stand in any text.
pub(super) const DAY_AND_TIME: &str = r"(?P<day>\d{1,2}\.\s?\d{1,2}\.\d{2,4}|\d{4}-\d{2}-\d{2}|\d{1,2}\.? [a-zä]{3,9}\.? \d{4})\D{1,12}(?P<time>\d{1,2}:\d{2}(?::\d{2})?)";

/// The opening of the subject of an answer or of a mail that is passed on.
pub(super) const ANSWER: &str = r"^\s*(?:re|aw|wg|fw|fwd|antw|sv)\s*:";

/// What stands in a link to a recording.
pub(super) const LINKS: &[&str] =
    &["voice", "mailbox", "record", "listen", "message", "sprach", "audio", ".wav", ".mp3", "vm"];
