//! Which part of an introduction is the company and which the person.

use super::company::tidy;
use super::fields::{Kind, Piece, Reader};
use super::introduction::{Lead, Part};
use super::words::WORDS;

/// The large towns, folded; surnames like Hagen are left out.
const TOWNS: &str = "berlin hamburg muenchen koeln frankfurt stuttgart duesseldorf leipzig dortmund essen bremen dresden \
    hannover nuernberg duisburg bochum wuppertal bielefeld bonn muenster mannheim karlsruhe augsburg wiesbaden \
    moenchengladbach gelsenkirchen aachen braunschweig chemnitz kiel halle magdeburg freiburg krefeld mainz luebeck \
    erfurt oberhausen rostock kassel potsdam saarbruecken hamm ludwigshafen oldenburg osnabrueck leverkusen heidelberg \
    solingen darmstadt regensburg herne neuss paderborn ingolstadt offenbach fuerth wuerzburg ulm heilbronn pforzheim \
    wolfsburg goettingen bottrop reutlingen koblenz bremerhaven erlangen remscheid bergisch trier recklinghausen jena \
    moers salzgitter siegen guetersloh hildesheim hanau kaiserslautern cottbus schwerin esslingen ludwigsburg giessen \
    konstanz bayreuth bamberg aschaffenburg schweinfurt coburg ansbach passau landshut rosenheim kempten memmingen \
    fulda marburg lueneburg flensburg stralsund greifswald weimar gera zwickau plauen goerlitz wien graz linz salzburg \
    innsbruck klagenfurt bregenz zuerich basel bern genf winterthur luzern straubing amberg weiden kulmbach kitzingen \
    ochsenfurt gerolzhofen hassfurt werneck volkach dettelbach lohr karlstadt gemuenden hammelburg";

