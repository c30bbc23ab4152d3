import java.io.FileInputStream;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/**
 * A service in a JVM: a live set on the heap, garbage for every request, an index file in the page cache.
 *
 * Load LIVE_MB FILE GO PERIOD_MS GARBAGE_KB: fills the heap, waits until the file GO is there, which says how many
 * seconds to warm up and to measure, then answers a request every PERIOD_MS and prints, for each that is measured, the
 * milliseconds from its arrival to its end.
 * Arrivals do not wait for answers: what one pause delays counts for every request that came meanwhile.
 */
public final class Load {
    private static final int CHUNK = 16 << 10;

    public static void main(String[] words) throws Exception {
        byte[][] live = new byte[Integer.parseInt(words[0]) * (1 << 20) / CHUNK][CHUNK];
        Random random = new Random(1);
        for (byte[] chunk : live) random.nextBytes(chunk);
        try (FileInputStream file = new FileInputStream(words[1])) {
            FileChannel channel = file.getChannel();
            MappedByteBuffer index = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
            System.out.println("ready");
            Path go = Path.of(words[2]);
            while (!Files.exists(go)) Thread.sleep(50);
            String[] seconds = Files.readString(go).trim().split(" ");
            int period = Integer.parseInt(words[3]), garbage = Integer.parseInt(words[4]) * 1024 / CHUNK;
            int warm = Integer.parseInt(seconds[0]) * 1000 / period, most = Integer.parseInt(seconds[1]) * 1000 / period;
            serve(live, index, random, period, garbage, warm, warm + most);
        }
    }

    private static void serve(byte[][] live, MappedByteBuffer index, Random random, int periodMs, int garbage,
                              int warm, int all) throws InterruptedException {
        double[] took = new double[all];
        long start = System.nanoTime(), sum = 0;
        for (int i = 0; i < took.length; i++) {
            long arrival = start + i * periodMs * 1_000_000L;
            long early = (arrival - System.nanoTime()) / 1_000_000;
            if (early > 0) Thread.sleep(early);
            for (int n = 0; n < garbage; n++) {
                byte[] fresh = new byte[CHUNK];
                fresh[0] = (byte) i;
                if (n % 8 == 0) live[random.nextInt(live.length)] = fresh;  // one in eight lives on
                sum += fresh[0];
            }
            for (int n = 0; n < 24; n++) sum += live[random.nextInt(live.length)][n];
            for (int n = 0; n < 16; n++) sum += index.get(random.nextInt(index.capacity() / 4096) * 4096);
            took[i] = (System.nanoTime() - arrival) / 1e6;
        }
        StringBuilder text = new StringBuilder();
        for (int i = warm; i < took.length; i++) text.append(String.format(java.util.Locale.ROOT, "%.2f%n", took[i]));
        System.out.print(text);
        System.err.println(sum);
    }
}
