<?php

declare(strict_types=1);

/* A page: what a ring says, and by which way it reached the native library. */

use Ketama\Exception;
use Ketama\Library;
use Ketama\Ring;

require __DIR__ . '/../bootstrap.php';

echo PHP_SAPI, "\n";
try {
    $ring = new Ring(['10.0.1.1:11211' => 600, '10.0.1.2:11211' => 300]);
    echo $ring->find('user:42'), ' ', $ring->findMany(['key:2'])[0], ' ',
        $ring->findAlive('user:42', static fn (string $name): bool => !str_contains($name, '1.1')),
        ' ', count($ring->walk('')), ' ', count($ring->points()), ' ',
        $ring->compare($ring->withServer('new', 1))->moved > 0 ? 'moves' : 'stays', "\n";
    $preloaded = (new ReflectionMethod(Library::class, 'preloaded'))->invoke(null);
    echo $preloaded === null ? "declared by this process\n" : "declared by preloading\n";
} catch (Exception $e) {
    echo $e->getMessage(), "\n";
}
try {
    FFI::cdef();
    echo "FFI is for all\n";
} catch (FFI\Exception) {
    echo "FFI is not for this page\n";
}
