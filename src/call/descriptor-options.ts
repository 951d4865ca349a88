import { types } from "node:util";
import { z } from "zod";
import { type DescribedMethod, describedMethods } from "./descriptor-set.js";

/** One or several serialized descriptor sets, resolved to the methods in them. */
export const descriptorsSchema = z
  .custom<Uint8Array | readonly Uint8Array[]>()
  .transform((given, context): readonly DescribedMethod[] => {
    const problem = (message: string, ...path: number[]) =>
      context.addIssue({ code: "custom", path, message, input: given });
    const sets: readonly unknown[] = Array.isArray(given) ? given : [given];
    if (sets.length === 0) problem("is empty; allowed: one FileDescriptorSet or more");
    return sets.flatMap((set, index) => {
      const methods = types.isUint8Array(set) ? describedMethods(set) : "is none";
      if (typeof methods !== "string") return methods;
      const place = Array.isArray(given) ? [index] : [];
      problem(
        `${methods}; allowed: bytes as protoc --descriptor_set_out or buf build -o write them`,
        ...place,
      );
      return [];
    });
  });
