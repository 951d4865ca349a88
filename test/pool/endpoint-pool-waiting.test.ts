import { describe, expect, it } from "vitest";
import { pickFailure } from "../../src/pool/pick-failure.js";
import { settle } from "../support/manual-clock.js";
import { A, B, PoolBench } from "./pool-bench.js";

describe("a pick that finds nothing", () => {
  it("C19: waits while the set is not known, and while endpoints connect", async () => {
    const bench = new PoolBench();
    bench.pool.connect();
    expect(bench.picks(1)).toEqual(["queue"]);

    bench.network.plan(A, "hang");
    bench.set(A);
    await settle();

    expect(bench.picks(1)).toEqual(["queue"]);
    expect(bench.words).toEqual(["CONNECTING"]);
  });

  it("C19: fails once every endpoint failed, and goes on failing while they are dialled again (R107)", async () => {
    const bench = new PoolBench();
    bench.network.plan(A, "refuse", "hang");
    await bench.connected(A);
    expect(bench.picks(1)).toEqual(["DIAL_FAILED"]);

    await bench.clock.advance(1_000);

    expect(bench.states).toEqual(["CONNECTING"]);
    expect(bench.picks(1)).toEqual(["DIAL_FAILED"]);
    expect(bench.words).toEqual(["CONNECTING", "TRANSIENT_FAILURE"]);
  });

  it("waits while one endpoint is still being dialled for the first time", async () => {
    const bench = new PoolBench();
    bench.network.plan(A, "refuse");
    bench.network.plan(B, "hang");
    await bench.connected(A, B);

    expect(bench.picks(1)).toEqual(["queue"]);
  });

  it("waits through the redial of a connection that was lost", async () => {
    const bench = await new PoolBench().connected(A);
    bench.network.plan(A, "hang");

    bench.network.last(A).lose();
    await settle();

    expect(bench.picks(1)).toEqual(["queue"]);
  });

  it("fails with the resolver's reason until a set arrives", async () => {
    const bench = new PoolBench();
    bench.pool.connect();

    bench.pool.failPicks(pickFailure("DISCOVERY_FAILED", "no answer from DNS"));
    expect(bench.picks(1)).toEqual(["DISCOVERY_FAILED"]);
    expect(bench.pool.missing).toBe("no answer from DNS");
    expect(bench.words.at(-1)).toBe("TRANSIENT_FAILURE");

    await bench.connected(A);
    expect(bench.picks(1)).toEqual([A]);
  });
});

describe("calls that wait", () => {
  it("are served in order as soon as an endpoint is ready, with no more picks than changes (C19, R106)", async () => {
    const bench = new PoolBench();
    bench.network.plan(A, "hang");
    await bench.connected(A);
    const log: string[] = [];
    let picks = 0;
    for (const name of ["first", "second"]) {
      bench.pool.queue.add({
        onPickable: () => {
          picks++;
          if (bench.picks(1)[0] === "queue") return false;
          log.push(name);
          return true;
        },
      });
    }

    await bench.network.last(A).accept();
    await settle();

    expect(log).toEqual(["first", "second"]);
    expect(picks).toBeLessThanOrEqual(2 * 2);
    expect(bench.pool.queue.size).toBe(0);
  });

  it("R75: are served one by one as streams become free", async () => {
    const bench = await new PoolBench({ maxStreamsPerConnection: 1 }).connected(A);
    const connection = bench.connection(A);
    connection.callStarted();
    const log: string[] = [];
    for (const name of ["first", "second"]) {
      bench.pool.queue.add({
        onPickable: () => {
          if (bench.picks(1)[0] === "queue") return false;
          connection.callStarted();
          log.push(name);
          return true;
        },
      });
    }

    connection.callEnded();

    expect(log).toEqual(["first"]);
    expect(bench.pool.queue.size).toBe(1);
  });

  it("are told when all endpoints have failed", async () => {
    const bench = new PoolBench();
    bench.network.plan(A, "hang");
    await bench.connected(A);
    const answers: string[] = [];
    bench.pool.queue.add({
      onPickable: () => {
        const [answer = ""] = bench.picks(1);
        answers.push(answer);
        return answer !== "queue";
      },
    });

    await bench.clock.advance(10_000);

    expect(answers).toEqual(["DIAL_FAILED"]);
  });
});

describe("writes that get stuck", () => {
  it("make their connection suspect, and only that one", async () => {
    const bench = await new PoolBench().connected(A, B);
    bench.connection(A).writeStarted();
    bench.pool.tick();
    expect(bench.subchannel(A).isSuspect).toBe(false);

    await bench.clock.advance(5_000);
    bench.pool.tick();

    expect(bench.subchannel(A).isSuspect).toBe(true);
    expect(bench.subchannel(B).isSuspect).toBe(false);
    expect(bench.events.at(-1)).toEqual({
      type: "connection.suspect",
      endpoint: A,
      cause: "a write was not flushed for 5000 ms without a byte from the peer",
    });
  });
});

describe("C19: a pick while nothing is ready", () => {
  it("waits while an endpoint connects for the first time, whatever the others do", async () => {
    const bench = new PoolBench();
    bench.network.plan(A, "hang");
    bench.network.plan(B, "refuse");
    await bench.connected(A, B);

    expect(bench.picks(1)).toEqual(["queue"]);
  });

  it("waits while a lost connection is about to be dialled again", async () => {
    const bench = await new PoolBench().connected(A);

    bench.network.last(A).lose("read ECONNRESET");
    await settle();

    expect(bench.picks(1)).toEqual(["queue"]);
  });

  it("waits while an endpoint is idle and about to be connected", () => {
    const bench = new PoolBench();
    bench.set(A);

    expect(bench.picks(1)).toEqual(["queue"]);
  });

  it("R45, R106: waits for a wait-for-ready call when every dial failed, and fails for others", async () => {
    const bench = new PoolBench();
    bench.network.plan(A, "refuse");
    await bench.connected(A);

    expect(bench.picks(1, [], true)).toEqual(["queue"]);
    expect(bench.picks(1)).toEqual(["DIAL_FAILED"]);
  });

  it("R45: waits for a wait-for-ready call when every breaker is open", async () => {
    const bench = await new PoolBench().connected(A);
    bench.gate(A).isOpen = true;

    expect(bench.picks(1, [], true)).toEqual(["queue"]);
    expect(bench.picks(1)).toEqual(["CIRCUIT_OPEN"]);
  });
});
