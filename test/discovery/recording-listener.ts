import type { Endpoint } from "../../src/core/index.js";
import type { ResolverListener } from "../../src/discovery/index.js";

/** Keeps what a resolver reported. */
export class RecordingListener implements ResolverListener {
  readonly sets: (readonly Endpoint[])[] = [];
  readonly errors: Error[] = [];
  /** What was said of each set. */
  readonly problems: (string | null)[] = [];

  onEndpoints(endpoints: readonly Endpoint[], problem: string | null = null): void {
    this.sets.push(endpoints);
    this.problems.push(problem);
  }

  onError(error: Error): void {
    this.errors.push(error);
  }

  /** Addresses of each reported set. */
  get addresses(): string[][] {
    return this.sets.map((set) => set.map((endpoint) => endpoint.address));
  }

  get messages(): string[] {
    return this.errors.map((error) => error.message);
  }

  get events(): number {
    return this.sets.length + this.errors.length;
  }
}
