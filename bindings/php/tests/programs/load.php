<?php

declare(strict_types=1);

use Ketama\Exception;
use Ketama\Library;

require __DIR__ . '/../bootstrap.php';

[, $path] = $argv;
foreach (["$path\0", '/no/libketama.so.1', 'libc.so.6', $path, $path] as $try) {
    try {
        Library::load($try);
        preg_match_all('~\S*ketama\S*$~m', file_get_contents('/proc/self/maps'), $maps);
        echo Library::version(), ' from ', implode(', ', array_unique($maps[0])), " alone\n";
    } catch (Exception $e) {
        $cause = $e->getPrevious();
        // Later PHPs add the loader's reason in parentheses.
        [$text] = explode(' (', $e->getMessage());
        echo $cause === null ? "refused: $text\n" : "failed: $text, for " . $cause::class . "\n";
    }
}
