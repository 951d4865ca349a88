/**
 * What a share has to exceed where it is to reach a threshold. cockatiel opens on more than its threshold and takes none
 * of 1; breakers of resilience4j and Polly open once it is reached, and so do ours: 1 means all of them. Rounding does
 * no harm then: 7 of 100 do reach 0.07.
 */
export function reaching(threshold: number): number {
  return threshold * (1 - 1e-9);
}
