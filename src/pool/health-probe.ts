import { type Clock, type Endpoint, type Random, saidBy, withinMs } from "../core/index.js";
import type { HealthProbe } from "./health-options.js";
import { HealthRhythm } from "./health-rhythm.js";
import type { HealthSource, HealthSourceOwner } from "./health-source.js";
import { type HealthVerdict, notServing, SERVING, unheard } from "./health-verdict.js";

/** When to ask the probe, and how long it may take. */
export interface ProbeTiming {
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/**
 * Health by a function of the user's. One call of it is awaited at a time; one that is late is told so by its signal,
 * and its answer counts no more.
 */
export class ProbedHealth implements HealthSource {
  readonly #rhythm: HealthRhythm;
  /** The probe under way. */
  #running: AbortController | null = null;

  constructor(
    /** As discovery has it now. */
    private readonly endpointNow: () => Endpoint,
    private readonly probe: HealthProbe,
    private readonly timing: ProbeTiming,
    private readonly owner: Pick<HealthSourceOwner, "onVerdict">,
    private readonly deps: { readonly clock: Clock; readonly random: Random },
  ) {
    this.#rhythm = new HealthRhythm(timing.intervalMs, deps.random);
  }

  start(): void {
    this.tick(this.deps.clock.now());
  }

  stop(): void {
    this.#running?.abort(new Error("the endpoint is no longer probed"));
    this.#running = null;
  }

  tick(now: number): void {
    if (this.#running !== null || !this.#rhythm.isDue(now)) return;
    const running = new AbortController();
    this.#running = running;
    void this.#ask(running);
  }

  async #ask(running: AbortController): Promise<void> {
    const verdict = await this.#answer(running);
    if (this.#running !== running) return;
    this.#running = null;
    this.owner.onVerdict(verdict);
  }

  async #answer(running: AbortController): Promise<HealthVerdict> {
    const { probe } = this;
    try {
      const { clock } = this.deps;
      return verdictOf(
        await withinMs(clock, this.timing.timeoutMs, "the probe", () =>
          probe(this.endpointNow(), running.signal),
        ),
      );
    } catch (error) {
      running.abort(error);
      return unheard(`the probe failed: ${saidBy(error)}`);
    }
  }
}

function verdictOf(answer: unknown): HealthVerdict {
  if (answer === true) return SERVING;
  if (answer === false) return notServing("the probe said no");
  return notServing(`the probe gave a value of type ${typeof answer}; allowed: true or false`);
}
