//! Pictures of figures as SVG: values in, markup out; pure. No script and no style inside: colours and sizes are classes, so
//! that dark and light are the page's choice (`charts.css`).
//!
//! Promise: whoever cannot see a picture gets its title, one sentence and the same numbers as a table.

#![expect(clippy::cast_precision_loss, reason = "a picture has no place for so many things")]

mod heat;
mod lines;
mod rows;
mod stacked;
#[cfg(test)]
mod tests;

pub use heat::{Heat, heat};
pub use lines::{Curve, Lines, lines};
pub use rows::{Row, rows};
pub use stacked::{Bars, Layer, stacked};

use std::fmt::Write as _;

/// Width of a picture in its own units; the page scales it.
const WIDTH: f64 = 560.0;
/// Room on the left for the numbers of the axis, and above and below what is drawn.
const LEFT: f64 = 58.0;
const TOP: f64 = 12.0;
const BELOW: f64 = 26.0;
const RIGHT: f64 = 10.0;
const HEIGHT: f64 = 230.0;
/// More lines than this make an axis restless.
const TICKS: f64 = 5.0;

/// What every picture says of itself.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// Its identity on the page: letters and digits.
    pub id: &'a str,
    /// Its heading.
    pub title: &'a str,
    /// What it shows, in one sentence.
    pub told: &'a str,
}

/// One place on the time axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its whole name, for the table.
    pub name: String,
    /// What stands below the axis, where anything does.
    pub tick: Option<String>,
}

/// In which unit an axis counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Whole things.
    Count,
    /// Seconds, told in the fitting unit.
    Seconds,
    /// A factor with its decimals.
    Factor,
}

impl Unit {
    /// A value for people.
    #[must_use]
    pub fn told(self, value: f64) -> String {
        match self {
            Self::Count => number(value, 0),
            Self::Factor => number(value, 2),
            Self::Seconds if value < 60.0 => format!("{} s", number(value, 0)),
            Self::Seconds if value < 3600.0 => format!("{} min", short(value / 60.0)),
            Self::Seconds if value < 86_400.0 => format!("{} h", short(value / 3600.0)),
            Self::Seconds => format!("{} Tage", short(value / 86_400.0)),
        }
    }

    /// The distance of the axis's lines, so that at most `TICKS` of them reach `most`.
    fn step(self, most: f64) -> f64 {
        const TIMES: [f64; 16] = [
            1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 14_400.0, 28_800.0, 43_200.0,
            86_400.0,
        ];
        let rough = most / TICKS;
        let time = TIMES.into_iter().find(|step| *step >= rough);
        if let (Self::Seconds, Some(step)) = (self, time) {
            return step;
        }
        let power = 10_f64.powf(rough.max(f64::MIN_POSITIVE).log10().floor());
        let round = [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|step| *step >= rough * 0.999_999);
        let step = round.unwrap_or(rough);
        match self {
            Self::Factor => step.max(0.01),
            Self::Count | Self::Seconds => step.max(1.0),
        }
    }
}

/// One decimal where it says something.
fn short(value: f64) -> String {
    let rounded = (value * 10.0).round() / 10.0;
    number(rounded, usize::from(rounded.fract() != 0.0 && rounded < 100.0))
}

/// A number as Germans write it: `1.234,5`.
#[must_use]
pub fn number(value: f64, decimals: usize) -> String {
    let plain = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            grouped.push('.');
        }
        grouped.push(digit);
    }
    let sign = if value < 0.0 && plain.chars().any(|digit| ('1'..='9').contains(&digit)) { "−" } else { "" };
    if fraction.is_empty() { format!("{sign}{grouped}") } else { format!("{sign}{grouped},{fraction}") }
}

/// A count as Germans write it: `1.234`.
#[must_use]
pub fn whole(count: u64) -> String {
    number(count as f64, 0)
}

/// A coordinate: one decimal is finer than any screen here.
fn at(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// Text that may stand between tags and in attributes.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(letter),
        }
    }
    safe
}

