# frozen_string_literal: true

module Ketama
  # A server of a ring: its name and its weight.
  Server = Struct.new(:name, :weight)

  # A point of a ring: its position on the circle, and the name of the server that it belongs to.
  Point = Struct.new(:point, :server)

  # What moves when one ring takes another's place: the share of all positions, from 0 to 1, and
  # the Moves that it is the sum of.
  Comparison = Struct.new(:moved, :moves)

  # A share of all positions, from 0 to 1, that goes from one server to another, both by name.
  Move = Struct.new(:from, :to, :share)

  # A ring. Immutable, and any number of threads may use it at once.
  #
  # Keys are taken by their bytes, whatever their encoding. Names too; they come back frozen, with
  # the same bytes, as UTF-8.
  class Ring
    # The ring of a server definition file: a name and a weight a line.
    def self.from_file(path, dialect: :libketama)
      path = File.path(path)
      dialect = Native.dialect(dialect)
      handle = Native.make { |out| Native.ring_from_file(path, dialect, out) }
      allocate.send(:hold, handle)
    end

    # The ring's servers, in the order of its list: an Array of Server.
    attr_reader :servers

    # Makes the ring of a Hash of names and weights, or an Array of names (each of weight 1),
    # [name, weight] pairs and Servers.
    def initialize(servers, dialect: :libketama)
      pairs = Native.pairs(servers)
      list = Native.servers(pairs)
      dialect = Native.dialect(dialect)
      hold(Native.make { |out| Native.ring_new(list, pairs.size, dialect, out) })
    end

    # A copy is the same ring, and as frozen.
    def initialize_copy(original)
      super
      freeze
    end

    # The name of the server that a key belongs to.
    def find(key)
      key = Native.bytes(key)
      @servers.fetch(Native.ring_find(@handle, key, key.bytesize)).name
    end

    # The names of the servers that many keys belong to, in the order of the keys.
    def find_many(keys)
      bytes, offsets = Native.pack(keys)
      count = offsets.size / offsets.type_size - 1
      found = FFI::MemoryPointer.new(:uint32, count)
      Native.ring_find_packed(@handle, bytes, offsets, count, found)
      names(found, count)
    end

    # The names of up to n distinct servers for a key's replicas, its own first; of all that have
    # points without an n.
    def walk(key, n = @servers.size)
      raise TypeError, "n is an Integer, not #{n.class}" unless n.is_a?(Integer)
      raise ArgumentError, "n is negative: #{n}" if n.negative?

      key = Native.bytes(key)
      n = [n, @servers.size].min
      found = FFI::MemoryPointer.new(:uint32, n)
      names(found, Native.ring_walk(@handle, key, key.bytesize, found, n))
    end

    # The name of the first server on the key's walk that is alive, or nil. The block is asked once
    # for each server of the ring, in the order of its list, and is given the name.
    def find_alive(key)
      key = Native.bytes(key)
      alive = @servers.map { |server| yield(server.name) ? 1 : 0 }.pack("C*")
      found = Native.ring_find_alive(@handle, key, key.bytesize, alive)
      @servers.fetch(found).name unless found == Native::NONE
    end

    # The exact share of all positions, from 0 to 1, that the servers of a name own.
    def share(name)
      name = Native.name(name)
      shares.fetch(name) do
        raise Error.new(:unknown_server, "the ring has no server #{name.inspect}")
      end
    end

    # The shares of all servers: a Hash of names and shares in the order of the list.
    def shares
      @servers.each_with_index.with_object({}) do |(server, index), shares|
        shares[server.name] = shares.fetch(server.name, 0.0) + Native.ring_share(@handle, index)
      end
    end

    # What moves when another ring takes the place of this one: a Comparison.
    def compare(other)
      raise TypeError, "not a Ketama::Ring: #{other.class}" unless other.is_a?(Ring)

      count = FFI::MemoryPointer.new(:size_t)
      moved = FFI::MemoryPointer.new(:double)
      Native.ring_compare(@handle, other.handle, nil, 0, count, nil)
      capacity = count.read(:size_t)
      moves = FFI::MemoryPointer.new(Native::MoveStruct, capacity)
      Native.ring_compare(@handle, other.handle, moves, capacity, nil, moved)
      Comparison.new(moved.read_double, moves(moves, capacity, other)).freeze
    end

    # A new ring with one more server at the end of the list, by the same rules.
    def with_server(name, weight = 1)
      server = Native.servers([[name, weight]])
      derive { |out| Native.ring_with_server(@handle, server, out) }
    end

    # A new ring without the servers of a name, by the same rules.
    def without_server(name)
      name = Native.name(name)
      derive { |out| Native.ring_without_server(@handle, name, out) }
    end

    # The points in ring order: an Array of Point.
    def points
      count = Native.ring_points(@handle, nil, 0)
      points = FFI::MemoryPointer.new(:uint32, 2 * count)
      Native.ring_points(@handle, points, count)
      points.read_array_of_uint32(2 * count).each_slice(2).map do |point, server|
        Point.new(point, @servers[server].name).freeze
      end
    end

    # The position of a key on the circle. It is not called hash, as in C: that is Object#hash.
    def position(key)
      key = Native.bytes(key)
      Native.ring_hash(@handle, key, key.bytesize)
    end

    def inspect
      "#<#{self.class}: #{@servers.size} servers>"
    end
    alias to_s inspect

    # A ring cannot be dumped; what it was made from can.
    def marshal_dump(*)
      raise TypeError, "can't dump #{self.class}"
    end
    alias encode_with marshal_dump

    protected

    attr_reader :handle

    def hold(handle)
      @handle = handle
      @servers = Array.new(Native.ring_server_count(handle)) do |index|
        name = Native.ring_server_name(handle, index).force_encoding(Encoding::UTF_8).freeze
        Server.new(name, Native.ring_server_weight(handle, index)).freeze
      end.freeze
      freeze
    end

    private

    def derive(&block)
      self.class.allocate.hold(Native.make(&block))
    end

    # The names of servers that C wrote as indexes.
    def names(indexes, count)
      indexes.read_array_of_uint32(count).map { |index| @servers[index].name }
    end

    def moves(memory, count, other)
      Array.new(count) do |index|
        move = Native::MoveStruct.new(memory + index * Native::MoveStruct.size)
        from = @servers[move[:from]].name
        Move.new(from, other.servers[move[:to]].name, move[:share]).freeze
      end.freeze
    end
  end
end
