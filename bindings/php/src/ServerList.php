<?php

declare(strict_types=1);

namespace Ketama;

use FFI;
use FFI\CData;

/**
 * A list of servers in native memory, which lives as long as this object.
 *
 * @internal
 */
final readonly class ServerList
{
    /** A `ketama_server[]`; null where there are none. */
    public ?CData $servers;

    public int $count;

    /** What the names of `$servers` point into. */
    private ?CData $names;

    /** @param array<int|string, int>|list<string|Server> $servers */
    public function __construct(FFI $ffi, array $servers)
    {
        $servers = self::normalize($servers);
        $this->count = count($servers);
        if ($servers === []) {
            $this->servers = $this->names = null;
            return;
        }
        $names = implode("\0", array_column($servers, 'name')) . "\0";
        $this->names = $ffi->new('char[' . strlen($names) . ']');
        FFI::memcpy($this->names, $names, strlen($names));
        $this->servers = $ffi->new("ketama_server[$this->count]");
        $name = $ffi->cast('const char *', $this->names);
        foreach ($servers as $i => $server) {
            $this->servers[$i]->name = $name;
            $this->servers[$i]->weight = $server->weight;
            $name += strlen($server->name) + 1;
        }
    }

    /** @return list<Server> */
    private static function normalize(array $servers): array
    {
        $isList = array_is_list($servers);
        $normal = [];
        foreach ($servers as $key => $value) {
            $normal[] = match (true) {
                $value instanceof Server => $value,
                $isList && is_string($value) => new Server($value),
                // PHP makes an int of a name such as "11211". In a list it may be no name at all.
                !$isList && is_int($value) => new Server((string) $key, $value),
                default => throw new \TypeError(
                    'servers must be int weights by name, or a list of names or Servers',
                ),
            };
        }
        return $normal;
    }
}
