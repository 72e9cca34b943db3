<?php

declare(strict_types=1);

namespace Ketama;

/** The native library, loaded at its first use. */
final class Library
{
    private static ?\FFI $ffi = null;

    private function __construct()
    {
    }

    /**
     * Loads the native library from a path. Without this it is the preloaded one, or else the
     * `libketama.so.1` that the loader finds.
     *
     * @throws Exception where that fails, or a library is loaded already
     */
    public static function load(string $path): void
    {
        self::refuseNul($path);
        if (self::$ffi !== null) {
            throw new Exception('the native library is loaded already');
        }
        self::$ffi = self::open($path);
    }

    /** The version of the native library, such as "1.0.0". */
    public static function version(): string
    {
        return self::ffi()->ketama_version();
    }

    /** @internal */
    public static function ffi(): \FFI
    {
        return self::$ffi ??= self::preloaded() ?? self::open(null);
    }

    /**
     * A text for C ends at its first NUL: one that has a NUL inside would silently be cut.
     *
     * @internal
     */
    public static function refuseNul(string $text): void
    {
        if (str_contains($text, "\0")) {
            throw new Exception('a name or path has a NUL in it', Status::OutOfRange);
        }
    }

    private static function preloaded(): ?\FFI
    {
        try {
            return \FFI::scope('KETAMA');
        } catch (\FFI\Exception) {
            return null;
        }
    }

    private static function open(?string $path): \FFI
    {
        $header = file_get_contents(dirname(__DIR__) . '/ketama.h');
        // FFI::cdef() takes no directives, which are for FFI::load() and ffi.preload.
        preg_match('/^#define FFI_LIB "(.+)"$/m', $header, $soname);
        $declarations = preg_replace('/^#.*$/m', '', $header);
        try {
            return \FFI::cdef($declarations, $path ?? $soname[1]);
        } catch (\FFI\Exception $e) {
            throw new Exception($e->getMessage(), null, $e);
        }
    }
}
