<?php

declare(strict_types=1);

namespace Ketama\Tests;

use Ketama\Dialect;
use Ketama\Status;
use PHPUnit\Framework\TestCase;

/** This package's declarations against those of the library, so that they cannot drift. */
final class HeaderTest extends TestCase
{
    private const OURS = __DIR__ . '/../ketama.h';
    private const THEIRS = __DIR__ . '/../../../include/ketama.h';

    /** @return list<string> each on one line, without comments and directives */
    private static function declarations(string $path): array
    {
        $noise = ['~/\*.*?\*/~s', '~//.*$~m', '~^#.*$~m'];
        $text = preg_replace($noise, '', file_get_contents($path));
        preg_match_all('/[^;{}]+(?:\{[^{}]*\}[^;{}]*)?;/', $text, $matches);
        return array_map(
            static fn (string $one): string => trim(preg_replace('/\s+/', ' ', $one)),
            $matches[0],
        );
    }

    /** @return array<string, int> the enumerators of an enum, by what stands behind KETAMA_ */
    private static function enumerators(string $enum): array
    {
        foreach (self::declarations(self::THEIRS) as $declaration) {
            if (str_ends_with($declaration, "} $enum;")) {
                preg_match_all('/KETAMA_(\w+) = (\d+)/', $declaration, $matches);
                return array_combine($matches[1], array_map(intval(...), $matches[2]));
            }
        }
        self::fail("there is no $enum");
    }

    public function testEachDeclarationIsTheLibrarys(): void
    {
        $ours = self::declarations(self::OURS);
        // Each, and the comment, stands behind an empty line.
        self::assertCount(substr_count(file_get_contents(self::OURS), "\n\n") - 1, $ours);
        self::assertSame([], array_diff($ours, self::declarations(self::THEIRS)));
    }

    public function testEachDeclarationIsUsed(): void
    {
        $source = implode(array_map(file_get_contents(...), glob(__DIR__ . '/../src/*.php')));
        $declarations = implode("\n", self::declarations(self::OURS));
        preg_match_all('/(ketama_\w+)\(/', $declarations, $functions);
        self::assertGreaterThan(15, count($functions[1]));
        foreach ($functions[1] as $function) {
            self::assertStringContainsString("->$function(", $source);
        }
        preg_match_all('/(ketama_\w+);/', $declarations, $types);
        foreach ($types[1] as $type) {
            self::assertGreaterThan(1, preg_match_all("/\\b$type\\b/", $declarations), $type);
        }
    }

    public function testStatusHasAllFailures(): void
    {
        $cases = ['OK' => 0];
        foreach (Status::cases() as $case) {
            $cases[self::snake($case->name)] = $case->value;
        }
        self::assertSame(self::enumerators('ketama_status'), $cases);
    }

    public function testDialectHasAllDialects(): void
    {
        $names = \FFI::cdef('const char *ketama_dialect_name(int dialect);', 'libketama.so.1');
        $cases = [];
        foreach (Dialect::cases() as $number => $case) {
            $cases[self::snake($case->name)] = $number;
            self::assertSame($names->ketama_dialect_name($number), $case->value);
        }
        self::assertSame(self::enumerators('ketama_dialect'), $cases);
        self::assertNull($names->ketama_dialect_name(count($cases)));
    }

    private static function snake(string $name): string
    {
        return strtoupper(preg_replace('/(?<=.)(?=[A-Z])/', '_', $name));
    }
}
