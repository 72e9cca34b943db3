// Where npm hashring sends keys: node hashring.js <LISTS, where each line is a JSON object with `servers`, from name to
// weight, and `keys`. Prints a JSON list of the keys' servers for each line.
const HashRing = require('hashring');

for (const line of require('fs').readFileSync(0, 'utf8').trim().split('\n')) {
  const { servers, keys } = JSON.parse(line);
  const ring = new HashRing(servers);
  console.log(JSON.stringify(keys.map((key) => ring.get(key))));
}
