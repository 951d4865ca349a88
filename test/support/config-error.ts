import { ResilienceError } from "holdfast";
import { ClientSockets } from "./client-sockets.js";

/**
 * The one error of input that must be refused at the door.
 *
 * @throws Error when nothing is thrown, something else is, or a socket was opened
 */
export function configErrorOf(work: () => unknown): ResilienceError {
  const sockets = new ClientSockets();
  try {
    work();
  } catch (error) {
    if (!(error instanceof ResilienceError)) throw error;
    if (sockets.all.length > 0) throw new Error(`${sockets.all.length} sockets were opened`);
    return error;
  } finally {
    sockets.close();
  }
  throw new Error("the input was to be refused, but nothing was thrown");
}

/** How many problems an error names, by its own count. */
export function problemCount(error: ResilienceError): number {
  return Number(/: (\d+) problems?: /.exec(error.details)?.[1] ?? Number.NaN);
}
