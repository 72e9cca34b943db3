// The C++ interface of ketama.hpp.
#include <ketama.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <type_traits>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            std::fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);         \
            std::exit(1);                                                                          \
        }                                                                                          \
    } while (0)

template <typename F> static ketama_status failure(F run) {
    try {
        run();
    } catch (const ketama::error &error) {
        CHECK(*error.what() != '\0');
        return error.status();
    }
    return KETAMA_OK;
}

static_assert(std::is_nothrow_move_constructible_v<ketama::ring>);
static_assert(std::is_nothrow_move_assignable_v<ketama::watch>);
static_assert(!std::is_copy_constructible_v<ketama::ring>);

int main() {
    const std::vector<ketama::server> servers = {{"10.0.0.1:11211", 3}, {"10.0.0.2:11211", 1}, {"10.0.0.3:11212", 2}};
    ketama::ring ring(servers, KETAMA_LIBMEMCACHED_WEIGHTED);
    CHECK(ring.size() == 3 && ring.name(2) == "10.0.0.3:11212" && ring.weight(0) == 3);

    std::size_t points = 0;
    std::uint32_t last = 0;
    for (const ketama_point &point : ring.points()) {
        CHECK(point.point >= last && point.server < 3);
        last = point.point;
        points++;
    }
    CHECK(points == 480);

    std::vector<std::string_view> keys = {"foo", "", std::string_view("a\0b", 3)};
    const auto many = ring.find_many(keys);
    for (std::size_t i = 0; i < keys.size(); i++) {
        CHECK(many[i] == ring.find(keys[i]));
        CHECK(ring.find_hash(ring.hash(keys[i])) == many[i]);
        CHECK(ring.points()[ring.find_point(keys[i])].server == many[i]);
    }
    CHECK(ring.hash(keys[2]) != ring.hash("a"));
    CHECK(ring.find_many({}).empty());
    CHECK(ring.find_packed(std::string_view("fooa\0b", 6), {0, 3, 3, 6}) == many);
    CHECK(ring.find_packed("", {}).empty() && ring.find_packed("", {0}).empty());
    CHECK(failure([&] { ring.find_packed("foo", {0, 4}); }) == KETAMA_OFFSETS);
    CHECK(failure([&] { ring.find_packed("foo", {0, 2, 1}); }) == KETAMA_OFFSETS);

    const auto walk = ring.walk("foo", 100);
    CHECK(walk.size() == 3 && walk[0] == ring.find("foo"));
    CHECK(ring.walk("foo", 0).empty());
    std::vector<std::uint8_t> alive(3, 1);
    alive[walk[0]] = 0;
    CHECK(ring.find_alive("foo", alive) == walk[1]);
    CHECK(!ring.find_alive("foo", {0, 0, 0}));
    CHECK(ring.find_bounded("foo", {0, 0, 0}, 1.5) == walk[0]);
    CHECK(failure([&] { ring.find_bounded("foo", {0, 0, 0}, 1); }) == KETAMA_OUT_OF_RANGE);
    CHECK(failure([&] { ring.find_bounded("foo", {}, 2); }) == KETAMA_OUT_OF_RANGE);
    CHECK(failure([&] { ring.find_alive("foo", {}); }) == KETAMA_OUT_OF_RANGE);
    CHECK(failure([&] { ring.name(3); }) == KETAMA_OUT_OF_RANGE);
    CHECK(std::fabs(ring.share(0) + ring.share(1) + ring.share(2) - 1) < 1e-12);

    ketama::ring shared = ring.share(), moved = std::move(ring);
    CHECK(shared.get() == moved.get());
    ring = moved.with_server({"10.0.0.4", 1});
    const ketama::comparison change = moved.compare(ring);
    double sum = 0;
    for (const ketama_move &move : change.moves)
        sum += move.share;
    CHECK(change.moved > 0 && std::fabs(sum - change.moved) < 1e-12);
    CHECK(moved.compare(ring.without_server("10.0.0.4")).moves.empty());

    ketama_rules rules = {};
    rules.struct_size = sizeof rules;
    CHECK(ketama_dialect_rules(KETAMA_LIBMEMCACHED_WEIGHTED, &rules) == KETAMA_OK);
    CHECK(moved.compare(ketama::ring(servers, rules)).moved == 0);
    rules.base = 0;
    CHECK(failure([&] { ketama::ring(servers, rules); }) == KETAMA_INVALID_RULES);
    CHECK(failure([] { ketama::ring(std::vector<ketama::server>{}); }) == KETAMA_NO_SERVERS);
    CHECK(failure([] { ketama::ring({{"", 1}}); }) == KETAMA_EMPTY_NAME);
    const std::string with_nul("10.0.0.1:11211\0x", 16);
    CHECK(failure([&] { moved.without_server(with_nul); }) == KETAMA_OUT_OF_RANGE);
    CHECK(failure([&] { ketama::ring({{with_nul, 1}}); }) == KETAMA_OUT_OF_RANGE);
    CHECK(failure([&] { ketama::watch{with_nul}; }) == KETAMA_OUT_OF_RANGE);
    CHECK(failure([] { ketama::ring(static_cast<ketama_ring *>(nullptr)); }) == KETAMA_NULL_ARGUMENT);
    CHECK(failure([&] { moved.without_server("nobody"); }) == KETAMA_UNKNOWN_SERVER);
    CHECK(failure([&] { moved.compare(ketama::ring(servers, KETAMA_NGINX)); }) == KETAMA_DIFFERENT_HASHES);

    std::ofstream("watched") << "10.0.0.1:11211 1\n";
    ketama::watch watch("watched", KETAMA_DALLI);
    CHECK(watch.ring().size() == 1);
    CHECK(ketama::ring::from_file("watched").size() == 1);
    std::ofstream("watched") << "10.0.0.1:11211 1\n10.0.0.2:11211 1\n";
    watch.poll();
    const ketama::ring current = watch.ring();
    CHECK(current.size() == 2);
    std::ofstream("watched") << "10.0.0.1:11211\n";
    CHECK(failure([&] { watch.poll(); }) == KETAMA_SYNTAX);
    CHECK(watch.ring().get() == current.get());
    CHECK(failure([] { ketama::watch("missing"); }) == KETAMA_UNREADABLE);
    return 0;
}
