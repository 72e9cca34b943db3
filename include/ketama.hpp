/*
 * ketama.hpp - ketama.h for C++17: rings and watches that free themselves, and exceptions.
 *
 *     ketama::ring ring({{"10.0.1.1:11211", 600}, {"10.0.1.2:11211", 300}});
 *     std::cout << ring.name(ring.find("user:42")) << '\n';
 *
 * What each function does, and its thread rules, are those of the C function of its name: a const member may be
 * called by any thread at any time. Every failure is a ketama::error; nothing is thrown through C.
 */
#ifndef KETAMA_HPP
#define KETAMA_HPP

#include "ketama.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ketama {

/* A failure: its kind, and the text of ketama_last_error(). */
class error : public std::runtime_error {
public:
    error(ketama_status status, const char *text) : std::runtime_error(text), status_(status) {}
    ketama_status status() const noexcept { return status_; }

private:
    ketama_status status_;
};

struct server {
    std::string name;
    std::uint64_t weight;
};

namespace detail {

inline void check(ketama_status status) {
    if (status != KETAMA_OK)
        throw error(status, ketama_last_error());
}

/* A text for C, which ends at a NUL: one inside it would cut it short. */
inline const char *c_str(const std::string &text) {
    if (text.find('\0') != std::string::npos)
        throw error(KETAMA_OUT_OF_RANGE, "a name or path has a NUL in it");
    return text.c_str();
}

/* The servers for C, whose names stay those of the list. */
inline std::vector<ketama_server> borrow(const std::vector<server> &servers) {
    std::vector<ketama_server> list;
    list.reserve(servers.size());
    for (const server &one : servers)
        list.push_back({c_str(one.name), one.weight});
    return list;
}

} // namespace detail

/* What differs between two rings. */
struct comparison {
    std::vector<ketama_move> moves;
    double moved;
};

/* A ring. Movable; share() makes one more owner of the same ring. One that was moved from may only be assigned to
 * or destroyed. */
class ring {
public:
    explicit ring(const std::vector<server> &servers, ketama_dialect dialect = KETAMA_LIBKETAMA) {
        const auto list = detail::borrow(servers);
        ketama_ring *made = nullptr;
        detail::check(ketama_ring_new(list.data(), list.size(), dialect, &made));
        ring_.reset(made);
    }

    ring(const std::vector<server> &servers, const ketama_rules &rules) {
        const auto list = detail::borrow(servers);
        ketama_ring *made = nullptr;
        detail::check(ketama_ring_new_custom(list.data(), list.size(), &rules, &made));
        ring_.reset(made);
    }

    /* Takes over one owner's part in a ring of C, which may not be NULL. */
    explicit ring(ketama_ring *owned) : ring_(owned) {
        if (!owned)
            throw error(KETAMA_NULL_ARGUMENT, "the ring is NULL");
    }

    static ring from_file(const std::string &path, ketama_dialect dialect = KETAMA_LIBKETAMA) {
        ketama_ring *made = nullptr;
        detail::check(ketama_ring_from_file(detail::c_str(path), dialect, &made));
        return ring(made);
    }

    ring share() const { return ring(ketama_ring_retain(get())); }

    ring with_server(const server &added) const {
        const ketama_server one = {detail::c_str(added.name), added.weight};
        ketama_ring *made = nullptr;
        detail::check(ketama_ring_with_server(get(), &one, &made));
        return ring(made);
    }

    ring without_server(const std::string &name) const {
        ketama_ring *made = nullptr;
        detail::check(ketama_ring_without_server(get(), detail::c_str(name), &made));
        return ring(made);
    }

    /* The number of servers. */
    std::size_t size() const noexcept { return ketama_ring_server_count(get()); }

    /* It lives as long as the ring. Throws where there is no such server, as weight() and share() do. */
    std::string_view name(std::size_t server) const {
        in_range(server);
        return ketama_ring_server_name(get(), server);
    }

    std::uint64_t weight(std::size_t server) const {
        in_range(server);
        return ketama_ring_server_weight(get(), server);
    }

    double share(std::size_t server) const {
        in_range(server);
        return ketama_ring_share(get(), server);
    }

    std::vector<ketama_point> points() const {
        std::vector<ketama_point> list(ketama_ring_points(get(), nullptr, 0));
        ketama_ring_points(get(), list.data(), list.size());
        return list;
    }

    std::uint32_t hash(std::string_view key) const noexcept {
        return ketama_ring_hash(get(), key.data(), key.size());
    }

