import { describe, expect, it } from "vitest";
import { PickQueue, type PickWaiter } from "../../src/pool/pick-queue.js";

/** A waiter that notes its turns in a shared log and leaves when told so. */
function waiter(name: string, log: string[], onTurn: () => boolean): PickWaiter {
  return {
    onPickable: () => {
      log.push(name);
      return onTurn();
    },
  };
}

describe("the pick queue", () => {
  it("R106: serves everyone in the order they came when the endpoints changed", () => {
    const queue = new PickQueue();
    const log: string[] = [];
    for (const name of ["a", "b", "c"]) queue.add(waiter(name, log, () => true));

    queue.serveAll();

    expect(log).toEqual(["a", "b", "c"]);
    expect(queue.size).toBe(0);
  });

  it("R75: gives a place that became free to the call that waits longest, and asks no others in vain", () => {
    const queue = new PickQueue();
    const log: string[] = [];
    let places = 1;
    for (const name of ["a", "b", "c"]) queue.add(waiter(name, log, () => places-- > 0));

    queue.serveRoom();

    expect(log).toEqual(["a", "b"]);
    expect(queue.size).toBe(2);
  });

  it("keeps the order of those who have to go on waiting", () => {
    const queue = new PickQueue();
    const log: string[] = [];
    const mayGo = new Set<string>(["b"]);
    for (const name of ["a", "b", "c"]) queue.add(waiter(name, log, () => mayGo.has(name)));
    queue.serveAll();

    mayGo.add("a").add("c");
    queue.serveAll();

    expect(log).toEqual(["a", "b", "c", "a", "c"]);
  });

  it("passes over a call that was cancelled while another was served", () => {
    const queue = new PickQueue();
    const log: string[] = [];
    const second = waiter("b", log, () => true);
    queue.add(
      waiter("a", log, () => {
        queue.remove(second);
        return true;
      }),
    );
    queue.add(second);

    queue.serveAll();

    expect(log).toEqual(["a"]);
    expect(queue.size).toBe(0);
  });

  it("turns a change in the middle of serving into one more round, not a recursion", () => {
    const queue = new PickQueue();
    const log: string[] = [];
    let depth = 0;
    let deepest = 0;
    let rounds = 0;
    queue.add(
      waiter("a", log, () => {
        deepest = Math.max(deepest, ++depth);
        if (rounds++ < 3) queue.serveAll();
        depth--;
        return false;
      }),
    );

    queue.serveAll();

    expect(log).toHaveLength(4);
    expect(deepest).toBe(1);
  });

  it("asks everyone again when the endpoints change while a free place is given away", () => {
    const queue = new PickQueue();
    const log: string[] = [];
    let isChanged = false;
    queue.add(
      waiter("leaves and changes the endpoints", log, () => {
        isChanged = true;
        queue.serveAll();
        return true;
      }),
    );
    queue.add(waiter("waits for ready", log, () => false));
    queue.add(waiter("fails when all are down", log, () => isChanged));

    queue.serveRoom();

    expect(log).toContain("fails when all are down");
    expect(queue.size).toBe(1);
  });

  it("can be served again after a waiter threw", () => {
    const queue = new PickQueue();
    const log: string[] = [];
    let isBroken = true;
    queue.add(
      waiter("a", log, () => {
        if (isBroken) throw new Error("broken");
        return true;
      }),
    );
    expect(() => queue.serveAll()).toThrow("broken");

    isBroken = false;
    queue.serveAll();

    expect(queue.size).toBe(0);
  });
});
