import { z } from "zod";
import { configSchema } from "./config-options.js";

/** The schema of the file for editors, as JSON Schema 2020-12; rules across keys are beyond it. */
export function configJsonSchema(): object {
  return z.toJSONSchema(
    configSchema(() => []),
    { io: "input", unrepresentable: "any" },
  );
}
