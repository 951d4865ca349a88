import { type CallSettings, callOptions, type PromiseCallOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { flavours } from "../fixtures/stubs/flavours.js";
import { callToEnd, KINDS, type Kind } from "../support/contract-calls.js";
import {
  describeDoors,
  doors,
  type Entrance,
  furtherDoors,
  type OpenDoor,
  QUICK,
} from "../support/contract-doors.js";
import { passThrough } from "./promises-scene.js";

const tsProto = flavours.filter(({ name }) => name === "ts-proto");
const everyDoor = [...doors, ...furtherDoors];
const pooledDoors = everyDoor.filter(({ isPooled }) => isPooled);
const HASHING = { ...QUICK, loadBalancing: "ring_hash" } as const;

/** An option of every call, by its type. */
const keyed = (hashKey: string): CallSettings & PromiseCallOptions => ({ hashKey });

describeDoors(
  (entrance) => {
    describe.each([
      ["without interceptors", {}],
      ["through an interceptor", { interceptors: [passThrough] }],
    ])("%s", (_way, client) => {
      it.each(KINDS)("sends %s calls with equal keys to one server while keys take turns", async (kind) => {
        const opened = entrance.open({ channel: HASHING, client });
        const [first, second] = await keysApart(entrance, opened);
        const keys = [first, second, first, second, first];

        const reached = [];
        for (const key of keys) reached.push(await serverOf(entrance, opened, kind, key));

        const [one, other] = reached;
        expect(one).not.toBe(other);
        expect(reached).toEqual([one, other, one, other, one]);
      });
    });

    it("takes a key in silence under a policy that has no use for it", async () => {
      const opened = entrance.open();

      const reached = new Set<string>();
      while (reached.size < 2) reached.add(await serverOf(entrance, opened, "unary", "a"));

      expect([...reached].sort()).toEqual(entrance.servers.map(({ address }) => address).sort());
    });
  },
  pooledDoors,
  tsProto,
);

describeDoors(
  (entrance) => {
    it("takes a key in silence where no pool could follow it", async () => {
      const end = await entrance.call("unary", { options: callOptions(keyed("a")) });

      expect(end.error).toBeNull();
      expect(entrance.runs).toHaveLength(1);
    });
  },
  everyDoor.filter(({ id }) => ["bare", "interceptors"].includes(id)),
  tsProto,
);

describeDoors(
  (entrance) => {
    it("refuses a key by name, with what would make it count", async () => {
      const { error } = await entrance.call("unary", { options: callOptions(keyed("a")) });

      expect(error).toMatchObject({ reason: "CONFIG_INVALID" });
      expect(error?.details).toMatch(/hashKey needs a hardened stub/);
      expect(entrance.runs).toHaveLength(0);
    });
  },
  furtherDoors.filter(({ id }) => id === "plainPromises"),
  tsProto,
);

/** Two keys whose calls meet different servers. */
async function keysApart(entrance: Entrance, opened: OpenDoor): Promise<[string, string]> {
  const home = await serverOf(entrance, opened, "unary", "key 0");
  for (let index = 1; ; index++) {
    const key = `key ${index}`;
    if ((await serverOf(entrance, opened, "unary", key)) !== home) return ["key 0", key];
  }
}

/** The address of the one server that a call with this key reaches. */
async function serverOf(entrance: Entrance, { stub }: OpenDoor, kind: Kind, key: string): Promise<string> {
  for (const server of entrance.servers) server.runs.length = 0;
  const end = await callToEnd(entrance.flavour, stub, kind, { options: callOptions(keyed(key)) });
  expect(end.error).toBeNull();
  expect(entrance.runs).toHaveLength(1);
  return entrance.servers.find(({ runs }) => runs.length === 1)?.address ?? "none";
}
