import type { ChannelEvent } from "../../src/index.js";
import { isWithin, type Span } from "./call-log.js";

/** The events that take an endpoint out of use. */
function isDetection(event: ChannelEvent): boolean {
  switch (event.type) {
    case "connection.suspect":
    case "connection.dead":
    case "connection.lost":
      return true;
    case "endpoint.state":
      return event.from === "READY";
    case "breaker.state":
      return event.to === "open";
    default:
      return false;
  }
}

/** What our client knew of one endpoint, and when it sent attempts there. */
export class EndpointWatch {
  readonly #picks: number[] = [];
  readonly #detections: number[] = [];

  constructor(private readonly address: string) {}

  readonly hear = (event: ChannelEvent, at = performance.now()): void => {
    if (!("endpoint" in event) || event.endpoint !== this.address) return;
    if (event.type === "call.picked") this.#picks.push(at);
    else if (isDetection(event)) this.#detections.push(at);
  };

  /** Attempts that went there meanwhile. */
  picksIn(span: Span): number {
    return this.#picks.filter((at) => isWithin(at, span)).length;
  }

  /** When it was first known meanwhile that the endpoint is broken; null when it never was. */
  detectedIn(span: Span): number | null {
    return this.#detections.find((at) => isWithin(at, span)) ?? null;
  }
}
