import { z } from "zod";
import { VALUE_HIDDEN } from "../core/index.js";

/** A text that no error may tell, whatever stands there. */
export function secretText(allowed: string) {
  return z
    .custom<string>((value) => typeof value === "string" && value !== "", {
      abort: false,
      params: VALUE_HIDDEN,
      message: allowed,
    })
    .meta({ type: "string" });
}
