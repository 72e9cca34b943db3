# frozen_string_literal: true

require "ffi"

module Ketama
  # The functions of ketama.h, and what turns Ruby's objects into their arguments.
  #
  # None releases Ruby's lock. A bulk lookup takes well below a microsecond a key, while a thread
  # that gives the lock away may wait 100 ms to get it back, and it could not read the text of a
  # failure undisturbed.
  module Native # :nodoc:
    extend FFI::Library

    library = ENV["KETAMA_LIBRARY"].to_s
    ffi_lib library.empty? ? "libketama.so.1" : library

    NONE = (1 << (8 * FFI.type_size(:size_t))) - 1
    MAX_WEIGHT = (1 << 64) - 1
    MAX_OFFSET = (1 << 32) - 1

    STATUSES = %i[
      ok null_argument unknown_dialect no_servers empty_name long_name zero_weight weight_sum
      too_many_points out_of_memory internal_error no_points invalid_rules unknown_server
      different_hashes unreadable syntax offsets out_of_range
    ].freeze

    # Raises the failures. ffi converts a result before its call returns to Ruby, so that no signal
    # handler, finalizer or other thread comes between a failure and its text. That needs the text
    # to be read first of all, since Ruby may run those at any branch.
    module Status
      extend FFI::DataConverter
      native_type FFI::Type::INT

      def self.from_native(status, _context)
        text = Native.last_error
        return if status.zero?

        text = text.force_encoding(Encoding::UTF_8).scrub
        raise Error.new(STATUSES.fetch(status, :unknown), text)
      end
    end

    # An owner of a native ring. A ring and its dups share one.
    class Handle < FFI::AutoPointer
      def self.release(pointer)
        Native.ring_free(pointer)
      end

      # Ruby has copied the finalizer by now: with it a copy that fails, as one for a Ractor does,
      # would free the ring under the original.
      def initialize_copy(_original)
        ObjectSpace.undefine_finalizer(self)
        raise TypeError, "can't copy a native ring"
      end
    end

    class ServerStruct < FFI::Struct
      layout :name, :pointer, :weight, :uint64
    end

    class MoveStruct < FFI::Struct
      layout :from, :uint32, :to, :uint32, :share, :double
    end

    # A String passed as :pointer is its bytes, NULs included, where they stand.
    key = %i[pointer size_t]
    {
      version: [[], :string],
      last_error: [[], :string],
      dialect_name: [%i[int], :string],
      dialect_from_name: [%i[string pointer], Status],
      ring_new: [%i[pointer size_t int pointer], Status],
      ring_from_file: [%i[string int pointer], Status],
      ring_with_server: [%i[pointer pointer pointer], Status],
      ring_without_server: [%i[pointer string pointer], Status],
      ring_server_count: [%i[pointer], :size_t],
      ring_server_name: [%i[pointer size_t], :string],
      ring_server_weight: [%i[pointer size_t], :uint64],
      ring_points: [%i[pointer pointer size_t], :size_t],
      ring_free: [%i[pointer], :void],
      ring_find: [[:pointer, *key], :size_t],
      ring_hash: [[:pointer, *key], :uint32],
      ring_find_packed: [%i[pointer pointer pointer size_t pointer], Status],
      ring_walk: [[:pointer, *key, :pointer, :size_t], :size_t],
      ring_find_alive: [[:pointer, *key, :pointer], :size_t],
      ring_share: [%i[pointer size_t], :double],
      ring_compare: [%i[pointer pointer pointer size_t pointer pointer], Status]
    }.each do |name, (parameters, result)|
      attach_function name, :"ketama_#{name}", parameters, result
    end

    class << self
      # Has the block make a ring at the address that it is given. A timeout or kill must not come
      # before the ring has its handle, or nothing would free it.
      def make
        out = FFI::MemoryPointer.new(:pointer)
        Thread.handle_interrupt(Object => :never) do
          yield out
          Handle.new(out.read_pointer)
        end
      end

      # A copy of a key: another thread may change the original between a look at its size and one
      # at its bytes.
      def bytes(key)
        (key.is_a?(String) ? key : String.new(key)).b
      end

      # The bytes of many keys, and the offsets between them.
      def pack(keys)
        keys = [].concat(keys).map { |key| bytes(key) }
        sum = 0
        offsets = [0].concat(keys.map { |key| sum += key.bytesize })
        if sum > MAX_OFFSET
          raise ArgumentError, "the keys have #{sum} bytes in total, more than #{MAX_OFFSET}"
        end

        memory = FFI::MemoryPointer.new(:uint32, offsets.size)
        [keys.join, memory.write_array_of_uint32(offsets)]
      end

      def name(name)
        name = String.new(name).force_encoding(Encoding::UTF_8)
        raise ArgumentError, "a server's name has a NUL: #{name.inspect}" if name.include?("\0")

        name
      end

      def weight(weight)
        raise TypeError, "a weight is an Integer, not #{weight.class}" unless weight.is_a?(Integer)

        unless (0..MAX_WEIGHT).cover?(weight)
          raise RangeError, "a weight is from 0 to #{MAX_WEIGHT}, not #{weight}"
        end

        weight
      end

      def dialect(name)
        unless name.is_a?(Symbol) || name.is_a?(String)
          raise TypeError, "a dialect is a Symbol or a String, not #{name.class}"
        end

        out = FFI::MemoryPointer.new(:int)
        dialect_from_name(name.to_s, out)
        out.read_int
      end

      # Names and weights of what Ring.new takes.
      def pairs(servers)
        (Hash.try_convert(servers) || [].concat(servers)).map do |entry|
          case entry
          when Server then entry.to_a
          when Array
            next entry if entry.size == 2

            raise ArgumentError, "a server is a name or [name, weight], not #{entry.inspect}"
          else [entry, 1]
          end
        end
      end

      # An array of ketama_server with the names behind it, in one piece of memory.
      def servers(pairs)
        servers = pairs.map { |name, weight| ["#{name(name)}\0", weight(weight)] }
        text = servers.size * ServerStruct.size
        memory = FFI::MemoryPointer.new(1, text + servers.sum { |name, _| name.bytesize })
        servers.each_with_index do |(name, weight), index|
          server = ServerStruct.new(memory + index * ServerStruct.size)
          server[:name] = memory + text
          server[:weight] = weight
          memory.put_bytes(text, name)
          text += name.bytesize
        end
        memory
      end
    end
  end

  private_constant :Native
end
