# frozen_string_literal: true

# Which memcached server does a key belong to? Ketama consistent hashing by the native library.
module Ketama
  # A failure that the native library reports, with its text as message.
  class Error < StandardError
    # Its kind: a name of ketama_status in ketama.h, such as :zero_weight; :unknown where the
    # library is newer than this gem and has a new one.
    attr_reader :status

    def initialize(status, message = nil)
      super(message)
      @status = status
    end
  end
end

require_relative "ketama/version"
require_relative "ketama/native"
require_relative "ketama/ring"

module Ketama
  # The version of the native library.
  def self.version
    Native.version.force_encoding(Encoding::UTF_8)
  end

  # The names of the dialects that the native library has: an Array of Symbols.
  def self.dialects
    names = []
    while (name = Native.dialect_name(names.size))
      names << name.to_sym
    end
    names
  end
end
