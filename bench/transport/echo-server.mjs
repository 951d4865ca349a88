// A gRPC echo server in a process of its own, started by echo-servers.ts. Plain JavaScript: it runs without a loader.
import grpc from "@grpc/grpc-js";

const identity = (bytes) => bytes;

const service = {
  unary: {
    path: "/holdfast.bench.Echo/Unary",
    requestStream: false,
    responseStream: false,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  },
};

const server = new grpc.Server();
server.addService(service, { unary: (call, callback) => callback(null, call.request) });

// The bench holds the other end: when it is gone, however it went, so is this process.
process.stdin.resume().on("end", () => process.exit(0));

server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(port);
});
