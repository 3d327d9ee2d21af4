import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** Peer (iii): Kafka Streams, exactly_once_v2, one account a person in RocksDB with a changelog topic. */
public final class Peer {
    private static final ObjectMapper JSON =
            new ObjectMapper().configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false);

    public static void main(String[] arguments) throws Exception {
        Map<String, String> here = System.getenv();
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, here.get("BENCH_APP"));
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, here.get("BENCH_BOOTSTRAP"));
        settings.put(StreamsConfig.STATE_DIR_CONFIG, here.get("BENCH_STATE"));
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, here.getOrDefault("BENCH_THREADS", "1"));
        settings.put("auto.offset.reset", "earliest");

        Serde<Rules.Account> accounts = Serdes.serdeFrom(writer(), reader(Rules.Account.class));
        Topology topology = new Topology();
        topology.addSource("in", new StringDeserializer(), reader(Rules.Event.class),
                "hospital.discharges", "hospital.expenses", "registry.coverages", "registry.persons");
        topology.addProcessor("rules", Decide::new, "in");
        topology.addStateStore(
                Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore("accounts"), Serdes.String(), accounts),
                "rules");
        topology.addSink("out", here.get("BENCH_OUT"), new StringSerializer(), new ByteArraySerializer(), "rules");

        KafkaStreams streams = new KafkaStreams(topology, settings);
        CountDownLatch ended = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            streams.close(Duration.ofSeconds(10));
            ended.countDown();
        }));
        streams.start();
        ended.await();
    }

    private static final class Decide implements Processor<String, Rules.Event, String, byte[]> {
        private ProcessorContext<String, byte[]> context;
        private KeyValueStore<String, Rules.Account> accounts;
        private static volatile boolean begun;

        @Override
        public void init(ProcessorContext<String, byte[]> given) {
            context = given;
            accounts = given.getStateStore("accounts");
        }

        @Override
        public void process(Record<String, Rules.Event> record) {
            if (!begun) {
                begun = true;
                begin();
            }
            Rules.Account account = accounts.get(record.key());
            if (account == null) {
                account = new Rules.Account();
            }
            for (Rules.Instruction each : Rules.take(account, record.value())) {
                context.forward(new Record<>(record.key(), bytes(each), record.timestamp()));
            }
            accounts.put(record.key(), account);
        }
    }

    /** Notes when the first message was taken, so that the start of the JVM is not counted as work. */
    private static void begin() {
        try {
            String now = String.valueOf(System.currentTimeMillis() / 1000.0);
            Files.writeString(Path.of(System.getenv("BENCH_STATE") + ".begun"), now);
        } catch (java.io.IOException error) {
            throw new IllegalStateException(error);
        }
    }

    private static <T> Serializer<T> writer() {
        return (topic, value) -> value == null ? null : bytes(value);
    }

    private static <T> Deserializer<T> reader(Class<T> type) {
        return (topic, value) -> {
            try {
                return value == null ? null : JSON.readValue(value, type);
            } catch (java.io.IOException error) {
                throw new IllegalArgumentException(error);
            }
        };
    }

    private static byte[] bytes(Object value) {
        try {
            return JSON.writeValueAsBytes(value);
        } catch (com.fasterxml.jackson.core.JsonProcessingException error) {
            throw new IllegalArgumentException(error);
        }
    }
}
