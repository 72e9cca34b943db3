//! Plots of times against numbers of servers, both on logarithmic axes.

use crate::clock::Nanoseconds;
use crate::peers::{Peers, Table};
use crate::report::{PLOT_OF_BUILDS, plot_of_lookups, thousands};
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::error::Error;
use std::path::Path;

const SIZE: (u32, u32) = (980, 560);
const FONT: &str = "sans-serif";
/// Where labels stand, to the right of the plot, and how far from each other at least.
const LABELS: i32 = 730;
const LINE: i32 = 22;

#[derive(Clone, Copy)]
enum Marker {
    Disc,
    Circle,
    Square,
    Triangle,
    Cross,
}

/// A line of a plot.
struct Line {
    label: &'static str,
    /// The rows of tables that it shows: the first of them that a table has.
    rows: &'static [&'static str],
    colour: RGBColor,
    width: u32,
    is_dashed: bool,
    marker: Marker,
}

// Okabe and Ito's colours, which the colour-blind tell apart too.
const ORANGE: RGBColor = RGBColor(230, 159, 0);
const SKY_BLUE: RGBColor = RGBColor(86, 180, 233);
const GREEN: RGBColor = RGBColor(0, 158, 115);
const BLUE: RGBColor = RGBColor(0, 114, 178);
const VERMILION: RGBColor = RGBColor(213, 94, 0);
const PURPLE: RGBColor = RGBColor(204, 121, 167);

const fn line(
    label: &'static str,
    rows: &'static [&'static str],
    colour: RGBColor,
    marker: Marker,
) -> Line {
    Line {
        label,
        rows,
        colour,
        width: 2,
        is_dashed: false,
        marker,
    }
}

/// A line of this library.
const fn ours(
    label: &'static str,
    rows: &'static [&'static str],
    colour: RGBColor,
    marker: Marker,
) -> Line {
    Line {
        width: 4,
        ..line(label, rows, colour, marker)
    }
}

/// A line of a library in the runtime of another language.
const fn elsewhere(
    label: &'static str,
    rows: &'static [&'static str],
    colour: RGBColor,
    marker: Marker,
) -> Line {
    Line {
        is_dashed: true,
        ..line(label, rows, colour, marker)
    }
}

const LINES: &[Line] = &[
    line(
        "libketama (ported above 117)",
        &["libketama", "libketama, `ketama_roll`", "libketama, ported"],
        BLACK,
        Marker::Square,
    ),
    line(
        "libmemcached",
        &["libmemcached"],
        VERMILION,
        Marker::Triangle,
    ),
    line("crate ketama", &["crate ketama"], GREEN, Marker::Circle),
    line(
        "crate pingora-ketama",
        &["crate pingora-ketama"],
        ORANGE,
        Marker::Circle,
    ),
    line(
        "crate hashring",
        &["crate hashring"],
        PURPLE,
        Marker::Circle,
    ),
    line(
        "crate conhash",
        &["crate conhash"],
        VERMILION,
        Marker::Cross,
    ),
    elsewhere(
        "npm hashring (Node.js)",
        &["npm hashring (Node.js)"],
        GREEN,
        Marker::Triangle,
    ),
    elsewhere(
        "uhashring (Python)",
        &["uhashring (Python)"],
        PURPLE,
        Marker::Triangle,
    ),
    ours(
        "ours, one key a call",
        &["ours, `ketama_ring_find`"],
        SKY_BLUE,
        Marker::Disc,
    ),
    ours(
        "ours, many keys a call",
        &["ours, `ketama_ring_find_many`"],
        BLUE,
        Marker::Disc,
    ),
    ours(
        "ours, ketama_roll",
        &["ours, `ketama_roll`"],
        SKY_BLUE,
        Marker::Disc,
    ),
    ours(
        "ours, ketama_ring_new",
        &["ours, `ketama_ring_new`"],
        BLUE,
        Marker::Disc,
    ),
];

/// Writes all plots into a folder.
pub fn draw(peers: &Peers, folder: &Path) -> Result<(), Box<dyn Error>> {
    for (index, (kind, tables)) in peers.lookups.iter().enumerate() {
        let title = format!("Time a key, keys: {}", kind.name());
        plot(&folder.join(plot_of_lookups(index)), &title, tables)?;
    }
    plot(
        &folder.join(PLOT_OF_BUILDS),
        "Time to build a ring",
        &peers.builds,
    )
}

/// A line's places in these tables.
fn places(line: &Line, tables: &[Table]) -> Vec<(f64, Nanoseconds)> {
    let time = |table: &Table| {
        let mut rows = line.rows.iter();
        let found = rows.find_map(|name| table.rows.iter().find(|row| row.name == *name))?;
        Some((table.servers as f64, found.time))
    };
    tables.iter().filter_map(time).collect()
}

