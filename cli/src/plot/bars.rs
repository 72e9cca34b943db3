//! A row for each server: its colours, its name, its shares.

use super::canvas::{BLACK, Canvas, GREY, RGBColor, cut, mono_width};
use super::palette::bands;
use plotters::style::text_anchor::HPos;

const SIZE: f64 = 12.5;
/// The heights of rows, where there are many and where there are few, and what is left between two.
const ROW: f64 = 19.0;
const TALL_ROW: f64 = 32.0;
const BETWEEN: f64 = 5.0;
const SWATCH: f64 = 14.0;
/// The length of bars in several columns, and in one.
const BAR: f64 = 150.0;
const LONG_BAR: f64 = 240.0;
const GAP: f64 = 10.0;
/// Between columns of rows.
const GUTTER: f64 = 30.0;
/// For the heading.
const HEADING: f64 = 30.0;
/// Rows that a column has before there is another, and columns before they grow longer.
const ROWS: usize = 34;
const COLUMNS: usize = 3;
/// The longest name that is shown whole, in characters.
const NAME: usize = 34;
const EMPTY: RGBColor = RGBColor(238, 238, 238);

pub struct Row {
    pub name: String,
    pub wanted: f64,
    /// One share, or that before and that after.
    pub got: Vec<f64>,
    /// Texts behind the bar.
    pub cells: Vec<String>,
}

pub struct Bars {
    rows: Vec<Row>,
    name_width: f64,
    cell_widths: Vec<f64>,
    columns: usize,
    /// Rows in a column.
    length: usize,
    row_height: f64,
    bar: f64,
    /// The share that fills a bar.
    most: f64,
}

impl Bars {
    pub fn new(mut rows: Vec<Row>) -> Bars {
        for row in &mut rows {
            row.name = cut(&row.name, NAME);
        }
        let widest = |texts: &mut dyn Iterator<Item = &String>| {
            texts.map(|text| mono_width(text, SIZE)).fold(0.0, f64::max)
        };
        let name_width = widest(&mut rows.iter().map(|row| &row.name));
        let cells = 0..rows.first().map_or(0, |row| row.cells.len());
        let cell_widths = cells.map(|cell| widest(&mut rows.iter().map(|row| &row.cells[cell])));
        let cell_widths = cell_widths.collect();
        let columns = rows.len().div_ceil(ROWS).clamp(1, COLUMNS);
        let length = rows.len().div_ceil(columns);
        let row_height = (ROW * ROWS as f64 / 1.3 / length as f64).clamp(ROW, TALL_ROW);
        let shares = rows
            .iter()
            .flat_map(|row| row.got.iter().chain([&row.wanted]));
        let most = shares.copied().fold(f64::MIN_POSITIVE, f64::max);
        Bars {
            name_width,
            cell_widths,
            columns,
            length,
            row_height,
            bar: if columns == 1 { LONG_BAR } else { BAR },
            most,
            rows,
        }
    }

    fn column_width(&self) -> f64 {
        let cells: f64 = self.cell_widths.iter().map(|width| GAP + width).sum();
        SWATCH + GAP + self.name_width + GAP + self.bar + cells
    }

    pub fn width(&self) -> f64 {
        // The heading stands above the first column.
        (self.column_width() * self.columns as f64 + GUTTER * (self.columns - 1) as f64).max(460.0)
    }

    pub fn height(&self) -> f64 {
        HEADING + self.row_height * self.length as f64
    }

    pub fn draw(&self, canvas: &mut Canvas, left: f64, top: f64, heading: &str) {
        canvas.title((left, top + 6.0), 13.0, heading, GREY);
        for (at, row) in self.rows.iter().enumerate() {
            let (column, line) = (at / self.length, at % self.length);
            let x = left + column as f64 * (self.column_width() + GUTTER);
            let y = top + HEADING + self.row_height * (line as f64 + 0.5);
            self.row(canvas, (x, y), at, row);
        }
    }

    fn row(&self, canvas: &mut Canvas, (x, middle): (f64, f64), server: usize, row: &Row) {
        let colours = bands(server);
        let height = self.row_height - BETWEEN;
        let top = middle - height / 2.0;
        canvas.rectangle((x, top), SWATCH, height, colours[0]);
        for (band, &colour) in colours
            .iter()
            .enumerate()
            .skip(1)
            .filter(|(_, colour)| **colour != colours[0])
        {
            let height = height / 3.0;
            canvas.rectangle((x, top + height * band as f64), SWATCH, height, colour);
        }
        let x = x + SWATCH + GAP;
        canvas.text((x, middle), SIZE, &row.name, BLACK, HPos::Left);

        let x = x + self.name_width + GAP;
        canvas.rectangle((x, top), self.bar, height, EMPTY);
        let each = height / row.got.len() as f64;
        for (at, &share) in row.got.iter().enumerate() {
            // What was before is paler.
            let is_past = at + 1 < row.got.len();
            let colour = if is_past {
                paler(colours[0])
            } else {
                colours[0]
            };
            let top = top + each * at as f64;
            canvas.rectangle((x, top), self.bar * share / self.most, each, colour);
        }
        let wanted = x + self.bar * row.wanted / self.most;
        canvas.rectangle((wanted - 1.0, top - 1.5), 2.0, height + 3.0, BLACK);

        let mut x = x + self.bar;
        for (cell, width) in row.cells.iter().zip(&self.cell_widths) {
            x += GAP + width;
            canvas.text((x, middle), SIZE, cell, BLACK, HPos::Right);
        }
    }
}

fn paler(RGBColor(r, g, b): RGBColor) -> RGBColor {
    let half = |part: u8| 255 - (255 - part) / 2;
    RGBColor(half(r), half(g), half(b))
}
