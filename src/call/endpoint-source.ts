import type { Endpoint, EventHub } from "../core/index.js";
import {
  Discovery,
  type Outlook,
  type ResolvedDiscoveryOptions,
  type ResolvedTarget,
  type ResolverDeps,
  type SourceStats,
} from "../discovery/index.js";
import { type PickFailure, pickFailure } from "../pool/index.js";

/** What is done with what is found. */
export interface EndpointSink {
  /** Endpoints that are in use. */
  readonly inUse: number;
  apply(endpoints: readonly Endpoint[]): void;
  /** No endpoints are known and none are coming; null when some may come after all. */
  fail(failure: PickFailure | null): void;
}

type Remembered = Discovery["memory"];
interface Pushed {
  readonly endpoints: number;
  readonly times: number;
  /** Epoch ms. */
  readonly at: number;
}

/** Where the endpoints of a pool come from: the targets of the channel, until somebody pushes a set by hand. */
export class EndpointSource {
  #discovery: Discovery | null = null;
  #remembered: Remembered | null = null;
  /** Of the last discovery, for as long as nobody asks. */
  #lastStats: readonly SourceStats[] = [];
  #pushed: Pushed | null = null;
  /** What calls were last told of why there are none; null while they wait, or have some. */
  #told: string | null = null;
  #isClosed = false;

  constructor(
    private readonly name: string,
    private readonly targets: readonly ResolvedTarget[],
    private readonly options: ResolvedDiscoveryOptions,
    private readonly deps: ResolverDeps & { readonly events: Pick<EventHub, "emit"> },
    private readonly sink: EndpointSink,
  ) {}

  start(): void {
    if (this.#pushed !== null || this.#isClosed || this.#discovery !== null) return;
    this.deps.events.emit({ type: "resolver.resolving", target: this.name });
    // A listener may have closed the channel, or pushed a set.
    if (this.#isClosed || this.#pushed !== null) return;
    const discovery = new Discovery(this.targets, this.deps, this.options, this.#remembered);
    this.#discovery = discovery;
    discovery.start({
      onEndpoints: (endpoints) => {
        if (endpoints.length > 0) this.#told = null;
        this.sink.apply(endpoints);
      },
      onError: (error, source) => {
        const keptEndpoints = this.sink.inUse;
        this.deps.events.emit({ type: "resolver.failed", source, error: error.message, keptEndpoints });
      },
      onHeld: ({ why, lost }, source) => {
        this.deps.events.emit({
          type: "resolver.held",
          source,
          why,
          endpoints: lost.map(({ address }) => address),
        });
      },
      onProblem: (problem, source) => {
        this.deps.events.emit({ type: "resolver.problem", source, problem });
      },
      onNothing: () => this.#failIfNothingComes(discovery.outlook()),
    });
  }

  refresh(): void {
    this.#discovery?.refresh();
  }

  /** A set was pushed by hand: the targets have no say any more. */
  push(endpoints: number): void {
    this.#end();
    this.#pushed = { endpoints, times: (this.#pushed?.times ?? 0) + 1, at: this.deps.clock.epoch() };
  }

  /** Nobody asks for a while; what is known is kept. */
  pause(): void {
    this.#lastStats = this.stats();
    this.#remembered = this.#discovery?.memory ?? this.#remembered;
    this.#end();
  }

  close(): void {
    this.#isClosed = true;
    this.#end();
  }

  stats(): readonly SourceStats[] {
    if (this.#pushed === null) return this.#discovery?.stats() ?? this.#lastStats;
    const { endpoints, times, at } = this.#pushed;
    return [
      {
        source: "updateEndpoints",
        endpoints,
        answers: times,
        failures: 0,
        answeredAt: new Date(at).toISOString(),
        staleSince: null,
        lastError: null,
        problem: null,
        held: null,
      },
    ];
  }

  /** Why there are no endpoints. */
  get missing(): string {
    return `no endpoints are known: ${this.#discovery?.outlook().text ?? `${this.name} has not been asked yet`}`;
  }

  #end(): void {
    this.#told = null;
    this.#discovery?.close();
    this.#discovery = null;
  }

  /** With the newest words; calls wait again when a source that had failed only has no endpoints yet. */
  #failIfNothingComes({ isHopeful, hasFailed, text }: Outlook): void {
    const told = isHopeful ? null : text;
    if (told === this.#told) return;
    this.#told = told;
    const reason = hasFailed ? "DISCOVERY_FAILED" : "NO_READY_ENDPOINT";
    this.sink.fail(told === null ? null : pickFailure(reason, told));
  }
}
