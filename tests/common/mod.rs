//! Compiling the programs of c_tests/ and running them against a libketama.so.1.
#![allow(dead_code, unused_imports)] // Each test file uses its own part.

mod escapes;

pub use escapes::unescape;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime};

pub const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The 8-server file of the original's published check.
pub const SERVERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/ketama.servers");

/// A fresh folder for a test's files.
pub fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The shared library that cargo built together with this test, or the one that tests/sanitize.sh did.
pub fn built_library() -> PathBuf {
    if let Some(library) = std::env::var_os("KETAMA_LIBRARY") {
        return library.into();
    }
    let test = std::env::current_exe().unwrap();
    test.with_file_name("libketama.so")
}

/// The original, built by `make test`, or the library that KETAMA_REFERENCE names.
pub fn reference() -> Option<PathBuf> {
    let path = std::env::var_os("KETAMA_REFERENCE")?;
    (!path.is_empty()).then(|| path.into())
}

/// What tests/sanitize.sh has the programs of c_tests/ compiled with: address, thread or undefined.
pub fn sanitizer() -> Option<String> {
    std::env::var("KETAMA_SANITIZER").ok()
}

/// Notes that a test could not run. `make test` counts these, and fails for them where CI is set.
pub fn not_run(test: &str, why: &str) {
    println!("not run: {test}: {why}");
    append("KETAMA_NOT_RUN", &format!("{test}: {why}"));
}

/// The system's C or C++ compiler, told to compile this file, with all warnings as errors.
pub fn compiler(source: &Path, standard: &str) -> Command {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let mut command = cc::Build::new()
        .cpp(source.extension() == Some(OsStr::new("cpp")))
        .std(standard)
        .host(&target)
        .target(&target)
        .opt_level(1)
        .debug(true)
        .cargo_metadata(false)
        .get_compiler()
        .to_command();
    command
        .args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-pthread"])
        .arg(source);
    command
}

/// A program of c_tests/, linked to a libketama.so.1.
pub struct Program {
    executable: PathBuf,
    folder: PathBuf,
}

impl Program {
    /// Compiles c_tests/`file` into a folder of the test, linked to this project's library.
    pub fn new(folder: &Path, file: &str) -> Program {
        Program::with_flags(folder, file, &["-lketama"])
    }

    pub fn with_flags(folder: &Path, file: &str, flags: &[&str]) -> Program {
        let source = Path::new(ROOT).join("c_tests").join(file);
        let executable = folder.join(source.file_stem().unwrap());
        let object = executable.with_extension("o");
        let (standard, linker) = if file.ends_with(".cpp") {
            ("c++17", "c++")
        } else {
            ("c99", "cc")
        };
        let sanitizer = sanitizer().map_or(vec![], |name| {
            vec![
                format!("-fsanitize={name}"),
                "-fno-sanitize-recover=all".into(),
            ]
        });
        must(
            compiler(&source, standard)
                .args(&sanitizer)
                .arg("-I")
                .arg(Path::new(ROOT).join("include"))
                .arg("-c")
                .arg("-o")
                .arg(&object),
        );
        let mut link = Command::new(linker);
        link.arg(&object)
            .arg("-L")
            .arg(library_folder(folder, &built_library()))
            .arg("-o")
            .arg(&executable)
            .arg("-pthread")
            .args(flags);
        match std::env::var_os("KETAMA_RUNTIME") {
            // The library is to find it in the program, also where it is loaded later.
            Some(runtime) => link
                .args(["-rdynamic", "-Wl,--whole-archive"])
                .arg(runtime)
                .args(["-Wl,--no-whole-archive", "-ldl", "-lrt", "-lm"]),
            None => link.args(&sanitizer),
        };
        must(&mut link);
        Program {
            executable,
            folder: folder.to_owned(),
        }
    }

    /// The command that runs it with the library that it was linked to.
    pub fn command(&self) -> Command {
        self.command_with(&built_library())
    }

    /// The command that runs it with any libketama.so.1.
    pub fn command_with(&self, library: &Path) -> Command {
        let mut command = Command::new(&self.executable);
        command.env("LD_LIBRARY_PATH", library_folder(&self.folder, library));
        command
    }

    pub fn name(&self) -> &str {
        self.executable.file_name().unwrap().to_str().unwrap()
    }

