# frozen_string_literal: true

require "digest"
require "minitest/autorun"
require "open3"
require "pathname"
require "rbconfig"
require "tmpdir"
require "ketama"

module Helper
  GEM = File.expand_path("..", __dir__)

  # Where the loader found the library that the tests run against.
  LIBRARY = File.read("/proc/self/maps")[%r{/\S*/libketama\.so\S*}]

  private

  # Runs Ruby with warnings on, without this process's load path: its standard output, its errors
  # and whether it ended well.
  def ruby(*arguments, env: {}, **options)
    Open3.capture3({ "RUBYLIB" => nil, **env }, RbConfig.ruby, "-w", *arguments, **options)
  end

  # Runs a program that uses the binding in a process of its own, and returns what it prints.
  def isolated(program)
    output, errors, status = ruby("-I#{GEM}/lib", "-rketama", stdin_data: program)
    assert_equal "", errors
    assert_predicate status, :success?, status.inspect
    output
  end

  def assert_status(status, message, &block)
    error = assert_raises(Ketama::Error, &block)
    assert_equal [status, message], [error.status, error.message]
  end

  def assert_message(type, message, &block)
    error = assert_raises(type, &block)
    assert_equal message, error.message
  end
end
