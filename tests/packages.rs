//! `make deb`: what is in the packages, and that they serve a fresh system and take the place of the
//! original's.

mod common;

use common::{ROOT, folder, has, must, not_run, output_with, report};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn debian_packages_are_sound_and_take_the_place_of_the_originals() {
    if !has("dh") {
        return not_run("Debian packages", "there is no debhelper");
    }
    must(
        Command::new("make")
            .current_dir(ROOT)
            // Not the options of the make that runs the tests.
            .env_remove("MAKEFLAGS")
            .arg("deb"),
    );
    let packages = Packages {
        folder: Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("deb"),
        triplet: output(Command::new("dpkg-architecture").args(["-q", "DEB_HOST_MULTIARCH"])),
    };
    packages.hold_what_their_names_say();
    packages.bring_the_licenses_of_crates();
    packages.please_lintian();
    packages.serve_a_fresh_system();
}

struct Packages {
    folder: PathBuf,
    triplet: String,
}

const NAMES: [&str; 3] = ["libketama1", "libketama-dev", "ketama-tools"];

impl Packages {
    fn hold_what_their_names_say(&self) {
        let triplet = &self.triplet;
        let lib = |file: &str| format!("usr/lib/{triplet}/{file}");
        assert_eq!(
            self.files("libketama1"),
            [lib("libketama.so.1"), lib("libketama.so.1.0.0")]
        );
        let (pages, others): (Vec<String>, Vec<String>) = self
            .files("libketama-dev")
            .into_iter()
            .partition(|file| file.starts_with("usr/share/man/man3/"));
        for function in include_str!("data/symbols.txt").lines() {
            assert!(pages.contains(&format!("usr/share/man/man3/{function}.3.gz")));
        }
        assert_eq!(
            others,
            [
                "usr/include/ketama.h".to_owned(),
                "usr/include/ketama.hpp".to_owned(),
                lib("cmake/ketama/ketamaConfig.cmake"),
                lib("cmake/ketama/ketamaConfigVersion.cmake"),
                lib("libketama.a"),
                lib("libketama.so"),
                lib("pkgconfig/ketama.pc"),
            ]
        );
        assert_eq!(
            self.files("ketama-tools"),
            [
                "usr/bin/ketama",
                "usr/share/bash-completion/completions/ketama",
                "usr/share/fish/vendor_completions.d/ketama.fish",
                "usr/share/man/man1/ketama-bench.1.gz",
                "usr/share/man/man1/ketama-diff.1.gz",
                "usr/share/man/man1/ketama-get.1.gz",
                "usr/share/man/man1/ketama-lint.1.gz",
                "usr/share/man/man1/ketama-plot.1.gz",
                "usr/share/man/man1/ketama-show.1.gz",
                "usr/share/man/man1/ketama-watch.1.gz",
                "usr/share/man/man1/ketama-which.1.gz",
                "usr/share/man/man1/ketama.1.gz",
                "usr/share/zsh/vendor-completions/_ketama",
            ]
        );
    }

    fn bring_the_licenses_of_crates(&self) {
        for (package, first) in [("libketama1", "arc-swap v"), ("ketama-tools", "ab_glyph v")] {
            let text = output(
                Command::new("sh")
                    .args([
                        "-c",
                        "dpkg-deb --fsys-tarfile \"$0\" | tar xO \"$1\" | zcat",
                    ])
                    .arg(self.file(package))
                    .arg(format!("./usr/share/doc/{package}/licenses-of-crates.gz")),
            );
            assert!(text.starts_with(first), "{text}");
            for license in text.split("\n--------\n\n").filter(|text| !text.is_empty()) {
                assert!(license.contains("opyright"), "{license}");
            }
        }
    }

    fn please_lintian(&self) {
        if !has("lintian") {
            return not_run("lintian over the packages", "there is no lintian");
        }
        let mut lintian = Command::new("lintian");
        lintian.args(["--fail-on", "error", "--display-info"]);
        lintian.args(NAMES.map(|name| self.file(name)));
        let said = output_with(&mut lintian, b"");
        let tags = String::from_utf8_lossy(&said.stdout);
        assert!(said.status.success(), "{tags}");
        for tag in tags.lines().filter(|line| !line.starts_with("N:")) {
            report(&format!("lintian: {tag}"));
        }
    }

