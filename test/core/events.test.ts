import { describe, expect, it, vi } from "vitest";
import { type ChannelEvent, EventHub } from "../../src/core/events.js";

const EVENT: ChannelEvent = { type: "channel.state", from: "IDLE", to: "CONNECTING" };

describe("the event hub", () => {
  it("hands every event to every subscriber, in order of subscription", () => {
    const hub = new EventHub();
    const heard: string[] = [];
    hub.subscribe(({ type }) => void heard.push(`first ${type}`));
    hub.subscribe(({ type }) => void heard.push(`second ${type}`));

    hub.emit(EVENT);

    expect(heard).toEqual(["first channel.state", "second channel.state"]);
  });

  it("stops when the subscription is disposed, also by leaving its scope", () => {
    const hub = new EventHub();
    const listener = vi.fn();
    const byHand = hub.subscribe(listener);
    {
      using _scoped = hub.subscribe(listener);
      expect(hub.hasListeners).toBe(true);
    }

    byHand.dispose();
    hub.emit(EVENT);

    expect(listener).not.toHaveBeenCalled();
    expect(hub.hasListeners).toBe(false);
  });

  it("counts one function subscribed twice as two subscriptions", () => {
    const hub = new EventHub();
    const listener = vi.fn();
    const first = hub.subscribe(listener);
    hub.subscribe(listener);

    first.dispose();
    first.dispose();
    hub.emit(EVENT);

    expect(listener).toHaveBeenCalledTimes(1);
  });

  it("goes on to the others when a listener throws, and warns once, not for every event", () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const hub = new EventHub();
    const later = vi.fn();
    hub.subscribe(() => {
      throw new Error("broken logger");
    });
    hub.subscribe(later);

    hub.emit(EVENT);
    hub.emit(EVENT);

    expect(later).toHaveBeenCalledTimes(2);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(String(warn.mock.calls[0]?.[0])).toContain("broken logger");
    warn.mockRestore();
  });

  it("tells a listener nothing more once it was unsubscribed, also inside the same event", () => {
    const hub = new EventHub();
    const second = vi.fn();
    hub.subscribe(() => subscription.dispose());
    const subscription = hub.subscribe(second);

    hub.emit(EVENT);

    expect(second).not.toHaveBeenCalled();
  });
});
