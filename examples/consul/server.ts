/**
 * A gRPC server that puts itself into Consul: `node --import tsx examples/consul/server.ts CONSUL ID`, where CONSUL is
 * Consul's host:port and ID the name it goes by there. SIGUSR2 has it say "warning", by which it gets a smaller share of the
 * calls; SIGTERM has it leave in order.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";
import { registerService } from "holdfast";
import { GreeterClient, type HelloReply, type HelloRequest } from "./greeter-stub.js";

/** Clients that have not heard yet that the server leaves still call it: they hear within a second or so. */
const LAME_DUCK_MS = 2_000;

const [consul = "127.0.0.1:8500", id = "greeter"] = process.argv.slice(2);

const server = new Server();
server.addService(GreeterClient.service, {
  Hello(call: ServerUnaryCall<HelloRequest, HelloReply>, callback: sendUnaryData<HelloReply>) {
    callback(null, { text: `Hello, ${call.request.name}!`, server: id });
  },
});
const port = await new Promise<number>((resolve, reject) => {
  server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
    error === null ? resolve(bound) : reject(error),
  );
});

// It listens: now clients may come.
const registration = await registerService(`consul://${consul}/greeter`, {
  address: `127.0.0.1:${port}`,
  id,
  weight: 4,
  warningWeight: 1,
  check: { ttlMs: 3_000 },
});
console.log(`listens on ${port}, ${registration.stats().state}`);
registration.onEvent((event) => console.log(JSON.stringify(event)));

process.once("SIGTERM", async () => {
  await registration.close();
  await sleep(LAME_DUCK_MS);
  server.tryShutdown(() => process.exit(0));
});
if (process.platform !== "win32") {
  process.once("SIGUSR2", () => {
    registration.setStatus("warning", "the disk is nearly full").catch(console.error);
  });
}
