<?php

declare(strict_types=1);

namespace Ketama\Tests;

use Ketama\Dialect;
use Ketama\Exception;
use Ketama\Point;
use Ketama\Ring;
use Ketama\Server;
use Ketama\Status;
use PHPUnit\Framework\TestCase;

final class RingTest extends TestCase
{
    private const A = '10.0.1.1:11211';
    private const B = '10.0.1.2:11211';
    private const C = '10.0.1.3:11211';
    private const WEIGHTS = [self::A => 600, self::B => 300, self::C => 100];

    private Ring $ring;

    protected function setUp(): void
    {
        $this->ring = new Ring(self::WEIGHTS);
    }

    /** @return list<string> */
    private static function keys(): array
    {
        $keys = ['', "\0", "a\0b", "a\0c", "\xff\xfe", "\xc3", str_repeat('x', 200), 'user:42'];
        for ($i = 0; $i < 500; $i++) {
            $keys[] = "key:$i";
        }
        return $keys;
    }

    /** What a ring of this dialect is to answer, from its points alone. */
    private static function walkOf(Ring $ring, string $key): array
    {
        ['position' => $position] = unpack('Vposition', md5($key, true));
        $points = $ring->points();
        $after = array_filter($points, static fn (Point $point) => $point->point >= $position);
        $before = array_slice($points, 0, count($points) - count($after));
        $walk = [...array_values($after), ...$before];
        return array_values(array_unique(array_column($walk, 'server')));
    }

    public function testServersComeAsWeightsByNameOrAsAList(): void
    {
        $expected = [new Server(self::A, 600), new Server(self::B, 300), new Server(self::C, 100)];
        self::assertEquals($expected, $this->ring->servers());
        self::assertEquals($expected, (new Ring($expected))->servers());

        self::assertEquals(
            [new Server(self::B, 1), new Server(self::A, 1)],
            (new Ring([self::B, self::A]))->servers(),
        );
        self::assertEquals(
            [new Server(self::B, 1), new Server(self::A, 7)],
            (new Ring([self::B, new Server(self::A, 7)]))->servers(),
        );
        self::assertEquals(
            [new Server(self::B, 2), new Server(self::A, 7)],
            (new Ring(['b' => new Server(self::B, 2), 'a' => new Server(self::A, 7)]))->servers(),
        );
    }

    public function testNamesThatPhpTakesForIntsStayNames(): void
    {
        $ring = new Ring(['11211' => 2, '-5' => 1]);
        self::assertEquals([new Server('11211', 2), new Server('-5', 1)], $ring->servers());
        self::assertContains($ring->find('user:42'), ['11211', '-5']);
        self::assertSame([11211, -5], array_keys($ring->shares()));
        self::assertSame($ring->shares()[11211], $ring->share('11211'));
    }

    public function testTheDialectIsObeyed(): void
    {
        $plain = new Ring([self::A, self::B]);
        self::assertCount(320, $plain->points());
        self::assertEquals(
            $plain->points(),
            (new Ring([self::A, self::B], Dialect::Libketama))->points(),
        );
        self::assertCount(200, (new Ring([self::A, self::B], Dialect::Libmemcached))->points());
        foreach (Dialect::cases() as $dialect) {
            $ring = new Ring([self::A, self::B], $dialect);
            self::assertContains($ring->find('user:42'), [self::A, self::B], $dialect->value);
        }
    }

    public function testLookupsAgreeWithThePoints(): void
    {
        foreach (self::keys() as $key) {
            self::assertSame(unpack('V', md5($key, true))[1], $this->ring->hash($key));
            $walk = self::walkOf($this->ring, $key);
            self::assertCount(3, $walk);
            self::assertSame($walk[0], $this->ring->find($key));
            self::assertSame($walk, $this->ring->walk($key));
            self::assertSame($walk, $this->ring->walk($key, 4));
            self::assertSame($walk, $this->ring->walk($key, PHP_INT_MAX));
            self::assertSame([$walk[0], $walk[1]], $this->ring->walk($key, 2));
            self::assertSame([], $this->ring->walk($key, 0));
            foreach ($walk as $down => $name) {
                self::assertSame(
                    $walk[$down === 0 ? 1 : 0],
                    $this->ring->findAlive($key, static fn (string $other) => $other !== $name),
                );
            }
        }
    }

    public function testFindManyFindsWhatFindFinds(): void
    {
        $keys = self::keys();
        $servers = array_map($this->ring->find(...), $keys);
        self::assertCount(3, array_unique($servers));
        self::assertSame($servers, $this->ring->findMany($keys));
        self::assertSame([], $this->ring->findMany([]));
        self::assertSame([$this->ring->find('')], $this->ring->findMany(['']));
        self::assertSame(
            ['x' => $this->ring->find('a'), 7 => $this->ring->find('b')],
            $this->ring->findMany(['x' => 'a', 7 => 'b']),
        );
        $reference = 'a';
        self::assertSame([$this->ring->find('a')], $this->ring->findMany([&$reference]));
    }

