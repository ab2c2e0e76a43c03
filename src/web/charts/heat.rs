//! A field of cells: the darker, the more.

use super::{Frame, LEFT, RIGHT, TOP, Table, Unit, WIDTH, at, escaped, figure, push};

/// Shades above nothing.
const SHADES: u32 = 6;
const CELL_HIGH: f64 = 24.0;

/// A field of numbers.
#[derive(Debug, Clone)]
pub struct Heat {
    /// The names of the rows.
    pub rows: Vec<String>,
    /// The names of the columns.
    pub columns: Vec<String>,
    /// Every so many columns one is named below.
    pub every: usize,
    /// The numbers, row by row.
    pub values: Vec<Vec<u32>>,
    /// How the first column of the table is headed.
    pub heading: String,
}

/// Draws it.
#[must_use]
pub fn heat(frame: &Frame<'_>, field: &Heat) -> String {
    let most = field.values.iter().flatten().copied().max().unwrap_or(0);
    let width = (WIDTH - LEFT - RIGHT) / (field.columns.len().max(1) as f64);
    let mut drawn = String::new();
    for (down, (name, values)) in field.rows.iter().zip(&field.values).enumerate() {
        let y = TOP + CELL_HIGH * down as f64;
        let (x, middle) = (at(LEFT - 6.0), at(y + CELL_HIGH / 2.0 + 4.0));
        push(&mut drawn, format_args!("<text class=\"y\" x=\"{x}\" y=\"{middle}\">{}</text>", escaped(name)));
        for (across, (column, value)) in field.columns.iter().zip(values).enumerate() {
            let told = escaped(&format!("{name} {column}: {}", Unit::Count.told(f64::from(*value))));
            push(
                &mut drawn,
                format_args!(
                    "<rect class=\"h{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"><title>{told}</title></rect>",
                    shade(*value, most),
                    at(LEFT + width * across as f64 + 0.5),
                    at(y + 0.5),
                    at(width - 1.0),
                    at(CELL_HIGH - 1.0),
                ),
            );
        }
    }
    let foot = TOP + CELL_HIGH * field.rows.len() as f64 + 18.0;
    for (across, column) in field.columns.iter().enumerate().step_by(field.every.max(1)) {
        let x = at(LEFT + width * (across as f64 + 0.5));
        push(&mut drawn, format_args!("<text class=\"x\" x=\"{x}\" y=\"{}\">{}</text>", at(foot), escaped(column)));
    }
    figure(frame, foot + 8.0, &drawn, &[], &table(field, most))
}

/// From 0 (nothing) to `SHADES` (the most).
fn shade(value: u32, most: u32) -> u32 {
    if value == 0 {
        return 0;
    }
    (1..SHADES)
        .find(|shade| u64::from(value) * u64::from(SHADES) <= u64::from(most) * u64::from(*shade))
        .unwrap_or(SHADES)
}

fn table(field: &Heat, most: u32) -> Table {
    let head = std::iter::once(field.heading.clone()).chain(field.columns.iter().cloned()).collect();
    let rows = field.rows.iter().zip(&field.values).map(|(name, values)| {
        std::iter::once(name.clone()).chain(values.iter().map(|value| Unit::Count.told(f64::from(*value)))).collect()
    });
    Table { head, rows: if most == 0 { Vec::new() } else { rows.collect() } }
}
