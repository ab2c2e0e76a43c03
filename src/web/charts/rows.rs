//! Bars that lie, one below the other, each with its name and its number.

use super::{Frame, RIGHT, Table, Unit, WIDTH, at, escaped, figure, push};

const HIGH: f64 = 30.0;
/// Room for the names, and for the number behind the bar.
const NAMES: f64 = 200.0;
const NUMBERS: f64 = 60.0;
/// Longest name that is drawn; the table has all of it.
const NAME_MAX: usize = 20;

/// One bar.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// The class of its colour.
    pub class: &'static str,
    /// Its value.
    pub value: u32,
}

/// Draws them in the order given. `heads` head the two columns of the table.
#[must_use]
pub fn rows(frame: &Frame<'_>, bars: &[Row], heads: [&str; 2]) -> String {
    let most = bars.iter().map(|row| row.value).max().unwrap_or(0).max(1);
    let room = WIDTH - NAMES - NUMBERS - RIGHT;
    let mut drawn = String::new();
    for (nth, row) in bars.iter().enumerate() {
        let y = HIGH * nth as f64 + 4.0;
        let text = at(y + HIGH / 2.0);
        let wide = room * f64::from(row.value) / f64::from(most);
        push(
            &mut drawn,
            format_args!(
                "<text class=\"y\" x=\"{}\" y=\"{text}\">{}</text>\
                 <rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\
                 <text class=\"n\" x=\"{}\" y=\"{text}\">{}</text>",
                at(NAMES - 10.0),
                escaped(&shortened(&row.name)),
                row.class,
                at(NAMES),
                at(y),
                at(wide),
                at(HIGH - 10.0),
                at(NAMES + wide + 8.0),
                Unit::Count.told(f64::from(row.value)),
            ),
        );
    }
    let body = bars.iter().map(|row| vec![row.name.clone(), Unit::Count.told(f64::from(row.value))]);
    let table = Table { head: heads.map(str::to_owned).to_vec(), rows: body.collect() };
    figure(frame, HIGH * bars.len() as f64 + 4.0, &drawn, &[], &table)
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME_MAX {
        return name.to_owned();
    }
    name.chars().take(NAME_MAX - 1).chain(['…']).collect()
}
