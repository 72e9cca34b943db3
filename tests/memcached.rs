//! Real memcached servers and real clients: a key that one of us puts on a server is found there by
//! the other.

mod common;

use common::{ROOT, Random, folder, has, must, must_with, not_run, report, seed};
use ketama::{Dialect, Ring, Server};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

const KEYS: usize = 2000;

#[test]
fn pylibmc_ketama_weighted() {
    pylibmc("ketama_weighted", Dialect::LibmemcachedWeighted, WEIGHTS);
}

#[test]
fn pylibmc_ketama() {
    pylibmc("ketama", Dialect::Libmemcached, EQUAL);
}

#[test]
fn pylibmc_ketama_md5() {
    pylibmc("ketama md5", Dialect::LibmemcachedMd5, EQUAL);
}

fn pylibmc(behaviours: &str, dialect: Dialect, weights: [u64; 4]) {
    let python = std::env::var_os("KETAMA_PYTHON").unwrap_or("python3".into());
    let client = [python.as_ref(), file("pylibmc_client.py").as_os_str()].map(PathBuf::from);
    let probe = [python.to_str().unwrap(), "-c", "import pylibmc"];
    agrees("pylibmc", behaviours, dialect, weights, &client, &probe);
}

#[test]
fn php_memcached_libketama_compatible() {
    let dialect = Dialect::LibmemcachedWeighted;
    php_memcached("OPT_LIBKETAMA_COMPATIBLE", dialect, WEIGHTS);
}

#[test]
fn php_memcached_consistent() {
    php_memcached("DISTRIBUTION_CONSISTENT", Dialect::Libmemcached, EQUAL);
}

fn php_memcached(option: &str, dialect: Dialect, weights: [u64; 4]) {
    let client = ["php".into(), file("memcached.php")];
    let probe = ["php", "-r", "new Memcached();"];
    agrees("php-memcached", option, dialect, weights, &client, &probe);
}

#[test]
fn dalli() {
    let client = ["ruby".into(), file("dalli_client.rb")];
    let probe = ["ruby", "-e", "require 'dalli'"];
    agrees(
        "dalli",
        "weighted",
        Dialect::Dalli,
        WEIGHTS,
        &client,
        &probe,
    );
}

#[test]
fn npm_memcached() {
    let client = ["node".into(), file("memcached_client.js")];
    let probe = ["node", "-e", "require('memcached')"];
    let dialect = Dialect::NpmMemcached;
    agrees(
        "npm memcached",
        "weighted",
        dialect,
        WEIGHTS,
        &client,
        &probe,
    );
}

#[test]
fn spymemcached() {
    let jar = "/usr/share/java/spymemcached.jar";
    if !has("javac") || !Path::new(jar).exists() {
        return not_run(
            "spymemcached",
            "there is no javac, or no libspymemcached-java",
        );
    }
    let classes = folder("spymemcached_classes");
    must(
        Command::new("javac")
            .args(["-cp", jar, "-d"])
            .arg(&classes)
            .arg(file("Spymemcached.java")),
    );
    let path = format!("{jar}:{}", classes.display());
    let client = ["java", "-cp", &path, "Spymemcached"].map(PathBuf::from);
    let dialect = Dialect::Spymemcached;
    agrees(
        "spymemcached",
        "ketama",
        dialect,
        EQUAL,
        &client,
        &["java", "-version"],
    );
}

#[test]
fn twemproxy_with_its_default_hash() {
    let ring =
        |servers: &[Server<String>]| Ring::with_dialect(servers, Dialect::Twemproxy).unwrap();
    twemproxy("twemproxy", "", ring);
}

#[test]
fn twemproxy_with_md5() {
    twemproxy("twemproxy_md5", "  hash: md5\n", |servers| {
        let mut rules = *Dialect::Twemproxy.rules();
        rules.key_hash = ketama::dialect::KeyHash::Md5;
        Ring::with_rules(servers, &rules).unwrap()
    });
}