    std::size_t find(std::string_view key) const noexcept {
        return ketama_ring_find(get(), key.data(), key.size());
    }

    std::size_t find_point(std::string_view key) const noexcept {
        return ketama_ring_find_point(get(), key.data(), key.size());
    }

    std::size_t find_hash(std::uint32_t position) const noexcept {
        return ketama_ring_find_hash(get(), position);
    }

    std::vector<std::uint32_t> find_many(const std::vector<std::string_view> &keys) const {
        std::vector<ketama_key> list;
        list.reserve(keys.size());
        for (std::string_view key : keys)
            list.push_back({key.data(), key.size()});
        std::vector<std::uint32_t> servers(keys.size());
        detail::check(ketama_ring_find_many(get(), list.data(), list.size(), servers.data()));
        return servers;
    }

    /* Key `i` is the bytes from `offsets[i]` to before `offsets[i + 1]`. */
    std::vector<std::uint32_t> find_packed(std::string_view bytes, const std::vector<std::uint32_t> &offsets) const {
        if (offsets.empty())
            return {};
        for (std::uint32_t offset : offsets)
            if (offset > bytes.size())
                throw error(KETAMA_OFFSETS, "an offset is beyond the bytes");
        std::vector<std::uint32_t> servers(offsets.size() - 1);
        detail::check(
            ketama_ring_find_packed(get(), bytes.data(), offsets.data(), servers.size(), servers.data()));
        return servers;
    }

    std::vector<std::uint32_t> walk(std::string_view key, std::size_t max) const {
        std::vector<std::uint32_t> servers(max < size() ? max : size());
        servers.resize(ketama_ring_walk(get(), key.data(), key.size(), servers.data(), servers.size()));
        return servers;
    }

    /* `alive` has a byte for each server. Nothing where none is alive. */
    std::optional<std::size_t> find_alive(std::string_view key, const std::vector<std::uint8_t> &alive) const {
        one_each(alive.size());
        const std::size_t server = ketama_ring_find_alive(get(), key.data(), key.size(), alive.data());
        return server == KETAMA_NONE ? std::nullopt : std::optional(server);
    }

    /* `load` has a number for each server. Throws where `factor` is not above 1. */
    std::size_t find_bounded(std::string_view key, const std::vector<std::uint64_t> &load, double factor) const {
        one_each(load.size());
        const std::size_t server =
            ketama_ring_find_bounded(get(), key.data(), key.size(), load.data(), factor);
        if (server == KETAMA_NONE)
            throw error(KETAMA_OUT_OF_RANGE, ketama_last_error());
        return server;
    }

    /* What moves when `other` takes this ring's place. */
    comparison compare(const ring &other) const {
        std::size_t count = 0;
        comparison result{{}, 0};
        detail::check(ketama_ring_compare(get(), other.get(), nullptr, 0, &count, nullptr));
        result.moves.resize(count);
        detail::check(ketama_ring_compare(get(), other.get(), result.moves.data(), count, nullptr, &result.moved));
        return result;
    }

    const ketama_ring *get() const noexcept { return ring_.get(); }

private:
    struct release {
        void operator()(ketama_ring *owned) const noexcept { ketama_ring_free(owned); }
    };

    void in_range(std::size_t server) const {
        if (server >= size())
            throw error(KETAMA_OUT_OF_RANGE, "there is no such server");
    }

    void one_each(std::size_t count) const {
        if (count != size())
            throw error(KETAMA_OUT_OF_RANGE, "there must be one for each server");
    }

    std::unique_ptr<ketama_ring, release> ring_;
};

/* A server definition file and its current ring. Movable; one that was moved from may only be assigned to or
 * destroyed. */
class watch {
public:
    explicit watch(const std::string &path, ketama_dialect dialect = KETAMA_LIBKETAMA) {
        ketama_watch *made = nullptr;
        detail::check(ketama_watch_new(detail::c_str(path), dialect, &made));
        watch_.reset(made);
    }

    /* The current ring, as one more owner of it. */
    ketama::ring ring() const { return ketama::ring(ketama_watch_ring(watch_.get())); }

    /* Looks whether the file has changed. Where it is wrong it throws, and the current ring stays. */
    void poll() const { detail::check(ketama_watch_poll(watch_.get())); }

private:
    struct release {
        void operator()(ketama_watch *owned) const noexcept { ketama_watch_free(owned); }
    };

    std::unique_ptr<ketama_watch, release> watch_;
};

} // namespace ketama

#endif
