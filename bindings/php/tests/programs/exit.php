<?php

declare(strict_types=1);

/* A page that exits with a large ring and no autoloader. Prints its process's resident bytes. */

use Ketama\Ring;
use Ketama\Tests\Process;

require __DIR__ . '/../bootstrap.php';

$ring = new Ring(array_map(static fn (int $i): string => "10.0.1.1:$i", range(1, 1000)));
echo Process::resident();
spl_autoload_unregister(spl_autoload_functions()[0]);
exit;
