# frozen_string_literal: true

require "helper"

class ErrorTest < Minitest::Test
  include Helper

  def ring(list = %w[a b], **options)
    Ketama::Ring.new(list, **options)
  end

  def test_the_library_refuses_lists
    max = (1 << 64) - 1
    assert_status(:no_servers, "the list of servers is empty") { ring([]) }
    assert_status(:no_servers, "the list of servers is empty") { ring({}) }
    assert_status(:empty_name, "server 1: the name is empty") { ring(["a", ""]) }
    assert_status(:long_name, "server 0: the name is longer than 1023 bytes") { ring(["x" * 1024]) }
    assert_equal "x" * 1023, ring(["x" * 1023]).find("key")
    assert_status(:zero_weight, "server 1: the weight is 0") { ring({ "a" => 1, "b" => 0 }) }
    assert_status(:weight_sum, "server 1: the sum of the weights reaches 2^64") do
      ring({ "a" => max, "b" => 1 })
    end
    assert_status(:too_many_points, "server 0: the ring exceeds 2147483647 points") do
      ring({ "a" => 1 << 40 }, dialect: :nginx)
    end
    assert_status(:unknown_dialect, "there is no such dialect") { ring(dialect: :Libketama) }
  end

  def test_the_library_refuses_additions_and_removals
    assert_status(:empty_name, "server 2: the name is empty") { ring.with_server("") }
    assert_status(:zero_weight, "server 2: the weight is 0") { ring.with_server("c", 0) }
    assert_status(:unknown_server, "the ring has no server of this name") do
      ring.without_server("c")
    end
    assert_status(:no_servers, "the list of servers is empty") { ring(["a"]).without_server("a") }
  end

  def test_the_library_refuses_comparisons
    assert_status(:different_hashes,
                  "the rings place keys by different hashes, so that any key may move") do
      ring.compare(ring(dialect: :nginx))
    end
  end

  def test_the_library_refuses_files
    Dir.mktmpdir do |folder|
      path = File.join(folder, "servers")
      assert_status(:unreadable, "cannot read it: No such file or directory (os error 2) " \
                                 "(in #{path})") { Ketama::Ring.from_file(path) }
      File.write(path, "a 1\nb x\n")
      error = assert_raises(Ketama::Error) { Ketama::Ring.from_file(path) }
      assert_equal :syntax, error.status
      assert_match(/line 2, column 3: expected/, error.message)
      File.write(path, "a 18446744073709551615\nb 1\n")
      error = assert_raises(Ketama::Error) { Ketama::Ring.from_file(path) }
      assert_equal :weight_sum, error.status
      File.write(path, "")
      error = assert_raises(Ketama::Error) { Ketama::Ring.from_file(path) }
      assert_equal :no_servers, error.status
      assert_raises(Ketama::Error) { Ketama::Ring.from_file(folder) }
      assert_raises(Ketama::Error) { Ketama::Ring.from_file("") }
    end
  end

  def test_messages_are_valid_utf8_even_where_they_are_cut
    error = assert_raises(Ketama::Error) { Ketama::Ring.from_file("/none/#{'é' * 120}") }
    other = assert_raises(Ketama::Error) { Ketama::Ring.from_file("/none//#{'é' * 120}") }
    [error, other].each do |each|
      assert_equal Encoding::UTF_8, each.message.encoding
      assert_predicate each.message, :valid_encoding?
      assert_includes each.message, "ééé"
    end
    bad = assert_raises(Ketama::Error) { Ketama::Ring.from_file("/none/\xFF") }
    assert_predicate bad.message, :valid_encoding?
  end

  def test_unknown_servers_have_no_share
    assert_status(:unknown_server, 'the ring has no server "c"') { ring.share("c") }
    assert_status(:unknown_server, 'the ring has no server ""') { ring.share("") }
  end

  def test_names
    assert_message(ArgumentError, 'a server\'s name has a NUL: "a\u0000b"') { ring(["a\0b"]) }
    ["\0", "a\0", "\xE2\0".b, "é\0"].each do |name|
      assert_raises(ArgumentError) { ring(["a", name]) }
      assert_raises(ArgumentError) { ring.with_server(name) }
      assert_raises(ArgumentError) { ring.without_server(name) }
      assert_raises(ArgumentError) { ring.share(name) }
    end
    [:a, 1, nil, Object.new].each do |name|
      assert_raises(TypeError) { ring([name]) }
      assert_raises(TypeError) { ring({ name => 1 }) }
      assert_raises(TypeError) { ring.with_server(name) }
      assert_raises(TypeError) { ring.without_server(name) }
      assert_raises(TypeError) { ring.share(name) }
    end
  end

  def test_weights
    range = "a weight is from 0 to 18446744073709551615, not "
    assert_message(RangeError, "#{range}-1") { ring({ "a" => -1 }) }
    assert_message(RangeError, "#{range}18446744073709551616") { ring({ "a" => 1 << 64 }) }
    assert_message(RangeError, "#{range}-1") { ring.with_server("c", -1) }
    [1.0, 1.5, "1", nil, 1r, Float::NAN].each do |weight|
      assert_message(TypeError, "a weight is an Integer, not #{weight.class}") do
        ring([["a", weight]])
      end
      assert_raises(TypeError) { ring.with_server("c", weight) }
    end
  end

  def test_lists
    ["a", 3, nil, :a, Object.new].each { |list| assert_raises(TypeError) { ring(list) } }
    [[], ["a"], ["a", 1, 2]].each do |pair|
      assert_message(ArgumentError, "a server is a name or [name, weight], not #{pair.inspect}") do
        ring([pair])
      end
    end
  end

  def test_dialect_types
    assert_message(TypeError, "a dialect is a Symbol or a String, not Integer") { ring(dialect: 0) }
    assert_raises(TypeError) { ring(dialect: nil) }
    assert_raises(ArgumentError) { ring(dialect: "libketama\0") }
    assert_raises(TypeError) { Ketama::Ring.from_file("path", dialect: nil) }
  end

  def test_paths
    assert_raises(TypeError) { Ketama::Ring.from_file(nil) }
    assert_raises(ArgumentError) { Ketama::Ring.from_file("a\0b") }
  end

  def test_keys
    ring = self.ring
    [:a, 1, nil, ["a"], Object.new].each do |key|
      assert_raises(TypeError) { ring.find(key) }
      assert_raises(TypeError) { ring.find_many(["a", key]) }
      assert_raises(TypeError) { ring.walk(key) }
      assert_raises(TypeError) { ring.find_alive(key) { flunk } }
      assert_raises(TypeError) { ring.position(key) }
    end
    ["a", nil, 3].each { |keys| assert_raises(TypeError) { ring.find_many(keys) } }
  end

  def test_keys_of_4_gigabytes_are_refused_before_they_are_copied
    keys = ["x" * (1 << 27)] * 32
    assert_message(ArgumentError,
                   "the keys have 4294967296 bytes in total, more than 4294967295") do
      ring.find_many(keys)
    end
  end

  def test_walks
    ring = self.ring
    assert_message(ArgumentError, "n is negative: -1") { ring.walk("key", -1) }
    [nil, 1.0, "1"].each { |n| assert_raises(TypeError) { ring.walk("key", n) } }
  end

  def test_find_alive_needs_a_block
    assert_raises(LocalJumpError) { ring.find_alive("key") }
  end

  def test_compare_needs_a_ring
    [nil, 1, %w[a b]].each { |other| assert_raises(TypeError) { ring.compare(other) } }
  end

  def test_every_status_has_the_name_that_the_header_gives_it
    header = File.read(File.join(GEM, "../../include/ketama.h"))
    names = header[/typedef enum \{(.*?)\} ketama_status;/m, 1].scan(/KETAMA_(\w+) = (\d+)/)
    assert_equal 19, names.size
    native = Ketama.send(:const_get, :Native)
    assert_nil native::Status.from_native(0, nil)
    names.drop(1).each do |name, number|
      error = assert_raises(Ketama::Error) { native::Status.from_native(Integer(number), nil) }
      assert_equal name.downcase.to_sym, error.status
    end
    newer = assert_raises(Ketama::Error) { native::Status.from_native(names.size, nil) }
    assert_equal :unknown, newer.status
  end

  def test_errors_are_standard_errors_that_travel
    error = assert_raises(StandardError) { ring([]) }
    copy = Marshal.load(Marshal.dump(error))
    assert_equal [error.class, error.status, error.message],
                 [copy.class, copy.status, copy.message]
  end

  # Signal handlers, finalizers and other threads run when a method has returned.
  def test_what_runs_after_a_failure_does_not_change_its_text
    ran = 0
    intruder = TracePoint.new(:return, :c_return) do
      ran += 1
      ran.odd? ? assert_raises(Ketama::Error) { ring([]) } : ring(["a"])
    end
    intruder.enable(target_thread: Thread.current) do
      2.times do
        assert_status(:zero_weight, "server 0: the weight is 0") { ring({ "a" => 0 }) }
        ran += 1
      end
    end
    assert_operator ran, :>, 4
  end
end
