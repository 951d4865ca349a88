import fc from "fast-check";
import { isReason } from "holdfast";
import { expect, it } from "vitest";
import { placesIn } from "../src/config/json-schema.js";
import { Holdfast } from "../src/holdfast.js";
import { arbitraryOf } from "./config/json-schema-arbitrary.js";
import { ClientSockets } from "./support/client-sockets.js";

/** For keys whose text has a form; some of them wrong, so that both sides refuse the same. */
const TEXTS = {
  target: ["a:1", "static:///a:1,b:2", "dns:///kv.internal:9"],
  servers: ["a:1", "b:2", "[::1]:3"],
  addresses: ["a:1", "b:2", "c:3"],
  retryableCodes: ["UNAVAILABLE", "aborted"],
  loadBalancing: ["round_robin", "pick_first", "ring_hash", "round_robbin"],
  policy: ["least_pending", "no_such_policy"],
  metricNames: ["cpu_utilization", "utilization.queue", "load"],
  requestHashHeader: ["x-user-id", "x-key-bin"],
  "methods.*": ["a.B", "a.B/C", "kvraftpb.KVService", "raftpb.RaftService/RequestVote"],
  "channelOptions.*": ["grpc.primary_user_agent", "grpc.enable_retries", "grpc-node.max_session_memory"],
};

type Entry = Record<string, unknown>;

/** How an entry of each section is used. */
const SECTIONS: Readonly<Record<string, (holdfast: Holdfast) => unknown>> = {
  channels: (holdfast) => holdfast.channel("it"),
  clerks: (holdfast) => holdfast.clerk("it"),
  raftPeers: (holdfast) => holdfast.raftPeers("it", { me: 0 }),
};

function entriesOf(section: string): fc.Arbitrary<Entry> {
  const [schema] = placesIn(Holdfast.jsonSchema(), `${section}.*`);
  // TLS needs files, and has tests of its own. Of two ways to the servers one is enough.
  return fc.tuple(arbitraryOf(schema!, TEXTS), fc.boolean()).map(([entry, byTarget]) => {
    const { tls: _, servers, target, ...rest } = entry as Entry;
    if (section !== "clerks") return { ...(entry as Entry), insecure: true, tls: undefined };
    const place = byTarget ? { target: target ?? "dns:///kv:1" } : { servers: servers ?? ["a:1"] };
    return { ...rest, ...place, insecure: true };
  });
}

it.each(Object.keys(SECTIONS))(
  "makes whatever it accepted under %s, at random, without a socket",
  (section) => {
    const sockets = new ClientSockets();
    const seen = { accepted: 0, refused: 0 };

    fc.assert(
      fc.property(entriesOf(section), (entry) => {
        const holdfast = accepted({ [section]: { it: entry } });
        seen[holdfast === null ? "refused" : "accepted"] += 1;
        if (holdfast === null) return;
        SECTIONS[section]!(holdfast);
        holdfast.destroy();
      }),
      { numRuns: 400 },
    );
    sockets.close();

    expect(sockets.all).toEqual([]);
    // The generator is of no use when it finds only one side.
    expect(seen.accepted).toBeGreaterThan(15);
    expect(seen.refused).toBeGreaterThan(15);
  },
  60_000,
);

/** Null for what is refused as it should be. */
function accepted(config: object): Holdfast | null {
  try {
    return Holdfast.fromObject(config);
  } catch (error) {
    if (isReason(error, "CONFIG_INVALID")) return null;
    throw error;
  }
}
