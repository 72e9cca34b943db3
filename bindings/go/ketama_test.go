package ketama

import (
	"bytes"
	"crypto/md5"
	"encoding"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unsafe"
)

var eight = []Server{
	{"10.0.1.1:11211", 600},
	{"10.0.1.2:11211", 300},
	{"10.0.1.3:11211", 200},
	{"10.0.1.4:11211", 350},
	{"10.0.1.5:11211", 1000},
	{"10.0.1.6:11211", 800},
	{"10.0.1.7:11211", 950},
	{"10.0.1.8:11211", 100},
}

var oddKeys = []string{
	"", "\x00", "\x00\x00", "a", "a\x00", "a\x00b", "\xff\xfe", "k\xc3",
	"\x80" + strings.Repeat("x", 9), "schl\u00fcssel", " ", "\n",
	strings.Repeat("k", 200), strings.Repeat("\x00", 200),
	strings.Repeat("long", 100_000),
}

func newRing8(t testing.TB) *Ring {
	t.Helper()
	return mustNew(t, eight, Libketama)
}

func mustNew(t testing.TB, servers []Server, dialect Dialect) *Ring {
	t.Helper()
	ring, err := New(servers, dialect)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ring.Close)
	return ring
}

// someKeys are odd ones, and a thousand of the usual kind.
func someKeys() []string {
	keys := append([]string(nil), oddKeys...)
	for i := 0; i < 1000; i++ {
		keys = append(keys, "user:"+strconv.Itoa(i))
	}
	return keys
}

// model walks a ring by the rules of the dialects that look for the first point at or after a
// key's position, from nothing but its points.
type model []Point

