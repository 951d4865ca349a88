import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { HealthCheckResponse_ServingStatus as Serving } from "../../src/gen/grpc/health/v1/health.js";
import { healthyServer, sequentially } from "../behaviour/pool-servers.js";
import { endings, Stage } from "../support/stage.js";

const stage = new Stage();

describe("health", () => {
  it("is asked of nobody unless it is set: what an endpoint would say then keeps no call away (R80)", async () => {
    const server = await healthyServer(stage);
    server.health.set("", Serving.NOT_SERVING);
    const { client, channel } = await stage.warm([server]);

    const results = await sequentially(client, 4, callOptions({ retry: false }));

    expect(endings(results)).toEqual({ OK: 4 });
    expect([server.health.watches, server.health.checks]).toEqual([0, 0]);
    expect(channel.endpoints()).toMatchObject([{ state: "READY", health: null }]);
  });
});
