<?php

declare(strict_types=1);

namespace Ketama;

use FFI;
use FFI\CData;

/**
 * Which server does a key belong to? A ring is immutable, and its clones share one native ring,
 * which goes with the last of them. Keys are bytes of any value.
 */
final readonly class Ring
{
    private Handle $handle;

    /** @var list<string> by the native ring's indexes */
    private array $names;

    /**
     * @param array<int|string, int>|list<string|Server> $servers weights by name, or a list of
     *        names, of which each has weight 1, or of Servers
     * @throws Exception
     */
    public function __construct(array $servers, Dialect $dialect = Dialect::Libketama)
    {
        $handle = new Handle();
        $list = new ServerList($handle->ffi, $servers);
        $number = self::number($handle->ffi, $dialect);
        $this->own($handle, $handle->ffi->ketama_ring_new(
            $list->servers,
            $list->count,
            $number,
            $handle->out(),
        ));
    }

    /**
     * The ring of a server definition file: a line a server, its name and its weight. The native
     * library reads it, so that stream wrappers and `open_basedir` have no part in it.
     *
     * @throws Exception
     */
    public static function fromFile(string $path, Dialect $dialect = Dialect::Libketama): self
    {
        Library::refuseNul($path);
        $handle = new Handle();
        $number = self::number($handle->ffi, $dialect);
        return self::owning(
            $handle,
            $handle->ffi->ketama_ring_from_file($path, $number, $handle->out()),
        );
    }

    /**
     * The ring of these servers and one more at the end of the list.
     *
     * @throws Exception
     */
    public function withServer(string $name, int $weight = 1): self
    {
        $handle = new Handle();
        $list = new ServerList($handle->ffi, [new Server($name, $weight)]);
        return self::owning(
            $handle,
            $handle->ffi->ketama_ring_with_server(
                $this->handle->ring,
                $list->servers,
                $handle->out(),
            ),
        );
    }

    /**
     * The ring of these servers less all of one name.
     *
     * @throws Exception
     */
    public function withoutServer(string $name): self
    {
        Library::refuseNul($name);
        $handle = new Handle();
        return self::owning(
            $handle,
            $handle->ffi->ketama_ring_without_server($this->handle->ring, $name, $handle->out()),
        );
    }

    /** The name of the server that a key belongs to. */
    public function find(string $key): string
    {
        $handle = $this->handle;
        return $this->names[$handle->ffi->ketama_ring_find($handle->ring, $key, strlen($key))];
    }

    /**
     * The names of the servers that many keys belong to, by one native call.
     *
     * @param array<string> $keys
     * @return array<string> under the same array keys
     * @throws Exception OutOfRange where the keys have 4 GiB or more in all
     */
    public function findMany(array $keys): array
    {
        if ($keys === []) {
            return [];
        }
        $end = 0;
        $offsets = [0];
        foreach ($keys as $key) {
            $offsets[] = $end += strlen($key);
        }
        if ($end > 0xFFFFFFFF) {
            throw new Exception('the keys have 4 GiB or more in all', Status::OutOfRange);
        }
        $ffi = $this->handle->ffi;
        $count = count($keys);
        $offsets = pack('L*', ...$offsets);
        $nativeOffsets = $ffi->new('uint32_t[' . ($count + 1) . ']');
        FFI::memcpy($nativeOffsets, $offsets, strlen($offsets));
        $servers = $ffi->new("uint32_t[$count]");
        self::check($ffi, $ffi->ketama_ring_find_packed(
            $this->handle->ring,
            implode($keys),
            $nativeOffsets,
            $count,
            $servers,
        ));
        $indexes = self::numbers($servers, $count);
        $names = [];
        $i = 0;
        foreach ($keys as $at => $key) {
            $names[$at] = $this->names[$indexes[++$i]];
        }
        return $names;
    }

    /**
     * The names of up to `$n` distinct servers for a key's replicas, its own first; without `$n`
     * of all that have points.
     *
     * @return list<string>
     * @throws Exception OutOfRange where `$n` is negative
     */
    public function walk(string $key, ?int $n = null): array
    {
        $max = min($n ?? PHP_INT_MAX, count($this->names));
        if ($max < 0) {
            throw new Exception("the number $n is negative", Status::OutOfRange);
        }
        if ($max === 0) {
            return [];
        }
        $handle = $this->handle;
        $servers = $handle->ffi->new("uint32_t[$max]");
        $count = $handle->ffi->ketama_ring_walk(
            $handle->ring,
            $key,
            strlen($key),
            $servers,
            $max,
        );
        $names = [];
        foreach (self::numbers($servers, $count) as $index) {
            $names[] = $this->names[$index];
        }
        return $names;
    }

    /**
     * The name of the first server on a key's walk that is alive; null where none is.
     *
     * @param callable(string): bool $isAlive asked once for each server, in the list's order
     */
    public function findAlive(string $key, callable $isAlive): ?string
    {
        $bytes = '';
        foreach ($this->names as $name) {
            $bytes .= $isAlive($name) ? "\1" : "\0";
        }
        $handle = $this->handle;
        $alive = $handle->ffi->new('uint8_t[' . strlen($bytes) . ']');
        FFI::memcpy($alive, $bytes, strlen($bytes));
        $server = $handle->ffi->ketama_ring_find_alive(
            $handle->ring,
            $key,
            strlen($key),
            $alive,
        );
        // KETAMA_NONE is no index.
        return $this->names[$server] ?? null;
    }

    /** The position of a key on the circle. */
    public function hash(string $key): int
    {
        $handle = $this->handle;
        return $handle->ffi->ketama_ring_hash($handle->ring, $key, strlen($key));
    }

    /**
     * The exact share of all positions, 0 to 1, that the servers of a name own.
     *
     * @throws Exception UnknownServer
     */
    public function share(string $name): float
    {
        $indexes = array_keys($this->names, $name, true);
        if ($indexes === []) {
            throw new Exception("the ring has no server \"$name\"", Status::UnknownServer);
        }
        return array_sum(array_map($this->shareOf(...), $indexes));
    }

    /** @return array<int|string, float> by name; PHP makes an int of a name such as "11211" */
    public function shares(): array
    {
        $shares = [];
        foreach ($this->names as $index => $name) {
            $shares[$name] = ($shares[$name] ?? 0.0) + $this->shareOf($index);
        }
        return $shares;
    }

    /**
     * What moves when another ring takes this one's place.
     *
     * @throws Exception DifferentHashes
     */
    public function compare(self $other): Comparison
    {
        $ffi = $this->handle->ffi;
        $a = $this->handle->ring;
        $b = $other->handle->ring;
        $count = $ffi->new('size_t');
        $moved = $ffi->new('double');
        self::check($ffi, $ffi->ketama_ring_compare(
            $a,
            $b,
            null,
            0,
            FFI::addr($count),
            FFI::addr($moved),
        ));
        $n = $count->cdata;
        $moves = [];
        if ($n > 0) {
            $native = $ffi->new("ketama_move[$n]");
            self::check($ffi, $ffi->ketama_ring_compare($a, $b, $native, $n, null, null));
            foreach ($native as $move) {
                $moves[] = new Move(
                    $this->names[$move->from],
                    $other->names[$move->to],
                    $move->share,
                );
            }
        }
        return new Comparison($moved->cdata, $moves);
    }

    /**
     * The servers in the order of the list, with the names and weights that were given.
     *
     * @return list<Server>
     * @throws Exception OutOfRange where a file has a weight above PHP_INT_MAX
     */
    public function servers(): array
    {
        $servers = [];
        foreach ($this->names as $index => $name) {
            $weight = $this->handle->ffi->ketama_ring_server_weight($this->handle->ring, $index);
            if ($weight < 0) {
                throw new Exception(
                    "the weight of server $index is above PHP_INT_MAX",
                    Status::OutOfRange,
                );
            }
            $servers[] = new Server($name, $weight);
        }
        return $servers;
    }

    /** @return list<Point> ascending */
    public function points(): array
    {
        $ffi = $this->handle->ffi;
        $ring = $this->handle->ring;
        $count = $ffi->ketama_ring_points($ring, null, 0);
        $native = $ffi->new("ketama_point[$count]");
        $ffi->ketama_ring_points($ring, $native, $count);
        $points = [];
        foreach (array_chunk(self::numbers($native, 2 * $count), 2) as [$point, $server]) {
            $points[] = new Point($point, $this->names[$server]);
        }
        return $points;
    }

    public function __serialize(): never
    {
        throw new Exception('a ring cannot be serialized; its servers() can');
    }

    public function __unserialize(array $data): never
    {
        throw new Exception('a ring cannot be unserialized');
    }

    private static function number(FFI $ffi, Dialect $dialect): int
    {
        $number = $ffi->new('ketama_dialect');
        self::check($ffi, $ffi->ketama_dialect_from_name($dialect->value, FFI::addr($number)));
        return $number->cdata;
    }

    private static function check(FFI $ffi, int $status): void
    {
        if ($status !== 0) {
            throw new Exception($ffi->ketama_last_error(), Status::tryFrom($status));
        }
    }

    private static function owning(Handle $handle, int $status): self
    {
        $ring = (new \ReflectionClass(self::class))->newInstanceWithoutConstructor();
        $ring->own($handle, $status);
        return $ring;
    }

    /** @param int $status of the call that filled the handle */
    private function own(Handle $handle, int $status): void
    {
        self::check($handle->ffi, $status);
        $names = [];
        $count = $handle->ffi->ketama_ring_server_count($handle->ring);
        for ($index = 0; $index < $count; $index++) {
            $names[] = $handle->ffi->ketama_ring_server_name($handle->ring, $index);
        }
        $this->handle = $handle;
        $this->names = $names;
    }

    private function shareOf(int $index): float
    {
        return $this->handle->ffi->ketama_ring_share($this->handle->ring, $index);
    }

    /** @return array<int> the first `$count` of some `uint32_t`, from index 1 */
    private static function numbers(CData $memory, int $count): array
    {
        return unpack('L*', FFI::string($memory, 4 * $count));
    }
}
