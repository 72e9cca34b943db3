# frozen_string_literal: true

require "helper"

# The recorded runs of the real clients: nothing is lost on the way to the library and back.
class DialectsTest < Minitest::Test
  include Helper

  Run = Struct.new(:dialect, :name, :servers, :points, :owners)

  ESCAPES = { "\\\\" => "\\", "\\n" => "\n", "\\t" => "\t", "\\r" => "\r" }.freeze

  def self.unescape(text)
    text.gsub(/\\(x\h\h|.)/n) { |escape| ESCAPES[escape] || escape[2..].hex.chr }
  end

  def self.read
    keys = []
    runs = []
    File.binread(File.join(GEM, "../../tests/data/dialects.txt")).each_line(chomp: true) do |line|
      word, rest = line.split(" ", 2)
      case word
      when nil, "#", "source" then next
      when "key" then keys << unescape(rest.to_s)
      when "case"
        dialect, name = rest.split(" ", 2)
        runs << Run.new(dialect, name, [], nil, {})
      when "server"
        weight, name = rest.split(" ", 2)
        runs.last.servers << [name, Integer(weight)]
      when "points" then runs.last.points = rest.split unless rest.start_with?("-")
      when "owner"
        index, *gaps = rest.split.map { |number| Integer(number) }
        key = -1
        gaps.each { |gap| runs.last.owners[key += gap] = index }
      else raise line
      end
    end
    [keys.freeze, runs.freeze]
  end

  KEYS, RUNS = read

  def test_all_runs_are_read
    assert_equal 3340, KEYS.size
    assert_equal 93, RUNS.uniq { |run| [run.dialect, run.name] }.size
    assert_equal Ketama.dialects.map(&:to_s).sort, RUNS.map(&:dialect).uniq.sort
    RUNS.each { |run| assert_equal 520, run.owners.size, run.name }
    assert_equal 86, RUNS.count(&:points)
  end

  RUNS.each do |run|
    define_method("test_#{run.dialect}_#{run.name}") do
      ring = Ketama::Ring.new(run.servers, dialect: run.dialect)
      names = run.servers.map(&:first)
      keys = run.owners.keys.map { |number| KEYS.fetch(number) }
      owners = run.owners.values.map { |index| names.fetch(index).dup.force_encoding("UTF-8") }
      assert_equal(owners, keys.map { |key| ring.find(key) })
      assert_equal owners, ring.find_many(keys)
      next unless run.points

      indexes = names.each_with_index.to_h
      list = ring.points.map { |point| "#{point.point} #{indexes.fetch(point.server.b)}\n" }
      assert_equal run.points, [list.size.to_s, Digest::MD5.hexdigest(list.join)]
    end
  end
end
