<?php

declare(strict_types=1);

namespace Ketama;

/** A point of a ring: its position on the circle, and the name of the server that it belongs to. */
final readonly class Point
{
    public function __construct(public int $point, public string $server)
    {
    }
}
