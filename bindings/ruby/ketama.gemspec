# frozen_string_literal: true

require_relative "lib/ketama/version"

Gem::Specification.new do |spec|
  spec.name = "ketama"
  spec.version = Ketama::VERSION
  spec.summary = "Ketama consistent hashing: which memcached server does a key belong to?"
  spec.description = "A thin binding of the native ketama library, which gives the same answers " \
                     "as libketama, libmemcached, twemproxy, dalli, nginx and others."
  spec.authors = ["The ketama developers"]
  spec.licenses = %w[MIT Apache-2.0]
  spec.required_ruby_version = ">= 3.1"
  spec.add_dependency "ffi", "~> 1.15"
  spec.files = Dir["lib/**/*.rb", "README.md", "LICENSE-*", base: __dir__]
end
