// Finds the servers of keys with libketama's own functions.
//
//     c++ -std=c++17 lookup.cpp $(pkg-config --cflags --libs ketama) -o lookup
//     ./lookup ../ketama.servers < ../keys.txt
#include <algorithm>
#include <cstddef>
#include <iostream>
#include <iterator>
#include <ketama.h>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

struct Smoke {
    void operator()(ketama_continuum c) const { ketama_smoke(c); }
};
using Continuum = std::unique_ptr<continuum, Smoke>;

// A name may take all 22 bytes of ip. The NUL then stands in the padding behind it, or with the
// original nowhere: ip is to be read to its end at most.
static std::string_view name_of(const mcs &m) {
    auto end = std::find(std::begin(m.ip), std::end(m.ip), '\0');
    return {m.ip, static_cast<std::size_t>(end - m.ip)};
}

int main(int argc, char **argv) {
    if (argc != 2) {
        std::cerr << "usage: lookup FILE < KEYS\n";
        return 2;
    }
    ketama_continuum rolled = nullptr;
    bool ok = ketama_roll(&rolled, argv[1]);
    Continuum c(rolled); // a file with a bad line leaves one too
    if (!ok) {
        std::cerr << ketama_error() << '\n';
        return 1;
    }
    std::cout << c->numpoints << " points\n";

    for (std::string key; std::getline(std::cin, key);) {
        const mcs &m = *ketama_get_server(key.c_str(), c.get());
        std::cout << key << '\t' << ketama_hashi(key.c_str()) << '\t' << m.point << '\t'
                  << name_of(m) << '\n';
    }

    auto points = static_cast<const mcs *>(c->array);
    std::vector<std::string_view> names; // they live as long as the continuum
    std::unordered_map<std::string_view, int> points_of;
    for (int i = 0; i < c->numpoints; i++) {
        auto name = name_of(points[i]);
        if (points_of[name]++ == 0)
            names.push_back(name);
    }
    for (auto name : names)
        std::cout << name << '\t' << points_of[name] << '\n';
}
