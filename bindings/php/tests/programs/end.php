<?php

declare(strict_types=1);

/*
 * Destructors that look keys up, run by the garbage collector and at the end of the program, where
 * PHP may have run the destructor of the ring's owner before.
 */

use Ketama\Ring;

require __DIR__ . '/../bootstrap.php';

final class Cache
{
    public static self $static;
    public self $self;

    public function __construct(private readonly string $name, private readonly Ring $ring)
    {
        $this->self = $this;
    }

    public function __destruct()
    {
        echo "$this->name: {$this->ring->find('user:42')}, {$this->ring->findMany(['a'])[0]}, "
            . count($this->ring->points()) . " points\n";
    }
}

/** Its last heir is made so late that the ring goes before it. */
final class Heir
{
    public self $next;

    public function __construct(private readonly Ring $ring, private readonly int $left)
    {
        $this->next = $this;
    }

    public function __destruct()
    {
        if ($this->left > 0) {
            $this->next = new self($this->ring, $this->left - 1);
            return;
        }
        try {
            echo "the last: {$this->ring->find('user:42')}\n";
        } catch (Error $e) {
            echo 'the last: ', $e->getMessage(), "\n";
        }
    }
}

new Cache('collected', new Ring(['a', 'b']));
gc_collect_cycles();
echo "before the end\n";
new Cache('in a cycle', new Ring(['a', 'b']));
Cache::$static = new Cache('static', new Ring(['a', 'b']));
new Heir(new Ring(['a', 'b']), 3);
exit(3);
