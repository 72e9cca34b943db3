<?php

declare(strict_types=1);

namespace Ketama;

final class Exception extends \RuntimeException
{
    /**
     * @param ?Status $status null where the native library is not usable, or is a later one that
     *                        fails in a way which this package does not know
     */
    public function __construct(
        string $message,
        public readonly ?Status $status = null,
        ?\Throwable $previous = null,
    ) {
        parent::__construct($message, 0, $previous);
    }
}
