import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type ConsulAgent, startConsul } from "../../../scripts/consul-cluster.mjs";
import { systemClock } from "../../../src/core/index.js";
import { mustSkipConsul, whyNoConsul } from "../../support/consul-agent.js";
import { ConsulApi, type ConsulStatus, ttlCheck } from "../../support/consul-api.js";
import { FakeConsul } from "../../support/fake-consul.js";
import { type FakeInstance, REGION } from "../../support/fake-consul-registry.js";

/** What both are told to know. */
const INSTANCES: readonly (FakeInstance & { readonly status: ConsulStatus })[] = [
  { id: "w1", address: "10.0.0.1", port: 81, tags: ["a", "b"], status: "passing", meta: { v: "1" } },
  { id: "w2", port: 82, tags: ["a"], status: "warning", weights: { Passing: 7, Warning: 2 } },
  { id: "w3", address: "::1", port: 83, status: "critical" },
  { id: "w4", address: "10.0.0.4", port: 0, status: "passing", zone: "z1" },
  {
    id: "w5",
    address: "10.0.0.5",
    port: 85,
    status: "passing",
    taggedAddresses: { wan: { Address: "1.2.3.4", Port: 95 } },
  },
];

interface Seen {
  readonly status: number;
  readonly text: string;
  readonly headers: Record<string, string | string[] | undefined>;
}

type Fields = Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>;

interface Entry {
  readonly Node: Fields;
  readonly Service: Fields;
  readonly Checks: readonly { readonly Status: string }[];
}

/** The fields that a resolver reads, of each entry; in an order of our own, since the real one has none. */
function read({ status, text, headers }: Seen) {
  if (status !== 200) return { status, text, type: headers["content-type"] };
  const found: Entry[] = JSON.parse(text);
  const idOf = ({ Service }: Entry) => `${Service["ID"]}`;
  const entries = found.sort((a, b) => idOf(a).localeCompare(idOf(b)));
  return {
    status,
    type: headers["content-type"],
    hasIndex: /^\d+$/.test(`${headers["x-consul-index"]}`),
    backend: headers["x-consul-query-backend"],
    knownLeader: headers["x-consul-knownleader"],
    entries: entries.map(({ Node, Service, Checks }) => ({
      node: [Node["Node"], Node["Address"], Node["Datacenter"], Node["TaggedAddresses"]?.["wan"]],
      service: ["ID", "Service", "Tags", "Address", "Port", "Meta", "Weights", "Locality"].map(
        (key) => Service[key],
      ),
      wan: Service["TaggedAddresses"]?.["wan"],
      checks: Checks.map(({ Status }) => Status),
    })),
  };
}

describe.skipIf(mustSkipConsul)(`the fake Consul answers as the real one${whyNoConsul}`, () => {
  let agent: ConsulAgent;
  let real: ConsulApi;

  beforeAll(async () => {
    agent = await startConsul();
    real = new ConsulApi(agent);
    for (const { id, address = "", port = 0, tags = [], meta = {}, status, ...more } of INSTANCES) {
      const { weights, zone, taggedAddresses } = more;
      await real.register({
        Name: "web",
        ID: id,
        Address: address,
        Port: port,
        Tags: tags,
        Meta: meta,
        Check: ttlCheck(id, status),
        ...(weights && { Weights: weights }),
        ...(taggedAddresses && { TaggedAddresses: taggedAddresses }),
        ...(zone && { Locality: { Region: REGION, Zone: zone } }),
      } as Parameters<ConsulApi["register"]>[0]);
    }
  });
  afterAll(() => agent.stop());

  let fake: FakeConsul;
  let ofFake: ConsulApi;
  beforeEach(async () => {
    fake = await FakeConsul.start(systemClock);
    fake.set("web", INSTANCES);
    ofFake = new ConsulApi({ httpAddress: `127.0.0.1:${fake.port}`, token: undefined });
  });

  const both = (path: string) => Promise.all([ofFake.request("GET", path), real.request("GET", path)]);

  it.each([
    "web",
    "web?passing=true",
    "web?tag=a",
    "web?tag=a&tag=b",
    "web?tag=nope",
    "web?stale=1",
    "web?consistent=1",
    "web?near=_agent",
    "web?near=nobody",
    "web?dc=dc1",
    "web?index=0&wait=60s",
    "nobody",
    "nobody?passing=true",
    // Refused.
    "web?stale=1&consistent=1",
    "web?index=abc",
    "web?index=-1",
    "web?wait=soon",
    "web?dc=nowhere",
    "",
  ])("to /v1/health/service/%s", async (question) => {
    const [mine, theirs] = await both(`/v1/health/service/${question}`);

    expect(read(mine)).toEqual(read(theirs));
  });

  it("to a path that it does not know", async () => {
    const [mine, theirs] = await both("/v1/nothing");

    expect(read(mine)).toEqual(read(theirs));
  });

  it("at once to an index that is over, and after the wait to one that is not", async () => {
    const [ofNow] = await both("/v1/health/service/web");
    const nowOf = async (api: ConsulApi) => (await api.health("web")).index;
    const [mineNow, theirsNow] = [await nowOf(ofFake), await nowOf(real)];

    const old = await both("/v1/health/service/web?index=1&wait=60s");
    const mine = await ofFake.request("GET", `/v1/health/service/web?index=${mineNow}&wait=50ms`);
    const theirs = await real.request("GET", `/v1/health/service/web?index=${theirsNow}&wait=50ms`);

    expect(ofNow.status).toBe(200);
    expect(read(old[0])).toEqual(read(old[1]));
    expect(read(mine)).toEqual(read(theirs));
    expect([mine.headers["x-consul-index"], theirs.headers["x-consul-index"]]).toEqual([
      `${mineNow}`,
      `${theirsNow}`,
    ]);
  });

  it("with its own index, lower than the one asked for, when the wait for one that never comes is over", async () => {
    const [mine, theirs] = await both("/v1/health/service/web?index=999999&wait=50ms");

    expect(read(mine)).toEqual(read(theirs));
    expect(Number(mine.headers["x-consul-index"])).toBeLessThan(999_999);
    expect(Number(theirs.headers["x-consul-index"])).toBeLessThan(999_999);
  });

  it("to a question that waits, when a check turns, with a higher index", async () => {
    const wait = async (api: ConsulApi, index: number) => {
      const path = `/v1/health/service/web?passing=true&index=${index}&wait=30s`;
      const { text, headers } = await api.request("GET", path);
      return { hasGrown: Number(headers["x-consul-index"]) > index, count: JSON.parse(text).length };
    };
    const now = await Promise.all([ofFake, real].map((api) => api.health("web")));

    const waiting = Promise.all([wait(ofFake, now[0]?.index ?? 0), wait(real, now[1]?.index ?? 0)]);
    await real.setCheck("w2", "passing");
    fake.set(
      "web",
      INSTANCES.map((instance) => (instance.id === "w2" ? { ...instance, status: "passing" } : instance)),
    );
    const [mine, theirs] = await waiting;
    await real.setCheck("w2", "warning");

    expect(mine).toEqual(theirs);
    expect(mine).toEqual({ hasGrown: true, count: 4 });
  });
});
