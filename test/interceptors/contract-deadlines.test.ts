import * as grpc from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { callToEnd, KINDS } from "../support/contract-calls.js";
import { describeAllDoors } from "../support/contract-doors.js";
import { direct } from "../support/directed-server.js";
import { turns } from "../support/event-loop.js";

const { DEADLINE_EXCEEDED } = grpc.status;

describeAllDoors((entrance) => {
  const { flavour } = entrance;

  describe.each(KINDS)("a %s call", (kind) => {
    it("ends once as DEADLINE_EXCEEDED when its deadline passes (R50)", async () => {
      const { stub } = entrance.open();
      await callToEnd(flavour, stub, "unary");

      const options = { deadline: Date.now() + 25 };
      const args = { metadata: direct("hang"), options, isLeftOpen: true };
      const end = await callToEnd(flavour, stub, kind, args);
      await turns(3);

      expect(end.error).toMatchObject({
        code: DEADLINE_EXCEEDED,
        origin: "local",
        reason: "DEADLINE_EXCEEDED",
      });
      expect(end.told).toEqual({ ends: 1, statuses: 1 });
    });

    it("is never sent when its deadline has passed before (R51)", async () => {
      const end = await entrance.call(kind, { options: { deadline: new Date(Date.now() - 1) } });

      expect(end.error).toMatchObject({ code: DEADLINE_EXCEEDED, processed: "no" });
      expect(entrance.runs).toEqual([]);
    });
  });
});