    public function testFindManyTakesAMillionKeys(): void
    {
        $keys = array_map(strval(...), range(1, 1_000_000));
        $servers = $this->ring->findMany($keys);
        self::assertCount(1_000_000, $servers);
        foreach ([0, 1, 499_999, 999_999] as $i) {
            self::assertSame($this->ring->find($keys[$i]), $servers[$i]);
        }
        $share = count(array_keys($servers, self::A, true)) / 1_000_000;
        self::assertEqualsWithDelta($this->ring->share(self::A), $share, 0.005);
    }

    public function testFindManyRefusesFourGibibytesOfKeys(): void
    {
        // One string, of which the array has many.
        $keys = array_fill(0, 4096, str_repeat('x', 1 << 20));
        $this->assertFails(Status::OutOfRange, '4 GiB', fn () => $this->ring->findMany($keys));
    }

    public function testFindAliveAsksOnceForEachServerInOrder(): void
    {
        $ring = new Ring([new Server(self::B), new Server(self::A), new Server(self::B)]);
        $asked = [];
        $found = $ring->findAlive('user:42', static function (string $name) use (&$asked): bool {
            $asked[] = $name;
            return false;
        });
        self::assertNull($found);
        self::assertSame([self::B, self::A, self::B], $asked);
    }

    public function testWhatThePredicateThrowsPassesThrough(): void
    {
        $thrown = new \LogicException('from the predicate');
        try {
            $this->ring->findAlive('user:42', static fn () => throw $thrown);
            self::fail('nothing was thrown');
        } catch (\LogicException $caught) {
            self::assertSame($thrown, $caught);
        }
        self::assertSame($this->ring->find('a'), $this->ring->findAlive('a', static fn () => true));
    }

    /** @dataProvider listsWithShares */
    public function testSharesAreThoseOfThePoints(array $servers, Dialect $dialect): void
    {
        $ring = new Ring($servers, $dialect);
        $expected = array_fill_keys(array_column($ring->servers(), 'name'), 0);
        $points = $ring->points();
        $previous = end($points)->point - 2 ** 32;
        foreach ($points as $point) {
            $expected[$point->server] += $point->point - $previous;
            $previous = $point->point;
        }
        self::assertSame(array_keys($expected), array_keys($ring->shares()));
        foreach ($expected as $name => $positions) {
            self::assertEqualsWithDelta($positions / 2 ** 32, $ring->share($name), 1e-12);
            self::assertSame($ring->share($name), $ring->shares()[$name]);
        }
        self::assertEqualsWithDelta(1, array_sum($ring->shares()), 1e-12);
    }

    /** @return iterable<array{array, Dialect}> */
    public static function listsWithShares(): iterable
    {
        yield [self::WEIGHTS, Dialect::Libketama];
        // Here each server of the one name has a part of its share.
        yield [[new Server('a', 3), new Server('b', 2), new Server('a', 1)], Dialect::HashRing];
        yield [[self::A, self::B, self::A], Dialect::Libketama];
    }

    public function testComparisonsNameTheServersOfBothRings(): void
    {
        $other = new Ring(['new' => 100, self::B => 300, self::A => 600]);
        $comparison = $this->ring->compare($other);
        self::assertNotEmpty($comparison->moves);
        $sum = 0;
        foreach ($comparison->moves as $move) {
            self::assertNotSame($move->from, $move->to);
            self::assertArrayHasKey($move->from, self::WEIGHTS);
            self::assertContains($move->to, ['new', self::A, self::B]);
            $sum += $move->share;
        }
        self::assertEqualsWithDelta($comparison->moved, $sum, 1e-12);
        // Those of C go, and those of the new server come.
        $shares = static fn (string $side, string $name): float => array_sum(array_column(
            array_filter($comparison->moves, static fn ($move) => $move->$side === $name),
            'share',
        ));
        self::assertEqualsWithDelta($this->ring->share(self::C), $shares('from', self::C), 1e-12);
        self::assertEqualsWithDelta($other->share('new'), $shares('to', 'new'), 1e-12);

        $same = $this->ring->compare(clone $this->ring);
        self::assertSame([0.0, []], [$same->moved, $same->moves]);
    }

