//! Bars, one a place, each made of layers.

use super::{Axis, Frame, Place, Table, Unit, at, escaped, figure, push, ticks, width_of};
use super::{LEFT, TOP};

/// Bars over time.
#[derive(Debug, Clone)]
pub struct Bars {
    /// The places on the time axis.
    pub places: Vec<Place>,
    /// What each bar is made of, from below.
    pub layers: Vec<Layer>,
    /// How the first column of the table is headed.
    pub heading: String,
}

/// One layer of all bars.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Its name.
    pub name: String,
    /// The class of its colour.
    pub class: &'static str,
    /// Its value at each place.
    pub values: Vec<u32>,
}

/// Draws them. Places without anything are left out of the table.
#[must_use]
pub fn stacked(frame: &Frame<'_>, bars: &Bars) -> String {
    let sum = |nth: usize| bars.layers.iter().map(|layer| layer.values.get(nth).copied().unwrap_or(0)).sum::<u32>();
    let sums: Vec<u32> = (0..bars.places.len()).map(sum).collect();
    let axis = Axis::reaching(f64::from(sums.iter().copied().max().unwrap_or(0)), Unit::Count);
    let width = width_of(&bars.places);
    let mut drawn = axis.drawn();
    let mut reached = vec![0_u32; sums.len()];
    for layer in &bars.layers {
        push(
            &mut drawn,
            format_args!("<path class=\"{}\" d=\"{}\"/>", layer.class, outline(layer, &mut reached, &axis, width)),
        );
    }
    drawn.push_str(&ticks(&bars.places, width));
    for (nth, place) in bars.places.iter().enumerate().filter(|(nth, _)| sums[*nth] > 0) {
        let (x, y, high) = (at(LEFT + width * nth as f64), at(TOP), at(axis.y(0.0) - TOP));
        let told = escaped(&format!("{}: {}", place.name, Unit::Count.told(f64::from(sums[nth]))));
        push(
            &mut drawn,
            format_args!(
                "<rect class=\"hit\" x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{high}\"><title>{told}</title></rect>",
                at(width)
            ),
        );
    }
    let legend: Vec<(&str, &str)> = bars.layers.iter().map(|layer| (layer.class, layer.name.as_str())).collect();
    figure(frame, super::HEIGHT, &drawn, &legend, &table(bars, &sums))
}

/// One path for all bars of a layer: a year of days stays small.
fn outline(layer: &Layer, reached: &mut [u32], axis: &Axis, width: f64) -> String {
    let gap = (width * 0.18).min(3.0);
    let mut path = String::new();
    for (nth, below) in reached.iter_mut().enumerate() {
        let value = layer.values.get(nth).copied().unwrap_or(0);
        if value == 0 {
            continue;
        }
        let (foot, head) = (axis.y(f64::from(*below)), axis.y(f64::from(*below + value)));
        let (x, wide) = (at(LEFT + width * nth as f64 + gap / 2.0), at(width - gap));
        push(&mut path, format_args!("M{x} {}h{wide}V{}h-{wide}z", at(foot), at(head)));
        *below += value;
    }
    path
}

fn table(bars: &Bars, sums: &[u32]) -> Table {
    let mut head = vec![bars.heading.clone()];
    head.extend(bars.layers.iter().map(|layer| layer.name.clone()));
    let filled = bars.places.iter().enumerate().filter(|(nth, _)| sums[*nth] > 0);
    let rows = filled.map(|(nth, place)| {
        let values = bars.layers.iter().map(|layer| layer.values.get(nth).copied().unwrap_or(0));
        let cells = values.map(|value| Unit::Count.told(f64::from(value)));
        std::iter::once(place.name.clone()).chain(cells).collect()
    });
    Table { head, rows: rows.collect() }
}
