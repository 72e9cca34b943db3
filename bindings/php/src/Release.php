<?php

declare(strict_types=1);

namespace Ketama;

use FFI\CData;

/**
 * Frees a native ring at its own end.
 *
 * @internal
 */
final class Release
{
    /** @param \WeakReference<Handle> $handle */
    public function __construct(
        private readonly \FFI $ffi,
        private readonly CData $ring,
        private readonly \WeakReference $handle,
    ) {
    }

    public function __destruct()
    {
        // Whoever still has the handle gets an Error from now on.
        $handle = $this->handle->get();
        if ($handle !== null) {
            unset($handle->ring);
        }
        $this->ffi->ketama_ring_free($this->ring);
    }

    private function __clone()
    {
    }
}
