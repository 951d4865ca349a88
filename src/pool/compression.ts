import { z } from "zod";
import { suggest } from "../core/index.js";

/** Algorithms that grpc-js can compress messages with; `identity` is none. */
const COMPRESSIONS = ["identity", "deflate", "gzip"] as const;
export type Compression = (typeof COMPRESSIONS)[number];

/** Name of a compression algorithm. No `z.enum`, whose error names no nearest value. */
export const compressionSchema = z
  .custom<Compression>((value) => (COMPRESSIONS as readonly unknown[]).includes(value), {
    // Without this it would hide the problems of the rules across fields.
    abort: false,
    error: ({ input }) => `allowed: ${COMPRESSIONS.join(", ")}${nearest(input)}`,
  })
  .meta({ enum: COMPRESSIONS });

/** Where none is near, `suggest` would list what the sentence lists already. */
function nearest(input: unknown): string {
  const said = typeof input === "string" ? suggest(input, COMPRESSIONS) : "";
  return said.includes("did you mean") ? said : "";
}