/// nutcracker in front of the servers: first all of them, then with one dead and ejected.
fn twemproxy(name: &str, options: &str, ring: impl Fn(&[Server<String>]) -> Ring) {
    if !has("nutcracker") || !has("memcached") {
        return not_run(name, "there is no nutcracker, or no memcached");
    }
    let folder = folder(name);
    let mut fleet = Fleet::new(&folder, WEIGHTS);
    let servers: String = fleet
        .arguments()
        .map(|server| format!("  - {server}\n"))
        .collect();
    let (_proxy, port) = on_a_free_port("127.0.0.1", |port| {
        let config = folder.join("nutcracker.yml");
        let text = format!(
            "fleet:\n  listen: 127.0.0.1:{port}\n  distribution: ketama\n{options}  auto_eject_hosts: true\n  \
             server_failure_limit: 1\n  server_retry_timeout: 2000000000\n  servers:\n{servers}"
        );
        fs::write(&config, text).unwrap();
        let mut command = Command::new("nutcracker");
        command
            .arg("-c")
            .arg(config)
            .args(["-o", "/dev/stderr", "-a", "127.0.0.1", "-s"]);
        command
            .arg(free_port("127.0.0.1").to_string())
            .arg("-p")
            .arg(folder.join("pid"));
        start(command, &folder.join("nutcracker.log"), "127.0.0.1", port)
    });
    let mut proxy = Connection::new("127.0.0.1", port);

    let whole = ring(&fleet.servers());
    let keys = keys();
    let (theirs, ours) = keys.split_at(KEYS);
    for key in theirs {
        proxy.set(key, &format!("theirs {key}")).unwrap();
    }
    fleet.assert_placed(&whole, theirs, name);
    for key in ours {
        fleet.put(whole.find(key), key, &format!("ours {key}"));
        assert_eq!(
            proxy.get(key).unwrap(),
            Some(format!("ours {key}")),
            "{name}"
        );
    }
    report(&format!(
        "{name:<45} {KEYS} keys each way on 4 memcached servers"
    ));

    // The one with most of the weight dies; a request to it fails, and then it is out.
    let dead = 2;
    fleet.kill(dead);
    let on_dead = theirs.iter().find(|key| whole.find(key) == dead).unwrap();
    let failed = (0..10).take_while(|_| proxy.get(on_dead).is_err()).count();
    assert!(failed < 10, "{name}: the server is not ejected");
    let survivors = whole.without_server(&fleet.servers()[dead].name).unwrap();
    fleet.servers.remove(dead);
    let again: Vec<String> = theirs.iter().map(|key| format!("{key}-again")).collect();
    for key in &again {
        proxy.set(key, &format!("theirs {key}")).unwrap();
    }
    fleet.assert_placed(&survivors, &again, name);
    report(&format!(
        "{name:<45} {KEYS} keys on the 3 survivors of an ejection"
    ));
}

#[test]
fn nginx() {
    if !has("nginx") || !has("memcached") {
        return not_run("nginx", "there is no nginx, or no memcached");
    }
    let folder = folder("nginx");
    let mut fleet = Fleet::new(&folder, WEIGHTS);
    let mut upstream = String::new();
    for server in fleet.servers() {
        writeln!(upstream, "server {} weight={};", server.name, server.weight).unwrap();
    }
    let (_proxy, port) = on_a_free_port("127.0.0.1", |port| {
        let config = folder.join("nginx.conf");
        let text = format!(
            "daemon off; master_process off; pid nginx.pid; error_log stderr;
            events {{}}
            http {{
                access_log off;
                client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c; uwsgi_temp_path d;
                scgi_temp_path e;
                upstream fleet {{ hash $arg_key consistent; {upstream} }}
                server {{
                    listen 127.0.0.1:{port};
                    location / {{
                        set $memcached_key $arg_key;
                        memcached_pass fleet;
                        memcached_next_upstream off;
                    }}
                }}
            }}"
        );
        fs::write(&config, text).unwrap();
        let mut command = Command::new("nginx");
        command.arg("-p").arg(&folder).arg("-c").arg(config);
        start(command, &folder.join("nginx.log"), "127.0.0.1", port)
    });
    let ring = Ring::with_dialect(&fleet.servers(), Dialect::Nginx).unwrap();
    for key in &keys()[..KEYS] {
        fleet.put(ring.find(key), key, &format!("ours {key}"));
        let mut connection = TcpStream::connect(("127.0.0.1", port)).unwrap();
        write!(connection, "GET /?key={key} HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        assert!(
            answer.ends_with(&format!("\r\n\r\nours {key}")),
            "{key}: {answer}"
        );
    }
    report(&format!(
        "{:<45} {KEYS} keys read on 4 memcached servers",
        "nginx, which only reads"
    ));
}

