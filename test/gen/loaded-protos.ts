import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadSync, type Options, type PackageDefinition } from "@grpc/proto-loader";

const PROTO_FOLDER = fileURLToPath(new URL("../../proto", import.meta.url));
const FILES = [
  "raftpb/raft",
  "kvraftpb/kvraft",
  "shardctrlerpb/shardctrler",
  "shardkvpb/shardkv",
  "grpc/health/v1/health",
];

/** The shipped protos as a user of proto-loader gets them. */
export function loadProtos(options: Options): PackageDefinition {
  return loadSync(
    FILES.map((file) => join(PROTO_FOLDER, `${file}.proto`)),
    { includeDirs: [PROTO_FOLDER], ...options },
  );
}
