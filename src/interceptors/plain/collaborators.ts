import { type Clock, type Random, systemClock, systemRandom } from "../../core/index.js";

/** Where an interceptor gets time from; the machine's own unless given. */
export interface InterceptorCollaborators {
  readonly clock?: Clock;
}

/** Where an interceptor gets time and chance from; the machine's own unless given. */
export interface ChanceCollaborators extends InterceptorCollaborators {
  readonly random?: Random;
}

export function withDefaults({ clock, random }: ChanceCollaborators): { clock: Clock; random: Random } {
  return { clock: clock ?? systemClock, random: random ?? systemRandom };
}
