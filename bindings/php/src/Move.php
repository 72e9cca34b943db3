<?php

declare(strict_types=1);

namespace Ketama;

/** The share of all positions, 0 to 1, that moves from one server to another. */
final readonly class Move
{
    public function __construct(public string $from, public string $to, public float $share)
    {
    }
}
