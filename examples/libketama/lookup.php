<?php
// Finds the servers of keys with libketama's own functions.
//
//     php lookup.php ../ketama.servers < ../keys.txt
declare(strict_types=1);

// The original's array is a void *, and PHP makes strings of what returns const char *.
$ketama = FFI::cdef(<<<'C'
    typedef struct {
        unsigned int point;
        char ip[22];
    } mcs;

    typedef struct {
        int numpoints;
        void *modtime;
        mcs *array;
    } *ketama_continuum;

    int ketama_roll(ketama_continuum *contptr, const char *filename);
    void ketama_smoke(ketama_continuum c);
    mcs *ketama_get_server(const char *key, ketama_continuum c);
    unsigned int ketama_hashi(const char *s);
    const char *ketama_error(void);
    C, 'libketama.so.1');

// A name may take all of ip. The NUL then stands in the padding behind it, or with the original
// nowhere: ip is to be read to its end at most.
function name_of(FFI\CData $mcs): string
{
    return unpack('Z*', FFI::string($mcs->ip, 22))[1];
}

if ($argc !== 2) {
    fwrite(STDERR, "usage: lookup FILE < KEYS\n");
    exit(2);
}
$continuum = $ketama->new('ketama_continuum');
if (!$ketama->ketama_roll(FFI::addr($continuum), $argv[1])) {
    fwrite(STDERR, $ketama->ketama_error() . "\n");
    $ketama->ketama_smoke($continuum); // a file with a bad line leaves one too
    exit(1);
}
echo "{$continuum->numpoints} points\n";

while (($line = fgets(STDIN)) !== false) {
    $key = rtrim($line, "\n");
    $mcs = $ketama->ketama_get_server($key, $continuum);
    echo "$key\t{$ketama->ketama_hashi($key)}\t{$mcs->point}\t", name_of($mcs), "\n";
}

$names = [];
for ($i = 0; $i < $continuum->numpoints; $i++) {
    $names[] = name_of($continuum->array[$i]);
}
foreach (array_count_values($names) as $name => $points) {
    echo "$name\t$points\n";
}
$ketama->ketama_smoke($continuum); // PHP frees none of what the library hands out