    fn serve_a_fresh_system(&self) {
        let Some(system) = System::fresh() else {
            return not_run(
                "Debian packages in a fresh system",
                "tests/prepare.sh could not make one, which needs root, mmdebstrap and Debian's mirror",
            );
        };
        // As a checkinstall of the original makes it.
        let own = [old_package(
            "libketama",
            "",
            &["/usr/lib/libketama.so.1", "/usr/include/ketama.h"],
        )];
        system.install(&own);
        let new = NAMES.map(|name| self.file(name));
        system.install(&new[..2]);
        assert_eq!(
            system.installed(),
            ["libketama-dev 1.0.0-1", "libketama1 1.0.0-1"]
        );
        assert!(!system.root.join("usr/lib/libketama.so.1").exists());
        system.run("dpkg --purge libketama-dev libketama1");

        let originals = [
            old_package("libketama1", "", &["/usr/lib/libketama.so.1"]),
            old_package(
                "libketama-dev",
                "Depends: libketama1 (= 1.0-1)\n",
                &["/usr/lib/libketama.so", "/usr/include/ketama.h"],
            ),
            old_package(
                "ketama-tools",
                "Depends: libketama1\n",
                &["/usr/bin/ketama"],
            ),
        ];
        system.install(&originals);
        system.install(&new);
        assert_eq!(
            system.installed(),
            [
                "ketama-tools 1.0.0-1",
                "libketama-dev 1.0.0-1",
                "libketama1 1.0.0-1"
            ]
        );
        assert!(!system.root.join("usr/lib/libketama.so.1").exists());

        for file in ["lookup.c", "ketama.servers", "keys.txt"] {
            fs::copy(
                Path::new(ROOT).join("examples").join(file),
                system.root.join(file),
            )
            .unwrap();
        }
        system.run("cc lookup.c $(pkg-config --cflags --libs ketama) -o shared");
        system.run("cc lookup.c $(pkg-config --static --cflags --libs ketama) -static -o static");
        let linked = system.run("ldd shared");
        assert!(
            linked.contains(&format!("/{}/libketama.so.1 ", self.triplet)),
            "{linked}"
        );
        let answers = system.run("./shared ketama.servers keys.txt");
        assert_eq!(system.run("./static ketama.servers keys.txt"), answers);
        let last = "10.0.1.8:11211           100      28      99           2.5%\n";
        assert!(answers.ends_with(last), "{answers}");
        let version = format!("ketama {}\n", env!("CARGO_PKG_VERSION"));
        assert_eq!(system.run("ketama --version"), version);
        let points = system.run("ketama show -s ketama.servers");
        assert!(points.contains("8 servers, 1,264 points"), "{points}");

        system.run("dpkg --purge ketama-tools libketama-dev libketama1");
        let left = system.run("find /usr /var -name '*ketama*' ! -path '/var/log/*'");
        assert_eq!(left, "");
        system.remove();
    }

    /// What a package installs, but for its documentation, sorted.
    fn files(&self, name: &str) -> Vec<String> {
        let list = output(
            Command::new("sh")
                .args(["-c", "dpkg-deb --fsys-tarfile \"$0\" | tar t"])
                .arg(self.file(name)),
        );
        let mut files: Vec<String> = list
            .lines()
            .map(|line| line.trim_start_matches("./").to_owned())
            .filter(|file| !file.is_empty() && !file.ends_with('/'))
            .filter(|file| !file.starts_with("usr/share/doc/"))
            .collect();
        files.sort();
        files
    }

    fn file(&self, name: &str) -> PathBuf {
        let mut files = fs::read_dir(&self.folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let begin = format!("{name}_{}-1_", env!("CARGO_PKG_VERSION"));
        files
            .find(|file| {
                let file = file.file_name().unwrap().to_str().unwrap();
                file.starts_with(&begin) && file.ends_with(".deb")
            })
            .unwrap()
    }
}

/// A package as the original's: its version, and these files.
fn old_package(name: &str, fields: &str, files: &[&str]) -> PathBuf {
    let folder = folder(&format!("old_{name}"));
    let tree = folder.join("tree");
    for file in files {
        let file = tree.join(file.trim_start_matches('/'));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "the original's").unwrap();
    }
    fs::create_dir(tree.join("DEBIAN")).unwrap();
    fs::write(
        tree.join("DEBIAN/control"),
        format!(
            "Package: {name}\nVersion: 1.0-1\nArchitecture: {}\nMaintainer: nobody <nobody>\n{fields}\
             Description: stands for the original's\n",
            output(Command::new("dpkg").arg("--print-architecture"))
        ),
    )
    .unwrap();
    let package = folder.join(format!("{name}.deb"));
    must(
        Command::new("dpkg-deb")
            .args(["--root-owner-group", "--build"])
            .arg(&tree)
            .arg(&package),
    );
    package
}

/// A Debian of its own below a folder.
struct System {
    root: PathBuf,
}

impl System {
    /// Unpacks what tests/prepare.sh made, if it could and this is root.
    fn fresh() -> Option<System> {
        let made = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("debian-root.tar");
        let user = output(Command::new("id").arg("-u"));
        if user != "0" || !made.exists() {
            return None;
        }
        let root = folder("debian");
        must(Command::new("tar").arg("xf").arg(made).arg("-C").arg(&root));
        Some(System { root })
    }

    /// Runs a shell command in it.
    fn run(&self, command: &str) -> String {
        let mut chroot = Command::new("chroot");
        chroot
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("LC_ALL", "C.UTF-8")
            .arg(&self.root)
            .args(["sh", "-c", command]);
        String::from_utf8(must(&mut chroot).stdout).unwrap()
    }

    /// Installs packages as a user would, with what follows from it.
    fn install(&self, packages: &[PathBuf]) {
        // It need not survive a loss of power.
        let mut command = "apt-get install -y -o DPkg::Options::=--force-unsafe-io".to_owned();
        for package in packages {
            let name = package.file_name().unwrap().to_str().unwrap();
            fs::copy(package, self.root.join(name)).unwrap();
            command += &format!(" ./{name}");
        }
        self.run(&command);
    }

    /// The packages with ketama in their names, and their versions.
    fn installed(&self) -> Vec<String> {
        let list =
            self.run("dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}\\n' '*ketama*'");
        let installed = list
            .lines()
            .filter_map(|line| line.strip_suffix(" installed"));
        installed.map(str::to_owned).collect()
    }

    fn remove(self) {
        fs::remove_dir_all(self.root).unwrap();
    }
}

fn output(command: &mut Command) -> String {
    let output = must(command);
    String::from_utf8(output.stdout)
        .unwrap()
        .trim_end()
        .to_owned()
}
