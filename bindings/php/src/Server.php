<?php

declare(strict_types=1);

namespace Ketama;

final readonly class Server
{
    /** @throws Exception OutOfRange where the name has a NUL, or the weight is negative */
    public function __construct(public string $name, public int $weight = 1)
    {
        Library::refuseNul($name);
        if ($weight < 0) {
            throw new Exception("the weight $weight is negative", Status::OutOfRange);
        }
    }
}
