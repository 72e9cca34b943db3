<?php

declare(strict_types=1);

namespace Ketama\Tests;

use PHPUnit\Framework\TestCase;

final class ResourcesTest extends TestCase
{
    public function testNothingStaysBehind(): void
    {
        $output = Process::php('memory.php');
        self::assertSame(15, preg_match_all('/^(.+): (-?\d+) (-?\d+)$/m', $output, $lines));
        foreach ($lines[1] as $i => $way) {
            // One of 2,000 rings each is 20 MiB and more.
            self::assertLessThan(2 << 20, (int) $lines[2][$i], $way);
            self::assertLessThan(10_000, (int) $lines[3][$i], $way);
        }
    }

    public function testARingOutlivesTheDestructorsThatUseIt(): void
    {
        $program = Process::PROGRAMS . '/end.php';
        self::assertSame(
            [
                3,
                "collected: b, a, 320 points\n"
                . "before the end\n"
                . "in a cycle: b, a, 320 points\n"
                . "static: b, a, 320 points\n"
                . 'the last: Typed property Ketama\Handle::$ring must not be accessed before '
                . "initialization\n",
                '',
            ],
            Process::outcome([...Process::command([]), $program]),
        );
    }

    public function testAProgramThatExitsNeedsNoAutoloader(): void
    {
        self::assertMatchesRegularExpression('/^\d+$/', Process::php('exit.php'));
    }

    public function testForkedProcessesFreeTheirOwn(): void
    {
        self::assertSame("0\n0\n0\n0\nsame\n", Process::php('fork.php'));
    }
}
