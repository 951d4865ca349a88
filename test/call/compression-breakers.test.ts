import { expect, it } from "vitest";
import { settle } from "../support/manual-clock.js";
import { A, B, LanesBench, pickedBy, slotOf } from "./lanes-bench.js";

const STRICT = { breaker: { consecutiveFailures: 2 } };

/** Fails an attempt there, as a server that answers UNAVAILABLE does. */
function failOn(lane: Parameters<typeof slotOf>[0]): void {
  const { gate } = slotOf(lane).standing;
  gate.fail(gate.acquire());
}

it("an endpoint has one breaker: failures with and without compression add up, and keep off both", async () => {
  const bench = new LanesBench(STRICT);
  const lane = await bench.withLane("gzip");

  failOn(bench.backend.transport);
  failOn(lane);

  expect([pickedBy(bench.backend.transport), pickedBy(lane)]).toEqual(["CIRCUIT_OPEN", "CIRCUIT_OPEN"]);
  expect(bench.backend.endpoints()).toMatchObject([{ breaker: "open" }]);
  expect(bench.events.filter(({ type }) => type === "breaker.state")).toHaveLength(1);
});

it("one probe at a time finds out for both whether the endpoint is back", async () => {
  const bench = new LanesBench(STRICT);
  const lane = await bench.withLane("gzip");
  failOn(lane);
  failOn(lane);
  await bench.clock.advance(5_000);

  const { gate } = slotOf(lane).standing;
  const isProbe = gate.acquire();
  expect(pickedBy(bench.backend.transport)).toBe("CIRCUIT_OPEN");
  gate.succeed(isProbe);

  expect([pickedBy(bench.backend.transport), pickedBy(lane)]).toEqual([A, A]);
});

it.each([
  ["without compression", "identity", "gzip"],
  ["with compression", "gzip", "identity"],
] as const)(
  "a call that waits %s goes as soon as another has closed the breaker",
  async (_how, waiting, probing) => {
    const bench = new LanesBench(STRICT);
    await bench.withLane("gzip");
    const [waits, lane] = [
      bench.backend.transportFor(waiting, false),
      bench.backend.transportFor(probing, false),
    ];
    failOn(lane);
    failOn(lane);
    await bench.clock.advance(5_000);
    const { gate } = slotOf(lane).standing;
    const isProbe = gate.acquire();
    let route = "none";
    waits.queue.add({
      onPickable: () => {
        route = pickedBy(waits);
        return route === A;
      },
    });

    gate.succeed(isProbe);

    expect(route).toBe(A);
    expect(bench.backend.callsQueued).toBe(0);
  },
);

it("dials refused to compressed calls alone do not keep plain calls off an endpoint that serves them", async () => {
  const bench = await new LanesBench(STRICT).awake();
  bench.network.plan(A, "refuse");

  bench.backend.transportFor("gzip", false);
  await bench.clock.advance(60_000);

  expect(bench.dialled("gzip").length).toBeGreaterThan(5);
  expect(pickedBy(bench.backend.transport)).toBe(A);
});

it("an old connection that is lost beside a new one of the same kind counts", async () => {
  const bench = await new LanesBench({ breaker: { consecutiveFailures: 1 } }).awake();
  const slot = slotOf(bench.backend.transport);
  slot.callStarted();
  slot.createCall("/test.Echo/Say", Number.POSITIVE_INFINITY, undefined);
  bench.last("identity").goaway();
  await bench.clock.advance(1_000);
  expect(pickedBy(bench.backend.transport)).toBe(A);

  bench.dialled("identity")[0]?.lose("read ECONNRESET");
  await settle();

  expect(pickedBy(bench.backend.transport)).toBe("CIRCUIT_OPEN");
});

it("the end of a server counts once, however many connections it ends", async () => {
  const bench = new LanesBench(STRICT);
  const lane = await bench.withLane("gzip");
  bench.network.plan(A, "hang");
  const { gate } = slotOf(lane).standing;

  for (const { channel } of [...bench.dials]) channel.lose("read ECONNRESET");
  await settle();

  expect(bench.events.filter(({ type }) => type === "connection.lost")).toHaveLength(2);
  expect(gate.state).toBe("closed");
  gate.fail(gate.acquire());
  expect(gate.state).toBe("open");
});

it("an endpoint that left and came back begins anew in all lanes, with one breaker", async () => {
  const bench = new LanesBench(STRICT, `static:///${A},${B}`);
  const lane = await bench.withLane("gzip");
  const before = bench.backend.transport.at(A)?.standing.gate;
  before?.fail(before.acquire());
  before?.fail(before.acquire());

  bench.backend.updateEndpoints([B]);
  bench.backend.updateEndpoints([A, B]);

  const after = bench.backend.transport.at(A)?.standing.gate;
  expect(after).not.toBe(before);
  expect(after?.state).toBe("closed");
  expect(lane.at(A)?.standing.gate).toBe(after);
});

it("the panic floor counts an endpoint once, and as ready where any of its connections is", async () => {
  const bench = new LanesBench(STRICT, `static:///${A},${B}`);
  const lane = await bench.withLane("gzip");
  const gates = [A, B].map((address) => lane.at(address)?.standing.gate);
  gates[0]?.fail(gates[0].acquire());
  gates[0]?.fail(gates[0].acquire());
  bench.network.plan(A, "hang");
  bench
    .dialled("identity")
    .find(({ peer }) => peer === A)
    ?.lose();
  await settle();

  gates[1]?.fail(gates[1].acquire());
  gates[1]?.fail(gates[1].acquire());

  expect(gates.map((gate) => gate?.state)).toEqual(["open", "closed"]);
});
