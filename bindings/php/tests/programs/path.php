<?php

declare(strict_types=1);

/* A page that takes the native library from a path. Prints which copies of it are loaded. */

use Ketama\Library;

Library::load($_GET['path']);
preg_match_all('~\S*ketama\S*$~m', file_get_contents('/proc/self/maps'), $maps);
echo Library::version(), ' ', implode(' ', array_unique($maps[0]));