func (m model) walk(position uint32) []string {
	at := sort.Search(len(m), func(i int) bool { return m[i].Position >= position })
	var names []string
	seen := map[string]bool{}
	for i := range m {
		name := m[(at+i)%len(m)].Server
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}

func (m model) owner(position uint32) string {
	at := sort.Search(len(m), func(i int) bool { return m[i].Position >= position })
	return m[at%len(m)].Server
}

// moves returns the positions of each pair of owners in two rings.
func moves(a, b model) map[[2]string]uint64 {
	ends := []uint64{1<<32 - 1}
	for _, point := range append(append(model(nil), a...), b...) {
		ends = append(ends, uint64(point.Position))
	}
	sort.Slice(ends, func(i, j int) bool { return ends[i] < ends[j] })
	pairs := map[[2]string]uint64{}
	var start uint64
	for _, end := range ends {
		if end >= start {
			pair := [2]string{a.owner(uint32(end)), b.owner(uint32(end))}
			pairs[pair] += end + 1 - start
			start = end + 1
		}
	}
	return pairs
}

func equal(t *testing.T, what string, got, want interface{}) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

func TestRecordedRuns(t *testing.T) {
	keys, runs := recorded(t)
	equal(t, "runs", len(runs), 93)
	for _, run := range runs {
		t.Run(run.dialect+"/"+run.name, func(t *testing.T) {
			dialect, err := ParseDialect(run.dialect)
			if err != nil {
				t.Fatal(err)
			}
			ring := mustNew(t, run.servers, dialect)
			equal(t, "servers", ring.Servers(), run.servers)
			if run.points != "-" {
				points := ring.Points()
				index := map[string]int{}
				for i, server := range run.servers {
					index[server.Name] = i
				}
				digest := md5.New()
				for _, point := range points {
					fmt.Fprintln(digest, point.Position, index[point.Server])
				}
				sum := hex.EncodeToString(digest.Sum(nil))
				equal(t, "points", fmt.Sprint(len(points), " ", sum), run.points)
			}
			equal(t, "keys", len(run.owners), 520)
			var picked, want []string
			for key, server := range run.owners {
				picked = append(picked, keys[key])
				want = append(want, run.servers[server].Name)
			}
			equal(t, "FindMany", ring.FindMany(picked), want)
			for i, key := range picked {
				equal(t, "Find", ring.Find(key), want[i])
				equal(t, "FindBytes", ring.FindBytes([]byte(key)), want[i])
			}
		})
	}
}

type run struct {
	dialect, name string
	servers       []Server
	points        string
	owners        map[int]int
}

func recorded(t *testing.T) (keys []string, runs []*run) {
	text, err := os.ReadFile(filepath.Join("..", "..", "tests", "data", "dialects.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "", "#", "source":
		case "key":
			// The file's escapes are Go's, but that it leaves a quote alone.
			key, err := strconv.Unquote(`"` + strings.ReplaceAll(rest, `"`, `\"`) + `"`)
			if err != nil {
				t.Fatal(err, line)
			}
			keys = append(keys, key)
		case "case":
			dialect, name, _ := strings.Cut(rest, " ")
			owners := map[int]int{}
			runs = append(runs, &run{dialect: dialect, name: name, owners: owners})
		case "server":
			weight, name, _ := strings.Cut(rest, " ")
			last := runs[len(runs)-1]
			last.servers = append(last.servers, Server{name, uint64(number(t, weight))})
		case "points":
			runs[len(runs)-1].points = rest
		case "owner":
			server, gaps, _ := strings.Cut(rest, " ")
			key := -1
			for _, gap := range strings.Fields(gaps) {
				key += number(t, gap)
				runs[len(runs)-1].owners[key] = number(t, server)
			}
		default:
			t.Fatal(line)
		}
	}
	return keys, runs
}

func number(t *testing.T, text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestFindAgreesWithThePoints(t *testing.T) {
	ring := newRing8(t)
	points := model(ring.Points())
	keys := someKeys()
	many := ring.FindMany(keys)
	for i, key := range keys {
		want := points.owner(ring.Hash(key))
		equal(t, "Find", ring.Find(key), want)
		equal(t, "FindBytes", ring.FindBytes([]byte(key)), want)
		equal(t, "FindMany", many[i], want)
	}
	equal(t, "no bytes", ring.FindBytes(nil), ring.Find(""))
}

func TestHash(t *testing.T) {
	for _, dialect := range []Dialect{Libketama, LibmemcachedWeighted} {
		ring := mustNew(t, eight, dialect)
		for _, key := range someKeys() {
			sum := md5.Sum([]byte(key))
			equal(t, "Hash", ring.Hash(key), binary.LittleEndian.Uint32(sum[:]))
		}
	}
}

func TestFindManyInSeveralCalls(t *testing.T) {
	ring := newRing8(t)
	keys := someKeys()
	var want []string
	for _, key := range keys {
		want = append(want, ring.Find(key))
	}
	defer func(limit uint64) { maxPacked = limit }(maxPacked)
	for _, limit := range []uint64{0, 1, 7, 8, 9, 200, 399_999, 400_000, 400_001} {
		maxPacked = limit
		equal(t, fmt.Sprint("packs of ", limit), ring.FindMany(keys), want)
	}
	equal(t, "no keys", ring.FindMany(nil), []string{})
	empty := ring.Find("")
	equal(t, "empty keys", ring.FindMany([]string{"", ""}), []string{empty, empty})
}

func TestPacksFitTheirOffsets(t *testing.T) {
	equal(t, "the limit", maxPacked, uint64(math.MaxUint32))
	if strconv.IntSize < 64 {
		t.Skip("4 GB of keys need 64 bits")
	}
	// A gigabyte that nobody touches takes no memory.
	untouched := make([]byte, 1<<30)
	giga := *(*string)(unsafe.Pointer(&untouched))
	equal(t, "below", fitting([]string{giga, giga, giga, giga[1:]}), 4)
	equal(t, "above", fitting([]string{giga, giga, giga, giga, ""}), 3)
}

func TestWalk(t *testing.T) {
	ring := newRing8(t)
	points := model(ring.Points())
	for _, key := range someKeys() {
		want := points.walk(ring.Hash(key))
		equal(t, "all", ring.Walk(key, -1), want)
		equal(t, "the first", ring.Walk(key, 1), []string{ring.Find(key)})
		equal(t, "three", ring.Walk(key, 3), want[:3])
		equal(t, "eight", ring.Walk(key, 8), want)
		equal(t, "more", ring.Walk(key, math.MaxInt), want)
		equal(t, "none", ring.Walk(key, 0), []string{})
	}
	// A server of a tiny share has no point, and is in no walk.
	tiny := mustNew(t, []Server{{"a", 1_000_000}, {"b", 1}}, Libketama)
	equal(t, "without points", tiny.Walk("key", -1), []string{"a"})
}

func TestFindAlive(t *testing.T) {
	ring := newRing8(t)
	points := model(ring.Points())
	for i, key := range someKeys() {
		up := func(server string) bool {
			return server[7] != '5' && int(server[7]-'1') != i%8
		}
		var asked []string
		got, ok := ring.FindAlive(key, func(server string) bool {
			asked = append(asked, server)
			return up(server)
		})
		for _, want := range points.walk(ring.Hash(key)) {
			if up(want) {
				equal(t, key, got, want)
				break
			}
		}
		equal(t, "ok", ok, true)
		equal(t, "asked", len(asked), len(eight))
		for j := range asked {
			equal(t, "asked", asked[j], eight[j].Name)
		}
	}
	got, ok := ring.FindAlive("key", func(string) bool { return false })
	equal(t, "none alive", got, "")
	equal(t, "ok", ok, false)

	defer func() {
		equal(t, "what the function panics with", recover(), "as it likes")
		equal(t, "after a panic", ring.Find("key"), points.owner(ring.Hash("key")))
		ring.Close()
		equal(t, "freed", ring.h.freed.Load(), true)
	}()
	ring.FindAlive("key", func(string) bool { panic("as it likes") })
}

func TestShares(t *testing.T) {
	ring := newRing8(t)
	points := model(ring.Points())
	want := map[string]float64{}
	for pair, positions := range moves(points, points) {
		want[pair[0]] = float64(positions) / (1 << 32)
	}
	equal(t, "Shares", ring.Shares(), want)
	sum := 0.0
	for name, share := range want {
		got, err := ring.Share(name)
		equal(t, "Share", got, share)
		equal(t, "its error", err, nil)
		sum += got
	}
	equal(t, "sum", sum, 1.0)

	// The second has the points of the first, which it does not own, and more.
	twice := mustNew(t, []Server{{"a", 1}, {"b", 4}, {"a", 3}}, Libketama)
	a, _ := twice.Share("a")
	b, _ := twice.Share("b")
	equal(t, "a name listed twice", a+b, 1.0)
	equal(t, "by names", twice.Shares(), map[string]float64{"a": a, "b": b})
	if a < 0.3 {
		t.Errorf("half of the weights have %v of the positions", a)
	}
	for _, name := range []string{"c", "", "a\x00", "A"} {
		_, err := twice.Share(name)
		failsWith(t, err, ErrUnknownServer, "the ring has no server of this name")
	}
}

func TestCompare(t *testing.T) {
	ring := newRing8(t)
	larger, err := ring.With(Server{"10.0.1.9:11211", 500})
	if err != nil {
		t.Fatal(err)
	}
	defer larger.Close()
	for _, pair := range [][2]*Ring{{ring, larger}, {larger, ring}, {ring, ring}} {
		got, err := pair[0].Compare(pair[1])
		if err != nil {
			t.Fatal(err)
		}
		var moved float64
		want := moves(model(pair[0].Points()), model(pair[1].Points()))
		for owners, positions := range want {
			if owners[0] == owners[1] {
				delete(want, owners)
			} else {
				moved += float64(positions) / (1 << 32)
			}
		}
		equal(t, "Moved", got.Moved, moved)
		equal(t, "moves", len(got.Moves), len(want))
		for _, move := range got.Moves {
			positions, ok := want[[2]string{move.From, move.To}]
			equal(t, "a move of these", ok, true)
			equal(t, "its share", move.Share, float64(positions)/(1<<32))
		}
	}
	_, err = ring.Compare(mustNew(t, eight, Nginx))
	failsWith(t, err, ErrDifferentHashes,
		"the rings place keys by different hashes, so that any key may move")
}

func TestWithAndWithout(t *testing.T) {
	for _, dialect := range Dialects() {
		ring := mustNew(t, eight, dialect)
		ninth := Server{"10.0.1.9:11211", math.MaxUint32}
		if dialect == Nginx {
			ninth.Weight = 3
		}
		with, err := ring.With(ninth)
		if err != nil {
			t.Fatal(dialect, err)
		}
		nine := append(append([]Server(nil), eight...), ninth)
		equal(t, "Servers", with.Servers(), nine)
		equal(t, "Points", with.Points(), mustNew(t, nine, dialect).Points())
		without, err := with.Without(ninth.Name)
		if err != nil {
			t.Fatal(dialect, err)
		}
		with.Close()
		equal(t, "Servers", without.Servers(), eight)
		equal(t, "Points", without.Points(), ring.Points())
		without.Close()
		equal(t, "Servers", ring.Servers(), eight)
	}

	ring := mustNew(t, Equal("a", "b", "a"), Libketama)
	b, err := ring.Without("a")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "without both", b.Servers(), Equal("b"))
	_, err = b.Without("b")
	failsWith(t, err, ErrNoServers, "the list of servers is empty")
	_, err = ring.Without("c")
	failsWith(t, err, ErrUnknownServer, "the ring has no server of this name")
	_, err = ring.Without("a\x00")
	failsWith(t, err, ErrOutOfRange, "a name or path has a NUL in it")
	_, err = ring.With(Server{"c", 0})
	failsWith(t, err, ErrZeroWeight, "server 3: the weight is 0")
	_, err = ring.With(Server{"c\x00", 1})
	failsWith(t, err, ErrOutOfRange, "a name or path has a NUL in it")
	_, err = ring.With(Server{"c", math.MaxUint64})
	failsWith(t, err, ErrWeightSum, "server 3: the sum of the weights reaches 2^64")
}

func TestServers(t *testing.T) {
	list := []Server{
		{"a", 1},
		{strings.Repeat("n", 1023), math.MaxUint64 - 10},
		{"\xff\xfe not UTF-8 \t", 2},
		{"a", 3},
	}
	ring := mustNew(t, list, Libketama)
	got := ring.Servers()
	equal(t, "Servers", got, list)
	got[0] = Server{}
	list[1] = Server{}
	equal(t, "a copy", ring.Servers()[0], Server{"a", 1})
	equal(t, "a copy", len(ring.Servers()[1].Name), 1023)
	equal(t, "Equal", Equal("a", "b"), []Server{{"a", 1}, {"b", 1}})
	equal(t, "no names", len(Equal()), 0)
}

func TestThousandServers(t *testing.T) {
	var servers []Server
	for i := 0; i < 1000; i++ {
		name := fmt.Sprintf("10.1.%d.%d:11211", i/250, i%250)
		servers = append(servers, Server{name, uint64(i%7 + 1)})
	}
	ring := mustNew(t, servers, Libketama)
	equal(t, "Servers", ring.Servers(), servers)
	points := model(ring.Points())
	keys := someKeys()
	many := ring.FindMany(keys)
	for i, key := range keys {
		equal(t, "FindMany", many[i], points.owner(ring.Hash(key)))
	}
	equal(t, "Walk", ring.Walk("key", -1), points.walk(ring.Hash("key")))
	last := servers[999].Name
	got, ok := ring.FindAlive("key", func(server string) bool { return server == last })
	equal(t, "the only one alive", got, last)
	equal(t, "ok", ok, true)
	sum := 0.0
	for _, share := range ring.Shares() {
		sum += share
	}
	equal(t, "sum", sum, 1.0)
}

func TestFromFile(t *testing.T) {
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "servers")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	text := "# comment\n10.0.1.1:11211\t600\n10.0.1.2:11211 300 # more\n"
	ring, err := FromFile(file(text), Dalli)
	if err != nil {
		t.Fatal(err)
	}
	defer ring.Close()
	equal(t, "Servers", ring.Servers(), eight[:2])
	equal(t, "Points", ring.Points(), mustNew(t, eight[:2], Dalli).Points())

	for _, c := range []struct {
		path   string
		status Status
		text   string
	}{
		{file("a 1\nb x\n"), ErrSyntax, "line 2, column 3: expected "},
		{file("# none\n"), ErrNoServers, "the list of servers is empty"},
		{file("a 1\nb 0\n"), ErrSyntax, "line 2, column 3: expected a weight of at least"},
		{file("a 18446744073709551615\nb 1\n"), ErrWeightSum, "server 1: the sum of the"},
		{filepath.Join(t.TempDir(), "none"), ErrUnreadable, "cannot read it: No such file"},
		{t.TempDir(), ErrUnreadable, "it is not a regular file"},
		{"servers\x00", ErrOutOfRange, "a name or path has a NUL in it"},
	} {
		_, err := FromFile(c.path, Libketama)
		failsWith(t, err, c.status, c.text)
	}
	_, err = FromFile(file("a 1\n"), 12)
	failsWith(t, err, ErrUnknownDialect, "there is no such dialect")
}

