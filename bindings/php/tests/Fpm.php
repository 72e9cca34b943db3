<?php

declare(strict_types=1);

namespace Ketama\Tests;

use PHPUnit\Framework\Assert;

/** A php-fpm of one worker, which keeps the settings that it does not get. */
final class Fpm
{
    private readonly string $folder;

    /** @var resource */
    private $process;

    /** @param array<string, string> $ini */
    public function __construct(array $ini)
    {
        $this->folder = sys_get_temp_dir() . '/ketama-fpm-' . bin2hex(random_bytes(8));
        mkdir($this->folder, 0700);
        $isRoot = posix_geteuid() === 0;
        file_put_contents("$this->folder/conf", implode("\n", [
            '[global]',
            "error_log = $this->folder/log",
            '[www]',
            "listen = $this->folder/socket",
            'pm = static',
            'pm.max_children = 1',
            $isRoot ? 'user = root' : '',
        ]));
        $version = PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION;
        $binary = "/usr/sbin/php-fpm$version";
        Assert::assertFileExists($binary, "it is in the package php$version-fpm");
        $this->process = proc_open(
            [
                ...Process::command($ini, $binary),
                ...['--nodaemonize', '--fpm-config', "$this->folder/conf"],
                ...$isRoot ? ['--allow-to-run-as-root', '-d', 'opcache.preload_user=root'] : [],
            ],
            [['file', '/dev/null', 'r'], ['file', "$this->folder/out", 'w'], ['redirect', 1]],
            $pipes,
        );
        while (!file_exists("$this->folder/socket")) {
            if (!proc_get_status($this->process)['running']) {
                Assert::fail($this->log());
            }
            usleep(10_000);
        }
    }

    public function __destruct()
    {
        proc_terminate($this->process);
        proc_close($this->process);
        array_map(unlink(...), glob("$this->folder/*"));
        rmdir($this->folder);
    }

    /** @return string what a page of tests/programs/ shows */
    public function get(string $page, string $query = ''): string
    {
        $answer = Process::run(
            ['cgi-fcgi', '-bind', '-connect', "$this->folder/socket"],
            [
                'REQUEST_METHOD' => 'GET',
                'SCRIPT_FILENAME' => Process::PROGRAMS . "/$page",
                'QUERY_STRING' => $query,
            ],
        );
        [$headers, $body] = explode("\r\n\r\n", $answer, 2) + [1 => ''];
        Assert::assertStringNotContainsString('Status:', $headers, $answer . $this->log());
        return $body;
    }

    private function log(): string
    {
        return implode(array_map(
            file_get_contents(...),
            glob("$this->folder/{out,log}", GLOB_BRACE),
        ));
    }
}
