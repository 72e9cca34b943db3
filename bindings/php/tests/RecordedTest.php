<?php

declare(strict_types=1);

namespace Ketama\Tests;

use Ketama\Dialect;
use Ketama\Point;
use Ketama\Ring;
use Ketama\Server;
use PHPUnit\Framework\TestCase;

/** Recorded runs of the real clients: nothing of what the library answers is lost in passing. */
final class RecordedTest extends TestCase
{
    private const FILE = __DIR__ . '/../../../tests/data/dialects.txt';

    public function testEveryRecordedRunGivesTheClientsPointsAndOwners(): void
    {
        [$keys, $cases] = self::read();
        self::assertCount(93, $cases);
        $runs = array_count_values(array_column($cases, 'dialect'));
        self::assertEqualsCanonicalizing(
            array_column(Dialect::cases(), 'value'),
            array_keys($runs),
        );
        foreach ($cases as $case) {
            $label = "$case[dialect] $case[name]";
            $ring = new Ring($case['servers'], Dialect::from($case['dialect']));
            $names = array_column($case['servers'], 'name');
            self::assertEquals($case['servers'], $ring->servers(), $label);
            self::assertCount(520, $case['owners'], $label);
            $wanted = array_map(static fn (int $owner): string => $names[$owner], $case['owners']);
            $asked = array_intersect_key($keys, $wanted);
            self::assertCount(520, $asked, $label);
            ksort($wanted);
            self::assertSame($wanted, array_map($ring->find(...), $asked), $label);
            self::assertSame($wanted, $ring->findMany($asked), $label);
            if ($case['points'] !== '-') {
                self::assertSame($case['points'], self::summary($ring->points(), $names), $label);
            }
        }
    }

    /**
     * The number of points, and the MD5 of their list, which has each server's index.
     *
     * @param list<Point> $points
     */
    private static function summary(array $points, array $names): string
    {
        $indexes = array_flip($names);
        $lines = array_map(
            static fn (Point $point): string => "$point->point {$indexes[$point->server]}\n",
            $points,
        );
        return count($points) . ' ' . md5(implode($lines));
    }

    private static function read(): array
    {
        $keys = $cases = [];
        foreach (file(self::FILE, FILE_IGNORE_NEW_LINES) as $line) {
            [$word, $rest] = explode(' ', $line, 2) + [1 => ''];
            $case = array_key_last($cases);
            switch ($word) {
                case '':
                case '#':
                case 'source':
                    break;
                case 'key':
                    $keys[] = self::unescape($rest);
                    break;
                case 'case':
                    [$dialect, $name] = explode(' ', $rest, 2);
                    $cases[] = compact('dialect', 'name') + ['servers' => [], 'owners' => []];
                    break;
                case 'server':
                    [$weight, $name] = explode(' ', $rest, 2);
                    $cases[$case]['servers'][] = new Server($name, (int) $weight);
                    break;
                case 'points':
                    $cases[$case]['points'] = $rest;
                    break;
                case 'owner':
                    $gaps = array_map(intval(...), explode(' ', $rest));
                    $owner = array_shift($gaps);
                    $key = -1;
                    foreach ($gaps as $gap) {
                        $key += $gap;
                        $cases[$case]['owners'][$key] = $owner;
                    }
                    break;
                default:
                    self::fail("not understood: $line");
            }
        }
        return [$keys, $cases];
    }

    private static function unescape(string $text): string
    {
        return preg_replace_callback(
            '/\\\\(\\\\|n|t|r|x[0-9a-f]{2})/',
            static fn (array $match): string => match ($match[1]) {
                '\\' => '\\',
                'n' => "\n",
                't' => "\t",
                'r' => "\r",
                default => chr(hexdec(substr($match[1], 1))),
            },
            $text,
        );
    }
}
