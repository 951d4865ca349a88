import { type CommandIds, createClerk, isReason } from "holdfast";
import { same } from "./expect.js";

/** What the README shows: the reason narrows to an error that has the ids. */
export async function unknownOutcome(): Promise<void> {
  const clerk = createClerk({ servers: ["a:1"], insecure: true });
  same<Awaited<ReturnType<typeof clerk.get>>, string | undefined>();
  try {
    await clerk.append("log", "x;");
  } catch (error) {
    if (isReason(error, "OUTCOME_UNKNOWN")) same<typeof error.command, CommandIds | undefined>();
  }
}
