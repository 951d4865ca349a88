import { describe, expect, it } from "vitest";
import { until } from "./event-loop.js";
import { Tally } from "./tally.js";

describe("a tally", () => {
  it("wakes those who wait once the count is reached, and not before", async () => {
    const tally = new Tally("apples");
    const order: string[] = [];
    const wait = tally.reached(3).then(() => order.push("woken"));

    tally.add(2);
    await tally.reached(2);
    order.push("two");
    tally.add();
    await wait;

    expect(order).toEqual(["two", "woken"]);
  });

  it("tells those who still wait how far it came when it closes", async () => {
    const tally = new Tally("apples");
    tally.add();
    const early = tally.reached(2);

    tally.close();

    await expect(early).rejects.toThrow("waited for 2 apples, but it closed after 1");
    await expect(tally.reached(2)).rejects.toThrow("waited for 2 apples");
    await expect(tally.reached(1)).resolves.toBeUndefined();
  });
});

describe("waiting for a fact that nobody announces", () => {
  it("ends when it holds", async () => {
    let looks = 0;

    await until(() => ++looks === 3, "the third look");

    expect(looks).toBe(3);
  });

  it("gives up with the name of the fact", async () => {
    await expect(until(() => false, "a miracle", 10)).rejects.toThrow(
      "a miracle did not happen within 10 ms",
    );
  });
});
