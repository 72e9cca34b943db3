# frozen_string_literal: true

require "helper"

class RingTest < Minitest::Test
  include Helper

  A = "10.0.1.1:11211"
  B = "10.0.1.2:11211"
  C = "10.0.1.3:11211"

  def ring(**options)
    Ketama::Ring.new({ A => 600, B => 300, C => 300 }, **options)
  end

  def keys
    ["", "\0", "a\0b", "a\0c", "\xFF\xFE", "\xFF".b, "é", "é".encode("ISO-8859-1"), "x" * 200] +
      (0...500).map { |number| "user:#{number}" }
  end

  def listed(ring)
    ring.servers.map(&:to_a)
  end

  # The owner of a position, by the points: the first at or after it.
  def owner(ring, position)
    points = ring.points
    (points.find { |each| each.point >= position } || points.first).server
  end

  def test_servers_are_names_and_weights_in_their_order
    assert_equal [[A, 600], [B, 300], [C, 300]], listed(ring)
    assert_equal [[A, 1], [B, 1]], listed(Ketama::Ring.new([A, B]))
    mixed = Ketama::Ring.new([B, [A, 7], Ketama::Server.new(C, 3), B])
    assert_equal [[B, 1], [A, 7], [C, 3], [B, 1]], listed(mixed)
    assert_equal mixed.points, Ketama::Ring.new(mixed.servers).points
  end

  def test_lists_and_strings_may_convert_themselves
    list = Object.new.tap { |each| each.define_singleton_method(:to_ary) { [A, B] } }
    hash = Object.new.tap { |each| each.define_singleton_method(:to_hash) { { A => 2 } } }
    text = Object.new.tap { |each| each.define_singleton_method(:to_str) { "user:42" } }
    assert_equal [[A, 1], [B, 1]], listed(Ketama::Ring.new(list))
    assert_equal [[A, 2]], listed(Ketama::Ring.new(hash))
    assert_equal ring.find("user:42"), ring.find(text)
    assert_equal [ring.find("user:42")], ring.find_many([text])
  end

  def test_weights_have_64_bits
    max = (1 << 64) - 1
    assert_equal [[A, max]], listed(Ketama::Ring.new({ A => max }))
    assert_equal [[A, 0], [B, 3]], listed(Ketama::Ring.new({ A => 0, B => 3 },
                                                           dialect: :libmemcached_weighted))
  end

  def test_a_known_answer
    assert_equal 417_323_606, ring.position("user:42")
    assert_equal 480, ring.points.size
    assert_equal Ketama::Point.new(10_171_922, A), ring.points.first
    assert_equal B, ring.find("user:43")
  end

  def test_find_agrees_with_points_and_position
    ring = self.ring
    assert_equal ring.points.sort_by(&:point), ring.points
    keys.each do |key|
      assert_equal owner(ring, ring.position(key)), ring.find(key), key.inspect
    end
  end

  def test_find_many_agrees_with_find
    ring = self.ring
    assert_equal keys.map { |key| ring.find(key) }, ring.find_many(keys)
    assert_equal [], ring.find_many([])
    assert_equal [ring.find("")], ring.find_many([""])
    assert_equal [ring.find("")] * 3, ring.find_many(["", "", ""])
  end

  def test_keys_are_bytes_whatever_their_encoding
    ring = self.ring
    %w[UTF-8 ISO-8859-1 Shift_JIS UTF-16LE US-ASCII].each do |encoding|
      key = "\xC3\xA9\xFFx".dup.force_encoding(encoding)
      assert_equal ring.position("\xC3\xA9\xFFx".b), ring.position(key)
      assert_equal Encoding.find(encoding), key.encoding
    end
    refute_equal ring.position("a\0b"), ring.position("a\0c")
    refute_equal ring.position("a"), ring.position("a\0")
  end

  def test_an_md5_dialect_hashes_the_whole_key
    keys.each do |key|
      assert_equal Digest::MD5.digest(key).unpack1("V"), ring.position(key), key.inspect
    end
  end

  def test_names_are_bytes_and_come_back_as_utf8
    names = ["é:1", "é:2".encode("ISO-8859-1"), "\xFF:3".b, "\xE2:4"]
    ring = Ketama::Ring.new(names)
    assert_equal names.map(&:b), ring.servers.map { |server| server.name.b }
    found = ring.walk("key")
    assert_equal names.map(&:b).sort, found.map(&:b).sort
    (found + ring.servers.map(&:name)).each do |name|
      assert_equal Encoding::UTF_8, name.encoding
      assert_predicate name, :frozen?
    end
    names.each { |name| assert_in_delta 0.25, ring.share(name), 0.2 }
  end

  def test_a_name_is_copied
    name = +"server"
    ring = Ketama::Ring.new([name])
    name.replace("other")
    assert_equal "server", ring.find("key")
  end

  def test_walk
    ring = self.ring
    keys.each do |key|
      walk = ring.walk(key)
      assert_equal [A, B, C], walk.sort
      assert_equal ring.find(key), walk.first
      assert_equal [[], walk.first(1), walk.first(2), walk, walk, walk],
                   [0, 1, 2, 3, 4, 1 << 70].map { |n| ring.walk(key, n) }
    end
  end

  def test_servers_without_points_are_on_no_walk
    ring = Ketama::Ring.new({ A => 1, B => 1_000_000_000 })
    assert_equal [B], ring.walk("key")
    assert_equal 0.0, ring.share(A)
    assert_nil(ring.find_alive("key") { |name| name == A })
  end

  def test_find_alive_takes_the_first_on_the_walk
    ring = self.ring
    keys.each do |key|
      walk = ring.walk(key)
      [[A], [B], [C], [A, B], [A, C], [B, C], [A, B, C]].each do |alive|
        expected = walk.find { |name| alive.include?(name) }
        assert_equal expected, ring.find_alive(key) { |name| alive.include?(name) }
      end
      assert_nil(ring.find_alive(key) { false })
    end
  end

  def test_find_alive_asks_once_for_each_server_in_list_order
    asked = []
    ring = Ketama::Ring.new([B, A, B, C])
    ring.find_alive("key") { |name| asked << name }
    assert_equal [B, A, B, C], asked
  end

  def test_find_alive_passes_on_what_its_block_does
    assert_message(IOError, "down") { ring.find_alive("key") { raise IOError, "down" } }
    assert_equal(:out, ring.find_alive("key") { break :out })
    ring = self.ring
    inner = nil
    ring.find_alive("key") { inner = ring.find_alive("key") { |name| name == C } }
    assert_equal C, inner
  end

  def test_find_alive_has_the_key_from_before_its_block
    key = +"user:42"
    assert_equal ring.find("user:42"), ring.find_alive(key) { key.clear }
  end

  # A position on a circle of 2^32 belongs to the first point at or after it.
  def arcs(ring)
    points = ring.points
    arcs = Hash.new(0)
    points.each_with_index do |point, index|
      arcs[point.server] += (point.point - points[index - 1].point) % (1 << 32)
    end
    arcs.transform_values { |arc| arc.fdiv(1 << 32) }
  end

  def test_shares_are_the_arcs
    ring = self.ring
    assert_equal [A, B, C], ring.shares.keys
    arcs(ring).each do |name, share|
      assert_in_delta share, ring.share(name), 1e-12
      assert_equal ring.share(name), ring.shares[name]
    end
    assert_in_delta 1, ring.shares.values.sum, 1e-12
    assert_nil ring.shares["other"]
  end

  def test_the_share_of_a_name_listed_twice_is_the_sum
    ring = Ketama::Ring.new([A, B, A, C])
    assert_equal [A, B, C], ring.shares.keys
    assert_operator ring.share(A), :>, 0.3
    assert_in_delta 1, ring.shares.values.sum, 1e-12
    assert_equal ring.shares[A], ring.share(A)
  end

  def test_compare
    ring = self.ring
    bigger = ring.with_server("10.0.1.4:11211", 300)
    comparison = ring.compare(bigger)
    moves = comparison.moves
    assert_in_delta comparison.moved, moves.sum(&:share), 1e-12
    samples = (0...20_000).map { |number| "sample:#{number}" }
    pairs = ring.find_many(samples).zip(bigger.find_many(samples)).reject { |a, b| a == b }
    assert_in_delta pairs.size / 20_000.0, comparison.moved, 0.02
    shares = pairs.tally.transform_values { |count| count / 20_000.0 }
    assert_equal shares.keys.sort, moves.map { |move| [move.from, move.to] }.sort
    moves.each { |move| assert_in_delta shares[[move.from, move.to]], move.share, 0.02 }
    reverse = bigger.compare(ring)
    assert_in_delta comparison.moved, reverse.moved, 1e-12
    assert_equal moves.map { |move| [move.to, move.from] }.sort,
                 reverse.moves.map { |move| [move.from, move.to] }.sort
  end

  def test_nothing_moves_between_equal_rings
    assert_equal Ketama::Comparison.new(0.0, []), ring.compare(ring)
  end

  def test_with_and_without_a_server
    ring = self.ring.with_server("new", 7)
    assert_equal [[A, 600], [B, 300], [C, 300], ["new", 7]], listed(ring)
    assert_equal ["new", 1], listed(self.ring.with_server("new")).last
    assert_equal self.ring.points, ring.without_server("new").points
    assert_equal [[B, 1]], listed(Ketama::Ring.new([A, B, A]).without_server(A))
    dalli = self.ring(dialect: :dalli)
    assert_equal Ketama::Ring.new({ A => 600, B => 300, C => 300, "new" => 7 },
                                  dialect: :dalli).points,
                 dalli.with_server("new", 7).points
    assert_equal [[A, 600], [B, 300], [C, 300]], listed(dalli)
  end

  def test_from_file
    Dir.mktmpdir do |folder|
      path = File.join(folder, "é.servers")
      File.write(path, "# fleet\n#{A} 600\n#{B}\t300 # half\r\n#{C} 300")
      loaded = Ketama::Ring.from_file(path)
      assert_equal ring.points, loaded.points
      assert_equal listed(ring), listed(loaded)
      nginx = Ketama::Ring.from_file(Pathname.new(path), dialect: "nginx")
      assert_equal ring(dialect: :nginx).points, nginx.points
    end
  end

  def test_dialects
    assert_equal %i[libketama hash_ring hash_ring_unweighted libmemcached_weighted libmemcached
                    libmemcached_md5 twemproxy spymemcached dalli nginx npm_hashring
                    npm_memcached], Ketama.dialects
    assert_equal Ketama::Ring.new([A, B]).points,
                 Ketama::Ring.new([A, B], dialect: :libketama).points
    Ketama.dialects.each do |dialect|
      symbol = Ketama::Ring.new([A, B], dialect: dialect)
      assert_equal symbol.points, Ketama::Ring.new([A, B], dialect: dialect.to_s).points
      assert_equal symbol.find("key"), symbol.walk("key").first
    end
  end

  def test_version
    assert_equal "1.0.0", Ketama.version
    assert_equal "1.0.0", Ketama::VERSION
    assert_equal Encoding::UTF_8, Ketama.version.encoding
  end

  def test_what_is_returned_is_frozen
    ring = self.ring
    comparison = ring.compare(ring.without_server(C))
    [ring, ring.servers, *ring.servers, *ring.points, comparison, comparison.moves,
     *comparison.moves, ring.find("key"), *ring.find_many(["key"]), *ring.walk("key"),
     ring.find_alive("key") { true }, *ring.shares.keys].each do |value|
      assert_predicate value, :frozen?, value.inspect
    end
    assert_raises(FrozenError) { ring.send(:initialize, [A]) }
    assert_raises(FrozenError) { ring.servers.first.weight = 2 }
  end

  def test_inspect_is_short
    assert_equal "#<Ketama::Ring: 3 servers>", ring.inspect
    assert_equal ring.inspect, ring.to_s
  end

  def test_a_ring_may_be_a_key_of_a_hash
    ring = self.ring
    assert_equal :kept, { ring => :kept }[ring]
  end

  def test_a_subclass_makes_its_own_kind
    kind = Class.new(Ketama::Ring)
    ring = kind.new([A, B])
    assert_instance_of kind, ring.with_server(C)
    assert_instance_of kind, ring.without_server(A)
  end

  def test_a_thousand_servers
    weights = (0...1000).to_h { |number| ["10.1.#{number / 250}.#{number % 250}:11211", 1] }
    ring = Ketama::Ring.new(weights)
    assert_equal weights.to_a, listed(ring)
    assert_equal keys.map { |key| ring.find(key) }, ring.find_many(keys)
    assert_equal weights.keys.sort, ring.walk("key").sort
    assert_equal ring.walk("key")[999],
                 ring.find_alive("key") { |name| name == ring.walk("key")[999] }
    assert_in_delta 1, ring.shares.values.sum, 1e-9
    assert_equal ring.points.map(&:server).uniq.sort, weights.keys.sort
    comparison = ring.compare(ring.without_server(weights.keys[500]))
    assert_operator comparison.moved, :>, 0
    assert_in_delta comparison.moved, comparison.moves.sum(&:share), 1e-9
  end
end
