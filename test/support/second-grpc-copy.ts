import { createRequire } from "node:module";
import type * as grpc from "@grpc/grpc-js";

/**
 * A second copy of grpc-js in this process, as npm installs one when two packages ask for versions that do not fit:
 * the same code, but other classes.
 */
export function secondGrpcCopy(): typeof grpc {
  const require = createRequire(import.meta.url);
  const cache = require.cache;
  const first = Object.entries(cache).filter(([path]) => path.includes("/@grpc/grpc-js/"));
  for (const [path] of first) delete cache[path];
  const copy = require("@grpc/grpc-js") as typeof grpc;
  for (const path of Object.keys(cache)) if (path.includes("/@grpc/grpc-js/")) delete cache[path];
  for (const [path, module] of first) cache[path] = module;
  return copy;
}
