<?php

declare(strict_types=1);

namespace Ketama\Tests;

use Ketama\Exception;
use Ketama\Library;
use PHPUnit\Framework\TestCase;

final class LibraryTest extends TestCase
{
    public function testTheVersionIsTheLibrarys(): void
    {
        self::assertMatchesRegularExpression('/^1\.\d+\.\d+$/', Library::version());
    }

    public function testAPathCanBeGivenBeforeTheFirstUse(): void
    {
        $copy = tempnam(sys_get_temp_dir(), 'ketama');
        try {
            copy(Process::library(), $copy);
            self::assertSame(
                "refused: a name or path has a NUL in it\n"
                . "failed: Failed loading '/no/libketama.so.1', for FFI\\Exception\n"
                . "failed: Failed resolving C function 'ketama_version', for FFI\\Exception\n"
                . Library::version() . " from $copy alone\n"
                . "refused: the native library is loaded already\n",
                Process::php('load.php', [$copy]),
            );
        } finally {
            unlink($copy);
        }
    }

    public function testAPathIsRefusedAfterTheFirstUse(): void
    {
        Library::version();
        $this->expectException(Exception::class);
        $this->expectExceptionMessage('loaded already');
        Library::load(Process::library());
    }
}