    public function testServersCanBeAddedAndLeftOut(): void
    {
        $with = $this->ring->withServer('new', 50);
        self::assertEquals([...$this->ring->servers(), new Server('new', 50)], $with->servers());
        self::assertEquals(new Server('one', 1), $with->withServer('one')->servers()[4]);
        self::assertEquals(
            (new Ring([self::A => 600, self::C => 100]))->points(),
            $this->ring->withoutServer(self::B)->points(),
        );
        self::assertCount(3, $this->ring->servers());
        $dalli = new Ring([self::A], Dialect::Dalli);
        self::assertEquals(
            (new Ring([self::A, self::B], Dialect::Dalli))->points(),
            $dalli->withServer(self::B)->points(),
        );
    }

    public function testFilesAreRead(): void
    {
        $path = $this->file(
            "# servers\n10.0.1.1:11211 600\n10.0.1.2:11211\t300\n10.0.1.3:11211 100\n",
        );
        self::assertEquals($this->ring->points(), Ring::fromFile($path)->points());
        self::assertEquals($this->ring->servers(), Ring::fromFile($path)->servers());
        self::assertEquals(
            (new Ring(self::WEIGHTS, Dialect::Twemproxy))->points(),
            Ring::fromFile($path, Dialect::Twemproxy)->points(),
        );
    }

    public function testWeightsReachThePhpMaximum(): void
    {
        self::assertSame(PHP_INT_MAX, (new Ring(['a' => PHP_INT_MAX]))->servers()[0]->weight);

        $ring = Ring::fromFile($this->file("a 1\nb 9223372036854775808\n"));
        self::assertSame('b', $ring->find('user:42'));
        $this->assertFails(
            Status::OutOfRange,
            'the weight of server 1 is above PHP_INT_MAX',
            static fn () => $ring->servers(),
        );
    }

    public function testAWeightOfZeroIsForTheDialect(): void
    {
        $ring = new Ring([self::A => 0, self::B => 5], Dialect::LibmemcachedWeighted);
        self::assertSame(0, $ring->servers()[0]->weight);
    }

    public function testAServerMayHaveNoPoints(): void
    {
        $ring = new Ring([self::A => 1, self::B => 1_000_000]);
        self::assertSame([self::B], $ring->walk('user:42'));
        self::assertNull($ring->findAlive('a', static fn ($name) => $name === self::A));
        self::assertSame([self::A => 0.0, self::B => 1.0], $ring->shares());
    }

    public function testAThousandServers(): void
    {
        $weights = [];
        for ($i = 0; $i < 1000; $i++) {
            $weights["10.0.$i.1:11211"] = 100 + $i;
        }
        $ring = new Ring($weights);
        self::assertSame(array_keys($weights), array_column($ring->servers(), 'name'));
        self::assertSame(array_values($weights), array_column($ring->servers(), 'weight'));
        self::assertCount(1000, $ring->walk('user:42'));
        self::assertSame(self::walkOf($ring, 'user:42'), $ring->walk('user:42'));
        $last = array_key_last($weights);
        self::assertSame($last, $ring->findAlive('a', static fn ($name) => $name === $last));
        self::assertSame(
            array_map($ring->find(...), self::keys()),
            $ring->findMany(self::keys()),
        );
    }

    public function testNamesAreBytes(): void
    {
        $names = ["\xff\xfe:1", 'köln:11211', str_repeat('x', 1023), ' '];
        self::assertSame($names, array_column((new Ring($names))->servers(), 'name'));
    }

    public function testClonesAreTheSameRing(): void
    {
        $clone = clone $this->ring;
        $server = $this->ring->find('user:42');
        unset($this->ring);
        self::assertSame($server, $clone->find('user:42'));
    }

    public function testRingsAreNotSerialized(): void
    {
        $this->assertFails(null, 'a ring cannot be serialized', fn () => serialize($this->ring));
        $this->assertFails(
            null,
            'a ring cannot be unserialized',
            static fn () => unserialize('O:11:"Ketama\Ring":0:{}'),
        );
        self::assertEquals(
            $this->ring->points(),
            (new Ring(unserialize(serialize($this->ring->servers()))))->points(),
        );
    }

    /** @dataProvider failures */
    public function testFailuresCarryTheirStatus(Status $status, string $text, \Closure $call): void
    {
        $this->assertFails($status, $text, static fn () => $call(new Ring(self::WEIGHTS)));
    }

