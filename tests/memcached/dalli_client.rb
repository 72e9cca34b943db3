# dalli. usage: dalli_client.rb set|get WEIGHTED HOST:PORT:WEIGHT... < KEYS
require 'dalli'

action, _, *servers = ARGV
client = Dalli::Client.new(servers)
$stdin.each_line(chomp: true) do |key|
  if action == 'get'
    puts client.get(key, raw: true)
  else
    client.set(key, "theirs #{key}", 0, raw: true) or abort("set #{key} failed")
  end
end
