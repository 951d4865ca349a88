import { Channel, credentials } from "@grpc/grpc-js";
import { describe, expect, it, vi } from "vitest";
import { channelOptionsSchema } from "../../src/call/channel-options.js";
import { StubBackend } from "../../src/call/stub-backend.js";
import { EventHub } from "../../src/core/index.js";
import { ManualClock } from "../support/manual-clock.js";
import { fixedRandom } from "../support/seeded-random.js";

/** @param passedThrough the target, where the channel is ours to close */
function backendOver(passedThrough: string | null) {
  const channel = new Channel("ipv4:127.0.0.1:1", credentials.createInsecure(), {});
  const close = vi.spyOn(channel, "close");
  const deps = { clock: new ManualClock(), random: fixedRandom(0.5), events: new EventHub() };
  const options = channelOptionsSchema.parse({ insecure: true });
  return { backend: new StubBackend(channel, options, deps, passedThrough), close };
}

describe("a backend over a channel of grpc-js", () => {
  it.each(["release", "destroy"] as const)("closes it with %s() where it is ours", (end) => {
    const { backend, close } = backendOver("passthrough:///ipv4:127.0.0.1:1");

    backend[end]();

    expect(close).toHaveBeenCalledTimes(1);
  });

  it.each(["release", "destroy"] as const)(
    "leaves it to its stub with %s() where it is the stub's own",
    (end) => {
      const { backend, close } = backendOver(null);

      backend[end]();

      expect(close).not.toHaveBeenCalled();
    },
  );
});
