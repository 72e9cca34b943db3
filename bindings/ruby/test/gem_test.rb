# frozen_string_literal: true

require "helper"

# The README, the library's path, and the gem as it is built and installed.
class GemTest < Minitest::Test
  include Helper

  README = File.read(File.join(GEM, "README.md"), encoding: "UTF-8")
  EXAMPLE = README[/^```ruby\n(.*?)^```/m, 1]
  OUTPUT = README[/^```text\n(.*?)^```/m, 1]

  def test_the_example_prints_what_the_readme_says
    output, errors, = ruby("-I#{GEM}/lib", stdin_data: EXAMPLE)
    assert_equal [OUTPUT, ""], [output, errors]
  end

  def test_the_gem_builds_installs_and_runs_the_example
    Dir.mktmpdir do |folder|
      file = File.join(folder, "ketama.gem")
      output, errors, status = ruby("-W0", "-S", "gem", "build", "ketama.gemspec",
                                    "--output", file, chdir: GEM)
      assert_predicate status, :success?, errors
      # The project has no homepage; nothing else is amiss.
      assert_equal ["no homepage specified"], "#{output}#{errors}".scan(/WARNING: +(no.*)/).flatten

      home = File.join(folder, "home")
      _, errors, status = ruby("-W0", "-S", "gem", "install", "--local", "--no-document",
                               "--ignore-dependencies", "--install-dir", home, file)
      assert_predicate status, :success?, errors
      installed = File.join(home, "gems", "ketama-1.0.0")
      assert_equal %w[LICENSE-APACHE LICENSE-MIT README.md lib lib/ketama lib/ketama.rb
                      lib/ketama/native.rb lib/ketama/ring.rb lib/ketama/version.rb],
                   Dir.glob("**/*", base: installed).sort

      env = { "GEM_HOME" => home, "GEM_PATH" => [home, *Gem.path].join(":") }
      program = "#{EXAMPLE}\nwarn $LOADED_FEATURES.grep(/ketama/)"
      output, loaded, status = ruby(env: env, chdir: folder, stdin_data: program)
      assert_predicate status, :success?, loaded
      assert_equal OUTPUT, output
      files = %w[version native ring].map { |name| "#{installed}/lib/ketama/#{name}.rb" }
      assert_equal [*files, "#{installed}/lib/ketama.rb"].sort, loaded.split.sort
    end
  end

  def test_the_library_is_opened_at_the_path_that_the_environment_gives
    refute_nil LIBRARY
    with = ->(path) { { "KETAMA_LIBRARY" => path, "LD_LIBRARY_PATH" => nil } }
    print_path = 'puts File.read("/proc/self/maps")[%r{/\S*/other-name.so}]'
    Dir.mktmpdir do |folder|
      path = File.join(folder, "other-name.so")
      FileUtils.cp(LIBRARY, path)
      output, errors, = ruby("-I#{GEM}/lib", "-rketama", "-e", print_path, env: with[path])
      assert_equal ["#{path}\n", ""], [output, errors]
    end
    _, errors, status = ruby("-I#{GEM}/lib", "-rketama", "-e", "1", env: with["/none/ketama.so"])
    refute_predicate status, :success?
    assert_match(%r{/none/ketama\.so.*\(LoadError\)}, errors)
  end

  def test_an_empty_path_is_none
    output, errors, = ruby("-I#{GEM}/lib", "-rketama", "-e", "puts Ketama.version",
                           env: { "KETAMA_LIBRARY" => "",
                                  "LD_LIBRARY_PATH" => File.dirname(LIBRARY) })
    assert_equal ["1.0.0\n", ""], [output, errors]
  end

  def test_a_library_without_the_functions_is_a_load_error
    output, = ruby("-I#{GEM}/lib", env: { "KETAMA_LIBRARY" => "libm.so.6" }, stdin_data: <<~RUBY)
      begin
        require "ketama"
      rescue LoadError => error
        puts error.message
      end
    RUBY
    assert_match(/Function 'ketama_version' not found in \[libm\.so\.6\]/, output)
  end
end
