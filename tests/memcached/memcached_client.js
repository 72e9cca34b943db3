// npm memcached. usage: memcached_client.js set|get WEIGHTED HOST:PORT:WEIGHT... < KEYS
'use strict';
const { promisify } = require('util');
const Memcached = require('memcached');

const [action, , ...servers] = process.argv.slice(2);
const weights = {};
for (const server of servers) {
  const [host, port, weight] = server.split(':');
  weights[`${host}:${port}`] = Number(weight);
}
const client = new Memcached(weights);
const get = promisify(client.get).bind(client);
const set = promisify(client.set).bind(client);

(async () => {
  const keys = require('fs').readFileSync(0, 'utf8').split('\n').filter(Boolean);
  for (const key of keys) {
    if (action === 'get') console.log(await get(key));
    else await set(key, `theirs ${key}`, 0);
  }
  client.end();
})();
