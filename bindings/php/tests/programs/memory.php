<?php

declare(strict_types=1);

/*
 * Makes and drops rings of 1,600 points in many ways. Prints for each the bytes that stay behind,
 * resident ones and PHP's own.
 */

use Ketama\Dialect;
use Ketama\Exception;
use Ketama\Ring;
use Ketama\Tests\Process;

require __DIR__ . '/../bootstrap.php';

final class Cycle
{
    public self $self;

    public function __construct(public Ring $ring)
    {
        $this->self = $this;
    }
}

$servers = array_map(static fn (int $i): string => "10.0.1.$i:11211", range(1, 10));
$path = tempnam(sys_get_temp_dir(), 'ketama');
register_shutdown_function(unlink(...), $path);
file_put_contents($path, implode(array_map(static fn ($name) => "$name 1\n", $servers)));
$ring = new Ring($servers);
$keys = array_map(strval(...), range(1, 1000));
$refused = static function (callable $call): void {
    try {
        $call();
    } catch (Exception | TypeError | LogicException) {
        return;
    } catch (Error $e) {
        if (str_contains($e->getMessage(), 'readonly')) {
            return;
        }
    }
    throw new LogicException('nothing was thrown');
};

$ways = [
    'new' => static fn () => new Ring($servers),
    'fromFile' => static fn () => Ring::fromFile($path),
    'withServer' => static fn () => $ring->withServer('new'),
    'withoutServer' => static fn () => $ring->withoutServer($servers[0]),
    'clone' => static fn () => clone new Ring($servers),
    'a cycle' => static function () use ($servers): void {
        new Cycle(new Ring($servers));
        gc_collect_cycles();
    },
    'a constructor that throws before' => static fn () => $refused(
        static fn () => new Ring([...$servers, '']),
    ),
    'a constructor that throws behind' => static fn () => $refused(
        static fn () => (clone $ring)->__construct($servers),
    ),
    'a comparison' => static fn () => $ring->compare($ring->withServer('new')),
    'a comparison that fails' => static fn () => $refused(
        static fn () => $ring->compare(new Ring($servers, Dialect::Dalli)),
    ),
    'findMany' => static fn () => $ring->findMany($keys),
    'walk' => static fn () => $ring->walk('user:42'),
    'findAlive' => static fn () => $ring->findAlive('user:42', static fn () => false),
    'findAlive that throws' => static fn () => $refused(
        static fn () => $ring->findAlive('', static fn () => throw new LogicException()),
    ),
    'points' => static fn () => $ring->points(),
];
foreach ($ways as $name => $way) {
    $times = $name === 'new' ? 20_000 : 2_000;
    $memory = static fn (): array => [Process::resident(), memory_get_usage()];
    for ($i = 0; $i < $times; $i++) {
        if ($i === 200) {
            $before = $memory();
        }
        $way();
    }
    [$resident, $php] = $memory();
    echo "$name: ", $resident - $before[0], ' ', $php - $before[1], "\n";
}
