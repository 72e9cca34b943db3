<?php

declare(strict_types=1);

namespace Ketama;

/** What moves when one ring takes another's place. */
final readonly class Comparison
{
    /**
     * @param float $moved the sum of the moves' shares
     * @param list<Move> $moves
     */
    public function __construct(public float $moved, public array $moves)
    {
    }
}
