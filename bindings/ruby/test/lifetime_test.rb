# frozen_string_literal: true

require "helper"
require "yaml"

# Threads, copies, forks and freeing. What may end the process, or needs a quiet one, runs in one
# of its own.
class LifetimeTest < Minitest::Test
  include Helper

  # For programs of their own. churn frees what can be freed, and makes other rings in its place.
  PRELUDE = <<~RUBY
    def churn
      3.times { GC.start; 50.times { Ketama::Ring.new(%w[x y]) } }
    end

    # In kB.
    def resident
      GC.start
      Integer(File.read("/proc/self/status")[/VmRSS:\\s+(\\d+)/, 1])
    end

    SERVERS = (0...8).map { |number| "10.0.0.\#{number}:11211" }
    KEYS = (0...500).map { |number| "key:\#{number}" }
  RUBY

  def test_many_threads_on_one_ring
    ring = Ketama::Ring.new((0...20).map { |number| "10.0.0.#{number}:11211" })
    keys = (0...300).map { |number| "key:#{number}" }
    names = ring.find_many(keys)
    threads = Array.new(16) do |number|
      Thread.new do
        10.times do
          keys.zip(names) { |key, name| break :wrong if ring.find(key) != name }
          raise "find_many" if ring.find_many(keys) != names
          raise "walk" if ring.walk("key:7", 2).first != names[7]
          raise "find_alive" if ring.find_alive("key:7") { Thread.pass || true } != names[7]
          raise "find" if keys.map { |key| ring.find(key) } != names

          ring.with_server("new:#{number}").compare(ring)
        end
      end
    end
    threads.each(&:join)
  end

  def test_each_thread_has_its_own_failures
    threads = Array.new(8) do |number|
      Thread.new do
        300.times do
          list = Array.new(number) { |index| "s#{index}" } << ""
          error = assert_raises(Ketama::Error) { Ketama::Ring.new(list) }
          assert_equal "server #{number}: the name is empty", error.message
          Thread.pass
        end
      end
    end
    threads.each(&:join)
  end

  def test_a_key_that_another_thread_changes_is_one_or_the_other
    ring = Ketama::Ring.new((0...20).map { |number| "10.0.0.#{number}:11211" })
    short = "user:42"
    long = "x" * 100_000
    possible = ring.find_many([short, long])
    key = +""
    key.replace(short)
    done = false
    changer = Thread.new { key.replace(key.size == 7 ? long : short) until done }
    2000.times do
      assert_includes possible, ring.find(key)
      assert_includes possible, ring.find_many([key]).first
    end
  ensure
    done = true
    changer.join
  end

  def test_copies_share_the_ring_and_are_frozen
    assert_equal "ok\n", isolated(<<~RUBY)
      #{PRELUDE}
      def copies
        ring = Ketama::Ring.new(SERVERS)
        [ring.find_many(KEYS), [ring.dup, ring.clone, ring.clone(freeze: false), ring.dup.dup]]
      end
      names, rings = copies
      abort "not frozen" unless rings.all?(&:frozen?)
      until rings.empty?
        churn
        rings.each { |ring| abort "changed" if ring.find_many(KEYS) != names }
        rings.shift
      end
      churn
      puts "ok"
    RUBY
  end

  def test_the_native_handle_refuses_to_be_copied_and_stays_alive
    assert_equal "ok\n", isolated(<<~RUBY)
      #{PRELUDE}
      ring = Ketama::Ring.new(SERVERS)
      names = ring.find_many(KEYS)
      Warning[:experimental] = false
      def refused
        yield
        abort "copied"
      rescue TypeError, Ractor::Error
      end
      20.times do
        refused { ring.instance_variable_get(:@handle).dup }
        refused { ring.instance_variable_get(:@handle).clone }
        refused { Ractor.new(ring) { |copy| copy } }
        refused { Ractor.new { Ractor.receive }.send(ring, move: true) }
        refused { Ractor.make_shareable(ring) }
      end
      churn
      abort "changed" if ring.find_many(KEYS) != names
      puts "ok"
    RUBY
  end

  def test_another_ractor_makes_no_ring
    output, errors, = ruby("-I#{Helper::GEM}/lib", "-W:no-experimental", "-e", <<~RUBY)
      require "ketama"
      Thread.report_on_exception = false
      begin
        Ractor.new { Ketama::Ring.new(["a"]) }.take
      rescue Ractor::RemoteError => error
        puts error.cause.class
      end
    RUBY
    assert_equal "Ractor::IsolationError\n", output
    refute_includes errors, "SEGV"
  end

  def test_rings_are_not_dumped
    ring = Ketama::Ring.new(["a"])
    assert_message(TypeError, "can't dump Ketama::Ring") { Marshal.dump(ring) }
    assert_message(TypeError, "can't dump Ketama::Ring") { YAML.dump([ring]) }
    assert_equal ring.servers, Marshal.load(Marshal.dump(ring.servers))
  end

  def test_a_forked_child_goes_on_with_its_rings
    assert_equal "child\nparent\n", isolated(<<~RUBY)
      #{PRELUDE}
      $stdout.sync = true
      rings = Array.new(100) { Ketama::Ring.new(SERVERS) }
      names = rings.first.find_many(KEYS)
      busy = Thread.new { loop { rings.last.find_many(KEYS); Ketama::Ring.new(SERVERS) } }
      child = fork do
        abort "changed" if rings.any? { |ring| ring.find_many(KEYS) != names }
        rings = rings.last(1)
        churn
        same = rings.first.with_server("new").without_server("new")
        abort "changed" if same.find_many(KEYS) != names
        puts "child"
      end
      Process.wait(child)
      abort "child: \#{$?.inspect}" unless $?.success?
      churn
      abort "changed" if rings.any? { |ring| ring.find_many(KEYS) != names }
      busy.kill
      puts "parent"
    RUBY
  end

  def test_freed_rings_leave_no_memory
    output = isolated(<<~RUBY)
      #{PRELUDE}
      def use(count)
        count.times do
          Ketama::Ring.new(SERVERS)
          Ketama::Ring.new([*SERVERS, ""]) rescue nil
        end
      end
      use(3000)
      before = resident
      use(20_000)
      puts resident - before
    RUBY
    # Each has 1280 points of 8 bytes: 20,000 of them are above 200,000 kB.
    assert_operator Integer(output), :<, 20_000
  end

  def test_lookups_leave_no_memory
    output = isolated(<<~RUBY)
      #{PRELUDE}
      def use(ring, count)
        count.times do
          ring.find_many(KEYS)
          ring.walk("key")
          ring.find_alive("key") { true }
          ring.points
          ring.compare(ring.without_server(SERVERS.first))
        end
      end
      ring = Ketama::Ring.new(SERVERS)
      use(ring, 300)
      before = resident
      use(ring, 3000)
      puts resident - before
    RUBY
    assert_operator Integer(output), :<, 20_000
  end

  def test_rings_whose_making_is_interrupted_leave_no_memory
    output = isolated(<<~RUBY)
      #{PRELUDE}
      Interruption = Class.new(Exception)
      interrupt = TracePoint.new(:c_return) do |point|
        Thread.current.raise(Interruption) if point.method_id == :ring_new
      end
      def use(count)
        count.times do
          Ketama::Ring.new(SERVERS)
          abort "not interrupted"
        rescue Interruption
        end
      end
      interrupt.enable do
        use(500)
        before = resident
        use(5000)
        puts resident - before
      end
    RUBY
    assert_operator Integer(output), :<, 20_000
  end

  def test_everything_works_while_the_collector_runs_at_every_allocation
    assert_equal "ok\n", isolated(<<~RUBY)
      ring = Ketama::Ring.new(%w[a b c])
      expected = [ring.find("x"), ring.find_many(%w[x y]), ring.walk("x"), ring.points.size,
                  ring.compare(ring.with_server("d")), ring.shares]
      GC.stress = true
      ring = Ketama::Ring.new(%w[a b c])
      actual = [ring.find("x"), ring.find_many(%w[x y]), ring.walk("x"), ring.points.size,
                ring.compare(ring.with_server("d")), ring.shares]
      error = (Ketama::Ring.new([]) rescue $!)
      GC.stress = false
      abort "differs" if actual != expected || error.status != :no_servers
      GC.verify_compaction_references(toward: :empty, double_heap: true) rescue NotImplementedError
      puts ring.find("x") == expected.first ? "ok" : "moved"
    RUBY
  end
end
