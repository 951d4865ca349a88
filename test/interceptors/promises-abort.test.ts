import * as grpc from "@grpc/grpc-js";
import { type PromiseCallOptions, promises } from "holdfast";
import { describe, expect, it } from "vitest";
import { flavours } from "../fixtures/stubs/flavours.js";
import { KINDS, type Kind } from "../support/contract-calls.js";
import { describeDoors, doors, type OpenDoor } from "../support/contract-doors.js";
import { direct } from "../support/directed-server.js";
import { until } from "../support/event-loop.js";
import { listenerCounts } from "../support/leak-check.js";
import { acceptOnly } from "../support/silent-server.js";
import { passThrough, readToEnd, rejection } from "./promises-scene.js";

const REASON = new Error("the user left");

describeDoors(
  (entrance) => {
    const { flavour } = entrance;

    /** Why a call of this kind failed. */
    function failure(opened: OpenDoor, kind: Kind, options: PromiseCallOptions) {
      const client = promises(opened.stub);
      const ask = flavour.ask("a", 1);
      if (kind === "unary") return rejection(client.unary(ask, options));
      if (kind === "clientStream") return rejection(client.clientStream([ask], options));
      const stream = kind === "bidi" ? client.bidi([ask], options) : client.serverStream(ask, options);
      return readToEnd(stream).then(({ error }) => error);
    }

    describe.each([
      ["straight to the channel", []],
      ["through an interceptor", [passThrough]],
    ])("a signal of calls %s", (_way, interceptors) => {
      const client = { interceptors };

      it.each(KINDS)("that is aborted already lets no %s call begin", async (kind) => {
        const opened = entrance.open({ client });
        const signal = AbortSignal.abort(REASON);

        const error = await failure(opened, kind, { signal });

        expect(error).toMatchObject({ code: grpc.status.CANCELLED, reason: "CANCELLED", cause: REASON });
        expect(error).toMatchObject({ processed: "no", origin: "local", attempts: [] });
        expect(opened.channel.stats().calls.started).toBe(0);
      });

      it.each(KINDS)("ends a %s call that the server is at, and the server hears of it", async (kind) => {
        const opened = entrance.open({ client });
        const controller = new AbortController();
        const begun = entrance.nextRun();
        const cancelled = entrance.nextCancel();
        const metadata = direct("hang");
        const ended = failure(opened, kind, { signal: controller.signal, metadata });
        await begun;

        controller.abort(REASON);
        const error = await ended;
        await cancelled;

        expect(error).toMatchObject({ code: grpc.status.CANCELLED, reason: "CANCELLED", cause: REASON });
        expect(error?.["processed"]).toBe("maybe");
        expect(listenerCounts(controller.signal)).toEqual({ abort: 0 });
      });

      it.each(KINDS)("ends a %s call that waits for a connection", async (kind) => {
        const silent = await acceptOnly();
        const opened = entrance.open({ client, addresses: [silent.address] });
        const controller = new AbortController();
        const ended = failure(opened, kind, { signal: controller.signal });
        await silent.accepted();

        controller.abort(REASON);
        const error = await ended;
        await silent.close();

        expect(error).toMatchObject({ code: grpc.status.CANCELLED, cause: REASON });
        expect(listenerCounts(controller.signal)).toEqual({ abort: 0 });
      });

      it("ends a call that waits for its next attempt", async () => {
        const opened = entrance.open({
          client,
          channel: { retry: { backoff: { initialMs: 60_000, maxMs: 60_000 }, throttle: false } },
        });
        const controller = new AbortController();
        const options = { signal: controller.signal, idempotent: true, metadata: direct("fail-first") };
        const ended = failure(opened, "unary", options);
        await until(() => entrance.runs.length === 1 && opened.channel.stats().calls.retries >= 0, "a run");

        controller.abort(REASON);

        expect(await ended).toMatchObject({ code: grpc.status.CANCELLED, cause: REASON });
        expect(entrance.runs).toHaveLength(1);
      });

      it("is let go of when its calls have ended well or not, or their reader has left", async () => {
        const opened = entrance.open({ client });
        const { signal } = new AbortController();
        const api = promises(opened.stub);
        const ask = flavour.ask("a", 3);

        await api.unary(ask, { signal });
        await readToEnd(api.serverStream(ask, { signal }));
        await failure(opened, "clientStream", { signal, metadata: direct("fail") });
        const left = entrance.nextCancel();
        for await (const _answer of api.bidi([ask], { signal })) break;
        await Promise.race([left, until(() => listenerCounts(signal)["abort"] === 0, "the end")]);

        await until(() => listenerCounts(signal)["abort"] === 0, "the end of all calls");
      });
    });
  },
  doors.filter(({ name }) => ["harden over a pool", "harden without credentials"].includes(name)),
  flavours.filter(({ name }) => name === "ts-proto"),
);
