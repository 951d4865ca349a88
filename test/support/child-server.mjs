// A gRPC server in a process of its own, for tests that freeze or kill it: `node child-server.mjs [port]`.
// Plain JavaScript, because it runs without any loader; the service is that of counter-service.ts, echoing.
import grpc from "@grpc/grpc-js";

const identity = (bytes) => bytes;

function method(name, requestStream, responseStream) {
  return {
    path: `/holdfast.test.Counter/${name}`,
    requestStream,
    responseStream,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  };
}

const service = {
  Unary: method("Unary", false, false),
  ServerStream: method("ServerStream", false, true),
  ClientStream: method("ClientStream", true, false),
  Bidi: method("Bidi", true, true),
};

const server = new grpc.Server();
server.addService(service, {
  Unary: (call, callback) => callback(null, call.request),
  ServerStream: (call) => {
    for (const part of String(call.request).split(",")) call.write(Buffer.from(part));
    call.end();
  },
  ClientStream: (call, callback) => {
    const parts = [];
    call.on("data", (message) => parts.push(String(message)));
    call.on("end", () => callback(null, Buffer.from(parts.join(","))));
  },
  Bidi: (call) => {
    call.on("data", (message) => call.write(message));
    call.on("end", () => call.end());
  },
});

// The parent holds the other end: when it is gone, however it went, so is this process.
process.stdin.resume().on("end", () => process.exit(0));

const address = `127.0.0.1:${process.argv[2] ?? 0}`;
server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(JSON.stringify({ port }));
});
