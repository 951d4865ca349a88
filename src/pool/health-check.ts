import { type CallCredentials, Metadata, status as Status } from "@grpc/grpc-js";
import { saidBy } from "../core/index.js";
import { HealthCheckRequest } from "../gen/grpc/health/v1/health.js";
import { isTrailersOnly } from "./server-status.js";
import type { WatchedConnection } from "./server-watch.js";

const CHECK_METHOD = "/grpc.health.v1.Health/Check";

/** What came of one Check. */
export interface CheckAnswer {
  readonly code: Status;
  readonly details: string;
  /** A serialized HealthCheckResponse, where one came. */
  readonly message: Buffer | null;
  /** True when a server answered, whatever it said. */
  readonly isFromServer: boolean;
}

/**
 * Sends one `grpc.health.v1` Check over exactly this connection.
 *
 * @param service empty for the server as a whole
 * @param deadlineEpochMs epoch ms
 * @param done called once, unless the Check is cancelled
 * @returns cancels it
 */
export function checkHealth(
  connection: WatchedConnection,
  service: string,
  deadlineEpochMs: number,
  credentials: CallCredentials | null,
  done: (answer: CheckAnswer) => void,
): () => void {
  let isOver = false;
  let hasHeard = false;
  let message: Buffer | null = null;
  const settle = (code: Status, details: string, isFromServer: boolean): void => {
    if (isOver) return;
    isOver = true;
    done({ code, details, message, isFromServer: isFromServer || hasHeard });
  };
  try {
    const call = connection.createCall(CHECK_METHOD, deadlineEpochMs, undefined);
    if (credentials !== null) call.setCredentials(credentials);
    call.start(new Metadata(), {
      onReceiveMetadata: () => {
        hasHeard = true;
      },
      onReceiveMessage: (bytes: Buffer) => {
        hasHeard = true;
        message = bytes;
      },
      onReceiveStatus: (status) =>
        settle(status.code, status.details, status.code === Status.OK || isTrailersOnly(status)),
    });
    call.startRead();
    call.sendMessageWithContext({}, Buffer.from(HealthCheckRequest.encode({ service }).finish()));
    call.halfClose();
    return () => {
      if (isOver) return;
      isOver = true;
      call.cancelWithStatus(Status.CANCELLED, "the answer is no longer needed");
    };
  } catch (error) {
    // The connection closed before the Check left; whoever owns it has been told.
    settle(Status.UNAVAILABLE, saidBy(error), false);
    return () => {};
  }
}

/**
 * Asks whether somebody is there: any answer of a server counts, also UNIMPLEMENTED and NOT_SERVING.
 *
 * @param deadline epoch ms
 */
export function isAnswered(
  connection: WatchedConnection,
  deadline: number,
  done: (isAlive: boolean) => void,
): void {
  checkHealth(connection, "", deadline, null, ({ isFromServer }) => done(isFromServer));
}
