<?php

declare(strict_types=1);

namespace Ketama;

use FFI;
use FFI\CData;

/**
 * The owner of a native ring. Not the Ring itself: PHP runs no destructor of an object whose
 * constructor threw, and clones of a Ring share their owner.
 *
 * @internal
 */
final class Handle
{
    public readonly FFI $ffi;

    /** A `ketama_ring *`: NULL until a call has filled it, and unset once it is freed. */
    public CData $ring;

    private Release $release;

    public function __construct()
    {
        // Now: at the end of a request there may be no autoloader any more.
        class_exists(Release::class);
        $this->ffi = Library::ffi();
        $this->ring = $this->ffi->new('ketama_ring *');
    }

    /** A `ketama_ring **`, for the call that makes the ring. */
    public function out(): CData
    {
        $ring = $this->ring;
        return FFI::addr($ring);
    }

    /**
     * At the end of a request, and in a garbage cycle, PHP runs the destructors of objects that
     * others still use: another object's may look a key up after this one. So this one does not
     * free. It leaves that to a younger object, which goes when this one's memory does, or else
     * after all the older destructors.
     */
    public function __destruct()
    {
        $this->release = new Release($this->ffi, $this->ring, \WeakReference::create($this));
    }

    private function __clone()
    {
    }
}
