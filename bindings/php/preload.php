<?php

/*
 * For opcache.preload, or to be required by the script named there: where ffi.enable is "preload",
 * as it is by default, only preloaded code may use FFI.
 */

declare(strict_types=1);

foreach (glob(__DIR__ . '/src/*.php') as $file) {
    opcache_compile_file($file);
}

try {
    FFI::scope('KETAMA');
} catch (FFI\Exception) {
    try {
        FFI::load(__DIR__ . '/ketama.h');
    } catch (FFI\Exception) {
        // With opcache.preload_user PHP leaves this to ffi.preload. Without that, each request
        // reads the declarations anew.
    }
}