    /// The same command under valgrind, which ends with status 99 after any report.
    pub fn under_valgrind(&self, options: &[&str]) -> Command {
        let mut command = Command::new("valgrind");
        command
            .env(
                "LD_LIBRARY_PATH",
                library_folder(&self.folder, &built_library()),
            )
            .args(["--quiet", "--error-exitcode=99"])
            .args(options)
            .arg(&self.executable);
        command
    }
}

/// A folder in which the linker and the loader find this library.
pub fn library_folder(folder: &Path, library: &Path) -> PathBuf {
    let name = library.to_str().unwrap().replace('/', "_");
    let folder = folder.join(name);
    if !folder.exists() {
        fs::create_dir(&folder).unwrap();
        for name in ["libketama.so", "libketama.so.1"] {
            symlink(library, folder.join(name)).unwrap();
        }
    }
    folder
}

/// Runs a command that is to succeed.
pub fn must(command: &mut Command) -> Output {
    must_with(command, b"")
}

/// Runs a command that is to succeed, with this on its standard input.
pub fn must_with(command: &mut Command, input: &[u8]) -> Output {
    let output = output_with(command, input);
    assert!(
        output.status.success(),
        "{:?} {:?}: {}\n{}{}",
        command.get_program(),
        command.get_args().collect::<Vec<_>>(),
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// Runs a command with this on its standard input.
pub fn output_with(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        // It fails where the program closes the pipe early; what came of that is in the output.
        scope.spawn(move || stdin.write_all(input));
        child.wait_with_output().unwrap()
    })
}

/// What a program prints of a file with the original, which may crash for anything but good ones.
pub fn original(
    program: &Program,
    reference: &Path,
    path: &Path,
    random: &mut Random,
    input: &[u8],
) -> Vec<u8> {
    let text = fs::read(path).unwrap();
    loop {
        // It would trust a leftover segment of a file with the same time.
        let mtime = SystemTime::UNIX_EPOCH + Duration::from_secs(random.in_range(1, 1 << 30));
        fs::File::open(path).unwrap().set_modified(mtime).unwrap();
        let output = output_with(program.command_with(reference).arg(path), input);
        if output.status.code() != Some(75) {
            assert!(output.status.success(), "{}: {output:?}", path.display());
            return output.stdout;
        }
        // Another program's System V object is in its way: take another inode.
        fs::rename(
            path,
            path.with_extension(format!("taken-{}", random.next())),
        )
        .unwrap();
        fs::write(path, &text).unwrap();
    }
}

/// The key of the System V objects that the original makes of this file: `ftok(path, 'R')`.
pub fn system_v_key(path: &Path) -> u64 {
    let metadata = fs::metadata(path).unwrap();
    u64::from(b'R') << 24 | (metadata.dev() & 0xff) << 16 | (metadata.ino() & 0xffff)
}

/// No System V object has the key of this file.
pub fn assert_nothing_left_behind(path: &Path) {
    let key = system_v_key(path).to_string();
    for objects in ["/proc/sysvipc/shm", "/proc/sysvipc/sem"] {
        let objects = fs::read_to_string(objects).unwrap();
        let keys = objects
            .lines()
            .filter_map(|line| line.split_whitespace().next());
        assert!(
            keys.skip(1).all(|other| other != key),
            "left behind:\n{objects}"
        );
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether this program can be run here.
pub fn has(program: impl AsRef<OsStr>) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

/// How much memory programs can still have, in bytes.
pub fn available_memory() -> u64 {
    let info = fs::read_to_string("/proc/meminfo").unwrap();
    let mut lines = info.lines();
    let line = lines.find_map(|line| line.strip_prefix("MemAvailable:"));
    let kilobytes = line.unwrap().trim().strip_suffix(" kB").unwrap();
    kilobytes.parse::<u64>().unwrap() << 10
}

/// SplitMix64.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn in_range(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }
}

/// The seed of random tests, printed so that a failure can be had again.
pub fn seed() -> u64 {
    let seed = std::env::var("KETAMA_SEED").map_or(1, |seed| seed.parse().unwrap());
    println!("KETAMA_SEED={seed}");
    seed
}

/// Adds a line to what `make test` prints at its end.
pub fn report(line: &str) {
    println!("{line}");
    append("KETAMA_REPORT", line);
}

fn append(variable: &str, line: &str) {
    if let Some(path) = std::env::var_os(variable) {
        let mut file = fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .unwrap();
        writeln!(file, "{line}").unwrap();
    }
}
