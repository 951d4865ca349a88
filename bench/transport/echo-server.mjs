// A gRPC echo server in a process of its own, started by server-processes.ts with the length of its streams. Plain
// JavaScript: it runs without a loader.
import grpc from "@grpc/grpc-js";

const messagesPerStream = Number(process.argv[2]);
const identity = (bytes) => bytes;

const method = (name, requestStream, responseStream) => ({
  path: `/holdfast.bench.Echo/${name}`,
  requestStream,
  responseStream,
  requestSerialize: identity,
  requestDeserialize: identity,
  responseSerialize: identity,
  responseDeserialize: identity,
});

const service = {
  unary: method("Unary", false, false),
  serverStreaming: method("ServerStreaming", false, true),
  clientStreaming: method("ClientStreaming", true, false),
  bidi: method("Bidi", true, true),
};

const handlers = {
  unary: (call, callback) => callback(null, call.request),
  // As fast as the client reads.
  serverStreaming(call) {
    let left = messagesPerStream;
    const write = () => {
      while (left > 0) {
        left--;
        if (!call.write(call.request) && left > 0) return call.once("drain", write);
      }
      call.end();
    };
    write();
  },
  clientStreaming(call, callback) {
    let received = 0;
    let last;
    call.on("data", (message) => {
      received++;
      last = message;
    });
    call.on("end", () => {
      if (received === messagesPerStream) callback(null, last);
      else
        callback({
          code: grpc.status.DATA_LOSS,
          details: `${received} of ${messagesPerStream} messages arrived`,
        });
    });
  },
  bidi: (call) => call.pipe(call),
};

const server = new grpc.Server();
server.addService(service, handlers);

// The bench holds the other end: when it is gone, however it went, so is this process.
process.stdin.resume().on("end", () => process.exit(0));

server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(port);
});