/// The vertical axis: from nothing to beyond the largest value.
struct Axis {
    unit: Unit,
    step: f64,
    top: f64,
}

impl Axis {
    fn reaching(most: f64, unit: Unit) -> Self {
        let step = unit.step(most);
        Self { unit, step, top: (most / step).ceil().max(1.0) * step }
    }

    /// Where a value lies, from above.
    fn y(&self, value: f64) -> f64 {
        let room = HEIGHT - TOP - BELOW;
        TOP + room * (1.0 - value / self.top)
    }

    /// Lines and their numbers.
    fn drawn(&self) -> String {
        let mut out = String::new();
        let mut value = 0.0;
        while value <= self.top * 1.000_1 {
            let y = self.y(value);
            let class = if value == 0.0 { "base" } else { "grid" };
            push(
                &mut out,
                format_args!("<path class=\"{class}\" d=\"M{} {}H{}\"/>", at(LEFT), at(y), at(WIDTH - RIGHT)),
            );
            let (x, y) = (at(LEFT - 6.0), at(y + 4.0));
            push(&mut out, format_args!("<text class=\"y\" x=\"{x}\" y=\"{y}\">{}</text>", self.unit.told(value)));
            value += self.step;
        }
        out
    }
}

/// The names below the axis, each under the middle of its place.
fn ticks(places: &[Place], width: f64) -> String {
    let mut out = String::new();
    for (nth, place) in places.iter().enumerate() {
        let Some(tick) = &place.tick else { continue };
        let (x, y) = (at(LEFT + width * (nth as f64 + 0.5)), at(HEIGHT - 8.0));
        push(&mut out, format_args!("<text class=\"x\" x=\"{x}\" y=\"{y}\">{}</text>", escaped(tick)));
    }
    out
}

/// How wide one place is.
fn width_of(places: &[Place]) -> f64 {
    (WIDTH - LEFT - RIGHT) / (places.len().max(1) as f64)
}

fn push(out: &mut String, what: std::fmt::Arguments<'_>) {
    out.write_fmt(what).expect("a string takes it");
}

/// The picture with its heading, its legend and its table.
fn figure(frame: &Frame<'_>, height: f64, drawn: &str, legend: &[(&str, &str)], table: &Table) -> String {
    let (id, title, told) = (frame.id, escaped(frame.title), escaped(frame.told));
    let mut out = format!("<figure class=\"chart\" id=\"{id}\"><figcaption>{title}</figcaption>");
    if table.rows.is_empty() {
        out.push_str("<p class=\"none\">In diesem Zeitraum gibt es dazu nichts.</p></figure>");
        return out;
    }
    push(
        &mut out,
        format_args!(
            "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\"><title id=\"{id}-t\">{title}</title>\
             <desc id=\"{id}-d\">{told}</desc>{drawn}</svg>",
            at(WIDTH),
            at(height)
        ),
    );
    if !legend.is_empty() {
        out.push_str("<ul class=\"legend\">");
        for (class, name) in legend {
            push(&mut out, format_args!("<li class=\"{class}\">{}</li>", escaped(name)));
        }
        out.push_str("</ul>");
    }
    push(&mut out, format_args!("<details><summary>Zahlen</summary>{}</details></figure>", table.html(&title)));
    out
}

/// The same numbers for whoever reads them.
struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn html(&self, title: &str) -> String {
        let mut out = format!("<div class=\"scroll\"><table><caption>{title}</caption><thead><tr>");
        for cell in &self.head {
            push(&mut out, format_args!("<th scope=\"col\">{}</th>", escaped(cell)));
        }
        out.push_str("</tr></thead><tbody>");
        for row in &self.rows {
            out.push_str("<tr>");
            for (nth, cell) in row.iter().enumerate() {
                let (open, close) = if nth == 0 { ("th scope=\"row\"", "th") } else { ("td", "td") };
                push(&mut out, format_args!("<{open}>{}</{close}>", escaped(cell)));
            }
            out.push_str("</tr>");
        }
        out + "</tbody></table></div>"
    }
}
