// A C++ program as they are: it walks the array, looks up from eight threads, and rolls a second file into the same
// variable.
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
    check(argc == 3, "two files are given");
    ketama_continuum c = nullptr;
    check(ketama_roll(&c, argv[1]), "the first file rolls");
    std::map<std::string, int> servers;
    const mcs *points = static_cast<const mcs *>(c->array);
    for (int i = 0; i < c->numpoints; i++)
        servers[points[i].ip]++;
    check(servers.size() == 8, "the array names 8 servers");
    check(*static_cast<const std::time_t *>(c->modtime) != 0, "the file has a time");

    std::vector<std::thread> threads;
    for (int t = 0; t < 8; t++)
        threads.emplace_back([&, t] {
            for (int i = 0; i < 20000; i++) {
                std::string key = std::to_string(i * 8 + t);
                const mcs *m = ketama_get_server(key.c_str(), c);
                check(servers.count(m->ip) == 1, "a lookup gives one of them");
                check(m == points || m[-1].point < ketama_hashi(key.c_str()), "it is the first");
            }
        });

    // The variable changes under nobody: the threads above may still read the first continuum.
    ketama_continuum again = c;
    check(ketama_roll(&again, argv[2]), "the second file rolls");
    check(again != c, "into a new continuum");
    for (auto &thread : threads)
        thread.join();
    check(static_cast<const mcs *>(c->array) == points, "the first one stays");
    ketama_smoke(c);
    check(ketama_get_server("foo", again) != nullptr, "the second one outlives it");
    ketama_smoke(again);
    return 0;
}
