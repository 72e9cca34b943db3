// A C++ program as they are: it walks the array, looks up from eight threads, and rolls a second file into the same
// variable without smoking the first continuum.
#include <ketama.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <string>
#include <thread>
#include <vector>

static void check(bool condition, const char *what) {
    if (!condition) {
        std::fprintf(stderr, "not true: %s; error: %s\n", what, ketama_error());
        std::exit(1);
    }
}

int main(int argc, char **argv) {
    check(argc == 4, "two files and a number are given");
    const int lookups = std::atoi(argv[3]);
    ketama_continuum c = nullptr;
    check(ketama_roll(&c, argv[1]), "the first file rolls");
    std::map<std::string, int> servers;
    const ketama_continuum first = c;
    const mcs *points = static_cast<const mcs *>(c->array);
    for (int i = 0; i < c->numpoints; i++)
        servers[points[i].ip]++;
    check(servers.size() == 8, "the array names 8 servers");
    check(*static_cast<const std::time_t *>(c->modtime) != 0, "the file has a time");

    std::vector<std::thread> threads;
    for (int t = 0; t < 8; t++)
        threads.emplace_back([&, t] {
            for (int i = 0; i < lookups; i++) {
                std::string key = std::to_string(i * 8 + t);
                const mcs *m = ketama_get_server(key.c_str(), first);
                check(servers.count(m->ip) == 1, "a lookup gives one of them");
                check(m == points || m[-1].point < ketama_hashi(key.c_str()), "it is the first");
            }
        });

    // The threads go on with the first continuum.
    check(ketama_roll(&c, argv[2]), "the second file rolls");
    check(c != first, "into a new continuum");
    for (auto &thread : threads)
        thread.join();
    check(static_cast<const mcs *>(first->array) == points, "the first one stays");
    ketama_smoke(first);
    check(ketama_get_server("foo", c) != nullptr, "the second one outlives it");
    ketama_smoke(c);
    return 0;
}
