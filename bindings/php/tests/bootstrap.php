<?php

declare(strict_types=1);

/* What composer's autoloader does by composer.json, for these tests and their programs. */

spl_autoload_register(static function (string $class): void {
    static $folders = null;
    if ($folders === null) {
        $composer = json_decode(file_get_contents(__DIR__ . '/../composer.json'), true);
        $folders = $composer['autoload-dev']['psr-4'] + $composer['autoload']['psr-4'];
    }
    foreach ($folders as $prefix => $folder) {
        if (str_starts_with($class, $prefix)) {
            $name = strtr(substr($class, strlen($prefix)), '\\', '/');
            require __DIR__ . "/../$folder$name.php";
            return;
        }
    }
});
