import * as grpc from "@grpc/grpc-js";
import { isReason } from "holdfast";
import { expect, it } from "vitest";
import { callToEnd, KINDS, startCall } from "../support/contract-calls.js";
import { describeAllDoors, itWhere } from "../support/contract-doors.js";
import { direct } from "../support/directed-server.js";

describeAllDoors((entrance) => {
  const { flavour } = entrance;

  it.each(KINDS)("fails a %s call on a closed stub as CANCELLED, which nobody retries", async (kind) => {
    const { stub } = entrance.open();
    await callToEnd(flavour, stub, "unary");

    stub.close();
    const end = await callToEnd(flavour, stub, kind);

    expect(isReason(end.error, "CLIENT_CLOSED")).toBe(true);
    expect(end.error).toMatchObject({ code: grpc.status.CANCELLED, processed: "no", origin: "local" });
    expect(end.told).toEqual({ ends: 1, statuses: 1 });
    expect(entrance.runs).toHaveLength(1);
  });

  const canClose = entrance.can("closing");

  itWhere(canClose)(
    "lets calls finish that ran when the stub was closed, also one not sent yet",
    async () => {
      const { stub } = entrance.open();
      const begun = entrance.nextRun();
      const metadata = direct("pause");
      const running = startCall(flavour, stub, "bidi", { texts: ["a", "b"], metadata });
      await begun;
      const sentLater = startCall(flavour, stub, "unary");

      stub.close();
      for (const server of entrance.servers) server.unpause();

      expect((await running.end).answers.map(([text]) => text)).toEqual(["a", "b"]);
      expect((await sentLater.end).answers).toEqual([["a", 1]]);
    },
  );

  it("may be closed again", () => {
    const { stub } = entrance.open();

    stub.close();

    expect(() => stub.close()).not.toThrow();
  });

  itWhere(canClose)("tells through waitForReady that the stub is closed", async () => {
    const { stub } = entrance.open();
    await callToEnd(flavour, stub, "unary");

    stub.close();
    const error = await new Promise((resolve) => stub.waitForReady(Date.now() + 500, resolve));

    expect(error).toEqual(new Error("The channel has been closed"));
    expect(stub.getChannel().getConnectivityState(false)).toBe(grpc.connectivityState.SHUTDOWN);
  });
});
