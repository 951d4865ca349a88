import { saidBy } from "../../core/index.js";
import { localFailure } from "../local-failure.js";
import type { UnaryLink } from "../unary-link.js";

/** Stands in for a link that could not be made: calls to this server fail, and the other servers go on. */
export function failedLink(address: string, error: unknown): UnaryLink {
  const details = `the link to ${address} could not be made: ${saidBy(error)}`;
  return {
    address,
    call: (_method, _request, _timeoutMs, done) => {
      process.nextTick(done, localFailure("unreachable", details));
      return () => {};
    },
    close: async () => {},
  };
}
