import { getMaxListeners, setMaxListeners } from "node:events";
import { describe, expect, it, vi } from "vitest";
import { onAbort } from "../../src/core/index.js";

describe("hearing an abort", () => {
  it("brings no warning of a leak where many calls share one signal", async () => {
    const warned = vi.fn();
    process.on("warning", warned);
    const { signal } = new AbortController();

    const releases = Array.from({ length: 50 }, () => onAbort(signal, () => {}));
    await new Promise((resolve) => setImmediate(resolve));

    process.off("warning", warned);
    for (const release of releases) release();
    expect(warned).not.toHaveBeenCalled();
  });

  it("leaves a limit alone that the signal's owner has set", () => {
    const { signal } = new AbortController();
    setMaxListeners(3, signal);

    onAbort(signal, () => {})();

    expect(getMaxListeners(signal)).toBe(3);
  });

  it("happens once, and not after it was given up", () => {
    const controller = new AbortController();
    const [heard, unheard] = [vi.fn(), vi.fn()];
    onAbort(controller.signal, heard);
    onAbort(controller.signal, unheard)();

    controller.abort();

    expect(heard).toHaveBeenCalledTimes(1);
    expect(unheard).not.toHaveBeenCalled();
  });
});
