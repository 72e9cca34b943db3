# Finds the servers of keys with libketama's own functions.
#
#     ruby lookup.rb ../ketama.servers < ../keys.txt
require "fiddle/import"

module LibKetama
  extend Fiddle::Importer
  dlload "libketama.so.1"

  Continuum = struct ["int numpoints", "void *modtime", "void *array"]
  Mcs = struct ["unsigned int point", "char ip[22]"] # 28 bytes, with padding

  extern "int ketama_roll(void *, const char *)"
  extern "void ketama_smoke(void *)"
  extern "void *ketama_get_server(const char *, void *)"
  extern "unsigned int ketama_hashi(const char *)"
  extern "char *ketama_error()"

  # A name may take all of ip. The NUL then stands in the padding behind it, or with the original
  # nowhere: ip is to be read to its end at most.
  def self.name_of(mcs)
    mcs.to_ptr[Mcs.offsetof("ip"), 22].unpack1("Z*")
  end
end

unless ARGV.size == 1
  warn "usage: lookup FILE < KEYS"
  exit 2
end
# Names and keys are bytes of no certain encoding.
$stdin.binmode
$stdout.binmode

out = Fiddle::Pointer["\0" * Fiddle::SIZEOF_VOIDP]
begin
  abort LibKetama.ketama_error.to_s if LibKetama.ketama_roll(out, ARGV[0]).zero?

  continuum = LibKetama::Continuum.new(out.ptr)
  puts "#{continuum.numpoints} points"

  $stdin.each_line do |line|
    key = line.delete_suffix("\n") # chomp would take a carriage return too
    mcs = LibKetama::Mcs.new(LibKetama.ketama_get_server(key, out.ptr))
    puts [key, LibKetama.ketama_hashi(key), mcs.point, LibKetama.name_of(mcs)].join("\t")
  end

  names = Array.new(continuum.numpoints) do |i|
    LibKetama.name_of(LibKetama::Mcs.new(continuum.array + i * LibKetama::Mcs.size))
  end
  names.tally.each { |name, points| puts "#{name}\t#{points}" }
ensure
  LibKetama.ketama_smoke(out.ptr) # a file with a bad line leaves a continuum too
end
