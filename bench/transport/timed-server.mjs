// A gRPC echo server that takes its time, in a process of its own. Its one argument is JSON: `port` (0 for any), `delayMs`
// per call, `slowMs` in place of it after SIGUSR2 (and back after the next), `maxStreams` per connection, `answerBytes`. It
// answers its own port, and blanks up to that many bytes. Plain JavaScript: it runs without a loader.
import grpc from "@grpc/grpc-js";

const {
  port = 0,
  delayMs = 0,
  slowMs = delayMs,
  maxStreams,
  answerBytes = 0,
} = JSON.parse(process.argv[2] ?? "{}");
const identity = (bytes) => bytes;
let isSlow = false;
let answer = Buffer.alloc(0);

process.on("SIGUSR2", () => {
  isSlow = !isSlow;
});

// The bench holds the other end: when it is gone, however it went, so is this process.
process.stdin.resume().on("end", () => process.exit(0));

const server = new grpc.Server(maxStreams === undefined ? {} : { "grpc.max_concurrent_streams": maxStreams });
server.addService(
  {
    unary: {
      path: "/holdfast.bench.Echo/Unary",
      requestStream: false,
      responseStream: false,
      requestSerialize: identity,
      requestDeserialize: identity,
      responseSerialize: identity,
      responseDeserialize: identity,
    },
  },
  {
    unary(_call, callback) {
      const ms = isSlow ? slowMs : delayMs;
      if (ms === 0) callback(null, answer);
      else setTimeout(callback, ms, null, answer);
    },
  },
);

server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), (error, bound) => {
  if (error) throw error;
  answer = Buffer.from(String(bound).padEnd(answerBytes));
  console.log(JSON.stringify({ port: bound }));
});