// failsWith checks an error's status, and the beginning of its text.
func failsWith(t *testing.T, err error, status Status, text string) {
	t.Helper()
	var failure *Error
	if !errors.As(err, &failure) || failure.Status != status || !errors.Is(err, status) ||
		errors.Is(err, status+1) || !strings.HasPrefix(failure.Text, text) ||
		err.Error() != "ketama: "+failure.Text {
		t.Fatalf("got %#v (%v), want %d (%s)", err, err, status, text)
	}
}

func TestErrorsOfNew(t *testing.T) {
	long := strings.Repeat("n", 1024)
	for _, c := range []struct {
		servers []Server
		dialect Dialect
		status  Status
		text    string
	}{
		{nil, Libketama, ErrNoServers, "the list of servers is empty"},
		{Equal("a", ""), Libketama, ErrEmptyName, "server 1: the name is empty"},
		{Equal("a", "b", long), Libketama, ErrLongName,
			"server 2: the name is longer than 1023 bytes"},
		{[]Server{{"a", 0}}, Libketama, ErrZeroWeight, "server 0: the weight is 0"},
		{[]Server{{Name: "a"}}, Nginx, ErrZeroWeight, "server 0: the weight is 0"},
		{[]Server{{"a", math.MaxUint64}, {"b", 1}}, Libketama, ErrWeightSum,
			"server 1: the sum of the weights reaches 2^64"},
		{[]Server{{"a", 1 << 40}}, Nginx, ErrTooManyPoints,
			"server 0: the ring exceeds 2147483647 points"},
		{Equal("a"), 12, ErrUnknownDialect, "there is no such dialect"},
		{Equal("a"), math.MaxUint32, ErrUnknownDialect, "there is no such dialect"},
		{Equal("a", "b\x00c"), Libketama, ErrOutOfRange, "a name or path has a NUL in it"},
		{Equal("\x00"), Libketama, ErrOutOfRange, "a name or path has a NUL in it"},
	} {
		ring, err := New(c.servers, c.dialect)
		failsWith(t, err, c.status, c.text)
		if ring != nil {
			t.Errorf("a ring beside %v", err)
		}
	}
	// The library decides what a weight of 0 is.
	mustNew(t, []Server{{Name: "a"}, {Name: "b"}}, LibmemcachedWeighted)
}

