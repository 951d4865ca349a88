import { credentials } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import {
  createRaftPeer,
  createRaftPeerOver,
  createRaftPeers,
  type RaftPeerOptions,
} from "../../src/raft-peer/index.js";
import { ClientSockets } from "../support/client-sockets.js";
import { configErrorOf, problemCount } from "../support/config-error.js";
import { ScriptedLink } from "./scripted-link.js";

const ADDRESSES = ["10.0.0.1:5001", "10.0.0.2:5001", "10.0.0.3:5001"];
const PLAIN = { insecure: true };

const refusal = (address: unknown, options: unknown) =>
  configErrorOf(() => createRaftPeer(address as string, options as RaftPeerOptions));
const clusterRefusal = (addresses: unknown, me: unknown, options: unknown = PLAIN) =>
  configErrorOf(() => createRaftPeers(addresses as string[], me as number, options as RaftPeerOptions));

describe("making a peer", () => {
  it("opens no socket, neither then nor when it is closed unused", async () => {
    const sockets = new ClientSockets();

    const peer = createRaftPeer("127.0.0.1:1", PLAIN);
    await peer.close();

    expect(sockets.all).toEqual([]);
    sockets.close();
  });

  it.each(["10.0.0.1:5001", "localhost:5001", "[::1]:5001", "unix:/tmp/a,b.sock"])(
    "takes the address %s and keeps it as it is written",
    async (address) => {
      const peer = createRaftPeer(address, PLAIN);

      expect(peer.address).toBe(address);
      await peer.close();
    },
  );

  it.each([
    ["", 'address is "", which has no port'],
    ["localhost", "write host:port"],
    ["a:1,b:2", 'address is "a:1,b:2"'],
    ["static:///a:1", "address is"],
    ["10.0.0.1:70000", "allowed are 1 to 65535"],
    [undefined, "address is undefined; allowed: a string"],
    [5001, "address is number; allowed: a string"],
  ])("refuses the address %s, and says why", (address, why) => {
    const error = refusal(address, PLAIN);

    expect(error.details).toContain(`createRaftPeer: 1 problem: `);
    expect(error.details).toContain(why);
    expect(error.reason).toBe("CONFIG_INVALID");
  });

  it("names every problem of address, options and channel at once, by key and value", () => {
    const error = refusal("nowhere", {
      voteTimeoutMs: 0,
      apendTimeoutMs: 5,
      insecure: "yes",
      channel: { breakr: false, idleTimeoutMs: -1, reconnectBackoff: { initialMs: 0 } },
    });

    expect(error.details).toContain('address is "nowhere", which has no port');
    expect(error.details).toContain("voteTimeoutMs is 0; allowed: 1 or more");
    expect(error.details).toContain("apendTimeoutMs is not a known key (did you mean appendTimeoutMs?)");
    expect(error.details).toContain('; insecure is "yes"; allowed: a value of type boolean');
    expect(error.details).toContain("channel.breakr is not a known key (did you mean breaker?)");
    expect(error.details).toContain("channel.idleTimeoutMs is -1");
    expect(error.details).toContain("channel.reconnectBackoff.initialMs is 0");
    expect(problemCount(error)).toBe(7);
  });

  it.each([
    [{}, "credentials is missing"],
    [{ insecure: false }, "insecure"],
    [
      { insecure: true, credentials: credentials.createInsecure() },
      "insecure is true: is set beside credentials",
    ],
    [{ credentials: {} }, "credentials: must be ChannelCredentials"],
    [{ ...PLAIN, channel: "raft" }, 'channel is "raft"; allowed: a value of type object'],
    [{ ...PLAIN, channel: ["raft"] }, "channel is an array"],
  ])("refuses %j", (options, why) => {
    const error = refusal("a:1", options);

    expect(error.details).toContain(`1 problem: ${why}`);
  });

  it.each([undefined, null, 5, "insecure"])("refuses %s in place of options", (options) => {
    expect(refusal("a:1", options).details).toContain("options is");
  });

  it("refuses a channel that could not send what the peer may", () => {
    const channel = { maxSendMessageBytes: 1_000 };
    const error = refusal("a:1", { ...PLAIN, maxAppendBytes: 999, maxSnapshotBytes: 1_001, channel });

    expect(error.details).toContain(
      "1 problem: channel.maxSendMessageBytes is 1000; allowed: maxSnapshotBytes (1001) or more",
    );
  });
});

describe("making the peers of a cluster", () => {
  it("keeps the order, with null for the node itself", async () => {
    const peers = createRaftPeers(ADDRESSES, 1, PLAIN);

    expect(peers.map((peer) => peer?.address ?? null)).toEqual([ADDRESSES[0], null, ADDRESSES[2]]);
    await Promise.all(peers.map((peer) => peer?.close()));
  });

  it("makes none for a cluster of one", () => {
    expect(createRaftPeers(["a:1"], 0, PLAIN)).toEqual([null]);
  });

  it.each([-1, 3, 0.5, Number.NaN, "1", undefined])("refuses %s as the node's place", (me) => {
    const { details } = clusterRefusal(ADDRESSES, me);

    expect(details).toBe(`createRaftPeers: 1 problem: me is ${me}; allowed: 0 to 2, a place in addresses`);
  });

  it.each([
    [[], "addresses is an empty array; allowed: 1 entry or more"],
    [undefined, "addresses is of type undefined; allowed: 1 entry or more"],
    ["a:1", "addresses is of type string"],
    [["a:1", "A:1"], 'addresses.1 is "A:1", the same as addresses.0'],
    [["[::1]:1", "[0:0::1]:1"], 'addresses.1 is "[0:0::1]:1", the same as addresses.0'],
  ])("refuses the addresses %j", (addresses, why) => {
    expect(clusterRefusal(addresses, 0).details).toContain(`createRaftPeers: 1 problem: ${why}`);
  });

  it("names every problem of addresses, place and options at once", () => {
    const error = clusterRefusal(["a", "b:2", "b:2", 5], 4, { minFailureMs: -1 });

    expect(error.details).toMatch(
      /addresses\.0 .*addresses\.2 .*addresses\.3 .*me is 4.*minFailureMs.*credentials/,
    );
    expect(problemCount(error)).toBe(6);
  });
});

describe("making a peer over a link", () => {
  it("has the link's address and closes the link", async () => {
    const link = new ScriptedLink(() => ({ term: 1n, voteGranted: true }));
    const peer = createRaftPeerOver(link);

    expect(peer.address).toBe(link.address);
    await peer.close();
    expect(link.closings).toBe(1);
  });

  it("refuses options that only a channel has, and values out of range", () => {
    const options = { insecure: true, maxAppendBytes: 1 } as object;
    const error = configErrorOf(() => createRaftPeerOver(new ScriptedLink(() => "hang"), options));

    expect(error.details).toContain("insecure is not a known key");
    expect(error.details).toContain("maxAppendBytes is 1; allowed: 64 or more");
  });
});

it.each([5, {}, { encode: () => Buffer.alloc(0) }])(
  "refuses a command codec that is none: %j",
  (commandCodec) => {
    const error = configErrorOf(() =>
      createRaftPeer("127.0.0.1:1", { insecure: true }, { commandCodec: commandCodec as never }),
    );

    expect(error.details).toContain(
      "commandCodec is none; allowed: an object with the methods encode and decode",
    );
  },
);
