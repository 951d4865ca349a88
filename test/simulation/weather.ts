import type { Clock, Random } from "../../src/core/index.js";
import type { SimCluster } from "./sim-cluster.js";

type Fault = (roll: number) => void;

/** Draws faults, one after another, until it is told to clear up. */
export class Weather {
  readonly counts: Record<string, number> = {};
  readonly #cluster: SimCluster;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #faults: readonly (readonly [name: string, weight: number, fault: Fault])[];
  #isOver = false;
  #isReliable = true;
  #isReordering = false;

  constructor(cluster: SimCluster, clock: Clock, random: Random) {
    this.#cluster = cluster;
    this.#clock = clock;
    this.#random = random;
    const { network } = cluster;
    this.#faults = [
      ["crash", 2, (roll) => this.#crash(this.#node(roll))],
      ["crash in a write", 2, (roll) => cluster.crashAtNextWrite(this.#node(roll))],
      ["crash of the leader", 3, (roll) => this.#crash(cluster.leader ?? this.#node(roll))],
      ["partition", 3, () => this.#partition()],
      ["leader cut off", 2, () => this.#isolate(cluster.leader)],
      ["one-way cut", 1, (roll) => this.#oneWay(roll)],
      ["heal", 3, () => network.heal()],
      ["unreliable switched", 3, () => this.#switchReliable()],
      ["reordering switched", 1, () => this.#switchReordering()],
      ["duplicates switched", 1, (roll) => network.setDuplicateRatio(roll < 0.5 ? 0 : 0.3)],
    ];
  }

  start(): void {
    this.#clock.setTimer(
      () => {
        if (this.#isOver) return;
        this.#strike();
        this.start();
      },
      200 + this.#random.next() * 1_000,
    );
  }

  /** Heals everything and starts every node. */
  clear(): void {
    this.#isOver = true;
    const { network, addresses, machines } = this.#cluster;
    network.heal();
    for (const from of addresses) for (const to of addresses) network.mend(from, to);
    network.setReliable(true);
    network.setLongReordering(false);
    network.setDuplicateRatio(0);
    for (const id of machines.keys()) this.#cluster.start(id);
  }

  #strike(): void {
    const total = this.#faults.reduce((sum, [, weight]) => sum + weight, 0);
    let roll = this.#random.next() * total;
    for (const [name, weight, fault] of this.#faults) {
      roll -= weight;
      if (roll >= 0) continue;
      this.counts[name] = (this.counts[name] ?? 0) + 1;
      return fault(this.#random.next());
    }
  }

  #crash(id: number): void {
    this.#cluster.crash(id);
    const restart = (): void => {
      if (!this.#isOver) this.#cluster.start(id);
    };
    this.#clock.setTimer(restart, 50 + this.#random.next() * 1_500);
  }

  /** Clients stand on one side as well, or reach everybody. */
  #partition(): void {
    const sides: [string[], string[]] = [[], []];
    for (const address of this.#cluster.addresses) sides[this.#random.next() < 0.5 ? 0 : 1].push(address);
    for (const clerk of ["clerk-0", "clerk-1"])
      if (this.#random.next() < 0.5) sides[this.#random.next() < 0.5 ? 0 : 1].push(clerk);
    this.#cluster.network.partition(sides);
  }

  #switchReliable(): void {
    this.#isReliable = !this.#isReliable;
    this.#cluster.network.setReliable(this.#isReliable);
  }

  #switchReordering(): void {
    this.#isReordering = !this.#isReordering;
    this.#cluster.network.setLongReordering(this.#isReordering);
  }

  /** From the other nodes; clients still reach it, which is what tempts it to say what is no longer true. */
  #isolate(leader: number | null): void {
    if (leader === null) return;
    const { addresses, network } = this.#cluster;
    const [alone, others] = [addresses[leader] as string, addresses.filter((_, id) => id !== leader)];
    network.partition([[alone], others]);
  }

  #oneWay(roll: number): void {
    const from = this.#node(roll);
    const to = (from + 1) % this.#cluster.addresses.length;
    const [a, b] = [this.#cluster.addresses[from] as string, this.#cluster.addresses[to] as string];
    this.#cluster.network.cut(a, b, { oneWay: true });
    const mend = (): void => this.#cluster.network.mend(a, b, { oneWay: true });
    this.#clock.setTimer(mend, this.#random.next() * 2_000);
  }

  #node(roll: number): number {
    return Math.floor(roll * this.#cluster.addresses.length);
  }
}