func TestStatus(t *testing.T) {
	var err error = &Error{ErrZeroWeight, "server 1: the weight is 0"}
	equal(t, "Is", errors.Is(fmt.Errorf("ring: %w", err), ErrZeroWeight), true)
	equal(t, "is not", errors.Is(err, ErrWeightSum), false)
	equal(t, "name", ErrZeroWeight.Error(), "ketama: zero weight")
	equal(t, "none", Status(99).Error(), "ketama: status 99")
	equal(t, "statuses", len(statusTexts), 18)
	names := map[string]bool{}
	for status := ErrNullArgument; status <= ErrOutOfRange; status++ {
		names[statusTexts[status]] = true
	}
	equal(t, "all different", len(names), 18)
	equal(t, "none empty", names[""], false)
}

// The text of a failure is its thread's. These calls take so long that the scheduler often lets a
// goroutine go on in another thread: without the lock it would read another's text, or none.
func TestErrorsOfManyGoroutines(t *testing.T) {
	var group sync.WaitGroup
	for i := 0; i < 8; i++ {
		path := filepath.Join(t.TempDir(), "servers")
		text := strings.Repeat("10.0.1.1:11211 1\n", 20_000+i) + "x"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("ketama: line %d, column 2: ", 20_001+i)
		group.Add(1)
		go func() {
			defer group.Done()
			for round := 0; round < 100; round++ {
				_, err := FromFile(path, Libketama)
				if err == nil || !strings.HasPrefix(err.Error(), want) {
					t.Errorf("got %v, want %s", err, want)
					return
				}
			}
		}()
	}
	group.Wait()
}

