<?php

declare(strict_types=1);

namespace Ketama;

/** Whose rules make a ring. The native library's README tells which client speaks which. */
enum Dialect: string
{
    case Libketama = 'libketama';
    case HashRing = 'hash_ring';
    case HashRingUnweighted = 'hash_ring_unweighted';
    case LibmemcachedWeighted = 'libmemcached_weighted';
    case Libmemcached = 'libmemcached';
    case LibmemcachedMd5 = 'libmemcached_md5';
    case Twemproxy = 'twemproxy';
    case Spymemcached = 'spymemcached';
    case Dalli = 'dalli';
    case Nginx = 'nginx';
    case NpmHashring = 'npm_hashring';
    case NpmMemcached = 'npm_memcached';
}
