//! The circle: position 0 at the top, and clockwise from there.

use super::canvas::{BLACK, Canvas, GREY, RGBColor};
use super::palette::bands;
use ketama::Ring;
use plotters::style::text_anchor::HPos;
use std::f64::consts::TAU;

/// Arcs end at one of so many places: less than half a pixel apart.
const SLOTS: usize = 3600;
/// The parts of a turn at which a wide arc has corners.
const CORNERS: usize = 360;

/// The server of the middle of each slot.
pub fn owners(ring: &Ring) -> impl Iterator<Item = usize> {
    let middle = |slot: usize| ((2 * slot as u64 + 1) << 32) / (2 * SLOTS as u64);
    (0..SLOTS).map(move |slot| ring.find_hash(middle(slot) as u32))
}

pub struct Circle {
    centre: (f64, f64),
}

impl Circle {
    pub fn new(x: f64, y: f64) -> Circle {
        Circle { centre: (x, y) }
    }

    /// The arcs of slots' owners, between two radii.
    pub fn ring(&self, canvas: &mut Canvas, owners: &[usize], outer: f64, inner: f64) {
        let mut start = 0;
        for arc in owners.chunk_by(|a, b| a == b) {
            let end = start + arc.len();
            let colours = bands(arc[0]);
            if colours.windows(2).all(|pair| pair[0] == pair[1]) {
                self.arc(canvas, start, end, (outer, inner), colours[0]);
            } else {
                let width = (outer - inner) / 3.0;
                for (band, colour) in colours.into_iter().enumerate() {
                    let outer = outer - width * band as f64;
                    self.arc(canvas, start, end, (outer, outer - width), colour);
                }
            }
            start = end;
        }
    }

    /// Black where slots are marked, on light grey.
    pub fn marks(&self, canvas: &mut Canvas, is_marked: &[bool], outer: f64, inner: f64) {
        self.arc(canvas, 0, SLOTS, (outer, inner), RGBColor(232, 232, 232));
        let mut start = 0;
        for arc in is_marked.chunk_by(|a, b| a == b) {
            let end = start + arc.len();
            if arc[0] {
                self.arc(canvas, start, end, (outer, inner), BLACK);
            }
            start = end;
        }
    }

    fn arc(
        &self,
        canvas: &mut Canvas,
        start: usize,
        end: usize,
        (outer, inner): (f64, f64),
        colour: RGBColor,
    ) {
        let turn = |slot: usize| slot as f64 / SLOTS as f64;
        // A little into the next, which is drawn over it: no light comes through between them.
        let last = if end < SLOTS {
            turn(end) + 0.3 / SLOTS as f64
        } else {
            1.0
        };
        let mut turns = vec![turn(start)];
        let step = SLOTS / CORNERS;
        turns.extend((start / step + 1..end.div_ceil(step)).map(|corner| turn(corner * step)));
        turns.push(last);
        let mut corners: Vec<_> = turns.iter().map(|&turn| self.at(turn, outer)).collect();
        corners.extend(turns.iter().rev().map(|&turn| self.at(turn, inner)));
        canvas.polygon(corners, colour);
    }

    fn at(&self, turn: f64, radius: f64) -> (f64, f64) {
        let (sin, cos) = (turn * TAU).sin_cos();
        (self.centre.0 + radius * sin, self.centre.1 - radius * cos)
    }

    /// Where on the circle positions are.
    pub fn scale(&self, canvas: &mut Canvas, radius: f64) {
        let marks = [
            (0.0, "0", HPos::Center),
            (0.25, "1/4", HPos::Left),
            (0.5, "1/2", HPos::Center),
            (0.75, "3/4", HPos::Right),
        ];
        for (turn, text, anchor) in marks {
            let (x, y) = self.at(turn, radius + 5.0);
            canvas.rectangle((x - 0.75, y - 0.75), 1.5, 1.5, GREY);
            canvas.text(self.at(turn, radius + 14.0), 12.0, text, GREY, anchor);
        }
    }

    /// Lines of text within the circle, the first of them large.
    pub fn caption(&self, canvas: &mut Canvas, lines: &[&str]) {
        const LINE: f64 = 22.0;
        let (x, middle) = self.centre;
        let first = middle - LINE * (lines.len() - 1) as f64 / 2.0;
        for (at, line) in lines.iter().enumerate() {
            let (size, colour) = if at == 0 { (18.0, BLACK) } else { (14.0, GREY) };
            canvas.text(
                (x, first + LINE * at as f64),
                size,
                line,
                colour,
                HPos::Center,
            );
        }
    }
}