const WEIGHTS: [u64; 4] = [2, 1, 4, 3];
const EQUAL: [u64; 4] = [1; 4];

/// A program of tests/memcached/.
fn file(name: &str) -> PathBuf {
    Path::new(ROOT).join("tests/memcached").join(name)
}

/// Keys for both ways: of letters that no client changes, 1 to 200 bytes long, each once.
fn keys() -> Vec<String> {
    let mut random = Random(seed());
    (0..2 * KEYS)
        .map(|i| {
            let more = random.in_range(0, 190) as usize;
            let kind =
                ["", "user:", "session/", "views.decorators_"][random.in_range(0, 3) as usize];
            let filling = if random.in_range(0, 3) == 0 {
                "x".repeat(more)
            } else {
                String::new()
            };
            format!("{:.195}{i:x}", format!("{kind}{filling}"))
        })
        .collect()
}

/// Runs a client both ways on servers of its own. `client` is its command, which takes `set` or
/// `get`, its settings and the servers; `probe` is a command that fails where it is not installed.
fn agrees(
    name: &str,
    settings: &str,
    dialect: Dialect,
    weights: [u64; 4],
    client: &[PathBuf],
    probe: &[&str],
) {
    let name = format!("{name}, {settings}");
    let modules = std::env::var_os("KETAMA_NODE_MODULES").unwrap_or_default();
    let probed = Command::new(probe[0])
        .args(&probe[1..])
        .env("NODE_PATH", &modules)
        .output();
    if !probed.is_ok_and(|output| output.status.success()) {
        return not_run(&name, &format!("this fails: {}", probe.join(" ")));
    }
    if !has("memcached") {
        return not_run(&name, "there is no memcached");
    }
    let mut fleet = Fleet::new(&folder(&name.replace(", ", "_")), weights);
    let ring = Ring::with_dialect(&fleet.servers(), dialect).unwrap();
    let run = |action: &str, servers: Vec<String>, keys: &[String]| {
        let mut command = Command::new(&client[0]);
        command
            .args(&client[1..])
            .args([action, settings])
            .args(servers);
        must_with(
            command.env("NODE_PATH", &modules),
            keys.join("\n").as_bytes(),
        )
    };
    let keys = keys();
    let (theirs, ours) = keys.split_at(KEYS);
    run("set", fleet.arguments().collect(), theirs);
    fleet.assert_placed(&ring, theirs, &name);
    for key in ours {
        fleet.put(ring.find(key), key, &format!("ours {key}"));
    }
    let output = run("get", fleet.arguments().collect(), ours);
    let values = String::from_utf8(output.stdout).unwrap();
    let expected: String = ours.iter().map(|key| format!("ours {key}\n")).collect();
    assert!(
        values == expected,
        "{name} does not find what we put on {:?}",
        fleet.servers()
    );
    report(&format!(
        "{name:<45} {KEYS} keys each way on 4 memcached servers"
    ));
}

/// Four memcached servers; the second on the default port.
struct Fleet {
    servers: Vec<Memcached>,
}

struct Memcached {
    _process: Process,
    connection: Connection,
    server: Server<String>,
}

impl Fleet {
    fn new(folder: &Path, weights: [u64; 4]) -> Fleet {
        let servers = weights.iter().enumerate().map(|(i, &weight)| {
            let log = folder.join(format!("memcached-{i}.log"));
            let memcached = |host: &str, port: u16| {
                let mut command = Command::new("memcached");
                command.args([
                    "-l",
                    host,
                    "-p",
                    &port.to_string(),
                    "-U",
                    "0",
                    "-u",
                    "nobody",
                ]);
                start(command, &log, host, port)
            };
            let (process, host, port) = if i == 1 {
                on_the_default_port(memcached)
            } else {
                let host = "127.0.0.1";
                let (process, port) = on_a_free_port(host, |port| memcached(host, port));
                (process, host.to_owned(), port)
            };
            Memcached {
                _process: process,
                connection: Connection::new(&host, port),
                server: Server {
                    name: format!("{host}:{port}"),
                    weight,
                },
            }
        });
        Fleet {
            servers: servers.collect(),
        }
    }

