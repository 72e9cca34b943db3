// spymemcached. usage: Spymemcached set|get LOCATOR HOST:PORT:WEIGHT... < KEYS

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import net.spy.memcached.KetamaConnectionFactory;
import net.spy.memcached.MemcachedClient;

public class Spymemcached {
    public static void main(String[] args) throws Exception {
        List<InetSocketAddress> servers = new ArrayList<>();
        for (int i = 2; i < args.length; i++) {
            String[] parts = args[i].split(":");
            // Of an address and not a name: its text is /ip:port.
            InetAddress address = InetAddress.getByAddress(InetAddress.getByName(parts[0]).getAddress());
            servers.add(new InetSocketAddress(address, Integer.parseInt(parts[1])));
        }
        MemcachedClient client = new MemcachedClient(new KetamaConnectionFactory(), servers);
        BufferedReader keys = new BufferedReader(new InputStreamReader(System.in));
        for (String key = keys.readLine(); key != null; key = keys.readLine()) {
            if (args[0].equals("get")) {
                System.out.println(client.get(key));
            } else if (!client.set(key, 0, "theirs " + key).get()) {
                throw new IllegalStateException("set " + key);
            }
        }
        client.shutdown();
    }
}
