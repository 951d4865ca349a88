import { randomBytes } from "node:crypto";
import { credentials, Metadata } from "@grpc/grpc-js";
import { systemClock } from "../../src/core/index.js";
import { KVServiceClient, KVServiceService } from "../../src/gen/kvraftpb/kvraft.js";
import { createClerk, type LinkFactory } from "../../src/index.js";
import { grpcLinks } from "../../src/raft-peer/grpc-link.js";
import { PlainClerk, type PlainSend } from "./plain-clerk.js";
import { RequestLog } from "./request-log.js";

/** What both kinds of client can do. */
export interface KvClient {
  get(key: string): Promise<unknown>;
  put(key: string, value: string): Promise<unknown>;
  append(key: string, value: string): Promise<unknown>;
}

const NO_METADATA = new Metadata();

/** One side of the comparison. */
export interface Contestant {
  readonly name: "Clerk" | "plain";
  /** What each worker calls, one operation at a time. */
  readonly clients: readonly KvClient[];
  /** Every request of all of them: commands and, of the Clerk, probes. */
  readonly requests: RequestLog;
  close(): Promise<void>;
}

/** One Clerk with a session per worker, over the links that it makes by itself, with a counter on them. */
export function openClerk(servers: readonly string[], workers: number): Contestant {
  const requests = new RequestLog();
  const links = grpcLinks({ preset: "eraft", insecure: true });
  const connect: LinkFactory = (address, services) => {
    const link = links(address, services);
    return {
      address,
      call(method, request, timeoutMs, done) {
        requests.note(method.path === KVServiceService.getStatus.path ? "probe" : "command");
        return link.call(method, request, timeoutMs, done);
      },
      endpoint: () => link.endpoint(),
      close: () => link.close(),
    };
  };
  const clerk = createClerk({ servers: [...servers], sessions: workers }, { connect });
  const clients = Array.from({ length: workers }, () => clerk);
  return { name: "Clerk", clients, requests, close: () => clerk.close({ drainMs: 0 }) };
}

/** A plain client per worker, over bare stubs: one per server, which they share. */
export function openPlain(servers: readonly string[], workers: number): Contestant {
  const requests = new RequestLog();
  const stubs = servers.map((address) => new KVServiceClient(address, credentials.createInsecure()));
  const send: PlainSend = (server, request, timeoutMs, done) => {
    requests.note("command");
    const deadline = Date.now() + timeoutMs;
    stubs[server]!.command(request, NO_METADATA, { deadline }, (error, reply) =>
      done(error === null ? reply : null),
    );
  };
  const clients = Array.from({ length: workers }, () => {
    const clientId = randomBytes(8).readBigUInt64BE() >> 2n;
    return new PlainClerk({ servers: servers.length, clientId, clock: systemClock, send });
  });
  const close = async (): Promise<void> => {
    for (const client of clients) client.close();
    for (const stub of stubs) stub.close();
  };
  return { name: "plain", clients, requests, close };
}
