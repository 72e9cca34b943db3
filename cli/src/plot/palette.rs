//! Colours that the colour-blind tell apart too: Okabe and Ito's, and where they do not suffice,
//! bands of them.

use plotters::style::RGBColor;

/// Neighbours in this list differ in brightness too.
const COLOURS: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(240, 228, 66),
    RGBColor(213, 94, 0),
    RGBColor(86, 180, 233),
    RGBColor(90, 90, 90),
    RGBColor(204, 121, 167),
];

/// The colours of a server's bands, from the outside in: one for the first 8 servers, two for the
/// first 64, three for the first 512, and then the same again.
pub fn bands(server: usize) -> [RGBColor; 3] {
    let count = COLOURS.len();
    let outer = server % count;
    let middle = outer + server / count;
    let inner = outer + server / (count * count);
    [outer, middle, inner].map(|place| COLOURS[place % count])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_of_512_servers_look_the_same() {
        let all: HashSet<[(u8, u8, u8); 3]> = (0..512)
            .map(|server| bands(server).map(|RGBColor(r, g, b)| (r, g, b)))
            .collect();
        assert_eq!(all.len(), 512);
        assert!((0..8).all(|server| bands(server).windows(2).all(|pair| pair[0] == pair[1])));
    }
}
