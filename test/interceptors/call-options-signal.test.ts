import * as grpc from "@grpc/grpc-js";
import { callOptions } from "holdfast";
import { expect, it } from "vitest";
import { KINDS, startCall } from "../support/contract-calls.js";
import { describeDoors, doors, QUICK } from "../support/contract-doors.js";
import { direct } from "../support/directed-server.js";
import { turns, until } from "../support/event-loop.js";
import { listenerCounts } from "../support/leak-check.js";
import { acceptOnly } from "../support/silent-server.js";

const ABORTED = { code: grpc.status.CANCELLED, reason: "CANCELLED", origin: "local" } as const;
const LONG_BACKOFF = { retry: { backoff: { kind: "fixed", initialMs: 60_000 }, throttle: false } } as const;

describeDoors(
  (entrance) => {
    const { flavour, door } = entrance;

    it.each(KINDS)("keeps a %s call from being sent when the signal was aborted before", async (kind) => {
      const end = await entrance.call(kind, { options: callOptions({ signal: AbortSignal.abort() }) });

      expect(end.error).toMatchObject({ ...ABORTED, processed: "no", attempts: [] });
      expect(end.told).toEqual({ ends: 1, statuses: 1 });
      expect(entrance.runs).toEqual([]);
    });

    it.each(KINDS)("ends a %s call in flight, and the server hears of it", async (kind) => {
      const { stub } = entrance.open();
      const controller = new AbortController();
      const options = callOptions({ signal: controller.signal });
      const begun = entrance.nextRun();
      const { end } = startCall(flavour, stub, kind, { metadata: direct("hang"), options, isLeftOpen: true });
      await begun;
      const heard = entrance.nextCancel();

      controller.abort();
      const { error, told } = await end;
      await heard;
      await turns(2);

      expect(error).toMatchObject({ ...ABORTED, processed: "maybe" });
      expect(told).toEqual({ ends: 1, statuses: 1 });
      expect(listenerCounts(controller.signal)).toEqual({ abort: 0 });
    });

    it("ends a call that waits for a connection", async () => {
      const silent = await acceptOnly();
      const { stub, channel } = entrance.open({ addresses: [silent.address] });
      const controller = new AbortController();
      const options = callOptions({ signal: controller.signal });
      const { end } = startCall(flavour, stub, "unary", { options });
      await silent.accepted();
      const { callsQueued } = channel.stats();

      controller.abort();
      const { error } = await end;
      await silent.close();

      expect(callsQueued).toBe(door.isPooled ? 1 : 0);
      expect(error).toMatchObject({ ...ABORTED, processed: door.isPooled ? "no" : "maybe" });
      expect(channel.stats()).toMatchObject({ callsQueued: 0, callsInFlight: 0 });
      expect(listenerCounts(controller.signal)).toEqual({ abort: 0 });
    });

    it("ends a call that waits to be retried", async () => {
      const { stub, channel } = entrance.open({ channel: LONG_BACKOFF });
      const controller = new AbortController();
      const metadata = direct("fail-first");
      const options = callOptions({ signal: controller.signal, idempotent: true });
      const { end } = startCall(flavour, stub, "unary", { metadata, options });
      await until(() => channel.stats().calls.retries === 1, "the retry");

      controller.abort();
      const { error } = await end;

      expect(error).toMatchObject({
        ...ABORTED,
        processed: "maybe",
        attempts: [{ code: grpc.status.UNAVAILABLE }],
      });
      expect(entrance.runs).toHaveLength(1);
      expect(listenerCounts(controller.signal)).toEqual({ abort: 0 });
    });

    it("lets go of a signal whose call has succeeded", async () => {
      const { signal } = new AbortController();

      const end = await entrance.call("unary", { options: callOptions({ signal }) }, { channel: QUICK });

      expect(end.error).toBeNull();
      expect(listenerCounts(signal)).toEqual({ abort: 0 });
    });
  },
  doors.slice(0, 2),
);
