//! The pictures as they are written; `UPDATE_SNAPSHOT=1` writes them anew. Look at them before that.

use super::*;

const HOSTILE: &str = "<script>alert(1)</script> & \"Söhne\" 'GmbH'";

fn frame<'a>(id: &'a str, title: &'a str) -> Frame<'a> {
    Frame { id, title, told: "Ein Satz dazu." }
}

fn weeks(count: usize) -> Vec<Place> {
    (0..count)
        .map(|nth| Place { name: format!("KW {}", nth + 1), tick: (nth % 4 == 0).then(|| format!("{}", nth + 1)) })
        .collect()
}

/// Numbers that look like some, the same each time.
fn some(count: usize, factor: u64, most: u64) -> Vec<u32> {
    (0..count as u64).map(|nth| u32::try_from((nth * factor + nth * nth * 7) % most).unwrap()).collect()
}

fn drawn() -> [(&'static str, String); 4] {
    let layer = |name: &str, class, factor, most| Layer { name: name.into(), class, values: some(26, factor, most) };
    let layers = vec![
        layer("bestätigt", "confirmed", 3, 5),
        layer("unvollständig", "incomplete", 5, 4),
        layer("kein Notfall", "not_emergency", 11, 9),
        layer("ohne Inhalt", "ignored", 13, 3),
    ];
    let bars = Bars { places: weeks(26), layers, heading: "Woche".into() };
    let curve = |name: &str, class, by: f64| {
        let value = |(nth, one): (usize, u32)| (nth % 9 != 4).then(|| f64::from(one) * by + 40.0);
        Curve { name: name.into(), class, values: some(26, 17, 60).into_iter().enumerate().map(value).collect() }
    };
    let curves = vec![curve("9 von 10 Fällen", "soft", 14.0), curve("Hälfte der Fälle", "strong", 4.0)];
    let lines_ = Lines { places: weeks(26), curves, unit: Unit::Seconds, heading: "Woche".into() };
    let days = ["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"].map(str::to_owned).to_vec();
    let field = Heat {
        rows: days,
        columns: (0..24).map(|hour| format!("{hour} Uhr")).collect(),
        every: 6,
        values: (0..7).map(|day| some(24, 5 + day, 14)).collect(),
        heading: "Tag".into(),
    };
    let bar = |name: &str, value| Row { name: name.into(), class: "strong", value };
    let lying = [bar("Anna", 1204), bar("Bernd", 310), bar("Maximiliane von und zu Hohenstein", 12), bar(HOSTILE, 0)];
    [
        ("stacked", stacked(&frame("s", "Meldungen je Woche"), &bars)),
        ("lines", lines(&frame("l", "Zeit bis zur Übernahme"), &lines_)),
        ("heat", heat(&frame("h", "Wann angerufen wird"), &field)),
        ("rows", rows(&frame("r", "Vorgänge je Techniker"), &lying, ["Techniker", "Vorgänge"])),
    ]
}

#[test]
fn each_picture_is_drawn_as_written_down() {
    for (name, now) in drawn() {
        let path = format!("{}/tests/data/charts/{name}.html", env!("CARGO_MANIFEST_DIR"));
        let now = now.replace("><", ">\n<") + "\n";
        #[expect(clippy::disallowed_methods, reason = "asks whether the pictures are to be written anew")]
        let update = std::env::var_os("UPDATE_SNAPSHOT").is_some();
        if update {
            std::fs::write(&path, &now).unwrap();
        }
        assert!(
            std::fs::read_to_string(&path).unwrap_or_default() == now,
            "{name} is drawn otherwise: look, then UPDATE_SNAPSHOT=1"
        );
    }
}

#[test]
fn a_picture_tells_itself_to_whoever_cannot_see_it_and_brings_no_script_and_no_style() {
    for (name, html) in drawn() {
        for part in ["role=\"img\"", "<title id=", "<desc id=", "aria-labelledby=", "<table>", "<th scope=\"row\">"] {
            assert!(html.contains(part), "{name} lacks {part}");
        }
        assert!(!html.contains("<script") && !html.contains("style=") && !html.contains(" on"), "{name}");
        roxmltree::Document::parse(&html).unwrap_or_else(|error| panic!("{name} is not well-formed: {error}"));
    }
}

#[test]
fn what_others_named_is_text() {
    let html = rows(&frame("r", HOSTILE), &[Row { name: HOSTILE.into(), class: "strong", value: 1 }], ["a", HOSTILE]);
    assert!(
        !html.contains("<script") && html.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;S"),
        "{html}"
    );
}

#[test]
fn nothing_at_all_says_so() {
    let empty = Bars { places: weeks(3), layers: Vec::new(), heading: "Woche".into() };
    assert!(stacked(&frame("s", "Meldungen"), &empty).contains("gibt es dazu nichts"));
}

#[test]
fn numbers_are_german() {
    assert_eq!(number(1_234_567.891, 2), "1.234.567,89");
    assert_eq!((number(999.0, 0), number(-48.5, 2), number(-0.001, 1)), ("999".into(), "−48,50".into(), "0,0".into()));
}

#[test]
fn times_are_told_in_the_unit_that_fits() {
    let told = [0.0, 45.0, 90.0, 600.0, 5400.0, 259_200.0].map(|seconds| Unit::Seconds.told(seconds));
    assert_eq!(told, ["0 s", "45 s", "1,5 min", "10 min", "1,5 h", "3 Tage"]);
}

#[test]
fn an_axis_has_few_round_steps_and_reaches_the_largest_value() {
    for unit in [Unit::Count, Unit::Seconds, Unit::Factor] {
        for most in [0.0, 0.3, 1.0, 3.0, 7.0, 99.0, 100.0, 101.0, 12_345.0, 9_999_999.0] {
            let axis = Axis::reaching(most, unit);
            assert!(axis.top >= most && axis.top / axis.step <= 6.0, "{unit:?} {most}: {} by {}", axis.top, axis.step);
        }
    }
    assert_eq!((Unit::Count.step(23.0), Unit::Seconds.step(500.0), Unit::Count.step(2.0)), (5.0, 120.0, 1.0));
}
