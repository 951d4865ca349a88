import { Metadata, status as Status } from "@grpc/grpc-js";
import type { Connection } from "./connection.js";
import { isTrailersOnly } from "./server-status.js";

const CHECK_METHOD = "/grpc.health.v1.Health/Check";
/** A HealthCheckRequest for the whole server has no field set. */
const WHOLE_SERVER = Buffer.alloc(0);

/**
 * Sends one `grpc.health.v1` Check over exactly this connection. Any answer of a server counts as alive, also
 * UNIMPLEMENTED and NOT_SERVING: the question is whether somebody is there.
 *
 * @param deadline epoch ms
 */
export function isAnswered(connection: Connection, deadline: number, done: (isAlive: boolean) => void): void {
  let hasHeard = false;
  try {
    const call = connection.createCall(CHECK_METHOD, deadline, undefined);
    call.start(new Metadata(), {
      onReceiveMetadata: () => {
        hasHeard = true;
      },
      onReceiveMessage: () => {
        hasHeard = true;
      },
      onReceiveStatus: (status) => done(hasHeard || status.code === Status.OK || isTrailersOnly(status)),
    });
    call.startRead();
    call.sendMessageWithContext({}, WHOLE_SERVER);
    call.halfClose();
  } catch {
    // The connection closed before the Check left; whoever owns it has been told.
    done(false);
  }
}
