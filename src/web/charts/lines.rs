//! Curves over time; where a value is missing the curve has a gap.

use super::LEFT;
use super::{Axis, Frame, Place, Table, Unit, at, figure, push, ticks, width_of};

/// Curves over time.
#[derive(Debug, Clone)]
pub struct Lines {
    /// The places on the time axis.
    pub places: Vec<Place>,
    /// The curves.
    pub curves: Vec<Curve>,
    /// What the vertical axis counts.
    pub unit: Unit,
    /// How the first column of the table is headed.
    pub heading: String,
}

/// One curve.
#[derive(Debug, Clone)]
pub struct Curve {
    /// Its name.
    pub name: String,
    /// The class of its colour.
    pub class: &'static str,
    /// Its value at each place.
    pub values: Vec<Option<f64>>,
}

/// Draws them. Places without any value are left out of the table.
#[must_use]
pub fn lines(frame: &Frame<'_>, curves: &Lines) -> String {
    let most = curves.curves.iter().flat_map(|curve| curve.values.iter().flatten()).copied().fold(0.0, f64::max);
    let axis = Axis::reaching(most, curves.unit);
    let width = width_of(&curves.places);
    let mut drawn = axis.drawn();
    for curve in &curves.curves {
        let (path, alone) = outline(curve, &axis, width);
        push(&mut drawn, format_args!("<path class=\"line {}\" d=\"{path}\"/>", curve.class));
        for (x, y) in alone {
            push(
                &mut drawn,
                format_args!("<circle class=\"dot {}\" cx=\"{}\" cy=\"{}\" r=\"2.5\"/>", curve.class, at(x), at(y)),
            );
        }
    }
    drawn.push_str(&ticks(&curves.places, width));
    let legend: Vec<(&str, &str)> = curves.curves.iter().map(|curve| (curve.class, curve.name.as_str())).collect();
    let legend = if legend.len() > 1 { legend } else { Vec::new() };
    figure(frame, super::HEIGHT, &drawn, &legend, &table(curves))
}

/// The curve, and those of its points that have no neighbour to be joined with.
fn outline(curve: &Curve, axis: &Axis, width: f64) -> (String, Vec<(f64, f64)>) {
    let (mut path, mut alone) = (String::new(), Vec::new());
    let known = |nth: usize| curve.values.get(nth).copied().flatten();
    for nth in 0..curve.values.len() {
        let Some(value) = known(nth) else { continue };
        let before = nth.checked_sub(1).and_then(known);
        let (x, y) = (LEFT + width * (nth as f64 + 0.5), axis.y(value));
        push(&mut path, format_args!("{}{} {}", if before.is_some() { "L" } else { "M" }, at(x), at(y)));
        if before.is_none() && known(nth + 1).is_none() {
            alone.push((x, y));
        }
    }
    (path, alone)
}

fn table(lines: &Lines) -> Table {
    let mut head = vec![lines.heading.clone()];
    head.extend(lines.curves.iter().map(|curve| curve.name.clone()));
    let values = |nth: usize| lines.curves.iter().map(move |curve| curve.values.get(nth).copied().flatten());
    let known = lines.places.iter().enumerate().filter(|(nth, _)| values(*nth).any(|value| value.is_some()));
    let rows = known.map(|(nth, place)| {
        let cells = values(nth).map(|value| value.map_or_else(|| "–".to_owned(), |value| lines.unit.told(value)));
        std::iter::once(place.name.clone()).chain(cells).collect()
    });
    Table { head, rows: rows.collect() }
}