func TestDialects(t *testing.T) {
	names := map[Dialect]string{
		Libketama:            "libketama",
		HashRing:             "hash_ring",
		HashRingUnweighted:   "hash_ring_unweighted",
		LibmemcachedWeighted: "libmemcached_weighted",
		Libmemcached:         "libmemcached",
		LibmemcachedMD5:      "libmemcached_md5",
		Twemproxy:            "twemproxy",
		Spymemcached:         "spymemcached",
		Dalli:                "dalli",
		Nginx:                "nginx",
		NPMHashring:          "npm_hashring",
		NPMMemcached:         "npm_memcached",
	}
	dialects := Dialects()
	equal(t, "dialects", len(dialects), len(names))
	for _, dialect := range dialects {
		equal(t, "String", dialect.String(), names[dialect])
		parsed, err := ParseDialect(names[dialect])
		equal(t, "ParseDialect", parsed, dialect)
		equal(t, "its error", err, nil)
	}
	equal(t, "none", Dialect(12).String(), "Dialect(12)")
	for _, name := range []string{"", "ketama", "Libketama", "libketama "} {
		_, err := ParseDialect(name)
		failsWith(t, err, ErrUnknownDialect, "there is no such dialect")
	}
	_, err := ParseDialect("libketama\x00")
	failsWith(t, err, ErrOutOfRange, "a name or path has a NUL in it")
}

