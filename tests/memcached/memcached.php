<?php
// php-memcached. usage: memcached.php set|get OPTION HOST:PORT:WEIGHT... < KEYS

[, $action, $option] = $argv;
$client = new Memcached();
match ($option) {
    'OPT_LIBKETAMA_COMPATIBLE' => $client->setOption(Memcached::OPT_LIBKETAMA_COMPATIBLE, true),
    'DISTRIBUTION_CONSISTENT' =>
        $client->setOption(Memcached::OPT_DISTRIBUTION, Memcached::DISTRIBUTION_CONSISTENT),
};
foreach (array_slice($argv, 3) as $server) {
    [$host, $port, $weight] = explode(':', $server);
    $client->addServer($host, (int) $port, (int) $weight);
}
foreach (file('php://stdin', FILE_IGNORE_NEW_LINES) as $key) {
    if ($action === 'get') {
        echo $client->get($key), "\n";
    } elseif (!$client->set($key, "theirs $key")) {
        fwrite(STDERR, "set $key: {$client->getResultMessage()}\n");
        exit(1);
    }
}
