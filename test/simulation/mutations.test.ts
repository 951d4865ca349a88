import { expect, it } from "vitest";
import { ERAFT_FOLLOWERS, MUTATIONS, type Rules } from "./rules.js";
import { simulate } from "./simulate.js";

const SEEDS = 20;
const TIMEOUT_MS = 240_000;

/** The first seed whose run shows that something is wrong, and what. */
async function firstRed(rules: Rules): Promise<string | null> {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { problems } = await simulate({ seed, rules });
    if (problems.length > 0) return `seed ${seed}: ${problems[0]}`;
  }
  return null;
}

it.each(Object.entries(MUTATIONS))(
  "the checks notice when %s is switched off",
  async (_, rules) => {
    expect(await firstRed(rules)).not.toBeNull();
  },
  TIMEOUT_MS,
);

it(
  "followers with eraft's commit rule are safe as long as leader_commit is clamped",
  async () => {
    expect(await firstRed(ERAFT_FOLLOWERS)).toBeNull();
  },
  TIMEOUT_MS,
);