func TestDialectAsText(t *testing.T) {
	type config struct{ Dialect Dialect }
	text, err := json.Marshal(config{Twemproxy})
	equal(t, "JSON", string(text), `{"Dialect":"twemproxy"}`)
	equal(t, "its error", err, nil)
	var read config
	equal(t, "reading", json.Unmarshal([]byte(`{"Dialect":"dalli"}`), &read), nil)
	equal(t, "read", read.Dialect, Dalli)
	err = read.Dialect.UnmarshalText([]byte("none"))
	failsWith(t, err, ErrUnknownDialect, "there is no such dialect")
	equal(t, "after a failure", read.Dialect, Dalli)
	_, err = Dialect(12).MarshalText()
	failsWith(t, err, ErrUnknownDialect, "there is no such dialect")

	flags := flag.NewFlagSet("", flag.ContinueOnError)
	var chosen Dialect
	flags.TextVar(&chosen, "dialect", Libketama, "")
	equal(t, "flag", flags.Parse([]string{"-dialect", "nginx"}), nil)
	equal(t, "flag", chosen, Nginx)
	var _ encoding.TextMarshaler = chosen
}

func TestVersion(t *testing.T) {
	if !strings.HasPrefix(Version(), "1.") {
		t.Errorf("version %s", Version())
	}
}