    /** @return iterable<array{Status, string, \Closure(Ring): mixed}> */
    public static function failures(): iterable
    {
        yield [Status::NoServers, 'empty', static fn () => new Ring([])];
        yield [Status::EmptyName, 'server 1', static fn () => new Ring(['a', ''])];
        yield [Status::EmptyName, 'empty', static fn ($ring) => $ring->withServer('')];
        yield [
            Status::LongName,
            'server 0',
            static fn () => new Ring([str_repeat('x', 1024)]),
        ];
        yield [Status::ZeroWeight, 'server 1', static fn () => new Ring(['a' => 1, 'b' => 0])];
        yield [Status::NoPoints, 'point', static fn () => new Ring(['a' => 0], Dialect::HashRing)];
        yield [
            Status::WeightSum,
            '',
            static fn () => new Ring(array_fill_keys(['a', 'b', 'c'], PHP_INT_MAX)),
        ];
        yield [
            Status::TooManyPoints,
            '',
            static fn () => new Ring(['a' => 20_000_000], Dialect::Nginx),
        ];
        yield [Status::UnknownServer, 'server', static fn ($ring) => $ring->withoutServer('q')];
        yield [Status::UnknownServer, '"q"', static fn ($ring) => $ring->share('q')];
        yield [
            Status::NoServers,
            'empty',
            static fn () => (new Ring(['a']))->withoutServer('a'),
        ];
        yield [
            Status::DifferentHashes,
            'hash',
            static fn ($ring) => $ring->compare(new Ring(['a'], Dialect::Dalli)),
        ];
        yield [Status::Unreadable, '/no/file', static fn () => Ring::fromFile('/no/file')];
        yield [Status::Syntax, 'line 1', static fn () => Ring::fromFile(__FILE__)];
        yield [Status::OutOfRange, 'NUL', static fn () => Ring::fromFile("/no\0file")];
        yield [Status::OutOfRange, 'NUL', static fn () => new Ring(["a\0b"])];
        yield [Status::OutOfRange, 'NUL', static fn () => new Ring(["a\0b" => 1])];
        yield [Status::OutOfRange, 'NUL', static fn ($ring) => $ring->withServer("a\0b")];
        yield [Status::OutOfRange, 'NUL', static fn ($ring) => $ring->withoutServer("a\0b")];
        yield [Status::OutOfRange, '-1', static fn () => new Ring(['a' => -1])];
        yield [Status::OutOfRange, '-1', static fn () => new Server('a', -1)];
        yield [Status::OutOfRange, '-1', static fn ($ring) => $ring->withServer('a', -1)];
        yield [Status::OutOfRange, '-1', static fn ($ring) => $ring->walk('a', -1)];
    }

    /** @dataProvider wrongTypes */
    public function testWrongTypesAreRefused(\Closure $call): void
    {
        $this->expectException(\TypeError::class);
        $call(new Ring(self::WEIGHTS));
    }

    /** @return iterable<array{\Closure(Ring): mixed}> */
    public static function wrongTypes(): iterable
    {
        yield 'a list of ints' => [static fn () => new Ring([600, 300])];
        yield 'weights of servers 0 and 1' => [static fn () => new Ring(['0' => 6, '1' => 3])];
        yield 'a weight that is a text' => [static fn () => new Ring(['a' => '600'])];
        yield 'an int name with such a weight' => [static fn () => new Ring(['11211' => '600'])];
        yield 'a weight that is a float' => [static fn () => new Ring(['a' => 1.0])];
        yield 'a weight above 2^64' => [static fn () => new Ring(['a' => 18446744073709551616])];
        yield 'a weight that is null' => [static fn () => new Ring(['a' => null])];
        yield 'a list with an array' => [static fn () => new Ring([['a', 1]])];
        yield 'a name that is null' => [static fn () => new Ring(['a', null])];
        yield 'a name in an array with gaps' => [static fn () => new Ring([1 => 'a'])];
        yield 'a server with a float weight' => [static fn () => new Server('a', 1.5)];
        yield 'a dialect by name' => [static fn () => new Ring(['a'], 'libketama')];
        yield 'a key that is an int' => [static fn ($ring) => $ring->find(42)];
        yield 'a key of many that is an int' => [static fn ($ring) => $ring->findMany(['a', 42])];
        yield 'a key of many that is null' => [static fn ($ring) => $ring->findMany([null])];
        yield 'no ring' => [static fn ($ring) => $ring->compare(null)];
    }

    public function testASecondConstructorIsRefused(): void
    {
        $points = $this->ring->points();
        try {
            $this->ring->__construct(['other']);
            self::fail('the ring was changed');
        } catch (\Error $error) {
            self::assertStringContainsString('readonly', $error->getMessage());
        }
        self::assertEquals($points, $this->ring->points());
    }

    private function file(string $text): string
    {
        $path = tempnam(sys_get_temp_dir(), 'ketama');
        register_shutdown_function(unlink(...), $path);
        file_put_contents($path, $text);
        return $path;
    }

    private function assertFails(?Status $status, string $text, \Closure $call): void
    {
        try {
            $call();
        } catch (Exception $e) {
            self::assertSame($status, $e->status);
            self::assertNotSame('', $e->getMessage());
            self::assertStringContainsString($text, $e->getMessage());
            return;
        }
        self::fail('nothing was thrown');
    }
}
