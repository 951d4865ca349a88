import type { Endpoint } from "../core/index.js";
import { Connection, type ConnectionOwner } from "./connection.js";
import { DialledConnections, type KeeperDeps } from "./dialled-connections.js";
import type { ReconnectBackoff } from "./reconnect-backoff.js";
import type { Incident } from "./slot.js";
import type { Standing } from "./standing.js";
import type { SuspicionChange } from "./subchannel-owner.js";
import { Verification, type VerificationOwner } from "./verification.js";

/** Connections of one age, opened together, must not be replaced together (gRFC A9). */
const AGE_JITTER = 0.1;

/** Keeps the connections of one endpoint in order: verifies and replaces them, and dials again what is lost. */
export abstract class ConnectionKeeper
  extends DialledConnections
  implements ConnectionOwner, VerificationOwner
{
  readonly #verification: Verification;
  #round = 0;
  /** Monotonic ms since which it is READY. */
  readySince = 0;

  constructor(endpoint: Endpoint, standing: Standing, backoff: ReconnectBackoff, deps: KeeperDeps) {
    super(endpoint, standing, backoff, deps);
    this.#verification = new Verification(this.set, this, deps.clock, deps.checkTimeoutMs);
  }

  /** Before anything is told. @param isFailure true where it leaves the endpoint without a connection */
  protected abstract noteError(error: string, isFailure: boolean): void;
  /** @param isSpare true while there is another connection, so that nothing speaks against the endpoint */
  protected abstract tellDialFailed(error: string, isSpare: boolean): void;
  protected abstract tellLost(cause: string, callsInFlight: number, incident: Incident): void;
  protected abstract tellEndedByPeer(livedMs: number): void;
  protected abstract tellRoom(): void;
  abstract tellSuspicion(change: SuspicionChange): void;

  /** Replaces the connections, one after the other; each stays in use until the next one is READY. */
  rotate(cause: string): void {
    if (this.redial.isDialling) {
      // It began with what is out of date now.
      this.redial.stop();
      this.dial();
    }
    for (const connection of this.connections) this.#retire(connection, cause);
  }

  /** Looks for writes that got stuck. */
  checkWrites(stallMs: number): void {
    for (const connection of this.connections) {
      // A Watch that began since the last look has made the connection keep the process alive.
      connection.rest();
      if (!connection.isWriteStalled(stallMs)) continue;
      this.suspect(connection, `a write was not flushed for ${stallMs} ms without a byte from the peer`);
    }
  }

  /** Replaces connections whose time is over. */
  checkAge(now: number): void {
    for (const { connection, retireAt } of [...this.set.members]) {
      if (now >= retireAt) this.#retire(connection, "age");
    }
  }

  /** After a pause nobody knows whether the connections still stand: no call goes there before they are verified. */
  verify(cause: string): void {
    this.#verification.begin(cause, true);
  }

  /** The life of this connection is in doubt. */
  suspect(connection: Connection, cause: string): void {
    if (this.set.of(connection) !== undefined) this.#verification.begin(cause, false);
  }

  // A verification's needs

  dialToVerify(): void {
    if (!this.redial.isDialling) this.dial();
  }

  onCleared(): void {
    if (this.redial.isDialling && !this.isShort) this.redial.stop();
  }

  // A connection's news

  onReady(connection: Connection): void {
    const { maxConnectionAgeMs, random, clock } = this.deps;
    this.redial.ended();
    this.backoff.reset();
    if (this.set.size === 0) this.readySince = clock.now();
    const spread = 1 + AGE_JITTER * (2 * random.next() - 1);
    this.set.add(connection, connection.readyAt + (maxConnectionAgeMs ?? Number.POSITIVE_INFINITY) * spread);
    this.standing.addConnection(connection);
    // Once the Watch that begins here has opened its stream, which keeps the process alive.
    if (this.deps.isWatched) setImmediate(() => connection.rest());
    this.#replaceOld();
    // Calls that wait for the breaker pick at once, and are to find the fresh connection.
    this.standing.gate.reconnected();
    this.refill(clock.now());
    this.tellRoom();
  }

  onDialFailed(connection: Connection, error: string): void {
    this.redial.ended();
    const at = this.backoff.afterFailure(connection.dialledAt);
    const isSpare = this.set.size > 0;
    const dead = this.#verification.conclude().map((silent) => ({ silent, callsEnded: silent.inFlight }));
    for (const { silent } of dead) this.remove(silent);
    this.noteError(error, this.set.size === 0);
    for (const { callsEnded } of dead) this.tellSuspicion({ type: "connection.dead", callsEnded });
    if (this.isShort) this.waitUntil(at, error);
    if (dead.length === 0) this.tellDialFailed(error, isSpare);
    for (const { silent, callsEnded } of dead) {
      const incident = silent.killSilent();
      this.tellLost(`no sign of life, and a fresh dial failed: ${error}`, callsEnded, incident);
    }
  }

  onLost(connection: Connection, cause: string, incident: Incident): void {
    const { inFlight } = connection;
    this.noteError(cause, false);
    if (connection.isOrderlyEnd) this.tellEndedByPeer(this.deps.clock.now() - connection.readyAt);
    this.#drop(connection, cause);
    this.tellLost(cause, inFlight, incident);
  }

  onGoaway(connection: Connection): void {
    this.tellEndedByPeer(this.deps.clock.now() - connection.readyAt);
    this.tellDraining("GOAWAY");
    connection.drain();
    this.#drop(connection, "GOAWAY");
  }

  onCallEnded(): void {
    this.tellRoom();
  }

  onWornOut(connection: Connection): void {
    this.#retire(connection, "maxCallsPerConnection");
  }

  onSilence(connection: Connection, cause: string): void {
    this.suspect(connection, cause);
  }

  newConnection(): Connection {
    return new Connection(this.endpoint, this.standing, this, this.deps, this.#round++);
  }

  #retire(connection: Connection, cause: string): void {
    const member = this.set.of(connection);
    if (member === undefined || member.retiring !== null) return;
    member.retiring = cause;
    this.refill(this.deps.clock.now());
  }

  /** A fresh connection stands: those go whose life it was to prove, and those whose place it takes. */
  #replaceOld(): void {
    for (const { connection, isUnanswered, retiring } of [...this.set.members]) {
      if (!isUnanswered && (retiring === null || !this.isOverfull)) continue;
      if (isUnanswered) this.tellSuspicion({ type: "connection.verified", by: "dial" });
      else if (retiring !== null) this.tellDraining(retiring);
      this.remove(connection);
      connection.drain();
    }
  }

  #drop(connection: Connection, cause: string): void {
    if (this.remove(connection)) this.refill(this.backoff.afterLoss(connection.dialledAt), cause);
  }
}