func TestManyGoroutinesOnOneRing(t *testing.T) {
	ring := newRing8(t)
	keys := someKeys()
	want := ring.FindMany(keys)
	shares := ring.Shares()
	var group sync.WaitGroup
	for i := 0; i < 32; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			for j := range keys {
				k := (i*37 + j) % len(keys)
				key := keys[k]
				alive, ok := ring.FindAlive(key, func(string) bool { return true })
				if ring.Find(key) != want[k] || ring.Walk(key, 1)[0] != want[k] ||
					alive != want[k] || !ok {
					t.Errorf("key %q is elsewhere", key)
				}
			}
			if !reflect.DeepEqual(ring.FindMany(keys), want) {
				t.Error("FindMany says something else")
			}
			if !reflect.DeepEqual(ring.Shares(), shares) {
				t.Error("Shares says something else")
			}
			larger, err := ring.With(Server{"c", 10})
			if err != nil {
				t.Error(err)
				return
			}
			defer larger.Close()
			if _, err := ring.Compare(larger); err != nil {
				t.Error(err)
			}
		}(i)
	}
	group.Wait()
}

func TestLookupsDoNotAllocate(t *testing.T) {
	ring := newRing8(t)
	bytes := []byte("user:42")
	for name, lookup := range map[string]func(){
		"Find":      func() { ring.Find("user:42") },
		"FindBytes": func() { ring.FindBytes(bytes) },
		"Hash":      func() { ring.Hash("user:42") },
	} {
		equal(t, name, testing.AllocsPerRun(1000, lookup), 0.0)
	}
}

func panics(t *testing.T, name string, call func()) {
	t.Helper()
	defer func() {
		t.Helper()
		equal(t, name, recover(), "ketama: use of a closed Ring")
	}()
	call()
}

func TestClose(t *testing.T) {
	ring := newRing8(t)
	same := *ring
	open := newRing8(t)
	equal(t, "freed", ring.h.freed.Load(), false)
	ring.Close()
	equal(t, "freed", ring.h.freed.Load(), true)
	ring.Close()
	same.Close()
	for name, call := range map[string]func(){
		"Find":          func() { ring.Find("") },
		"Find (copy)":   func() { same.Find("") },
		"FindBytes":     func() { ring.FindBytes(nil) },
		"FindMany":      func() { ring.FindMany(nil) },
		"Walk":          func() { ring.Walk("", 1) },
		"FindAlive":     func() { ring.FindAlive("", func(string) bool { return true }) },
		"Hash":          func() { ring.Hash("") },
		"Share":         func() { ring.Share(eight[0].Name) },
		"Shares":        func() { ring.Shares() },
		"Compare":       func() { ring.Compare(open) },
		"Compare other": func() { open.Compare(ring) },
		"With":          func() { ring.With(Server{"c", 1}) },
		"Without":       func() { ring.Without(eight[0].Name) },
		"Servers":       func() { ring.Servers() },
		"Points":        func() { ring.Points() },
	} {
		panics(t, name, call)
	}
	open.Close()
	equal(t, "freed after Compare", open.h.freed.Load(), true)
}

func TestCloseWaitsForTheCallsInside(t *testing.T) {
	ring := newRing8(t)
	want := ring.Find("key")
	got, _ := ring.FindAlive("key", func(string) bool {
		done := make(chan bool)
		go func() {
			ring.Close()
			panics(t, "another call", func() { ring.Find("key") })
			close(done)
		}()
		<-done
		equal(t, "freed below a call", ring.h.freed.Load(), false)
		return true
	})
	equal(t, "a call in a ring that was closed", got, want)
	equal(t, "freed after it", ring.h.freed.Load(), true)
}

func TestCloseBesideOtherCalls(t *testing.T) {
	keys := someKeys()
	want := newRing8(t).FindMany(keys)
	for round := 0; round < 300; round++ {
		ring, err := New(eight, Libketama)
		if err != nil {
			t.Fatal(err)
		}
		var group, started sync.WaitGroup
		for i := 0; i < 4; i++ {
			group.Add(1)
			started.Add(1)
			go func(i int) {
				defer group.Done()
				defer func() {
					reason := recover()
					if reason != "ketama: use of a closed Ring" {
						t.Errorf("panics with %v", reason)
					}
				}()
				for j := i * 100; ; j++ {
					k := j % len(keys)
					if got := ring.Find(keys[k]); got != want[k] {
						t.Errorf("key %d: got %s, want %s", k, got, want[k])
					}
					if j == i*100 {
						started.Done()
					}
				}
			}(i)
		}
		started.Wait()
		for i := 0; i < 2; i++ {
			group.Add(1)
			go func() {
				defer group.Done()
				ring.Close()
			}()
		}
		group.Wait()
		equal(t, "freed", ring.h.freed.Load(), true)
	}
}

