<?php

declare(strict_types=1);

namespace Ketama\Tests;

use PHPUnit\Framework\TestCase;

final class ReadmeTest extends TestCase
{
    private const README = __DIR__ . '/../README.md';

    public function testTheExamplePrintsWhatIsShown(): void
    {
        $blocks = '/^```php\n(.+?)^```\n\n```text\n(.+?)^```$/ms';
        preg_match($blocks, file_get_contents(self::README), $parts);
        [, $example, $output] = $parts;
        $folder = sys_get_temp_dir() . '/ketama-readme-' . bin2hex(random_bytes(8));
        mkdir("$folder/vendor", 0700, true);
        try {
            $bootstrap = var_export(__DIR__ . '/bootstrap.php', true);
            file_put_contents("$folder/vendor/autoload.php", "<?php require $bootstrap;");
            file_put_contents("$folder/example.php", $example);
            self::assertSame(
                $output,
                Process::run([
                    ...Process::command(['include_path' => $folder]),
                    "$folder/example.php",
                ]),
            );
        } finally {
            Process::run(['rm', '-r', $folder]);
        }
    }

    public function testItNamesEveryPublicMethod(): void
    {
        $readme = file_get_contents(self::README);
        foreach ([\Ketama\Ring::class, \Ketama\Library::class] as $class) {
            foreach ((new \ReflectionClass($class))->getMethods() as $method) {
                $isHidden = str_contains((string) $method->getDocComment(), '@internal');
                if ($method->isPublic() && !$isHidden && !str_starts_with($method->name, '__')) {
                    self::assertMatchesRegularExpression("/`\\S*\\b$method->name\\(/", $readme);
                }
            }
        }
    }
}