fn plot(path: &Path, title: &str, tables: &[Table]) -> Result<(), Box<dyn Error>> {
    let lines = LINES.iter().map(|line| (line, places(line, tables)));
    let lines: Vec<_> = lines.filter(|(_, places)| !places.is_empty()).collect();
    let times = lines
        .iter()
        .flat_map(|(_, places)| places)
        .map(|&(_, time)| time);
    let (least, most) = times.fold((f64::MAX, 0.0), |(least, most), time| {
        (time.min(least), time.max(most))
    });

    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let (left, right) = root.split_horizontally(LABELS - 12);
    right.fill(&WHITE)?;
    let servers: Vec<f64> = tables.iter().map(|table| table.servers as f64).collect();
    let (fewest, largest) = (servers[0] * 0.85, servers[servers.len() - 1] * 1.18);
    let (lowest, highest) = (least * 0.7, most * 1.4);
    let mut chart = ChartBuilder::on(&left)
        .caption(title, (FONT, 20))
        .margin(10)
        .x_label_area_size(48)
        .y_label_area_size(76)
        .build_cartesian_2d(
            (fewest..largest).log_scale().with_key_points(servers),
            (lowest..highest)
                .log_scale()
                .with_key_points(marks(lowest, highest)),
        )?;
    chart
        .configure_mesh()
        .x_desc("servers")
        .x_label_formatter(&|count| thousands(count.round() as usize))
        .y_label_formatter(&|&time| mark_text(time))
        .label_style((FONT, 15))
        .axis_desc_style((FONT, 15))
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.15))
        .draw()?;

    let mut ends = Vec::new();
    for (line, places) in &lines {
        let style = line.colour.stroke_width(line.width);
        if line.is_dashed {
            chart.draw_series(DashedLineSeries::new(places.iter().copied(), 7, 5, style))?;
        } else {
            chart.draw_series(LineSeries::new(places.iter().copied(), style))?;
        }
        let pixels: Vec<_> = places
            .iter()
            .map(|place| chart.backend_coord(place))
            .collect();
        for &pixel in &pixels {
            mark(&root, line, pixel)?;
        }
        ends.push((pixels[pixels.len() - 1].1, *line));
    }
    for (height, line) in apart(ends) {
        let style = line.colour.stroke_width(line.width);
        let (from, to) = ((LABELS, height), (LABELS + 34, height));
        if line.is_dashed {
            root.draw(&DashedPathElement::new([from, to], 7, 5, style))?;
        } else {
            root.draw(&PathElement::new([from, to], style))?;
        }
        mark(&root, line, (LABELS + 17, height))?;
        let font = (FONT, 15)
            .into_font()
            .color(&BLACK)
            .pos(Pos::new(HPos::Left, VPos::Center));
        root.draw(&Text::new(line.label, (LABELS + 42, height), font))?;
    }
    root.present()?;
    Ok(())
}

/// Heights in ascending order, moved until no two labels touch and all are in the picture.
fn apart(mut labels: Vec<(i32, &Line)>) -> Vec<(i32, &Line)> {
    labels.sort_by_key(|&(height, _)| height);
    let mut lowest = SIZE.1 as i32 - LINE;
    for label in labels.iter_mut().rev() {
        label.0 = label.0.min(lowest);
        lowest = label.0 - LINE;
    }
    let mut highest = LINE;
    for label in &mut labels {
        label.0 = label.0.max(highest);
        highest = label.0 + LINE;
    }
    labels
}

fn mark<DB: DrawingBackend>(
    root: &DrawingArea<DB, plotters::coord::Shift>,
    line: &Line,
    at: (i32, i32),
) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
    let (filled, hollow) = (line.colour.filled(), line.colour.stroke_width(2));
    let (x, y) = at;
    match line.marker {
        Marker::Disc => root.draw(&Circle::new(at, 5, filled)),
        Marker::Circle => {
            root.draw(&Circle::new(at, 5, WHITE.filled()))?;
            root.draw(&Circle::new(at, 5, hollow))
        }
        Marker::Square => root.draw(&Rectangle::new([(x - 4, y - 4), (x + 4, y + 4)], filled)),
        Marker::Triangle => root.draw(&TriangleMarker::new(at, 6, filled)),
        Marker::Cross => root.draw(&Cross::new(at, 5, hollow)),
    }
}

/// 1 and 3 times the powers of ten in this range.
fn marks(lowest: Nanoseconds, highest: Nanoseconds) -> Vec<Nanoseconds> {
    let powers = lowest.log10().floor() as i32..=highest.log10().floor() as i32;
    let marks = powers.flat_map(|power| [1.0, 3.0].map(|digit| digit * 10f64.powi(power)));
    marks
        .filter(|mark| (lowest..highest).contains(mark))
        .collect()
}

/// A mark with its unit.
fn mark_text(time: Nanoseconds) -> String {
    // Marks are not quite whole.
    let (value, unit) = match time {
        ..0.99e3 => (time, "ns"),
        ..0.99e6 => (time / 1e3, "µs"),
        ..0.99e9 => (time / 1e6, "ms"),
        _ => (time / 1e9, "s"),
    };
    format!("{value:.0} {unit}")
}