    fn servers(&self) -> Vec<Server<String>> {
        self.servers
            .iter()
            .map(|memcached| memcached.server.clone())
            .collect()
    }

    /// HOST:PORT:WEIGHT of each.
    fn arguments(&self) -> impl Iterator<Item = String> {
        let servers = self.servers.iter().map(|memcached| &memcached.server);
        servers.map(|server| format!("{}:{}", server.name, server.weight))
    }

    fn put(&mut self, server: usize, key: &str, value: &str) {
        self.servers[server].connection.set(key, value).unwrap();
    }

    /// Asks every server for every key: it is where the ring says, and nowhere else.
    fn assert_placed(&mut self, ring: &Ring, keys: &[String], client: &str) {
        let names = self.servers();
        let mut met = HashMap::new();
        for key in keys {
            let ours = ring.find(key);
            for (i, memcached) in self.servers.iter_mut().enumerate() {
                let there = memcached.connection.get(key).unwrap();
                let expected = (i == ours).then(|| format!("theirs {key}"));
                assert_eq!(there, expected, "{client}: {key} on {:?}", names[i]);
            }
            *met.entry(ours).or_insert(0) += 1;
        }
        assert_eq!(met.len(), names.len(), "{client}: {met:?}");
    }

    fn kill(&mut self, server: usize) {
        let process = &mut self.servers[server]._process.0;
        process.kill().unwrap();
        process.wait().unwrap();
    }
}

/// A connection that speaks memcached's text protocol.
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn new(host: &str, port: u16) -> Connection {
        let stream = TcpStream::connect((host, port)).unwrap();
        stream.set_nodelay(true).unwrap();
        Connection(BufReader::new(stream))
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        assert!(
            line.ends_with("\r\n"),
            "the connection ended after {line:?}"
        );
        line.truncate(line.len() - 2);
        line
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let request = format!("set {key} 0 0 {}\r\n{value}\r\n", value.len());
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
        match self.line() {
            line if line == "STORED" => Ok(()),
            line => Err(line),
        }
    }

    fn get(&mut self, key: &str) -> Result<Option<String>, String> {
        self.0
            .get_mut()
            .write_all(format!("get {key}\r\n").as_bytes())
            .unwrap();
        match self.line() {
            line if line == "END" => Ok(None),
            line if line.starts_with("VALUE ") => {
                let value = self.line();
                assert_eq!(self.line(), "END");
                Ok(Some(value))
            }
            line => Err(line),
        }
    }
}

/// A process that ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a server and waits until it answers; `None` where its port was taken meanwhile.
fn start(mut command: Command, log: &Path, host: &str, port: u16) -> Option<Process> {
    let file = File::create(log).unwrap();
    command
        .stdin(Stdio::null())
        .stdout(file.try_clone().unwrap())
        .stderr(file);
    let child = command
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut process = Process(child);
    loop {
        if let Some(status) = process.0.try_wait().unwrap() {
            let text = fs::read_to_string(log).unwrap();
            assert!(
                text.contains("Address already in use"),
                "{command:?}: {status}\n{text}"
            );
            return None;
        }
        if TcpStream::connect((host, port)).is_ok() {
            return Some(process);
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn free_port(host: &str) -> u16 {
    TcpListener::bind((host, 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

fn on_a_free_port(host: &str, start: impl Fn(u16) -> Option<Process>) -> (Process, u16) {
    loop {
        let port = free_port(host);
        if let Some(process) = start(port) {
            return (process, port);
        }
    }
}

/// Port 11211 of one of the loopback addresses, of which no two tests take the same.
fn on_the_default_port(start: impl Fn(&str, u16) -> Option<Process>) -> (Process, String, u16) {
    static LAST: AtomicU8 = AtomicU8::new(1);
    loop {
        let last = LAST.fetch_add(1, Relaxed);
        assert!(last < 255, "no loopback address has its port 11211 free");
        let host = format!("127.0.0.{last}");
        if TcpListener::bind((&*host, 11211)).is_err() {
            continue;
        }
        if let Some(process) = start(&host, 11211) {
            return (process, host, 11211);
        }
    }
}
