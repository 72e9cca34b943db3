//! A picture as PNG, with fonts that it brings with it.

use super::canvas::{Canvas, Font, Shape};
use crate::failure::Failure;
use ab_glyph::{Font as _, FontRef, PxScale, ScaleFont, point};
use plotters::style::RGBColor;
use plotters::style::text_anchor::HPos;
use tiny_skia::{Color, FillRule, Paint, PathBuilder, Pixmap, PremultipliedColorU8, Transform};

/// The pixels of a PNG to one of the picture.
const ZOOM: f32 = 2.0;
/// How far below the middle of a line of text its letters stand, of the size of the font.
const BASE: f32 = 0.27;

pub fn png(canvas: &Canvas) -> Result<Vec<u8>, Failure> {
    let failed = |what: &str| Failure::new(format!("cannot draw the PNG: {what}; write an SVG"));
    let (width, height) = canvas.size();
    let (width, height) = (width * ZOOM as u32, height * ZOOM as u32);
    let mut pixels = Pixmap::new(width, height).ok_or_else(|| failed("it would be too large"))?;
    pixels.fill(Color::WHITE);
    for shape in canvas.shapes() {
        match shape {
            Shape::Polygon(corners, colour) => polygon(&mut pixels, corners, *colour),
            Shape::Text {
                at,
                size,
                text: words,
                colour,
                anchor,
                font,
            } => {
                let at = (at.0 as f32 * ZOOM, at.1 as f32 * ZOOM);
                text(
                    &mut pixels,
                    at,
                    *size as f32 * ZOOM,
                    words,
                    *colour,
                    *anchor,
                    *font,
                );
            }
        }
    }
    pixels
        .encode_png()
        .map_err(|error| failed(&error.to_string()))
}

fn polygon(pixels: &mut Pixmap, corners: &[(f64, f64)], RGBColor(r, g, b): RGBColor) {
    let mut path = PathBuilder::new();
    for (at, &(x, y)) in corners.iter().enumerate() {
        let (x, y) = (x as f32, y as f32);
        if at == 0 {
            path.move_to(x, y)
        } else {
            path.line_to(x, y)
        }
    }
    path.close();
    // None where it has no area.
    let Some(path) = path.finish() else { return };
    let mut paint = Paint::default();
    paint.set_color_rgba8(r, g, b, 255);
    pixels.fill_path(
        &path,
        &paint,
        FillRule::Winding,
        Transform::from_scale(ZOOM, ZOOM),
        None,
    );
}

fn text(
    pixels: &mut Pixmap,
    (x, y): (f32, f32),
    size: f32,
    text: &str,
    colour: RGBColor,
    anchor: HPos,
    font: Font,
) {
    let bytes = match font {
        Font::Sans => dejavu::sans::regular(),
        Font::Mono => dejavu::sans_mono::regular(),
    };
    let font = FontRef::try_from_slice(bytes).expect("DejaVu's fonts are whole");
    let em = font.units_per_em().expect("so are their headers");
    let scale = PxScale::from(size * font.height_unscaled() / em);
    let scaled = font.as_scaled(scale);
    let advance = |c: char| scaled.h_advance(scaled.glyph_id(c));
    let width: f32 = text.chars().map(advance).sum();
    let mut x = match anchor {
        HPos::Left => x,
        HPos::Center => x - width / 2.0,
        HPos::Right => x - width,
    };
    for c in text.chars() {
        let glyph = scaled
            .glyph_id(c)
            .with_scale_and_position(scale, point(x, y + BASE * size));
        x += advance(c);
        // A space has none.
        let Some(outline) = font.outline_glyph(glyph) else {
            continue;
        };
        let corner = outline.px_bounds().min;
        outline.draw(|across, down, cover| {
            blend(
                pixels,
                corner.x as i64 + i64::from(across),
                corner.y as i64 + i64::from(down),
                colour,
                cover,
            );
        });
    }
}

/// Covers a part of a pixel, if there is one.
fn blend(pixels: &mut Pixmap, x: i64, y: i64, RGBColor(r, g, b): RGBColor, cover: f32) {
    let (width, height) = (i64::from(pixels.width()), i64::from(pixels.height()));
    if !(0..width).contains(&x) || !(0..height).contains(&y) {
        return;
    }
    let pixel = &mut pixels.pixels_mut()[(y * width + x) as usize];
    let cover = cover.clamp(0.0, 1.0);
    let mix = |below: u8, colour: u8| {
        (f32::from(below) + (f32::from(colour) - f32::from(below)) * cover).round() as u8
    };
    let mixed = (
        mix(pixel.red(), r),
        mix(pixel.green(), g),
        mix(pixel.blue(), b),
    );
    // The picture is white at first: no pixel is transparent.
    *pixel = PremultipliedColorU8::from_rgba(mixed.0, mixed.1, mixed.2, 255)
        .expect("opaque colours are premultiplied");
}
