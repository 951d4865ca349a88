import { describe, expect, it, vi } from "vitest";
import { Closable, type CloseOptions, Subscription } from "../../src/core/lifecycle.js";

class Recorder extends Closable {
  readonly log: string[] = [];
  finish: () => void = () => {};
  onClosing: () => void = () => {};

  protected override onClose({ drainMs }: CloseOptions): Promise<void> {
    this.log.push(`close ${drainMs ?? "default"}`);
    this.onClosing();
    return new Promise((resolve) => {
      this.finish = resolve;
    });
  }

  protected override onDestroy(error: Error | undefined): void {
    this.log.push(`destroy ${error?.message ?? "without reason"}`);
  }
}

describe("close()", () => {
  it("drains once however often it is called, and everyone waits for the same end", async () => {
    const recorder = new Recorder();

    const first = recorder.close({ drainMs: 5 });
    const second = recorder.close({ drainMs: 9 });
    recorder.finish();

    await Promise.all([first, second]);
    expect(recorder.log).toEqual(["close 5"]);
  });

  it("marks the object closed at once, before the drain is over", () => {
    const recorder = new Recorder();

    void recorder.close();

    expect(recorder.isClosed).toBe(true);
  });

  it("marks the object closed before the drain begins, so that work started by its events is refused", () => {
    const recorder = new Recorder();
    const seen: boolean[] = [];
    recorder.onClosing = () => void seen.push(recorder.isClosed);

    void recorder.close();

    expect(seen).toEqual([true]);
  });

  it("drains once when it is called again from inside its own start", () => {
    const recorder = new Recorder();
    let calls = 0;
    recorder.onClosing = () => {
      if (calls++ === 0) void recorder.close();
    };

    void recorder.close();

    expect(recorder.log).toEqual(["close default"]);
  });

  it("is what `await using` calls at the end of the scope", async () => {
    const recorder = new Recorder();
    recorder.onClosing = () => queueMicrotask(() => recorder.finish());

    {
      await using _scoped = recorder;
    }

    expect(recorder.log).toEqual(["close default"]);
  });

  it("has nothing left to do after destroy()", async () => {
    const recorder = new Recorder();
    recorder.destroy();

    await recorder.close();

    expect(recorder.log).toEqual(["destroy without reason"]);
  });
});

describe("destroy()", () => {
  it("ends things once, with the reason it was first given", () => {
    const recorder = new Recorder();

    recorder.destroy(new Error("out of memory"));
    recorder.destroy(new Error("again"));

    expect(recorder.log).toEqual(["destroy out of memory"]);
    expect(recorder.isClosed).toBe(true);
  });

  it("cuts a drain short", () => {
    const recorder = new Recorder();
    void recorder.close();

    recorder.destroy();

    expect(recorder.log).toEqual(["close default", "destroy without reason"]);
  });
});

it("a fresh object is open", () => {
  expect(new Recorder().isClosed).toBe(false);
});

describe("a subscription", () => {
  it("stops once, by hand and by `using` alike", () => {
    const stop = vi.fn();
    {
      using subscription = new Subscription(stop);
      subscription.dispose();
    }

    expect(stop).toHaveBeenCalledTimes(1);
  });
});
