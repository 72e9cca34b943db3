<?php

declare(strict_types=1);

/* Children that use, change and free the rings of their parent, which goes on with them. */

use Ketama\Ring;

require __DIR__ . '/../bootstrap.php';

$ring = new Ring(['a', 'b', 'c']);
$keys = array_map(strval(...), range(1, 10_000));
$servers = $ring->findMany($keys);
$children = [];
for ($i = 0; $i < 4; $i++) {
    $child = pcntl_fork();
    if ($child === 0) {
        $isSame = $ring->findMany($keys) === $servers
            && $ring->withServer('d')->withoutServer('d')->findMany($keys) === $servers;
        if ($i % 2 === 0) {
            unset($ring);
        }
        exit($isSame ? 0 : 1);
    }
    $children[] = $child;
}
foreach ($children as $child) {
    pcntl_waitpid($child, $status);
    echo pcntl_wifexited($status) ? pcntl_wexitstatus($status) : 'killed', "\n";
}
echo $ring->findMany($keys) === $servers ? "same\n" : "different\n";
