//! Shapes and text on a picture, and the picture as SVG.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use unicode_width::UnicodeWidthChar;

pub use plotters::style::{BLACK, RGBColor, WHITE};

pub const GREY: RGBColor = RGBColor(100, 100, 100);

// What is drawn as PNG has these fonts with it; what shows an SVG has one of the others, none of
// them wider.
const SANS: &str = "DejaVu Sans, Verdana, sans-serif";
const MONO: &str = "DejaVu Sans Mono, Menlo, Consolas, monospace";
/// The width of a character, of the size of its font; and of those of the other font at most, on average.
const MONO_WIDTH: f64 = 0.603;
pub const SANS_WIDTH: f64 = 0.64;

/// plotters counts whole pixels, which are too coarse for arcs: these are as many to one of the picture.
const FINE: f64 = 20.0;
/// plotters divides the size of text by this.
const TEXT: f64 = 1.24;
pub struct Canvas {
    shapes: Vec<Shape>,
    size: (f64, f64),
}

pub enum Shape {
    Polygon(Vec<(f64, f64)>, RGBColor),
    Text {
        at: (f64, f64),
        size: f64,
        text: String,
        colour: RGBColor,
        anchor: HPos,
        font: Font,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Font {
    Sans,
    /// All characters are as wide.
    Mono,
}

/// The width of text in the font of equal widths.
pub fn mono_width(text: &str, size: f64) -> f64 {
    columns(text) as f64 * MONO_WIDTH * size
}

fn columns(text: &str) -> usize {
    text.chars().filter_map(UnicodeWidthChar::width).sum()
}

/// The beginning of text that has so many columns at most, with … where it is not all.
pub fn cut(text: &str, most: usize) -> String {
    if columns(text) <= most {
        return text.to_owned();
    }
    let mut left = most.saturating_sub(1);
    let fits = |c: &char| {
        let width = c.width().unwrap_or(0);
        let fits = width <= left;
        left -= width.min(left);
        fits
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

impl Canvas {
    pub fn new(width: f64, height: f64) -> Canvas {
        Canvas {
            shapes: Vec::new(),
            size: (width.ceil(), height.ceil()),
        }
    }

    pub fn polygon(&mut self, corners: Vec<(f64, f64)>, colour: RGBColor) {
        self.shapes.push(Shape::Polygon(corners, colour));
    }

    pub fn rectangle(&mut self, (x, y): (f64, f64), width: f64, height: f64, colour: RGBColor) {
        let corners = vec![
            (x, y),
            (x + width, y),
            (x + width, y + height),
            (x, y + height),
        ];
        self.polygon(corners, colour);
    }

    /// Text in the font of equal widths, centred at this height.
    pub fn text(&mut self, at: (f64, f64), size: f64, text: &str, colour: RGBColor, anchor: HPos) {
        let text = for_xml(text);
        self.shapes.push(Shape::Text {
            at,
            size,
            text,
            colour,
            anchor,
            font: Font::Mono,
        });
    }

    /// Text from here to the right.
    pub fn title(&mut self, at: (f64, f64), size: f64, text: &str, colour: RGBColor) {
        let text = for_xml(text);
        self.shapes.push(Shape::Text {
            at,
            size,
            text,
            colour,
            anchor: HPos::Left,
            font: Font::Sans,
        });
    }

    pub fn size(&self) -> (u32, u32) {
        (self.size.0 as u32, self.size.1 as u32)
    }

    pub fn shapes(&self) -> &[Shape] {
        &self.shapes
    }

    pub fn svg(&self) -> String {
        let fine = |(x, y): (f64, f64)| ((x * FINE).round() as i32, (y * FINE).round() as i32);
        let mut svg = String::new();
        let (width, height) = fine(self.size);
        let root =
            SVGBackend::with_string(&mut svg, (width as u32, height as u32)).into_drawing_area();
        let drawn = root.fill(&WHITE).and_then(|()| {
            self.shapes.iter().try_for_each(|shape| match shape {
                Shape::Polygon(corners, colour) => {
                    let corners: Vec<(i32, i32)> =
                        corners.iter().map(|&corner| fine(corner)).collect();
                    root.draw(&Polygon::new(corners, colour.filled()))
                }
                Shape::Text {
                    at,
                    size,
                    text,
                    colour,
                    anchor,
                    font,
                } => {
                    let family = match font {
                        Font::Sans => SANS,
                        Font::Mono => MONO,
                    };
                    let font = (family, size * TEXT * FINE).into_font();
                    let style = font.color(colour).pos(Pos::new(*anchor, VPos::Center));
                    root.draw(&Text::new(text.as_str(), fine(*at), style))
                }
            })
        });
        drawn
            .and_then(|()| root.present())
            .expect("a string takes all that is written to it");
        drop(root);
        let size = self.size();
        let from = format!("<svg width=\"{width}\" height=\"{height}\"");
        let to = format!("<svg width=\"{}\" height=\"{}\"", size.0, size.1);
        svg.replacen(&from, &to, 1)
    }
}

/// Text without the characters that XML cannot have.
fn for_xml(text: &str) -> String {
    let text = text.chars().filter(|c| !c.is_control());
    text.map(|c| {
        if matches!(c, '\u{fffe}' | '\u{ffff}') {
            '\u{fffd}'
        } else {
            c
        }
    })
    .collect()
}
