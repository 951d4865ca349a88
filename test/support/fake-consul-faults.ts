import type { IncomingMessage, ServerResponse } from "node:http";

/** What a Consul in trouble, or a proxy before it, does to one question. */
export type ConsulFault =
  /** An error with a text: 429 with Retry-After, 500 "No cluster leader", 400, 403, 404. */
  | {
      readonly kind: "status";
      readonly status: number;
      readonly text?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** The right answer at once with another index, or none: a server that has lost its state, or a proxy in between. */
  | { readonly kind: "index"; readonly index: string | null }
  /** The right answer at once, however long the question was to wait. */
  | { readonly kind: "immediate" }
  /** The right answer at once with other or more headers. */
  | { readonly kind: "headers"; readonly headers: Readonly<Record<string, string>> }
  /** Another body than the right one, with status 200. */
  | { readonly kind: "body"; readonly body: string; readonly type?: string }
  /** The connection ends in the middle of the body. */
  | { readonly kind: "halfBody" }
  /** The question arrives and nothing comes back: a frozen process. */
  | { readonly kind: "silence" }
  /** The head, then a byte now and then: never idle, never whole. */
  | { readonly kind: "slowDrip" }
  /** The connection is reset as soon as the question is there. */
  | { readonly kind: "reset" };

export const NO_LEADER: ConsulFault = { kind: "status", status: 500, text: "No cluster leader" };

/** Real time between two bytes of a drip. */
const DRIP_MS = 2;

/** Does what the fault says. @returns false for one that only changes the right answer */
export function spoil(fault: ConsulFault, request: IncomingMessage, response: ServerResponse): boolean {
  switch (fault.kind) {
    case "status":
      response.writeHead(fault.status, { "content-type": "text/plain; charset=utf-8", ...fault.headers });
      response.end(fault.text ?? "");
      return true;
    case "body":
      response.writeHead(200, { "content-type": fault.type ?? "application/json", "x-consul-index": "7" });
      response.end(fault.body);
      return true;
    case "halfBody":
      response.writeHead(200, { "content-type": "application/json", "content-length": 1_000 });
      response.write('[{"Node":', () => request.socket.destroy());
      return true;
    case "silence":
      return true;
    case "slowDrip":
      drip(response);
      return true;
    case "reset":
      request.socket.resetAndDestroy();
      return true;
    default:
      return false;
  }
}

function drip(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/json", "x-consul-index": "7" });
  const timer = setInterval(() => response.write(" "), DRIP_MS);
  response.on("close", () => clearInterval(timer));
}
