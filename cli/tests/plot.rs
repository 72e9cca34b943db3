//! Pictures: nothing overlaps, and PNG is made without any font of the machine's.

mod common;

use common::{GROWN, SERVERS, folder, ketama, stdout};
use std::fs;

/// A rectangle: left, top, right, bottom.
type Area = [f64; 4];

fn attribute<'a>(tag: &'a str, name: &str) -> &'a str {
    let start = tag
        .find(&format!(" {name}=\""))
        .unwrap_or_else(|| panic!("{name}: {tag}"))
        + name.len()
        + 3;
    &tag[start..start + tag[start..].find('"').unwrap()]
}

/// The texts of an SVG and where they stand, in its pixels.
fn texts(svg: &str) -> Vec<(String, Area)> {
    let fine: f64 = attribute(svg, "viewBox")
        .split(' ')
        .nth(2)
        .unwrap()
        .parse()
        .unwrap();
    let width: f64 = attribute(svg, "width").parse().unwrap();
    let scale = width / fine;
    svg.split("<text ")
        .skip(1)
        .map(|tag| {
            let tag = format!(" {tag}");
            let number = |name| attribute(&tag, name).parse::<f64>().unwrap() * scale;
            let text = tag[tag.find('>').unwrap() + 1..tag.find("</text>").unwrap()]
                .trim()
                .to_owned();
            let (x, y, size) = (number("x"), number("y"), number("font-size"));
            // DejaVu's: no other font of the list is wider.
            let wide = if attribute(&tag, "font-family").contains("Mono") {
                0.603
            } else {
                0.62
            };
            let len = text.replace("&apos;", "'").chars().count() as f64 * wide * size;
            let left = match attribute(&tag, "text-anchor") {
                "start" => x,
                "middle" => x - len / 2.0,
                _ => x - len,
            };
            (text, [left, y - 0.5 * size, left + len, y + 0.5 * size])
        })
        .collect()
}

fn check(svg: &str) {
    let size = ["width", "height"].map(|name| attribute(svg, name).parse::<f64>().unwrap());
    let texts = texts(svg);
    for (at, (text, area)) in texts.iter().enumerate() {
        assert!(
            area[0] >= 0.0 && area[1] >= 0.0 && area[2] <= size[0] && area[3] <= size[1],
            "{text} is cut: {area:?}"
        );
        for (other, there) in &texts[at + 1..] {
            let overlap = area[0] < there[2]
                && there[0] < area[2]
                && area[1] < there[3]
                && there[1] < area[3];
            assert!(!overlap, "{text} and {other} overlap: {area:?} {there:?}");
        }
    }
}

/// A list of so many servers of different names and weights.
fn servers(count: usize) -> String {
    let servers = (1..=count).map(|n| {
        format!(
            "cache-{n}.rack-{}.example.com:11211={}",
            n % 7,
            100 + n * 37 % 200
        )
    });
    servers.collect::<Vec<_>>().join(",")
}

#[test]
fn no_label_overlaps_another_with_3_servers_or_with_100() {
    for count in [1, 2, 3, 8, 9, 34, 35, 100, 300] {
        let list = servers(count);
        let svg = stdout(&format!("plot -s {list} -o -"));
        check(&svg);
        for n in 1..=count {
            assert!(svg.contains(&format!("cache-{n}.rack")), "{count}: {n}");
        }
        let grown = format!("{list},a-new-server-with-quite-a-long-name.example.com:11211=100");
        check(&stdout(&format!("plot {list} {grown} -o -")));
    }
    check(&stdout("plot -s a=1000,b=1000,c=1,d=0 -d hash_ring -o -"));
}

#[test]
fn the_bars_say_what_show_says() {
    let svg = stdout(&format!("plot -s {SERVERS} -o -"));
    let texts: Vec<String> = texts(&svg).into_iter().map(|(text, _)| text).collect();
    let json: serde_json::Value =
        serde_json::from_str(&stdout(&format!("show -s {SERVERS} --format json"))).unwrap();
    for server in json["servers"].as_array().unwrap() {
        let name = server["server"].as_str().unwrap();
        let at = texts.iter().position(|text| text == name).unwrap();
        assert_eq!(
            texts[at + 1],
            format!("{:.2}%", 100.0 * server["got"].as_f64().unwrap())
        );
        assert_eq!(
            texts[at + 2],
            format!("{:+.1}%", 100.0 * server["difference"].as_f64().unwrap())
        );
    }
    let svg = stdout(&format!("plot {SERVERS} {GROWN} -o -"));
    assert!(svg.contains("10.61% moves"));
}

#[test]
fn a_png_needs_no_fonts_of_the_machine() {
    let folder = folder("plot");
    let (svg, png) = (folder.join("ring.svg"), folder.join("ring.png"));
    let mut command = ketama("plot --format json -s a:1=1,b:2=2");
    // No place where fonts would be looked for.
    command
        .env("HOME", "/nonexistent")
        .env("FONTCONFIG_FILE", "/dev/null");
    let output = command
        .arg("-o")
        .arg(&svg)
        .arg("-o")
        .arg(&png)
        .output()
        .unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let bytes = fs::read(&png).unwrap();
    assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n"));
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    assert_eq!(json["written"][1]["width"], number(16) / 2);
    assert_eq!(json["written"][1]["height"], number(20) / 2);

    // With its text: the same without any is another picture.
    let alone = folder.join("alone.png");
    ketama("plot -s c:1=1,d:2=2 -o")
        .arg(&alone)
        .assert()
        .code(0);
    assert_ne!(fs::read(&alone).unwrap(), bytes);
    assert_eq!(
        fs::read_to_string(&svg).unwrap(),
        stdout("plot -s a:1=1,b:2=2 -o -")
    );
}

#[test]
fn names_that_xml_cannot_have_are_drawn() {
    let path = folder("xml").join("servers");
    fs::write(
        &path,
        "<&\"'>:1 1\n\u{1}\u{fffe}:2 1\n\u{65e5}\u{672c}:3 1\n",
    )
    .unwrap();
    let png = path.with_extension("png");
    ketama("plot -s")
        .arg(&path)
        .arg("-o")
        .arg(&png)
        .assert()
        .code(0);
    ketama("plot -o")
        .arg(&png)
        .args(["-s", &servers(1001)])
        .assert()
        .code(2);
}
