import { connectivityState } from "@grpc/grpc-js";
import { type ChannelView, callOptions } from "holdfast";
import { type DoorOptions, type Entrance, type OpenDoor, QUICK } from "../contract-doors.js";
import type { DirectedServer } from "../directed-server.js";
import { grpcFrame, respondHeadersThen, respondOk } from "../raw-http2-server.js";
import { TlsFront } from "../tls-front.js";
import { type Probe, raw, reasonOf, unary, yesIf } from "./probe.js";

/** `HealthCheckResponse { status: NOT_SERVING }`. */
const NOT_SERVING = Buffer.from([0x08, 0x02]);

/** What endpoints and their connections are to a door. */
export const poolProbes = {
  async pool(entrance) {
    const opened = entrance.open();
    for (let call = 0; call < 10; call++) await unary(entrance, opened);
    return yesIf(entrance.servers.every(({ runs }) => runs.length > 0));
  },

  async poolSize(entrance) {
    const server = await raw(entrance, ({ stream }) => respondOk(stream));
    const opened = openIfTaken(entrance, { channel: { ...QUICK, poolSize: 2 }, addresses: [server.address] });
    if (opened === null) return "no";
    // The second connection is dialled beside the first, and may be later than some calls.
    for (let call = 0; call < 50 && server.sessionsOpened < 2; call++) await unary(entrance, opened);
    return yesIf(server.sessionsOpened === 2);
  },

  async tls(entrance) {
    const front = entrance.use(await TlsFront.start(entrance.servers[0]!.port));
    const channel = { ...QUICK, ...front.secure };
    const opened = entrance.open({ channel, addresses: [front.address] });
    const { error } = await unary(entrance, opened);
    // A door that became a pool by it is another one.
    const isPool = channelOf(opened).stats?.().mode === "pool";
    return yesIf(error === null && isPool === entrance.door.isPooled);
  },

  async health(entrance) {
    const calls: string[] = [];
    const sick = await raw(entrance, ({ stream, headers }) => {
      const path = String(headers[":path"]);
      if (path === "/grpc.health.v1.Health/Watch") {
        respondHeadersThen(stream).write(grpcFrame(NOT_SERVING));
      } else {
        calls.push(path);
        respondOk(stream);
      }
    });
    const addresses = [sick.address, entrance.servers[0]!.address];
    const opened = openIfTaken(entrance, { channel: { ...QUICK, health: { serviceName: "" } }, addresses });
    if (opened === null) return "no";
    for (let call = 0; call < 10; call++) await unary(entrance, opened);
    return yesIf(sick.streamsStarted > 0 && calls.length === 0 && entrance.runs.length === 10);
  },

  async ready(entrance) {
    const channel = channelOf(entrance.open());
    if (channel.ready === undefined) return "no";
    await channel.ready({ timeoutMs: 2_000 });
    return yesIf(channel.getConnectivityState?.(false) === connectivityState.READY);
  },

  async isolate(entrance) {
    const opened = entrance.open();
    const channel = channelOf(opened);
    if (channel.isolate === undefined) return "no";
    await unary(entrance, opened);
    const isolated = channel.isolate(channel.endpoints?.()[0]?.address ?? "");
    const server = entrance.servers[0]!;
    const before = server.runs.length;
    const ends = [];
    for (let call = 0; call < 4; call++) ends.push(await unary(entrance, opened));
    const isSpared = server.runs.length === before;
    isolated.dispose();
    while (server.runs.length === before) await unary(entrance, opened);
    if (!isSpared) return "no";
    if (ends.every(({ error }) => error === null)) return "yes";
    return ends.every(({ error }) => reasonOf(error) === "CIRCUIT_OPEN") ? "limited" : "no";
  },

  async hashKey(entrance) {
    const opened =
      openIfTaken(entrance, { channel: { ...QUICK, loadBalancing: "ring_hash" } }) ?? entrance.open();
    const servers = new Set<DirectedServer>();
    // Calls with equal keys meet one server; which, is the keys' luck.
    for (let key = 0; key < 24 && servers.size < 2; key++) {
      for (const server of entrance.servers) server.runs.length = 0;
      const options = callOptions({ hashKey: `key ${key}` });
      for (let call = 0; call < 3; call++) await unary(entrance, opened, { options });
      const reached = entrance.servers.filter(({ runs }) => runs.length > 0);
      if (reached.length !== 1) return "no";
      for (const server of reached) servers.add(server);
    }
    return yesIf(servers.size === 2);
  },
} satisfies Record<string, Probe>;

/** Null where the door refuses an option. */
function openIfTaken(entrance: Entrance, options: DoorOptions): OpenDoor | null {
  try {
    return entrance.open(options);
  } catch (error) {
    if (reasonOf(error) !== "CONFIG_INVALID") throw error;
    return null;
  }
}

/** What the stub gives as its channel, whoever made it. */
function channelOf({ stub }: OpenDoor): Partial<ChannelView> {
  return stub.getChannel() as Partial<ChannelView>;
}
