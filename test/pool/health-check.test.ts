import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { type CheckAnswer, checkHealth } from "../../src/pool/health-check.js";
import { ManualClock, settle } from "../support/manual-clock.js";
import { CHECK, FakeConnection, SERVING } from "./health-bench.js";

/** One Check, and what came of it. */
async function checked(service = "kv") {
  const clock = new ManualClock();
  const connection = new FakeConnection(clock);
  const answers: CheckAnswer[] = [];
  const cancel = checkHealth(
    connection,
    service,
    clock.epoch() + 1_000,
    null,
    (answer) => void answers.push(answer),
  );
  await settle();
  return { clock, connection, answers, cancel };
}

describe("a health Check", () => {
  it("is one call of the service by its name, with its deadline, and answers once", async () => {
    const { clock, connection, answers } = await checked();
    expect(connection.current).toMatchObject({ method: CHECK, sentTexts: ["\n\x02kv"], isHalfClosed: true });
    expect(connection.current.timeoutAt(clock.epoch())).toBe(1_000);

    connection.current.ok(SERVING);
    await clock.advance(5_000);

    expect(answers).toEqual([
      { code: status.OK, details: "", message: Buffer.from(SERVING), isFromServer: true },
    ]);
  });

  it.each<[string, boolean, (bench: Awaited<ReturnType<typeof checked>>) => unknown]>([
    ["a refusal of the server", true, ({ connection }) => connection.current.fail(status.UNIMPLEMENTED)],
    [
      "a failure after headers",
      true,
      ({ connection }) => connection.current.failAfterHeaders(status.INTERNAL),
    ],
    ["a status that grpc-js made up", false, ({ connection }) => connection.current.refuse()],
    ["its deadline", false, ({ clock }) => clock.advance(1_000)],
  ])("tells whether %s came from the server: %j", async (_what, isFromServer, end) => {
    const bench = await checked();

    await end(bench);
    await settle();

    expect(bench.answers).toMatchObject([{ isFromServer }]);
  });

  it("that is cancelled ends its call and answers no more", async () => {
    const { connection, answers, cancel } = await checked();

    cancel();
    cancel();
    await settle();

    expect(connection.current.cancelledWith?.code).toBe(status.CANCELLED);
    expect(answers).toEqual([]);
  });

  it("over a connection that closed meanwhile fails as one, and cancelling it does nothing", async () => {
    const connection = new FakeConnection(new ManualClock());
    connection.refusal = new Error("Channel has been shut down");
    const answers: CheckAnswer[] = [];

    checkHealth(connection, "", 0, null, (answer) => void answers.push(answer))();

    expect(answers).toEqual([
      { code: status.UNAVAILABLE, details: "Channel has been shut down", message: null, isFromServer: false },
    ]);
  });
});
