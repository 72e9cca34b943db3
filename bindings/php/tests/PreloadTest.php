<?php

declare(strict_types=1);

namespace Ketama\Tests;

use PHPUnit\Framework\TestCase;

/** What `ffi.enable`, `ffi.preload` and `opcache.preload` make of it, in real processes. */
final class PreloadTest extends TestCase
{
    private const PACKAGE = __DIR__ . '/..';
    private const ANSWER = "10.0.1.1:11211 10.0.1.2:11211 10.0.1.2:11211 2 316 moves\n";
    private const REFUSED = "FFI API is restricted by \"ffi.enable\" configuration directive\n";
    private const NOT_FOR_PAGES = "FFI is not for this page\n";

    /** @dataProvider settings */
    public function testPhpFpm(array $ini, string $expected): void
    {
        $fpm = new Fpm($ini);
        // The second request finds what the first one has left.
        self::assertSame("fpm-fcgi\n$expected", $fpm->get('page.php'));
        self::assertSame("fpm-fcgi\n$expected", $fpm->get('page.php'));
    }

    /** @return iterable<array{array<string, string>, string}> */
    public static function settings(): iterable
    {
        $header = ['ffi.preload' => self::PACKAGE . '/ketama.h'];
        $classes = ['opcache.preload' => self::PACKAGE . '/preload.php'];
        yield 'the default' => [[], self::REFUSED . self::NOT_FOR_PAGES];
        yield 'ffi.preload' => [$header, self::REFUSED . self::NOT_FOR_PAGES];
        yield 'both' => [
            $classes + $header,
            self::ANSWER . "declared by preloading\n" . self::NOT_FOR_PAGES,
        ];
        yield 'opcache.preload' => [
            $classes,
            self::ANSWER . (posix_geteuid() === 0
                ? "declared by this process\n"
                : "declared by preloading\n") . self::NOT_FOR_PAGES,
        ];
        yield 'ffi.enable' => [
            ['ffi.enable' => 'true'],
            self::ANSWER . "declared by this process\nFFI is for all\n",
        ];
        yield 'ffi.enable and ffi.preload' => [
            ['ffi.enable' => 'true'] + $header,
            self::ANSWER . "declared by preloading\nFFI is for all\n",
        ];
    }

    public function testPreloadedClassesTakeTheLibraryFromAPath(): void
    {
        $copy = tempnam(sys_get_temp_dir(), 'ketama');
        try {
            copy(Process::library(), $copy);
            $fpm = new Fpm([
                'opcache.preload' => self::PACKAGE . '/preload.php',
                'ffi.preload' => self::PACKAGE . '/ketama.h',
            ]);
            self::assertStringContainsString($copy, $fpm->get('path.php', "path=$copy"));
        } finally {
            unlink($copy);
        }
    }

    /** @dataProvider cliSettings */
    public function testTheCommandLineIsOnlyRestrictedByFalse(array $ini, string $expected): void
    {
        self::assertSame("cli\n$expected", Process::php('page.php', [], $ini));
    }

    /** @return iterable<array{array<string, string>, string}> */
    public static function cliSettings(): iterable
    {
        $header = ['ffi.preload' => self::PACKAGE . '/ketama.h'];
        yield 'preload' => [
            ['ffi.enable' => 'preload'],
            self::ANSWER . "declared by this process\nFFI is for all\n",
        ];
        yield 'preload and ffi.preload' => [
            ['ffi.enable' => 'preload'] + $header,
            self::ANSWER . "declared by preloading\nFFI is for all\n",
        ];
        yield 'false' => [['ffi.enable' => 'false'], self::REFUSED . self::NOT_FOR_PAGES];
        yield 'false and ffi.preload' => [
            ['ffi.enable' => 'false'] + $header,
            self::REFUSED . self::NOT_FOR_PAGES,
        ];
    }

    public function testOpcachePreloadLoadsTheHeaderWherePhpIsNotRoot(): void
    {
        // Of which another user can read all.
        $folder = sys_get_temp_dir() . '/ketama-preload-' . bin2hex(random_bytes(8));
        try {
            Process::run(['mkdir', '-m', '755', $folder]);
            Process::run(['cp', '-r', self::PACKAGE . '/src', self::PACKAGE . '/tests', $folder]);
            foreach (['composer.json', 'ketama.h', 'preload.php'] as $file) {
                copy(self::PACKAGE . "/$file", "$folder/$file");
            }
            copy(Process::library(), "$folder/libketama.so.1");
            Process::run(['chmod', '-R', 'a+rX', $folder]);
            $command = Process::command([
                'opcache.enable_cli' => '1',
                'opcache.preload' => "$folder/preload.php",
            ]);
            if (posix_geteuid() === 0) {
                array_unshift($command, 'setpriv', '--reuid=65534', '--clear-groups');
            }
            self::assertSame(
                "cli\n" . self::ANSWER . "declared by preloading\nFFI is for all\n",
                Process::run(
                    [...$command, "$folder/tests/programs/page.php"],
                    ['LD_LIBRARY_PATH' => $folder],
                ),
            );
        } finally {
            Process::run(['rm', '-r', $folder]);
        }
    }

    public function testPhpDoesNotStartWithoutALibraryToPreload(): void
    {
        $header = tempnam(sys_get_temp_dir(), 'ketama');
        try {
            file_put_contents($header, strtr(
                file_get_contents(self::PACKAGE . '/ketama.h'),
                ['libketama.so.1' => 'libketama-missing.so.1'],
            ));
            $program = Process::PROGRAMS . '/page.php';
            $command = Process::command(['ffi.preload' => $header]);
            [$status, $output, $errors] = Process::outcome([...$command, $program]);
            self::assertNotSame(0, $status);
            self::assertStringContainsString('libketama-missing.so.1', $output . $errors);
            self::assertStringNotContainsString('cli', $output);
        } finally {
            unlink($header);
        }
    }

    public function testAPageThatExitsLeavesNothingInItsWorker(): void
    {
        $fpm = new Fpm(['ffi.enable' => 'true']);
        for ($i = 0; $i < 20; $i++) {
            $before = (int) $fpm->get('exit.php');
        }
        for ($i = 0; $i < 100; $i++) {
            $after = (int) $fpm->get('exit.php');
        }
        // 100 of these rings have 120 MiB and more.
        self::assertGreaterThan(1 << 20, $before);
        self::assertLessThan(16 << 20, $after - $before);
    }
}
