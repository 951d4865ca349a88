import * as grpc from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { KINDS, startCall } from "../support/contract-calls.js";
import { describeAllDoors } from "../support/contract-doors.js";
import { direct } from "../support/directed-server.js";

const { CANCELLED } = grpc.status;

describeAllDoors((entrance) => {
  const { flavour } = entrance;

  describe.each(KINDS)("a %s call", (kind) => {
    it("ends once as CANCELLED when it is cancelled, and the server hears of it", async () => {
      const { stub } = entrance.open();
      const begun = entrance.nextRun();
      const call = startCall(flavour, stub, kind, { metadata: direct("hang"), isLeftOpen: true });
      await begun;
      const heard = entrance.nextCancel();

      call.raw.cancel();
      call.raw.cancel();
      const end = await call.end;
      await heard;

      expect(end.error).toMatchObject({ code: CANCELLED, origin: "local", reason: "CANCELLED" });
      expect(end.told).toEqual({ ends: 1, statuses: 1 });
    });

    it("is never sent when it is cancelled at once", async () => {
      const { stub } = entrance.open();
      const processed = entrance.says("certainty") === "yes" ? "no" : "maybe";

      const call = startCall(flavour, stub, kind);
      call.raw.cancel();
      const end = await call.end;

      expect(end.error).toMatchObject({ code: CANCELLED, processed });
      expect(entrance.runs).toEqual([]);
    });
  });
});
