// Finds the servers of keys with libketama's own functions.
//
//     npm install koffi@3.3.4
//     node lookup.js ../ketama.servers < ../keys.txt
'use strict';
const fs = require('fs');
const koffi = require('koffi');

const mcs = koffi.struct('mcs', {
  point: 'unsigned int',
  ip: koffi.array('uint8_t', 22, 'Typed'), // a char array would be decoded as UTF-8
});
const continuum = koffi.struct('continuum', {
  numpoints: 'int',
  modtime: 'void *',
  array: 'mcs *', // the original's is a void *
});

const lib = koffi.load('libketama.so.1');
const roll = lib.func('int ketama_roll(_Out_ continuum **contptr, const char *filename)');
const smoke = lib.func('void ketama_smoke(continuum *c)');
// Keys as buffers, since koffi would make UTF-8 of a string.
const getServer = lib.func('mcs *ketama_get_server(const uint8_t *key, continuum *c)');
const hashi = lib.func('unsigned int ketama_hashi(const uint8_t *s)');
const error = lib.func('const char *ketama_error()');

// A name may take all of ip. The NUL then stands in the padding behind it, or with the original
// nowhere: ip is to be read to its end at most.
function nameOf({ ip }) {
  const end = ip.indexOf(0);
  return Buffer.from(end < 0 ? ip : ip.subarray(0, end)).toString('latin1');
}

function lookup(path) {
  const out = [null];
  try {
    if (!roll(out, path)) {
      console.error(error());
      return 1;
    }
    const { numpoints, array } = koffi.decode(out[0], continuum);
    const lines = [`${numpoints} points`];

    // Names and keys are bytes of no certain encoding: Latin-1 has a character for each byte.
    const keys = fs.readFileSync(0, 'latin1').split('\n');
    if (keys.at(-1) === '') keys.pop();
    for (const key of keys) {
      const bytes = Buffer.from(`${key}\0`, 'latin1');
      const found = koffi.decode(getServer(bytes, out[0]), mcs);
      lines.push([key, hashi(bytes), found.point, nameOf(found)].join('\t'));
    }

    const points = new Map();
    for (const name of koffi.decode(array, mcs, numpoints).map(nameOf)) {
      points.set(name, (points.get(name) ?? 0) + 1);
    }
    for (const [name, number] of points) lines.push(`${name}\t${number}`);
    process.stdout.write(`${lines.join('\n')}\n`, 'latin1');
    return 0;
  } finally {
    smoke(out[0]); // a file with a bad line leaves one too
  }
}

if (process.argv.length !== 3) {
  console.error('usage: lookup FILE < KEYS');
  process.exitCode = 2;
} else {
  process.exitCode = lookup(process.argv[2]);
}
