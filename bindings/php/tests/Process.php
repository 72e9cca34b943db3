<?php

declare(strict_types=1);

namespace Ketama\Tests;

use PHPUnit\Framework\Assert;

/** Other processes: PHP anew with settings of its own, and what serves it. */
final class Process
{
    public const PROGRAMS = __DIR__ . '/programs';

    /**
     * @param array<string, string> $ini
     * @return string what a program of tests/programs/ printed, having ended well
     */
    public static function php(string $program, array $arguments = [], array $ini = []): string
    {
        return self::run([...self::command($ini), self::PROGRAMS . "/$program", ...$arguments]);
    }

    /**
     * @param array<string, string> $ini
     * @return list<string>
     */
    public static function command(array $ini, string $binary = PHP_BINARY): array
    {
        $command = [$binary];
        foreach ($ini + ['error_reporting' => '-1', 'display_errors' => '1'] as $name => $value) {
            array_push($command, '-d', "$name=$value");
        }
        return $command;
    }

    /**
     * @param list<string> $command
     * @param array<string, string> $environment what it has besides that of this process
     */
    public static function run(array $command, array $environment = []): string
    {
        [$status, $output, $errors] = self::outcome($command, $environment);
        Assert::assertSame([0, ''], [$status, $errors], implode(' ', $command) . "\n$output");
        return $output;
    }

    /** @return array{int, string, string} exit status, standard output and errors */
    public static function outcome(array $command, array $environment = []): array
    {
        $errors = tmpfile();
        $process = proc_open(
            $command,
            [['file', '/dev/null', 'r'], ['pipe', 'w'], $errors],
            $pipes,
            null,
            $environment + getenv(),
        );
        Assert::assertIsResource($process, implode(' ', $command));
        $output = stream_get_contents($pipes[1]);
        $status = proc_close($process);
        rewind($errors);
        return [$status, $output, stream_get_contents($errors)];
    }

    /** The bytes that the calling process has resident in memory. */
    public static function resident(): int
    {
        preg_match('/^VmRSS:\s+(\d+) kB$/m', file_get_contents('/proc/self/status'), $match);
        return 1024 * (int) $match[1];
    }

    /** The path of the native library that the loader has found. */
    public static function library(): string
    {
        \Ketama\Library::version();
        $maps = file_get_contents('/proc/self/maps');
        Assert::assertSame(1, preg_match('~\S*/libketama\.so\S*$~m', $maps, $match));
        return $match[0];
    }
}
