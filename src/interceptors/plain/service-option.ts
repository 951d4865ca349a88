import type { ServiceDefinition } from "@grpc/grpc-js";
import { z } from "zod";
import { KnownMethods } from "../../call/index.js";

/**
 * One service definition or several, as generators give them, resolved to what they say of their methods. grpc-js
 * shows interceptors a copy of a method's definition without its options, so they have to be told.
 */
export const serviceSchema = z
  .custom<ServiceDefinition | readonly ServiceDefinition[]>()
  .transform((given, context): KnownMethods => {
    const problem = (message: string, ...path: number[]) =>
      context.addIssue({ code: "custom", path, message, input: given });
    const services: readonly unknown[] = Array.isArray(given) ? given : [given];
    if (services.length === 0) problem("is empty; allowed: one service definition or more");
    const known = new KnownMethods();
    for (const [index, service] of services.entries()) {
      const place = Array.isArray(given) ? [index] : [];
      if (isServiceDefinition(service)) known.add(service);
      else problem("must be a service definition, such as UserServiceClient.service, or several", ...place);
    }
    return known;
  });

function isServiceDefinition(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const methods = Object.values(value);
  return methods.length > 0 && methods.every((method) => typeof Object(method).path === "string");
}
