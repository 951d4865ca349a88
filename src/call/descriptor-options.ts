import { types } from "node:util";
import { z } from "zod";
import { type DescribedMethod, describedMethods } from "./descriptor-set.js";

const BYTES = "allowed: bytes as protoc --descriptor_set_out or buf build -o write them";

/** One or several serialized descriptor sets, resolved to the methods in them. */
export const descriptorsSchema = z
  .custom<Uint8Array | readonly Uint8Array[]>()
  .transform((given, context): readonly DescribedMethod[] => {
    const problem = (message: string, ...path: number[]) =>
      context.addIssue({ code: "custom", path, message, input: given });
    const sets: readonly unknown[] = Array.isArray(given) ? given : [given];
    if (sets.length === 0) problem("is empty; allowed: one FileDescriptorSet or more");
    return sets.flatMap((set, index) => {
      const methods = read(set);
      if (typeof methods !== "string") return methods;
      problem(methods, ...(Array.isArray(given) ? [index] : []));
      return [];
    });
  });

/** The methods, or why there are none. */
function read(set: unknown): readonly DescribedMethod[] | string {
  if (typeof set === "string") return "allowed: the bytes of the file, not its path";
  if (!types.isUint8Array(set)) return BYTES;
  const methods = describedMethods(set);
  return typeof methods === "string" ? `${methods}; ${BYTES}` : methods;
}