impl Reader<'_> {
    /// The part that names the company.
    pub(super) fn employer(&self, parts: &[Part]) -> Option<usize> {
        let all = || 0..parts.len();
        let kind = |at: usize, kind: Kind| parts[at].piece.kind == kind;
        let words = |at: usize| parts[at].piece.to - parts[at].piece.from;
        let form = |at: &usize| (parts[*at].piece.from..parts[*at].piece.to).any(|i| self.form_length(i) > 0);
        let body = |at: &usize| {
            let piece = &parts[*at].piece;
            kind(*at, Kind::Company) && self.has_body(piece) && !self.is_town(piece)
        };
        let here = |at: &usize| parts[*at].lead != Lead::Place || form(at) || words(*at) > 1;
        let known = all().find(|at| form(at) && words(*at) > 1).or_else(|| {
            let employed = |at: usize| parts[at].lead == Lead::Works && words(at) > 1;
            let own = |at: &usize| body(at) && here(at) && (employed(*at) || self.is_own(parts[*at].piece.from));
            let whole = |at: &usize| own(at) && words(*at) > 1;
            let crafted = |at: &usize| self.is_crafted(&parts[*at].piece);
            all().find(|at| whole(at) && !crafted(at)).or_else(|| all().find(whole)).or_else(|| all().find(own))
        });
        if let Some(at) = known {
            // "Wolfshöfer und Reim, Rechtsanwälte"
            let partners = at > 0 && kind(at - 1, Kind::Name) && self.is_craft(&parts[at].piece);
            let two = |piece: &Piece| (piece.from..piece.to).any(|i| self.word(i) == "und");
            return Some(if partners && two(&parts[at - 1].piece) { at - 1 } else { at });
        }
        let free = |at: &usize| {
            let named = kind(*at, Kind::Name) && !self.is_town(&parts[*at].piece);
            named && parts[*at].lead != Lead::Place && self.long_enough(&parts[*at])
        };
        let person = all().any(|at| kind(at, Kind::Person) || self.is_crafted(&parts[at].piece));
        // "Baustoff-Union Knetzgau, Heike Landgraf vom Tresen"
        let first = parts.first().filter(|part| part.lead == Lead::Nothing && person).is_some_and(|_| free(&0));
        let room = |at: usize| first && at > 1 && words(0) > 1 && words(at) == 1;
        let led =
            all().find(|at| free(at) && parts[*at].lead == Lead::Works && !self.is_noble(parts, *at) && !room(*at));
        led.or_else(|| {
            if person {
                let two = |at: &usize| parts[*at].lead == Lead::Nothing || words(*at) > 1;
                let other = all().filter(free).filter(two).find(|at| !self.is_family_name(parts, *at));
                return other.or_else(|| all().find(|at| self.is_trained(&parts[*at].piece)));
            }
            let free: Vec<usize> = all().filter(|at| free(at) && parts[*at].lead == Lead::Nothing).collect();
            // Of two unknown ones the company is the longer.
            let weight = |at: &usize| {
                let longest = (parts[*at].piece.from..parts[*at].piece.to).map(|i| self.word(i).len()).max();
                (words(*at), longest)
            };
            let others = all().filter(|at| kind(*at, Kind::Name) && parts[*at].lead != Lead::Place).count();
            free.into_iter().filter(|_| others > 1).max_by_key(weight)
        })
    }

    fn long_enough(&self, part: &Part) -> bool {
        (part.piece.from..part.piece.to).map(|at| self.word(at).len()).sum::<usize>() > 4
    }

    /// "Freya von Ahlefeldt": directly behind a given name, and somebody else is the company.
    fn is_noble(&self, parts: &[Part], at: usize) -> bool {
        let from = parts[at].piece.from;
        at > 0 && self.before(from, 1) == "von" && parts[at - 1].piece.to + 1 == from && parts.len() > at + 1
    }

    /// "Staudigel ist mein Name, Ludwig Staudigel".
    fn is_family_name(&self, parts: &[Part], at: usize) -> bool {
        let piece = parts[at].piece;
        let repeats = |other: &Piece| (other.from..other.to).any(|i| self.word(i) == self.word(piece.from));
        piece.to == piece.from + 1 && parts.iter().any(|part| part.piece.from != piece.from && repeats(&part.piece))
    }

    /// The part that names the person.
    pub(super) fn introduced_one(&self, parts: &[Part], company: Option<usize>) -> Option<usize> {
        let length = |at: &usize| (parts[*at].piece.to - parts[*at].piece.from).min(3);
        let person = |piece: &Piece| piece.kind == Kind::Person || self.is_crafted(piece);
        let trained = |at: usize| self.is_trained(&parts[at].piece);
        let persons = parts.iter().filter(|part| person(&part.piece)).count();
        // "Hallo Herr Wagner, hier ist …"
        let greeted = |at: usize| {
            let greets = ["hallo", "tag", "abend", "morgen", "gott", "moin", "servus", "hi", "lieber", "liebe"];
            let from = parts[at].piece.from;
            persons > 1
                && matches!(self.word(from), "herr" | "frau")
                && (greets.contains(&self.before(from, 1)) || matches!(self.before(from, 1), "von" | "fuer"))
                && self.adjoins(from - 1)
        };
        let known = (0..parts.len())
            .filter(|at| person(&parts[*at].piece) && !greeted(*at) && (Some(*at) != company || trained(*at)));
        let named = |at: &usize| {
            let Piece { from, to, .. } = parts[*at].piece;
            let behind = self.word(to) == "mein" && matches!(self.word(to + 1), "name" | "nam");
            let before = self.before(from, 1) == "ist" && self.before(from, 2) == "name";
            (before || behind && !matches!(self.word(to + 2), "ist" | "is")) && Some(*at) != company
        };
        if let Some(at) = (0..parts.len()).find(named) {
            return Some(at);
        }
        // The first of the fullest: "die Ruth" behind "Wenzel Kaltwasser" is another.
        let known = known.max_by_key(|at| (length(at).min(2), std::cmp::Reverse(*at)));
        let small = |at: &usize| {
            let part = &parts[*at];
            part.piece.kind == Kind::Name
                && !self.is_town(&part.piece)
                && Some(*at) != company
                && !matches!(part.lead, Lead::Works | Lead::Place)
                && part.piece.to - part.piece.from <= 3
                && self.word(part.piece.from).chars().count() > 2
                && !self.is_thing(part.piece.to - 1)
                && self.sounds(&part.piece)
        };
        known.or_else(|| {
            let led =
                (0..parts.len()).find(|at| small(at) && parts[*at].lead == Lead::Person && !self.is_office(parts, *at));
            let alone = |at: &usize| parts.len() == 1 && parts[*at].lead != Lead::Article;
            let other = |at: &usize| small(at) && (company.is_some() || alone(at)) && !self.is_office(parts, *at);
            // "Kanzlei Ziegenaus, Augsburg, Ziegenaus"
            let named_so = |at: &usize| {
                company.is_some_and(|company| {
                    let Piece { from, to, .. } = parts[company].piece;
                    (from..to).any(|i| self.word(i) == self.word(parts[*at].piece.from))
                })
            };
            let family = || (0..parts.len()).find(|at| other(at) && named_so(at));
            led.or_else(family).or_else(|| (0..parts.len()).find(other))
        })
    }

    /// "Juwelier Hagemeister, Düsseldorf": a large town by itself is where he is.
    pub(super) fn is_town(&self, piece: &Piece) -> bool {
        piece.to == piece.from + 1 && TOWNS.split_whitespace().any(|town| town == self.word(piece.from))
    }

    /// "Hier ist der Werkschutz, Sauter": who is called by an article, and by a name behind it.
    fn is_office(&self, parts: &[Part], at: usize) -> bool {
        let piece = parts[at].piece;
        let article = matches!(self.before(piece.from, 1), "der" | "die" | "das");
        let named = |next: &Part| {
            matches!(next.piece.kind, Kind::Name | Kind::Person)
                && next.lead == Lead::Nothing
                && self.tokens()[next.piece.from].sentence == self.tokens()[piece.from].sentence
        };
        article && piece.to == piece.from + 1 && parts.get(at + 1).is_some_and(named)
    }

    /// "Notfalleinsatz", "Zentralserver": what a call is about.
    fn is_thing(&self, at: usize) -> bool {
        let word = self.word(at);
        ["notf", "notein", "notd", "notr"].iter().any(|begin| word.starts_with(begin))
            || ["mittag", "abend", "morgen", "nacht"]
                .iter()
                .any(|end| word.ends_with(end) && word.len() > end.len() + 2)
            || WORDS.tools.iter().any(|end| word.ends_with(end.as_str()))
    }

    fn sounds(&self, piece: &Piece) -> bool {
        self.name(piece.from, piece.to).is_some_and(|name| super::contact::sounds(&name))
    }

    /// The company's name with what belongs to it: "Alpenverein, Sektion Grafenried", "Kraftraum 24".
    pub(super) fn company_name(&self, parts: &[Part], at: usize) -> Option<String> {
        let piece = parts[at].piece;
        let to = self.without_place(piece);
        let mut end = to;
        if let Some(next) = self.tokens().get(to)
            && next.is_number()
            && next.norm.len() <= 3
            && self.adjoins(to - 1)
        {
            end += 1;
        }
        let of = self.before(piece.from, 1);
        let form = (piece.from + 1..to).find(|i| self.form_length(*i) > 0);
        let name = match form {
            Some(form) => self.formed(piece.from, form)?,
            None => self.name(piece.from, end)?,
        };
        let behind = parts.get(at + 1).map(|part| part.piece).filter(|next| {
            let section = matches!(self.word(next.from), "sektion" | "ortsgruppe" | "ortsverein" | "kreisverband");
            section || self.is_craft(next) && self.word(piece.from + 1) == "und"
        });
        // "Kanzlei Meier, Wolf und Partner"
        let partners = parts.get(at + 1).map(|part| part.piece).filter(|next| {
            next.from == piece.to && self.word(next.to - 2) == "und" && WORDS.crafts.contains(self.word(next.to - 1))
        });
        if let Some(next) = partners {
            return self.name(piece.from, next.to).map(|name| tidy(&name));
        }
        let behind = behind.and_then(|next| self.name(next.from, next.to)).unwrap_or_default();
        let name = nominative(&name, of, self.word(piece.from + 1)).unwrap_or(name);
        Some(tidy(format!("{name} {behind}").trim_end()))
    }

    fn is_craft(&self, piece: &Piece) -> bool {
        piece.to == piece.from + 1 && WORDS.crafts.contains(self.word(piece.from))
    }

    /// "Rechtsanwalt Jochen Stiegler": a craft before a person's name.
    pub(super) fn is_crafted(&self, piece: &Piece) -> bool {
        let craft = [
            "anwalt",
            "arzt",
            "aerztin",
            "anwaeltin",
            "meister",
            "meisterin",
            "berater",
            "beraterin",
            "notar",
            "notarin",
            "architekt",
            "apotheker",
            "apothekerin",
            "architektin",
            "winzer",
            "landwirt",
        ];
        // "Eismeister Tschechow", but "Malermeister Quandt" is his own company.
        let one = piece.to == piece.from + 2
            && self.proper(piece.from + 1)
            && self.word(piece.from) != "meister"
            && !self.has_own_trade(piece.from)
            && !self.is_trade(piece.from + 1);
        // "Notar Doktor Engelbert Terhorst"
        let doctor = self.is_title(piece.from + 1) && piece.to > piece.from + 2;
        craft.iter().any(|end| self.word(piece.from).ends_with(end))
            && piece.to > piece.from + 1
            && (self.is_given(piece.from + 1) || one || doctor)
    }

    /// "Bäckermeister Ulrich Krumm": who has a trade of his own is his own company.
    fn is_trained(&self, piece: &Piece) -> bool {
        self.is_crafted(piece) && self.has_own_trade(piece.from)
    }

    pub(super) fn has_own_trade(&self, at: usize) -> bool {
        let word = self.word(at);
        let master = word.strip_suffix("meisterin").or_else(|| word.strip_suffix("meister"));
        let own = ["rechtsanw", "notar", "steuerberater", "architekt", "zahn", "tier", "fach", "frauen", "kinder"];
        master.is_some_and(|stem| WORDS.masters.contains(stem)) || own.iter().any(|begin| word.starts_with(begin))
    }

    /// "Kino Metropol am Grünen Markt": where it lies, unless the name is nothing without ("Lichtspielhaus am Anger").
    fn without_place(&self, piece: Piece) -> usize {
        let adjective = |at: usize| self.word(at).ends_with(['s', 'e', 'r']) && self.is_trade(at + 1);
        let known = |at: usize| self.is_trade(at) || self.form_length(at) > 0 || adjective(at);
        (piece.from + 2..piece.to)
            .find(|at| matches!(self.word(*at), "am" | "an") && (piece.from..*at).any(|i| !known(i)))
            .unwrap_or(piece.to)
    }
}

/// "von der Freiwilligen Feuerwehr", "vom Roten Kreuz": the adjective as it stands in a name.
fn nominative(name: &str, lead: &str, head: &str) -> Option<String> {
    let (first, rest) = name.split_once(' ').unwrap_or((name, ""));
    // "des Bergstadt-Kuriers"
    if let ("des", Some(stem)) = (lead, first.strip_suffix('s')) {
        return (first.len() > 6 && !stem.ends_with('s')).then(|| format!("{stem} {rest}").trim_end().to_owned());
    }
    let known = WORDS.adjectives.iter().any(|end| super::text::fold(first).ends_with(end.as_str()));
    let stem = first.strip_suffix("en").filter(|_| known)?;
    let neuter = [
        "kreuz", "haus", "werk", "heim", "amt", "zentrum", "hotel", "theater", "museum", "institut", "labor",
        "klinikum",
    ];
    let end = match lead {
        "der" | "die" => "e",
        "vom" | "beim" | "im" | "dem" if neuter.iter().any(|end| head.ends_with(end)) => "es",
        "vom" | "beim" | "im" | "dem" => "er",
        _ => return None,
    };
    Some(format!("{stem}{end} {rest}"))
}
