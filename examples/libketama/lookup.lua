-- Finds the servers of keys with libketama's own functions.
--
--     luajit lookup.lua ../ketama.servers < ../keys.txt
local ffi = require("ffi")

-- The original's array is a void *.
ffi.cdef([[
typedef struct {
  unsigned int point;
  char ip[22];
} mcs;

typedef struct {
  int numpoints;
  void *modtime;
  mcs *array;
} *ketama_continuum;

int ketama_roll(ketama_continuum *contptr, const char *filename);
void ketama_smoke(ketama_continuum c);
mcs *ketama_get_server(const char *key, ketama_continuum c);
unsigned int ketama_hashi(const char *s);
char *ketama_error(void);
]])
local ketama = ffi.load("libketama.so.1")

-- A name may take all of ip. The NUL then stands in the padding behind it, or with the original
-- nowhere: ip is to be read to its end at most.
local function name_of(mcs)
  return ffi.string(mcs.ip, 22):match("^%Z*")
end

if #arg ~= 1 then
  io.stderr:write("usage: lookup FILE < KEYS\n")
  os.exit(2)
end
local out = ffi.new("ketama_continuum[1]")
local ok = ketama.ketama_roll(out, arg[1]) ~= 0
-- The collector smokes it, also the one that a file with a bad line leaves.
local continuum = ffi.gc(out[0], ketama.ketama_smoke)
if not ok then
  io.stderr:write(ffi.string(ketama.ketama_error()), "\n")
  os.exit(1, true) -- closes the state, so that what the collector holds is smoked
end
io.write(continuum.numpoints, " points\n")

for key in io.lines() do
  local mcs = ketama.ketama_get_server(key, continuum)
  io.write(key, "\t", ketama.ketama_hashi(key), "\t", mcs.point, "\t", name_of(mcs), "\n")
end

local names, points = {}, {}
for i = 0, continuum.numpoints - 1 do
  local name = name_of(continuum.array[i])
  if not points[name] then
    names[#names + 1] = name
    points[name] = 0
  end
  points[name] = points[name] + 1
end
for _, name in ipairs(names) do
  io.write(name, "\t", points[name], "\n")
end
