import * as health from "../../../src/gen/grpc/health/v1/health.js";
import { type Expected, expected } from "./vectors.js";

const { NOT_SERVING, SERVICE_UNKNOWN, SERVING, UNKNOWN } = health.HealthCheckResponse_ServingStatus;

export const healthV1: readonly Expected[] = [
  expected("grpc.health.v1.HealthCheckRequest", health.HealthCheckRequest, {
    empty: { service: "" },
    "a service": { service: "kvraftpb.KVService" },
  }),
  expected("grpc.health.v1.HealthCheckResponse", health.HealthCheckResponse, {
    empty: { status: UNKNOWN },
    "an unknown service": { status: SERVICE_UNKNOWN },
  }),
  expected("grpc.health.v1.HealthListRequest", health.HealthListRequest, { empty: {} }),
  expected("grpc.health.v1.HealthListResponse", health.HealthListResponse, {
    empty: { statuses: new Map() },
    "two services": {
      statuses: new Map([
        ["kv", { status: NOT_SERVING }],
        ["raft", { status: SERVING }],
      ]),
    },
  }),
].flat();
