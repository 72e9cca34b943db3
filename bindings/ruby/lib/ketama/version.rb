# frozen_string_literal: true

module Ketama
  # The version of this gem; Ketama.version is the native library's.
  VERSION = "1.0.0"
end