func resident(t *testing.T) int {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	return number(t, strings.Fields(string(text))[1]) * os.Getpagesize()
}

// Rings of 20,000 times 10 kB that are not freed would be 200 MB.
func flat(t *testing.T, round func()) {
	var before int
	for i := 0; i < 22_000; i++ {
		if i == 2000 {
			before = resident(t)
		}
		round()
		// Go's own memory is to stay small: the race detector takes several times as much again.
		if i%200 == 199 {
			runtime.GC()
			runtime.Gosched()
		}
	}
	if grown := resident(t) - before; grown > 30<<20 {
		t.Errorf("the resident memory has grown by %d bytes", grown)
	}
}

func TestClosedRingsAreFreed(t *testing.T) {
	flat(t, func() {
		ring, err := New(eight, Libketama)
		if err != nil {
			t.Fatal(err)
		}
		ring.Close()
	})
}

func TestDroppedRingsAreFreed(t *testing.T) {
	flat(t, func() {
		if _, err := New(eight, Libketama); err != nil {
			t.Fatal(err)
		}
	})
}

func TestFailuresFreeWhatTheyTook(t *testing.T) {
	long := strings.Repeat("n", 10_000)
	flat(t, func() {
		if _, err := New(Equal(long), Libketama); err == nil {
			t.Fatal("a long name is taken")
		}
		if _, err := FromFile(long, Libketama); err == nil {
			t.Fatal("a long path is read")
		}
		if _, err := ParseDialect(long); err == nil {
			t.Fatal("a long dialect is known")
		}
	})
}

func TestNamesOutliveTheRing(t *testing.T) {
	ring := newRing8(t)
	servers, names := ring.Servers(), ring.Walk("key", -1)
	ring.Close()
	equal(t, "Servers", servers, eight)
	sort.Strings(names)
	for i, name := range names {
		equal(t, "Walk", name, eight[i].Name)
	}
}

func TestReadmeShowsTheExample(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, program, _ := strings.Cut(string(readme), "```go\n")
	program, rest, _ := strings.Cut(program, "```\n")
	_, output, _ := strings.Cut(rest, "```text\n")
	output, _, _ = strings.Cut(output, "```\n")

	program = strings.Replace(program, "package main", "package ketama_test", 1)
	program = strings.Replace(program, "func main()", "func Example()", 1)
	program = strings.TrimSuffix(program, "}\n") + "\n\t// Output:\n"
	for _, line := range strings.SplitAfter(strings.TrimSuffix(output, "\n"), "\n") {
		program += "\t// " + line
	}
	program += "\n}\n"
	if !bytes.Equal([]byte(program), example) {
		t.Errorf("example_test.go differs from the README's:\n%s", program)
	}
}

func BenchmarkFind(b *testing.B) {
	ring := newRing8(b)
	b.ReportAllocs()
	for i := 0; i < b.N; i++ {
		ring.Find("user:42")
	}
}

func BenchmarkFindParallel(b *testing.B) {
	ring := newRing8(b)
	b.ReportAllocs()
	b.RunParallel(func(loop *testing.PB) {
		for loop.Next() {
			ring.Find("user:42")
		}
	})
}

// The time is that of one key.
func BenchmarkFindMany(b *testing.B) {
	ring := newRing8(b)
	keys := someKeys()[len(oddKeys):]
	b.ReportAllocs()
	for i := 0; i < b.N; i += len(keys) {
		ring.FindMany(keys)
	}
}
